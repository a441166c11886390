/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control path of a stand-in: by it a test changes the service while it runs, and counts. It
 * answers this machine alone. Here is what every service has on it: its faults, its counters, and
 * to wait for a counter; a service adds entries of its own. ec2hib-imds(8) describes it.
 */
#ifndef EC2HIB_SIM_CONTROL_H
#define EC2HIB_SIM_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "core/base/error.h"
#include "sim/faults.h"
#include "sim/http.h"

#define CONTROL_PATH "/control"

struct counter {
	const char *name;
	bool is_time; /* ns of CLOCK_MONOTONIC, null while it is 0; not to be waited for */
	bool stays;   /* when the counters are set to 0 */
	uint64_t value;
};

/* One call: METHOD PATH/NAME/REST. */
struct control_call {
	struct control *control;
	const char *method; /* GET, PUT, POST or DELETE */
	const char *name;
	const char *rest; /* "" when there is none */
	const char *body;
	struct http_answer *answer;
};

struct control_entry {
	const char *method; /* NULL: all of them */
	const char *name;
	void (*run)(struct control_call *call);
};

struct control {
	char *path; /* "" switches it off */
	struct faults faults;
	struct counter *counters;
	size_t counter_count;
	const struct control_entry *entries; /* the service's own */
	size_t entry_count;
	void *service; /* for these */
	/* Paths that the service answers itself; may be NULL. */
	bool (*is_taken)(const char *path);
};

/* Frees the path and the faults. */
void control_free(struct control *control);

/* Moves it from CONTROL_PATH to elsewhere; "" switches it off. */
int control_move(struct control *control, const char *path, struct error *err);

/* True when the path of a request is the control path, or below it. */
bool control_has(const struct control *control, const char *path);

void control_answer(
	struct control *control, const struct http_request *request, struct http_answer *answer);

/* What follows PREFIX in PATH when PATH is it or below it, else NULL. */
const char *path_below(const char *path, const char *prefix);

/* Answers of entries. JSON is freed. */
void control_say_json(struct http_answer *answer, json_t *json);
void control_say_error(struct http_answer *answer, const char *text);
void control_say_done(struct http_answer *answer);

#endif
