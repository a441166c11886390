/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the parser of timelines share; nobody else includes this.
 *
 *	timeline.c            a log: its lines in the order of time, machine by machine
 *	timeline_cycle.c      a hibernation: where it begins and ends, and how it went
 *	timeline_messages.c   the table: what each message of the kernel tells
 *	timeline_freezing.c   messages about tasks, and those that did not freeze
 *	timeline_devices.c    messages about devices, and those that did not stop
 *	timeline_search.c     finding messages
 */
#ifndef EC2HIB_RULES_TIMELINE_PARSER_H
#define EC2HIB_RULES_TIMELINE_PARSER_H

#include "core/base/text.h"
#include "core/facts/log_line.h"
#include "core/rules/timeline.h"

enum phase {
	PHASE_SAVING,  /* the kernel that hibernates */
	PHASE_BOOTED,  /* another one has started ... */
	PHASE_READING, /* ... and has found the image */
	PHASE_RESTORED /* the first one again */
};

/* What the log had about freezing that did not end well. */
struct refusal {
	bool known;
	bool kernel_tasks;
	uint64_t ms;
	uint64_t tasks;
	bool busy_queue;
	struct strings names;
};

/* What was seen of the cycle that is being read. */
struct seen {
	bool entry;	   /* the line that announces a hibernation */
	bool sure;	   /* a hibernation: announced, an image, or a write */
	bool freezing;	   /* freezing began ... */
	bool user_space;   /* ... of user space, not of kernel tasks */
	bool frozen;	   /* ... and of kernel tasks it ended well */
	bool preallocate;  /* began to reserve memory ... */
	bool allocated;	   /* ... and did */
	bool copy;	   /* the pages of the image were counted */
	bool created;	   /* the first kernel went on with a ready image */
	bool saving;	   /* began to write the image ... */
	bool told_writing; /* in lines without "hibernation", which some look for and keep */
	bool wrote;	   /* ... ended that, well or not, ... */
	bool saved;	   /* ... and had written all of it */
	bool power_off;
	bool boot_kernel;  /* what told of a boot: the kernel, ... */
	bool boot_cpu;	   /* ... arm64's first line, ... */
	bool boot_journal; /* ... the journal */
	bool thawed;	   /* tasks ran again while the image was read: it failed, or ended well */
	bool loaded;	   /* all of the image was read */
	bool restored;
	bool tested;
	bool restarted; /* tasks run again */
	bool exit;
	bool looked; /* after a boot: the kernel looked for an image too early, or for none */
	bool user_space_up; /* after a boot: user space has started, and no image was found */
	bool old_words;	    /* of a kernel that still tells of the image by default */
};

struct parser {
	unsigned long page_size;
	bool suspending; /* between suspend entry and exit: not ours */
	bool open;
	bool attempt; /* what is read is known to be one hibernation */
	struct timeline now;
	struct seen seen;
	enum phase phase;
	enum timeline_failure failure;
	bool failed_when_saved; /* after all of the image was written: power-off goes on */
	char *crash;		/* an oops: it matters where nothing comes after it; NULL: none */
	char *waker;		/* whom the wakeup was by; NULL: not known */
	uint64_t allocated_pages;
	unsigned names_to_come; /* lines that may name a task that did not freeze */
	struct refusal refusal;
	const struct log_line *line;
	uint64_t order;	  /* of the cycle among all that were opened, ... */
	uint64_t *opened; /* ... of which there are so many; NULL: it does not matter */
	/* Where a cycle goes that has ended; it is the taker's afterwards. */
	void (*ended)(void *data, struct timeline *timeline);
	void *data;
};

/* ---- timeline_cycle.c ---- */

/* Begins a cycle with this line, perhaps one that turns out to be none; none is open. */
void parser_open(struct parser *parser);

/* The line is one of a hibernation: of the cycle that is open, or of a new one. */
void parser_begin(struct parser *parser);

/* Ends the cycle that is open, if any: another one begins, or this one is over. */
void parser_end(struct parser *parser);

/* The same where the log ends. */
void parser_end_log(struct parser *parser);

/* The open cycle is none, unless it was announced: something else freezes tasks and devices. */
void parser_drop(struct parser *parser);

/* Notes a failure; the first one counts. The sentence may be NULL when it is made at the end. */
void parser_fail(struct parser *parser, enum timeline_failure failure, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What had gone wrong did not matter: the image was found, or runs again. */
void parser_take_back(struct parser *parser);

/* What was in the image runs again. */
void parser_restored(struct parser *parser);

/* VALUE times FACTOR, unless that is beyond what a log could mean. */
void parser_set(struct fact_number *fact, uint64_t value, uint64_t factor);

/* The kernel's clock of this line, where it has one. */
void parser_set_clock(const struct parser *parser, struct fact_number *fact);

/* ---- timeline_messages.c ---- */

enum where {
	PM,	/* after "PM: ", and "hibernation: " where that is */
	ANYHOW, /* by itself */
};

/* How a failure's line counts; one with a function of its own has none. */
enum side {
	NOT_BY_ITSELF, /* only in a hibernation that is known of */
	HIBERNATING,   /* proves one */
	READING,       /* proves that there is an image */
};

/*
 * WORDS begin the line; * is a word of any kind. KERNELS: which ones say so, as far as known (a
 * release is the first or the last one), NULL: all of them.
 */
struct message {
	const char *words;
	enum where where;
	const char *kernels;
	void (*take)(struct parser *parser, const char *rest);
	enum side side;
	enum timeline_failure failure;
	const char *sentence;
};

extern const struct message timeline_messages[];
extern const size_t timeline_message_count;

/* What the line says goes into the cycle. */
void parser_take_line(struct parser *parser, const struct log_line *line);

/* ---- timeline_freezing.c: REST is what follows the words in the table ---- */

void on_freezing_user(struct parser *parser, const char *rest);
void on_freezing_kernel(struct parser *parser, const char *rest);
void on_freezing(struct parser *parser, const char *rest);
void on_elapsed(struct parser *parser, const char *rest);

/* A line that may name a task or a work queue that did not freeze. */
void parser_take_name(struct parser *parser, const char *message);

/* The sentence for tasks that did not freeze; the caller frees it. */
char *refusal_sentence(const struct refusal *refusal);

/* ---- timeline_devices.c ---- */

/* A device's name has driver and address in it. */
#define DEVICE_NAME_MAX 96

void on_freeze(struct parser *parser, const char *rest);
void on_late_freeze(struct parser *parser, const char *rest);
void on_noirq_freeze(struct parser *parser, const char *rest);
void on_noirq_restore(struct parser *parser, const char *rest);
void on_early_restore(struct parser *parser, const char *rest);
void on_restore(struct parser *parser, const char *rest);

/* True where the line is what a device says of itself, its name in front. */
bool parser_take_device(struct parser *parser, const char *message);

/* ---- timeline_search.c ---- */

/* Where bytes may have a line that is in the table: the first place, NULL: nowhere. */
const char *messages_search(const char *text, size_t length);

/* The row of a message, with what follows its words; NULL: it has none. */
const struct message *message_find(const char *message, const char **rest);

/* Whether the line is in the table, or of a device. */
bool message_is_known(const struct log_line *line);

/*
 * A row of the table, for tests that hold it against the kernel's sources: its words (* is any
 * word), NULL after the last row; whether they follow "PM: "; and which kernels say so ("4.10-",
 * NULL: all).
 */
const char *message_row(size_t index, bool *after_pm, const char **kernels);

#endif
