/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notices: what the metadata service says will happen to this instance.
 *
 * An answer is untrusted. What is not exactly the documented form is an error and never a notice: a
 * size limit, one JSON value with nothing after it, no key twice, known words, a time that exists.
 * Members that are not known are allowed, so that a service that learns to say more is still heard.
 *
 * Sources, EC2 User Guide: "Spot Instance interruption notices" (spot/instance-action), "EC2
 * instance rebalance recommendations" (events/recommendations/rebalance), "Scheduled events for
 * Amazon EC2 instances" (events/maintenance/scheduled); EC2 Auto Scaling User Guide: "Retrieve the
 * target lifecycle state through instance metadata" (autoscaling/target-lifecycle-state).
 */
#ifndef EC2HIB_RULES_NOTICE_H
#define EC2HIB_RULES_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/error.h"

/* Bytes; the documented answers have less than 100, and some 200 for each scheduled event. */
#define NOTICE_TEXT_LIMIT      ((size_t)4096)
#define NOTICE_LIST_TEXT_LIMIT ((size_t)64 * 1024)

enum notice_kind {
	NOTICE_HIBERNATE,
	NOTICE_STOP,
	NOTICE_TERMINATE,
	NOTICE_REBALANCE,
	NOTICE_MAINTENANCE,
	NOTICE_LIFECYCLE,
	NOTICE_KIND_COUNT
};

/* hibernate, stop, terminate, rebalance, maintenance, lifecycle. */
extern const char *const notice_kinds[NOTICE_KIND_COUNT];

/* Where the metadata service says them; the Spot notice, which is asked for most, is the first. */
enum notice_source {
	SOURCE_ACTION,
	SOURCE_REBALANCE,
	SOURCE_MAINTENANCE,
	SOURCE_LIFECYCLE,
	NOTICE_SOURCES
};

/* Below /latest/, as struct imds_item has its paths. */
extern const char *const notice_paths[NOTICE_SOURCES];

struct notice {
	enum notice_kind kind;
	char time[INSTANT_LENGTH]; /* "": a lifecycle state has none, a Spot notice may have none */
	int64_t when;		   /* TIME in seconds since 1970 */
	char id[96];		   /* of a scheduled event; else "" */
	char detail[64]; /* the code of a scheduled event (system-reboot), the lifecycle state */
};

/*
 * What SOURCE has answered (NUL-terminated): one notice, or of a list of scheduled events those
 * whose state is "active", in the list's order. A lifecycle state is one as well when it is
 * InService: see notice_leaves_service(). *NOTICES is the caller's, who frees it; NULL when *COUNT
 * is 0.
 *
 * 0, or a negative errno with a sentence and no notice: -EFBIG too long, -EBADMSG not the
 * documented form, of a list also when only one event is not.
 */
int notices_parse(enum notice_source source, const char *text, struct notice **notices,
	size_t *count, struct error *err);

/* A lifecycle state in which the instance serves no more: all but InService and Warmed:Running. */
bool notice_leaves_service(const struct notice *notice);

/*
 * True when AFTER, heard ELAPSED_S seconds after BEFORE from the same source and without a gap, is
 * the same notice: some services name the time anew at each request, so that it moves as fast as
 * the clock (amazon-ec2-metadata-mock does). One whose time jumps is another.
 */
bool notice_moves_along(const struct notice *before, const struct notice *after, int64_t elapsed_s);

/*
 * True when a notice to hibernate is no younger than a resume, RESUMED_S seconds since 1970, or has
 * no time that could tell.
 */
bool notice_was_meant_for(const struct notice *notice, int64_t resumed_s);

/* What is configured to happen on it; on a notice to hibernate it is always that. */
enum config_reaction notice_reaction(const struct notice *notice, const struct config *config);

/*
 * What tells it from every other notice, as a line of printable ASCII that can be stored: kind,
 * time, the event's id, the lifecycle state ("hibernate 2017-09-18T08:22:00Z"). The caller frees
 * it.
 */
char *notice_id(const struct notice *notice);

#endif
