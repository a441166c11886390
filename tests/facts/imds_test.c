/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client of the metadata service against a simulated one, with and without faults. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/imds.h"
#include "tests/lib/imds_server.h"
#include "tests/lib/skip.h"

#define ID_PATH	   "meta-data/instance-id"
#define CYCLE_PATH "meta-data/instance-life-cycle"
#define NAME_PATH  "meta-data/tags/instance/Name"

/* No slow machine needs so long; a test that waits for it has gone wrong. */
#define LONG_MS 60000

/* A limit that is meant to be reached. */
#define SHORT_MS 1000

/*
 * CLOCK_BOOTTIME, by which a token ages, stands still here, for the client and for the service: no
 * machine is so slow, or stopped for so long, that a token ends when it should not.
 */
static uint64_t boot_ms = 1000000;

uint64_t __real_clock_ms(clockid_t clock);
uint64_t __real_clock_ns(clockid_t clock);
uint64_t __wrap_clock_ms(clockid_t clock);
uint64_t __wrap_clock_ns(clockid_t clock);

uint64_t __wrap_clock_ms(clockid_t clock)
{
	return clock == CLOCK_BOOTTIME ? boot_ms : __real_clock_ms(clock);
}

uint64_t __wrap_clock_ns(clockid_t clock)
{
	return clock == CLOCK_BOOTTIME ? boot_ms * 1000000 : __real_clock_ns(clock);
}

static struct imds *client_open(const struct imds_server *server, struct imds_options options)
{
	struct error err;
	struct imds *imds;

	options.endpoint = server->url;
	if (!options.timeout_ms)
		options.timeout_ms = LONG_MS;
	assert_int_equal(imds_open(&imds, &options, &err), 0);
	return imds;
}

static void assert_text(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

/* One item from a service with these faults: its status, and the sentence or the text. */
static int get_one(const char *wanted, struct imds_options options, char **said)
{
	struct imds_server server;
	struct imds *imds;
	struct error err;
	int status;

	server_start(&server, wanted);
	imds = client_open(&server, options);
	status = imds_get(imds, ID_PATH, said, &err);
	if (status < 0)
		*said = text_copy(err.text);
	imds_close(imds);
	server_stop(&server);
	return status;
}

static void get_all_uses_one_connection_and_one_token(void **state UNUSED)
{
	struct imds_item items[] = { { .path = ID_PATH }, { .path = "meta-data/nothing" },
		{ .path = NAME_PATH }, { .path = "no path" }, { .path = "/meta-data" } };
	struct imds_server server;
	struct imds *imds;
	struct error err;

	server_start(&server, "");
	imds = client_open(&server, (struct imds_options) { 0 });
	for (int turn = 1; turn <= 3; turn++) {
		assert_int_equal(imds_get_all(imds, items, ARRAY_SIZE(items), &err), 0);
		assert_int_equal(items[0].status, 0);
		assert_string_equal(items[0].text, SERVER_ID);
		assert_int_equal(items[1].status, -ENOENT);
		assert_text(items[1].error.text, "meta-data/nothing: HTTP status 404");
		assert_string_equal(items[2].text, "b\xc3\xbcro 1\n");
		assert_int_equal(items[3].status, -EINVAL);
		assert_int_equal(items[4].status, -EINVAL);
		assert_int_equal(server_count(&server, "GET"), 3 * turn);
		imds_items_free(items, ARRAY_SIZE(items));
	}
	assert_int_equal(server_count(&server, "PUT /latest/api/token"), 1);
	assert_int_equal(server_count(&server, " 401"), 0);
	assert_int_equal(server_connections(&server), 1);
	imds_close(imds);
	server_stop(&server);
}

/* Every fault of the service: what the client says, and that it never takes it for an answer. */
static const struct {
	const char *faults;
	int status;
	const char *says;
} faults[] = {
	{ "token:status=400", -EPROTO, "gave no token: api/token: HTTP status 400" },
	{ "token:status=401", -EACCES, "gave no token: api/token: HTTP status 401" },
	{ "token:status=403", -EACCES, "it is switched off, or its hop limit is too low" },
	{ "token:status=500", -EAGAIN, "gave no token: api/token: HTTP status 500" },
	{ "token:status=503", -EAGAIN, "gave no token: api/token: HTTP status 503" },
	{ "token:status=404", -EACCES, ID_PATH ": HTTP status 401" },
	{ "token:hang", -ETIMEDOUT, "gave no token within 1.0 s; in a container" },
	{ "token:latency=600s", -ETIMEDOUT, "gave no token within 1.0 s" },
	{ "token:close", -ECONNRESET, "gave no token: api/token: the answer was cut off" },
	{ "token:reset", -ECONNRESET, "gave no token: api/token: the answer was cut off" },
	{ "token:cut-header", -ECONNRESET, "gave no token: api/token: the answer was cut off" },
	{ "token:cut", -ECONNRESET, "api/token: the answer was cut off" },
	{ "token:huge", -EFBIG, "api/token: the answer has too many bytes" },
	{ "token:header-flood", -EFBIG, "api/token: the answer has too many headers" },
	{ "token:not-http", -EPROTO, "api/token: not an HTTP answer" },
	{ "token:garbage", -EBADMSG, "api/token: the answer is not a token" },
	{ "token:body=a\nX-Evil:b", -EBADMSG, "the answer is not a token" },
	{ "token:body=", -EBADMSG, "the answer is not a token" },
	{ "token:redirect=http://127.0.0.1:1/", -EPROTO,
		"HTTP status 302, a redirect, which is not" },
	{ "items:status=204", -EPROTO, ID_PATH ": HTTP status 204" },
	{ "items:status=401", -EACCES, ID_PATH ": HTTP status 401" },
	{ "items:status=403", -EACCES, ID_PATH ": HTTP status 403" },
	{ "items:status=404", -ENOENT, ID_PATH ": HTTP status 404" },
	{ "items:status=405", -EPROTO, ID_PATH ": HTTP status 405" },
	{ "items:status=429", -EAGAIN, ID_PATH ": HTTP status 429" },
	{ "items:status=500", -EAGAIN, ID_PATH ": HTTP status 500" },
	{ "items:hang", -ETIMEDOUT, "did not answer within 1.0 s" },
	{ "items:latency=600s", -ETIMEDOUT, "did not answer within 1.0 s" },
	{ "items:close", -ECONNRESET, ID_PATH ": the answer was cut off" },
	{ "items:reset", -ECONNRESET, ID_PATH ": the answer was cut off" },
	{ "items:cut-header", -ECONNRESET, ID_PATH ": the answer was cut off" },
	{ "items:cut", -ECONNRESET, ID_PATH ": the answer was cut off" },
	{ "items:cut items:status=404", -ECONNRESET, "the answer was cut off" },
	{ "items:huge", -EFBIG, ID_PATH ": the answer has too many bytes" },
	{ "items:header-flood", -EFBIG, ID_PATH ": the answer has too many headers" },
	{ "items:not-http", -EPROTO, ID_PATH ": not an HTTP answer" },
	{ "items:garbage", -EBADMSG, ID_PATH ": the answer is not text" },
	{ "items:length=10", -ETIMEDOUT, "did not answer within 1.0 s" },
	{ "items:trickle=100ms", -ETIMEDOUT, "did not answer within 1.0 s" },
	{ "items:redirect=http://127.0.0.1:1/", -EPROTO, ID_PATH ": HTTP status 302, a redirect" },
};

static void every_fault_is_an_error_that_says_what(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		/* Only what is said to be late may be: the limit is short for those alone. */
		bool late = faults[i].status == -ETIMEDOUT;
		struct imds_options options = {
			.timeout_ms = late ? SHORT_MS : LONG_MS,
			.total_ms = late ? LONG_MS : 2 * LONG_MS,
			.attempts = late ? 1 : 2,
		};
		char *said;
		int status;

		status = get_one(faults[i].faults, options, &said);
		if (status != faults[i].status || !strstr(said, faults[i].says))
			fail_msg("%s: %d, %s", faults[i].faults, status, said);
		free(said);
	}
}

static void answer_in_pieces_is_whole(void **state UNUSED)
{
	memory_cleanup_free char *said = NULL;

	assert_int_equal(get_one("trickle=0", (struct imds_options) { 0 }, &said), 0);
	assert_string_equal(said, SERVER_ID);
}

/* Asks for an item, or a token, of SIZE letters. */
static int get_long_item(size_t size)
{
	memory_cleanup_free char *value = memory_new(size + 1, 1);
	struct imds_server server;
	struct imds *imds;
	struct error err;
	char *text;
	int status;

	memset(value, 'a', size);
	server_start_with(&server, NAME_PATH, value);
	imds = client_open(&server, (struct imds_options) { 0 });
	status = imds_get(imds, NAME_PATH, &text, &err);
	if (status == 0)
		assert_string_equal(text, value);
	free(text);
	imds_close(imds);
	server_stop(&server);
	return status;
}

static int get_with_long_token(size_t size)
{
	memory_cleanup_free char *token = memory_new(size + 1, 1), *said = NULL;
	memory_cleanup_free char *fault = NULL;

	memset(token, 'a', size);
	fault = text_format("token:body=%s", token);
	return get_one(fault, (struct imds_options) { 0 }, &said);
}

static void limit_of_size_is_exact(void **state UNUSED)
{
	assert_int_equal(get_long_item(IMDS_ITEM_LIMIT), 0);
	assert_int_equal(get_long_item(IMDS_ITEM_LIMIT + 1), -EFBIG);
	/* Not a token that the service knows, but one that is sent back to it. */
	assert_int_equal(get_with_long_token(IMDS_TOKEN_LIMIT), -EACCES);
	assert_int_equal(get_with_long_token(IMDS_TOKEN_LIMIT + 1), -EFBIG);
}

static void fault_of_one_item_leaves_the_others(void **state UNUSED)
{
	struct imds_item items[] = { { .path = CYCLE_PATH }, { .path = ID_PATH } };
	struct imds_server server;
	struct imds *imds;
	struct error err;

	server_start(&server, CYCLE_PATH ":close");
	imds = client_open(&server, (struct imds_options) { .total_ms = 2 * LONG_MS });
	assert_int_equal(imds_get_all(imds, items, ARRAY_SIZE(items), &err), 0);
	assert_int_equal(items[0].status, -ECONNRESET);
	assert_null(items[0].text);
	assert_string_equal(items[1].text, SERVER_ID);
	imds_items_free(items, ARRAY_SIZE(items));
	imds_close(imds);
	server_stop(&server);
}

static void all_items_together_have_a_time_limit(void **state UNUSED)
{
	struct imds_item items[] = { { .path = ID_PATH }, { .path = CYCLE_PATH },
		{ .path = NAME_PATH } };
	struct imds_server server;
	struct imds *imds;
	struct error err;

	server_start(&server, "items:hang");
	imds = client_open(&server,
		(struct imds_options) { .timeout_ms = SHORT_MS, .total_ms = SHORT_MS + 500 });
	imds_get_all(imds, items, ARRAY_SIZE(items), &err);
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		assert_int_equal(items[i].status, -ETIMEDOUT);
	assert_text(items[2].error.text, "within the 1.5 s for all");
	/* With no time left nothing is sent, and no second attempt is made that would be cut. */
	assert_true(server_counter(&server, "requests") <= 1 + 2);
	imds_close(imds);
	server_stop(&server);
}

/* A limit that is always too short would make us deaf. */
static void limit_grows_as_slow_answers_need(void **state UNUSED)
{
	struct imds_options options = { .timeout_ms = 100, .attempts = 1 };
	struct imds_server server;
	struct error err = { "" };
	unsigned tries = 0;
	struct imds *imds;
	char *text;

	server_start(&server, "latency=300ms");
	imds = client_open(&server, options);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(imds_get(imds, ID_PATH, &text, &err), -ETIMEDOUT);
	imds_close(imds);
	options.patience_ms = 5000;
	imds = client_open(&server, options);
	/* 100, 200, 400 ms, ...: more only where the machine is slow itself. */
	while (imds_get(imds, ID_PATH, &text, &err) == -ETIMEDOUT && tries < 30)
		tries++;
	assert_string_equal(text, SERVER_ID);
	free(text);
	imds_close(imds);
	server_stop(&server);
}

static void what_may_pass_is_tried_again(void **state UNUSED)
{
	static const struct {
		const char *faults;
		unsigned attempts;
		int status;
		size_t puts, gets;
	} cases[] = {
		{ "token:error-first=2", 3, 0, 3, 1 },
		{ "token:error-first=3", 3, -EAGAIN, 3, 0 },
		{ "items:error-first=1", 2, 0, 1, 2 },
		{ "items:error-first=1", 1, -EAGAIN, 1, 1 },
		{ "error-first=1", 2, 0, 2, 1 },
		{ "items:status=404", 3, -ENOENT, 1, 1 },
		{ "items:status=403", 3, -EACCES, 1, 1 },
		{ "items:status=302", 3, -EPROTO, 1, 1 },
		{ "items:garbage", 3, -EBADMSG, 1, 1 },
		{ "token:status=403", 3, -EACCES, 1, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct imds_server server;
		struct imds *imds;
		struct error err;
		char *text;

		server_start(&server, cases[i].faults);
		imds = client_open(&server, (struct imds_options) { .attempts = cases[i].attempts,
						    .total_ms = 10 * LONG_MS });
		assert_int_equal(imds_get(imds, ID_PATH, &text, &err), cases[i].status);
		assert_int_equal(server_count(&server, "PUT"), cases[i].puts);
		assert_int_equal(server_count(&server, "GET"), cases[i].gets);
		free(text);
		imds_close(imds);
		server_stop(&server);
	}
}

static void token_is_renewed(void **state UNUSED)
{
	static const struct {
		const char *faults;
		unsigned slept_s; /* between two rounds of two items */
		size_t tokens, refused;
	} cases[] = {
		{ "", 0, 1, 0 },
		{ "token-loss=1", 0, 4, 3 }, /* on 401 */
		{ "token-loss=3", 0, 2, 1 },
		{ "token-ttl=60", 0, 2, 0 }, /* before its end */
		{ "token-ttl=3600", 3539, 1, 0 },
		{ "token-ttl=3600", 3540, 2, 0 },
		/* There is no new one (in three attempts), but the old one is good for a while. */
		{ "token-ttl=60 token:error-after=1", 59, 4, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct imds_server server;
		struct imds *imds;
		struct error err;

		server_start(&server, cases[i].faults);
		imds = client_open(&server, (struct imds_options) { .total_ms = 10 * LONG_MS });
		for (int turn = 0; turn < 2; turn++) {
			struct imds_item items[] = { { .path = ID_PATH }, { .path = CYCLE_PATH } };

			assert_int_equal(imds_get_all(imds, items, ARRAY_SIZE(items), &err), 0);
			assert_int_equal(items[0].status, 0);
			assert_int_equal(items[1].status, 0);
			imds_items_free(items, ARRAY_SIZE(items));
			boot_ms += cases[i].slept_s * 1000;
		}
		assert_int_equal(server_count(&server, "PUT"), cases[i].tokens);
		assert_int_equal(server_count(&server, " 401"), cases[i].refused);
		assert_int_equal(server_connections(&server), 1);
		imds_close(imds);
		server_stop(&server);
	}
}

static void token_that_has_ended_is_no_way_out(void **state UNUSED)
{
	struct imds_server server;
	struct imds *imds;
	struct error err;
	char *text;

	server_start(&server, "token-ttl=60 token:error-after=1");
	imds = client_open(&server, (struct imds_options) { .total_ms = 10 * LONG_MS });
	assert_int_equal(imds_get(imds, ID_PATH, &text, &err), 0);
	free(text);
	boot_ms += 60 * 1000;
	assert_int_equal(imds_get(imds, ID_PATH, &text, &err), -EAGAIN);
	assert_null(text);
	imds_close(imds);
	server_stop(&server);
}

static void without_imdsv2_it_asks_without_a_token_unless_ruled_out(void **state UNUSED)
{
	static const struct {
		const char *faults;
		bool v1_disabled;
		int status;
		size_t gets;
		const char *says;
	} cases[] = {
		{ "token-optional token:status=404", false, 0, 2, SERVER_ID },
		{ "token-optional token:status=405", false, 0, 2, SERVER_ID },
		{ "token-optional token:status=404", true, -EOPNOTSUPP, 0, "rules out IMDSv1" },
		{ "token-optional token:status=403", false, -EACCES, 0, "it is switched off" },
		{ "token-optional token:status=500", false, -EAGAIN, 0, "HTTP status 500" },
		{ "token:status=405", false, -EACCES, 4, "HTTP status 401" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct imds_options options = { .v1_disabled = cases[i].v1_disabled,
			.attempts = 1 };
		struct imds_server server;
		struct imds *imds;
		struct error err;
		char *text;

		server_start(&server, cases[i].faults);
		imds = client_open(&server, options);
		for (int turn = 0; turn < 2; turn++) {
			assert_int_equal(imds_get(imds, ID_PATH, &text, &err), cases[i].status);
			assert_text(text ? text : err.text, cases[i].says);
			free(text);
		}
		assert_int_equal(server_count(&server, "GET"), cases[i].gets);
		imds_close(imds);
		server_stop(&server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_all_uses_one_connection_and_one_token),
		cmocka_unit_test(every_fault_is_an_error_that_says_what),
		cmocka_unit_test(answer_in_pieces_is_whole),
		cmocka_unit_test(limit_of_size_is_exact),
		cmocka_unit_test(fault_of_one_item_leaves_the_others),
		cmocka_unit_test(all_items_together_have_a_time_limit),
		cmocka_unit_test(limit_grows_as_slow_answers_need),
		cmocka_unit_test(what_may_pass_is_tried_again),
		cmocka_unit_test(token_is_renewed),
		cmocka_unit_test(token_that_has_ended_is_no_way_out),
		cmocka_unit_test(without_imdsv2_it_asks_without_a_token_unless_ruled_out),
	};

	if (server_missing())
		return skip_all(server_missing());
	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
