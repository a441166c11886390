/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The simulated metadata service without its network: who may what, chance, tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/text.h"
#include "sim/metadata.h"

#define NOTICE "/latest/meta-data/spot/instance-action"

/* A request from elsewhere, whose headers are what the token path, or an item, is asked with. */
struct asked {
	const char *method, *path, *body, *token, *ttl;
};

static const char *header_of(const struct http_request *request, const char *name)
{
	const struct asked *asked = request->data;

	if (strcmp(name, "X-aws-ec2-metadata-token") == 0)
		return asked->token;
	return strcmp(name, "X-aws-ec2-metadata-token-ttl-seconds") == 0 ? asked->ttl : NULL;
}

/* What the service answers; http_answer_free() frees it. */
static struct http_answer answer_to(struct metadata *metadata, struct asked asked)
{
	const struct http_service *service = metadata_service(metadata);
	const struct http_request request = { .method = asked.method,
		.path = asked.path,
		.body = asked.body ? asked.body : "",
		.header = header_of,
		.data = &asked };
	struct http_answer answer;

	service->answer(service->data, &request, &answer);
	return answer;
}

/* The HTTP status of a request; the body is compared unless it is NULL. */
static unsigned status_of(struct metadata *metadata, struct asked asked, const char *body)
{
	struct http_answer answer = answer_to(metadata, asked);

	if (body)
		assert_string_equal(answer.body, body);
	http_answer_free(&answer);
	return answer.status;
}

static uint64_t advance(struct metadata *metadata, uint64_t now)
{
	const struct http_service *service = metadata_service(metadata);

	return service->advance(service->data, now);
}

static char *token_get(struct metadata *metadata)
{
	struct http_answer answer = answer_to(metadata,
		(struct asked) { .method = "PUT", .path = "/latest/api/token", .ttl = "60" });
	char *token;

	assert_int_equal(answer.status, 200);
	token = text_copy(answer.body);
	http_answer_free(&answer);
	return token;
}

static void control_is_for_this_machine_alone(void **state UNUSED)
{
	static const char *const methods[] = { "GET", "PUT", "POST", "DELETE", "HEAD" };
	static const char *const paths[] = { "/control", "/control/spot", "/control/counters",
		"/control/items/meta-data/a", "/control/none" };
	struct metadata *metadata = metadata_open();

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		for (size_t j = 0; j < ARRAY_SIZE(paths); j++) {
			const struct asked asked = {
				.method = methods[i], .path = paths[j], .body = "hibernate"
			};

			assert_int_equal(status_of(metadata, asked, NULL), 403);
		}
	metadata_close(metadata);
}

static void control_has_a_name_of_its_own(void **state UNUSED)
{
	static const struct {
		const char *path;
		int status;
	} rows[] = { { "/control", 0 }, { "/a/b/", 0 }, { "/latestish", 0 }, { "", 0 },
		{ "/", -EINVAL }, { "//", -EINVAL }, { "control", -EINVAL }, { "/latest", -EINVAL },
		{ "/latest/", -EINVAL }, { "/latest/x", -EINVAL }, { "/2009-04-04", -EINVAL } };
	struct metadata *metadata = metadata_open();
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(control_move(metadata_control(metadata), rows[i].path, &err),
			rows[i].status);
	metadata_close(metadata);
}

static void notice_comes_and_goes_at_its_time(void **state UNUSED)
{
	struct metadata *metadata = metadata_open();
	char *token = token_get(metadata);
	const struct asked request = { .method = "GET", .path = NOTICE, .token = token };
	struct error err;
	uint64_t begin, due;

	assert_int_equal(advance(metadata, clock_ns(CLOCK_MONOTONIC)), HTTP_NEVER);
	begin = clock_ns(CLOCK_MONOTONIC);
	assert_int_equal(metadata_plan(metadata, METADATA_SPOT, "{\"action\": \"hibernate\"}",
				 3600 * 1000, 60 * 1000, &err),
		0);
	due = advance(metadata, begin);
	assert_in_range(
		due, begin + 3600000000000ULL, clock_ns(CLOCK_MONOTONIC) + 3600000000000ULL);
	assert_int_equal(status_of(metadata, request, NULL), 404);
	assert_int_equal(advance(metadata, due), due + 60000000000ULL);
	assert_int_equal(status_of(metadata, request, "{\"action\": \"hibernate\"}"), 200);
	assert_int_equal(advance(metadata, due + 60000000000ULL), HTTP_NEVER);
	assert_int_equal(status_of(metadata, request, NULL), 404);
	free(token);
	metadata_close(metadata);
}

static void share_of_faults_is_about_what_was_asked_for(void **state UNUSED)
{
	static const struct {
		const char *fault;
		size_t least, most; /* of 1000 */
	} rows[] = { { "error=0%", 0, 0 }, { "error=1%", 1, 30 }, { "error=10", 70, 130 },
		{ "error=50%", 450, 550 }, { "error=99%", 970, 999 }, { "error=100%", 1000, 1000 },
		{ "error", 1000, 1000 } };
	const struct asked request = { .method = "GET", .path = NOTICE };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct metadata *metadata = metadata_open();
		struct error err;
		size_t met = 0;

		assert_int_equal(
			faults_add(&metadata_control(metadata)->faults, rows[i].fault, &err), 0);
		for (size_t n = 0; n < 1000; n++)
			met += status_of(metadata, request, NULL) == 503;
		assert_in_range(met, rows[i].least, rows[i].most);
		metadata_close(metadata);
	}
}

static void tokens_live_their_time_however_many(void **state UNUSED)
{
	struct metadata *metadata = metadata_open();
	char *first = token_get(metadata), *last = NULL;
	struct asked request = { .method = "GET", .path = "/latest/meta-data/" };

	for (size_t i = 0; i < 5000; i++)
		text_set(&last, token_get(metadata));
	request.token = first;
	assert_int_equal(status_of(metadata, request, NULL), 200);
	request.token = last;
	assert_int_equal(status_of(metadata, request, NULL), 200);
	free(first);
	free(last);
	metadata_close(metadata);
}

static void paths_are_as_lenient_as_ec2s(void **state UNUSED)
{
	static const struct {
		const char *path;
		unsigned status;
		const char *body; /* how it begins */
	} rows[] = {
		{ "/", 200, "1.0\n2007-01-19\n" },
		{ "//", 200, "1.0\n2007-01-19\n" },
		{ "/latest", 200, "dynamic\nmeta-data" },
		{ "/latest/", 200, "dynamic\nmeta-data" },
		{ "/1.0/", 200, "dynamic\nmeta-data" },
		{ "/2021-03-23/meta-data/instance-id", 200, "i-" },
		{ "//latest///meta-data//instance-id", 200, "i-" },
		{ "/latest/meta-data/instance-id/", 200, "i-" },
		{ "/latest/meta-data/placement//availability-zone/", 200, "eu-central-1a" },
		{ "/latest/meta-data/placement", 200, "availability-zone\nregion" },
		{ "/latest/meta-data/placement/", 200, "availability-zone\nregion" },
		{ "/latest/meta-data/public-keys", 200, "0=my-key-pair" },
		{ "/latest/meta-data/public-keys/", 200, "0=my-key-pair" },
		{ "/latest/meta-data/public-keys/0/", 200, "openssh-key" },
		{ "/latest/meta-data/public-keys/0/openssh-key/", 200, "ssh-ed25519 " },
		{ "/latest/meta-data/spot/", 404, "<html>" },
		{ "/latest/meta-data/instance-i", 404, "<html>" },
		{ "/2021-03-24/meta-data/instance-id", 404, "<html>" },
		{ "/latestmeta-data/", 404, "<html>" },
		{ "latest/meta-data/", 404, "<html>" },
	};
	struct metadata *metadata = metadata_open();
	char *token = token_get(metadata);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_answer answer = answer_to(metadata,
			(struct asked) { .method = "GET", .path = rows[i].path, .token = token });

		if (answer.status != rows[i].status || !text_starts(answer.body, rows[i].body))
			fail_msg("%s: %u %s", rows[i].path, answer.status, answer.body);
		http_answer_free(&answer);
	}
	free(token);
	metadata_close(metadata);
}

static void termination_time_is_there_before_an_end_only(void **state UNUSED)
{
	static const struct {
		const char *notice;
		bool is_there;
	} rows[] = { { "terminate", true }, { "stop", false }, { "hibernate", false },
		{ "{\"action\": \"terminate\", \"time\": \"2026-12-01T00:00:00Z\"}", true },
		{ "{\"action\": \"terminate\"}", false }, { "{broken", false } };
	struct metadata *metadata = metadata_open();
	char *token = token_get(metadata);
	const struct asked asked = {
		.method = "GET", .path = "/latest/meta-data/spot/termination-time", .token = token
	};
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(
			metadata_plan(metadata, METADATA_SPOT, rows[i].notice, 0, HTTP_NEVER, &err),
			0);
		assert_int_equal(status_of(metadata, asked, NULL), rows[i].is_there ? 200 : 404);
	}
	free(token);
	metadata_close(metadata);
}

static void imdsv1_is_answered_only_when_asked_for(void **state UNUSED)
{
	const struct asked none = { .method = "GET", .path = "/latest/meta-data/instance-id" };
	const struct asked wrong = { .method = "GET", .path = none.path, .token = "wrong" };
	struct metadata *metadata = metadata_open();

	assert_int_equal(status_of(metadata, none, NULL), 401);
	metadata_set_tokens_optional(metadata, true);
	assert_int_equal(status_of(metadata, none, NULL), 200);
	assert_int_equal(status_of(metadata, wrong, NULL), 401);
	metadata_close(metadata);
}

static void blanks_around_a_header_do_not_count(void **state UNUSED)
{
	struct metadata *metadata = metadata_open();
	char *token = token_get(metadata), *padded = text_format("  %s \t", token);
	const struct asked asked = {
		.method = "GET", .path = "/latest/meta-data/instance-id", .token = padded
	};
	const struct asked fresh = { .method = "PUT", .path = "/latest/api/token", .ttl = " 60 " };

	assert_int_equal(status_of(metadata, asked, NULL), 200);
	assert_int_equal(status_of(metadata, fresh, NULL), 200);
	free(token);
	free(padded);
	metadata_close(metadata);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_is_for_this_machine_alone),
		cmocka_unit_test(control_has_a_name_of_its_own),
		cmocka_unit_test(notice_comes_and_goes_at_its_time),
		cmocka_unit_test(share_of_faults_is_about_what_was_asked_for),
		cmocka_unit_test(tokens_live_their_time_however_many),
		cmocka_unit_test(paths_are_as_lenient_as_ec2s),
		cmocka_unit_test(termination_time_is_there_before_an_end_only),
		cmocka_unit_test(imdsv1_is_answered_only_when_asked_for),
		cmocka_unit_test(blanks_around_a_header_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
