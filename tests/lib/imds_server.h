/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For tests: a simulated metadata service (sim/metadata.h) of one's own, in a process of its own,
 * on a port that was free.
 */
#ifndef EC2HIB_TESTS_LIB_IMDS_SERVER_H
#define EC2HIB_TESTS_LIB_IMDS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct imds_server {
	pid_t pid;
	int stop;	  /* it ends when this is closed */
	int log;	  /* a line for each request and connection */
	char url[64];	  /* http://ADDRESS:PORT */
	char address[56]; /* ADDRESS:PORT */
};

/* What the standard data of a server say. */
#define SERVER_ID "i-0123456789abcdef0"

/*
 * Starts a service with FAULTS (separated by single spaces) and a listening port when it returns.
 * False when it cannot listen at that address; everything else fails the test. With server_start()
 * it listens at 127.0.0.1 and must.
 */
bool server_start_at(struct imds_server *server, const char *address, const char *faults);
void server_start(struct imds_server *server, const char *faults);

/* The same with the value of one item replaced; NULL takes it away. */
void server_start_with(struct imds_server *server, const char *path, const char *value);

void server_stop(struct imds_server *server);

/* Why there can be no server here, or NULL: for skip_all(). */
const char *server_missing(void);

/* How many requests that were answered have TEXT in their line: "METHOD PATH STATUS". */
size_t server_count(const struct imds_server *server, const char *text);

size_t server_connections(const struct imds_server *server);

/* One of the counters of its control path. */
size_t server_counter(const struct imds_server *server, const char *name);

#endif
