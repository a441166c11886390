/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What C17 has no word for. */
#ifndef EC2HIB_BASE_COMPILER_H
#define EC2HIB_BASE_COMPILER_H

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* A parameter that an interface demands and this function does not need. */
#define UNUSED __attribute__((unused))

#endif
