/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pre-warming a swap area or a whole volume: every block is touched once, so that a hibernation
 * does not have to wait for a volume that fetches its blocks from a snapshot.
 *
 * It has a lock of its own, since reading is right whatever else goes on; the write method holds
 * the lock of whoever changes the machine as well.
 */
#ifndef EC2HIB_ACTIONS_PREWARM_H
#define EC2HIB_ACTIONS_PREWARM_H

#include <stdint.h>

#include "core/actions/lock.h"
#include "core/base/reporter.h"
#include "core/facts/gather.h"
#include "core/facts/prewarm_state.h"
#include "core/rules/prewarm.h"

struct prewarm {
	const struct gather *gather; /* of the running machine */
	const char *device;	     /* a whole block device; NULL: the swap area */
	enum prewarm_method method;
	uint64_t block;	 /* bytes a request */
	uint64_t rate;	 /* bytes/s; 0: no limit */
	unsigned depth;	 /* requests at a time; 0: adapt */
	bool force;	 /* from the beginning, whatever was done before */
	bool background; /* to be said in the state: it is gone on with after a hibernation */
	const struct reporter *reporter;
	/* All is well so far: what is left is to do it. May be NULL. */
	void (*begun)(void *data, const struct prewarm_state *state);
	/* A few times a second. May be NULL. */
	void (*report)(void *data, const struct prewarm_state *state);
	void *data; /* of both functions */
};

/*
 * STATE, which must be zeroed, says how it went in any case; layout_free(&prewarm_state_layout,
 * ...).
 *
 * 0: all is touched, perhaps by an earlier run. -ECANCELED: stopped; the next run goes on from
 * here. -EBUSY: another pre-warm runs. Else what prewarm_method_for(), prewarm_ranges_of() and
 * prewarm_engine_run() say, or the device cannot be opened.
 */
int prewarm_run(const struct prewarm *prewarm, struct prewarm_state *state, struct error *err);

/*
 * Stops the one that runs, with SIGTERM, and waits at most WAIT_MS until it has let go of its lock:
 * from then on it asks for nothing more from the device. 0: none ran (always so for an image); 1:
 * stopped; -ETIMEDOUT, or another negative errno.
 */
int prewarm_stop(const struct root *root, unsigned wait_ms, struct error *err);

#endif
