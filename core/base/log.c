/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/log.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* The journal takes no longer names. */
#define FIELD_NAME_LENGTH 64

/* So that a busy journal makes us lose nothing: the protocol's page advises to raise it. */
#define SEND_BUFFER (1024 * 1024)

/*
 * For a reader that is slow; one of the log that has stopped reading is waited for once. The
 * manager may be busy at boot, and a READY=1 that is lost fails the start.
 */
#define WAIT_MS 1000

/* ---- Sockets --------------------------------------------------------------------------------- */

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

/*
 * A socket that is connected to ADDRESS: a path, or @NAME in the abstract namespace (unix(7)). A
 * descriptor, -EAFNOSUPPORT for another form, or another negative errno.
 */
static int datagram_connect(const char *address, struct error *err)
{
	return connect_to(address, SOCK_DGRAM, err);
}

/* The same for a service that reads a stream, never waiting: -EAGAIN while it takes nobody more. */
static int stream_connect(const char *address, struct error *err)
{
	return connect_to(address, SOCK_STREAM | SOCK_NONBLOCK, err);
}

/* Whether FD can be written to within WAIT_MS milliseconds. */
static bool descriptor_writable(int fd, int wait_ms)
{
	struct pollfd polled = { .fd = fd, .events = POLLOUT };

	return poll(&polled, 1, wait_ms) == 1;
}

/*
 * Sends one, waiting at most WAIT_MS milliseconds while the receiver's queue is full (it may hold
 * as few as ten, net.unix.max_dgram_qlen). 0 or a negative errno. No SIGPIPE comes of it.
 */
static int datagram_send(int fd, const struct msghdr *message, int wait_ms)
{
	if (sendmsg(fd, message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return 0;
	if (errno != EAGAIN)
		return -errno;
	if (!descriptor_writable(fd, wait_ms))
		return -EAGAIN;
	return sendmsg(fd, message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/*
 * Sends TEXT on a stream, in the same way. -EPIPE when only a part went: what follows would be
 * torn.
 */
static int stream_send(int fd, const char *text, size_t length, int wait_ms)
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

/* ---- Where to ------------------------------------------------------------------------------- */

bool log_is_journal(int fd, const char *journal_stream)
{
	strings_cleanup struct strings parts = { 0 };
	uint64_t device, inode;
	struct stat status;

	if (!journal_stream || fstat(fd, &status) < 0)
		return false;
	strings_split(&parts, journal_stream, ":");
	return parts.count == 2 && number_parse(parts.items[0], &device) == 0 &&
	       number_parse(parts.items[1], &inode) == 0 && device == status.st_dev &&
	       inode == status.st_ino;
}

static void start(struct log *log, enum log_kind kind, const char *name, int fd)
{
	*log = (struct log) { .kind = kind, .fd = fd, .name = name };
}

void log_to_lines(struct log *log, const char *name, int fd, bool priorities)
{
	start(log, LOG_TO_LINES, name, fd);
	log->priorities = priorities;
}

/* A datagram socket as a rule; syslog-ng and others may read a stream. */
static void syslog_connect(struct log *log)
{
	struct error ignored = { "" };

	log->fd = datagram_connect(log->socket, &ignored);
	log->stream = log->fd == -EPROTOTYPE;
	if (log->stream)
		log->fd = stream_connect(log->socket, &ignored);
}

static void syslog_disconnect(struct log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

void log_to_syslog(struct log *log, const char *name, const char *path)
{
	start(log, LOG_TO_SYSLOG, name, -1);
	log->socket = path;
	syslog_connect(log);
}

int log_to_journal(struct log *log, const char *name, const char *path, struct error *err)
{
	int size = SEND_BUFFER, fd = datagram_connect(path, err);

	if (fd < 0)
		return error_prefix(err, fd, "the journal");
	/* The first may go beyond net.core.wmem_max; neither has to succeed. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	start(log, LOG_TO_JOURNAL, name, fd);
	return 0;
}

void log_close(struct log *log)
{
	if (log->kind == LOG_TO_SYSLOG)
		syslog_disconnect(log);
	if (log->kind == LOG_TO_JOURNAL)
		close(log->fd);
	log_to_lines(log, log->name, -1, false);
}

/* ---- The journal ----------------------------------------------------------------------------- */

/* An entry on its way: bytes, which may be zeros. */
struct entry {
	char *bytes;
	size_t length;
	size_t room;
};

static void entry_add(struct entry *entry, const void *bytes, size_t length)
{
	if (entry->room - entry->length < length) {
		entry->room = (entry->length + length) * 2;
		entry->bytes = realloc(entry->bytes, entry->room);
		if (!entry->bytes)
			abort();
	}
	memcpy(entry->bytes + entry->length, bytes, length);
	entry->length += length;
}

/* journald leaves out what is called otherwise; here it would break the lines as well. */
static bool field_name_is_good(const char *name)
{
	size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return length > 0 && length <= FIELD_NAME_LENGTH && !name[length] && *name >= 'A' &&
	       *name <= 'Z';
}

/* NAME=VALUE, or when there is a newline in it: NAME, the length in 64 bits, the value. */
static void entry_add_field(struct entry *entry, const char *name, const char *value)
{
	size_t length = strlen(value);

	entry_add(entry, name, strlen(name));
	if (strchr(value, '\n')) {
		uint64_t size = htole64(length);

		entry_add(entry, "\n", 1);
		entry_add(entry, &size, sizeof(size));
	} else {
		entry_add(entry, "=", 1);
	}
	entry_add(entry, value, length);
	entry_add(entry, "\n", 1);
}

/* A file in memory that cannot change any more, as journald wants it; a descriptor or -1. */
static int entry_memory(const struct entry *entry)
{
	int fd = memfd_create("ec2hib-log", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (write(fd, entry->bytes, entry->length) == (ssize_t)entry->length &&
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) ==
			0)
		return fd;
	close(fd);
	return -1;
}

/* A datagram without content that carries the entry's file. */
static bool send_memory(int socket_fd, const struct entry *entry, int wait_ms)
{
	int fd = entry_memory(entry);
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control.room) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	bool sent;

	if (fd < 0)
		return false;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	sent = datagram_send(socket_fd, &message, wait_ms) == 0;
	close(fd);
	return sent;
}

static bool send_entry(int fd, const struct entry *entry, int wait_ms)
{
	struct iovec part = { .iov_base = entry->bytes, .iov_len = entry->length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	int status = datagram_send(fd, &message, wait_ms);

	/* ENOBUFS, too, is said of a datagram that is too large (unix(7), send(2)). */
	if (status == -EMSGSIZE || status == -ENOBUFS)
		return send_memory(fd, entry, wait_ms);
	return status == 0;
}

/* How long this message may wait. */
static int wait_ms(const struct log *log)
{
	return log->stuck ? 0 : WAIT_MS;
}

static bool journal_message(const struct log *log, int priority, const char *text,
	const struct log_field *fields, size_t field_count)
{
	struct entry entry = { 0 };
	char digit[] = { (char)('0' + LOG_PRI(priority)), '\0' };
	bool sent;

	entry_add_field(&entry, "MESSAGE", text);
	entry_add_field(&entry, "PRIORITY", digit);
	entry_add_field(&entry, "SYSLOG_IDENTIFIER", log->name);
	for (size_t i = 0; i < field_count; i++)
		if (fields[i].value && field_name_is_good(fields[i].name))
			entry_add_field(&entry, fields[i].name, fields[i].value);
	sent = send_entry(log->fd, &entry, wait_ms(log));
	free(entry.bytes);
	return sent;
}

/* ---- syslog ---------------------------------------------------------------------------------- */

/* "Jan  2 03:04:05", local time, whatever the locale (RFC 3164). */
static char *syslog_time(void)
{
	time_t now = time(NULL);
	struct tm parts;

	localtime_r(&now, &parts);
	return text_format("%s %2d %02d:%02d:%02d", instant_months[parts.tm_mon], parts.tm_mday,
		parts.tm_hour, parts.tm_min, parts.tm_sec);
}

static int syslog_send(struct log *log, char *line, int wait)
{
	struct iovec part = { .iov_base = line, .iov_len = strlen(line) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (log->fd < 0)
		return -ENOTCONN;
	/* On a stream the zero ends the message. */
	return log->stream ? stream_send(log->fd, line, part.iov_len + 1, wait)
			   : datagram_send(log->fd, &message, wait);
}

static bool syslog_message(struct log *log, int priority, const char *text)
{
	memory_cleanup_free char *stamp = syslog_time();
	memory_cleanup_free char *line = text_format("<%d>%s %s[%ld]: %s",
		LOG_DAEMON | LOG_PRI(priority), stamp, log->name, (long)getpid(), text);
	int status = syslog_send(log, line, wait_ms(log));

	if (status == 0 || status == -EAGAIN)
		return status == 0;
	/* The daemon was started anew, or is only up now. */
	syslog_disconnect(log);
	syslog_connect(log);
	return syslog_send(log, line, wait_ms(log)) == 0;
}

/* ---- Messages -------------------------------------------------------------------------------- */

/* With one write, so that lines of two programs on one descriptor do not mix. */
static bool line_message(const struct log *log, int priority, const char *text)
{
	memory_cleanup_free char *line = log->priorities
						 ? text_format("<%d>%s\n", LOG_PRI(priority), text)
						 : text_format("%s: %s\n", log->name, text);
	size_t length = strlen(line);

	return descriptor_writable(log->fd, wait_ms(log)) &&
	       write(log->fd, line, length) == (ssize_t)length;
}

void log_message(struct log *log, int priority, const char *text, const struct log_field *fields,
	size_t field_count)
{
	memory_cleanup_free char *shown = NULL;
	bool delivered = true;

	if (LOG_PRI(priority) > LOG_INFO)
		return;
	shown = text_printable(text, strlen(text));
	switch (log->kind) {
	case LOG_TO_LINES:
		delivered = line_message(log, priority, shown);
		break;
	case LOG_TO_SYSLOG:
		delivered = syslog_message(log, priority, shown);
		break;
	case LOG_TO_JOURNAL:
		delivered = journal_message(log, priority, shown, fields, field_count);
		break;
	}
	log->stuck = !delivered;
	if (!delivered)
		log->lost++;
}

void log_text(struct log *log, int priority, const char *format, ...)
{
	memory_cleanup_free char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	log_message(log, priority, text, NULL, 0);
}

void log_event(
	const struct event_log *log, int priority, const char *event, const char *format, ...)
{
	memory_cleanup_free char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	log->message(log->data, priority, event, text);
}

/* ---- The service manager --------------------------------------------------------------------- */

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
