/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Past hibernations: what the kernel's log tells of one (struct timeline), what is kept of one in
 * the history (struct cycle), and reading the history back.
 *
 * Sizes are bytes, rates bytes per second, times milliseconds unless a name says otherwise. What
 * is absent (null in JSON) was not in the log, or does not apply.
 */
#ifndef EC2HIB_FACTS_CYCLE_H
#define EC2HIB_FACTS_CYCLE_H

#include "core/facts/fact.h"

/* How a cycle ended. In `result`. */
#define RESULT_RESUMED	  "resumed"
#define RESULT_FAILED	  "failed"
#define RESULT_INCOMPLETE "incomplete" /* only of a log: it ends before the end is known */
#define RESULT_TESTED	  "tested"     /* only of a log: a test mode of the kernel, no image */
#define RESULT_REFUSED	  "refused"    /* only of a cycle: the checks said no */
#define RESULT_DRY_RUN	  "dry-run"    /* only of a cycle */

/* What set a cycle off. In `reason`. */
#define REASON_NOTICE	 "notice"
#define REASON_BUTTON	 "button"
#define REASON_COMMAND	 "command"
#define REASON_REHEARSAL "rehearsal"

/* Who wrote to the kernel. In `method`. */
#define METHOD_DIRECT  "direct"
#define METHOD_SYSTEMD "systemd"

/*
 * One hibernation as the kernel's log tells it. core/rules/timeline.h parses it.
 *
 * The log of a system that has resumed goes on where its image was made: how the image was written
 * and read is only on a serial console, and write_* and read_* are then unknown, with that reason.
 * The devices' times are in microseconds, because most are below a millisecond.
 */
struct timeline {
	struct fact_text stamp;
	struct fact_number entry;
	struct fact_number sync;
	struct fact_number freeze_user;
	struct fact_number freeze_kernel;
	struct fact_number allocate_size;
	struct fact_number allocate_time;
	struct fact_number allocate_rate;
	struct fact_number devices_freeze_us;
	struct fact_number devices_freeze_late_us;
	struct fact_number devices_freeze_noirq_us;
	struct fact_number image_pages;
	struct fact_number image_size;
	struct fact_number threads;
	struct fact_number compressed_size;
	struct fact_number write_size;
	struct fact_number write_time;
	struct fact_number write_rate;
	struct fact_number power_off;
	struct fact_number read_size;
	struct fact_number read_time;
	struct fact_number read_rate;
	struct fact_number away;
	struct fact_number devices_restore_noirq_us;
	struct fact_number devices_restore_early_us;
	struct fact_number devices_restore_us;
	struct fact_number exit;
	struct fact_text result;
	struct fact_text failure_id;
	struct fact_text failure;
};

/* One entry of the history. */
struct cycle {
	struct fact_text began;
	struct fact_text reason;
	struct fact_text notice_action;
	struct fact_text notice_time;
	struct fact_text method;
	struct fact_text result;
	struct fact_text message;
	struct fact_number tries;
	struct fact_number away;
	struct fact_number image_size;
	struct fact_number prepare;
	struct fact_number to_power_off;
	struct fact_text kernel;
	struct timeline timeline;
};

extern const struct layout timeline_layout;
extern const struct layout cycle_layout;

/* {0} is empty; the lists own what they hold. Newest last. */
typedef FACT_LIST(struct timeline) timeline_list;
typedef FACT_LIST(struct cycle) cycle_list;

void timelines_free(timeline_list *list);
void cycles_free(cycle_list *list);

/*
 * Moves TIMELINE into the cycle (TIMELINE is empty afterwards), and fills from it what the cycle
 * does not know yet: began (the time in front of the log's line), result, message, away,
 * image_size and to_power_off.
 */
void cycle_take_timeline(struct cycle *cycle, struct timeline *timeline);

/* ---- The history, STATE_DIR/history.json: {"format": 1, "cycles": [...]}, newest last ---- */

#define HISTORY_FORMAT 1
#define HISTORY_NAME   "history.json"

/* More than HISTORY_MAX (core/actions/history.h) cycles take. */
#define HISTORY_FILE_LIMIT ((size_t)16 * 1024 * 1024)

/*
 * Reads the history below ROOT into LIST, which must be empty ({0}); cycles_free() in any case.
 * 0, also where there is no file (no cycles); -EBADMSG when the file is damaged or of a newer
 * format, and another negative errno when it cannot be read. Fields that are not known here are
 * passed over.
 */
int history_read(
	const struct root *root, const char *state_dir, cycle_list *list, struct error *err);

#endif
