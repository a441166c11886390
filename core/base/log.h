/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a service says to the machine that it runs on: its log, and what its manager wants to know.
 *
 * The log: a priority, one sentence, and facts beside it for programs.
 *
 * It goes to one of three places, each without a library: lines on a descriptor, the socket of
 * syslog (not by syslog(3), which waits for as long as its reader does not read), or the journal's
 * native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL), which alone keeps the facts as
 * fields. A message that cannot be delivered within a second is lost, and those after it are not
 * waited for until one is delivered again: what the agent does matters more than what it says. How
 * many were lost is counted. Who logs lines to a pipe has to ignore SIGPIPE.
 *
 * Which place it is, is decided in cmd/, which reads the environment.
 */
#ifndef EC2HIB_BASE_LOG_H
#define EC2HIB_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h> /* LOG_INFO and the other priorities */

#include "core/base/error.h"

#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"
#define LOG_SYSLOG_SOCKET  "/dev/log"

enum log_kind { LOG_TO_LINES, LOG_TO_SYSLOG, LOG_TO_JOURNAL };

struct log {
	enum log_kind kind;
	int fd; /* of the lines (the caller's), the journal or syslog (ours); -1: not connected */
	const char *socket; /* of syslog; stays the caller's */
	bool stream;	    /* that socket is one */
	bool priorities;    /* a line begins with <N>, as sd-daemon(3) has it */
	const char *name;   /* SYSLOG_IDENTIFIER, and the name in syslog; stays the caller's */
	bool stuck;	    /* the last message was lost */
	unsigned long lost;
};

/* A fact beside a message: EC2HIB_EVENT=notice. */
struct log_field {
	const char *name;  /* A to Z, 0 to 9 and _, a letter first; at most 64 bytes */
	const char *value; /* anything; NULL: left out */
};

/*
 * Whether FD (standard error) is the journal: JOURNAL_STREAM, that variable's text (NULL: not set),
 * names its device and inode (systemd.exec(5)).
 */
bool log_is_journal(int fd, const char *journal_stream);

/* Lines on FD, which stays the caller's. */
void log_to_lines(struct log *log, const char *name, int fd, bool priorities);

/*
 * syslog's socket at PATH, facility daemon. A daemon that is away is tried again with each message:
 * it may come up after us, and be started anew.
 */
void log_to_syslog(struct log *log, const char *name, const char *path);

/* The journal's socket at PATH. 0 or a negative errno, then LOG is as it was. */
int log_to_journal(struct log *log, const char *name, const char *path, struct error *err);

void log_close(struct log *log);

/*
 * One message. PRIORITY is one of syslog(3); LOG_DEBUG is left out. TEXT is made printable
 * (text_printable()), so it is one line wherever it goes; the fields go to the journal alone, as
 * they are.
 */
void log_message(struct log *log, int priority, const char *text, const struct log_field *fields,
	size_t field_count);

/* The same without fields, with a format. */
void log_text(struct log *log, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Who takes the messages of an agent, each with the word for what it is about: "notice". */
struct event_log {
	void (*message)(void *data, int priority, const char *event, const char *text);
	void *data;
};

void log_event(const struct event_log *log, int priority, const char *event, const char *format,
	...) __attribute__((format(printf, 4, 5)));

/* ---- The service manager ---- */

/*
 * What a service tells its manager: sd_notify(3)'s protocol, without its library. Datagrams of
 * NAME=VALUE lines go to the socket that NOTIFY_SOCKET names; that variable's text is handed in.
 *
 * Without a socket there is no such manager, and every function does nothing and returns 0. What
 * cannot be delivered is a negative errno, for the log: a service goes on all the same.
 */
struct notify {
	int fd; /* -1: nobody wants to know */
};

/*
 * ADDRESS is the value of NOTIFY_SOCKET: a path, or @NAME in the abstract namespace; NULL or "":
 * not set. 0, or a negative errno and a notify that does nothing; notify_close() in any case.
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
