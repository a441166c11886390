/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One call of imds_get_all() is a job: a token when there is none, then item after item, each with
 * its attempts. A job never waits by itself: imds_step() does what can be done and says how long
 * nothing will happen, so that imds_get_all() is only a loop around it.
 *
 * Where the SDKs fall back to IMDSv1 when the PUT gives 403, 404 or 405, we do so for 404 and 405
 * alone: 403 is what a service answers that is switched off, and asking it without a token would
 * hide that.
 */
#include "core/facts/imds.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/curl.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#define TOKEN_HEADER "X-aws-ec2-metadata-token"
#define TTL_HEADER   "X-aws-ec2-metadata-token-ttl-seconds"
/* What is asked for, and the most that a service may give. */
#define TOKEN_TTL_S 21600
/* A token that ends so soon is renewed before it is used again. */
#define TOKEN_MARGIN_MS 60000
#define PAUSE_FIRST_MS	50
#define PAUSE_MOST_MS	1000

/* ---- What is text, a token, a path ----------------------------------------------------------- */

bool imds_text_valid(const char *body, size_t size)
{
	while (size) {
		uint32_t code;
		size_t length = utf8_next(body, size, &code);

		if (length == 0)
			return false;
		if (utf8_is_control(code) && code != '\t' && code != '\n' && code != '\r')
			return false;
		body += length;
		size -= length;
	}
	return true;
}

bool imds_token_valid(const char *body, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (body[i] <= ' ' || body[i] >= 0x7f)
			return false;
	return size > 0;
}

/* Of a service that takes such a path as another one: that one would not be known by its name. */
static bool leads_elsewhere(const char *path)
{
	static const char *const parts[] = { "//", "/./", "/../", "%2f", "%2F", "%2e", "%2E" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strstr(path, parts[i]))
			return true;
	return text_ends(path, "/.") || text_ends(path, "/..");
}

bool imds_path_valid(const char *path)
{
	static const char others[] = "-._~/:@!$&'()*+,;=%";

	if (leads_elsewhere(path))
		return false;
	for (const char *c = path; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
			!(*c >= '0' && *c <= '9') && !strchr(others, *c))
			return false;
	return *path && *path != '/';
}

/* ---- One HTTP request after the other, over one connection ----------------------------------- */

/* The service sends some ten header lines; who sends more than this is not the service. */
#define HEADERS_LIMIT ((size_t)16 * 1024)

/*
 * What came of a request. Valid until the next one starts.
 *
 * STATUS is the HTTP status of a whole answer. Otherwise it is 0 and FAILURE says what went wrong,
 * as an errno: ETIMEDOUT, ECONNRESET (cut), EFBIG (too many bytes), EPROTO (not HTTP), or why there
 * is no connection.
 */
struct answer {
	long status;
	int failure;
	bool connected;	  /* the request could be sent */
	const char *body; /* a NUL follows it */
	size_t size;
	unsigned token_ttl; /* X-aws-ec2-metadata-token-ttl-seconds, 0: none */
	const char *cause;  /* words for FAILURE, never the service's own */
};

struct http {
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers; /* of the request under way */
	size_t limit;
	size_t headers_size;
	bool headers_whole; /* the empty line after them came */
	bool too_large;
	bool not_http;
	unsigned token_ttl;
	size_t size;
	char body[IMDS_ITEM_LIMIT + 1];
};

static size_t receive_body(char *data, size_t unit, size_t count, void *context)
{
	struct http *http = context;
	size_t size = unit * count;

	if (size > http->limit - http->size) {
		http->too_large = true;
		return 0; /* makes libcurl give up and close the connection */
	}
	memcpy(http->body + http->size, data, size);
	http->size += size;
	return size;
}

/* The time to live in a header line without a NUL, 0 when it is another line or not a number. */
static unsigned ttl_parse(const char *line, size_t size)
{
	size_t name = strlen(TTL_HEADER);
	memory_cleanup_free char *text = NULL;
	uint64_t ttl;

	if (size <= name || strncasecmp(line, TTL_HEADER, name) != 0 || line[name] != ':')
		return 0;
	text = text_copy_length(line + name + 1, size - name - 1);
	if (number_parse(text_trim(text), &ttl) < 0)
		return 0;
	return ttl < TOKEN_TTL_S ? (unsigned)ttl : TOKEN_TTL_S;
}

/*
 * "HTTP/1.1 200 OK". libcurl is generous with what it does not understand there, and would take the
 * rest for an answer.
 */
static bool status_line_valid(const char *line, size_t size)
{
	static const char form[] = "HTTP/1.d ddd";
	size_t length = strlen(form);

	if (size <= length || !strchr(" \r\n", line[length]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (form[i] == 'd' ? line[i] < '0' || line[i] > '9' : line[i] != form[i])
			return false;
	return true;
}

static size_t receive_header(char *data, size_t unit, size_t count, void *context)
{
	struct http *http = context;
	size_t size = unit * count;
	unsigned ttl;

	if (http->headers_size == 0 && !status_line_valid(data, size)) {
		http->not_http = true;
		return 0;
	}
	/* A second header may follow, that of the answer after "100 Continue". */
	if (size >= 5 && memcmp(data, "HTTP/", 5) == 0)
		http->headers_whole = false;
	else if (*data == '\r' || *data == '\n')
		http->headers_whole = true;
	http->headers_size += size;
	if (http->headers_size > HEADERS_LIMIT) {
		http->too_large = true;
		return 0;
	}
	ttl = ttl_parse(data, size);
	if (ttl)
		http->token_ttl = ttl;
	return size;
}

/* What every request has in common. */
static void set_up(struct http *http)
{
	CURL *easy = http->easy;

	curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	/* Instance data are for this machine alone: no proxy, whatever the environment says. */
	curl.easy_setopt(easy, CURLOPT_PROXY, "");
	curl.easy_setopt(easy, CURLOPT_NOPROXY, "*");
#if LIBCURL_VERSION_NUM >= 0x075500
	curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl.easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
#if LIBCURL_VERSION_NUM >= 0x074000
	curl.easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
#endif
	curl.easy_setopt(easy, CURLOPT_USERAGENT, "ec2hib");
	curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive_body);
	curl.easy_setopt(easy, CURLOPT_WRITEDATA, http);
	curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, receive_header);
	curl.easy_setopt(easy, CURLOPT_HEADERDATA, http);
}

static void http_close(struct http *http)
{
	if (http->multi && http->easy)
		curl.multi_remove_handle(http->multi, http->easy);
	curl.easy_cleanup(http->easy);
	curl.multi_cleanup(http->multi);
	curl.slist_free_all(http->headers);
	curl.global_cleanup();
}

/* BASE is what the URLs will begin with. */
static int http_open(struct http *http, const char *base, struct error *err)
{
	/* Setting up TLS costs more time and memory than all of this program: only when needed. */
	long parts = text_starts(base, "https:") ? CURL_GLOBAL_SSL : CURL_GLOBAL_NOTHING;

	if (curl_load(err) < 0)
		return -EIO;
	if (curl.global_init(parts) != CURLE_OK)
		return error_set(err, EIO, "cannot start libcurl");
	http->multi = curl.multi_init();
	http->easy = curl.easy_init();
	if (!http->multi || !http->easy) {
		http_close(http);
		return error_set(err, ENOMEM, "cannot start libcurl");
	}
	curl.multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, 1L);
	set_up(http);
	return 0;
}

static void header_add(struct http *http, char *line)
{
	struct curl_slist *more = curl.slist_append(http->headers, line);

	free(line);
	if (!more)
		abort();
	http->headers = more;
}

static void headers_clear(struct http *http)
{
	curl.slist_free_all(http->headers);
	http->headers = NULL;
}

/* TOKEN may be NULL. */
static void get_prepare(struct http *http, const char *token)
{
	headers_clear(http);
	if (token)
		header_add(http, text_format(TOKEN_HEADER ": %s", token));
	curl.easy_setopt(http->easy, CURLOPT_CUSTOMREQUEST, NULL);
	curl.easy_setopt(http->easy, CURLOPT_HTTPGET, 1L);
}

/* Asks for a token of TTL seconds. */
static void put_prepare(struct http *http, unsigned ttl)
{
	headers_clear(http);
	header_add(http, text_format(TTL_HEADER ": %u", ttl));
	/* A PUT without a body, and without what libcurl would say about that body. */
	header_add(http, text_copy("Content-Type:"));
	curl.easy_setopt(http->easy, CURLOPT_POSTFIELDS, "");
	curl.easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE, 0L);
	curl.easy_setopt(http->easy, CURLOPT_CUSTOMREQUEST, "PUT");
}

/* LIMIT is of the body, TIMEOUT_MS from the connection to the last byte. None may be under way. */
static void http_start(struct http *http, const char *url, size_t limit, unsigned timeout_ms)
{
	http->limit = limit;
	http->size = 0;
	http->headers_size = 0;
	http->headers_whole = false;
	http->too_large = false;
	http->not_http = false;
	http->token_ttl = 0;
	curl.easy_setopt(http->easy, CURLOPT_URL, url);
	curl.easy_setopt(http->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl.easy_setopt(http->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
	curl.easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->headers);
	/* With nothing under way this fails only for want of memory. */
	if (curl.multi_add_handle(http->multi, http->easy) != CURLM_OK)
		abort();
}

static int failure_of(const struct http *http, CURLcode result)
{
	long cause = 0;

	if (http->too_large)
		return EFBIG;
	if (http->not_http)
		return EPROTO;
	switch (result) {
	case CURLE_OK:
		/* To libcurl a connection that ends within the header is an empty answer. */
		return http->headers_whole ? 0 : ECONNRESET;
	case CURLE_OPERATION_TIMEDOUT:
		return ETIMEDOUT;
	case CURLE_COULDNT_CONNECT:
		curl.easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &cause);
		return cause ? (int)cause : ECONNREFUSED;
	case CURLE_COULDNT_RESOLVE_HOST:
		return EHOSTUNREACH;
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return ECONNRESET;
	default:
		return EPROTO;
	}
}

static void answer_fill(struct http *http, CURLcode result, struct answer *answer)
{
	curl_off_t sent = 0;

	curl.easy_getinfo(http->easy, CURLINFO_PRETRANSFER_TIME_T, &sent);
	http->body[http->size] = '\0';
	*answer = (struct answer) {
		.failure = failure_of(http, result),
		.connected = sent > 0,
		.body = http->body,
		.size = http->size,
		.token_ttl = http->token_ttl,
		.cause = curl.easy_strerror(result),
	};
	if (http->too_large)
		answer->cause =
			http->headers_size > HEADERS_LIMIT ? "too many headers" : "too many bytes";
	if (http->not_http)
		answer->cause = "no status line";
	if (answer->failure == 0)
		curl.easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &answer->status);
}

/* Goes on as far as is possible without waiting. True when the request is over. */
static bool http_step(struct http *http, struct answer *answer)
{
	CURLMsg *message;
	int count;

	curl.multi_perform(http->multi, &count);
	while ((message = curl.multi_info_read(http->multi, &count))) {
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		answer_fill(http, result, answer);
		curl.multi_remove_handle(http->multi, http->easy);
		return true;
	}
	return false;
}

/* ---- The client ------------------------------------------------------------------------------ */

enum step { STEP_TOKEN, STEP_ITEM, STEP_OVER };

struct imds {
	struct http http;
	char *base;    /* the endpoint without the slash at its end */
	char *address; /* its host and port, for messages */
	bool v1_disabled;
	unsigned timeout_ms;	   /* of one attempt, at present */
	unsigned timeout_least_ms; /* as configured */
	unsigned patience_ms;	   /* the most that it grows to */
	unsigned attempts;
	unsigned attempts_in_total; /* that TOTAL_MS has room for */
	unsigned total_given_ms;    /* 0: it follows from these */
	unsigned total_ms;

	char *token; /* NULL: none, or none is needed */
	/* CLOCK_BOOTTIME, ms: it ages while the machine sleeps. */
	uint64_t token_since, token_end;
	bool without_token; /* the service has only IMDSv1 */

	/* The job. */
	struct imds_item *items;
	size_t count;
	size_t next; /* the item that is being asked for */
	enum step step;
	unsigned attempt;  /* at this request, from 0 */
	bool renewed;	   /* a new token has been tried for this item */
	bool under_way;	   /* a request has been sent and not been answered */
	unsigned limit_ms; /* of this attempt */
	uint64_t sent;	   /* CLOCK_MONOTONIC, ms */
	uint64_t start;	   /* CLOCK_MONOTONIC, ms: when a pause ends */
	uint64_t deadline; /* CLOCK_MONOTONIC, ms */
	int status;	   /* why the service could not be talked to */
	struct error error;
};

/* The time limits, of one attempt and of all. */
static void timeout_set(struct imds *imds, uint64_t timeout_ms)
{
	uint64_t attempts = imds->attempts_in_total;
	uint64_t total =
		attempts * timeout_ms + (attempts - 1) * PAUSE_MOST_MS + IMDS_TOTAL_EXTRA_MS;

	if (imds->total_given_ms)
		total = imds->total_given_ms;
	imds->timeout_ms = (unsigned)timeout_ms;
	imds->total_ms = total < INT_MAX ? (unsigned)total : INT_MAX;
}

static void limits_set(struct imds *imds, const struct imds_options *options)
{
	imds->timeout_least_ms = options->timeout_ms ? options->timeout_ms : IMDS_TIMEOUT_MS;
	imds->patience_ms = options->patience_ms;
	imds->attempts = options->attempts ? options->attempts : IMDS_ATTEMPTS;
	imds->attempts_in_total = options->attempts ? options->attempts : 1;
	imds->total_given_ms = options->total_ms;
	timeout_set(imds, imds->timeout_least_ms);
}

/*
 * A limit below what the service needs for good would make us deaf: each attempt that ran into it
 * doubles it, and an answer brings it down to twice what that took.
 */
static void timeout_adapt(struct imds *imds, int status)
{
	uint64_t wanted = status == -ETIMEDOUT ? 2 * (uint64_t)imds->timeout_ms
					       : 2 * (clock_ms(CLOCK_MONOTONIC) - imds->sent);

	if (wanted > imds->patience_ms)
		wanted = imds->patience_ms;
	if (wanted < imds->timeout_least_ms)
		wanted = imds->timeout_least_ms;
	if (status == -ETIMEDOUT ? wanted > imds->timeout_ms : wanted < imds->timeout_ms)
		timeout_set(imds, wanted);
}

int imds_open(struct imds **imds, const struct imds_options *options, struct error *err)
{
	const char *endpoint = options->endpoint;
	struct imds *made;
	size_t length;
	int status;

	*imds = NULL;
	if (options->disabled)
		return error_set(err, ECANCELED, "switched off by AWS_EC2_METADATA_DISABLED");
	if (!endpoint)
		endpoint = options->ipv6 ? IMDS_ENDPOINT_IPV6 : IMDS_ENDPOINT_IPV4;
	status = imds_endpoint_check(endpoint, err);
	if (status < 0)
		return status;
	made = memory_new(1, sizeof(*made));
	status = http_open(&made->http, endpoint, err);
	if (status < 0) {
		free(made);
		return status;
	}
	for (length = strlen(endpoint); endpoint[length - 1] == '/'; length--)
		;
	made->base = text_copy_length(endpoint, length);
	endpoint = strstr(endpoint, "://") + 3;
	made->address = text_copy_length(endpoint, strcspn(endpoint, "/"));
	made->v1_disabled = options->v1_disabled;
	limits_set(made, options);
	*imds = made;
	return 0;
}

void imds_close(struct imds *imds)
{
	if (!imds)
		return;
	http_close(&imds->http);
	free(imds->base);
	free(imds->address);
	free(imds->token);
	free(imds);
}

/* No answer, or no whole one: the sentence and the errno. WHAT is the path of the request. */
static int failure_conclude(
	struct imds *imds, const struct answer *answer, const char *what, struct error *err)
{
	int failure = answer->failure;

	if (failure == ETIMEDOUT && imds->limit_ms < imds->timeout_ms)
		return error_set(err, failure,
			"%s: no answer from the metadata service at %s within the %.1f s for all",
			what, imds->address, imds->total_ms / 1000.0);
	if (failure == ETIMEDOUT && answer->connected && imds->step == STEP_TOKEN)
		return error_set(err, failure,
			"the metadata service at %s gave no token within %.1f s; in a container its hop limit may be too low",
			imds->address, imds->limit_ms / 1000.0);
	if (failure == ETIMEDOUT && answer->connected)
		return error_set(err, failure,
			"%s: the metadata service at %s did not answer within %.1f s", what,
			imds->address, imds->limit_ms / 1000.0);
	if (failure == ETIMEDOUT)
		return error_set(err, failure,
			"the metadata service at %s did not answer within %.1f s", imds->address,
			imds->limit_ms / 1000.0);
	if (failure == EFBIG)
		return error_set(err, failure, "%s: the answer has %s", what, answer->cause);
	if (failure == ECONNRESET)
		return error_set(err, failure, "%s: the answer was cut off", what);
	if (failure == EPROTO)
		return error_set(err, failure, "%s: not an HTTP answer (%s)", what, answer->cause);
	return error_errno(
		err, failure, "the metadata service at %s did not answer", imds->address);
}

/* 0 when the answer has status 200, else the sentence and the errno. */
static int answer_conclude(
	struct imds *imds, const struct answer *answer, const char *what, struct error *err)
{
	long status = answer->status;

	if (answer->failure)
		return failure_conclude(imds, answer, what, err);
	if (status == 200)
		return 0;
	if (status == 404)
		return error_set(err, ENOENT, "%s: HTTP status 404, not there", what);
	if (status == 401 || status == 403)
		return error_set(err, EACCES, "%s: HTTP status %ld", what, status);
	if (status == 429 || status >= 500)
		return error_set(err, EAGAIN, "%s: HTTP status %ld", what, status);
	if (status >= 300 && status < 400)
		return error_set(err, EPROTO,
			"%s: HTTP status %ld, a redirect, which is not followed", what, status);
	return error_set(err, EPROTO, "%s: HTTP status %ld", what, status);
}

static bool token_lives(const struct imds *imds, uint64_t margin_ms)
{
	return imds->token && clock_ms(CLOCK_BOOTTIME) + margin_ms < imds->token_end;
}

static void request_first(struct imds *imds, enum step step)
{
	imds->step = step;
	imds->attempt = 0;
	imds->start = 0;
}

/* To the next item that has no status yet. */
static void item_next(struct imds *imds)
{
	while (imds->next < imds->count && imds->items[imds->next].status != -EINPROGRESS)
		imds->next++;
	imds->renewed = false;
	request_first(imds, imds->next < imds->count ? STEP_ITEM : STEP_OVER);
}

static void item_end(struct imds *imds, int status)
{
	imds->items[imds->next].status = status;
	item_next(imds);
}

/* Nothing more can be asked: every open item has the same reason. */
static void job_fail(struct imds *imds, int status)
{
	imds->status = status;
	for (size_t i = imds->next; i < imds->count; i++) {
		struct imds_item *item = &imds->items[i];

		if (item->status != -EINPROGRESS)
			continue;
		item->status = status;
		item->error = imds->error;
	}
	request_first(imds, STEP_OVER);
}

/* Half of it is chance, so that many machines do not come back at the same moment. */
static unsigned pause_ms(unsigned attempt)
{
	unsigned pause = attempt < 5 ? PAUSE_FIRST_MS << attempt : PAUSE_MOST_MS;
	unsigned chance = 0;

	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != sizeof(chance))
		chance = (unsigned)clock_ms(CLOCK_BOOTTIME);
	return pause / 2 + chance % (pause / 2 + 1);
}

/*
 * Whether the same request is sent once more. Not where no connection was made at once
 * (nobody listens, no route), which the next moment does not mend; and only while there
 * is time for a whole attempt, so that "did not answer within 1.0 s" is always true.
 */
static bool request_again(struct imds *imds, int status)
{
	uint64_t start;

	if (status != -ETIMEDOUT && status != -ECONNRESET && status != -EAGAIN)
		return false;
	start = clock_ms(CLOCK_MONOTONIC) + pause_ms(imds->attempt);
	if (imds->attempt + 1 >= imds->attempts || start + imds->timeout_ms > imds->deadline)
		return false;
	imds->attempt++;
	imds->start = start;
	return true;
}

static int token_conclude(struct imds *imds, const struct answer *answer)
{
	static const char what[] = "api/token";
	int status = answer_conclude(imds, answer, what, &imds->error);

	if (answer->status == 403)
		return error_set(&imds->error, EACCES,
			"the metadata service at %s refuses a token (HTTP status 403): it is switched off, or its hop limit is too low for a container",
			imds->address);
	if (answer->status == 404 || answer->status == 405)
		return error_set(&imds->error, EOPNOTSUPP,
			"the metadata service at %s has no IMDSv2 (HTTP status %ld), and AWS_EC2_METADATA_V1_DISABLED rules out IMDSv1",
			imds->address, answer->status);
	if (status == 0 && !imds_token_valid(answer->body, answer->size))
		status = error_set(&imds->error, EBADMSG, "%s: the answer is not a token", what);
	timeout_adapt(imds, status);
	if (status < 0 && !text_starts(imds->error.text, "the metadata service"))
		return error_prefix(&imds->error, status,
			"the metadata service at %s gave no token", imds->address);
	return status;
}

static void token_receive(struct imds *imds, const struct answer *answer)
{
	int status = token_conclude(imds, answer);
	uint64_t ttl = answer->token_ttl ? answer->token_ttl : TOKEN_TTL_S;

	if (status == 0) {
		text_set(&imds->token, text_copy_length(answer->body, answer->size));
		imds->token_since = clock_ms(CLOCK_BOOTTIME);
		imds->token_end = imds->token_since + ttl * 1000;
		request_first(imds, STEP_ITEM);
		return;
	}
	if (status == -EOPNOTSUPP && !imds->v1_disabled) {
		imds->without_token = true;
		text_set(&imds->token, NULL);
		request_first(imds, STEP_ITEM);
		return;
	}
	if (request_again(imds, status))
		return;
	if (token_lives(imds, 0)) {
		request_first(imds, STEP_ITEM); /* the old one is good for a while yet */
		return;
	}
	job_fail(imds, status);
}

static void item_receive(struct imds *imds, const struct answer *answer)
{
	struct imds_item *item = &imds->items[imds->next];
	int status = answer_conclude(imds, answer, item->path, &item->error);

	timeout_adapt(imds, status);
	if (answer->status == 401 && !imds->renewed) {
		imds->renewed = true;
		imds->without_token = false;
		text_set(&imds->token, NULL);
		request_first(imds, STEP_TOKEN);
		return;
	}
	if (request_again(imds, status))
		return;
	if (status == 0 && !imds_text_valid(answer->body, answer->size))
		status = error_set(&item->error, EBADMSG, "%s: the answer is not text", item->path);
	if (status == 0)
		item->text = text_copy_length(answer->body, answer->size);
	item_end(imds, status);
}

static void answer_receive(struct imds *imds, const struct answer *answer)
{
	imds->under_way = false;
	if (imds->step == STEP_TOKEN)
		token_receive(imds, answer);
	else
		item_receive(imds, answer);
}

static void request_send(struct imds *imds, uint64_t now)
{
	uint64_t left = imds->deadline > now ? imds->deadline - now : 0;
	const char *path = imds->step == STEP_TOKEN ? "api/token" : imds->items[imds->next].path;
	memory_cleanup_free char *url = text_format("%s/latest/%s", imds->base, path);

	imds->sent = now;
	imds->limit_ms = left < imds->timeout_ms ? (unsigned)left : imds->timeout_ms;
	if (left == 0) {
		answer_receive(imds, &(struct answer) { .failure = ETIMEDOUT });
		return;
	}
	imds->under_way = true;
	if (imds->step == STEP_TOKEN)
		put_prepare(&imds->http, TOKEN_TTL_S);
	else
		get_prepare(&imds->http, imds->token);
	http_start(&imds->http, url, imds->step == STEP_TOKEN ? IMDS_TOKEN_LIMIT : IMDS_ITEM_LIMIT,
		imds->limit_ms);
}

void imds_begin(struct imds *imds, struct imds_item *items, size_t count)
{
	bool needs_token = !imds->without_token && !token_lives(imds, TOKEN_MARGIN_MS);

	imds->items = items;
	imds->count = count;
	imds->next = 0;
	imds->under_way = false;
	imds->status = 0;
	imds->deadline = clock_ms(CLOCK_MONOTONIC) + imds->total_ms;
	for (size_t i = 0; i < count; i++) {
		items[i].text = NULL;
		items[i].status = -EINPROGRESS;
		if (!imds_path_valid(items[i].path))
			items[i].status = error_set(&items[i].error, EINVAL,
				"\"%s\" is not a path of the metadata service", items[i].path);
	}
	item_next(imds);
	if (needs_token && imds->step == STEP_ITEM)
		request_first(imds, STEP_TOKEN);
}

unsigned imds_step(struct imds *imds)
{
	while (imds->step != STEP_OVER) {
		uint64_t now = clock_ms(CLOCK_MONOTONIC);
		struct answer answer;

		if (!imds->under_way && now < imds->start)
			return (unsigned)(imds->start - now);
		if (!imds->under_way)
			request_send(imds, now);
		else if (http_step(&imds->http, &answer))
			answer_receive(imds, &answer);
		else
			return imds->limit_ms;
	}
	return 0;
}

int imds_end(struct imds *imds, struct error *err)
{
	imds->items = NULL;
	if (imds->status < 0)
		*err = imds->error;
	return imds->status;
}

void imds_wait(struct imds *imds, struct pollfd *others, size_t count, unsigned wait_ms)
{
	struct curl_waitfd waited[IMDS_WAIT_MOST] = { { 0 } };
	int ready = 0;

	for (size_t i = 0; i < count && i < IMDS_WAIT_MOST; i++)
		waited[i] = (struct curl_waitfd) { .fd = others[i].fd, .events = CURL_WAIT_POLLIN };
	curl.multi_wait(imds->http.multi, waited, (unsigned)count, (int)wait_ms, &ready);
	for (size_t i = 0; i < count && i < IMDS_WAIT_MOST; i++)
		others[i].revents = waited[i].revents ? POLLIN : 0;
	/* Without a descriptor to wait for, curl_multi_wait(3) returns at once. */
	if (count == 0 && ready == 0)
		poll(NULL, 0, wait_ms < 10 ? (int)wait_ms : 10);
}

int imds_get_all(struct imds *imds, struct imds_item *items, size_t count, struct error *err)
{
	unsigned wait_ms;

	imds_begin(imds, items, count);
	while ((wait_ms = imds_step(imds)))
		imds_wait(imds, NULL, 0, wait_ms);
	return imds_end(imds, err);
}

bool imds_token_age(const struct imds *imds, uint64_t *seconds)
{
	uint64_t now = clock_ms(CLOCK_BOOTTIME);

	if (!imds->token || now < imds->token_since)
		return false;
	*seconds = (now - imds->token_since) / 1000;
	return true;
}

void imds_items_free(struct imds_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(items[i].text);
		items[i].text = NULL;
	}
}

int imds_get(struct imds *imds, const char *path, char **text, struct error *err)
{
	struct imds_item item = { .path = path };
	int status = imds_get_all(imds, &item, 1, err);

	*text = item.text;
	if (status == 0 && item.status < 0)
		*err = item.error;
	return item.status;
}
