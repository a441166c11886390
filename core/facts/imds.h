/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client of the EC2 instance metadata service (IMDS).
 *
 * It speaks IMDSv2: a token by PUT, kept and renewed before it ends, or when the service
 * answers 401. All requests go one after the other over one kept connection. What comes
 * back is untrusted: it has limits of size and time, no redirect is followed, no proxy is
 * asked, and what is not text is refused.
 *
 * Sources: "Configure the Instance Metadata Service options" and "Retrieve instance
 * metadata" in the EC2 User Guide; for the environment "IMDS credential provider" and
 * "Amazon EC2 instance metadata" in the AWS SDKs and Tools Reference Guide.
 */
#ifndef EC2HIB_FACTS_IMDS_H
#define EC2HIB_FACTS_IMDS_H

#include <stdbool.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"

#define IMDS_ENDPOINT_IPV4 "http://169.254.169.254"
#define IMDS_ENDPOINT_IPV6 "http://[fd00:ec2::254]"

/* The most that an answer may have; instance data are a few hundred bytes. */
#define IMDS_ITEM_LIMIT	 ((size_t)64 * 1024)
#define IMDS_TOKEN_LIMIT ((size_t)1024)

#define IMDS_TIMEOUT_MS 1000
#define IMDS_ATTEMPTS	3
/* What all requests of one call may take beyond the time limit of one. */
#define IMDS_TOTAL_EXTRA_MS 500

/*
 * How to reach the service; all zero is the standard. The endpoint is borrowed until
 * imds_open() has copied it.
 */
struct imds_options {
	const char *endpoint; /* URL without /latest; NULL: the standard one of the family */
	bool ipv6;	      /* which standard endpoint */
	bool disabled;	      /* never ask: AWS_EC2_METADATA_DISABLED */
	bool v1_disabled;     /* never ask without a token: AWS_EC2_METADATA_V1_DISABLED */
	unsigned timeout_ms;  /* of one attempt; 0: IMDS_TIMEOUT_MS */
	unsigned attempts;    /* at one request; 0: IMDS_ATTEMPTS */
	/*
	 * Of one imds_get_all() with all its attempts. 0: timeout_ms for each of the
	 * attempts that were asked for (one, when attempts is 0), and
	 * IMDS_TOTAL_EXTRA_MS: 1.5 s as standard.
	 */
	unsigned total_ms;
};

/* One thing to get, and what came of it. */
struct imds_item {
	const char *path; /* below /latest/: "meta-data/instance-id" */
	char *text;	  /* NULL unless STATUS is 0; imds_items_free() frees it */
	/*
	 * 0, or a negative errno:
	 *	-ENOENT		404: there is no such item now
	 *	-EACCES		401 or 403, also with a new token
	 *	-EAGAIN		429 or 5xx, still after all attempts
	 *	-ETIMEDOUT	no whole answer in time
	 *	-ECONNRESET	the connection was cut, still after all attempts
	 *	-EFBIG		larger than the limit
	 *	-EBADMSG	not text
	 *	-EPROTO		another HTTP status (a redirect, too), or not HTTP
	 *	-EINVAL		PATH is none
	 *	others		there was no connection (-ECONNREFUSED, -ENETUNREACH, ...)
	 */
	int status;
	struct error error; /* the sentence, unless STATUS is 0 */
};

/* A variable's value, NULL when it is not set: getenv(3), or a test's own. */
typedef char *imds_lookup(const char *name);

struct imds;

/*
 * Fills what the environment variables of the AWS SDKs say:
 *	AWS_EC2_METADATA_DISABLED		true or false; no SDK asks when it is true
 *	AWS_EC2_METADATA_V1_DISABLED		true or false
 *	AWS_EC2_METADATA_SERVICE_ENDPOINT	URL; an empty variable counts as not set
 *	AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE	IPv4 or IPv6, in any case
 *	AWS_METADATA_SERVICE_TIMEOUT		seconds, decimals allowed, 0.001 to 3600
 *	AWS_METADATA_SERVICE_NUM_ATTEMPTS	1 to 100
 * An endpoint that is set already has priority over the variable (and, as in the SDKs,
 *over the mode). -EINVAL names the variable and the value. The endpoint stays the
 *lookup's.
 */
int imds_options_read(struct imds_options *options, imds_lookup *lookup, struct error *err);

/* 0 when URL can be an endpoint: http or https, a host, and no user, query or fragment.
 */
int imds_endpoint_check(const char *url, struct error *err);

/*
 * Makes a client; nothing is sent yet. -ECANCELED when options say that the service must
 * not be asked, -EINVAL for a bad endpoint. imds_close() ends it (NULL is fine).
 */
int imds_open(struct imds **imds, const struct imds_options *options, struct error *err);
void imds_close(struct imds *imds);

/*
 * Gets COUNT items over one connection; only PATH of each need be set. 0 when the service
 * could be talked to, then each item has its own status. Otherwise the errno of the
 * reason for which no more could be asked (no connection, no token); every item that is
 * still open has the same.
 */
int imds_get_all(struct imds *imds, struct imds_item *items, size_t count, struct error *err);
void imds_items_free(struct imds_item *items, size_t count);

/*
 * The same for a poll loop: imds_begin(), then imds_step() whenever imds_wait() comes back, until it
 * returns 0, then imds_end(), which returns what imds_get_all() does. ITEMS have to stay until then.
 * imds_step() does not wait; it returns for how many milliseconds nothing will happen unless an
 * answer comes.
 */
void imds_begin(struct imds *imds, struct imds_item *items, size_t count);
unsigned imds_step(struct imds *imds);
int imds_end(struct imds *imds, struct error *err);

/* Waits for an answer, or for one of OTHERS, as imds_http_wait() does; also between two jobs. */
void imds_wait(struct imds *imds, struct pollfd *others, size_t count, unsigned wait_ms);

/* How old the token is, in seconds, the time away included. False: there is none. */
bool imds_token_age(const struct imds *imds, uint64_t *seconds);

/* One item; 0 or its status. *TEXT is the caller's, who frees it. */
int imds_get(struct imds *imds, const char *path, char **text, struct error *err);

#endif
