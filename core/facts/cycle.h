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
#define RESULT_UNKNOWN	  "unknown"    /* only of a log: it has the end, but not what happened */
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
#define TIMELINE(TEXT, NUMBER, FLAG, GROUP, LIST)                                                  \
	TEXT(stamp, "date and time in front of the first line")                                    \
	TEXT(host, "the machine, where the log names it")                                          \
	NUMBER(entry, "ms", "kernel clock at the beginning")                                       \
	NUMBER(sync, "ms", "writing out the file systems")                                         \
	NUMBER(freeze_user, "ms", "freezing user space")                                           \
	NUMBER(freeze_kernel, "ms", "freezing kernel tasks")                                       \
	NUMBER(allocate_size, "bytes", "memory reserved for the image")                            \
	NUMBER(allocate_time, "ms", "reserving it")                                                \
	NUMBER(allocate_rate, "bytes/s", "how fast that went")                                     \
	NUMBER(devices_freeze_us, "us", "stopping the devices")                                    \
	NUMBER(devices_freeze_late_us, "us", "the late phase of it")                               \
	NUMBER(devices_freeze_noirq_us, "us", "the phase without interrupts")                      \
	NUMBER(image_pages, "pages", "what is to be copied")                                       \
	NUMBER(image_size, "bytes", "the same in bytes")                                           \
	NUMBER(threads, "", "compression threads")                                                 \
	NUMBER(compressed_size, "bytes", "the image after compression; kernel 6.9 and later")      \
	NUMBER(write_size, "bytes", "the image that was written, before compression")              \
	NUMBER(write_time, "ms", "writing it")                                                     \
	NUMBER(write_rate, "bytes/s", "how fast that went")                                        \
	NUMBER(power_off, "ms", "kernel clock at power-off")                                       \
	NUMBER(read_size, "bytes", "the image that was read")                                      \
	NUMBER(read_time, "ms", "reading it")                                                      \
	NUMBER(read_rate, "bytes/s", "how fast that went")                                         \
	NUMBER(away, "ms", "how long the machine was off, as the kernel counts it")                \
	NUMBER(devices_restore_noirq_us, "us", "starting the devices again without interrupts")    \
	NUMBER(devices_restore_early_us, "us", "the early phase of it")                            \
	NUMBER(devices_restore_us, "us", "the rest of it")                                         \
	NUMBER(exit, "ms", "kernel clock at the end")                                              \
	TEXT(result, "resumed, failed, incomplete, unknown or tested")                             \
	TEXT(failure_id, "kind of failure")                                                        \
	TEXT(failure, "why it failed")
struct timeline {
	FACT_MEMBERS(TIMELINE)
};

/* One entry of the history. */
#define CYCLE(TEXT, NUMBER, FLAG, GROUP, LIST)                                                     \
	TEXT(began, "when, UTC, ISO 8601")                                                         \
	TEXT(reason, "notice, button, command or rehearsal")                                       \
	TEXT(notice_action, "action of the Spot notice")                                           \
	TEXT(notice_time, "time of the Spot notice")                                               \
	TEXT(method, "direct or systemd")                                                          \
	TEXT(result, "resumed, failed, refused or dry-run")                                        \
	TEXT(message, "why it failed or was refused")                                              \
	NUMBER(tries, "", "how often the kernel was asked")                                        \
	NUMBER(away, "ms", "how long the machine was off")                                         \
	NUMBER(image_size, "bytes", "the image before compression")                                \
	NUMBER(prepare, "ms", "from the notice, button or command to the write that hibernates")   \
	NUMBER(to_power_off, "ms", "from that write to power-off, as far as the log tells")        \
	TEXT(kernel, "kernel release")                                                             \
	GROUP(timeline, timeline, "what the kernel's log tells")
struct cycle {
	FACT_MEMBERS(CYCLE)
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
