/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/metadata_service.h"

#include <errno.h>

#include "config.h"

#ifdef HAVE_MICROHTTPD
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "sim/metadata_listen.h"
#include "sim/metadata_mhd.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* Below the 1024 descriptors that a process has as standard; more wait for their turn. */
#define CONNECTIONS_MOST 500
#define BODY_LIMIT	 ((size_t)256 * 1024)
#define HUGE_SIZE	 ((uint64_t)64 * 1024 * 1024)
#define BLOCK_SIZE	 4096
#define NS_PER_MS	 ((uint64_t)1000000)
#define WAIT_MOST_MS	 ((uint64_t)3600 * 1000)

/* One request and its answer, from the first header to the last byte. */
struct exchange {
	struct MHD_Connection *connection;
	char *line; /* "GET /latest/meta-data/", for who follows */
	char *body;
	size_t body_size;
	bool answered; /* ANSWER is made */
	bool given_up; /* the other end has gone, or everything ends */
	struct metadata_answer answer;
	uint64_t due; /* CLOCK_MONOTONIC, ns: when a suspended one goes on */
};

struct metadata_service {
	struct metadata *metadata;
	const struct reporter *reporter;
	int listener; /* the daemon's, as soon as there is one */
	char *place;
	struct MHD_Daemon *daemon;
	struct exchange **waiting; /* the suspended ones */
	size_t waiting_count;
};

/* ---- Bodies that are spoilt below HTTP --------------------------------------------------- */

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

/* ---- Answers ------------------------------------------------------------------------------- */

static struct MHD_Response *response_make(struct exchange *exchange)
{
	struct metadata_answer *answer = &exchange->answer;

	if (answer->spoil == SPOIL_HUGE)
		return mhd.create_response_from_callback(
			MHD_SIZE_UNKNOWN, BLOCK_SIZE, body_huge, NULL, NULL);
	if (answer->spoil == SPOIL_CUT)
		return mhd.create_response_from_callback(
			answer->size + 1, BLOCK_SIZE, body_cut, exchange, NULL);
	return mhd.create_response_from_buffer(answer->size, answer->body, MHD_RESPMEM_PERSISTENT);
}

static MHD_RESULT answer_send(struct metadata_service *service, struct exchange *exchange)
{
	const struct metadata_answer *answer = &exchange->answer;
	struct MHD_Response *response;
	MHD_RESULT result;
	char ttl[16];

	if (exchange->given_up || answer->spoil == SPOIL_CLOSE) {
		reporter_log(service->reporter, LOG_INFO, "%s closed", exchange->line);
		return MHD_NO;
	}
	response = response_make(exchange);
	if (!response)
		return MHD_NO;
	mhd.add_response_header(response, "Server", "ec2hib");
	mhd.add_response_header(response, "Content-Type", answer->type);
	if (answer->allow)
		mhd.add_response_header(response, "Allow", answer->allow);
	snprintf(ttl, sizeof(ttl), "%u", answer->token_ttl);
	if (answer->token_ttl)
		mhd.add_response_header(response, "X-aws-ec2-metadata-token-ttl-seconds", ttl);
	result = mhd.queue_response(exchange->connection, answer->status, response);
	mhd.destroy_response(response);
	metadata_sent(service->metadata, answer);
	reporter_log(service->reporter, LOG_INFO, "%s %u", exchange->line, answer->status);
	return result;
}

static int connection_fd(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

static void answer_make(struct metadata_service *service, struct exchange *exchange,
	const char *url, const char *method)
{
	struct MHD_Connection *connection = exchange->connection;
	const struct metadata_request request = {
		.method = method,
		.path = url,
		.token = mhd.lookup_connection_value(
			connection, MHD_HEADER_KIND, "X-aws-ec2-metadata-token"),
		.ttl = mhd.lookup_connection_value(
			connection, MHD_HEADER_KIND, "X-aws-ec2-metadata-token-ttl-seconds"),
		.forwarded =
			mhd.lookup_connection_value(connection, MHD_HEADER_KIND, "X-Forwarded-For"),
		.own = metadata_peer_is_own(connection_fd(connection)),
		.body = exchange->body ? exchange->body : "",
	};

	metadata_answer(service->metadata, &request, &exchange->answer);
	exchange->answered = true;
}

/* ---- Requests that are held back ------------------------------------------------------------ */

static bool has_to_wait(const struct metadata_answer *answer)
{
	return answer->delay_ms || answer->wait_counter || answer->spoil == SPOIL_HANG;
}

static void wait_begin(struct metadata_service *service, struct exchange *exchange)
{
	const struct metadata_answer *answer = &exchange->answer;

	exchange->due = metadata_clock() + answer->delay_ms * NS_PER_MS;
	if (answer->spoil == SPOIL_HANG)
		exchange->due = METADATA_NEVER;
	else if (answer->wait_counter)
		exchange->due = answer->wait_end;
	service->waiting =
		memory_grow(service->waiting, service->waiting_count, sizeof(*service->waiting));
	service->waiting[service->waiting_count++] = exchange;
	mhd.suspend_connection(exchange->connection);
}

/* When it goes on: 0 for now. */
static uint64_t due_at(const struct exchange *exchange)
{
	const struct metadata_answer *answer = &exchange->answer;

	if (exchange->given_up ||
		(answer->wait_counter && *answer->wait_counter >= answer->wait_count))
		return 0;
	return exchange->due;
}

/*
 * Lets those go on whose time has come; when the next one's does, or 0 when there were some:
 * MHD_run() has to see to them, and MHD_get_timeout() does not know that.
 */
static uint64_t waiting_advance(struct metadata_service *service, uint64_t now)
{
	uint64_t next = METADATA_NEVER;
	size_t kept = 0;

	for (size_t i = 0; i < service->waiting_count; i++) {
		struct exchange *exchange = service->waiting[i];
		uint64_t due = due_at(exchange);

		if (due > now) {
			next = due < next ? due : next;
			service->waiting[kept++] = exchange;
			continue;
		}
		if (exchange->answer.wait_counter)
			metadata_wait_over(service->metadata, &exchange->answer);
		mhd.resume_connection(exchange->connection);
		next = 0;
	}
	service->waiting_count = kept;
	return next;
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

/* Once with the headers, then with parts of the body, at its end, and after a suspension. */
static MHD_RESULT on_request(void *data, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version UNUSED, const char *upload, size_t *upload_size,
	void **memory)
{
	struct metadata_service *service = data;
	struct exchange *exchange = *memory;

	if (!exchange) {
		exchange = *memory = memory_new(1, sizeof(*exchange));
		exchange->connection = connection;
		exchange->line = text_format("%s %s", method, url);
		return MHD_YES;
	}
	if (*upload_size)
		return body_take(exchange, upload, upload_size);
	if (exchange->answered)
		return answer_send(service, exchange);
	answer_make(service, exchange, url, method);
	if (!has_to_wait(&exchange->answer))
		return answer_send(service, exchange);
	wait_begin(service, exchange);
	return MHD_YES;
}

static void on_end(void *data UNUSED, struct MHD_Connection *connection UNUSED, void **memory,
	enum MHD_RequestTerminationCode code UNUSED)
{
	struct exchange *exchange = *memory;

	if (!exchange)
		return;
	metadata_answer_free(&exchange->answer);
	free(exchange->line);
	free(exchange->body);
	free(exchange);
	*memory = NULL;
}

/* ---- The service ------------------------------------------------------------------------------ */

int metadata_service_open(struct metadata_service **service, struct metadata *metadata,
	const char *place, const struct reporter *reporter, struct error *err)
{
	struct metadata_service *made;
	int listener = -1, status;

	*service = NULL;
	status = metadata_mhd_load(err);
	if (status == 0)
		status = listener = metadata_listen(place, err);
	if (status < 0)
		return status;
	made = memory_new(1, sizeof(*made));
	made->metadata = metadata;
	made->reporter = reporter;
	made->listener = listener;
	made->place = metadata_listen_place(listener);
	made->daemon = mhd.start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		on_request, made, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_NOTIFY_COMPLETED,
		on_end, made, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MOST,
		MHD_OPTION_END);
	if (!made->daemon) {
		metadata_service_close(made);
		return error_set(err, EIO, "libmicrohttpd cannot serve on %s", place);
	}
	*service = made;
	return 0;
}

void metadata_service_close(struct metadata_service *service)
{
	if (!service)
		return;
	for (size_t i = 0; i < service->waiting_count; i++)
		service->waiting[i]->given_up = true;
	waiting_advance(service, 0);
	if (service->daemon)
		mhd.stop_daemon(service->daemon);
	else
		close(service->listener);
	free(service->waiting);
	free(service->place);
	free(service);
}

const char *metadata_service_place(const struct metadata_service *service)
{
	return service->place;
}

bool metadata_service_is_exposed(const struct metadata_service *service)
{
	return metadata_listen_is_exposed(service->listener);
}

/* Milliseconds until there is something to do, rounded up; -1 for never. */
static int time_to_wait(struct metadata_service *service, uint64_t next)
{
	uint64_t now = metadata_clock(), ms = METADATA_NEVER;
	MHD_UNSIGNED_LONG_LONG most;

	if (next != METADATA_NEVER)
		ms = next <= now ? 0 : (next - now + NS_PER_MS - 1) / NS_PER_MS;
	if (mhd.get_timeout(service->daemon, &most) == MHD_YES && most < ms)
		ms = most;
	if (ms == METADATA_NEVER)
		return -1;
	return (int)(ms < WAIT_MOST_MS ? ms : WAIT_MOST_MS);
}

/* A suspended connection is not watched by libmicrohttpd: whose client gave up ends here. */
static void waiting_watch(struct metadata_service *service, const struct pollfd *fds)
{
	for (size_t i = 0; i < service->waiting_count; i++)
		if (fds[i].revents)
			service->waiting[i]->given_up = true;
}

/* One turn of the loop; false when STOP can be read. */
static bool turn(struct metadata_service *service, int stop, int daemon_fd)
{
	uint64_t now = metadata_clock(), next = metadata_advance(service->metadata, now);
	memory_cleanup_free struct pollfd *fds = NULL;
	size_t count;
	uint64_t due;

	waiting_advance(service, now);
	mhd.run(service->daemon);
	due = waiting_advance(service, metadata_clock());
	next = due < next ? due : next;
	count = service->waiting_count;
	fds = memory_new(count + 2, sizeof(*fds));
	for (size_t i = 0; i < count; i++)
		fds[i] = (struct pollfd) { .fd = connection_fd(service->waiting[i]->connection),
			.events = POLLRDHUP };
	fds[count] = (struct pollfd) { .fd = daemon_fd, .events = POLLIN };
	fds[count + 1] = (struct pollfd) { .fd = stop, .events = POLLIN };
	if (poll(fds, count + 2, time_to_wait(service, next)) <= 0)
		return true;
	waiting_watch(service, fds);
	return !fds[count + 1].revents;
}

int metadata_service_run(struct metadata_service *service, int stop, struct error *err)
{
	const union MHD_DaemonInfo *info =
		mhd.get_daemon_info(service->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	if (!info)
		return error_set(err, ENOTSUP, "this libmicrohttpd has no epoll");
	while (turn(service, stop, info->epoll_fd))
		;
	return 0;
}

#else /* HAVE_MICROHTTPD */

int metadata_service_open(struct metadata_service **service, struct metadata *metadata UNUSED,
	const char *place UNUSED, const struct reporter *reporter UNUSED, struct error *err)
{
	*service = NULL;
	return error_set(err, ENOSYS,
		"this ec2hib was built without libmicrohttpd, so it has no simulated metadata service; install libmicrohttpd-dev (Debian, Ubuntu) or libmicrohttpd-devel (Fedora, RHEL, SUSE), and run configure and make again");
}

void metadata_service_close(struct metadata_service *service UNUSED)
{
}

const char *metadata_service_place(const struct metadata_service *service UNUSED)
{
	return "";
}

bool metadata_service_is_exposed(const struct metadata_service *service UNUSED)
{
	return false;
}

int metadata_service_run(
	struct metadata_service *service UNUSED, int stop UNUSED, struct error *err)
{
	return error_set(err, ENOSYS, "there is no simulated metadata service");
}

#endif
