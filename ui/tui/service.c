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
#include "core/rules/notice.h"
#include "ui/tui/aside.h"

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

static json_t *ask_once(struct imds *imds)
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
	return line && aside_write(fd, line);
}

void service_ask(const struct imds_options *options, int fd)
{
	struct imds *imds;
	struct error err = { "" };

	if (imds_open(&imds, options, &err) < 0) {
		tell(fd, json_pack("{s:s, s:[]}", "error", err.text, "notices"));
		return;
	}
	while (tell(fd, ask_once(imds)))
		poll(NULL, 0, SERVICE_EVERY_MS);
	imds_close(imds);
}
