/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a pre-warm is doing (/run/ec2hib/prewarm.json, replaced as a whole, for anyone to read), and
 * how far the pre-warms of this machine came (STATE_DIR/prewarm.json, which outlives a boot).
 */
#ifndef EC2HIB_FACTS_PREWARM_STATE_H
#define EC2HIB_FACTS_PREWARM_STATE_H

#include "core/facts/facts.h"

#define PREWARM_STATE_PATH   "/run/ec2hib/prewarm.json"
#define PREWARM_LOCK	     "/run/ec2hib/prewarm.lock" /* held while one runs */
#define PREWARM_STATE_FORMAT 1

/* In `state`. */
#define PREWARM_RUNNING	 "running"
#define PREWARM_FINISHED "finished"
#define PREWARM_STOPPED	 "stopped"
#define PREWARM_FAILED	 "failed" /* or finished but for blocks that cannot be read */

/* Requests that took at most so long, and longer than the item before. */
struct prewarm_bucket {
	struct fact_number up_to; /* us; absent: no bound */
	struct fact_number count;
};

struct prewarm_state {
	struct fact_number format;
	struct fact_text state;
	struct fact_number pid;
	struct fact_text started;
	struct fact_text path;
	struct fact_text device;
	struct fact_text volume;
	struct fact_text map;
	struct fact_text method;
	struct fact_flag background;
	struct fact_number limit;
	struct fact_number block;
	struct fact_number fixed;
	struct fact_number total;
	struct fact_number done;
	struct fact_number earlier;
	struct fact_number rate;
	struct fact_number depth;
	struct fact_flag gives_way;
	struct fact_number slowest_us;
	struct fact_number elapsed;
	struct fact_number left;
	struct fact_number errors;
	struct fact_text error;
	struct fact_number quick_us;
	struct fact_number slow;
	FACT_LIST(struct prewarm_bucket) histogram;
};

extern const struct layout prewarm_state_layout;

/*
 * Reads the state below ROOT into STATE, which must be zeroed; layout_free() in any case. -ENOENT: no
 * pre-warm has run since the boot. -EBADMSG: the file is none of ours. What it says is from its last
 * change: whether that pre-warm still runs is known by its lock.
 */
int prewarm_state_read(const struct root *root, struct prewarm_state *state, struct error *err);

/*
 * A descriptor of the lock's file, to look at, or a negative errno: -ENOENT, none has run; -EACCES for
 * who is not root, since to look is to lock.
 */
int prewarm_lock_look(const struct root *root, struct error *err);

/* Whether somebody holds the lock that FD is of. */
bool prewarm_lock_held(int fd);

/* Whether one runs now; never for an image. */
bool prewarm_runs(const struct root *root);

/* ---- How far each came ---------------------------------------------------------------------------- */

#define PREWARM_RECORD_NAME   "prewarm.json"
#define PREWARM_RECORD_FORMAT 1

struct prewarm_piece {
	struct fact_number start, length; /* bytes on the device, or in the file */
};

struct prewarm_record {
	struct fact_text path;
	struct fact_text volume;
	struct fact_text map;
	struct fact_text method;
	struct fact_text finished;
	FACT_LIST(struct prewarm_piece) done;
};

struct prewarm_records {
	struct fact_number format;
	FACT_LIST(struct prewarm_record) records; /* the newest last */
};

extern const struct layout prewarm_record_layout;
extern const struct layout prewarm_records_layout;

/*
 * Reads the records of STATE_DIR into RECORDS, which must be zeroed; layout_free() in any case. No
 * such file: no records. -EBADMSG: the file is none of ours, or of a newer ec2hib.
 */
int prewarm_records_read(const struct root *root, const char *state_dir,
	struct prewarm_records *records, struct error *err);

/* The record of this VOLUME with this MAP (core/rules/prewarm.h), or NULL. */
struct prewarm_record *prewarm_record_find(
	struct prewarm_records *records, const char *volume, const char *map);

/*
 * Names the first device of a chain beyond a boot: by the serial number of its disk, or the machine
 * where that has none, so that a copy in another instance is another volume. The caller frees it.
 */
char *prewarm_volume_name(const struct root *host, const device_list *devices);

/*
 * Fills prewarmed, how far the area was warmed, when the rest of AREA is known: by the volume and where
 * on it the area lies. STATE_DIR is below ROOT.
 */
void prewarmed_gather(struct area_facts *area, const struct root *root, const struct root *host,
	const char *state_dir);

#endif
