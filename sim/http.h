/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The HTTP server of the stand-ins: a service says what it answers, this puts it on a port. It is
 * libmicrohttpd, which is loaded only here; one thread and one poll(2) loop, in which a request
 * that is held back (latency, hang) costs a descriptor and no time.
 *
 * An answer may be spoilt on its way to the client. What libmicrohttpd cannot be brought to send
 * (half a header, bytes that are not HTTP, a wrong length) goes past it: the connection is
 * suspended, which leaves the socket to us, written to here, and closed by libmicrohttpd
 * afterwards.
 */
#ifndef EC2HIB_SIM_HTTP_H
#define EC2HIB_SIM_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/reporter.h"

#define HTTP_NEVER UINT64_MAX

struct http_request {
	const char *method;
	const char *path; /* "/latest/meta-data/", decoded */
	const char *body; /* never NULL, ends with a NUL */
	bool is_local;	  /* it comes from this machine */
	/* The value of a header of the request, or NULL. */
	const char *(*header)(const struct http_request *request, const char *name);
	void *data; /* for header() */
};

/* What becomes of an answer on its way. */
enum http_spoil {
	HTTP_WHOLE,
	HTTP_HANG,	   /* it never comes */
	HTTP_CLOSE,	   /* the connection is closed instead */
	HTTP_RESET,	   /* the connection is reset instead (RST) */
	HTTP_CUT,	   /* the connection is closed in the middle of the body */
	HTTP_CUT_HEADER,   /* and in the middle of the header */
	HTTP_HUGE,	   /* a body that is far too long, of unknown length */
	HTTP_HEADER_FLOOD, /* a header that is far too long, and has no end */
	HTTP_NOT_HTTP,	   /* other bytes instead */
	HTTP_WRONG_LENGTH, /* Content-Length is wrong by SPOIL_NUMBER */
	HTTP_TRICKLE,	   /* byte by byte, one each SPOIL_NUMBER ms */
};

struct http_header {
	const char *name;
	char *value;
};
#define HTTP_HEADERS_MOST 4

/* {0} is empty; http_answer_free() frees what the functions below put into it. */
struct http_answer {
	unsigned status;
	char *body;
	size_t size;
	const char *type; /* Content-Type */
	struct http_header headers[HTTP_HEADERS_MOST];
	size_t header_count;
	uint64_t delay_ms; /* before it is sent */
	enum http_spoil spoil;
	int64_t spoil_number;
	/* Called when it is given to the network. May be NULL. */
	void (*sent)(void *data);
	/*
	 * Held back while this counter is below WAIT_COUNT, until WAIT_END (CLOCK_MONOTONIC, ns);
	 * then WAITED fills the rest. NULL: it need not wait.
	 */
	const uint64_t *wait_counter;
	uint64_t wait_count;
	uint64_t wait_end;
	void (*waited)(void *data, struct http_answer *answer);
	void *data; /* for the two functions */
};

/* Sets status and body, which is copied. */
void http_answer_text(struct http_answer *answer, unsigned status, const char *body);

/*
 * An HTML page, as EC2 has for what is not 200: who takes it for an answer shall notice. Headers
 * that were there are gone, and SENT is not called.
 */
void http_answer_refuse(struct http_answer *answer, unsigned status);

/* At most HTTP_HEADERS_MOST; VALUE is copied, NAME is not. */
void http_answer_header(struct http_answer *answer, const char *name, const char *value);

void http_answer_free(struct http_answer *answer);

/* What is served. */
struct http_service {
	void (*answer)(void *data, const struct http_request *request, struct http_answer *answer);
	/* Does what is due at NOW (CLOCK_MONOTONIC, ns); when the next thing is, or HTTP_NEVER. */
	uint64_t (*advance)(void *data, uint64_t now);
	void *data;
};

struct http_server;

/*
 * Listens on ADDRESS:PORT or [ADDRESS]:PORT in numbers; port 0 takes a free one. SERVICE and
 * REPORTER stay the caller's and must outlive the server. REPORTER is told each request, and with
 * LOG_DEBUG each connection. -ENOSYS: this build is without it, -ENOENT: libmicrohttpd is not
 * installed, -EINVAL: ADDRESS is none; others are of socket(2) and bind(2). http_server_close()
 * ends it (NULL is fine).
 */
int http_server_open(struct http_server **server, const struct http_service *service,
	const char *address, const struct reporter *reporter, struct error *err);
void http_server_close(struct http_server *server);

/* Where it listens, as ADDRESS:PORT, with the port that it took. */
const char *http_server_address(const struct http_server *server);

/* True when machines beyond this one's own links may reach it. */
bool http_server_is_exposed(const struct http_server *server);

/* Serves until the descriptor STOP can be read. 0 or a negative errno. */
int http_server_run(struct http_server *server, int stop, struct error *err);

#endif
