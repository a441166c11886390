/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a hibernation failed, as the kernel's log says it. */
#define _GNU_SOURCE
#include <ctype.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/rules/timeline_parser.h"

/* A name of a task has 15 characters; a device's name, of driver and address, can be longer. */
#define TASK_NAME_MAX	15
#define DEVICE_NAME_MAX 96

/* More names than these say nothing more. */
#define NAMES_MAX 5

static const char *const names[FAILURES] = { [FAILURE_NONE] = "",
	[FAILURE_FREEZING] = "freezing",
	[FAILURE_SWAP_SPACE] = "swap-space",
	[FAILURE_SWAP_DEVICE] = "swap-device",
	[FAILURE_DEVICE_BUSY] = "device-busy",
	[FAILURE_MEMORY] = "memory",
	[FAILURE_WAKEUP] = "wakeup",
	[FAILURE_IMAGE_MISSING] = "image-missing",
	[FAILURE_IMAGE_MISMATCH] = "image-mismatch",
	[FAILURE_OTHER] = "other" };

const char *timeline_failure_name(enum timeline_failure failure)
{
	return names[failure];
}

enum timeline_failure timeline_failure_of(const struct timeline *timeline)
{
	for (int failure = FAILURE_NONE + 1; failure < FAILURES; failure++)
		if (fact_text_is(&timeline->failure_id, names[failure]))
			return (enum timeline_failure)failure;
	return timeline->failure_id.is == FACT_KNOWN ? FAILURE_OTHER : FAILURE_NONE;
}

bool timeline_failure_passes(enum timeline_failure failure)
{
	return failure == FAILURE_FREEZING || failure == FAILURE_DEVICE_BUSY ||
	       failure == FAILURE_MEMORY || failure == FAILURE_WAKEUP;
}

/* ---- Freezing ---- */

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

	parser_begin(parser);
	if (strstr(rest, "aborted")) {
		parser_fail(parser, FAILURE_WAKEUP,
			"an event woke the machine while its tasks were being frozen");
		return;
	}
	if (parser->failure != FAILURE_NONE)
		return;
	parser_fail(parser, FAILURE_FREEZING, NULL);
	refusal->known = true;
	refusal->kernel_tasks = !parser->seen.user_space;
	if (after && log_decimal(after + strlen(" after "), 3, &value, NULL))
		refusal->ms = value;
	if (bracket && log_decimal(bracket + 1, 0, &value, NULL))
		refusal->tasks = value;
	refusal->busy_queue = busy && busy[strlen("wq_busy=")] == '1';
}

static void take_elapsed(struct parser *parser, const char *rest)
{
	const char *elapsed = strstr(rest, "(elapsed ");
	uint64_t ms;

	if (!elapsed || parser->phase != PHASE_SAVING || !parser->seen.freezing ||
		!log_decimal(elapsed + strlen("(elapsed "), 3, &ms, NULL))
		return;
	fact_set_number(
		parser->seen.user_space ? &parser->now.freeze_user : &parser->now.freeze_kernel,
		ms);
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
 * and the work queues:
 *	workqueue events_freezable: flags=0x4
 */
static bool take_task(struct refusal *refusal, const char *message)
{
	const char *state;

	if (text_starts(message, "task:")) {
		message += strlen("task:");
		state = strstr(message, " state:");
		if (state && state - message <= TASK_NAME_MAX + 1)
			add_name(refusal, message, (size_t)(state - message));
		return true;
	}
	if (text_starts(message, "workqueue ")) {
		message += strlen("workqueue ");
		if (refusal->tasks == 0)
			add_name(refusal, message, strcspn(message, ":"));
		return true;
	}
	if (strlen(message) < TASK_NAME_MAX + 2 || message[TASK_NAME_MAX] != ' ' ||
		!strchr("RSDTtXZPI", message[TASK_NAME_MAX + 1]) ||
		isalpha((unsigned char)message[TASK_NAME_MAX + 2]) ||
		!strstr(message + TASK_NAME_MAX, " 0x"))
		return false;
	add_name(refusal, message, TASK_NAME_MAX);
	return true;
}

bool parser_take_freezing(struct parser *parser, const char *message)
{
	static const struct {
		const char *words;
		int user_space; /* -1: as the line before said */
	} kinds[] = { { "Freezing user space processes", 1 },
		{ "Freezing remaining freezable tasks", 0 }, { "Freezing of tasks", -1 },
		{ "Freezing of user space", 1 } };

	if (text_starts(message, "(elapsed ")) {
		take_elapsed(parser, message);
		return true;
	}
	if (parser->refusal.known && take_task(&parser->refusal, message))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *rest = message + strlen(kinds[i].words);

		if (!text_starts(message, kinds[i].words))
			continue;
		/* Through /dev/snapshot a hibernation is not announced. */
		if (!parser->open && kinds[i].user_space > 0)
			parser_open(parser);
		parser->seen.freezing = true;
		if (kinds[i].user_space >= 0)
			parser->seen.user_space = kinds[i].user_space;
		if (text_starts(rest, " failed ") || text_starts(rest, " aborted"))
			take_refusal(parser, rest);
		else if (parser->open)
			take_elapsed(parser, rest);
		return true;
	}
	return false;
}

/* ---- Devices ---- */

/* In what the device failed: only stopping it ends a hibernation. */
static bool stops(const char *verb)
{
	return text_starts(verb, "freeze") || text_starts(verb, "quiesce") ||
	       text_starts(verb, "hibernate");
}

static void device_failed(
	struct parser *parser, const char *name, size_t length, const char *rest, const char *mark)
{
	const char *number = strstr(rest, mark);
	bool reading = text_starts(rest, "quiesce");
	uint64_t code = 0;

	while (length && (name[length - 1] == ' ' || name[length - 1] == ':'))
		length--;
	if (length > DEVICE_NAME_MAX)
		length = DEVICE_NAME_MAX;
	if (number)
		log_decimal(number + strlen(mark), 0, &code, NULL);
	parser_begin(parser);
	parser_fail(parser, FAILURE_DEVICE_BUSY, "device %.*s refused to stop (error -%llu)%s",
		(int)length, name, (unsigned long long)code,
		reading ? ", so the image was not loaded" : "");
}

/*
 *	PM: Device usb8 failed to freeze async: error -2
 *	xhci_hcd 0000:00:14.0: PM: failed to freeze async: error -16
 * and the same with "not prepared for power transition: code -16".
 */
static bool take_device(struct parser *parser, const char *message, bool pm)
{
	static const char failed[] = "failed to ", unready[] = "not prepared for power";
	const char *name = message, *what, *end;

	if (pm && !text_starts(message, "Device "))
		return false;
	if (pm)
		name += strlen("Device ");
	end = pm ? NULL : strstr(message, ": PM: ");
	if (!pm && !end)
		return false;
	what = strstr(end ? end : name, unready);
	if (what) {
		end = end ? end : what;
		device_failed(parser, name, (size_t)(end - name), what, "code -");
		return true;
	}
	what = strstr(end ? end : name, failed);
	if (!what || !stops(what + strlen(failed)))
		return false;
	end = end ? end : what;
	device_failed(parser, name, (size_t)(end - name), what + strlen(failed), "error -");
	return true;
}

/* ---- All others ---- */

static const struct {
	const char *words;
	enum timeline_failure failure;
	const char *sentence;
} failures[] = {
	{ "Not enough free swap", FAILURE_SWAP_SPACE,
		"there is not enough free swap for the image" },
	{ "Cannot find swap device", FAILURE_SWAP_DEVICE,
		"the kernel's resume device and offset are no active swap" },
	{ "Cannot get swap writer", FAILURE_SWAP_SPACE,
		"no free page of swap is left to write the image to" },
	{ "Swap header not found", FAILURE_SWAP_DEVICE,
		"there is no swap header where the kernel's resume offset points" },
	{ "Some devices failed to power down", FAILURE_DEVICE_BUSY, "a device refused to stop" },
	{ "Some system devices failed to power down", FAILURE_DEVICE_BUSY,
		"a system device refused to stop" },
	{ "Not enough free memory", FAILURE_MEMORY,
		"there is not enough free memory to make the image" },
	{ "Memory allocation failed", FAILURE_MEMORY,
		"there is not enough free memory to make the image" },
	{ "Image allocation is ", FAILURE_MEMORY,
		"the kernel could not set enough memory aside for the image" },
	{ "Failed to allocate ", FAILURE_MEMORY,
		"there is not enough free memory to write or read the image" },
	{ "Cannot start ", FAILURE_MEMORY, "the kernel could not start what compresses the image" },
	{ "Error -12 creating", FAILURE_MEMORY,
		"there is not enough free memory to make the image" },
	{ "Wakeup event detected", FAILURE_WAKEUP,
		"an event woke the machine while it was hibernating" },
	{ "Wakeup pending", FAILURE_WAKEUP, "an event woke the machine while it was hibernating" },
	{ "Suspend image hardware signature mismatch", FAILURE_IMAGE_MISMATCH,
		"the image is of other hardware (its signature differs)" },
	{ "Hibernate inconsistent memory map", FAILURE_IMAGE_MISMATCH,
		"the image is of a machine with another memory map" },
	{ "Failed to load image", FAILURE_OTHER, "the image could not be loaded" },
	{ "Failed to load hibernation image", FAILURE_OTHER, "the image could not be loaded" },
};

/* Failures of which the line has a part to tell. */
static bool take_detailed(struct parser *parser, const char *message)
{
	uint64_t code;

	if (text_starts(message, "Image mismatch: ")) {
		parser_begin(parser);
		parser_fail(parser, FAILURE_IMAGE_MISMATCH,
			"the image is of another kernel or machine: %.60s differs",
			message + strlen("Image mismatch: "));
		return true;
	}
	if (text_starts(message, "Error -") && strstr(message, " creating ") &&
		log_decimal(message + strlen("Error -"), 0, &code, NULL)) {
		parser_begin(parser);
		parser_fail(parser, FAILURE_OTHER,
			"the kernel could not make the image (error -%llu)",
			(unsigned long long)code);
		return true;
	}
	/* Every ordinary boot looks for an image, too. */
	if (text_starts(message, "Image not found (code -") && parser->open &&
		log_decimal(message + strlen("Image not found (code -"), 0, &code, NULL)) {
		parser_fail(parser, FAILURE_IMAGE_MISSING, "the boot found no image (code -%llu)",
			(unsigned long long)code);
		return true;
	}
	if (text_starts(message, "Hibernation image not present") && parser->open) {
		parser_fail(parser, FAILURE_IMAGE_MISSING, "the boot found no image");
		return true;
	}
	return false;
}

/* Write-error on swap-device (259:0:12345) */
static bool take_io_error(struct parser *parser, const char *message)
{
	bool write = text_starts(message, "Write-error on swap-device");

	if (!parser->open || (!write && !text_starts(message, "Read-error on swap-device")))
		return false;
	parser_fail(parser, FAILURE_OTHER, "%s the image failed: the disk has an error",
		write ? "writing" : "reading");
	return true;
}

bool parser_take_failure(struct parser *parser, const char *message, bool pm)
{
	if (take_device(parser, message, pm) || take_io_error(parser, message))
		return true;
	if (!pm)
		return false;
	if (take_detailed(parser, message))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
		if (text_starts(message, failures[i].words)) {
			parser_begin(parser);
			parser_fail(parser, failures[i].failure, "%s", failures[i].sentence);
			return true;
		}
	return false;
}
