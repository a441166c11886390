/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages to a service on this machine: the journal, the service manager, syslog. */
#ifndef EC2HIB_BASE_DATAGRAM_H
#define EC2HIB_BASE_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "core/base/error.h"

/*
 * A socket that is connected to ADDRESS: a path, or @NAME in the abstract namespace (unix(7)). A
 * descriptor, -EAFNOSUPPORT for another form, or another negative errno.
 */
int datagram_connect(const char *address, struct error *err);

/* The same for a service that reads a stream, never waiting: -EAGAIN while it takes nobody more. */
int stream_connect(const char *address, struct error *err);

/*
 * Sends one, waiting at most WAIT_MS milliseconds while the receiver's queue is full (it may hold
 * as few as ten, net.unix.max_dgram_qlen). 0 or a negative errno. No SIGPIPE comes of it.
 */
int datagram_send(int fd, const struct msghdr *message, int wait_ms);

/* Sends TEXT on a stream, in the same way. -EPIPE when only a part went: what follows would be torn. */
int stream_send(int fd, const char *text, size_t length, int wait_ms);

/* Whether FD can be written to within WAIT_MS milliseconds. */
bool descriptor_writable(int fd, int wait_ms);

#endif
