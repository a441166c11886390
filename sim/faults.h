/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a stand-in misbehaves: one vocabulary for all of them, on the command line, by the control
 * path and in tests. Most faults spoil an answer that was made, those of tokens are the service's
 * own.
 */
#ifndef EC2HIB_SIM_FAULTS_H
#define EC2HIB_SIM_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "sim/http.h"

enum fault_id {
	/* The answer is late, or another one. */
	FAULT_LATENCY,
	FAULT_ERROR,
	FAULT_ERROR_FIRST,
	FAULT_ERROR_AFTER,
	FAULT_STATUS,
	FAULT_REDIRECT,
	FAULT_BODY,
	FAULT_GARBAGE,
	/* It does not come as HTTP wants it. */
	FAULT_HANG,
	FAULT_CLOSE,
	FAULT_RESET,
	FAULT_CUT,
	FAULT_CUT_HEADER,
	FAULT_HUGE,
	FAULT_HEADER_FLOOD,
	FAULT_NOT_HTTP,
	FAULT_LENGTH,
	FAULT_TRICKLE,
	/* Of the metadata service's tokens. */
	FAULT_TOKEN_LOSS,
	FAULT_TOKEN_TTL,
	FAULT_TOKEN_OPTIONAL,
};

struct fault_kind {
	const char *name;
	const char *value; /* what follows the =: TIME, PERCENT, STATUS, N */
	const char *help;
};
extern const struct fault_kind fault_kinds[]; /* by enum fault_id */
extern const size_t fault_kind_count;

struct fault {
	enum fault_id id;
	char *text;	   /* as it was given */
	char *scope;	   /* "" for everything */
	const char *value; /* in TEXT */
	int64_t number;
};

/* {0} is none; faults_clear() frees them. */
struct faults {
	struct fault *list;
	size_t count;
	uint64_t chance; /* the state that percentages are drawn from */
};

/* [SCOPE:]NAME[=VALUE]; without a value a share (PERCENT) is all. -EINVAL says what is wrong. */
int faults_add(struct faults *faults, const char *text, struct error *err);
void faults_clear(struct faults *faults);

/*
 * The first fault of a kind for a request for PATH, or NULL. A scope is GROUP, the path, or the
 * start of the path when it ends with a slash.
 */
struct fault *faults_find(
	const struct faults *faults, enum fault_id id, const char *group, const char *path);

/* Whether a fault that meets a share of the requests meets this one. */
bool fault_happens(struct faults *faults, const struct fault *fault);

/* Lets the answer meet all faults in their order; false when it met none. */
bool faults_meet(
	struct faults *faults, const char *group, const char *path, struct http_answer *answer);

#endif
