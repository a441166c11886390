/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What sleep_keys_open() asks the kernel about an input device. */
#ifndef EC2HIB_FACTS_SLEEP_KEYS_CALLS_H
#define EC2HIB_FACTS_SLEEP_KEYS_CALLS_H

#include "core/facts/sleep_keys.h"

extern const struct sleep_keys_calls sleep_keys_kernel;

#endif
