/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the environment says about the metadata service, and what may go over the line. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/facts/imds.h"

#define DISABLED    "AWS_EC2_METADATA_DISABLED"
#define V1_DISABLED "AWS_EC2_METADATA_V1_DISABLED"
#define ENDPOINT    "AWS_EC2_METADATA_SERVICE_ENDPOINT"
#define MODE	    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
#define TIMEOUT	    "AWS_METADATA_SERVICE_TIMEOUT"
#define ATTEMPTS    "AWS_METADATA_SERVICE_NUM_ATTEMPTS"

/* The environment of one case: a single variable. */
static const char *variable, *variable_value;

static char *lookup(const char *name)
{
	return variable && strcmp(name, variable) == 0 ? (char *)variable_value : NULL;
}

static const struct {
	const char *name, *value;
	struct imds_options wanted;
} good[] = {
	{ NULL, NULL, { 0 } },
	{ DISABLED, "true", { .disabled = true } },
	{ DISABLED, "TRUE", { .disabled = true } },
	{ DISABLED, "false", { 0 } },
	{ DISABLED, "", { 0 } },
	{ V1_DISABLED, "true", { .v1_disabled = true } },
	{ V1_DISABLED, "False", { 0 } },
	{ MODE, "IPv6", { .ipv6 = true } },
	{ MODE, "ipv6", { .ipv6 = true } },
	{ MODE, "IPV4", { 0 } },
	{ MODE, "", { 0 } },
	{ TIMEOUT, "1", { .timeout_ms = 1000 } },
	{ TIMEOUT, "0.25", { .timeout_ms = 250 } },
	{ TIMEOUT, "2.5", { .timeout_ms = 2500 } },
	{ TIMEOUT, "0.0019", { .timeout_ms = 1 } },
	{ TIMEOUT, "3600", { .timeout_ms = 3600000 } },
	{ ATTEMPTS, "1", { .attempts = 1 } },
	{ ATTEMPTS, "100", { .attempts = 100 } },
	{ ENDPOINT, "http://127.0.0.1:1338", { .endpoint = "http://127.0.0.1:1338" } },
	{ ENDPOINT, "", { 0 } },
	{ "AWS_REGION", "nowhere", { 0 } },
};

static void good_variable_sets_its_option(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const struct imds_options *wanted = &good[i].wanted;
		struct imds_options options = { 0 };
		struct error err;

		variable = good[i].name;
		variable_value = good[i].value;
		assert_int_equal(imds_options_read(&options, lookup, &err), 0);
		assert_int_equal(options.disabled, wanted->disabled);
		assert_int_equal(options.v1_disabled, wanted->v1_disabled);
		assert_int_equal(options.ipv6, wanted->ipv6);
		assert_int_equal(options.timeout_ms, wanted->timeout_ms);
		assert_int_equal(options.attempts, wanted->attempts);
		assert_int_equal(!options.endpoint, !wanted->endpoint);
		if (wanted->endpoint)
			assert_string_equal(options.endpoint, wanted->endpoint);
	}
}

static const struct {
	const char *name, *value, *says;
} bad[] = {
	{ DISABLED, "yes", DISABLED " is \"yes\", not true or false" },
	{ DISABLED, "1", DISABLED " is \"1\", not true or false" },
	{ V1_DISABLED, "on", V1_DISABLED " is \"on\", not true or false" },
	{ MODE, "IPv5", MODE " is \"IPv5\", not IPv4 or IPv6" },
	{ MODE, " IPv6", MODE " is \" IPv6\", not IPv4 or IPv6" },
	{ TIMEOUT, "0", TIMEOUT " is \"0\", not a number of seconds up to 3600" },
	{ TIMEOUT, "-1", TIMEOUT " is \"-1\", not a number of seconds up to 3600" },
	{ TIMEOUT, "1s", TIMEOUT " is \"1s\", not a number of seconds up to 3600" },
	{ TIMEOUT, "1.", TIMEOUT " is \"1.\", not a number of seconds up to 3600" },
	{ TIMEOUT, ".5", TIMEOUT " is \".5\", not a number of seconds up to 3600" },
	{ TIMEOUT, "0.0001", TIMEOUT " is \"0.0001\", not a number of seconds up to 3600" },
	{ TIMEOUT, "3600.5", TIMEOUT " is \"3600.5\", not a number of seconds up to 3600" },
	{ TIMEOUT, "99999999999999999999",
		TIMEOUT " is \"99999999999999999999\", not a number of seconds up to 3600" },
	{ ATTEMPTS, "0", ATTEMPTS " is \"0\", not a number from 1 to 100" },
	{ ATTEMPTS, "101", ATTEMPTS " is \"101\", not a number from 1 to 100" },
	{ ATTEMPTS, "two", ATTEMPTS " is \"two\", not a number from 1 to 100" },
	{ ENDPOINT, "127.0.0.1",
		ENDPOINT ": \"127.0.0.1\" is not the URL of a metadata service, such as "
			 "http://169.254.169.254" },
};

static void bad_variable_is_an_error_that_names_it(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct imds_options options = { 0 };
		struct error err;

		variable = bad[i].name;
		variable_value = bad[i].value;
		assert_int_equal(imds_options_read(&options, lookup, &err), -EINVAL);
		assert_string_equal(err.text, bad[i].says);
	}
}

static void explicit_endpoint_has_priority(void **state UNUSED)
{
	struct imds_options options = { .endpoint = "http://127.0.0.1:1" };
	struct error err;

	variable = ENDPOINT;
	variable_value = "http://127.0.0.1:2";
	assert_int_equal(imds_options_read(&options, lookup, &err), 0);
	assert_string_equal(options.endpoint, "http://127.0.0.1:1");
}

static void endpoint_is_checked(void **state UNUSED)
{
	static const struct {
		const char *url;
		int status;
	} cases[] = {
		{ IMDS_ENDPOINT_IPV4, 0 },
		{ IMDS_ENDPOINT_IPV6, 0 },
		{ "http://169.254.169.254/", 0 },
		{ "http://localhost:1338", 0 },
		{ "https://imds.example.org/some/path/", 0 },
		{ "http://[::1]:80", 0 },
		{ "", -EINVAL },
		{ "http://", -EINVAL },
		{ "http:///latest", -EINVAL },
		{ "169.254.169.254:80", -EINVAL },
		{ "ftp://169.254.169.254", -EINVAL },
		{ "file:///etc/passwd", -EINVAL },
		{ "http://user@169.254.169.254", -EINVAL },
		{ "http://user:word@169.254.169.254", -EINVAL },
		{ "http://169.254.169.254?a=b", -EINVAL },
		{ "http://169.254.169.254/?a=b", -EINVAL },
		{ "http://169.254.169.254/#here", -EINVAL },
		{ "http://169.254.169.254:0", -EINVAL },
		{ "http://169.254.169.254:65536", -EINVAL },
		{ "http://169.254.169.254:", -EINVAL },
		{ "http://[::1", -EINVAL },
		{ "http://[]", -EINVAL },
		{ "http://169.254.169.254/ ", -EINVAL },
		{ "http://169.254.169.254\r\nX: y", -EINVAL },
		{ " http://169.254.169.254", -EINVAL },
	};
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (imds_endpoint_check(cases[i].url, &err) != cases[i].status)
			fail_msg("%s", cases[i].url);
}

#define BYTES(text) text, sizeof(text) - 1

static void only_text_counts_as_text(void **state UNUSED)
{
	static const struct {
		const char *bytes;
		size_t size;
		bool text, token;
	} cases[] = {
		{ BYTES(""), true, false },
		{ BYTES("AQAEAL_x-9=="), true, true },
		{ BYTES("two words"), true, false },
		{ BYTES("a line\r\n\tanother\n"), true, false },
		{ BYTES("B\xc3\xbcro \xe2\x82\xac \xf0\x9f\x98\x80"), true, false },
		{ BYTES("a\0b"), false, false },
		{ BYTES("\0"), false, false },
		{ BYTES("\033[2J"), false, false },
		{ BYTES("a\x7f"), false, false },
		{ BYTES("\xc2\2332J"), false, false },	     /* C1 */
		{ BYTES("\x9b"), false, false },	     /* a continuation alone */
		{ BYTES("\xc3"), false, false },	     /* cut */
		{ BYTES("\xe2\x82"), false, false },	     /* cut */
		{ BYTES("\xc0\xaf"), false, false },	     /* overlong */
		{ BYTES("\xe0\x80\xaf"), false, false },     /* overlong */
		{ BYTES("\xf0\x80\x80\xaf"), false, false }, /* overlong */
		{ BYTES("\xed\xa0\x80"), false, false },     /* surrogate */
		{ BYTES("\xf4\x90\x80\x80"), false, false }, /* beyond Unicode */
		{ BYTES("\xff\xfe"), false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (imds_text_valid(cases[i].bytes, cases[i].size) != cases[i].text)
			fail_msg("text %zu", i);
		if (imds_token_valid(cases[i].bytes, cases[i].size) != cases[i].token)
			fail_msg("token %zu", i);
	}
}

static void only_paths_can_be_asked_for(void **state UNUSED)
{
	static const struct {
		const char *path;
		bool valid;
	} cases[] = {
		{ "meta-data/instance-id", true },
		{ "meta-data/", true },
		{ "meta-data/tags/instance/my%20tag", true },
		{ "meta-data/network/interfaces/macs/0a:1b:2c:3d:4e:5f/subnet-id", true },
		{ "", false },
		{ "/meta-data", false },
		{ "meta data", false },
		{ "meta-data?x", false },
		{ "meta-data#x", false },
		{ "a\r\nX-Evil: 1", false },
		{ "b\xc3\xbcro", false },
		/* other names of a folder, by which its secrets would not be known */
		{ "meta-data//iam", false },
		{ "meta-data/./iam", false },
		{ "meta-data/x/../iam", false },
		{ "meta-data/iam/x/..", false },
		{ "meta-data/%2Fiam", false },
		{ "meta-data/%2e/iam", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (imds_path_valid(cases[i].path) != cases[i].valid)
			fail_msg("%s", cases[i].path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_variable_sets_its_option),
		cmocka_unit_test(bad_variable_is_an_error_that_names_it),
		cmocka_unit_test(explicit_endpoint_has_priority),
		cmocka_unit_test(endpoint_is_checked),
		cmocka_unit_test(only_text_counts_as_text),
		cmocka_unit_test(only_paths_can_be_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
