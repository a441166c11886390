/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the service answers below /latest/, by the rules of IMDSv2. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "sim/metadata_parts.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#define TTL_MOST_S 21600

void metadata_say(struct metadata_answer *answer, unsigned status, const char *body)
{
	answer->status = status;
	text_set(&answer->body, text_copy(body));
	answer->size = strlen(body);
}

static const char *reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} reasons[] = { { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" },
		{ 404, "Not Found" }, { 405, "Method Not Allowed" }, { 408, "Request Timeout" },
		{ 429, "Too Many Requests" }, { 500, "Internal Server Error" },
		{ 503, "Service Unavailable" } };

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Simulated";
}

/* A page, as the service has for what is not 200: who takes it for an answer shall notice. */
void metadata_refuse(struct metadata_answer *answer, unsigned status)
{
	memory_cleanup_free char *page = text_format("<html>\n<head><title>%u - %s</title></head>\n"
						     "<body><h1>%u - %s</h1></body>\n</html>\n",
		status, reason(status), status, reason(status));

	metadata_say(answer, status, page);
	answer->type = "text/html";
	answer->token_ttl = 0;
	answer->notice = false;
}

void metadata_answer_free(struct metadata_answer *answer)
{
	free(answer->body);
	answer->body = NULL;
}

static void refuse_method(struct metadata_answer *answer, const char *allow)
{
	metadata_refuse(answer, 405);
	answer->allow = allow;
}

/* Characters as the real one's tokens have. */
static void token_write(char *text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char random[TOKEN_LENGTH];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		abort(); /* no signal can interrupt so few bytes */
	for (size_t i = 0; i < TOKEN_LENGTH; i++)
		text[i] = letters[random[i] % 64];
	text[TOKEN_LENGTH] = '\0';
}

static void token_give(struct metadata *metadata, const struct metadata_request *request,
	struct metadata_answer *answer)
{
	struct token *token = &metadata->tokens[metadata->token_next % TOKENS_MOST];
	uint64_t ttl;

	if (strcmp(request->method, "PUT") != 0) {
		refuse_method(answer, "OPTIONS, PUT");
		return;
	}
	/* A proxy that was left open must not become a way to the instance's credentials. */
	if (request->forwarded) {
		metadata_refuse(answer, 403);
		return;
	}
	if (!request->ttl || number_parse(request->ttl, &ttl) < 0 || ttl < 1 || ttl > TTL_MOST_S) {
		metadata_refuse(answer, 400);
		return;
	}
	token_write(token->text);
	token->ends = clock_ns(CLOCK_BOOTTIME) + ttl * 1000 * NS_PER_MS;
	token->uses = metadata_token_uses(metadata);
	metadata->token_next++;
	metadata->counters.tokens++;
	metadata_say(answer, 200, token->text);
	answer->token_ttl = (unsigned)ttl;
}

/* The token of this request, used once more; NULL when it is none or good no longer. */
static const struct token *token_use(struct metadata *metadata, const char *text)
{
	for (size_t i = 0; text && *text && i < TOKENS_MOST; i++) {
		struct token *token = &metadata->tokens[i];

		if (strcmp(token->text, text) != 0)
			continue;
		if (token->uses == 0 || token->ends <= clock_ns(CLOCK_BOOTTIME))
			return NULL;
		if (token->uses != TIMES_UNLIMITED)
			token->uses--;
		return token;
	}
	return NULL;
}

static void item_answer(struct metadata *metadata, const char *path, const char *method,
	struct metadata_answer *answer)
{
	memory_cleanup_free char *folder =
		text_ends(path, "/") || !*path ? text_copy(path) : text_format("%s/", path);
	memory_cleanup_free char *list = NULL;
	const char *text = metadata_get(metadata, path);

	if (text) {
		metadata_say(answer, 200, text);
		answer->notice = strcmp(path, NOTICE_PATH) == 0 && strcmp(method, "GET") == 0;
		return;
	}
	list = metadata_list(metadata, folder);
	if (list)
		metadata_say(answer, 200, list);
	else
		metadata_refuse(answer, 404);
}

static void latest_answer(struct metadata *metadata, const struct metadata_request *request,
	const char *path, struct metadata_answer *answer)
{
	const struct token *token;

	metadata->counters.requests++;
	if (strcmp(path, TOKEN_PATH) == 0) {
		token_give(metadata, request, answer);
	} else if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
		refuse_method(answer, "GET, HEAD, OPTIONS");
	} else {
		token = token_use(metadata, request->token);
		if (!token) {
			metadata_refuse(answer, 401);
		} else {
			metadata->counters.polls += strcmp(path, NOTICE_PATH) == 0;
			answer->token_ttl = (unsigned)((token->ends - clock_ns(CLOCK_BOOTTIME)) /
						       (1000 * NS_PER_MS));
			item_answer(metadata, path, request->method, answer);
		}
	}
	metadata_spoil(metadata, path, answer);
}

/* What is behind PREFIX in PATH when PATH is it or below it, else NULL. */
static const char *below(const char *path, const char *prefix)
{
	size_t length = strlen(prefix);

	if (!*prefix || strncmp(path, prefix, length) != 0)
		return NULL;
	if (path[length] == '/')
		return path + length + 1;
	return path[length] ? NULL : path + length;
}

void metadata_answer(struct metadata *metadata, const struct metadata_request *request,
	struct metadata_answer *answer)
{
	const char *path = below(request->path, "/latest");

	*answer = (struct metadata_answer) { .type = "text/plain" };
	metadata_advance(metadata, metadata_clock());
	if (path) {
		latest_answer(metadata, request, path, answer);
		return;
	}
	if (below(request->path, metadata->control)) {
		metadata_control(metadata, request, answer);
		return;
	}
	metadata_refuse(answer, 404);
}

void metadata_sent(struct metadata *metadata, const struct metadata_answer *answer)
{
	if (!answer->notice)
		return;
	metadata->counters.notices++;
	if (metadata->notice_served == 0)
		metadata->notice_served = metadata_clock();
}
