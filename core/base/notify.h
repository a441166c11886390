/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a service tells its manager: sd_notify(3)'s protocol, without its library. Datagrams of
 * NAME=VALUE lines go to the socket that NOTIFY_SOCKET names; that variable's text is handed in.
 *
 * Without a socket there is no such manager, and every function does nothing and returns 0. What
 * cannot be delivered is a negative errno, for the log: a service goes on all the same.
 */
#ifndef EC2HIB_BASE_NOTIFY_H
#define EC2HIB_BASE_NOTIFY_H

#include <stdint.h>

#include "core/base/error.h"

struct notify {
	int fd; /* -1: nobody wants to know */
};

/*
 * ADDRESS is the value of NOTIFY_SOCKET: a path, or @NAME in the abstract namespace; NULL or "": not
 * set. 0, or a negative errno and a notify that does nothing; notify_close() in any case.
 */
int notify_open(struct notify *notify, const char *address, struct error *err);
void notify_close(struct notify *notify);

/* READY=1 with a STATUS= line: after the start, and after notify_reloading(). */
int notify_ready(const struct notify *notify, const char *status);

/* One line for systemctl status. What is not printable in it is shown as \xNN. */
int notify_status(const struct notify *notify, const char *status);

/* WATCHDOG=1: still alive. */
int notify_watchdog(const struct notify *notify);

/*
 * RELOADING=1 with the time, CLOCK_MONOTONIC, which Type=notify-reload wants to see; notify_ready()
 * ends it.
 */
int notify_reloading(const struct notify *notify);

/* STOPPING=1 */
int notify_stopping(const struct notify *notify, const char *status);

/*
 * How often notify_watchdog() has to be called at least, in milliseconds: half of WATCHDOG_USEC, as
 * sd_watchdog_enabled(3) advises. 0: not at all. USEC and PID are the texts of WATCHDOG_USEC and
 * WATCHDOG_PID (NULL: not set); SELF is our process number.
 */
unsigned notify_watchdog_ms(const char *usec, const char *pid, int64_t self);

#endif
