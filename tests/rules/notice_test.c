/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules of the agent: notices and their times, backing off, and presses that are echoes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/notice.h"
#include "core/rules/watch.h"

static void assert_id(const struct notice *notice, const char *expected)
{
	memory_cleanup_free char *id = notice_id(notice);

	assert_string_equal(id, expected);
}

/* The one notice that TEXT is; none is left behind by an error. */
static int parse(
	enum notice_source source, const char *text, struct notice *notice, struct error *err)
{
	struct notice *notices = (struct notice *)1;
	size_t count = 7;
	int status = notices_parse(source, text, &notices, &count, err);

	assert_int_equal(count, status == 0);
	*notice = count ? *notices : (struct notice) { 0 };
	if (!count)
		assert_null(notices);
	free(notices);
	return status;
}

/* ---- Times --------------------------------------------------------------------------------- */

static void times_that_exist_are_read(void **state UNUSED)
{
	static const struct {
		const char *text;
		int64_t when; /* date -u -d TEXT +%s */
	} cases[] = {
		{ "2017-09-18T08:22:00Z", 1505722920 },
		{ "2000-01-01T00:00:00Z", 946684800 },
		{ "2000-02-29T23:59:59Z", 951868799 },
		{ "2024-02-29T12:00:00Z", 1709208000 },
		{ "2038-01-19T03:14:08Z", 2147483648 },
		{ "2100-03-01T00:00:00Z", 4107542400 },
		{ "2199-12-31T23:59:59Z", 7258118399 },
		{ "2020-11-05T08:22:00.123Z", 1604564520 },
	};
	/* RFC 3339 has more ways to write 2017-09-18T08:22:00Z. */
	static const char *const same[] = { "2017-09-18T08:22:00+00:00",
		"2017-09-18T08:22:00-00:00", "2017-09-18t08:22:00z", "2017-09-18 08:22:00Z",
		"2017-09-18T08:22:00.5+00:00", "2017-09-18T13:52:00+05:30",
		"2017-09-17T22:22:00-10:00", "2017-09-18T22:21:00+13:59" };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[INSTANT_LENGTH];
		int64_t when = -1;

		assert_int_equal(instant_parse(cases[i].text, &when), 0);
		assert_int_equal(when, cases[i].when);
		instant_format(when, text);
		assert_memory_equal(text, cases[i].text, strlen("2017-09-18T08:22:00"));
	}
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		int64_t when = -1;

		assert_int_equal(instant_parse(same[i], &when), 0);
		assert_int_equal(when, 1505722920);
	}
}

static void times_that_do_not_exist_are_not(void **state UNUSED)
{
	static const char *const texts[] = { "", "2017", "2017-09-18", "2017-09-18T08:22Z",
		"2017-09-18T08:22:00", "2017-09-18T08:22:00+0000", "2017-09-18T08:22:00+00",
		"2017-09-18T08:22:00+24:00", "2017-09-18T08:22:00+00:60",
		"2017-09-18T08:22:00+00:00Z", "2017-09-18T08:22:00 00:00", "2017-09-18_08:22:00Z",
		" 2017-09-18T08:22:00Z", "2017-09-18T08:22:00Z ", "2017-09-18T08:22:00ZZ",
		"2017-00-18T08:22:00Z", "2017-13-18T08:22:00Z", "2017-09-00T08:22:00Z",
		"2017-09-31T08:22:00Z", "2017-02-29T08:22:00Z", "2100-02-29T08:22:00Z",
		"2017-09-18T24:00:00Z", "2017-09-18T08:60:00Z", "2017-09-18T08:22:60Z",
		"1999-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
		"0000-00-00T00:00:00Z", "2017-9-18T08:22:00Z", "+017-09-18T08:22:00Z",
		"2017-09-18T08:22:00.Z", "2017-09-18T08:22:00.1234567890Z", "2017-09-18T08:22:-1Z",
		"20170918T082200Z" };
	static const char *const gmt[] = { "", "21 Jan 2019 09:00:43", "21 Jan 2019 09:00:43 UTC",
		"121 Jan 2019 09:00:43 GMT", "31 Feb 2019 09:00:43 GMT", "21 jan 2019 09:00:43 GMT",
		"21 Jan 2019 09:00:43 GMT ", "Jan 21 2019 09:00:43 GMT", "0 Jan 2019 09:00:43 GMT",
		"21  Jan 2019 09:00:43 GMT" };
	memory_cleanup_free char *gmt_text = NULL;
	int64_t when;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (instant_parse(texts[i], &when) != -EINVAL)
			fail_msg("\"%s\" is a time", texts[i]);
	for (size_t i = 0; i < ARRAY_SIZE(gmt); i++)
		if (instant_parse_gmt(gmt[i], &when) != -EINVAL)
			fail_msg("\"%s\" is a time", gmt[i]);
	assert_int_equal(instant_parse_gmt("21 Jan 2019 09:00:43 GMT", &when), 0);
	assert_int_equal(when, 1548061243);
	assert_int_equal(instant_parse_gmt("1 Dec 2024 00:00:00 GMT", &when), 0);
	assert_int_equal(when, 1733011200);
	gmt_text = instant_format_gmt(when);
	assert_string_equal(gmt_text, "01 Dec 2024 00:00:00 GMT");
}

/* ---- Notices --------------------------------------------------------------------------------- */

static void documented_answers_are_notices(void **state UNUSED)
{
	static const struct {
		const char *text;
		enum notice_kind kind;
		const char *id;
	} cases[] = {
		{ "{\"action\": \"hibernate\", \"time\": \"2017-09-18T08:22:00Z\"}",
			NOTICE_HIBERNATE, "hibernate 2017-09-18T08:22:00Z" },
		{ "{\"action\":\"stop\",\"time\":\"2017-09-18T08:22:00Z\"}", NOTICE_STOP,
			"stop 2017-09-18T08:22:00Z" },
		{ "\n{ \"time\" : \"2017-09-18T08:22:00Z\", \"action\" : \"terminate\" }\n",
			NOTICE_TERMINATE, "terminate 2017-09-18T08:22:00Z" },
		{ "{\"action\":\"stop\",\"time\":\"2017-09-18T08:22:00Z\",\"why\":[1]}",
			NOTICE_STOP, "stop 2017-09-18T08:22:00Z" },
	};
	struct notice notice;
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memory_cleanup_free char *id = NULL;

		assert_int_equal(parse(SOURCE_ACTION, cases[i].text, &notice, &err), 0);
		assert_int_equal(notice.kind, cases[i].kind);
		assert_string_equal(notice.time, "2017-09-18T08:22:00Z");
		assert_int_equal(notice.when, 1505722920);
		id = notice_id(&notice);
		assert_string_equal(id, cases[i].id);
	}
	assert_int_equal(parse(SOURCE_REBALANCE, "{\"noticeTime\": \"2020-10-26T23:59:59Z\"}",
				 &notice, &err),
		0);
	assert_int_equal(notice.kind, NOTICE_REBALANCE);
	assert_int_equal(notice.when, 1603756799);
}

static void anything_else_is_never_a_notice(void **state UNUSED)
{
	static const char *const texts[] = { "", " ", "null", "true", "\"hibernate\"", "[]", "{}",
		"hibernate", "404 - Not Found", "<html></html>",
		"[{\"action\":\"hibernate\",\"time\":\"2017-09-18T08:22:00Z\"}]",
		"{\"time\":\"2017-09-18T08:22:00Z\"}", "{\"action\":\"hibernate\",\"time\":\"\"}",
		"{\"action\":\"hibernate\",\"time\":\"2017-09-18T08:22:00Z\"",
		"{\"action\":\"hibernate\",\"time\":\"2017-09-18T08:22:00Z\"}}",
		"{\"action\":\"hibernate\",\"time\":\"2017-09-18T08:22:00Z\"}x",
		"{\"action\":\"hibernate\",\"time\":\"2017-09-18T08:22:00Z\"}{}",
		"{\"action\":\"Hibernate\",\"time\":\"2017-09-18T08:22:00Z\"}",
		"{\"action\":\"hibernate \",\"time\":\"2017-09-18T08:22:00Z\"}",
		"{\"action\":\"rebalance\",\"time\":\"2017-09-18T08:22:00Z\"}",
		"{\"action\":\"maintenance\",\"time\":\"2017-09-18T08:22:00Z\"}",
		"{\"action\":\"none\",\"time\":\"2017-09-18T08:22:00Z\"}",
		"{\"action\":\"\",\"time\":\"2017-09-18T08:22:00Z\"}",
		"{\"action\":null,\"time\":\"2017-09-18T08:22:00Z\"}",
		"{\"action\":[\"hibernate\"],\"time\":\"2017-09-18T08:22:00Z\"}",
		"{\"action\":\"hibernate\",\"time\":1505722920}",
		"{\"action\":\"hibernate\",\"time\":\"2017-02-30T08:22:00Z\"}",
		"{\"action\":\"hibernate\",\"time\":\"soon\"}",
		"{\"action\":\"stop\",\"action\":\"hibernate\",\"time\":\"2017-09-18T08:22:00Z\"}",
		"{\"action\":\"hibernate\",\"action\":\"hibernate\",\"time\":\"2017-09-18T08:22:00Z\"}",
		"{'action':'hibernate','time':'2017-09-18T08:22:00Z'}",
		"{\"action\":\"hib\\u0000ernate\",\"time\":\"2017-09-18T08:22:00Z\"}",
		"{\"action\":\"hibernate\",\"time\":\"2017-09-18T08:22:00Z\xff\"}",
		"\xef\xbb\xbf{\"action\":\"hibernate\",\"time\":\"2017-09-18T08:22:00Z\"}" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct notice notice;
		struct error err = { "" };

		if (parse(SOURCE_ACTION, texts[i], &notice, &err) != -EBADMSG)
			fail_msg("\"%s\" is a notice", texts[i]);
		assert_true(strlen(err.text) > 0);
		assert_int_equal(parse(SOURCE_REBALANCE, texts[i], &notice, &err), -EBADMSG);
	}
}

static void long_answer_is_refused(void **state UNUSED)
{
	memory_cleanup_free char *text = memory_new(NOTICE_TEXT_LIMIT + 2, 1);
	const char *notice_text = "{\"action\":\"hibernate\",\"time\":\"2017-09-18T08:22:00Z\"}";
	struct notice notice;
	struct error err;

	memset(text, ' ', NOTICE_TEXT_LIMIT);
	memcpy(text, notice_text, strlen(notice_text));
	assert_int_equal(parse(SOURCE_ACTION, text, &notice, &err), 0);
	text[NOTICE_TEXT_LIMIT] = ' ';
	assert_int_equal(parse(SOURCE_ACTION, text, &notice, &err), -EFBIG);
}

static void strange_value_is_quoted_safely(void **state UNUSED)
{
	struct notice notice;
	struct error err;

	assert_int_equal(parse(SOURCE_ACTION,
				 "{\"action\":\"\\u001b[2Jx\",\"time\":"
				 "\"2017-09-18T08:22:00Z\"}",
				 &notice, &err),
		-EBADMSG);
	assert_string_equal(err.text, "the answer's action is not known: \"\\x1b[2Jx\"");
}

/* Every cut and every changed byte of a real answer: an error, or a notice of a known kind. */
static void damaged_answers_are_errors_or_the_notice(void **state UNUSED)
{
	const char *good = "{\"action\": \"hibernate\", \"time\": \"2017-09-18T08:22:00Z\"}";
	size_t length = strlen(good);
	char text[128];
	struct notice notice;
	struct error err;

	for (size_t i = 0; i < length; i++) {
		memcpy(text, good, length + 1);
		text[i] = '\0';
		assert_true(parse(SOURCE_ACTION, text, &notice, &err) < 0);
	}
	for (size_t i = 0; i < length; i++) {
		for (int byte = 1; byte < 256; byte++) {
			memcpy(text, good, length + 1);
			text[i] = (char)byte;
			if (parse(SOURCE_ACTION, text, &notice, &err) < 0)
				continue;
			/* Only another digit of the time, or another white space. */
			assert_int_equal(notice.kind, NOTICE_HIBERNATE);
			/* A damaged key leaves an action without a time. */
			assert_true((byte >= '0' && byte <= '9') || byte == good[i] ||
				    good[i] == ' ' || good[i] == 'T' || good[i] == 'Z' ||
				    (i && text[i] == '.') || !*notice.time);
		}
	}
}

/* ---- Scheduled events ------------------------------------------------------------------------ */

#define EVENT(id, state_name)                                                                      \
	"{\"NotBefore\":\"21 Jan 2019 09:00:43 GMT\",\"Code\":\"system-reboot\","                  \
	"\"Description\":\"scheduled reboot\",\"EventId\":\"" id "\","                             \
	"\"NotAfter\":\"21 Jan 2019 09:17:23 GMT\",\"State\":\"" state_name "\"}"

static void active_events_are_notices(void **state UNUSED)
{
	static const char events[] = "[" EVENT("instance-event-1", "active") "," EVENT(
		"instance-event-2", "completed") "," EVENT("instance-event-3",
		"canceled") "," EVENT("instance-event-4", "active") "]\n";
	struct notice *notices;
	struct error err;
	size_t count;

	assert_int_equal(notices_parse(SOURCE_MAINTENANCE, events, &notices, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_string_equal(notices[0].id, "instance-event-1");
	assert_string_equal(notices[1].id, "instance-event-4");
	assert_string_equal(notices[0].detail, "system-reboot");
	assert_string_equal(notices[0].time, "2019-01-21T09:00:43Z");
	assert_int_equal(notices[0].when, 1548061243);
	assert_id(&notices[0], "maintenance 2019-01-21T09:00:43Z instance-event-1");
	assert_id(&notices[1], "maintenance 2019-01-21T09:00:43Z instance-event-4");
	free(notices);
	assert_int_equal(notices_parse(SOURCE_MAINTENANCE, "[]", &notices, &count, &err), 0);
	assert_null(notices);
	assert_int_equal(count, 0);
}

static void every_source_has_its_form(void **state UNUSED)
{
	static const struct {
		enum notice_source source;
		const char *text;
		int status;
		enum notice_kind kind;
		size_t count;
	} cases[] = {
		{ SOURCE_ACTION, "{\"action\":\"stop\",\"time\":\"2017-09-18T08:22:00Z\"}", 0,
			NOTICE_STOP, 1 },
		{ SOURCE_REBALANCE, "{\"noticeTime\":\"2020-11-05T08:22:00Z\"}", 0,
			NOTICE_REBALANCE, 1 },
		{ SOURCE_LIFECYCLE, "Terminated", 0, NOTICE_LIFECYCLE, 1 },
		{ SOURCE_MAINTENANCE, "[]", 0, NOTICE_MAINTENANCE, 0 },
		{ SOURCE_ACTION, "Terminated", -EBADMSG, NOTICE_STOP, 0 },
		{ SOURCE_REBALANCE, "[]", -EBADMSG, NOTICE_STOP, 0 },
		{ SOURCE_LIFECYCLE, "{}", -EBADMSG, NOTICE_STOP, 0 },
		{ SOURCE_MAINTENANCE, "{}", -EBADMSG, NOTICE_STOP, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct notice *notices;
		struct error err = { "" };
		size_t count;

		assert_int_equal(
			notices_parse(cases[i].source, cases[i].text, &notices, &count, &err),
			cases[i].status);
		assert_int_equal(count, cases[i].count);
		if (count)
			assert_int_equal(notices[0].kind, cases[i].kind);
		free(notices);
	}
}

static void one_bad_event_spoils_the_list(void **state UNUSED)
{
	static const char *const texts[] = { "", "{}", "[", "[1]", "[{}]", "[[]]",
		"[" EVENT("a", "active") ",{}]", "[" EVENT("a b", "active") "]",
		"[" EVENT("", "active") "]", "[" EVENT("a\\nb", "active") "]",
		"[" EVENT("a", "active") "]]",
		"[{\"EventId\":\"a\",\"Code\":\"b\",\"State\":\"active\",\"NotBefore\":\"soon\"}]",
		"[{\"EventId\":\"a\",\"Code\":\"b\",\"State\":\"active\"}]",
		"[{\"EventId\":\"a\",\"Code\":\"b\",\"NotBefore\":\"2019-01-21T09:00:43Z\"}]" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct notice *notices = (struct notice *)1;
		size_t count = 7;
		struct error err;

		if (notices_parse(SOURCE_MAINTENANCE, texts[i], &notices, &count, &err) != -EBADMSG)
			fail_msg("\"%s\" is a list of events", texts[i]);
		assert_null(notices);
		assert_int_equal(count, 0);
	}
}

/* ---- Lifecycle, identity --------------------------------------------------------------------- */

static void lifecycle_states_are_words(void **state UNUSED)
{
	static const char *const bad[] = { "", "\n", "terminated", "Terminated ", " Terminated",
		"Terminated\nInService", "Terminated\n\n", "Warmed", "Warmed:", "Terminatedx",
		"Terminate", "{\"a\":1}" };
	struct notice notice, other;
	struct error err;

	assert_int_equal(parse(SOURCE_LIFECYCLE, "InService", &notice, &err), 0);
	assert_false(notice_leaves_service(&notice));
	assert_int_equal(parse(SOURCE_LIFECYCLE, "Terminated\n", &other, &err), 0);
	assert_true(notice_leaves_service(&other));
	assert_int_equal(other.kind, NOTICE_LIFECYCLE);
	assert_string_equal(other.time, "");
	assert_id(&notice, "lifecycle InService");
	assert_id(&other, "lifecycle Terminated");
	assert_int_equal(parse(SOURCE_LIFECYCLE, "Warmed:Hibernated", &notice, &err), 0);
	assert_true(notice_leaves_service(&notice));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(SOURCE_LIFECYCLE, bad[i], &notice, &err), -EBADMSG);
	assert_false(notice_leaves_service(&notice));
}

static void notices_differ_by_kind_and_time(void **state UNUSED)
{
	struct notice notice = { .kind = NOTICE_STOP, .time = "2017-09-18T08:22:00Z" };

	assert_id(&notice, "stop 2017-09-18T08:22:00Z");
	notice.kind = NOTICE_HIBERNATE;
	assert_id(&notice, "hibernate 2017-09-18T08:22:00Z");
	strcpy(notice.time, "2017-09-18T08:22:01Z");
	assert_id(&notice, "hibernate 2017-09-18T08:22:01Z");
}

static void action_without_a_time_is_a_notice(void **state UNUSED)
{
	static const char *const texts[] = { "{\"action\":\"hibernate\"}",
		"{\"action\":\"hibernate\",\"time\":null}" };
	struct notice notice;
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(parse(SOURCE_ACTION, texts[i], &notice, &err), 0);
		assert_id(&notice, "hibernate");
	}
	assert_int_equal(parse(SOURCE_REBALANCE, "{}", &notice, &err), -EBADMSG);
}

static struct notice notice_at(enum notice_kind kind, int64_t when)
{
	struct notice notice = { .kind = kind, .when = when };

	if (when)
		instant_format(when, notice.time);
	return notice;
}

static void time_that_moves_with_the_clock_is_one_notice(void **state UNUSED)
{
	static const struct {
		enum notice_kind before, after;
		int64_t from, to, elapsed;
		bool same;
	} cases[] = {
		{ NOTICE_STOP, NOTICE_STOP, 1600000000, 1600000000, 0, true },
		{ NOTICE_STOP, NOTICE_STOP, 1600000000, 1600000001, 1, true },
		{ NOTICE_STOP, NOTICE_STOP, 1600000000, 1600000060, 60, true },
		{ NOTICE_STOP, NOTICE_STOP, 1600000000, 1599999998, 1, true },
		{ NOTICE_STOP, NOTICE_STOP, 1600000000, 1600000120, 1, false },
		{ NOTICE_STOP, NOTICE_STOP, 1600000120, 1600000000, 1, false },
		{ NOTICE_STOP, NOTICE_HIBERNATE, 1600000000, 1600000000, 1, false },
		{ NOTICE_HIBERNATE, NOTICE_HIBERNATE, 0, 0, 1, true },
		{ NOTICE_HIBERNATE, NOTICE_HIBERNATE, 0, 1600000000, 1, false },
		{ NOTICE_REBALANCE, NOTICE_REBALANCE, 1600000000, 1600000001, 1, true },
		{ NOTICE_MAINTENANCE, NOTICE_MAINTENANCE, 1600000000, 1600000000, 1, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct notice before = notice_at(cases[i].before, cases[i].from);
		struct notice after = notice_at(cases[i].after, cases[i].to);

		assert_int_equal(
			notice_moves_along(&before, &after, cases[i].elapsed), cases[i].same);
	}
}

static void what_is_said_all_the_time_is_heard_once(void **state UNUSED)
{
	struct standing standing = { 0 };
	struct notice notice = notice_at(NOTICE_HIBERNATE, 1600000000);

	assert_false(standing_hears(&standing, &notice, 5000));
	for (unsigned i = 1; i < 100; i++) {
		notice = notice_at(NOTICE_HIBERNATE, 1600000000 + i);
		assert_true(standing_hears(&standing, &notice, 5000 + i * 1000));
	}
	/* Another order, although there was no moment without one. */
	notice = notice_at(NOTICE_HIBERNATE, 1600007200);
	assert_false(standing_hears(&standing, &notice, 105000));
	assert_true(standing_hears(&standing, &notice, 106000));
	standing.is = false;
	assert_false(standing_hears(&standing, &notice, 107000));
}

static void notice_older_than_the_resume_was_answered_by_it(void **state UNUSED)
{
	static const struct {
		enum notice_kind kind;
		int64_t when;
		bool meant;
	} cases[] = {
		{ NOTICE_HIBERNATE, 1600000000 - 7200, true },
		{ NOTICE_HIBERNATE, 1600000000, true },
		{ NOTICE_HIBERNATE, 0, true },
		{ NOTICE_HIBERNATE, 1600000001, false },
		{ NOTICE_HIBERNATE, 1600000120, false },
		{ NOTICE_STOP, 1600000000 - 7200, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct notice notice = notice_at(cases[i].kind, cases[i].when);

		assert_int_equal(notice_was_meant_for(&notice, 1600000000), cases[i].meant);
	}
}

/* ---- Trouble --------------------------------------------------------------------------------- */

static void trouble_is_said_when_it_begins_and_ends(void **state UNUSED)
{
	struct trouble trouble = { 0 };
	uint64_t now = 1000;

	assert_int_equal(trouble_passed(&trouble, now), TROUBLE_SAYS_NOTHING);
	assert_int_equal(trouble_failed(&trouble, now += 1000), TROUBLE_BEGINS);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(trouble_failed(&trouble, now += 1000), TROUBLE_SAYS_NOTHING);
	assert_int_equal(trouble_failed(&trouble, now += 24 * 3600 * 1000), TROUBLE_STAYS);
	assert_int_equal(trouble_failed(&trouble, now += 1000), TROUBLE_SAYS_NOTHING);
	assert_int_equal(trouble_passed(&trouble, now += 1000), TROUBLE_ENDS);
	assert_int_equal(trouble_passed(&trouble, now += 1000), TROUBLE_SAYS_NOTHING);
	/* Soon again: it comes back, and now its end takes some quiet. */
	assert_int_equal(trouble_failed(&trouble, now += 1000), TROUBLE_RETURNS);
	assert_int_equal(trouble_passed(&trouble, now += 1000), TROUBLE_SAYS_NOTHING);
	assert_int_equal(trouble_passed(&trouble, now += 3600 * 1000), TROUBLE_ENDS);
}

/* One poll a second, of which the first FAIL of each PERIOD fail. */
static void log_of_trouble_is_short_whatever_the_pattern(void **state UNUSED)
{
	static const struct {
		unsigned period, fail;
	} patterns[] = { { 2, 1 }, { 3, 2 }, { 60, 1 }, { 600, 300 }, { 660, 1 }, { 1260, 1 },
		{ 3600, 60 }, { 7200, 3600 }, { 43200, 1 } };
	const unsigned day = 24 * 3600;

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		struct trouble trouble = { 0 };
		unsigned said = 0;

		for (unsigned second = 0; second < day; second++) {
			uint64_t now = 1000 * (uint64_t)(second + 1);
			bool fails = second % patterns[i].period < patterns[i].fail;

			said += (fails ? trouble_failed(&trouble, now)
				       : trouble_passed(&trouble, now)) != TROUBLE_SAYS_NOTHING;
		}
		assert_in_range(said, 1, 30);
	}
}

/* ---- Backing off ----------------------------------------------------------------------------- */

static void wait_doubles_up_to_its_limit(void **state UNUSED)
{
	static const struct {
		unsigned failures, base, least_wait, most_wait;
	} cases[] = {
		{ 0, 1000, 0, 0 },
		{ 1, 1000, 500, 1000 },
		{ 2, 1000, 1000, 2000 },
		{ 3, 1000, 2000, 4000 },
		{ 4, 1000, 2500, 5000 },
		{ UINT_MAX, 1000, 2500, 5000 },
		{ UINT_MAX, 1, 2500, 5000 },
		{ 1, 60000, 30000, 60000 },
		{ UINT_MAX, 60000, 30000, 60000 },
		{ 9, 0, 0, 0 },
		{ 1, 1, 1, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			backoff_ms(cases[i].failures, cases[i].base, 0), cases[i].least_wait);
		assert_int_equal(backoff_ms(cases[i].failures, cases[i].base, UINT32_MAX),
			cases[i].most_wait);
	}
	assert_int_equal(backoff_ms(1, 1000, UINT32_MAX / 2), 750);
}

/* ---- Requests -------------------------------------------------------------------------------- */

static void reaction_decides_which_job(void **state UNUSED)
{
	static const struct {
		struct request request;
		enum config_reaction on_stop;
		enum job_kind job;
	} cases[] = {
		{ { .kind = REQUEST_START }, REACTION_IGNORE, JOB_START },
		{ { .kind = REQUEST_PRESS }, REACTION_IGNORE, JOB_HIBERNATE },
		{ { REQUEST_NOTICE, .notice.kind = NOTICE_HIBERNATE }, REACTION_HOOKS,
			JOB_HIBERNATE },
		{ { REQUEST_NOTICE, .notice.kind = NOTICE_STOP }, REACTION_HOOKS, JOB_HOOKS },
		{ { REQUEST_NOTICE, .notice.kind = NOTICE_STOP }, REACTION_HIBERNATE,
			JOB_HIBERNATE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct config config = { .on_stop = cases[i].on_stop };

		assert_int_equal(request_job(&cases[i].request, &config), cases[i].job);
	}
}

/*
 * Start before press before notices, and these as they came. A second press or start is the first.
 */
static void requests_wait_in_their_order(void **state UNUSED)
{
	static const struct {
		const char *added; /* s: start, p: press, a letter: a notice */
		const char *waiting;
	} cases[] = { { "", "" }, { "abc", "abc" }, { "ps", "sp" }, { "aspb", "spab" },
		{ "pp", "p" }, { "sasps", "spa" }, { "aa", "aa" } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct requests requests = { 0 };

		for (const char *letter = cases[i].added; *letter; letter++)
			requests_add(&requests,
				&(struct request) { .kind = *letter == 's'   ? REQUEST_START
							    : *letter == 'p' ? REQUEST_PRESS
									     : REQUEST_NOTICE,
					.notice.id = { *letter } });
		assert_int_equal(requests.count, strlen(cases[i].waiting));
		for (size_t k = 0; k < requests.count; k++)
			assert_int_equal(requests.items[k].notice.id[0], cases[i].waiting[k]);
		while (requests.count > 1)
			requests_remove(&requests, 1);
		if (requests.count)
			assert_int_equal(requests.items[0].notice.id[0], cases[i].waiting[0]);
		free(requests.items);
	}
}

static void lost_hibernation_begins_three_times(void **state UNUSED)
{
	struct requests requests = { 0 };
	struct request request = { .kind = REQUEST_PRESS };

	assert_int_equal(requests_wait_us(&requests, 0), UINT64_MAX);
	requests_add(&requests, &request);
	assert_int_equal(requests_wait_us(&requests, 0), UINT64_MAX); /* it is due */
	assert_true(request_again(&request, 5000));
	requests_add(&requests, &request);
	assert_int_equal(requests_wait_us(&requests, 5000), 1000000);
	assert_int_equal(requests_wait_us(&requests, 1005000), UINT64_MAX);
	assert_true(request_again(&request, 5000));
	requests_add(&requests, &request);
	assert_int_equal(requests_wait_us(&requests, 5000), 2000000);
	assert_false(request_again(&request, 5000));
	free(requests.items);
}

/* ---- Echoes of the sleep button -------------------------------------------------------------- */

#define WINDOW_MS 30000

static void echoes_of_a_press_are_ignored(void **state UNUSED)
{
	static const struct {
		struct debounce debounce;
		int64_t pressed, window;
		bool ignored;
	} cases[] = {
		{ { .under_way = false, .resumed = false, .resumed_ms = 0 }, 0, WINDOW_MS, false },
		{ { .under_way = false, .resumed = false, .resumed_ms = 0 }, 5, WINDOW_MS, false },
		{ { .under_way = true, .resumed = false, .resumed_ms = 0 }, 5, WINDOW_MS, true },
		{ { .under_way = true, .resumed = true, .resumed_ms = 1000 }, 900000, WINDOW_MS,
			true },
		{ { .under_way = false, .resumed = true, .resumed_ms = 1000 }, 999, WINDOW_MS,
			true },
		{ { .under_way = false, .resumed = true, .resumed_ms = 1000 }, 1000, WINDOW_MS,
			true },
		{ { .under_way = false, .resumed = true, .resumed_ms = 1000 }, 30999, WINDOW_MS,
			true },
		{ { .under_way = false, .resumed = true, .resumed_ms = 1000 }, 31000, WINDOW_MS,
			false },
		{ { .under_way = false, .resumed = true, .resumed_ms = 1000 }, 1000, 0, true },
		{ { .under_way = false, .resumed = true, .resumed_ms = 1000 }, 1001, 0, false },
		{ { .under_way = false, .resumed = true, .resumed_ms = INT64_MIN }, INT64_MAX,
			WINDOW_MS, false },
		{ { .under_way = false, .resumed = true, .resumed_ms = INT64_MAX }, INT64_MIN,
			WINDOW_MS, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
			debounce_ignores(&cases[i].debounce, cases[i].pressed, cases[i].window),
			cases[i].ignored);
}

/*
 * Whoever had it hibernate; less than half a second is two clocks that were read one after the
 * other.
 */
static void sleep_is_a_resume(void **state UNUSED)
{
	struct debounce debounce = { .under_way = true, .slept_ms = 7000 };

	debounce_look(&debounce, 7499, 100000);
	assert_false(debounce.resumed);
	debounce_look(&debounce, 7500, 100000);
	assert_true(debounce.resumed);
	assert_int_equal(debounce.resumed_ms, 100000);
	assert_true(debounce.under_way);
	debounce_look(&debounce, 7500, 200000);
	assert_int_equal(debounce.resumed_ms, 100000);
	debounce_answer(&debounce, 300000);
	assert_int_equal(debounce.resumed_ms, 300000);
	assert_false(debounce.under_way);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_that_exist_are_read),
		cmocka_unit_test(times_that_do_not_exist_are_not),
		cmocka_unit_test(documented_answers_are_notices),
		cmocka_unit_test(anything_else_is_never_a_notice),
		cmocka_unit_test(long_answer_is_refused),
		cmocka_unit_test(strange_value_is_quoted_safely),
		cmocka_unit_test(damaged_answers_are_errors_or_the_notice),
		cmocka_unit_test(active_events_are_notices),
		cmocka_unit_test(every_source_has_its_form),
		cmocka_unit_test(one_bad_event_spoils_the_list),
		cmocka_unit_test(lifecycle_states_are_words),
		cmocka_unit_test(notices_differ_by_kind_and_time),
		cmocka_unit_test(action_without_a_time_is_a_notice),
		cmocka_unit_test(time_that_moves_with_the_clock_is_one_notice),
		cmocka_unit_test(what_is_said_all_the_time_is_heard_once),
		cmocka_unit_test(notice_older_than_the_resume_was_answered_by_it),
		cmocka_unit_test(trouble_is_said_when_it_begins_and_ends),
		cmocka_unit_test(log_of_trouble_is_short_whatever_the_pattern),
		cmocka_unit_test(wait_doubles_up_to_its_limit),
		cmocka_unit_test(reaction_decides_which_job),
		cmocka_unit_test(requests_wait_in_their_order),
		cmocka_unit_test(lost_hibernation_begins_three_times),
		cmocka_unit_test(echoes_of_a_press_are_ignored),
		cmocka_unit_test(sleep_is_a_resume),
	};

	return cmocka_run_group_tests_name("notice", tests, NULL, NULL);
}
