/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/sleep_keys_calls.h"

#include <fcntl.h>
#include <linux/input.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>

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

const struct sleep_keys_calls sleep_keys_kernel = {
	.open = kernel_open,
	.has_key = kernel_has_key,
	.key_down = kernel_key_down,
	.use_boottime = kernel_use_boottime,
	.only_keys = kernel_only_keys,
	.name = kernel_name,
};
