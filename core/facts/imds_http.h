/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One HTTP request after the other to one place, over one kept connection: what imds.c
 * needs of libcurl. It never blocks except in imds_http_wait(), so that a poll loop of
 * one's own can drive the same multi handle.
 */
#ifndef EC2HIB_FACTS_IMDS_HTTP_H
#define EC2HIB_FACTS_IMDS_HTTP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"

struct imds_http;

/*
 * What came of a request. Valid until the next one starts.
 *
 * STATUS is the HTTP status of a whole answer. Otherwise it is 0 and FAILURE says what
 * went wrong, as an errno: ETIMEDOUT, ECONNRESET (cut), EFBIG (too many bytes), EPROTO
 * (not HTTP), or why there is no connection.
 */
struct imds_answer {
	long status;
	int failure;
	bool connected;	  /* the request could be sent */
	const char *body; /* a NUL follows it */
	size_t size;
	unsigned token_ttl; /* X-aws-ec2-metadata-token-ttl-seconds, 0: none */
	const char *cause;  /* words for FAILURE, never the service's own */
};

/* BASE: what the URLs will begin with; TLS is set up only for https. */
int imds_http_open(struct imds_http **http, const char *base, struct error *err);
void imds_http_close(struct imds_http *http);

/* What to send. The strings are copied. */
struct imds_request {
	const char *url;
	const char *token;   /* NULL: none */
	unsigned timeout_ms; /* from the connection to the last byte; at least 1 */
	size_t limit;	     /* of the body, bytes */
};

/* Starts a request; there must be none under way. PUT asks for a token of TTL seconds. */
void imds_http_get(struct imds_http *http, const struct imds_request *request);
void imds_http_put(struct imds_http *http, const struct imds_request *request, unsigned ttl);

/* Goes on as far as is possible without waiting. True when the request is over. */
bool imds_http_step(struct imds_http *http, struct imds_answer *answer);

/* How many descriptors of others imds_http_wait() can wait for. */
#define IMDS_WAIT_MOST 32

/*
 * Waits until imds_http_step() can do more, at most WAIT_MS, or until one of OTHERS can be read:
 * its revents is then POLLIN, else 0. COUNT is at most IMDS_WAIT_MOST.
 */
void imds_http_wait(struct imds_http *http, struct pollfd *others, size_t count, unsigned wait_ms);

#endif
