/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/sleep_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

#define DEVICES_FOLDER "/dev"
#define INPUT_NAME     "input"
#define INPUT_FOLDER   DEVICES_FOLDER "/" INPUT_NAME
#define NODE_PREFIX    "event"

/* udev gives a new node its owner and mode a moment after the kernel made it: IN_ATTRIB. */
#define INPUT_EVENTS   (IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE | IN_ONLYDIR)
#define DEVICES_EVENTS (IN_CREATE | IN_MOVED_TO | IN_ONLYDIR)

/* Events that are read at once. */
#define EVENT_COUNT 64

struct device {
	int fd;
	char node[sizeof(((struct sleep_press *)NULL)->node)];
	char *name;
	bool boottime; /* its events have that clock; else they are stamped when they are read */
	bool down;     /* a sleep key is */
	bool lost;     /* the kernel dropped events, and those up to the next report do not count */
};

struct sleep_keys {
	const struct root *root;
	const struct sleep_keys_calls *calls;
	int epoll;
	int inotify;
	int input_watch; /* -1: there is no /dev/input */
	struct device *devices;
	size_t count;
	struct error trouble; /* "": none */
	char trouble_node[sizeof(((struct sleep_press *)NULL)->node)];
};

/* ---- The kernel about a device ------------------------------------------------------------- */

/* Bits of 0 to MOST in bytes; EVIOCSMASK takes whole longs only (evdev.c, bits_from_user). */
#define LONG_BITS	 (8 * sizeof(long))
#define MASK_BYTES(most) (((most) / LONG_BITS + 1) * sizeof(long))
#define KEY_BYTES	 MASK_BYTES(KEY_MAX)

static bool bit_is_set(const unsigned char *bits, unsigned bit)
{
	return bits[bit / 8] >> (bit % 8) & 1;
}

static void bit_set(unsigned char *bits, unsigned bit)
{
	bits[bit / 8] |= (unsigned char)(1u << (bit % 8));
}

static unsigned sleep_key_in(const unsigned char *bits)
{
	if (bit_is_set(bits, KEY_SLEEP))
		return KEY_SLEEP;
	return bit_is_set(bits, KEY_SUSPEND) ? KEY_SUSPEND : 0;
}

static int kernel_open(const struct root *root, const char *path, struct error *err)
{
	return root_openat(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, err);
}

static bool kernel_has_key(int fd)
{
	unsigned char bits[KEY_BYTES] = { 0 };

	return ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(bits)), bits) >= 0 && sleep_key_in(bits) != 0;
}

static unsigned kernel_key_down(int fd)
{
	unsigned char bits[KEY_BYTES] = { 0 };

	return ioctl(fd, EVIOCGKEY(sizeof(bits)), bits) < 0 ? 0 : sleep_key_in(bits);
}

static bool kernel_use_boottime(int fd)
{
	int clock = CLOCK_BOOTTIME;

	return ioctl(fd, EVIOCSCLOCKID, &clock) == 0;
}

/* Linux 4.4. The mask of EV_SYN is one of event types, that of a type one of its codes. */
static void kernel_only_keys(int fd)
{
#ifdef EVIOCSMASK
	unsigned char types[MASK_BYTES(EV_MAX)] = { 0 }, codes[KEY_BYTES] = { 0 };
	struct input_mask mask = {
		.type = EV_KEY, .codes_size = sizeof(codes), .codes_ptr = (uintptr_t)codes
	};

	bit_set(codes, KEY_SLEEP);
	bit_set(codes, KEY_SUSPEND);
	if (ioctl(fd, EVIOCSMASK, &mask) < 0)
		return;
	bit_set(types, EV_KEY);
	mask = (struct input_mask) {
		.type = EV_SYN, .codes_size = sizeof(types), .codes_ptr = (uintptr_t)types
	};
	ioctl(fd, EVIOCSMASK, &mask);
#endif
}

static void kernel_name(int fd, char *name, size_t size)
{
	int length = ioctl(fd, EVIOCGNAME(size), name);

	/* The kernel cuts a long name without ending it. */
	name[length < 0 ? 0 : size - 1] = '\0';
}

static const struct sleep_keys_calls kernel_calls = {
	.open = kernel_open,
	.has_key = kernel_has_key,
	.key_down = kernel_key_down,
	.use_boottime = kernel_use_boottime,
	.only_keys = kernel_only_keys,
	.name = kernel_name,
};

/* ---- Devices ------------------------------------------------------------------------------- */

static struct device *device_find(struct sleep_keys *keys, const char *node)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->devices[i].node, node) == 0)
			return &keys->devices[i];
	return NULL;
}

static bool is_node(const char *name)
{
	size_t prefix = strlen(NODE_PREFIX), length = strlen(name);

	return text_starts(name, NODE_PREFIX) && length > prefix &&
	       length < sizeof(((struct device *)NULL)->node) &&
	       strspn(name + prefix, "0123456789") == length - prefix;
}

/* NODE cannot be opened, or has gone, or can be. */
static void trouble_set(struct sleep_keys *keys, const char *node, const struct error *trouble)
{
	keys->trouble = *trouble;
	snprintf(keys->trouble_node, sizeof(keys->trouble_node), "%s", node);
}

static void trouble_clear(struct sleep_keys *keys, const char *node)
{
	if (strcmp(keys->trouble_node, node) == 0)
		keys->trouble.text[0] = '\0';
}

/* Listens to /dev/input/NODE when it has one of the keys and is not listened to yet. */
static void device_add(struct sleep_keys *keys, const char *node)
{
	memory_cleanup_free char *path = text_format(INPUT_FOLDER "/%s", node);
	struct epoll_event wanted = { .events = EPOLLIN };
	char name[sizeof(((struct sleep_press *)NULL)->device)] = "";
	struct device *device;
	struct error err;
	int fd;

	if (!is_node(node) || device_find(keys, node))
		return;
	fd = keys->calls->open(keys->root, path, &err);
	if (fd < 0) {
		if (fd != -ENOENT)
			trouble_set(keys, node, &err);
		return;
	}
	trouble_clear(keys, node);
	if (!keys->calls->has_key(fd)) {
		close(fd);
		return;
	}
	if (epoll_ctl(keys->epoll, EPOLL_CTL_ADD, fd, &wanted) < 0) {
		error_errno(&err, errno, "cannot listen to %s", path);
		trouble_set(keys, node, &err);
		close(fd);
		return;
	}
	keys->calls->name(fd, name, sizeof(name));
	keys->devices = memory_grow(keys->devices, keys->count, sizeof(*keys->devices));
	device = &keys->devices[keys->count++];
	device->fd = fd;
	device->name = text_printable(name, strlen(name));
	keys->calls->only_keys(fd);
	device->boottime = keys->calls->use_boottime(fd);
	snprintf(device->node, sizeof(device->node), "%s", node);
}

static void device_remove(struct sleep_keys *keys, struct device *device)
{
	size_t index = (size_t)(device - keys->devices);

	epoll_ctl(keys->epoll, EPOLL_CTL_DEL, device->fd, NULL);
	close(device->fd);
	free(device->name);
	memmove(device, device + 1, (keys->count - index - 1) * sizeof(*device));
	keys->count--;
}

/* ---- Folders --------------------------------------------------------------------------------- */

/* inotify_add_watch() takes no descriptor, but the name that /proc has for one. */
static int watch_add(struct sleep_keys *keys, const char *path, uint32_t events)
{
	struct error err;
	file_cleanup_close int fd = root_openat(keys->root, path, O_PATH | O_DIRECTORY, 0, &err);
	char link[32];
	int watch;

	if (fd < 0)
		return fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	watch = inotify_add_watch(keys->inotify, link, events);
	return watch < 0 ? -errno : watch;
}

/* Looks at all of /dev/input. First the watch, then the list: nothing comes between them. */
static void scan(struct sleep_keys *keys)
{
	strings_cleanup struct strings names = { 0 };
	struct error err;

	keys->input_watch = watch_add(keys, INPUT_FOLDER, INPUT_EVENTS);
	if (keys->input_watch < 0) {
		if (keys->input_watch != -ENOENT) {
			error_errno(&err, -keys->input_watch, "cannot watch %s%s", keys->root->path,
				INPUT_FOLDER);
			trouble_set(keys, INPUT_NAME, &err);
		}
		return;
	}
	if (root_list(keys->root, INPUT_FOLDER, &names, &err) < 0) {
		trouble_set(keys, INPUT_NAME, &err);
		return;
	}
	trouble_clear(keys, INPUT_NAME);
	for (size_t i = 0; i < names.count; i++)
		device_add(keys, names.items[i]);
}

static void take_change(struct sleep_keys *keys, const struct inotify_event *event)
{
	const char *name = event->len ? event->name : "";
	struct device *device;

	if (event->mask & IN_Q_OVERFLOW) {
		scan(keys);
		return;
	}
	if (event->wd != keys->input_watch) {
		if (strcmp(name, INPUT_NAME) == 0)
			scan(keys);
		return;
	}
	if (event->mask & IN_IGNORED) {
		/* The folder went; perhaps there is another one by now. */
		scan(keys);
	} else if (event->mask & IN_DELETE) {
		device = device_find(keys, name);
		trouble_clear(keys, name);
		if (device)
			device_remove(keys, device);
	} else {
		device_add(keys, name);
	}
}

static void read_changes(struct sleep_keys *keys)
{
	_Alignas(struct inotify_event) char buffer[4096];
	ssize_t got;

	while ((got = read(keys->inotify, buffer, sizeof(buffer))) > 0) {
		for (char *at = buffer; at < buffer + got;) {
			const struct inotify_event *event = (void *)at;

			take_change(keys, event);
			at += sizeof(*event) + event->len;
		}
	}
}

/* ---- Presses --------------------------------------------------------------------------------- */

static void take_press(const struct device *device, const struct input_event *event, unsigned code,
	struct sleep_press *press)
{
	int64_t when = (int64_t)event->input_event_sec * 1000 + event->input_event_usec / 1000;

	if (!device->boottime)
		when = (int64_t)clock_ms(CLOCK_BOOTTIME);
	if (press->presses++ && when < press->when_ms)
		return;
	press->when_ms = when;
	press->code = code;
	snprintf(press->device, sizeof(press->device), "%s", device->name);
	memcpy(press->node, device->node, sizeof(press->node));
}

/*
 * After a SYN_DROPPED what is in the buffer makes no sense up to the next report; then the key is
 * asked for, and one that went down meanwhile is a press (event-codes.rst).
 */
static void take_report(const struct sleep_keys *keys, struct device *device,
	const struct input_event *event, struct sleep_press *press)
{
	unsigned code;

	if (event->code == SYN_DROPPED) {
		device->lost = true;
		return;
	}
	if (event->code != SYN_REPORT || !device->lost)
		return;
	device->lost = false;
	code = keys->calls->key_down(device->fd);
	if (code && !device->down)
		take_press(device, event, code, press);
	device->down = code != 0;
}

static void take_event(const struct sleep_keys *keys, struct device *device,
	const struct input_event *event, struct sleep_press *press)
{
	if (event->type == EV_SYN) {
		take_report(keys, device, event, press);
		return;
	}
	if (device->lost || event->type != EV_KEY ||
		(event->code != KEY_SLEEP && event->code != KEY_SUSPEND))
		return;
	/* 0: released, 1: pressed, 2: repeated because it is held. */
	if (event->value == 1)
		take_press(device, event, event->code, press);
	device->down = event->value != 0;
}

/* False when the device is gone. */
static bool device_read(
	const struct sleep_keys *keys, struct device *device, struct sleep_press *press)
{
	struct input_event events[EVENT_COUNT];

	for (;;) {
		ssize_t got = read(device->fd, events, sizeof(events));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN;
		/* The kernel gives whole events only (evdev.c). */
		if (got < (ssize_t)sizeof(*events))
			return false;
		for (size_t i = 0; i < (size_t)got / sizeof(*events); i++)
			take_event(keys, device, &events[i], press);
	}
}

bool sleep_keys_read(struct sleep_keys *keys, struct sleep_press *press)
{
	*press = (struct sleep_press) { 0 };
	/* Devices first: what a removed one still had to say counts. */
	for (size_t i = 0; i < keys->count;) {
		if (device_read(keys, &keys->devices[i], press))
			i++;
		else
			device_remove(keys, &keys->devices[i]);
	}
	read_changes(keys);
	return press->presses > 0;
}

/* ---- Opening --------------------------------------------------------------------------------- */

int sleep_keys_open_with(struct sleep_keys **keys, const struct root *root,
	const struct sleep_keys_calls *calls, struct error *err)
{
	struct epoll_event wanted = { .events = EPOLLIN };
	struct sleep_keys *opened = memory_new(1, sizeof(*opened));
	int status = 0;

	*keys = NULL;
	opened->root = root;
	opened->calls = calls;
	opened->input_watch = -1;
	opened->epoll = epoll_create1(EPOLL_CLOEXEC);
	opened->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (opened->epoll < 0 || opened->inotify < 0 ||
		epoll_ctl(opened->epoll, EPOLL_CTL_ADD, opened->inotify, &wanted) < 0)
		status = -errno;
	if (status == 0)
		status = watch_add(opened, DEVICES_FOLDER, DEVICES_EVENTS);
	if (status < 0) {
		sleep_keys_close(opened);
		return error_errno(err, -status, "cannot wait for input devices in %s%s",
			root->path, DEVICES_FOLDER);
	}
	scan(opened);
	*keys = opened;
	return 0;
}

int sleep_keys_open(struct sleep_keys **keys, const struct root *root, struct error *err)
{
	return sleep_keys_open_with(keys, root, &kernel_calls, err);
}

void sleep_keys_close(struct sleep_keys *keys)
{
	if (!keys)
		return;
	while (keys->count)
		device_remove(keys, &keys->devices[keys->count - 1]);
	free(keys->devices);
	if (keys->inotify >= 0)
		close(keys->inotify);
	if (keys->epoll >= 0)
		close(keys->epoll);
	free(keys);
}

int sleep_keys_fd(const struct sleep_keys *keys)
{
	return keys->epoll;
}

void sleep_keys_list(const struct sleep_keys *keys, struct strings *devices)
{
	for (size_t i = 0; i < keys->count; i++)
		strings_take(devices,
			text_format("%s (%s)", keys->devices[i].node, keys->devices[i].name));
}

const char *sleep_keys_trouble(const struct sleep_keys *keys)
{
	return *keys->trouble.text ? keys->trouble.text : NULL;
}
