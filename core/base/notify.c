/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/notify.h"

#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/datagram.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* The manager may be busy at boot, and a READY=1 that is lost fails the start. */
#define WAIT_MS 1000

int notify_open(struct notify *notify, const char *address, struct error *err)
{
	int fd;

	notify->fd = -1;
	if (!address || !*address)
		return 0;
	fd = datagram_connect(address, err);
	if (fd < 0)
		return error_prefix(err, fd, "NOTIFY_SOCKET");
	notify->fd = fd;
	return 0;
}

void notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
}

static int notify_send(const struct notify *notify, const char *text)
{
	struct iovec part = { .iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	return notify->fd < 0 ? 0 : datagram_send(notify->fd, &message, WAIT_MS);
}

/* LINES, and a line STATUS=. */
static int notify_with_status(const struct notify *notify, const char *lines, const char *status)
{
	memory_cleanup_free char *shown = text_printable(status, strlen(status));
	memory_cleanup_free char *text = text_format("%sSTATUS=%s\n", lines, shown);

	return notify_send(notify, text);
}

int notify_ready(const struct notify *notify, const char *status)
{
	return notify_with_status(notify, "READY=1\n", status);
}

int notify_status(const struct notify *notify, const char *status)
{
	return notify_with_status(notify, "", status);
}

int notify_watchdog(const struct notify *notify)
{
	return notify_send(notify, "WATCHDOG=1\n");
}

int notify_reloading(const struct notify *notify)
{
	memory_cleanup_free char *text = NULL;

	text = text_format("RELOADING=1\nMONOTONIC_USEC=%llu\n",
		(unsigned long long)clock_us(CLOCK_MONOTONIC));
	return notify_send(notify, text);
}

int notify_stopping(const struct notify *notify, const char *status)
{
	return notify_with_status(notify, "STOPPING=1\n", status);
}

unsigned notify_watchdog_ms(const char *usec, const char *pid, int64_t self)
{
	uint64_t limit, wanted, half;

	if (!usec || number_parse(usec, &limit) < 0 || limit == 0)
		return 0;
	if (pid && (number_parse(pid, &wanted) < 0 || wanted != (uint64_t)self))
		return 0;
	half = limit / 2000;
	if (half > UINT_MAX)
		return UINT_MAX;
	return half ? (unsigned)half : 1;
}
