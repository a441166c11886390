/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether what lies below the swap area can hold an image: every device of the stack counts. */
#ifndef EC2HIB_RULES_STORAGE_H
#define EC2HIB_RULES_STORAGE_H

#include "core/facts/facts.h"

/* Nothing by itself; both texts belong to whoever asked. */
struct obstacle {
	char *text; /* "/swap is on nvme1n1, which is instance store: the image would be lost" */
	char *fix;
};
#define obstacle_cleanup __attribute__((cleanup(obstacle_free)))
void obstacle_free(struct obstacle *obstacle);

/*
 * Whether the file system of a swap file can have one; a device is always fine. True: it cannot,
 * and *OBSTACLE says why. False also where nobody can tell, and in an image, whose file systems are
 * this machine's.
 */
bool storage_refuses_file(const struct facts *facts, struct obstacle *obstacle);

/* The same for the devices: the image would be lost with one, or not be found at the next boot. */
bool storage_loses_image(const struct facts *facts, struct obstacle *obstacle);

#endif
