/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The facts about the instance, from a simulated metadata service. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/facts/instance.h"
#include "tests/lib/imds_server.h"
#include "tests/lib/skip.h"

/* No slow machine needs so long; a test that waits for it has gone wrong. */
#define LONG_MS 60000

#define DOCUMENT "dynamic/instance-identity/document"

/* The facts as compact JSON; the caller frees it. */
static char *facts_said(const struct imds_options *options)
{
	struct instance_facts facts = { 0 };
	json_t *json;
	char *text;

	instance_gather(&facts, options);
	json = layout_to_json(&instance_facts_layout, &facts);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	layout_free(&instance_facts_layout, &facts);
	return text;
}

/* Keeps the server, for its log; server_stop() ends it. */
static char *gather(const struct imds_server *server, struct imds_options options)
{
	options.endpoint = server->url;
	if (!options.timeout_ms)
		options.timeout_ms = LONG_MS;
	return facts_said(&options);
}

static void assert_said(const char *facts, const char *part)
{
	if (!strstr(facts, part))
		fail_msg("%s lacks %s", facts, part);
}

static void all_facts_come_over_one_connection_with_one_token(void **state UNUSED)
{
	struct imds_server server;
	char *facts;

	server_start(&server, "");
	facts = gather(&server, (struct imds_options) { 0 });
	assert_string_equal(facts,
		"{\"id\":\"" SERVER_ID "\",\"type\":\"m5.large\",\"region\":\"eu-central-1\","
		"\"zone\":\"eu-central-1a\",\"image\":\"ami-0123456789abcdef0\","
		"\"architecture\":\"x86_64\",\"life_cycle\":\"spot\","
		"\"hibernation_configured\":true,\"target_lifecycle_state\":\"InService\"}");
	assert_int_equal(server_count(&server, "/latest/"), 6);
	assert_int_equal(server_count(&server, "PUT /latest/api/token"), 1);
	assert_int_equal(server_connections(&server), 1);
	free(facts);
	server_stop(&server);
}

/* One item of the service, and what becomes of it. */
static const struct {
	const char *path, *value, *says;
} values[] = {
	{ "meta-data/instance-id", "i-01234567", "\"id\":\"i-01234567\"" },
	{ "meta-data/instance-id", NULL, "\"id\":{\"unknown\":\"meta-data/instance-id: HTTP" },
	{ "meta-data/instance-id", "", "\"id\":{\"unknown\":\"meta-data/instance-id: the answer" },
	{ "meta-data/instance-id", "i-", "\\\"i-\\\" is not an instance id\"}" },
	{ "meta-data/instance-id", "i-0123456789abcdef", "is not an instance id\"}" },
	{ "meta-data/instance-id", "i-0123456789ABCDEF0", "is not an instance id\"}" },
	{ "meta-data/instance-id", "i-0123456789abcdef0\n", "the answer is not an instance id\"}" },
	{ "meta-data/instance-life-cycle", "on-demand", "\"life_cycle\":\"on-demand\"" },
	{ "meta-data/instance-life-cycle", "Spot", "\"life_cycle\":{\"unknown\":\"meta-data" },
	{ "meta-data/instance-life-cycle", "spot ", "\\\"spot \\\" is not a word that is known" },
	{ "meta-data/instance-life-cycle", NULL, "\"life_cycle\":null" },
	{ "meta-data/hibernation/configured", "false", "\"hibernation_configured\":false" },
	{ "meta-data/hibernation/configured", "True", "\\\"True\\\" is not true or false\"}" },
	{ "meta-data/hibernation/configured", "1", "\\\"1\\\" is not true or false\"}" },
	{ "meta-data/hibernation/configured", "true\n", "the answer is not true or false\"}" },
	{ "meta-data/hibernation/configured", NULL, "\"hibernation_configured\":null" },
	{ "meta-data/autoscaling/target-lifecycle-state", "Warmed:Hibernated",
		"\"target_lifecycle_state\":\"Warmed:Hibernated\"" },
	{ "meta-data/autoscaling/target-lifecycle-state", "InServ",
		"\"target_lifecycle_state\":{\"unknown\":" },
	{ "meta-data/autoscaling/target-lifecycle-state", NULL, "\"target_lifecycle_state\":null" },
	{ DOCUMENT, NULL, "\"type\":{\"unknown\":\"" DOCUMENT ": HTTP status 404, not there\"}" },
	{ DOCUMENT, "", "\"type\":{\"unknown\":\"" DOCUMENT ": the answer is not a JSON object" },
	{ DOCUMENT, "[]", "\"region\":{\"unknown\":\"" DOCUMENT ": the answer is not a JSON obj" },
	{ DOCUMENT, "{\"region\":\"a-1\"", "\"region\":{\"unknown\":\"" DOCUMENT ": the answer" },
	{ DOCUMENT, "{\"region\":\"a-1\"}x", "\"region\":{\"unknown\":\"" DOCUMENT ": the answer" },
	{ DOCUMENT, "{\"region\":\"a\",\"region\":\"b\"}", "\"region\":{\"unknown\":" },
	{ DOCUMENT, "{\"region\":\"a-1\"}", "\"region\":\"a-1\"" },
	{ DOCUMENT, "{\"region\":\"a-1\"}", "\"type\":{\"unknown\":\"" DOCUMENT ", instanceType:" },
	{ DOCUMENT, "{\"region\":1}",
		"\"region\":{\"unknown\":\"" DOCUMENT ", region: no text\"}" },
	{ DOCUMENT, "{\"region\":null}", "\"region\":{\"unknown\":" },
	{ DOCUMENT, "{\"region\":\"A 1\"}", "\\\"A 1\\\" is not a region\"}" },
	{ DOCUMENT, "{\"region\":\"\\u001b[2J\"}", ", region: the answer is not a region\"}" },
	{ DOCUMENT, "{\"region\":\"a\\u0000b\"}", "\"region\":{\"unknown\":" },
	{ DOCUMENT, "{\"instanceType\":\"u-6tb1.112xlarge\"}", "\"type\":\"u-6tb1.112xlarge\"" },
	{ DOCUMENT, "{\"instanceType\":\"../m5\"}", "is not an instance type\"}" },
	{ DOCUMENT, "{\"imageId\":\"ami-0123\"}", "\\\"ami-0123\\\" is not an image id\"}" },
	{ DOCUMENT, "{\"architecture\":\"arm64\"}", "\"architecture\":\"arm64\"" },
};

static void value_of_wrong_form_is_unknown(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct imds_server server;
		char *facts;

		server_start_with(&server, values[i].path, values[i].value);
		facts = gather(&server, (struct imds_options) { 0 });
		assert_said(facts, values[i].says);
		free(facts);
		server_stop(&server);
	}
}

/* Faults after which there must not be a single fact, known or absent. */
static void fault_gives_no_fact(void **state UNUSED)
{
	static const char *const faults[] = { "status=401", "status=403", "status=404",
		"status=405", "status=500", "status=503", "status=204", "close", "reset", "cut",
		"cut-header", "huge", "not-http", "header-flood", "garbage",
		"redirect=http://127.0.0.1:1/", "body=<html>", "token:status=403",
		"items:status=403", "items:status=404", "items:status=500", "items:close",
		"items:reset", "items:cut-header", "items:cut", "items:huge", "items:not-http",
		"items:header-flood", "items:garbage", "items:redirect=http://127.0.0.1:1/",
		"items:body=<html>", "items:length=-3" };

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		const struct imds_options options = { .attempts = 1, .total_ms = 5 * LONG_MS };
		struct imds_server server;
		char *facts;
		size_t unknown = 0;

		server_start(&server, faults[i]);
		facts = gather(&server, options);
		for (const char *at = facts; (at = strstr(at, ":{\"unknown\":\"")); at++)
			unknown++;
		if (unknown != instance_facts_layout.count)
			fail_msg("%s: %s", faults[i], facts);
		free(facts);
		server_stop(&server);
	}
}

static void hanging_service_gives_one_reason_for_all(void **state UNUSED)
{
	const struct imds_options options = { .timeout_ms = 1000 };
	struct imds_server server;
	char *facts, reason[256];
	size_t count = 0;

	server_start(&server, "hang");
	facts = gather(&server, options);
	snprintf(reason, sizeof(reason),
		"{\"unknown\":\"the metadata service at %s gave no token within 1.0 s",
		server.address);
	for (const char *at = facts; (at = strstr(at, reason)); at++)
		count++;
	assert_int_equal(count, instance_facts_layout.count);
	free(facts);
	server_stop(&server);
}

static void token_that_ends_at_once_does_no_harm(void **state UNUSED)
{
	struct imds_server server;
	char *facts;

	server_start(&server, "token-loss=1");
	facts = gather(&server, (struct imds_options) { 0 });
	assert_null(strstr(facts, "unknown"));
	assert_int_equal(server_count(&server, "PUT /latest/api/token"), 5);
	assert_int_equal(server_connections(&server), 1);
	free(facts);
	server_stop(&server);
}

static void service_that_is_switched_off_is_not_asked(void **state UNUSED)
{
	struct imds_server server;
	char *facts;

	server_start(&server, "");
	facts = gather(&server, (struct imds_options) { .disabled = true });
	assert_said(facts, "{\"id\":{\"unknown\":\"switched off by AWS_EC2_METADATA_DISABLED\"}");
	assert_int_equal(server_counter(&server, "requests"), 0);
	free(facts);
	server_stop(&server);
}

static void bad_endpoint_is_the_reason(void **state UNUSED)
{
	const struct imds_options options = { .endpoint = "nowhere" };
	char *facts = facts_said(&options);

	assert_said(facts, "{\"unknown\":\"\\\"nowhere\\\" is not the URL of a metadata service");
	free(facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_facts_come_over_one_connection_with_one_token),
		cmocka_unit_test(value_of_wrong_form_is_unknown),
		cmocka_unit_test(fault_gives_no_fact),
		cmocka_unit_test(hanging_service_gives_one_reason_for_all),
		cmocka_unit_test(token_that_ends_at_once_does_no_harm),
		cmocka_unit_test(service_that_is_switched_off_is_not_asked),
		cmocka_unit_test(bad_endpoint_is_the_reason),
	};

	if (server_missing())
		return skip_all(server_missing());
	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
