/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the simulated metadata service answers, apart from its sockets. */
#ifndef IMDS_SIM_H
#define IMDS_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The bytes to send for one request, and how. */
struct reply {
	char *bytes; /* NULL: no reply; free it */
	size_t size;
	int64_t ready; /* now_ms() when it may go */
	bool endless;  /* send its second half, from a line's start, for ever */
	bool closes;   /* the connection ends after it */
	bool hangs;    /* it never goes */
};

struct service {
	bool v1;		   /* answers without a token, too */
	FILE *log;		   /* a line for each request, NULL: none */
	unsigned requests, tokens; /* that were answered, and given */
};

int64_t now_ms(void);

/* Takes "path": "text" pairs from FILE; ends the program when it cannot. */
void data_read(const char *file);
void data_free(void);

/* Takes [SCOPE:]NAME[=ARG]; ends the program when it is no fault. */
void fault_add(const char *text);
void faults_free(void);
void faults_help(FILE *out);

/* REQUEST is the head of a request without the empty line. */
void reply_make(
	struct service *service, unsigned connection, const char *request, struct reply *reply);

#endif
