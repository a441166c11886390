/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel says of stopping devices and starting them again (drivers/base/power/main.c). */
#define _GNU_SOURCE
#include <string.h>

#include "core/rules/timeline_parser.h"

/* freeze of devices complete after 12.345 msecs: REST is what follows "complete after " */
static void take_devices(
	struct parser *parser, const char *rest, struct fact_number *fact, bool restoring)
{
	uint64_t us;

	if (!parser->open || !log_decimal(rest, 3, &us, NULL))
		return;
	fact_set_number(fact, us);
	if (restoring && (parser->seen.copy || parser->phase != PHASE_SAVING))
		parser_restored(parser);
}

void on_freeze(struct parser *parser, const char *rest)
{
	take_devices(parser, rest, &parser->now.devices_freeze_us, false);
}

void on_late_freeze(struct parser *parser, const char *rest)
{
	take_devices(parser, rest, &parser->now.devices_freeze_late_us, false);
}

void on_noirq_freeze(struct parser *parser, const char *rest)
{
	take_devices(parser, rest, &parser->now.devices_freeze_noirq_us, false);
}

void on_noirq_restore(struct parser *parser, const char *rest)
{
	take_devices(parser, rest, &parser->now.devices_restore_noirq_us, true);
}

void on_early_restore(struct parser *parser, const char *rest)
{
	take_devices(parser, rest, &parser->now.devices_restore_early_us, true);
}

void on_restore(struct parser *parser, const char *rest)
{
	take_devices(parser, rest, &parser->now.devices_restore_us, true);
}

/* NAME_LENGTH bytes at NAME refused, as REST says; the number follows MARK. */
static void device_failed(struct parser *parser, const char *name, size_t name_length,
	const char *rest, const char *mark)
{
	const char *number = strstr(rest, mark);
	bool reading = text_starts(rest, "quiesce");
	uint64_t code = 0;

	if (!parser->open)
		return;
	while (name_length && (name[name_length - 1] == ' ' || name[name_length - 1] == ':'))
		name_length--;
	if (name_length > DEVICE_NAME_MAX)
		name_length = DEVICE_NAME_MAX;
	if (number)
		log_decimal(number + strlen(mark), 0, &code, NULL);
	parser_fail(parser, FAILURE_DEVICE_BUSY, "device %.*s refused to stop (error -%llu)%s",
		(int)name_length, name, (unsigned long long)code,
		reading ? ", so the image was not loaded" : "");
}

/*
 * What a device says of itself, its name in front:
 *	PM: Device usb8 failed to freeze async: error -2
 *	xhci_hcd 0000:00:14.0: PM: failed to freeze async: error -16
 *	nvme nvme0: PM: not prepared for power transition: code -11
 *	mmc0: PM: **** DPM device timeout ****
 * Only stopping it ends a hibernation: failing to thaw or to restore does not.
 */
bool parser_take_device(struct parser *parser, const char *message)
{
	static const char device[] = "PM: Device ", failed[] = "failed to ";
	const char *name = message, *end = strstr(message, ": PM: "), *what;

	if (text_starts(message, device)) {
		name += strlen(device);
		end = strstr(name, " failed to ");
		end = end ? end : strstr(name, " not prepared ");
	}
	if (!end)
		return false;
	what = end + (*end == ':' ? strlen(": PM: ") : 1);
	if (text_starts(what, "**** DPM device timeout")) {
		/* "... after 60 seconds; 60 seconds until panic ****": it may still answer */
		if (parser->open && !strstr(what, "until panic"))
			parser_fail(parser, FAILURE_DEVICE_BUSY,
				"device %.*s did not answer in time (the kernel's watchdog for devices)",
				(int)(end - name > DEVICE_NAME_MAX ? DEVICE_NAME_MAX : end - name),
				name);
		return true;
	}
	if (text_starts(what, "not prepared for power")) {
		device_failed(parser, name, (size_t)(end - name), what, "code -");
		return true;
	}
	if (!text_starts(what, failed))
		return false;
	what += strlen(failed);
	if (text_starts(what, "freeze") || text_starts(what, "quiesce") ||
		text_starts(what, "hibernate"))
		device_failed(parser, name, (size_t)(end - name), what, "error -");
	return true;
}
