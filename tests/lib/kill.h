/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Killing some work at each of its steps, as a power cut would. */
#ifndef EC2HIB_TESTS_KILL_H
#define EC2HIB_TESTS_KILL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Does the work in a child that is traced, and kills it with SIGKILL when it is about to make its
 * STEP-th change to the file system or to start a program; the first step is 1. True when the work
 * got through before that; it must not fail then.
 */
bool run_up_to_step(int (*work)(void *), void *data, size_t step);

#endif
