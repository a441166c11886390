/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the parser of timelines share; nobody else includes this. */
#ifndef EC2HIB_RULES_TIMELINE_PARSER_H
#define EC2HIB_RULES_TIMELINE_PARSER_H

#include "core/base/text.h"
#include "core/rules/log_line.h"
#include "core/rules/timeline.h"

enum phase {
	PHASE_SAVING,  /* the kernel that hibernates */
	PHASE_READING, /* the one that boots and looks for the image */
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
	bool entry;	  /* the line that announces a hibernation */
	bool sure;	  /* a hibernation, not a suspend to memory */
	bool freezing;	  /* freezing began ... */
	bool user_space;  /* ... of user space, not of kernel tasks */
	bool preallocate; /* began to set memory aside ... */
	bool allocated;	  /* ... and did */
	bool copy;	  /* the pages of the image were counted */
	bool created;	  /* the first kernel went on with a ready image */
	bool saving;	  /* began to write the image ... */
	bool saved;	  /* ... and wrote all of it */
	bool power_off;
	bool boot;
	bool loaded;
	bool restored;
	bool tested;
	bool restarted; /* tasks run again */
	bool exit;
};

struct parser {
	timeline_list *found;
	unsigned long page_size;
	bool suspending; /* between suspend entry and exit: not ours */
	bool open;
	struct timeline now;
	struct seen seen;
	enum phase phase;
	enum timeline_failure failure;
	uint64_t allocated_pages;
	struct refusal refusal;
	const struct log_line *line;
};

/* Begins a cycle with this line, perhaps one that turns out to be none; none is open. */
void parser_open(struct parser *parser);

/* The line is one of a hibernation: of the cycle that is open, or of a new one. */
void parser_begin(struct parser *parser);

/* The image runs again. That an earlier look found none was then a boot that looked too soon. */
void parser_restored(struct parser *parser);

/* Ends the cycle that is open, if any. */
void parser_end(struct parser *parser);

/* Notes a failure; the first one counts. The sentence may be NULL when it is made at the end. */
void parser_fail(struct parser *parser, enum timeline_failure failure, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* VALUE times FACTOR, unless that is beyond what a log could mean. */
void parser_set(struct fact_number *fact, uint64_t value, uint64_t factor);

/* What the line says goes into the cycle. */
void parser_take_line(struct parser *parser, const struct log_line *line);

/* True when the message is one of a failure, which is noted. PM: it stood behind "PM: ". */
bool parser_take_failure(struct parser *parser, const char *message, bool pm);

/* Freezing, in the words of kernel/power/process.c. True when MESSAGE is about that. */
bool parser_take_freezing(struct parser *parser, const char *message);

/* The sentence for tasks that did not freeze; the caller frees it. */
char *refusal_sentence(const struct refusal *refusal);

#endif
