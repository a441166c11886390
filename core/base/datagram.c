/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/datagram.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *address, int type, struct error *err)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	size_t length = strlen(address);
	socklen_t size;
	int fd;

	if ((*address != '/' && *address != '@') || length < 2)
		return error_set(err, EAFNOSUPPORT,
			"\"%s\" is neither a socket's path nor an abstract name", address);
	if (length >= sizeof(name.sun_path))
		return error_set(
			err, ENAMETOOLONG, "the path of the socket %s is too long", address);
	memcpy(name.sun_path, address, length);
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	/* An abstract name begins with a zero and ends where its length says. */
	if (*address == '@')
		name.sun_path[0] = '\0';
	else
		size++;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(err, errno, "cannot make a socket");
	if (connect(fd, (const struct sockaddr *)&name, size) < 0) {
		int code = errno;

		close(fd);
		return error_errno(err, code, "cannot reach %s", address);
	}
	return fd;
}

int datagram_connect(const char *address, struct error *err)
{
	return connect_to(address, SOCK_DGRAM, err);
}

int stream_connect(const char *address, struct error *err)
{
	return connect_to(address, SOCK_STREAM | SOCK_NONBLOCK, err);
}

bool descriptor_writable(int fd, int wait_ms)
{
	struct pollfd polled = { .fd = fd, .events = POLLOUT };

	return poll(&polled, 1, wait_ms) == 1;
}

int datagram_send(int fd, const struct msghdr *message, int wait_ms)
{
	if (sendmsg(fd, message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return 0;
	if (errno != EAGAIN)
		return -errno;
	if (!descriptor_writable(fd, wait_ms))
		return -EAGAIN;
	return sendmsg(fd, message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int stream_send(int fd, const char *text, size_t length, int wait_ms)
{
	ssize_t sent = send(fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0 && errno == EAGAIN) {
		if (!descriptor_writable(fd, wait_ms))
			return -EAGAIN;
		sent = send(fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	if (sent < 0)
		return -errno;
	return (size_t)sent == length ? 0 : -EPIPE;
}
