/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/tui/service.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "ui/tui/worker.h"

/* ---- In the worker ---- */

static void add_notices(json_t *array, enum notice_source source, const char *text)
{
	struct notice *notices = NULL;
	struct error err = { "" };
	size_t count = 0;

	/* What does not parse is never a notice; the agent logs it. */
	if (notices_parse(source, text, &notices, &count, &err) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (notices[i].kind != NOTICE_LIFECYCLE || notice_leaves_service(&notices[i]))
			json_array_append_new(array,
				json_pack("{s:s, s:s, s:s}", "kind", notice_kinds[notices[i].kind],
					"time", notices[i].time, "detail", notices[i].detail));
	free(notices);
}

static json_t *poll_once(struct imds *imds)
{
	struct imds_item items[NOTICE_SOURCES] = { 0 };
	uint64_t began = clock_us(CLOCK_MONOTONIC), token_age;
	const struct imds_item *first = &items[SOURCE_ACTION];
	json_t *notices = json_array();
	struct error err = { "" };
	json_t *answer;
	bool answered;

	for (size_t i = 0; i < NOTICE_SOURCES; i++)
		items[i].path = notice_paths[i];
	imds_get_all(imds, items, NOTICE_SOURCES, &err);
	answered = first->status == 0 || first->status == -ENOENT;
	for (size_t i = 0; i < NOTICE_SOURCES; i++)
		if (items[i].status == 0)
			add_notices(notices, (enum notice_source)i, items[i].text);
	answer = json_pack("{s:I, s:o, s:o, s:o}", "latency_us",
		(json_int_t)(clock_us(CLOCK_MONOTONIC) - began), "token_age",
		imds_token_age(imds, &token_age) ? json_integer((json_int_t)token_age)
						 : json_null(),
		"error", answered ? json_null() : json_string(first->error.text), "notices",
		notices);
	imds_items_free(items, NOTICE_SOURCES);
	return answer;
}

static bool tell(int fd, json_t *answer)
{
	memory_cleanup_free char *line = json_dumps(answer, JSON_COMPACT);

	json_decref(answer);
	return line && worker_write(fd, line);
}

void service_poll(const struct imds_options *options, int fd)
{
	struct imds *imds;
	struct error err = { "" };

	if (imds_open(&imds, options, &err) < 0) {
		tell(fd, json_pack("{s:s, s:[]}", "error", err.text, "notices"));
		return;
	}
	while (tell(fd, poll_once(imds)))
		poll(NULL, 0, SERVICE_INTERVAL_MS);
	imds_close(imds);
}

/* ---- In the dashboard ---- */

static bool take_notice(struct notice *notice, json_t *json)
{
	const char *kind = json_string_value(json_object_get(json, "kind"));
	const char *time = json_string_value(json_object_get(json, "time"));
	const char *detail = json_string_value(json_object_get(json, "detail"));

	if (!kind || !time || !detail || strlen(time) >= sizeof(notice->time) ||
		strlen(detail) >= sizeof(notice->detail))
		return false;
	memset(notice, 0, sizeof(*notice));
	strcpy(notice->time, time);
	strcpy(notice->detail, detail);
	for (int i = 0; i < NOTICE_KIND_COUNT; i++)
		if (strcmp(notice_kinds[i], kind) == 0) {
			notice->kind = (enum notice_kind)i;
			return !*time || instant_parse(time, &notice->when) == 0;
		}
	return false;
}

void service_take(struct service_state *service, const char *line, uint64_t ticks)
{
	json_t *json = json_loads(line, 0, NULL), *item;
	json_t *age = json_object_get(json, "token_age");
	json_t *notices = json_object_get(json, "notices");
	size_t index;

	if (!json)
		return;
	service_free(service);
	service->polled = true;
	service->at = ticks;
	service->error = text_copy(json_string_value(json_object_get(json, "error")));
	service->latency_us = (uint64_t)json_integer_value(json_object_get(json, "latency_us"));
	service->has_token = json_is_integer(age);
	service->token_age = (uint64_t)json_integer_value(age);
	service->notices = memory_new(json_array_size(notices), sizeof(*service->notices));
	json_array_foreach(notices, index,
		item) if (take_notice(&service->notices[service->notice_count], item))
		service->notice_count++;
	json_decref(json);
}

void service_free(struct service_state *service)
{
	free(service->error);
	free(service->notices);
	*service = (struct service_state) { 0 };
}
