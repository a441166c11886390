/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A thousand polls of the agent under every fault of the simulated service: no notice is lost, none
 * is false, and neither memory nor descriptors grow. The agent's own poll code runs here without
 * its pauses; what it would act on is taken from its requests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/actions/lock.h"
#include "core/actions/watch.c"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "tests/lib/control.h"
#include "tests/lib/imds_server.h"
#include "tests/lib/skip.h"
#include "tests/lib/test_root.h"

#define POLLS	   1000
#define WARM_POLLS 100
/* A notice stays for so many polls that go well, and then is away for as many. */
#define NOTICE_POLLS 5
/* No answer may take longer; a slow machine only fails more polls. */
#define TIMEOUT_MS 50

/* AddressSanitizer keeps what was freed, and finds leaks by itself. */
#ifdef __SANITIZE_ADDRESS__
#define MEMORY_MOST_KIB (512L * 1024)
#else
#define MEMORY_MOST_KIB 512L
#endif

#define ACTION_PATH "items/meta-data/spot/instance-action"

/* ---- What grows ------------------------------------------------------------------------------ */

static size_t descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static long resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE) / 1024;
}

/* ---- The agent ------------------------------------------------------------------------------- */

static void ignore_log(
	void *data UNUSED, int priority UNUSED, const char *event UNUSED, const char *text UNUSED)
{
}

struct soak {
	struct agent agent;
	const char *address; /* of the service */
	const char *fault;
	unsigned set, acted; /* notices */
	bool there;	     /* the last one is being served */
	unsigned well;	     /* polls that went well since it came or went */
};

static void poll_once(struct agent *agent)
{
	uint64_t wait;

	poller_hurry_all(&agent->poller);
	do {
		wait = poll_step(agent);
		if (agent->poller.count)
			poller_wait(&agent->poller, NULL, 0, wait + 1000);
	} while (agent->poller.count);
}

static void time_of(unsigned number, char *time, size_t size)
{
	snprintf(time, size, "2026-01-%02uT%02u:%02u:00Z", 1 + number / 1440 % 28, number / 60 % 24,
		number % 60);
}

static void notice_put(struct soak *soak)
{
	memory_cleanup_free char *body = NULL;
	char time[32];

	time_of(++soak->set, time, sizeof(time));
	body = text_format("{\"action\": \"hibernate\", \"time\": \"%s\"}", time);
	assert_non_null(control_ask(soak->address, "PUT", ACTION_PATH, body));
	soak->there = true;
	soak->well = 0;
}

static void notice_clear(struct soak *soak)
{
	assert_non_null(control_ask(soak->address, "DELETE", ACTION_PATH, ""));
	soak->there = false;
	soak->well = 0;
}

/* What the agent would act on now: nothing, or the notice that was set last, for the first time. */
static void take_pending(struct soak *soak)
{
	struct requests *requests = &soak->agent.requests;
	char time[32];

	time_of(soak->set, time, sizeof(time));
	for (size_t i = 0; i < requests->count; i++) {
		if (requests->items[i].notice.kind != NOTICE_HIBERNATE ||
			strcmp(requests->items[i].notice.time, time) != 0)
			fail_msg("%s: a false notice: %s at %s", soak->fault,
				notice_kinds[requests->items[i].notice.kind],
				requests->items[i].notice.time);
		soak->acted++;
	}
	requests->count = 0;
	if (soak->acted > soak->set)
		fail_msg("%s: notice %u was acted on twice", soak->fault, soak->set);
}

/* With a fault that spoils every answer no poll goes well, and the notice stays unheard. */
static void turn(struct soak *soak)
{
	poll_once(&soak->agent);
	take_pending(soak);
	if (soak->agent.poller.failures == 0)
		soak->well++;
	if (soak->well < NOTICE_POLLS)
		return;
	if (soak->there && soak->acted != soak->set)
		fail_msg("%s: notice %u was lost", soak->fault, soak->set);
	if (soak->there)
		notice_clear(soak);
	else
		notice_put(soak);
}

static void polls_make(struct soak *soak)
{
	size_t files = 0;
	long memory = 0;

	notice_put(soak);
	for (unsigned i = 0; i < POLLS; i++) {
		turn(soak);
		if (i == WARM_POLLS) {
			files = descriptors();
			memory = resident_kib();
		}
	}
	/* The connection may be open at one time and closed at the other. */
	assert_in_range(descriptors(), files - 1, files + 1);
	if (resident_kib() - memory > MEMORY_MOST_KIB)
		fail_msg(
			"%s: memory grew from %ld to %ld KiB", soak->fault, memory, resident_kib());
}

/* The service is whole again: whatever was set last is heard now. */
static void notice_is_heard_in_the_end(struct soak *soak)
{
	assert_non_null(control_ask(soak->address, "DELETE", "faults", ""));
	if (!soak->there)
		notice_put(soak);
	for (unsigned i = 0; i < POLLS && soak->acted < soak->set; i++) {
		poll_once(&soak->agent);
		take_pending(soak);
	}
	assert_int_equal(soak->acted, soak->set);
}

static void soak_under(struct test_root *test, const char *fault, bool spoils_all)
{
	struct imds_options options = {
		.timeout_ms = TIMEOUT_MS, .attempts = 1, .total_ms = 8 * TIMEOUT_MS
	};
	struct config config;
	const struct gather gather = { .root = &test->root, .config = &config, .imds = &options };
	const struct notify notify = { -1 };
	const struct watch watch = {
		.gather = &gather, .notify = &notify, .log = { ignore_log, NULL }
	};
	struct soak soak = { .fault = fault };
	struct imds_server server;
	struct error err;

	server_start(&server, fault);
	soak.address = server.address;
	options.endpoint = server.url;
	config_init(&config);
	assert_int_equal(root_make_directory(&test->root, RUN_FOLDER, &err), 0);
	agent_init(&soak.agent, &watch);
	assert_int_equal(poller_open(&soak.agent.poller, &options, &err), 0);
	report_begin(&soak.agent.report);
	polls_make(&soak);
	print_message("%s: %u notices, %u acted on\n", fault, soak.set, soak.acted);
	if (spoils_all)
		assert_int_equal(soak.acted, 0);
	else
		assert_true(soak.set > 10);
	notice_is_heard_in_the_end(&soak);
	agent_free(&soak.agent);
	config_free(&config);
	server_stop(&server);
}

#define SOAK(name, fault, spoils_all)                                                              \
	static void name(void **state)                                                             \
	{                                                                                          \
		soak_under(*state, fault, spoils_all);                                             \
	}

SOAK(latency, "latency=1ms", false)
SOAK(errors, "items:error=40%", false)
SOAK(errors_of_all_answers, "error", true)
SOAK(status_of_all_answers, "items:status=302", true)
SOAK(hanging, "hang=2%", false)
SOAK(closing, "close=20%", false)
SOAK(cutting, "cut=20%", false)
SOAK(garbage, "garbage=30%", false)
SOAK(garbage_of_all_answers, "items:garbage", true)
SOAK(huge, "huge=20%", false)
SOAK(lost_tokens, "token-loss=2", false)
SOAK(token_errors, "token:error=50%", false)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST_ROOT(latency),
		WITH_TEST_ROOT(errors),
		WITH_TEST_ROOT(errors_of_all_answers),
		WITH_TEST_ROOT(status_of_all_answers),
		WITH_TEST_ROOT(hanging),
		WITH_TEST_ROOT(closing),
		WITH_TEST_ROOT(cutting),
		WITH_TEST_ROOT(garbage),
		WITH_TEST_ROOT(garbage_of_all_answers),
		WITH_TEST_ROOT(huge),
		WITH_TEST_ROOT(lost_tokens),
		WITH_TEST_ROOT(token_errors),
	};

	if (server_missing())
		return skip_all(server_missing());
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("soak", tests, NULL, NULL);
}
