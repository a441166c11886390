/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* ---- Answers ------------------------------------------------------------------------------- */

static const char *reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} reasons[] = { { 200, "OK" }, { 302, "Found" }, { 400, "Bad Request" },
		{ 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 408, "Request Timeout" },
		{ 429, "Too Many Requests" }, { 500, "Internal Server Error" },
		{ 503, "Service Unavailable" } };

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Simulated";
}

void http_answer_text(struct http_answer *answer, unsigned status, const char *body)
{
	answer->status = status;
	text_set(&answer->body, text_copy(body));
	answer->size = strlen(body);
}

static void headers_free(struct http_answer *answer)
{
	while (answer->header_count)
		free(answer->headers[--answer->header_count].value);
}

void http_answer_refuse(struct http_answer *answer, unsigned status)
{
	memory_cleanup_free char *page = text_format("<html>\n<head><title>%u - %s</title></head>\n"
						     "<body><h1>%u - %s</h1></body>\n</html>\n",
		status, reason(status), status, reason(status));

	http_answer_text(answer, status, page);
	answer->type = "text/html";
	answer->sent = NULL;
	headers_free(answer);
}

void http_answer_header(struct http_answer *answer, const char *name, const char *value)
{
	if (answer->header_count == HTTP_HEADERS_MOST)
		abort();
	answer->headers[answer->header_count++] =
		(struct http_header) { .name = name, .value = text_copy(value) };
}

void http_answer_free(struct http_answer *answer)
{
	headers_free(answer);
	free(answer->body);
	answer->body = NULL;
}

#ifdef HAVE_MICROHTTPD
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/library.h"

/* Below the 1024 descriptors that a process has as standard; more wait for their turn. */
#define CONNECTIONS_MOST 500
#define IDLE_MOST_S	 60
#define BACKLOG		 64
#define BODY_LIMIT	 ((size_t)256 * 1024)
#define HUGE_SIZE	 (64 * MIB)
#define FLOOD_SIZE	 ((size_t)64 * 1024)
#define BLOCK_SIZE	 4096
#define NS_PER_MS	 ((uint64_t)1000000)
#define WAIT_MOST_MS	 ((uint64_t)3600 * 1000)

/* ---- libmicrohttpd ------------------------------------------------------------------------- */

/* Some functions return what became an enum in 0.9.71. */
#if MHD_VERSION < 0x00097002
#define MHD_RESULT int
#else
#define MHD_RESULT enum MHD_Result
#endif

/* The name since 0.9.56, of 2017; 1.0 has it, too. */
LIBRARY_NOTE(mhd_note, "imds-serve", "a simulated metadata service, for rehearsal", "suggested",
	"\"libmicrohttpd.so.12\"");

/* clang-format off */
#define MHD_FUNCTIONS(X)                                                                       \
	X(add_response_header) X(create_response_from_buffer)                                  \
	X(create_response_from_callback) X(destroy_response) X(get_connection_info)            \
	X(get_daemon_info) X(get_timeout) X(lookup_connection_value) X(queue_response)         \
	X(resume_connection) X(run) X(start_daemon) X(stop_daemon) X(suspend_connection)
/* clang-format on */

struct mhd_functions {
#define X(name) __typeof__(MHD_##name) *name;
	MHD_FUNCTIONS(X)
#undef X
};

static struct mhd_functions mhd;

static const struct library_function functions[] = {
#define X(name) { "MHD_" #name, offsetof(struct mhd_functions, name) },
	MHD_FUNCTIONS(X)
#undef X
};

static const struct library library = {
	.title = "libmicrohttpd",
	.names = (const char *const[]) { "libmicrohttpd.so.12", NULL },
	.functions = functions,
	.count = ARRAY_SIZE(functions),
	.remedy =
		"the package libmicrohttpd12 (Debian, Ubuntu, SUSE) or libmicrohttpd (Fedora family)",
};

/* ---- Where it listens, and who asks ---------------------------------------------------------- */

/* What to do about it, for the causes that have a usual answer. */
static const char *advice(int cause)
{
	switch (cause) {
	case EADDRINUSE:
		return "; port 0 takes a free one";
	case EACCES:
		return "; ports below 1024 are for root";
	case EADDRNOTAVAIL:
		return "; give this machine the address first: ip addr add ADDRESS dev lo";
	default:
		return "";
	}
}

static int address_resolve(const char *address, struct addrinfo **found, struct error *err)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	const char *port = strrchr(address, ':');
	memory_cleanup_free char *given =
		text_copy_length(address, port ? (size_t)(port - address) : 0);
	size_t length = strlen(given);
	char *host = given;
	uint64_t number;

	if (length > 2 && *host == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		host++;
	} else if (strchr(host, ':')) {
		*host = '\0'; /* an IPv6 address without brackets: which colon is the port's? */
	}
	/* getaddrinfo() takes 70000 for the port 4464. */
	if (!*host || number_parse(port + 1, &number) < 0 || number > UINT16_MAX ||
		getaddrinfo(host, port + 1, &hints, found) != 0)
		return error_set(err, EINVAL,
			"\"%s\" is not ADDRESS:PORT in numbers (examples: 127.0.0.1:1338, [::1]:1338)",
			address);
	return 0;
}

static int listen_on(const char *address, struct error *err)
{
	struct addrinfo *found;
	int status = address_resolve(address, &found, err), fd, yes = 1;

	if (status < 0)
		return status;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
		bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		status = error_set(err, errno, "cannot listen on %s: %s%s", address,
			strerror(errno), advice(errno));
		if (fd >= 0)
			close(fd);
		fd = status;
	}
	freeaddrinfo(found);
	return fd;
}

/* ADDRESS:PORT where the socket is bound; the caller frees it. */
static char *address_of(int fd)
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof(address);
	char host[128] = "", port[16] = "";

	getsockname(fd, (struct sockaddr *)&address, &size);
	getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV);
	return text_format(address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static bool is_loopback(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return address->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/*
 * The IPv6 address of the real service, fd00:ec2::254, is a unique local one: that is not a link's.
 */
static bool is_link_local(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 16 == (169 << 8 | 254);
	return address->ss_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);
}

static bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	return a->ss_family == AF_INET6 &&
	       IN6_ARE_ADDR_EQUAL(&((const struct sockaddr_in6 *)a)->sin6_addr,
		       &((const struct sockaddr_in6 *)b)->sin6_addr);
}

/*
 * Who asks from the very address that was asked is this machine, too: so it is when the service
 * has 169.254.169.254 on lo. From outside the kernel takes no packet with an address of its own.
 */
static bool peer_is_local(int fd)
{
	struct sockaddr_storage peer = { 0 }, own = { 0 };
	socklen_t peer_size = sizeof(peer), own_size = sizeof(own);

	if (getpeername(fd, (struct sockaddr *)&peer, &peer_size) < 0 ||
		getsockname(fd, (struct sockaddr *)&own, &own_size) < 0)
		return false;
	return is_loopback(&peer) || same_host(&peer, &own);
}

/* ---- One request ----------------------------------------------------------------------------- */

/* A client. While it has no request, or only half a one, it is idle. */
struct client {
	int fd;
	uint64_t idle_since; /* CLOCK_MONOTONIC, ns; HTTP_NEVER: it is not idle */
};

/* A request and its answer, from the first header to the last byte. */
struct exchange {
	struct MHD_Connection *connection;
	struct client *client;
	char *line; /* "GET /latest/meta-data/", for the reporter */
	char *body;
	size_t body_size;
	bool is_bad;   /* its path has a NUL in it */
	bool answered; /* ANSWER is made */
	bool given_up; /* the other end has gone, or everything ends */
	struct http_answer answer;
	uint64_t due; /* CLOCK_MONOTONIC, ns: when a suspended one goes on */
	/* Bytes that go past libmicrohttpd; NULL: none. */
	char *raw;
	size_t raw_size, raw_sent;
	uint64_t raw_pause; /* ns after each byte; 0: all together */
	bool raw_stays;	    /* at their end the connection stays open */
};

struct http_server {
	const struct http_service *service;
	const struct reporter *reporter;
	int listener; /* the daemon's, as soon as there is one */
	char *address;
	struct MHD_Daemon *daemon;
	struct exchange **waiting; /* the suspended ones */
	size_t waiting_count;
	struct client *clients[CONNECTIONS_MOST];
	size_t client_count;
};

static int connection_fd(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

/* It goes on at DUE; until then nothing of libmicrohttpd touches its socket. */
static void suspend_until(struct http_server *server, struct exchange *exchange, uint64_t due)
{
	exchange->due = due;
	server->waiting =
		memory_grow(server->waiting, server->waiting_count, sizeof(*server->waiting));
	server->waiting[server->waiting_count++] = exchange;
	mhd.suspend_connection(exchange->connection);
}

/* ---- Answers below HTTP ---------------------------------------------------------------------- */

/* The header as libmicrohttpd would send it, but for Content-Length, without its end. */
static char *raw_header(const struct http_answer *answer, int64_t length)
{
	char *text = text_format("HTTP/1.1 %u %s\r\nServer: ec2hib\r\nContent-Type: %s\r\n",
		answer->status, reason(answer->status), answer->type);

	for (size_t i = 0; i < answer->header_count; i++)
		text_append(&text, "%s: %s\r\n", answer->headers[i].name, answer->headers[i].value);
	text_append(&text, "Content-Length: %lld\r\n", (long long)length);
	return text;
}

static void raw_whole(struct exchange *exchange, int64_t length)
{
	memory_cleanup_free char *header = raw_header(&exchange->answer, length);
	size_t size;

	text_append(&header, "Connection: close\r\n\r\n");
	size = strlen(header);
	exchange->raw_size = size + exchange->answer.size;
	exchange->raw = memory_new(exchange->raw_size, 1);
	memcpy(exchange->raw, header, size);
	memcpy(exchange->raw + size, exchange->answer.body, exchange->answer.size);
}

static void raw_flood(struct exchange *exchange)
{
	static const char more[] = "X-Flood: 0123456789abcdef0123456789abcdef0123456789abcdef\r\n";
	char *header = raw_header(&exchange->answer, (int64_t)exchange->answer.size);
	size_t size = strlen(header);

	exchange->raw_size = size + FLOOD_SIZE;
	exchange->raw = memory_new(exchange->raw_size, 1);
	memcpy(exchange->raw, header, size);
	for (size_t at = 0; at < FLOOD_SIZE; at++)
		exchange->raw[size + at] = more[at % strlen(more)];
	exchange->raw_stays = true;
	free(header);
}

/* Whether the answer goes past libmicrohttpd; then RAW is what does. */
static bool raw_make(struct exchange *exchange)
{
	static const char not_http[] = "\x16\x03\x01\x02 this is not HTTP\r\n\r\n";
	const struct http_answer *answer = &exchange->answer;
	int64_t size = (int64_t)answer->size;

	switch (answer->spoil) {
	case HTTP_CUT_HEADER:
		exchange->raw = raw_header(answer, size);
		exchange->raw_size = strlen(exchange->raw) / 2;
		return true;
	case HTTP_HEADER_FLOOD:
		raw_flood(exchange);
		return true;
	case HTTP_NOT_HTTP:
		exchange->raw = text_copy(not_http);
		exchange->raw_size = strlen(not_http);
		return true;
	case HTTP_WRONG_LENGTH:
		raw_whole(exchange, size + answer->spoil_number);
		exchange->raw_stays = answer->spoil_number > 0;
		return true;
	case HTTP_TRICKLE:
		raw_whole(exchange, size);
		exchange->raw_pause = (uint64_t)answer->spoil_number * NS_PER_MS;
		return true;
	default:
		return false;
	}
}

/* Sends what goes now, and says when more does. At the end of it the connection is given up. */
static void raw_send(struct exchange *exchange, uint64_t now)
{
	size_t left = exchange->raw_size - exchange->raw_sent;
	ssize_t sent;

	exchange->due = HTTP_NEVER; /* poll(2) says */
	if (left == 0)
		return;
	sent = send(connection_fd(exchange->connection), exchange->raw + exchange->raw_sent,
		exchange->raw_pause ? 1 : left, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0) {
		exchange->given_up = errno != EAGAIN;
		return;
	}
	exchange->raw_sent += (size_t)sent;
	if (exchange->raw_sent == exchange->raw_size)
		exchange->given_up = !exchange->raw_stays;
	else if (exchange->raw_pause)
		exchange->due = now + exchange->raw_pause;
}

/* Without the end of a connection that close(2) sends: connect(2), AF_UNSPEC. */
static void connection_reset(const struct exchange *exchange)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	(void)!connect(connection_fd(exchange->connection), &nobody, sizeof(nobody));
}

/* ---- Answers --------------------------------------------------------------------------------- */

static ssize_t body_huge(void *data UNUSED, uint64_t position, char *buffer, size_t most)
{
	if (position >= HUGE_SIZE)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (most > HUGE_SIZE - position)
		most = HUGE_SIZE - position;
	memset(buffer, 'x', most);
	return (ssize_t)most;
}

/* The first half, then the end of the connection. */
static ssize_t body_cut(void *data, uint64_t position, char *buffer, size_t most)
{
	const struct exchange *exchange = data;
	uint64_t half = exchange->answer.size / 2;

	if (position >= half)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (most > half - position)
		most = half - position;
	memcpy(buffer, exchange->answer.body + position, most);
	return (ssize_t)most;
}

static struct MHD_Response *response_make(struct exchange *exchange)
{
	const struct http_answer *answer = &exchange->answer;
	struct MHD_Response *response;

	if (answer->spoil == HTTP_HUGE)
		response = mhd.create_response_from_callback(
			MHD_SIZE_UNKNOWN, BLOCK_SIZE, body_huge, NULL, NULL);
	else if (answer->spoil == HTTP_CUT)
		response = mhd.create_response_from_callback(
			answer->size + 1, BLOCK_SIZE, body_cut, exchange, NULL);
	else
		response = mhd.create_response_from_buffer(
			answer->size, answer->body, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return NULL;
	mhd.add_response_header(response, "Server", "ec2hib");
	mhd.add_response_header(response, "Content-Type", answer->type);
	for (size_t i = 0; i < answer->header_count; i++)
		mhd.add_response_header(
			response, answer->headers[i].name, answer->headers[i].value);
	return response;
}

static MHD_RESULT answer_send(struct http_server *server, struct exchange *exchange)
{
	const struct http_answer *answer = &exchange->answer;
	struct MHD_Response *response;
	MHD_RESULT result = MHD_YES;

	if (exchange->raw)
		return MHD_NO; /* it has been sent; this closes the connection */
	if (exchange->given_up || answer->spoil == HTTP_CLOSE || answer->spoil == HTTP_RESET) {
		reporter_log(server->reporter, LOG_INFO, "%s closed", exchange->line);
		if (answer->spoil == HTTP_RESET)
			connection_reset(exchange);
		return MHD_NO;
	}
	if (raw_make(exchange)) {
		suspend_until(server, exchange, 0);
	} else {
		response = response_make(exchange);
		if (!response)
			return MHD_NO;
		result = mhd.queue_response(exchange->connection, answer->status, response);
		mhd.destroy_response(response);
	}
	if (answer->sent)
		answer->sent(answer->data);
	reporter_log(server->reporter, LOG_INFO, "%s %u", exchange->line, answer->status);
	return result;
}

static const char *header_of(const struct http_request *request, const char *name)
{
	return mhd.lookup_connection_value(request->data, MHD_HEADER_KIND, name);
}

/* Makes the answer; true when it has to be held back. */
static bool answer_make(
	struct http_server *server, struct exchange *exchange, const char *url, const char *method)
{
	struct http_answer *answer = &exchange->answer;
	const struct http_request request = {
		.method = method,
		.path = url,
		.body = exchange->body ? exchange->body : "",
		.is_local = peer_is_local(connection_fd(exchange->connection)),
		.header = header_of,
		.data = exchange->connection,
	};

	exchange->answered = true;
	if (exchange->is_bad) {
		http_answer_refuse(answer, 400);
		return false;
	}
	server->service->answer(server->service->data, &request, answer);
	return answer->delay_ms || answer->wait_counter || answer->spoil == HTTP_HANG;
}

/* ---- Requests that are held back ------------------------------------------------------------- */

static void hold_back(struct http_server *server, struct exchange *exchange)
{
	const struct http_answer *answer = &exchange->answer;
	uint64_t due = clock_ns(CLOCK_MONOTONIC) + answer->delay_ms * NS_PER_MS;

	if (answer->spoil == HTTP_HANG)
		due = HTTP_NEVER;
	else if (answer->wait_counter)
		due = answer->wait_end;
	suspend_until(server, exchange, due);
}

/* When it goes on: 0 for now. */
static uint64_t due_at(const struct exchange *exchange)
{
	const struct http_answer *answer = &exchange->answer;

	if (exchange->given_up ||
		(answer->wait_counter && *answer->wait_counter >= answer->wait_count))
		return 0;
	return exchange->due;
}

/*
 * Lets those go on whose time has come; when the next one's does, or 0 when there were some:
 * MHD_run() has to see to them, and MHD_get_timeout() does not know that.
 */
static uint64_t waiting_advance(struct http_server *server, uint64_t now)
{
	uint64_t next = HTTP_NEVER;
	size_t count = 0;

	for (size_t i = 0; i < server->waiting_count; i++) {
		struct exchange *exchange = server->waiting[i];
		struct http_answer *answer = &exchange->answer;
		uint64_t due;

		if (exchange->raw && exchange->due <= now && !exchange->given_up)
			raw_send(exchange, now);
		due = due_at(exchange);
		if (due > now) {
			next = due < next ? due : next;
			server->waiting[count++] = exchange;
			continue;
		}
		if (answer->wait_counter)
			answer->waited(answer->data, answer);
		mhd.resume_connection(exchange->connection);
		next = 0;
	}
	server->waiting_count = count;
	return next;
}

/* What poll(2) is to wait for: that the client goes, or that there is room for more. */
static short waiting_events(const struct exchange *exchange)
{
	bool sends =
		exchange->raw && !exchange->raw_pause && exchange->raw_sent < exchange->raw_size;

	return (short)(POLLRDHUP | (sends ? POLLOUT : 0));
}

/* A suspended connection is not watched by libmicrohttpd: whose client gave up ends here. */
static void waiting_watch(struct http_server *server, const struct pollfd *fds)
{
	for (size_t i = 0; i < server->waiting_count; i++) {
		if (fds[i].revents & POLLOUT)
			server->waiting[i]->due = 0;
		if (fds[i].revents & ~POLLOUT)
			server->waiting[i]->given_up = true;
	}
}

/* ---- What libmicrohttpd calls ---------------------------------------------------------------- */

static MHD_RESULT body_take(struct exchange *exchange, const char *data, size_t *size)
{
	if (*size > BODY_LIMIT - exchange->body_size)
		return MHD_NO;
	exchange->body = realloc(exchange->body, exchange->body_size + *size + 1);
	if (!exchange->body)
		abort();
	memcpy(exchange->body + exchange->body_size, data, *size);
	exchange->body_size += *size;
	exchange->body[exchange->body_size] = '\0';
	*size = 0;
	return MHD_YES;
}

/*
 * libmicrohttpd decodes %00 in a path into a NUL, after which the rest of it is not seen. What this
 * returns is the request's memory when on_request() is called first.
 */
static char bad_path;

static void *on_path(void *data UNUSED, const char *path, struct MHD_Connection *connection UNUSED)
{
	return strstr(path, "%00") ? &bad_path : NULL;
}

static struct exchange *exchange_begin(
	struct MHD_Connection *connection, const char *url, const char *method)
{
	const union MHD_ConnectionInfo *info =
		mhd.get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct exchange *exchange = memory_new(1, sizeof(*exchange));

	exchange->connection = connection;
	exchange->client = info->socket_context;
	exchange->client->idle_since = HTTP_NEVER;
	exchange->line = text_format("%s %s", method, url);
	return exchange;
}

/* Once with the headers, then with parts of the body, at its end, and after a suspension. */
static MHD_RESULT on_request(void *data, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version UNUSED, const char *upload, size_t *upload_size,
	void **memory)
{
	struct http_server *server = data;
	struct exchange *exchange = *memory;

	if (!exchange || *memory == &bad_path) {
		exchange = exchange_begin(connection, url, method);
		exchange->is_bad = *memory == &bad_path;
		*memory = exchange;
		return MHD_YES;
	}
	if (*upload_size)
		return body_take(exchange, upload, upload_size);
	if (!exchange->answered && answer_make(server, exchange, url, method)) {
		hold_back(server, exchange);
		return MHD_YES;
	}
	return answer_send(server, exchange);
}

static void on_end(void *data UNUSED, struct MHD_Connection *connection UNUSED, void **memory,
	enum MHD_RequestTerminationCode code UNUSED)
{
	struct exchange *exchange = *memory;

	if (!exchange || *memory == &bad_path)
		return;
	exchange->client->idle_since = clock_ns(CLOCK_MONOTONIC);
	http_answer_free(&exchange->answer);
	free(exchange->line);
	free(exchange->body);
	free(exchange->raw);
	free(exchange);
	*memory = NULL;
}

/* Room for one more: whoever has been idle for longest goes. */
static void clients_make_room(struct http_server *server)
{
	struct client *oldest = NULL;

	for (size_t i = 0; i < server->client_count; i++) {
		struct client *client = server->clients[i];

		if (client->idle_since != HTTP_NEVER &&
			(!oldest || client->idle_since < oldest->idle_since))
			oldest = client;
	}
	/* libmicrohttpd sees the end of it, and on_connection() is called. */
	if (oldest) {
		oldest->idle_since = HTTP_NEVER;
		shutdown(oldest->fd, SHUT_RDWR);
	}
}

static void on_connection(void *data, struct MHD_Connection *connection, void **memory,
	enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = data;
	struct client *client = *memory;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		reporter_log(server->reporter, LOG_DEBUG, "connection");
		client = *memory = memory_new(1, sizeof(*client));
		client->fd = connection_fd(connection);
		client->idle_since = clock_ns(CLOCK_MONOTONIC);
		server->clients[server->client_count++] = client;
		if (server->client_count == CONNECTIONS_MOST)
			clients_make_room(server);
		return;
	}
	for (size_t i = 0; i < server->client_count; i++)
		if (server->clients[i] == client)
			server->clients[i--] = server->clients[--server->client_count];
	free(client);
}

/* ---- The server ------------------------------------------------------------------------------ */

int http_server_open(struct http_server **server, const struct http_service *service,
	const char *address, const struct reporter *reporter, struct error *err)
{
	struct http_server *made;
	int listener = -1, status = 0;

	*server = NULL;
	if (!mhd.start_daemon)
		status = library_open(&library, &mhd, err);
	if (status == 0)
		status = listener = listen_on(address, err);
	if (status < 0)
		return status;
	made = memory_new(1, sizeof(*made));
	made->service = service;
	made->reporter = reporter;
	made->listener = listener;
	made->address = address_of(listener);
	made->daemon = mhd.start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		on_request, made, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_NOTIFY_COMPLETED,
		on_end, made, MHD_OPTION_NOTIFY_CONNECTION, on_connection, made,
		MHD_OPTION_URI_LOG_CALLBACK, on_path, NULL, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)IDLE_MOST_S, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MOST,
		MHD_OPTION_END);
	if (!made->daemon) {
		http_server_close(made);
		return error_set(err, EIO, "libmicrohttpd cannot serve on %s", address);
	}
	*server = made;
	return 0;
}

void http_server_close(struct http_server *server)
{
	if (!server)
		return;
	for (size_t i = 0; i < server->waiting_count; i++)
		server->waiting[i]->given_up = true;
	waiting_advance(server, 0);
	if (server->daemon)
		mhd.stop_daemon(server->daemon);
	else
		close(server->listener);
	free(server->waiting);
	free(server->address);
	free(server);
}

const char *http_server_address(const struct http_server *server)
{
	return server->address;
}

bool http_server_is_exposed(const struct http_server *server)
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof(address);

	return getsockname(server->listener, (struct sockaddr *)&address, &size) < 0 ||
	       (!is_loopback(&address) && !is_link_local(&address));
}

/* Milliseconds until there is something to do, rounded up; -1 for never. */
static int time_to_wait(struct http_server *server, uint64_t next)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), ms = HTTP_NEVER;
	MHD_UNSIGNED_LONG_LONG most;

	if (next != HTTP_NEVER)
		ms = next <= now ? 0 : (next - now + NS_PER_MS - 1) / NS_PER_MS;
	if (mhd.get_timeout(server->daemon, &most) == MHD_YES && most < ms)
		ms = most;
	if (ms == HTTP_NEVER)
		return -1;
	return (int)(ms < WAIT_MOST_MS ? ms : WAIT_MOST_MS);
}

/* One turn of the loop; false when STOP can be read. */
static bool turn(struct http_server *server, int stop, int daemon_fd)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	uint64_t next = server->service->advance(server->service->data, now);
	memory_cleanup_free struct pollfd *fds = NULL;
	size_t count;
	uint64_t due;

	waiting_advance(server, now);
	mhd.run(server->daemon);
	due = waiting_advance(server, clock_ns(CLOCK_MONOTONIC));
	next = due < next ? due : next;
	count = server->waiting_count;
	fds = memory_new(count + 2, sizeof(*fds));
	for (size_t i = 0; i < count; i++)
		fds[i] = (struct pollfd) { .fd = connection_fd(server->waiting[i]->connection),
			.events = waiting_events(server->waiting[i]) };
	fds[count] = (struct pollfd) { .fd = daemon_fd, .events = POLLIN };
	fds[count + 1] = (struct pollfd) { .fd = stop, .events = POLLIN };
	if (poll(fds, count + 2, time_to_wait(server, next)) <= 0)
		return true;
	waiting_watch(server, fds);
	return !fds[count + 1].revents;
}

int http_server_run(struct http_server *server, int stop, struct error *err)
{
	const union MHD_DaemonInfo *info =
		mhd.get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	if (!info)
		return error_set(err, ENOTSUP, "this libmicrohttpd has no epoll");
	while (turn(server, stop, info->epoll_fd))
		;
	return 0;
}

#else /* HAVE_MICROHTTPD */

int http_server_open(struct http_server **server, const struct http_service *service UNUSED,
	const char *address UNUSED, const struct reporter *reporter UNUSED, struct error *err)
{
	*server = NULL;
	return error_set(err, ENOSYS,
		"this ec2hib was built without libmicrohttpd, so it has no simulated services; install libmicrohttpd-dev (Debian, Ubuntu) or libmicrohttpd-devel (Fedora, RHEL, SUSE), and run configure and make again");
}

void http_server_close(struct http_server *server UNUSED)
{
}

const char *http_server_address(const struct http_server *server UNUSED)
{
	return "";
}

bool http_server_is_exposed(const struct http_server *server UNUSED)
{
	return false;
}

int http_server_run(struct http_server *server UNUSED, int stop UNUSED, struct error *err)
{
	return error_set(err, ENOSYS, "there are no simulated services");
}

#endif
