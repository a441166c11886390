/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which file or device is the swap area: one rule for whoever asks, be it status, setup, hibernate
 * or the agent.
 *
 * What the administrator says comes first: the configuration, then what setup was given. Then a
 * swap file that is there already and will do: ours, or one of the administrator's that is switched
 * on or in /etc/fstab (/swapfile, /swap.img, /swap/swapfile, ...). Only then the standard ones.
 */
#ifndef EC2HIB_FACTS_AREA_CHOICE_H
#define EC2HIB_FACTS_AREA_CHOICE_H

#include "core/base/config.h"
#include "core/facts/facts.h"

struct area_choice {
	char *path;
	const char *reason; /* CHOSEN_...: the fact chosen of the area */
};

/*
 * HOST is the machine that we run on; ROOT_DEVICES what is below the root file system.
 * area_choice_free() ends it.
 */
void area_choose(struct area_choice *choice, const struct config *config, const struct root *root,
	const struct root *host, const device_list *root_devices);
void area_choice_free(struct area_choice *choice);
#define area_choice_cleanup __attribute__((cleanup(area_choice_free)))

#endif
