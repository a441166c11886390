/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * That there is no notice is the normal answer (404). A failure, whatever it is, is said once when
 * it begins and once when it is over; between the two the pauses grow.
 */
#include "core/actions/watch_poll.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/watch.h"

/* EC2 gives a hibernation no two minutes: an answer that takes longer than this is too late. */
#define PATIENCE_MS 5000

int poller_open(struct poller *poller, const struct imds_options *options, struct error *err)
{
	struct imds_options patient = *options;
	int status;

	patient.patience_ms = PATIENCE_MS;
	status = imds_open(&poller->imds, &patient, err);

	if (status != -ECANCELED)
		return status;
	log_event(poller->log, LOG_WARNING, "metadata", "the metadata service is not asked: %s",
		err->text);
	return 0;
}

void poller_close(struct poller *poller)
{
	imds_items_free(poller->items, poller->count);
	imds_close(poller->imds);
}

void poller_hurry(struct poller *poller)
{
	poller->next = clock_us(CLOCK_MONOTONIC);
}

void poller_hurry_all(struct poller *poller)
{
	poller_hurry(poller);
	poller->next_slow = poller->next;
}

void poller_wait(const struct poller *poller, struct pollfd *others, size_t count, uint64_t wait)
{
	unsigned wait_ms = (unsigned)((wait + 999) / 1000);

	if (poller->imds)
		imds_wait(poller->imds, others, count, wait_ms);
	else
		poll(others, count, (int)wait_ms);
}

static void begin(struct poller *poller, uint64_t now)
{
	bool all = now >= poller->next_slow;

	poller->count = all ? NOTICE_SOURCES : 1;
	poller->heard = 0;
	for (size_t i = 0; i < poller->count; i++)
		poller->items[i] = (struct imds_item) { .path = notice_paths[i] };
	poller->began = now;
	poller->next = now + poller->config->poll_interval * 1000;
	if (all)
		poller->next_slow = now + poller->config->slow_interval * 1000;
	imds_begin(poller->imds, poller->items, poller->count);
}

/* ---- What the answers say -------------------------------------------------------------------- */

static bool is_answered(const struct imds_item *item)
{
	return item->status == 0 || item->status == -ENOENT;
}

/* How often it comes back, after WHAT is wrong. */
static const char *const again[] = {
	[TROUBLE_BEGINS] = "",
	[TROUBLE_RETURNS] = ", again and again",
	[TROUBLE_STAYS] = ", since yesterday at least",
	[TROUBLE_ENDS] = NULL,
};

/*
 * An answer that does not parse, or one that alone does not come, is never a notice. WHY is NULL
 * when nothing is wrong.
 */
static void complain(struct poller *poller, size_t i, const char *what, const char *why)
{
	uint64_t now = clock_ms(CLOCK_BOOTTIME);
	struct trouble *trouble = &poller->trouble[i];
	enum trouble_news news = why ? trouble_failed(trouble, now) : trouble_passed(trouble, now);

	if (news == TROUBLE_ENDS)
		log_event(poller->log, LOG_NOTICE, "metadata",
			"%s is answered as it should be again, after %u failures", notice_paths[i],
			trouble->failures);
	else if (news != TROUBLE_SAYS_NOTHING)
		log_event(poller->log, LOG_WARNING, "metadata", "%s %s%s: %s", notice_paths[i],
			what, again[news], why);
}

static void add_notices(struct poller *poller, size_t i, struct poll_news *news)
{
	memory_cleanup_free struct notice *notices = NULL;
	struct error err = { "" };
	size_t count;
	int status =
		notices_parse((enum notice_source)i, poller->items[i].text, &notices, &count, &err);

	complain(poller, i, "is not understood", status < 0 ? err.text : NULL);
	for (size_t k = 0; k < count; k++) {
		news->notices = memory_grow(news->notices, news->count, sizeof(*news->notices));
		news->notices[news->count++] = notices[k];
	}
}

/*
 * Each answer as soon as it has come: a Spot notice, which is asked for first, does not wait for
 * the items after it. Whatever else fails, a notice that has come is heard.
 */
static void hear(struct poller *poller, struct poll_news *news)
{
	for (; poller->heard < poller->count; poller->heard++) {
		const struct imds_item *item = &poller->items[poller->heard];

		if (item->status == -EINPROGRESS)
			return;
		if (item->status == 0)
			add_notices(poller, poller->heard, news);
		else if (item->status == -ENOENT) {
			complain(poller, poller->heard, NULL, NULL);
			news->gone |= poller->heard == SOURCE_ACTION;
		} else if (is_answered(&poller->items[SOURCE_ACTION]))
			complain(poller, poller->heard, "is not answered", item->error.text);
	}
}

/* ---- How the poll went ----------------------------------------------------------------------- */

static uint32_t chance(void)
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		number = (uint32_t)clock_us(CLOCK_MONOTONIC);
	return number;
}

static void failed(struct poller *poller, const struct error *err)
{
	unsigned pause_ms =
		backoff_ms(++poller->failures, (unsigned)poller->config->poll_interval, chance());
	uint64_t next = clock_us(CLOCK_MONOTONIC) + (uint64_t)pause_ms * 1000;
	enum trouble_news news = trouble_failed(&poller->silence, clock_ms(CLOCK_BOOTTIME));

	if (news != TROUBLE_SAYS_NOTHING)
		log_event(poller->log, LOG_WARNING, "metadata",
			"no answer from the metadata service%s, trying again: %s", again[news],
			err->text);
	poller->error = *err;
	if (next > poller->next)
		poller->next = next;
	/* What is asked for rarely is not to be missed by one failure. */
	if (poller->count == NOTICE_SOURCES)
		poller->next_slow = poller->next;
}

/*
 * Whether the service answers is told by the Spot notice alone, which every poll asks for. What is
 * asked for now and then may fail for reasons of its own, and must not slow that down.
 */
static enum poll_result end(struct poller *poller)
{
	const struct imds_item *first = &poller->items[SOURCE_ACTION];
	struct error err = { "" };
	int status = imds_end(poller->imds, &err);
	bool answered = is_answered(first);

	if (answered) {
		if (trouble_passed(&poller->silence, clock_ms(CLOCK_BOOTTIME)) == TROUBLE_ENDS)
			log_event(poller->log, LOG_NOTICE, "metadata",
				"the metadata service answers again, after %u failures",
				poller->silence.failures);
		poller->failures = 0;
		poller->latency = clock_us(CLOCK_MONOTONIC) - poller->began;
		poller->complete |= poller->count == NOTICE_SOURCES;
	} else {
		failed(poller, status < 0 ? &err : &first->error);
	}
	imds_items_free(poller->items, poller->count);
	poller->count = 0;
	return answered ? POLL_ANSWERED : POLL_FAILED;
}

void poller_step(struct poller *poller, struct poll_news *news)
{
	uint64_t now = clock_us(CLOCK_MONOTONIC);
	unsigned wait_ms;

	*news = (struct poll_news) { .wait = UINT64_MAX };
	if (!poller->imds)
		return;
	if (poller->count == 0 && now < poller->next) {
		news->wait = poller->next - now;
		return;
	}
	if (poller->count == 0)
		begin(poller, now);
	wait_ms = imds_step(poller->imds);
	hear(poller, news);
	news->wait = (uint64_t)wait_ms * 1000;
	if (wait_ms)
		return;
	news->result = end(poller);
	now = clock_us(CLOCK_MONOTONIC);
	if (poller->next > now)
		news->wait = poller->next - now;
}
