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
#define PREWARM_BUCKET(TEXT, NUMBER, FLAG, GROUP, LIST)                                            \
	NUMBER(up_to, "us", "at most so long; null in the last, which has no bound")               \
	NUMBER(count, "", "requests", VOLATILE)
struct prewarm_bucket {
	FACT_MEMBERS(PREWARM_BUCKET)
};
typedef FACT_LIST(struct prewarm_bucket) prewarm_bucket_list;

#define PREWARM_STATE(TEXT, NUMBER, FLAG, GROUP, LIST)                                             \
	NUMBER(format, "", "version of this layout")                                               \
	TEXT(state, "running, finished, stopped or failed")                                        \
	NUMBER(pid, "", "process of the pre-warm, while it runs")                                  \
	TEXT(started, "when it began, UTC")                                                        \
	TEXT(path, "the swap file or device")                                                      \
	TEXT(device, "the block device that is read")                                              \
	TEXT(volume, "the volume and the device on it")                                            \
	TEXT(map, "names the area's extents on the device")                                        \
	TEXT(method, "read or write")                                                              \
	FLAG(background, "it runs in the background")                                              \
	NUMBER(limit, "bytes/s", "of --rate")                                                      \
	NUMBER(block, "bytes", "of --block, what a request touches")                               \
	NUMBER(fixed, "", "of --depth, requests at a time")                                        \
	NUMBER(total, "bytes", "size of the area")                                                 \
	NUMBER(done, "bytes", "what of it is touched, now and earlier", VOLATILE)                  \
	NUMBER(earlier, "bytes", "what of it earlier runs have touched")                           \
	NUMBER(rate, "bytes/s", "how fast it is lately", VOLATILE)                                 \
	NUMBER(depth, "", "requests at a time", VOLATILE)                                          \
	FLAG(gives_way, "somebody else uses the disk now", VOLATILE)                               \
	NUMBER(slowest_us, "us", "the slowest request lately", VOLATILE)                           \
	NUMBER(elapsed, "ms", "since it began", VOLATILE)                                          \
	NUMBER(left, "ms", "how long it still takes at this rate", VOLATILE)                       \
	NUMBER(errors, "", "blocks (of 4 KiB as a rule) that cannot be touched")                   \
	TEXT(error, "why it failed, or the first such block")                                      \
	NUMBER(quick_us, "us", "the quickest tenth of the requests took at most this", VOLATILE)   \
	NUMBER(slow, "", "requests that took more than 8 times that", VOLATILE)                    \
	LIST(histogram, prewarm_bucket_list, prewarm_bucket, "requests by the time that they took")
struct prewarm_state {
	FACT_MEMBERS(PREWARM_STATE)
};

extern const struct layout prewarm_state_layout;

/*
 * Reads the state below ROOT into STATE, which must be zeroed; layout_free() in any case. -ENOENT:
 * no pre-warm has run since the boot. -EBADMSG: the file is none of ours. What it says is from its
 * last change: whether that pre-warm still runs is known by its lock.
 */
int prewarm_state_read(const struct root *root, struct prewarm_state *state, struct error *err);

/*
 * A descriptor of the lock's file, to look at, or a negative errno: -ENOENT, none has run; -EACCES
 * for who is not root, since to look is to lock.
 */
int prewarm_lock_look(const struct root *root, struct error *err);

/* Whether somebody holds the lock that FD is of. */
bool prewarm_lock_held(int fd);

/* Whether one runs now; never for an image. */
bool prewarm_runs(const struct root *root);

/* ---- How far each came ----------------------------------------------------------------------- */

#define PREWARM_RECORD_NAME   "prewarm.json"
#define PREWARM_RECORD_FORMAT 1

#define PREWARM_PIECE(TEXT, NUMBER, FLAG, GROUP, LIST)                                             \
	NUMBER(start, "bytes", "where it begins on the device, or in the file")                    \
	NUMBER(length, "bytes", "how long it is")
struct prewarm_piece {
	FACT_MEMBERS(PREWARM_PIECE)
};
typedef FACT_LIST(struct prewarm_piece) prewarm_piece_list;

#define PREWARM_RECORD(TEXT, NUMBER, FLAG, GROUP, LIST)                                            \
	TEXT(path, "the swap file or device")                                                      \
	TEXT(volume, "the volume and the device on it")                                            \
	TEXT(map, "names the area's extents on the device")                                        \
	TEXT(method, "read or write")                                                              \
	TEXT(finished, "when all was touched, UTC")                                                \
	LIST(done, prewarm_piece_list, prewarm_piece, "what was touched so far")
struct prewarm_record {
	FACT_MEMBERS(PREWARM_RECORD)
};
typedef FACT_LIST(struct prewarm_record) prewarm_record_list;

#define PREWARM_RECORDS(TEXT, NUMBER, FLAG, GROUP, LIST)                                           \
	NUMBER(format, "", "version of this layout")                                               \
	LIST(records, prewarm_record_list, prewarm_record,                                         \
		"how far each pre-warm came, the newest last")
struct prewarm_records {
	FACT_MEMBERS(PREWARM_RECORDS)
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
 * Fills prewarmed, how far the area was warmed, when the rest of AREA is known: by the volume and
 * where on it the area lies. STATE_DIR is below ROOT.
 */
void prewarmed_gather(struct area_facts *area, const struct root *root, const struct root *host,
	const char *state_dir);

#endif
