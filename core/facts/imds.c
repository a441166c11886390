/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One call of imds_get_all() is a job: a token when there is none, then item after item,
 * each with its attempts. A job never waits by itself: imds_step() does what can be done
 * and says how long nothing will happen, so that imds_get_all() is only a loop around it.
 *
 * Where the SDKs fall back to IMDSv1 when the PUT gives 403, 404 or 405, we do so for 404
 * and 405 alone: 403 is what a service answers that is switched off, and asking it
 * without a token would hide that.
 */
#define _GNU_SOURCE
#include "core/facts/imds.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/imds_http.h"
#include "core/facts/imds_text.h"

#define TOKEN_TTL_S 21600
/* A token that ends so soon is renewed before it is used again. */
#define TOKEN_MARGIN_MS 60000
#define PAUSE_FIRST_MS	50
#define PAUSE_MOST_MS	1000

enum step { STEP_TOKEN, STEP_ITEM, STEP_OVER };

struct imds {
	struct imds_http *http;
	char *base;  /* the endpoint without the slash at its end */
	char *place; /* its host and port, for messages */
	bool v1_disabled;
	unsigned timeout_ms;
	unsigned attempts;
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
	uint64_t start;	   /* CLOCK_MONOTONIC, ms: when a pause ends */
	uint64_t deadline; /* CLOCK_MONOTONIC, ms */
	int status;	   /* why the service could not be talked to */
	struct error error;
};

static void limits_set(struct imds *imds, const struct imds_options *options)
{
	uint64_t asked_for = options->attempts ? options->attempts : 1;
	uint64_t total;

	imds->timeout_ms = options->timeout_ms ? options->timeout_ms : IMDS_TIMEOUT_MS;
	imds->attempts = options->attempts ? options->attempts : IMDS_ATTEMPTS;
	total = asked_for * imds->timeout_ms + (asked_for - 1) * PAUSE_MOST_MS +
		IMDS_TOTAL_EXTRA_MS;
	if (options->total_ms)
		total = options->total_ms;
	imds->total_ms = total < INT_MAX ? (unsigned)total : INT_MAX;
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
	status = imds_http_open(&made->http, endpoint, err);
	if (status < 0) {
		free(made);
		return status;
	}
	for (length = strlen(endpoint); endpoint[length - 1] == '/'; length--)
		;
	made->base = text_copy_length(endpoint, length);
	endpoint = strstr(endpoint, "://") + 3;
	made->place = text_copy_length(endpoint, strcspn(endpoint, "/"));
	made->v1_disabled = options->v1_disabled;
	limits_set(made, options);
	*imds = made;
	return 0;
}

void imds_close(struct imds *imds)
{
	if (!imds)
		return;
	imds_http_close(imds->http);
	free(imds->base);
	free(imds->place);
	free(imds->token);
	free(imds);
}

/* No answer, or no whole one: the sentence and the errno. WHAT is the path that was asked
 * for. */
static int failure_judge(
	struct imds *imds, const struct imds_answer *answer, const char *what, struct error *err)
{
	int failure = answer->failure;

	if (failure == ETIMEDOUT && imds->limit_ms < imds->timeout_ms)
		return error_set(err, failure,
			"%s: no answer from the metadata service at %s within the %.1f s for all",
			what, imds->place, imds->total_ms / 1000.0);
	if (failure == ETIMEDOUT && answer->connected && imds->step == STEP_TOKEN)
		return error_set(err, failure,
			"the metadata service at %s gave no token within %.1f s; in a container its hop limit may be too low",
			imds->place, imds->limit_ms / 1000.0);
	if (failure == ETIMEDOUT && answer->connected)
		return error_set(err, failure,
			"%s: the metadata service at %s did not answer within %.1f s", what,
			imds->place, imds->limit_ms / 1000.0);
	if (failure == ETIMEDOUT)
		return error_set(err, failure,
			"the metadata service at %s did not answer within %.1f s", imds->place,
			imds->limit_ms / 1000.0);
	if (failure == EFBIG)
		return error_set(err, failure, "%s: the answer has %s", what, answer->cause);
	if (failure == ECONNRESET)
		return error_set(err, failure, "%s: the answer was cut off", what);
	if (failure == EPROTO)
		return error_set(err, failure, "%s: not an HTTP answer (%s)", what, answer->cause);
	return error_errno(err, failure, "the metadata service at %s did not answer", imds->place);
}

/* 0 when the answer has status 200, else the sentence and the errno. */
static int answer_judge(
	struct imds *imds, const struct imds_answer *answer, const char *what, struct error *err)
{
	long status = answer->status;

	if (answer->failure)
		return failure_judge(imds, answer, what, err);
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

static int token_judge(struct imds *imds, const struct imds_answer *answer)
{
	static const char what[] = "api/token";
	int status = answer_judge(imds, answer, what, &imds->error);

	if (answer->status == 403)
		return error_set(&imds->error, EACCES,
			"the metadata service at %s refuses a token (HTTP status 403): it is switched off, or its hop limit is too low for a container",
			imds->place);
	if (answer->status == 404 || answer->status == 405)
		return error_set(&imds->error, EOPNOTSUPP,
			"the metadata service at %s has no IMDSv2 (HTTP status %ld), and AWS_EC2_METADATA_V1_DISABLED rules out IMDSv1",
			imds->place, answer->status);
	if (status == 0 && !imds_token_valid(answer->body, answer->size))
		status = error_set(&imds->error, EBADMSG, "%s: the answer is not a token", what);
	if (status < 0 && !text_starts(imds->error.text, "the metadata service"))
		return error_prefix(&imds->error, status,
			"the metadata service at %s gave no token", imds->place);
	return status;
}

static void token_receive(struct imds *imds, const struct imds_answer *answer)
{
	int status = token_judge(imds, answer);
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

static void item_receive(struct imds *imds, const struct imds_answer *answer)
{
	struct imds_item *item = &imds->items[imds->next];
	int status = answer_judge(imds, answer, item->path, &item->error);

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

static void answer_receive(struct imds *imds, const struct imds_answer *answer)
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
	struct imds_request request = { .url = url, .limit = IMDS_ITEM_LIMIT };

	imds->limit_ms = left < imds->timeout_ms ? (unsigned)left : imds->timeout_ms;
	if (left == 0) {
		answer_receive(imds, &(struct imds_answer) { .failure = ETIMEDOUT });
		return;
	}
	imds->under_way = true;
	request.timeout_ms = imds->limit_ms;
	if (imds->step == STEP_TOKEN) {
		request.limit = IMDS_TOKEN_LIMIT;
		imds_http_put(imds->http, &request, TOKEN_TTL_S);
		return;
	}
	request.token = imds->token;
	imds_http_get(imds->http, &request);
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
		struct imds_answer answer;

		if (!imds->under_way && now < imds->start)
			return (unsigned)(imds->start - now);
		if (!imds->under_way)
			request_send(imds, now);
		else if (imds_http_step(imds->http, &answer))
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
	imds_http_wait(imds->http, others, count, wait_ms);
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
