/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/imds_options.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/memory.h"
#include "core/base/text.h"

#define TIMEOUT_MOST_S 3600
#define ATTEMPTS_MOST  100

#define DIGITS	"0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* The end of the host that begins at TEXT, NULL when there is none. */
static const char *host_end(const char *text)
{
	size_t length;

	if (*text == '[') {
		length = strspn(text + 1, DIGITS "abcdefABCDEF:.");
		return length && text[length + 1] == ']' ? text + length + 2 : NULL;
	}
	length = strspn(text, DIGITS LETTERS ".-");
	return length ? text + length : NULL;
}

/* The end of ":PORT" at TEXT; TEXT itself when there is no colon, NULL for a bad number. */
static const char *port_end(const char *text)
{
	size_t length = *text == ':' ? strspn(text + 1, DIGITS) : 0;
	memory_cleanup_free char *number = NULL;
	uint64_t port;

	if (*text != ':')
		return text;
	number = text_copy_length(text + 1, length);
	if (number_parse(number, &port) < 0 || port < 1 || port > UINT16_MAX)
		return NULL;
	return text + 1 + length;
}

static bool url_is_endpoint(const char *url)
{
	const char *rest = strstr(url, "://");

	if (!text_starts(url, "http://") && !text_starts(url, "https://"))
		return false;
	rest = host_end(rest + 3);
	if (rest)
		rest = port_end(rest);
	if (!rest)
		return false;
	/* What is left is a path; this leaves no room for a user, a query or a fragment. */
	return !*rest || (*rest == '/' && !rest[strspn(rest, DIGITS LETTERS "/._~-")]);
}

int imds_endpoint_check(const char *url, struct error *err)
{
	if (url_is_endpoint(url))
		return 0;
	return error_set(err, EINVAL, "\"%s\" is not the URL of a metadata service, such as %s",
		url, IMDS_ENDPOINT_IPV4);
}

/* The value of a variable, NULL when it is not set or empty. */
static const char *value_of(imds_lookup *lookup, const char *name)
{
	const char *value = lookup(name);

	return value && *value ? value : NULL;
}

static int read_flag(bool *flag, imds_lookup *lookup, const char *name, struct error *err)
{
	const char *value = value_of(lookup, name);

	if (!value)
		return 0;
	*flag = strcasecmp(value, "true") == 0;
	if (!*flag && strcasecmp(value, "false") != 0)
		return error_set(err, EINVAL, "%s is \"%s\", not true or false", name, value);
	return 0;
}

static int read_endpoint(struct imds_options *options, imds_lookup *lookup, struct error *err)
{
	static const char name[] = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
	const char *value = value_of(lookup, name);
	int status;

	if (!value || options->endpoint)
		return 0;
	status = imds_endpoint_check(value, err);
	if (status < 0)
		return error_prefix(err, status, "%s", name);
	options->endpoint = value;
	return 0;
}

static int read_mode(struct imds_options *options, imds_lookup *lookup, struct error *err)
{
	static const char name[] = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
	const char *value = value_of(lookup, name);

	if (!value)
		return 0;
	options->ipv6 = strcasecmp(value, "IPv6") == 0;
	if (!options->ipv6 && strcasecmp(value, "IPv4") != 0)
		return error_set(err, EINVAL, "%s is \"%s\", not IPv4 or IPv6", name, value);
	return 0;
}

/* "2" or "0.25" in milliseconds; 0 for what is not a time. */
static unsigned milliseconds_parse(const char *text)
{
	size_t whole = strspn(text, DIGITS);
	memory_cleanup_free char *number = text_copy_length(text, whole);
	uint64_t seconds, ms = 0;

	if (number_parse(number, &seconds) < 0 || seconds > TIMEOUT_MOST_S)
		return 0;
	text += whole;
	if (*text == '.') {
		size_t digits = strspn(++text, DIGITS);

		if (digits == 0)
			return 0;
		for (size_t i = 0; i < 3; i++)
			ms = ms * 10 + (i < digits ? (uint64_t)(text[i] - '0') : 0);
		text += digits;
	}
	ms += seconds * 1000;
	return *text || ms > TIMEOUT_MOST_S * 1000 ? 0 : (unsigned)ms;
}

static int read_timeout(struct imds_options *options, imds_lookup *lookup, struct error *err)
{
	static const char name[] = "AWS_METADATA_SERVICE_TIMEOUT";
	const char *value = value_of(lookup, name);

	if (!value)
		return 0;
	options->timeout_ms = milliseconds_parse(value);
	if (options->timeout_ms == 0)
		return error_set(err, EINVAL, "%s is \"%s\", not a number of seconds up to %d",
			name, value, TIMEOUT_MOST_S);
	return 0;
}

static int read_attempts(struct imds_options *options, imds_lookup *lookup, struct error *err)
{
	static const char name[] = "AWS_METADATA_SERVICE_NUM_ATTEMPTS";
	const char *value = value_of(lookup, name);
	uint64_t number;

	if (!value)
		return 0;
	if (number_parse(value, &number) < 0 || number < 1 || number > ATTEMPTS_MOST)
		return error_set(err, EINVAL, "%s is \"%s\", not a number from 1 to %d", name,
			value, ATTEMPTS_MOST);
	options->attempts = (unsigned)number;
	return 0;
}

int imds_options_read(struct imds_options *options, imds_lookup *lookup, struct error *err)
{
	int status;

	status = read_flag(&options->disabled, lookup, "AWS_EC2_METADATA_DISABLED", err);
	if (status < 0)
		return status;
	status = read_flag(&options->v1_disabled, lookup, "AWS_EC2_METADATA_V1_DISABLED", err);
	if (status < 0)
		return status;
	status = read_mode(options, lookup, err);
	if (status < 0)
		return status;
	status = read_endpoint(options, lookup, err);
	if (status < 0)
		return status;
	status = read_timeout(options, lookup, err);
	if (status < 0)
		return status;
	return read_attempts(options, lookup, err);
}
