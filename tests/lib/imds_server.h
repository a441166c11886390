/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For tests: a simulated metadata service (imds-sim) of one's own, on a port that was free. */
#ifndef IMDS_SERVER_H
#define IMDS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

struct imds_server {
	pid_t pid;
	FILE *out;	/* what it says */
	char url[64];	/* http://ADDRESS:PORT */
	char place[64]; /* ADDRESS:PORT */
	char folder[64];
};

/* What the standard data of a server say. */
#define SERVER_ID "i-0123456789abcdef0"

/*
 * Starts a service with ARGUMENTS (separated by single spaces) and a listening port when it
 * returns. False when it cannot listen at that address; everything else fails the test. With
 * server_start() it listens at 127.0.0.1 and must.
 */
bool server_start_at(struct imds_server *server, const char *address, const char *arguments);
void server_start(struct imds_server *server, const char *arguments);

/* The same with the value of one item replaced; NULL takes it away. */
void server_start_with(struct imds_server *server, const char *path, const char *value);

void server_stop(struct imds_server *server);

/* How many requests had TEXT in their line of the log: "CONNECTION METHOD PATH token= status=". */
size_t server_count(const struct imds_server *server, const char *text);

/* How many connections sent a request. */
size_t server_connections(const struct imds_server *server);

#endif
