/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/imds_http.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/imds.h"
#include "core/facts/imds_curl.h"

/* The service sends some ten header lines; who sends more than this is not the service.
 */
#define HEADERS_LIMIT ((size_t)16 * 1024)

#define TOKEN_HEADER "X-aws-ec2-metadata-token"
#define TTL_HEADER   "X-aws-ec2-metadata-token-ttl-seconds"
#define TTL_MOST_S   21600

struct imds_http {
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
	struct imds_http *http = context;
	size_t size = unit * count;

	if (size > http->limit - http->size) {
		http->too_large = true;
		return 0; /* makes libcurl give up and close the connection */
	}
	memcpy(http->body + http->size, data, size);
	http->size += size;
	return size;
}

/* The time to live in a header line without a NUL, 0 when it is another line or no
 * number. */
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
	return ttl < TTL_MOST_S ? (unsigned)ttl : TTL_MOST_S;
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
	struct imds_http *http = context;
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
static void set_up(struct imds_http *http)
{
	CURL *easy = http->easy;

	curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	/* Instance data are for this machine alone: no proxy, whatever the environment
	 * says. */
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

int imds_http_open(struct imds_http **http, const char *base, struct error *err)
{
	/* Setting up TLS costs more time and memory than all of this program: only when
	 * needed. */
	long parts = text_starts(base, "https:") ? CURL_GLOBAL_SSL : CURL_GLOBAL_NOTHING;
	struct imds_http *made;

	*http = NULL;
	if (imds_curl_load(err) < 0)
		return -EIO;
	if (curl.global_init(parts) != CURLE_OK)
		return error_set(err, EIO, "cannot start libcurl");
	made = memory_new(1, sizeof(*made));
	made->multi = curl.multi_init();
	made->easy = curl.easy_init();
	if (!made->multi || !made->easy) {
		imds_http_close(made);
		return error_set(err, ENOMEM, "cannot start libcurl");
	}
	curl.multi_setopt(made->multi, CURLMOPT_MAXCONNECTS, 1L);
	set_up(made);
	*http = made;
	return 0;
}

void imds_http_close(struct imds_http *http)
{
	if (!http)
		return;
	if (http->multi && http->easy)
		curl.multi_remove_handle(http->multi, http->easy);
	curl.easy_cleanup(http->easy);
	curl.multi_cleanup(http->multi);
	curl.slist_free_all(http->headers);
	free(http);
	curl.global_cleanup();
}

static void header_add(struct imds_http *http, char *line)
{
	struct curl_slist *more = curl.slist_append(http->headers, line);

	free(line);
	if (!more)
		abort();
	http->headers = more;
}

static void start(struct imds_http *http, const struct imds_request *request)
{
	http->limit = request->limit;
	http->size = 0;
	http->headers_size = 0;
	http->headers_whole = false;
	http->too_large = false;
	http->not_http = false;
	http->token_ttl = 0;
	curl.easy_setopt(http->easy, CURLOPT_URL, request->url);
	curl.easy_setopt(http->easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	curl.easy_setopt(http->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->timeout_ms);
	curl.easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->headers);
	/* With nothing under way this fails only for want of memory. */
	if (curl.multi_add_handle(http->multi, http->easy) != CURLM_OK)
		abort();
}

static void headers_clear(struct imds_http *http)
{
	curl.slist_free_all(http->headers);
	http->headers = NULL;
}

void imds_http_get(struct imds_http *http, const struct imds_request *request)
{
	headers_clear(http);
	if (request->token)
		header_add(http, text_format(TOKEN_HEADER ": %s", request->token));
	curl.easy_setopt(http->easy, CURLOPT_CUSTOMREQUEST, NULL);
	curl.easy_setopt(http->easy, CURLOPT_HTTPGET, 1L);
	start(http, request);
}

void imds_http_put(struct imds_http *http, const struct imds_request *request, unsigned ttl)
{
	headers_clear(http);
	header_add(http, text_format(TTL_HEADER ": %u", ttl));
	/* A PUT without a body, and without what libcurl would say about that body. */
	header_add(http, text_copy("Content-Type:"));
	curl.easy_setopt(http->easy, CURLOPT_POSTFIELDS, "");
	curl.easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE, 0L);
	curl.easy_setopt(http->easy, CURLOPT_CUSTOMREQUEST, "PUT");
	start(http, request);
}

static int failure_of(const struct imds_http *http, CURLcode result)
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

static void answer_fill(struct imds_http *http, CURLcode result, struct imds_answer *answer)
{
	curl_off_t sent = 0;

	curl.easy_getinfo(http->easy, CURLINFO_PRETRANSFER_TIME_T, &sent);
	http->body[http->size] = '\0';
	*answer = (struct imds_answer) {
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

bool imds_http_step(struct imds_http *http, struct imds_answer *answer)
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

void imds_http_wait(struct imds_http *http, struct pollfd *others, size_t count, unsigned wait_ms)
{
	struct curl_waitfd waited[IMDS_WAIT_MOST] = { { 0 } };
	int ready = 0;

	for (size_t i = 0; i < count && i < IMDS_WAIT_MOST; i++)
		waited[i] = (struct curl_waitfd) { .fd = others[i].fd, .events = CURL_WAIT_POLLIN };
	curl.multi_wait(http->multi, waited, (unsigned)count, (int)wait_ms, &ready);
	for (size_t i = 0; i < count && i < IMDS_WAIT_MOST; i++)
		others[i].revents = waited[i].revents ? POLLIN : 0;
	/* Without a descriptor to wait for, curl_multi_wait(3) returns at once. */
	if (count == 0 && ready == 0)
		poll(NULL, 0, wait_ms < 10 ? (int)wait_ms : 10);
}
