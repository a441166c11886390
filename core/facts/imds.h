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
#include "core/facts/imds_options.h"

/* The most that an answer may have; instance data are a few hundred bytes. */
#define IMDS_ITEM_LIMIT	 ((size_t)64 * 1024)
#define IMDS_TOKEN_LIMIT ((size_t)1024)

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

struct imds;

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
 * The same for a poll loop: imds_begin(), then imds_step() whenever imds_wait() comes back, until
 * it returns 0, then imds_end(), which returns what imds_get_all() does. ITEMS have to stay until
 * then. imds_step() does not wait; it returns for how many milliseconds nothing will happen unless
 * an answer comes.
 */
void imds_begin(struct imds *imds, struct imds_item *items, size_t count);
unsigned imds_step(struct imds *imds);
int imds_end(struct imds *imds, struct error *err);

/* How many descriptors of others imds_wait() can wait for. */
#define IMDS_WAIT_MOST 32

/*
 * Waits until imds_step() can do more, at most WAIT_MS, or until one of OTHERS can be read: its
 * revents is then POLLIN, else 0. COUNT is at most IMDS_WAIT_MOST. Also between two jobs.
 */
void imds_wait(struct imds *imds, struct pollfd *others, size_t count, unsigned wait_ms);

/*
 * How old the token is, in seconds, the time that the machine slept included. False: there is none.
 */
bool imds_token_age(const struct imds *imds, uint64_t *seconds);

/* One item; 0 or its status. *TEXT is the caller's, who frees it. */
int imds_get(struct imds *imds, const char *path, char **text, struct error *err);

/*
 * UTF-8 without control characters (C0, DEL, C1), except tab and line ends: it may be shown on a
 * terminal. A NUL is a control character, too, so that the text is as long as it seems.
 */
bool imds_text_valid(const char *body, size_t size);

/* A token goes into a header line: nothing but visible ASCII, so that it cannot add another. */
bool imds_token_valid(const char *body, size_t size);

/*
 * What may stand in a URL's path, not empty and without a slash in front. No folder without a name,
 * "." or "..", also not in hexadecimal: the service may take such a path for another one.
 */
bool imds_path_valid(const char *path);

#endif
