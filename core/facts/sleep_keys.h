/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sleep button: EC2 asks an On-Demand instance to hibernate by pressing it.
 *
 * Every input device (/dev/input/event*) that has KEY_SLEEP or KEY_SUSPEND is listened to, by the
 * key and not by the device's name: an ACPI button, a keyboard, whatever the next instance type
 * calls it. Devices that appear later are found with inotify(7), also when /dev/input itself does.
 *
 * Others can read the same devices meanwhile: logind and acpid hear the press as well.
 *
 * Sources: Linux Documentation/input/event-codes.rst and input.rst, <linux/input.h>.
 */
#ifndef EC2HIB_FACTS_SLEEP_KEYS_H
#define EC2HIB_FACTS_SLEEP_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/text.h"

struct sleep_keys;

/* The key went down. */
struct sleep_press {
	/*
	 * When, in milliseconds of CLOCK_BOOTTIME. That clock alone orders presses around a
	 * hibernation: CLOCK_MONOTONIC stops while the machine is hibernated, so that a press
	 * of an hour ago and one of just now would be neighbours, and the time of day jumps
	 * when the clock is set after the resume.
	 */
	int64_t when_ms;
	unsigned code;	  /* KEY_SLEEP or KEY_SUSPEND */
	char device[128]; /* the name that the driver gave it, printable */
	char node[32];	  /* event0 */
	unsigned presses; /* how many were read in the same call; this is the latest */
};

/*
 * Opens what is there below ROOT and waits for more. No device, or one that cannot be opened (see
 * sleep_keys_trouble()), is no error; that nothing could be waited for is. 0 or a negative errno;
 * sleep_keys_close() ends it (NULL is fine).
 */
int sleep_keys_open(struct sleep_keys **keys, const struct root *root, struct error *err);
void sleep_keys_close(struct sleep_keys *keys);

/* One descriptor to be polled for POLLIN, the same for as long as KEYS is open. */
int sleep_keys_fd(const struct sleep_keys *keys);

/*
 * Reads everything that there is, without waiting: presses, and devices that came and went. True
 * when there was a press. The key's repeats and releases are none. Of several presses the latest
 * is told: it is the one that is the least likely to be an echo.
 */
bool sleep_keys_read(struct sleep_keys *keys, struct sleep_press *press);

/* Adds "NODE (NAME)" of each device that is listened to. */
void sleep_keys_list(const struct sleep_keys *keys, struct strings *devices);

/* Why a device that is there could not be opened; NULL: each could. The latest of several. */
const char *sleep_keys_trouble(const struct sleep_keys *keys);

/* ---- The kernel's side, so that a test can stand in for it ---- */

struct sleep_keys_calls {
	/* Opens a device, not to block. A descriptor or a negative errno. */
	int (*open)(const struct root *root, const char *path, struct error *err);
	/* Whether it has one of the keys (EVIOCGBIT). */
	bool (*has_key)(int fd);
	/* The key that is down at the moment, 0 for none (EVIOCGKEY). */
	unsigned (*key_down)(int fd);
	/* Its events shall have CLOCK_BOOTTIME; false: it cannot (EVIOCSCLOCKID). */
	bool (*use_boottime)(int fd);
	/* Masks everything but those keys, so that typing does not wake us (EVIOCSMASK). */
	void (*only_keys)(int fd);
	/* Its name as text (EVIOCGNAME); "" when it has none. */
	void (*name)(int fd, char *name, size_t size);
};

/* sleep_keys_open() with other calls, which have to stay. */
int sleep_keys_open_with(struct sleep_keys **keys, const struct root *root,
	const struct sleep_keys_calls *calls, struct error *err);

#endif
