/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A simulated instance metadata service: what an instance of EC2 can ask about itself, on any
 * machine.
 *
 *	items	what it knows: texts by their paths below /latest/
 *	events	what will happen to the instance: an item that comes at its time, and goes again
 *	faults	how it misbehaves (faults.h)
 *	control	the path by which a test changes all that while it runs, and counts (control.h)
 *
 * It is as strict as a service that wants IMDSv2 ("Configure the Instance Metadata Service
 * options" and "Instance metadata categories" in the EC2 User Guide), and as lenient: several
 * slashes are one, one at the end of an item's path is passed over. http.h puts it on a port.
 */
#ifndef EC2HIB_SIM_METADATA_H
#define EC2HIB_SIM_METADATA_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "sim/control.h"
#include "sim/http.h"

/* The port of AWS's own simulated service (amazon-ec2-metadata-mock). */
#define METADATA_ADDRESS "127.0.0.1:1338"

struct metadata;

/* One with the items of an invented instance; metadata_close() ends it. */
struct metadata *metadata_open(void);
void metadata_close(struct metadata *metadata);

/* For http_server_open(). */
const struct http_service *metadata_service(struct metadata *metadata);

/* Its faults, and where the control path is. */
struct control *metadata_control(struct metadata *metadata);

/* Whether requests without a token are answered (IMDSv1); at first they are not. */
void metadata_set_tokens_optional(struct metadata *metadata, bool optional);

/* ---- Items ---- */

/*
 * Takes the items of a JSON file in place of the invented ones: an object of path below /latest/
 * to text ("meta-data/instance-id": "i-0123"). A null is left out, so that what ec2hib imds get
 * --all --json saved on an instance can be served. -EINVAL names file and line.
 */
int metadata_load(
	struct metadata *metadata, const struct root *root, const char *path, struct error *err);

/* What the command line says of the instance; NULL leaves it as it is. */
struct metadata_instance {
	const char *id;
	const char *type;
	const char *region;
	const char *life_cycle; /* spot or on-demand */
};

/* Sets the items that name these, and the instance identity document. */
void metadata_describe(struct metadata *metadata, const struct metadata_instance *instance);

/*
 * Sets one item, or with NULL removes it. PATH as for imds get: "instance-id" is
 * "meta-data/instance-id". -EINVAL when it is not one of an item.
 */
int metadata_set(struct metadata *metadata, const char *path, const char *text, struct error *err);

/* ---- Events ---- */

enum metadata_event {
	METADATA_SPOT,	      /* hibernate, stop or terminate, or the notice itself as JSON */
	METADATA_REBALANCE,   /* empty: now; or JSON */
	METADATA_MAINTENANCE, /* the code of an event (system-reboot), or JSON */
	METADATA_LIFECYCLE,   /* target lifecycle state of an Auto Scaling group: Terminated */
};

/*
 * After AFTER_MS milliseconds what VALUE says is so, and CLEAR_AFTER_MS later no more
 * (HTTP_NEVER: it stays). What was still to come of the same kind is forgotten. -EINVAL when
 * VALUE is none of this kind.
 */
int metadata_plan(struct metadata *metadata, enum metadata_event kind, const char *value,
	uint64_t after_ms, uint64_t clear_after_ms, struct error *err);

#endif
