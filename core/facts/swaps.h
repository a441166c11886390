/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The active swaps: /proc/swaps, with the storage below each. */
#ifndef EC2HIB_FACTS_SWAPS_H
#define EC2HIB_FACTS_SWAPS_H

#include "core/facts/facts.h"

/*
 * Reads the text of /proc/swaps into SWAPS (path, type, size, used, priority): proc(5). Lines that
 * are not understood are left out.
 */
void swaps_parse(swap_list *swaps, const char *text);

/*
 * The active swaps of ROOT, which has to be the running machine. ROOT_DEVICES: what is below its
 * root file system.
 */
void swaps_gather(swap_list *swaps, const struct root *root, const device_list *root_devices);

void swaps_free(swap_list *swaps);

/* Higher ones are used first; 0 where it is not known. */
long swap_priority(const struct swap_facts *swap);

#endif
