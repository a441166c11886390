/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * notice_latency PLACE COUNT INTERVAL_MS: how long it takes from a notice to the write that starts
 * hibernation. PLACE is the ADDRESS:PORT of ec2hib imds serve; standard input is the log of an
 * agent with --dry-run that asks it every INTERVAL_MS. COUNT notices come at moments that have
 * nothing to do with the polls. Prints minimum, median and p99 in milliseconds since the notice was
 * there and since it was served, and which line of the log was the end.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/control.h"

#define WRITE_LINE  "everything is done but the write"
#define REFUSE_LINE "this machine cannot hibernate now"
#define LIMIT_MS    60000

static const char *place;

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void fail(const char *what)
{
	fprintf(stderr, "notice_latency: %s\n", what);
	exit(1);
}

static const char *ask(const char *method, const char *path, const char *body)
{
	const char *answer = control_ask(place, method, path, body);

	if (!answer)
		fail("the simulated service does not answer");
	return answer;
}

static double counter_ms(const char *json, const char *name)
{
	const char *found = strstr(json, name);

	if (!found)
		fail("the simulated service counts no notices");
	return strtod(found + strlen(name) + 2, NULL) / 1e6;
}

/* The time at which a line of the log with one of the two texts came; it is kept in LINE. */
static double wait_for_line(char *line, size_t size)
{
	double end = now_ms() + LIMIT_MS;
	static char buffer[65536];
	static size_t length;

	for (;;) {
		struct pollfd polled = { .fd = STDIN_FILENO, .events = POLLIN };
		char *newline;
		double now;
		ssize_t got;

		if (poll(&polled, 1, (int)(end - now_ms())) <= 0)
			fail("the agent did not act on a notice");
		now = now_ms();
		got = read(STDIN_FILENO, buffer + length, sizeof(buffer) - 1 - length);
		if (got <= 0)
			fail("the agent ended");
		length += (size_t)got;
		buffer[length] = '\0';
		while ((newline = strchr(buffer, '\n'))) {
			size_t used = (size_t)(newline + 1 - buffer);

			*newline = '\0';
			snprintf(line, size, "%.*s", (int)size - 1, buffer);
			memmove(buffer, newline + 1, length + 1 - used);
			length -= used;
			if (strstr(line, WRITE_LINE) || strstr(line, REFUSE_LINE))
				return now;
		}
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void show(const char *since, double *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare);
	printf("%s %.3f %.3f %.3f\n", since, times[0], times[count / 2],
		times[(count * 99 + 99) / 100 - 1]);
}

int main(int argc, char **argv)
{
	size_t count = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	double *set = calloc(count + 1, sizeof(*set));
	double *served = calloc(count + 1, sizeof(*served));
	char line[1024] = "";
	unsigned interval;

	if (count == 0 || !set || !served)
		fail("usage: notice_latency ADDRESS:PORT COUNT INTERVAL_MS");
	place = argv[1];
	interval = (unsigned)atoi(argv[3]);
	srandom(1);
	for (size_t i = 0; i < count; i++) {
		char notice[96];
		const char *counters;
		double acted;

		/* Two polls to come to rest, and some part of one. */
		usleep(1000 * 2 * interval + (useconds_t)random() % (1000 * interval));
		snprintf(notice, sizeof(notice),
			"{\"action\": \"hibernate\", \"time\": \"2026-01-%02zuT%02zu:%02zu:00Z\"}",
			1 + i / 1440, i / 60 % 24, i % 60);
		ask("DELETE", "counters", "");
		ask("PUT", "spot", notice);
		acted = wait_for_line(line, sizeof(line));
		counters = ask("GET", "counters", "");
		set[i] = acted - counter_ms(counters, "notice-set-ns");
		served[i] = acted - counter_ms(counters, "notice-served-ns");
	}
	show("set", set, count);
	show("served", served, count);
	puts(strstr(line, WRITE_LINE) ? "end write" : "end refusal");
	free(set);
	free(served);
	return 0;
}
