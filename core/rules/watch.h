/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rules of the agent: what it is asked for, what may begin when, and which presses of the sleep
 * button are echoes. Until there is a job for it a request waits here.
 *
 * The caller reads the clocks. CLOCK_BOOTTIME alone orders what happens around a hibernation: it
 * goes on while the machine is off, and unlike the time of day nobody sets it.
 */
#ifndef EC2HIB_RULES_WATCH_H
#define EC2HIB_RULES_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/config.h"
#include "core/rules/notice.h"

/* ---- Requests ---- */

/* Of each kind one job runs at a time, and none waits for another kind's end. */
enum job_kind {
	JOB_START,     /* undoes what a killed ec2hib left, and sets up where that is configured */
	JOB_HIBERNATE, /* after a notice or a press */
	JOB_HOOKS,     /* of a notice that asks for nothing more */
	JOB_KINDS
};

/* In the order in which they begin. */
enum request_kind { REQUEST_START, REQUEST_PRESS, REQUEST_NOTICE };

struct request {
	enum request_kind kind;
	struct notice notice;  /* of REQUEST_NOTICE */
	uint64_t requested_at; /* CLOCK_BOOTTIME, ms */
	int64_t slept;	       /* clock_slept_ms() at that moment */
	unsigned lost;	       /* jobs that a signal ended before they had an answer */
	uint64_t due;	       /* not before: CLOCK_MONOTONIC, us */
};

/* The job that REQUEST asks for. */
enum job_kind request_job(const struct request *request, const struct config *config);

/*
 * A signal ended the job of REQUEST at NOW before it had an answer: there will be another job after
 * a pause, longer each time. False: there have been enough.
 */
bool request_again(struct request *request, uint64_t now);

/* Those that wait, by kind; notices in the order in which they came. {0} is empty. */
struct requests {
	struct request *items;
	size_t count;
};

/* One press, or one start, stands for all that wait. free() the items in the end. */
void requests_add(struct requests *requests, const struct request *request);
void requests_remove(struct requests *requests, size_t index);

/* How long until the next one is due that is not due yet, us; UINT64_MAX: there is none. */
uint64_t requests_wait_us(const struct requests *requests, uint64_t now);

/* ---- The sleep button ---- */

/*
 * Which presses of the sleep button are echoes. EC2 may send one press more than once, and what it
 * sends while the machine goes down is read only after it is up again. Such an echo must not
 * hibernate the machine a second time, as it did with amazon-ec2-hibinit-agent before 1.0.10-2.
 */
struct debounce {
	bool under_way;	    /* a hibernation has begun, or a press waits for one */
	bool resumed;	    /* one is over, and RESUMED_MS says since when */
	int64_t resumed_ms; /* CLOCK_BOOTTIME; also when the kernel refused: that is an answer, too */
	int64_t slept_ms;   /* clock_slept_ms() when it was looked at last */
	bool woke;	    /* the machine has slept, and WOKE_MS says until when */
	int64_t woke_ms;    /* CLOCK_BOOTTIME */
};

/* True when a press at PRESSED_MS of CLOCK_BOOTTIME is an echo, and to be logged and ignored. */
bool debounce_ignores(const struct debounce *debounce, int64_t pressed_ms, int64_t window_ms);

/* A hibernation has come about, or failed, at NOW_MS. */
void debounce_answer(struct debounce *debounce, int64_t now_ms);

/* The machine has slept for SLEPT_MS so far: a resume counts, whoever had the machine hibernate. */
void debounce_look(struct debounce *debounce, int64_t slept_ms, int64_t now_ms);

/* True when the machine has woken within WINDOW_MS before NOW_MS. */
bool debounce_woke(const struct debounce *debounce, int64_t now_ms, int64_t window_ms);

/* ---- Notices that stay ---- */

/*
 * What a source said last. The service goes on saying it, and may move its time along with the
 * clock: that is one notice. {0}: nothing.
 */
struct standing {
	bool is;
	struct notice notice;
	uint64_t heard_ms; /* CLOCK_MONOTONIC, which a hibernation does not count in */
};

/* True when NOTICE, heard at NOW_MS, is what was said before. It is remembered in any case. */
bool standing_hears(struct standing *standing, const struct notice *notice, uint64_t now_ms);

/* ---- The metadata service ---- */

/*
 * Trouble that comes and goes, and what is worth a line of the log: its begin, its end, that it
 * comes again and again, and once a day that it lasts. The more often it comes back, the longer the
 * quiet that ends it: a day has a few dozen lines at most, whatever the pattern. {0} is none yet.
 */
struct trouble {
	enum { TROUBLE_NONE, TROUBLE_LASTS, TROUBLE_COMES_BACK } state;
	bool before; /* there was some, until ENDED_MS */
	uint64_t ended_ms, last_ms, said_ms;
	uint64_t quiet_ms;
	unsigned failures; /* since it began */
};

enum trouble_news {
	TROUBLE_SAYS_NOTHING,
	TROUBLE_BEGINS,
	TROUBLE_RETURNS,
	TROUBLE_STAYS,
	TROUBLE_ENDS
};

/* Something has failed, or has not, at NOW_MS of CLOCK_BOOTTIME: what is to be said. */
enum trouble_news trouble_failed(struct trouble *trouble, uint64_t now_ms);
enum trouble_news trouble_passed(struct trouble *trouble, uint64_t now_ms);

/*
 * No pause is longer, unless the polls themselves are further apart: EC2 gives a hibernation no two
 * minutes.
 */
#define BACKOFF_MOST_MS 5000u

/*
 * Milliseconds to wait before a service is asked again that failed FAILURES times in a row: 0 after
 * none, then up to BASE_MS, up to twice as much, and so on up to BACKOFF_MOST_MS, or BASE_MS where
 * that is more. The later half of a wait is left to CHANCE, a random number of 32 bits, so that the
 * machines of a fleet that failed together do not come back together.
 */
unsigned backoff_ms(unsigned failures, unsigned base_ms, uint32_t chance);

#endif
