/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/compiler.h"
#include "tests/sim/imds-sim.h"

#include <err.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#define TOKENS_MOST 64
#define FAULTS_MOST 16
#define TTL_MOST_S  21600

enum kind {
	FAULT_STATUS,
	FAULT_SLOW,
	FAULT_HANG,
	FAULT_DROP,
	FAULT_CUT,
	FAULT_HUGE,
	FAULT_NOT_JSON,
	FAULT_NUL,
	FAULT_REDIRECT,
	FAULT_USES,
	FAULT_TTL,
	FAULT_FLAKY,
	FAULT_LASTS,
	FAULT_GARBAGE,
	FAULT_HEADERS,
	FAULT_LENGTH,
};

static const struct {
	const char *name;
	enum kind kind;
	const char *standard; /* the argument when none is given */
	const char *help;
} fault_names[] = {
	{ "status", FAULT_STATUS, "500", "answers with this HTTP status" },
	{ "slow", FAULT_SLOW, "100", "answers after so many ms" },
	{ "hang", FAULT_HANG, "", "never answers" },
	{ "drop", FAULT_DROP, "", "closes the connection instead of answering" },
	{ "cut", FAULT_CUT, "", "closes the connection in the middle of the body" },
	{ "huge", FAULT_HUGE, "", "sends a body without end" },
	{ "not-json", FAULT_NOT_JSON, "<html>", "has this text for a body" },
	{ "nul", FAULT_NUL, "", "has a NUL and an escape sequence in the body" },
	{ "redirect", FAULT_REDIRECT, "http://127.0.0.1:1/", "302 to this URL" },
	{ "token-expires", FAULT_USES, "1", "a token is good for so many uses" },
	{ "token-ttl", FAULT_TTL, "1", "a token is good for so many seconds" },
	{ "flaky", FAULT_FLAKY, "1", "answers the first so many requests with 503" },
	{ "lasts", FAULT_LASTS, "1", "answers only so many requests, then with 503" },
	{ "garbage", FAULT_GARBAGE, "", "answers with bytes that are no HTTP" },
	{ "header-flood", FAULT_HEADERS, "", "sends headers without end" },
	{ "length", FAULT_LENGTH, "10", "adds this to Content-Length" },
};

struct fault {
	enum kind kind;
	char *scope; /* "" for everything */
	const char *argument;
	int number;
};

struct token {
	char text[48];
	int uses;     /* that are left; negative: no limit */
	int64_t ends; /* ms */
};

struct answer {
	int status;
	const char *body;
	size_t size;
	char *headers; /* more of them, each line with its end */
};

static json_t *data;
static struct fault faults[FAULTS_MOST];
static size_t fault_count;
static struct token tokens[TOKENS_MOST]; /* the oldest make room */

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct fault *fault_find(enum kind kind, const char *path)
{
	bool is_token = strcmp(path, "api/token") == 0;

	for (size_t i = 0; i < fault_count; i++) {
		struct fault *fault = &faults[i];

		if (fault->kind != kind)
			continue;
		if (!*fault->scope || strcmp(fault->scope, path) == 0 ||
			strcmp(fault->scope, is_token ? "token" : "items") == 0)
			return fault;
	}
	return NULL;
}

/* The value of a header in a request; false when there is none. */
static bool header_read(const char *request, const char *name, char *value, size_t size)
{
	size_t length = strlen(name);

	for (const char *line = request; (line = strstr(line, "\r\n"));) {
		line += 2;
		if (strncasecmp(line, name, length) != 0 || line[length] != ':')
			continue;
		line += length + 1;
		line += strspn(line, " \t");
		snprintf(value, size, "%.*s", (int)strcspn(line, "\r"), line);
		return true;
	}
	return false;
}

static struct token *token_find(const char *text)
{
	for (size_t i = 0; i < TOKENS_MOST; i++)
		if (*tokens[i].text && strcmp(tokens[i].text, text) == 0)
			return &tokens[i];
	return NULL;
}

static const char *token_use(const char *request)
{
	char text[2048];
	struct token *token;

	if (!header_read(request, "X-aws-ec2-metadata-token", text, sizeof(text)))
		return "none";
	token = token_find(text);
	if (!token || token->uses == 0 || token->ends <= now_ms())
		return token ? "expired" : "unknown";
	if (token->uses > 0)
		token->uses--;
	return "good";
}

static void token_give(struct service *service, const char *request, struct answer *answer)
{
	const struct fault *uses = fault_find(FAULT_USES, "api/token");
	const struct fault *ttl_fault = fault_find(FAULT_TTL, "api/token");
	struct token *token = &tokens[service->tokens % TOKENS_MOST];
	unsigned char random[16];
	char text[256];
	int ttl;

	if (header_read(request, "X-Forwarded-For", text, sizeof(text))) {
		answer->status = 403;
		return;
	}
	if (!header_read(request, "X-aws-ec2-metadata-token-ttl-seconds", text, sizeof(text)) ||
		(ttl = atoi(text)) < 1 || ttl > TTL_MOST_S) {
		answer->status = 400;
		return;
	}
	if (ttl_fault)
		ttl = ttl_fault->number;
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		err(1, "getrandom");
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(token->text + 2 * i, 3, "%02x", random[i]);
	snprintf(token->text + 32, 3, "==");
	token->uses = uses ? uses->number : -1;
	token->ends = now_ms() + (int64_t)ttl * 1000;
	service->tokens++;
	answer->status = 200;
	answer->body = token->text;
	if (asprintf(&answer->headers, "X-aws-ec2-metadata-token-ttl-seconds: %d\r\n", ttl) < 0)
		abort();
}

/* What a service without faults answers. */
static const char *answer_make(struct service *service, const char *request, const char *method,
	const char *path, struct answer *answer)
{
	const char *token = "none", *text;

	if (strcmp(path, "api/token") == 0) {
		answer->status = 405;
		if (strcmp(method, "PUT") == 0)
			token_give(service, request, answer);
		return token;
	}
	token = token_use(request);
	text = json_string_value(json_object_get(data, path));
	if (strcmp(method, "GET") != 0)
		answer->status = 405;
	else if (strcmp(token, "good") != 0 && !(service->v1 && strcmp(token, "none") == 0))
		answer->status = 401;
	else if (!text)
		answer->status = 404;
	else
		*answer = (struct answer) { .status = 200, .body = text };
	return token;
}

/* The faults that an HTTP library could have, too. */
static void answer_spoil(const char *path, struct answer *answer)
{
	static const char nul[] = "i-0123\0\033[2J";
	const struct fault *text = fault_find(FAULT_NOT_JSON, path);
	const struct fault *status = fault_find(FAULT_STATUS, path);
	const struct fault *redirect = fault_find(FAULT_REDIRECT, path);
	struct fault *flaky = fault_find(FAULT_FLAKY, path);
	struct fault *lasts = fault_find(FAULT_LASTS, path);

	if (text)
		answer->body = text->argument;
	answer->size = answer->body ? strlen(answer->body) : 0;
	if (fault_find(FAULT_NUL, path)) {
		answer->body = nul;
		answer->size = sizeof(nul) - 1;
	}
	if (status)
		answer->status = status->number;
	if (flaky && flaky->number > 0) {
		flaky->number--;
		answer->status = 503;
	}
	if (lasts && lasts->number-- <= 0)
		answer->status = 503;
	if (redirect) {
		answer->status = 302;
		free(answer->headers);
		if (asprintf(&answer->headers, "Location: %s\r\n", redirect->argument) < 0)
			abort();
	}
	if (answer->status != 200) {
		answer->body = "no\n";
		answer->size = strlen(answer->body);
	}
}

/* The head of an answer; the caller adds a body. */
static void head_write(FILE *out, const char *path, const struct answer *answer)
{
	static const char flood[] = "X-Flood: 0123456789abcdef0123456789abcdef\r\n";
	const struct fault *length = fault_find(FAULT_LENGTH, path);
	size_t more = length ? (size_t)length->number : 0;

	fprintf(out, "HTTP/1.1 %d Simulated\r\nServer: imds-sim\r\n", answer->status);
	if (answer->headers)
		fputs(answer->headers, out);
	if (!fault_find(FAULT_HUGE, path))
		fprintf(out, "Content-Length: %zu\r\n", answer->size + more);
	for (int i = 0; fault_find(FAULT_HEADERS, path) && i < 100; i++)
		fputs(flood, out);
	fputs("\r\n", out);
}

/* The bytes of the answer, with the faults below HTTP. */
static void reply_write(struct reply *reply, const char *path, const struct answer *answer)
{
	static const char garbage[] = "\x16\x03\x01\x02 this is no HTTP\r\n\r\n";
	const struct fault *slow = fault_find(FAULT_SLOW, path);
	bool huge = fault_find(FAULT_HUGE, path), headers = fault_find(FAULT_HEADERS, path);
	bool drop = fault_find(FAULT_DROP, path), cut = fault_find(FAULT_CUT, path);
	bool no_http = fault_find(FAULT_GARBAGE, path);
	FILE *out = open_memstream(&reply->bytes, &reply->size);

	reply->ready = slow ? now_ms() + slow->number : 0;
	reply->hangs = fault_find(FAULT_HANG, path);
	reply->endless = huge || headers;
	reply->closes = reply->closes || no_http || drop || cut;
	if (no_http)
		fwrite(garbage, 1, sizeof(garbage) - 1, out);
	else
		head_write(out, path, answer);
	for (int i = 0; huge && i < 1024; i++)
		fputs("more and more\n", out);
	if (answer->size && !huge && !no_http)
		fwrite(answer->body, 1, answer->size, out);
	fclose(out);
	if (headers)
		reply->size -= answer->size + 2;
	if (drop)
		reply->size = 0;
	else if (cut)
		reply->size -= answer->size / 2 + 1;
}

void reply_make(
	struct service *service, unsigned connection, const char *request, struct reply *reply)
{
	char method[16] = "", url[1024] = "/", value[16];
	struct answer answer = { 0 };
	const char *path = url, *token;

	*reply = (struct reply) { 0 };
	if (sscanf(request, "%15s %1023s HTTP/1.", method, url) == 2)
		path += strncmp(url, "/latest/", 8) == 0 ? 8 : 0;
	token = answer_make(service, request, method, path, &answer);
	answer_spoil(path, &answer);
	service->requests++;
	if (service->log) {
		fprintf(service->log, "%u %s %s token=%s status=%d\n", connection, method, path,
			token, answer.status);
		fflush(service->log);
	}
	reply->closes = header_read(request, "Connection", value, sizeof(value)) &&
			strcasecmp(value, "close") == 0;
	reply_write(reply, path, &answer);
	free(answer.headers);
}

void data_read(const char *file)
{
	json_error_t error;
	const char *path;
	json_t *value;

	data = json_load_file(file, 0, &error);
	if (!json_is_object(data))
		errx(2, "%s:%d: %s", file, error.line, data ? "not an object" : error.text);
	json_object_foreach(data, path, value) if (!json_is_string(value))
		errx(2, "%s: %s is not a text", file, path);
}

void data_free(void)
{
	json_decref(data);
}

void fault_add(const char *text)
{
	struct fault *fault = &faults[fault_count];
	size_t scope = strcspn(text, ":="), name;

	if (fault_count == FAULTS_MOST)
		errx(2, "more than %d faults", FAULTS_MOST);
	scope = text[scope] == ':' ? scope : 0;
	fault->scope = strndup(text, scope);
	text += scope ? scope + 1 : 0;
	name = strcspn(text, "=");
	for (size_t i = 0; i < ARRAY_SIZE(fault_names); i++) {
		if (strncmp(fault_names[i].name, text, name) || fault_names[i].name[name])
			continue;
		fault->kind = fault_names[i].kind;
		fault->argument = text[name] ? text + name + 1 : fault_names[i].standard;
		fault->number = atoi(fault->argument);
		fault_count++;
		return;
	}
	errx(2, "there is no fault %s", text);
}

void faults_free(void)
{
	for (size_t i = 0; i < fault_count; i++)
		free(faults[i].scope);
}

void faults_help(FILE *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(fault_names); i++)
		fprintf(out, "  %-14s %-20s %s\n", fault_names[i].name, fault_names[i].standard,
			fault_names[i].help);
}
