/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What completion offers: words of the command table, and what this machine has. */
#ifndef EC2HIB_CMD_COMPLETE_H
#define EC2HIB_CMD_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

/* The word that is being typed, and what stands before it. */
struct completion {
	const char *typed;
	const char *endpoint; /* of --imds-endpoint; NULL: not given */
	bool image;	      /* --root is given */
	size_t offered;	      /* so many so far */
};

/* Prints WORD when it begins with what is typed; HELP may be NULL. */
void offer(struct completion *completion, const char *word, const char *help);

/*
 * Paths of the metadata service, as its folders list them. It has a short time to answer; when it
 * does not, the paths that people ask for most.
 */
void offer_items(struct completion *completion);

/* Active swap files and /swap, or active swap devices and other block devices. */
void offer_swap_files(struct completion *completion);
void offer_devices(struct completion *completion);

#endif
