/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the kernel says of freezing tasks (kernel/power/process.c), and which ones it could not
 * freeze.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/rules/timeline_parser.h"

#define TASK_NAME_MAX 15 /* TASK_COMM_LEN less the NUL, include/linux/sched.h */

/* More names than these say nothing more. */
#define NAMES_MAX 5

/* Lines after the one that counts the tasks which did not freeze that may name them. */
#define NAMES_LINES 400

#define WQ_FREEZABLE 0x4 /* include/linux/workqueue.h */

char *refusal_sentence(const struct refusal *refusal)
{
	memory_cleanup_free char *names_text = strings_join(&refusal->names, ", ");
	memory_cleanup_free char *seconds = text_format("%llu.%03llu s",
		(unsigned long long)(refusal->ms / 1000), (unsigned long long)(refusal->ms % 1000));
	const char *colon = *names_text ? ": " : "";
	char *text;

	if (refusal->tasks == 0 && refusal->busy_queue)
		return text_format("a work queue of the kernel was still busy after %s%s%s",
			seconds, colon, names_text);
	text = text_format("%llu %s%s%s did not freeze within %s%s%s",
		(unsigned long long)refusal->tasks, refusal->kernel_tasks ? "kernel " : "",
		refusal->tasks == 1 ? "task" : "tasks",
		refusal->busy_queue ? " and a work queue" : "", seconds, colon, names_text);
	if (refusal->names.count && refusal->tasks > refusal->names.count)
		text_append(&text, " and %llu more",
			(unsigned long long)(refusal->tasks - refusal->names.count));
	return text;
}

/* "failed after 20.003 seconds (1 tasks refusing to freeze, wq_busy=0):", or aborted */
static void take_refusal(struct parser *parser, const char *rest)
{
	struct refusal *refusal = &parser->refusal;
	const char *after = strstr(rest, " after "), *bracket = strchr(rest, '(');
	const char *busy = strstr(rest, "wq_busy=");
	uint64_t value;

	if (strstr(rest, "aborted")) {
		parser_fail(parser, FAILURE_WAKEUP,
			"an event woke the machine while its tasks were being frozen");
		return;
	}
	if (parser->failure != FAILURE_NONE)
		return;
	parser_fail(parser, FAILURE_FREEZING, NULL);
	parser->names_to_come = NAMES_LINES;
	refusal->known = true;
	refusal->kernel_tasks = !parser->seen.user_space;
	if (after && log_decimal(after + strlen(" after "), 3, &value, NULL))
		refusal->ms = value;
	if (bracket && log_decimal(bracket + 1, 0, &value, NULL))
		refusal->tasks = value;
	refusal->busy_queue = busy && busy[strlen("wq_busy=")] == '1';
}

void on_elapsed(struct parser *parser, const char *rest)
{
	uint64_t ms;

	if (!parser->open || parser->phase != PHASE_SAVING || !parser->seen.freezing ||
		!log_decimal(rest, 3, &ms, NULL))
		return;
	fact_set_number(
		parser->seen.user_space ? &parser->now.freeze_user : &parser->now.freeze_kernel,
		ms);
	parser->seen.frozen = parser->seen.frozen || !parser->seen.user_space;
}

/* REST follows the words that say what is frozen. */
static void take_freezing(struct parser *parser, const char *rest)
{
	const char *elapsed = strstr(rest, "(elapsed ");

	parser->seen.freezing = true;
	if (text_starts(rest, " failed ") || text_starts(rest, " aborted"))
		take_refusal(parser, rest);
	else if (elapsed)
		on_elapsed(parser, elapsed + strlen("(elapsed "));
}

void on_freezing_user(struct parser *parser, const char *rest)
{
	if (parser->open && parser->seen.restarted)
		parser_end(parser);
	/* Through /dev/snapshot, and before 4.10, a hibernation is not announced. */
	if (!parser->open) {
		parser_open(parser);
		parser_set_clock(parser, &parser->now.entry);
	}
	parser->seen.user_space = true;
	take_freezing(parser, rest);
}

void on_freezing_kernel(struct parser *parser, const char *rest)
{
	if (!parser->open)
		return;
	parser->seen.user_space = false;
	take_freezing(parser, rest);
}

/* Of user space or of kernel tasks, as the line before said */
void on_freezing(struct parser *parser, const char *rest)
{
	if (parser->open)
		take_freezing(parser, rest);
}

static void add_name(struct refusal *refusal, const char *name, size_t length)
{
	while (length && name[length - 1] == ' ')
		length--;
	if (length && refusal->names.count < NAMES_MAX)
		strings_take(&refusal->names, text_copy_length(name, length));
}

/*
 * The tasks that did not freeze follow the line that counts them:
 *	task:NetworkManager  state:D stack:    0 pid: 2014 ppid:     1 flags:0x00004006
 *	systemd-udevd   D13440   382    330 0x80004124
 * and the work queues, up to 5.15 those as well that need not be frozen:
 *	workqueue events_freezable: flags=0x4
 */
void parser_take_name(struct parser *parser, const char *message)
{
	struct refusal *refusal = &parser->refusal;
	const char *state;

	if (text_starts(message, "task:")) {
		message += strlen("task:");
		state = strstr(message, " state:");
		if (state && state - message <= TASK_NAME_MAX + 1)
			add_name(refusal, message, (size_t)(state - message));
		return;
	}
	if (text_starts(message, "workqueue ")) {
		const char *flags = strstr(message, "flags=0x");

		message += strlen("workqueue ");
		if (refusal->tasks == 0 &&
			(!flags || strtoul(flags + strlen("flags="), NULL, 16) & WQ_FREEZABLE))
			add_name(refusal, message, strcspn(message, ":"));
		return;
	}
	if (strlen(message) < TASK_NAME_MAX + 2 || message[TASK_NAME_MAX] != ' ' ||
		!strchr("RSDTtXZPI", message[TASK_NAME_MAX + 1]) ||
		isalpha((unsigned char)message[TASK_NAME_MAX + 2]) ||
		!strstr(message + TASK_NAME_MAX, " 0x"))
		return;
	add_name(refusal, message, TASK_NAME_MAX);
}
