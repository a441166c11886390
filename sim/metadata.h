/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A simulated instance metadata service, without its network: what it knows, what will happen to
 * the instance, how it misbehaves, and its answer to each request. metadata_service.h puts it on
 * a port.
 *
 * It is as strict as a service that wants IMDSv2 ("Configure the Instance Metadata Service
 * options" and "Instance metadata categories" in the EC2 User Guide). Tests change it while it
 * runs by its control path; ec2hib-imds(8) describes that.
 */
#ifndef EC2HIB_SIM_METADATA_H
#define EC2HIB_SIM_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/files.h"

#define METADATA_NEVER	 UINT64_MAX
#define METADATA_CONTROL "/control"

struct metadata;

/* One with the items of an invented instance; metadata_close() ends it. */
struct metadata *metadata_open(void);
void metadata_close(struct metadata *metadata);

/* ---- What it knows ---- */

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

/* Sets one item, or with NULL removes it. -EINVAL when PATH is not one below /latest/. */
int metadata_set(struct metadata *metadata, const char *path, const char *text, struct error *err);

/* ---- What happens to the instance ---- */

enum metadata_event {
	METADATA_SPOT,	      /* hibernate, stop or terminate, or the notice itself as JSON */
	METADATA_REBALANCE,   /* empty: now; or JSON */
	METADATA_MAINTENANCE, /* the code of an event (system-reboot), or JSON */
	METADATA_LIFECYCLE,   /* target lifecycle state of an Auto Scaling group: Terminated */
};

/*
 * After AFTER_MS milliseconds what VALUE says is so, and CLEAR_AFTER_MS later no more
 * (METADATA_NEVER: it stays). What was still to come of the same kind is forgotten. -EINVAL when
 * VALUE is none of this kind.
 */
int metadata_plan(struct metadata *metadata, enum metadata_event kind, const char *value,
	uint64_t after_ms, uint64_t clear_after_ms, struct error *err);

/* Does what is due at NOW (CLOCK_MONOTONIC, ns); when the next thing is, or METADATA_NEVER. */
uint64_t metadata_advance(struct metadata *metadata, uint64_t now);

/* ---- How it misbehaves ---- */

/* [SCOPE:]NAME[=VALUE], as metadata_faults_describe() lists them. -EINVAL says what is wrong. */
int metadata_add_fault(struct metadata *metadata, const char *text, struct error *err);

struct metadata_fault_kind {
	const char *name;
	const char *value; /* what stands behind the =: TIME, PERCENT, STATUS, N */
	const char *help;
};
extern const struct metadata_fault_kind metadata_fault_kinds[];
extern const size_t metadata_fault_kind_count;

/* ---- A request and its answer ---- */

struct metadata_request {
	const char *method;
	const char *path;  /* "/latest/meta-data/" */
	const char *token; /* X-aws-ec2-metadata-token, or NULL */
	const char *ttl;   /* X-aws-ec2-metadata-token-ttl-seconds, or NULL */
	bool forwarded;	   /* it has X-Forwarded-For */
	bool own;	   /* it comes from this machine, so may use the control path */
	const char *body;  /* never NULL, ends with a NUL */
};

enum metadata_spoil {
	SPOIL_NONE,
	SPOIL_HANG,  /* never answered */
	SPOIL_CLOSE, /* the connection is closed in place of an answer */
	SPOIL_CUT,   /* the connection is closed in the middle of the body */
	SPOIL_HUGE,  /* a body that is far too long, of unknown length */
};

struct metadata_answer {
	unsigned status;
	char *body; /* metadata_answer_free() frees it */
	size_t size;
	const char *type;   /* Content-Type */
	const char *allow;  /* with status 405: the methods that are right; or NULL */
	unsigned token_ttl; /* seconds; 0: no such header */
	enum metadata_spoil spoil;
	uint64_t delay_ms; /* before it is sent */
	bool notice;	   /* it holds a Spot notice, whole and as it should be */
	/*
	 * Held back while this counter is below WAIT_COUNT, until WAIT_END (CLOCK_MONOTONIC, ns);
	 * then metadata_wait_over() fills the rest. NULL: it need not wait.
	 */
	const uint64_t *wait_counter;
	uint64_t wait_count;
	uint64_t wait_end;
};

void metadata_answer(struct metadata *metadata, const struct metadata_request *request,
	struct metadata_answer *answer);
void metadata_answer_free(struct metadata_answer *answer);

/* To be called when ANSWER is given to the network: from here on a notice counts as served. */
void metadata_sent(struct metadata *metadata, const struct metadata_answer *answer);

void metadata_wait_over(struct metadata *metadata, struct metadata_answer *answer);

/* Where the control path is, METADATA_CONTROL as standard; "" switches it off. */
int metadata_control_at(struct metadata *metadata, const char *path, struct error *err);

/* CLOCK_MONOTONIC in ns: the clock of everything here. */
uint64_t metadata_clock(void);

#endif
