/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the client of the metadata service connects to, and where it never does. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/imds.h"
#include "tests/lib/imds_server.h"
#include "tests/lib/skip.h"

#define ID_PATH	   "meta-data/instance-id"
#define CYCLE_PATH "meta-data/instance-life-cycle"

/* No slow machine needs so long; a test that waits for it has gone wrong. */
#define LONG_MS 60000

static void assert_text(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

/* The instance's id from a service with these faults: its status, and the sentence or text. */
static int get_id(const char *address, const char *faults, char **said)
{
	struct imds_options options = { .timeout_ms = LONG_MS };
	struct imds_server server;
	struct imds *imds;
	struct error err;
	int status;

	if (!server_start_at(&server, address, faults)) {
		server_stop(&server);
		return -EADDRNOTAVAIL;
	}
	options.endpoint = server.url;
	assert_int_equal(imds_open(&imds, &options, &err), 0);
	status = imds_get(imds, ID_PATH, said, &err);
	if (status < 0)
		*said = text_copy(err.text);
	imds_close(imds);
	server_stop(&server);
	return status;
}

/* A socket that listens and never accepts; its port. */
static int listener_open(uint16_t *port, int backlog)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

/* Nobody has tried to connect. */
static void assert_untouched(int listener)
{
	struct pollfd wait = { .fd = listener, .events = POLLIN };

	assert_int_equal(poll(&wait, 1, 0), 0);
}

static void get_from_port(uint16_t port, struct imds_options options, int wanted, const char *says)
{
	memory_cleanup_free char *url = text_format("http://127.0.0.1:%u/", port);
	struct imds_item items[] = { { .path = ID_PATH }, { .path = CYCLE_PATH } };
	struct error err;
	struct imds *imds;

	options.endpoint = url;
	assert_int_equal(imds_open(&imds, &options, &err), 0);
	assert_int_equal(imds_get_all(imds, items, ARRAY_SIZE(items), &err), wanted);
	assert_text(err.text, says);
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		assert_int_equal(items[i].status, wanted);
		assert_string_equal(items[i].error.text, err.text);
		assert_null(items[i].text);
	}
	imds_close(imds);
}

/* If it tried again or waited, the alarm in main() would end the test. */
static void refused_connection_ends_at_once(void **state UNUSED)
{
	struct imds_options options = { .timeout_ms = 10 * LONG_MS, .attempts = 100 };
	uint16_t port;
	int bound = listener_open(&port, -1);
	memory_cleanup_free char *says =
		text_format("service at 127.0.0.1:%u did not answer: Connection refused", port);

	get_from_port(port, options, -ECONNREFUSED, says);
	close(bound);
}

/* As off EC2, where a firewall swallows the first packet: here a full queue does. */
static void unanswered_connection_ends_in_time(void **state UNUSED)
{
	int listener, others[4];
	uint16_t port;

	listener = listener_open(&port, 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct sockaddr_in address = { .sin_family = AF_INET,
			.sin_port = htons(port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

		others[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)!connect(others[i], (struct sockaddr *)&address, sizeof(address));
	}
	get_from_port(port, (struct imds_options) { 0 }, -ETIMEDOUT, "did not answer within 1.0 s");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		close(others[i]);
	close(listener);
}

static void redirect_is_not_followed(void **state UNUSED)
{
	static const char *const scopes[] = { "token", "items" };
	uint16_t port;
	int listener = listener_open(&port, 16);

	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		memory_cleanup_free char *fault =
			text_format("%s:redirect=http://127.0.0.1:%u/", scopes[i], port);
		memory_cleanup_free char *said = NULL;

		assert_int_equal(get_id("127.0.0.1:0", fault, &said), -EPROTO);
		assert_text(said, "a redirect, which is not followed");
	}
	assert_untouched(listener);
	close(listener);
}

static void proxy_is_not_asked(void **state UNUSED)
{
	static const char *const variables[] = { "http_proxy", "HTTP_PROXY", "all_proxy",
		"ALL_PROXY" };
	uint16_t port;
	int listener = listener_open(&port, 16);
	memory_cleanup_free char *url = text_format("http://127.0.0.1:%u", port);
	memory_cleanup_free char *said = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		setenv(variables[i], url, 1);
	assert_int_equal(get_id("127.0.0.1:0", "", &said), 0);
	assert_string_equal(said, SERVER_ID);
	assert_untouched(listener);
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		unsetenv(variables[i]);
	close(listener);
}

static void ipv6_endpoint_works(void **state UNUSED)
{
	memory_cleanup_free char *said = NULL;
	int status = get_id("[::1]:0", "", &said);

	if (status == -EADDRNOTAVAIL) {
		print_message("# no IPv6 here\n");
		return;
	}
	assert_int_equal(status, 0);
	assert_string_equal(said, SERVER_ID);
}

static void switched_off_client_does_not_open(void **state UNUSED)
{
	struct imds_options options = { .disabled = true };
	struct error err;
	struct imds *imds;

	assert_int_equal(imds_open(&imds, &options, &err), -ECANCELED);
	assert_null(imds);
	assert_string_equal(err.text, "switched off by AWS_EC2_METADATA_DISABLED");
	imds_close(imds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_connection_ends_at_once),
		cmocka_unit_test(unanswered_connection_ends_in_time),
		cmocka_unit_test(redirect_is_not_followed),
		cmocka_unit_test(proxy_is_not_asked),
		cmocka_unit_test(ipv6_endpoint_works),
		cmocka_unit_test(switched_off_client_does_not_open),
	};

	if (server_missing())
		return skip_all(server_missing());
	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
