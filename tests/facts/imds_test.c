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
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/imds.h"
#include "tests/lib/imds_server.h"

#define ID_PATH	   "meta-data/instance-id"
#define CYCLE_PATH "meta-data/instance-life-cycle"
#define NAME_PATH  "meta-data/tags/instance/Name"

/* No slow machine needs so long; a test that waits for it has gone wrong. */
#define LONG_MS 60000

/* A limit that is meant to be reached. */
#define SHORT_MS 1000

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

/* One item from a service with these arguments: its status, and the sentence or the text. */
static int get_one(const char *arguments, struct imds_options options, char **said)
{
	struct imds_server server;
	struct imds *imds;
	struct error err;
	int status;

	server_start(&server, arguments);
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
	assert_int_equal(server_count(&server, "PUT api/token"), 1);
	assert_int_equal(server_count(&server, "token=good"), 9);
	assert_int_equal(server_connections(&server), 1);
	imds_close(imds);
	server_stop(&server);
}

/* Every fault of the service: what the client says, and that it never takes it for an answer. */
static const struct {
	const char *arguments;
	int status;
	const char *says;
} faults[] = {
	{ "--fault token:status=400", -EPROTO, "gave no token: api/token: HTTP status 400" },
	{ "--fault token:status=401", -EACCES, "gave no token: api/token: HTTP status 401" },
	{ "--fault token:status=403", -EACCES, "it is switched off, or its hop limit is too low" },
	{ "--fault token:status=500", -EAGAIN, "gave no token: api/token: HTTP status 500" },
	{ "--fault token:status=503", -EAGAIN, "gave no token: api/token: HTTP status 503" },
	{ "--fault token:status=404", -EACCES, ID_PATH ": HTTP status 401" },
	{ "--fault token:hang", -ETIMEDOUT, "gave no token within 1.0 s; in a container" },
	{ "--fault token:slow=600000", -ETIMEDOUT, "gave no token within 1.0 s" },
	{ "--fault token:drop", -ECONNRESET, "gave no token: api/token: the answer was cut off" },
	{ "--fault token:cut", -ECONNRESET, "api/token: the answer was cut off" },
	{ "--fault token:huge", -EFBIG, "api/token: the answer has too many bytes" },
	{ "--fault token:header-flood", -EFBIG, "api/token: the answer has too many headers" },
	{ "--fault token:garbage", -EPROTO, "api/token: not an HTTP answer" },
	{ "--fault token:nul", -EBADMSG, "api/token: the answer is not a token" },
	{ "--fault token:not-json=a\nX-Evil:b", -EBADMSG, "the answer is not a token" },
	{ "--fault token:not-json=", -EBADMSG, "the answer is not a token" },
	{ "--fault token:redirect", -EPROTO, "HTTP status 302, a redirect, which is not" },
	{ "--fault items:status=204", -EPROTO, ID_PATH ": HTTP status 204" },
	{ "--fault items:status=401", -EACCES, ID_PATH ": HTTP status 401" },
	{ "--fault items:status=403", -EACCES, ID_PATH ": HTTP status 403" },
	{ "--fault items:status=404", -ENOENT, ID_PATH ": HTTP status 404" },
	{ "--fault items:status=405", -EPROTO, ID_PATH ": HTTP status 405" },
	{ "--fault items:status=429", -EAGAIN, ID_PATH ": HTTP status 429" },
	{ "--fault items:status=500", -EAGAIN, ID_PATH ": HTTP status 500" },
	{ "--fault items:hang", -ETIMEDOUT, "did not answer within 1.0 s" },
	{ "--fault items:slow=600000", -ETIMEDOUT, "did not answer within 1.0 s" },
	{ "--fault items:drop", -ECONNRESET, ID_PATH ": the answer was cut off" },
	{ "--fault items:cut", -ECONNRESET, ID_PATH ": the answer was cut off" },
	{ "--fault items:cut --fault items:status=404", -ECONNRESET, "the answer was cut off" },
	{ "--fault items:huge", -EFBIG, ID_PATH ": the answer has too many bytes" },
	{ "--fault items:header-flood", -EFBIG, ID_PATH ": the answer has too many headers" },
	{ "--fault items:garbage", -EPROTO, ID_PATH ": not an HTTP answer" },
	{ "--fault items:nul", -EBADMSG, ID_PATH ": the answer is not text" },
	{ "--fault items:length=10", -ETIMEDOUT, "did not answer within 1.0 s" },
	{ "--fault items:redirect", -EPROTO, ID_PATH ": HTTP status 302, a redirect" },
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

		status = get_one(faults[i].arguments, options, &said);
		if (status != faults[i].status || !strstr(said, faults[i].says))
			fail_msg("%s: %d, %s", faults[i].arguments, status, said);
		free(said);
	}
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
	memory_cleanup_free char *arguments = NULL;

	memset(token, 'a', size);
	arguments = text_format("--fault token:not-json=%s", token);
	return get_one(arguments, (struct imds_options) { 0 }, &said);
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

	server_start(&server, "--fault " CYCLE_PATH ":drop");
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

	server_start(&server, "--fault items:hang");
	imds = client_open(&server,
		(struct imds_options) { .timeout_ms = SHORT_MS, .total_ms = SHORT_MS + 500 });
	imds_get_all(imds, items, ARRAY_SIZE(items), &err);
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		assert_int_equal(items[i].status, -ETIMEDOUT);
	assert_text(items[2].error.text, "within the 1.5 s for all");
	/* With no time left nothing is sent, and no second attempt is made that would be cut. */
	assert_true(server_count(&server, "GET") <= 2);
	imds_close(imds);
	server_stop(&server);
}

static void what_may_pass_is_tried_again(void **state UNUSED)
{
	static const struct {
		const char *arguments;
		unsigned attempts;
		int status;
		size_t puts, gets;
	} cases[] = {
		{ "--fault token:flaky=2", 3, 0, 3, 1 },
		{ "--fault token:flaky=3", 3, -EAGAIN, 3, 0 },
		{ "--fault items:flaky=1", 2, 0, 1, 2 },
		{ "--fault items:flaky=1", 1, -EAGAIN, 1, 1 },
		{ "--fault flaky=1", 2, 0, 2, 1 },
		{ "--fault items:status=404", 3, -ENOENT, 1, 1 },
		{ "--fault items:status=403", 3, -EACCES, 1, 1 },
		{ "--fault items:status=302", 3, -EPROTO, 1, 1 },
		{ "--fault items:nul", 3, -EBADMSG, 1, 1 },
		{ "--fault token:status=403", 3, -EACCES, 1, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct imds_server server;
		struct imds *imds;
		struct error err;
		char *text;

		server_start(&server, cases[i].arguments);
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
		const char *arguments;
		size_t tokens, refused; /* in two rounds of two items */
	} cases[] = {
		{ "", 1, 0 },
		{ "--fault token-expires=1", 4, 3 }, /* on 401 */
		{ "--fault token-expires=3", 2, 1 },
		{ "--fault token-ttl=60", 2, 0 }, /* before its end */
		{ "--fault token-ttl=3600", 1, 0 },
		/* There is no new one (in three attempts), but the old one is good for a while. */
		{ "--fault token-ttl=60 --fault token:lasts=1", 4, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct imds_server server;
		struct imds *imds;
		struct error err;

		server_start(&server, cases[i].arguments);
		imds = client_open(&server, (struct imds_options) { .total_ms = 10 * LONG_MS });
		for (int turn = 0; turn < 2; turn++) {
			struct imds_item items[] = { { .path = ID_PATH }, { .path = CYCLE_PATH } };

			assert_int_equal(imds_get_all(imds, items, ARRAY_SIZE(items), &err), 0);
			assert_int_equal(items[0].status, 0);
			assert_int_equal(items[1].status, 0);
			imds_items_free(items, ARRAY_SIZE(items));
		}
		assert_int_equal(server_count(&server, "PUT"), cases[i].tokens);
		assert_int_equal(server_count(&server, "status=401"), cases[i].refused);
		assert_int_equal(server_connections(&server), 1);
		imds_close(imds);
		server_stop(&server);
	}
}

static void without_imdsv2_it_asks_without_a_token_unless_ruled_out(void **state UNUSED)
{
	static const struct {
		const char *arguments;
		bool v1_disabled;
		int status;
		size_t gets;
		const char *says;
	} cases[] = {
		{ "--v1 --fault token:status=404", false, 0, 2, SERVER_ID },
		{ "--v1 --fault token:status=405", false, 0, 2, SERVER_ID },
		{ "--v1 --fault token:status=404", true, -EOPNOTSUPP, 0, "rules out IMDSv1" },
		{ "--v1 --fault token:status=403", false, -EACCES, 0, "it is switched off" },
		{ "--v1 --fault token:status=500", false, -EAGAIN, 0, "HTTP status 500" },
		{ "--fault token:status=405", false, -EACCES, 4, "HTTP status 401" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct imds_options options = { .v1_disabled = cases[i].v1_disabled,
			.attempts = 1 };
		struct imds_server server;
		struct imds *imds;
		struct error err;
		char *text;

		server_start(&server, cases[i].arguments);
		imds = client_open(&server, options);
		for (int turn = 0; turn < 2; turn++) {
			assert_int_equal(imds_get(imds, ID_PATH, &text, &err), cases[i].status);
			assert_text(text ? text : err.text, cases[i].says);
			free(text);
		}
		assert_int_equal(server_count(&server, "GET"), cases[i].gets);
		assert_int_equal(server_count(&server, "token=none"),
			cases[i].gets + server_count(&server, "PUT"));
		imds_close(imds);
		server_stop(&server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_all_uses_one_connection_and_one_token),
		cmocka_unit_test(every_fault_is_an_error_that_says_what),
		cmocka_unit_test(limit_of_size_is_exact),
		cmocka_unit_test(fault_of_one_item_leaves_the_others),
		cmocka_unit_test(all_items_together_have_a_time_limit),
		cmocka_unit_test(what_may_pass_is_tried_again),
		cmocka_unit_test(token_is_renewed),
		cmocka_unit_test(without_imdsv2_it_asks_without_a_token_unless_ruled_out),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
