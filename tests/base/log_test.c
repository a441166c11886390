/* SPDX-License-Identifier: GPL-3.0-or-later */
/* core/base/log and core/base/notify against sockets of the test's own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
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
/* cmocka wants the above first */
#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "tests/lib/test_root.h"

static char *socket_path(const struct test_root *test)
{
	return text_format("%s/socket", test->path);
}

/* A datagram socket at NAME; with @ in front an abstract one. */
static int receiver_make(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	size_t length = strlen(name);

	assert_true(fd >= 0 && length < sizeof(address.sun_path));
	memcpy(address.sun_path, name, length);
	if (*name == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (const struct sockaddr *)&address,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
		0);
	return fd;
}

/* One datagram; its length, or -1 when there is none. A file that came with it goes to *FILE. */
static ssize_t receive(int fd, char *bytes, size_t size, int *file)
{
	struct iovec part = { .iov_base = bytes, .iov_len = size };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = got < 0 ? NULL : CMSG_FIRSTHDR(&message);

	*file = -1;
	if (header)
		memcpy(file, CMSG_DATA(header), sizeof(*file));
	return got;
}

static void assert_received(int fd, const char *bytes, size_t length)
{
	char got[4096];
	int file;

	assert_int_equal(receive(fd, got, sizeof(got), &file), length);
	assert_int_equal(file, -1);
	assert_memory_equal(got, bytes, length);
}

/* ---- Lines ---------------------------------------------------------------------------------- */

static void lines_have_a_name_or_a_priority(void **state UNUSED)
{
	struct log_field field = { "EC2HIB_EVENT", "notice" };
	char got[256] = "";
	struct log log;
	int ends[2];

	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	log_to_lines(&log, "ec2hib", ends[1], false);
	log_message(&log, LOG_WARNING, "two\nlines \033[1m", &field, 1);
	log_message(&log, LOG_DEBUG, "unimportant", NULL, 0);
	log_close(&log);
	log_to_lines(&log, "ec2hib", ends[1], true);
	log_text(&log, LOG_ERR | LOG_DAEMON, "%d of %s", 3, "them");
	log_text(&log, LOG_DEBUG, "unimportant");
	assert_true(read(ends[0], got, sizeof(got) - 1) > 0);
	assert_string_equal(got, "ec2hib: two\\x0alines \\x1b[1m\n"
				 "<3>3 of them\n");
	assert_int_equal(log.lost, 0);
	log_close(&log);
	close(ends[0]);
	close(ends[1]);
}

static void lines_that_nobody_reads_are_lost(void **state UNUSED)
{
	char piece[4096] = { 0 };
	struct timespec before, after;
	struct log log;
	int ends[2];

	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	while (write(ends[1], piece, sizeof(piece)) > 0)
		;
	assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0); /* as standard error mostly is */
	log_to_lines(&log, "ec2hib", ends[1], false);
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < 100; i++)
		log_text(&log, LOG_ERR, "%d", i);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(log.lost, 100);
	/* Only the first was waited for. */
	assert_true(after.tv_sec - before.tv_sec < 30);
	while (read(ends[0], piece, sizeof(piece)) == sizeof(piece))
		;
	log_text(&log, LOG_ERR, "again");
	assert_int_equal(log.lost, 100);
	assert_int_equal(read(ends[0], piece, sizeof(piece)), strlen("ec2hib: again\n"));
	log_close(&log);
	close(ends[0]);
	close(ends[1]);
}

/* ---- The journal ----------------------------------------------------------------------------- */

static void standard_error_is_the_journal_when_it_is_the_same_file(void **state UNUSED)
{
	memory_cleanup_free char *good = NULL, *other = NULL, *more = NULL;
	struct stat status;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fstat(ends[1], &status), 0);
	good = text_format(
		"%llu:%llu", (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
	other = text_format("%llu:%llu", (unsigned long long)status.st_dev,
		(unsigned long long)status.st_ino + 1);
	more = text_format("%s:1", good);
	assert_true(log_is_journal(ends[1], good));
	assert_false(log_is_journal(ends[1], other));
	assert_false(log_is_journal(ends[1], more));
	assert_false(log_is_journal(ends[1], NULL));
	assert_false(log_is_journal(ends[1], ""));
	assert_false(log_is_journal(ends[1], ":"));
	assert_false(log_is_journal(ends[1], "-1:-1"));
	assert_false(log_is_journal(-1, good));
	close(ends[0]);
	close(ends[1]);
}

static void entry_has_the_journals_fields(void **state)
{
	static const struct log_field fields[] = { { "EC2HIB_EVENT", "notice" },
		{ "EC2HIB_NONE", NULL }, { "EC2HIB_OUTPUT", "a\nb=c" }, { "EC2HIB_EMPTY", "" },
		{ "lower", "x" }, { "_TRUSTED", "x" }, { "A=B", "x" }, { "A\nMESSAGE", "x" },
		{ "", "x" }, { "1ST", "x" } };
	static const char expected[] = "MESSAGE=a notice came\n"
				       "PRIORITY=5\n"
				       "SYSLOG_IDENTIFIER=ec2hib\n"
				       "EC2HIB_EVENT=notice\n"
				       "EC2HIB_OUTPUT\n\5\0\0\0\0\0\0\0a\nb=c\n"
				       "EC2HIB_EMPTY=\n";
	struct test_root *test = *state;
	memory_cleanup_free char *path = socket_path(test);
	int receiver = receiver_make(path);
	struct error err;
	struct log log;

	assert_int_equal(log_to_journal(&log, "ec2hib", path, &err), 0);
	log_message(&log, LOG_NOTICE, "a notice came", fields, ARRAY_SIZE(fields));
	log_text(&log, LOG_DEBUG, "unimportant");
	assert_received(receiver, expected, sizeof(expected) - 1);
	assert_int_equal(log.lost, 0);
	log_close(&log);
	close(receiver);
}

static void large_entry_comes_as_a_sealed_file(void **state)
{
	struct test_root *test = *state;
	memory_cleanup_free char *path = socket_path(test);
	memory_cleanup_free char *value = memory_new(4 * 1024 * 1024 + 1, 1);
	struct log_field field = { "EC2HIB_OUTPUT", value };
	static const char start[] = "MESSAGE=long\nPRIORITY=6\n"
				    "SYSLOG_IDENTIFIER=ec2hib\nEC2HIB_OUTPUT=xxx";
	int receiver = receiver_make(path), file;
	struct stat status;
	struct error err;
	struct log log;
	char got[256];

	memset(value, 'x', 4 * 1024 * 1024);
	assert_int_equal(log_to_journal(&log, "ec2hib", path, &err), 0);
	log_message(&log, LOG_INFO, "long", &field, 1);
	assert_int_equal(log.lost, 0);
	assert_int_equal(receive(receiver, got, sizeof(got), &file), 0);
	assert_true(file >= 0);
	assert_int_equal(
		fcntl(file, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	assert_int_equal(fstat(file, &status), 0);
	assert_int_equal(status.st_size, sizeof(start) - 1 - 3 + 4 * 1024 * 1024 + 1);
	assert_int_equal(pread(file, got, sizeof(start) - 1, 0), sizeof(start) - 1);
	assert_memory_equal(got, start, sizeof(start) - 1);
	close(file);
	log_close(&log);
	close(receiver);
}

static void journal_that_is_away_loses_messages_only(void **state)
{
	struct test_root *test = *state;
	memory_cleanup_free char *path = socket_path(test);
	struct error err;
	struct log log;
	int receiver;

	log_to_lines(&log, "ec2hib", STDERR_FILENO, false);
	assert_int_equal(log_to_journal(&log, "ec2hib", path, &err), -ENOENT);
	assert_int_equal(log.kind, LOG_TO_LINES);
	receiver = receiver_make(path);
	assert_int_equal(log_to_journal(&log, "ec2hib", path, &err), 0);
	close(receiver);
	log_text(&log, LOG_ERR, "into nothing");
	assert_int_equal(log.lost, 1);
	log_close(&log);
}

/* ---- syslog ---------------------------------------------------------------------------------- */

/* The next datagram without its time. */
static void assert_syslog(int fd, const char *priority, const char *text)
{
	memory_cleanup_free char *end = text_format("ec2hib[%ld]: %s", (long)getpid(), text);
	char got[512] = "";
	int file;

	assert_true(receive(fd, got, sizeof(got) - 1, &file) > 0);
	assert_true(text_starts(got, priority));
	/* "Jan  2 03:04:05 " */
	assert_string_equal(got + strlen(priority) + 16, end);
}

static void syslog_has_priority_name_and_process(void **state)
{
	memory_cleanup_free char *path = socket_path(*state);
	int fd = receiver_make(path);
	struct log log;

	log_to_syslog(&log, "ec2hib", path);
	log_text(&log, LOG_NOTICE, "two\nlines");
	log_text(&log, LOG_ERR, "an error");
	assert_syslog(fd, "<29>", "two\\x0alines");
	assert_syslog(fd, "<27>", "an error");
	/* The daemon is started anew. */
	close(fd);
	unlink(path);
	log_text(&log, LOG_NOTICE, "lost");
	assert_int_equal(log.lost, 1);
	fd = receiver_make(path);
	log_text(&log, LOG_NOTICE, "again");
	assert_syslog(fd, "<29>", "again");
	assert_int_equal(log.lost, 1);
	log_close(&log);
	close(fd);
}

/* syslog(3) would wait here for ever. */
static void syslog_that_nobody_reads_loses_messages_only(void **state)
{
	memory_cleanup_free char *path = socket_path(*state);
	int fd = receiver_make(path);
	struct log log;

	log_to_syslog(&log, "ec2hib", path);
	while (log.lost < 3)
		log_text(&log, LOG_NOTICE, "a line");
	assert_true(log.stuck);
	assert_syslog(fd, "<29>", "a line");
	log_text(&log, LOG_NOTICE, "there is room again");
	assert_int_equal(log.lost, 3);
	assert_false(log.stuck);
	log_close(&log);
	close(fd);
}

static void syslog_may_be_a_stream(void **state)
{
	memory_cleanup_free char *path = socket_path(*state);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char got[512] = "";
	struct log log;
	int fd;

	strcpy(address.sun_path, path);
	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	log_to_syslog(&log, "ec2hib", path);
	log_text(&log, LOG_NOTICE, "one");
	log_text(&log, LOG_NOTICE, "two");
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(fd >= 0);
	assert_true(recv(fd, got, sizeof(got), 0) > 0);
	assert_true(text_starts(got, "<29>"));
	assert_true(text_ends(got, "]: one"));
	assert_true(text_ends(got + strlen(got) + 1, "]: two"));
	/* Nobody reads: it is torn off in the middle of a line, and begun anew. */
	while (log.lost < 1)
		log_text(&log, LOG_NOTICE, "a line");
	close(fd);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		close(fd);
	log_close(&log);
	close(listener);
}

/* ---- The service manager --------------------------------------------------------------------- */

static void manager_is_told_in_its_own_words(void **state)
{
	struct test_root *test = *state;
	memory_cleanup_free char *path = socket_path(test);
	int receiver = receiver_make(path), file;
	struct notify notify;
	struct error err;
	char got[256] = "";
	long long usec;

	assert_int_equal(notify_open(&notify, path, &err), 0);
	assert_int_equal(notify_ready(&notify, "watching"), 0);
	assert_received(receiver, "READY=1\nSTATUS=watching\n", 24);
	assert_int_equal(notify_status(&notify, "a\nREADY=1"), 0);
	assert_received(receiver, "STATUS=a\\x0aREADY=1\n", 20);
	assert_int_equal(notify_watchdog(&notify), 0);
	assert_received(receiver, "WATCHDOG=1\n", 11);
	assert_int_equal(notify_reloading(&notify), 0);
	assert_true(receive(receiver, got, sizeof(got) - 1, &file) > 0);
	assert_int_equal(sscanf(got, "RELOADING=1\nMONOTONIC_USEC=%lld\n", &usec), 1);
	assert_true(usec > 0);
	assert_int_equal(notify_stopping(&notify, "bye"), 0);
	assert_received(receiver, "STOPPING=1\nSTATUS=bye\n", 22);
	close(receiver);
	assert_int_equal(notify_watchdog(&notify), -ECONNREFUSED);
	notify_close(&notify);
}

static void manager_may_have_an_abstract_name(void **state UNUSED)
{
	memory_cleanup_free char *name = text_format("@ec2hib-test-%d", getpid());
	int receiver = receiver_make(name);
	struct notify notify;
	struct error err;

	assert_int_equal(notify_open(&notify, name, &err), 0);
	assert_int_equal(notify_watchdog(&notify), 0);
	assert_received(receiver, "WATCHDOG=1\n", 11);
	notify_close(&notify);
	close(receiver);
}

static void without_a_manager_nothing_is_said(void **state UNUSED)
{
	static const struct {
		const char *address;
		int status;
	} cases[] = {
		{ NULL, 0 },
		{ "", 0 },
		{ "/no/such/socket", -ENOENT },
		{ "relative", -EAFNOSUPPORT },
		{ "vsock:2:1234", -EAFNOSUPPORT },
		{ "@", -EAFNOSUPPORT },
		{ "/", -EAFNOSUPPORT },
		{ "@xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
			-ENAMETOOLONG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct notify notify;
		struct error err;

		assert_int_equal(notify_open(&notify, cases[i].address, &err), cases[i].status);
		assert_int_equal(notify_ready(&notify, "watching"), 0);
		assert_int_equal(notify_watchdog(&notify), 0);
		notify_close(&notify);
	}
}

static void watchdog_is_fed_twice_as_often(void **state UNUSED)
{
	static const struct {
		const char *usec, *pid;
		unsigned ms;
	} cases[] = {
		{ NULL, NULL, 0 },
		{ "", NULL, 0 },
		{ "0", NULL, 0 },
		{ "x", NULL, 0 },
		{ "30000000", NULL, 15000 },
		{ "30000000", "42", 15000 },
		{ "30000000", "43", 0 },
		{ "30000000", "", 0 },
		{ "1", "42", 1 },
		{ "18446744073709551615", "42", UINT_MAX },
		{ "18446744073709551616", "42", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(notify_watchdog_ms(cases[i].usec, cases[i].pid, 42), cases[i].ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_a_name_or_a_priority),
		cmocka_unit_test(lines_that_nobody_reads_are_lost),
		cmocka_unit_test(standard_error_is_the_journal_when_it_is_the_same_file),
		WITH_TEST_ROOT(entry_has_the_journals_fields),
		WITH_TEST_ROOT(large_entry_comes_as_a_sealed_file),
		WITH_TEST_ROOT(journal_that_is_away_loses_messages_only),
		WITH_TEST_ROOT(syslog_has_priority_name_and_process),
		WITH_TEST_ROOT(syslog_that_nobody_reads_loses_messages_only),
		WITH_TEST_ROOT(syslog_may_be_a_stream),
		WITH_TEST_ROOT(manager_is_told_in_its_own_words),
		cmocka_unit_test(manager_may_have_an_abstract_name),
		cmocka_unit_test(without_a_manager_nothing_is_said),
		cmocka_unit_test(watchdog_is_fed_twice_as_often),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
