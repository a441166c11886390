/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gathering all facts, and keeping them in a file. */
#ifndef EC2HIB_FACTS_GATHER_H
#define EC2HIB_FACTS_GATHER_H

#include "core/base/config.h"
#include "core/facts/facts.h"
#include "core/facts/imds.h"

/* Where facts come from. */
struct gather {
	const struct root *root; /* the machine or the image in question */
	const struct root *host; /* the machine that we run on */
	const struct config *config;
	const struct imds_options *imds; /* NULL: do not ask the metadata service */
	const char *version;		 /* of this program */
	/* Of --config, for a program of ours; NULL: the standard one. */
	const char *config_path;
};

/* Never fails: what cannot be read is unknown, with its reason. FACTS must be zeroed. */
void facts_gather(struct facts *facts, const struct gather *gather);

/*
 * Once more what setup may have changed: the kernel, memory, swaps, the area and the next boot. The
 * distribution, the root file system and the instance stay as they were.
 */
void facts_gather_again(struct facts *facts, const struct gather *gather);

/*
 * Facts from JSON that `ec2hib status --json` wrote (the whole answer or its "facts" alone), and
 * the configuration that belongs to them. 0 or -EINVAL; facts_free() and config_free() in any case.
 */
int facts_load(struct facts *facts, struct config *config, json_t *json, struct error *err);

/* {"facts": ..., "config": ...} as facts_load() reads it. */
json_t *facts_save(const struct facts *facts, const struct config *config);

#endif
