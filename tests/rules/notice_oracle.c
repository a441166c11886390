/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/rules/notice_oracle.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/rules/notice.h"

/* "2017-09-18T08:22:00Z", perhaps with parts of a second. */
static bool is_time(const char *text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	size_t i;

	for (i = 0; form[i]; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
			return false;
	if (text[i] == '.')
		for (i++; isdigit((unsigned char)text[i]); i++)
			;
	return strcmp(text + i, "Z") == 0;
}

/* A time is said as it is, or with an offset that moves all of it but its seconds. */
static bool is_said_time(const char *text, const struct notice *notice)
{
	char seconds[4] = "";

	if (!*notice->time)
		return notice->kind != NOTICE_REBALANCE;
	if (!is_time(notice->time))
		return false;
	memcpy(seconds, notice->time + strlen("2017-09-18T08:22"), 3);
	return strstr(text, seconds) || strchr(text, '\\');
}

/* White space of JSON around it left out, it begins and ends so. */
static bool is_between(const char *text, char first, char last)
{
	static const char space[] = " \t\r\n";
	size_t length = strlen(text);

	while (length && strchr(space, text[length - 1]))
		length--;
	return length > 1 && text[strspn(text, space)] == first && text[length - 1] == last;
}

static bool is_zero(const struct notice *notice)
{
	static const struct notice zero;

	return memcmp(notice, &zero, sizeof(zero)) == 0;
}

/* TEXT has "NAME" in it, or writes something with an escape, which may be that. */
static bool names(const char *text, const char *name)
{
	return strstr(text, name) || strchr(text, '\\');
}

static const char *check_object(
	const char *text, int status, const struct notice *notice, const struct error *err)
{
	if (status < 0)
		return !is_zero(notice) ? "a notice is left behind"
		       : !*err->text	? "an error without words"
					: NULL;
	if (!is_between(text, '{', '}'))
		return "a notice that is no object";
	if (!is_said_time(text, notice))
		return "a notice at a time that nobody said";
	if (notice->kind != NOTICE_REBALANCE && !names(text, notice_kinds[notice->kind]))
		return "a notice of an action that nobody said";
	if (!names(text, notice->kind == NOTICE_REBALANCE ? "\"noticeTime\"" : "\"action\""))
		return "a notice without its key";
	return NULL;
}

static const char *check_lifecycle(
	const char *text, int status, const struct notice *notice, const struct error *err)
{
	size_t length = strlen(notice->detail);

	if (status < 0)
		return !is_zero(notice) ? "a notice is left behind"
		       : !*err->text	? "an error without words"
					: NULL;
	if (length == 0 || strncmp(text, notice->detail, length) != 0 ||
		(text[length] && strcmp(text + length, "\n") != 0))
		return "a lifecycle state that nobody said";
	return NULL;
}

static const char *check_maintenance(const char *text, unsigned *notices)
{
	struct notice *found = NULL;
	struct error err = { "" };
	const char *wrong = NULL;
	size_t count = 0;
	int status = notices_parse(SOURCE_MAINTENANCE, text, &found, &count, &err);

	if (status < 0 && (found || count || !*err.text))
		return "a list that failed left something behind";
	if (status == 0 && !is_between(text, '[', ']'))
		wrong = "scheduled events that are no list";
	for (size_t i = 0; i < count && !wrong; i++)
		if (found[i].kind != NOTICE_MAINTENANCE || !*found[i].detail ||
			!names(text, found[i].detail) || !names(text, found[i].id) ||
			!names(text, "active"))
			wrong = "a scheduled event that nobody said";
	*notices += count > 0;
	free(found);
	return wrong;
}

/* The one notice that TEXT is; else all zero, unless something is left behind. */
static int parse(
	enum notice_source source, const char *text, struct notice *notice, struct error *err)
{
	struct notice *notices = NULL;
	size_t count = 0;
	int status = notices_parse(source, text, &notices, &count, err);

	*notice = (struct notice) { .kind = notices ? NOTICE_KIND_COUNT : 0 };
	if (count)
		*notice = *notices;
	free(notices);
	return status;
}

const char *notice_oracle(const char *text, unsigned *notices)
{
	struct error err = { "" };
	struct notice notice;
	const char *wrong;
	int status = parse(SOURCE_ACTION, text, &notice, &err);

	*notices = status == 0;
	wrong = check_object(text, status, &notice, &err);
	if (wrong)
		return wrong;
	if (status == 0 && notice.kind > NOTICE_TERMINATE)
		return "an action of another kind";
	err.text[0] = '\0';
	status = parse(SOURCE_REBALANCE, text, &notice, &err);
	*notices += status == 0;
	wrong = check_object(text, status, &notice, &err);
	if (wrong)
		return wrong;
	err.text[0] = '\0';
	status = parse(SOURCE_LIFECYCLE, text, &notice, &err);
	*notices += status == 0;
	wrong = check_lifecycle(text, status, &notice, &err);
	return wrong ? wrong : check_maintenance(text, notices);
}
