/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A simulated EC2 metadata service that also misbehaves below HTTP, which ec2hib imds serve cannot:
 * the other end of the tests of the client, and of the lab where that is not built. One thread, one
 * poll loop.
 *
 *	imds-sim --listen 127.0.0.1:0 [--data FILE] [--v1] [--fault [SCOPE:]NAME[=ARG]]...
 *		 [--log FILE]
 *
 * --data is a flat JSON object of path below /latest/ to text. Without --v1 every GET needs a
 * token. SCOPE is "token", "items" or the path of an item; without it a fault is everywhere. See
 * --help for the faults. "listening on ADDRESS:PORT" on standard output says that it is ready;
 * --log has a line for each request, written before its answer; SIGTERM ends it with a count.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/sim/imds-sim.h"

#define CONNECTIONS_MOST 64
#define REQUEST_MOST	 4096

struct connection {
	int fd;
	unsigned number; /* from 1, in the order in which they came */
	char in[REQUEST_MOST];
	size_t in_size;
	struct reply reply;
	size_t sent;
};

static struct service service;
static struct connection *connections[CONNECTIONS_MOST];
static size_t connection_count;
static unsigned accepted;

/* Answers the request that stands at the start of the input, if it is whole. */
static void request_answer(struct connection *connection)
{
	char *end = memmem(connection->in, connection->in_size, "\r\n\r\n", 4);

	if (!end)
		return;
	*end = '\0';
	reply_make(&service, connection->number, connection->in, &connection->reply);
	connection->in_size -= (size_t)(end + 4 - connection->in);
	memmove(connection->in, end + 4, connection->in_size);
}

/* False when the connection is over. */
static bool connection_read(struct connection *connection)
{
	ssize_t got = recv(connection->fd, connection->in + connection->in_size,
		REQUEST_MOST - connection->in_size, MSG_DONTWAIT);

	if (got < 0 && errno == EAGAIN)
		return true;
	if (got <= 0)
		return false;
	connection->in_size += (size_t)got;
	if (!connection->reply.bytes)
		request_answer(connection);
	return connection->in_size < REQUEST_MOST;
}

static bool connection_write(struct connection *connection)
{
	struct reply *reply = &connection->reply;

	while (connection->sent < reply->size) {
		ssize_t put = send(connection->fd, reply->bytes + connection->sent,
			reply->size - connection->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (put < 0)
			return errno == EAGAIN;
		connection->sent += (size_t)put;
	}
	if (reply->endless) {
		/* The first half has the status line; the second is headers or body alone. */
		connection->sent = reply->size / 2;
		while (reply->bytes[connection->sent - 1] != '\n')
			connection->sent++;
		return true;
	}
	if (reply->closes)
		return false;
	free(reply->bytes);
	reply->bytes = NULL;
	connection->sent = 0;
	request_answer(connection);
	return true;
}

static void connection_end(size_t i)
{
	close(connections[i]->fd);
	free(connections[i]->reply.bytes);
	free(connections[i]);
	connections[i] = connections[--connection_count];
}

static void connection_begin(int listener)
{
	struct connection *connection;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (connection_count == CONNECTIONS_MOST) {
		close(fd);
		return;
	}
	connection = calloc(1, sizeof(*connection));
	if (!connection)
		abort();
	connection->fd = fd;
	connection->number = ++accepted;
	connections[connection_count++] = connection;
}

/* Milliseconds until the first slow answer may go; -1 when none waits. */
static int time_to_wait(void)
{
	int64_t now = now_ms(), first = -1;

	for (size_t i = 0; i < connection_count; i++) {
		const struct reply *reply = &connections[i]->reply;

		if (reply->bytes && !reply->hangs && reply->ready > now &&
			(first < 0 || reply->ready < first))
			first = reply->ready;
	}
	return first < 0 ? -1 : (int)(first - now);
}

static void serve(int listener, int signals)
{
	struct pollfd wait[CONNECTIONS_MOST + 2];

	for (;;) {
		wait[0] = (struct pollfd) { .fd = signals, .events = POLLIN };
		wait[1] = (struct pollfd) { .fd = listener, .events = POLLIN };
		for (size_t i = 0; i < connection_count; i++) {
			const struct reply *reply = &connections[i]->reply;
			bool ready = reply->bytes && !reply->hangs && reply->ready <= now_ms();

			wait[i + 2] = (struct pollfd) { .fd = connections[i]->fd,
				.events = ready ? POLLIN | POLLOUT : POLLIN };
		}
		if (poll(wait, connection_count + 2, time_to_wait()) < 0 && errno != EINTR)
			err(1, "poll");
		if (wait[0].revents)
			return;
		/* From the last, because an ended one is replaced by the last. */
		for (size_t i = connection_count; i-- > 0;) {
			struct connection *connection = connections[i];
			bool good = true;

			if (wait[i + 2].revents & (POLLIN | POLLHUP | POLLERR))
				good = connection_read(connection);
			if (good && (wait[i + 2].revents & POLLOUT))
				good = connection_write(connection);
			if (!good)
				connection_end(i);
		}
		if (wait[1].revents)
			connection_begin(listener);
	}
}

/* ADDRESS:PORT or [ADDRESS]:PORT, numbers only; a bound and listening socket. */
static int listen_at(const char *place)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	const char *port = strrchr(place, ':');
	struct addrinfo *found;
	char host[128];
	int fd, status, yes = 1;

	if (!port)
		errx(2, "%s: not ADDRESS:PORT", place);
	snprintf(host, sizeof(host), "%.*s", (int)(port - place), place);
	if (*host == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		memmove(host, host + 1, strlen(host));
	}
	status = getaddrinfo(host, port + 1, &hints, &found);
	if (status)
		errx(2, "%s: %s", place, gai_strerror(status));
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
		bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, 16) < 0)
		err(1, "%s", place);
	freeaddrinfo(found);
	return fd;
}

static void say_where(int listener)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	char host[128], port[16];

	if (getsockname(listener, (struct sockaddr *)&address, &size) < 0 ||
		getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
		errx(1, "cannot tell where it listens");
	printf(address.ss_family == AF_INET6 ? "listening on [%s]:%s\n" : "listening on %s:%s\n",
		host, port);
	fflush(stdout);
}

static void help(void)
{
	puts("imds-sim [--listen ADDRESS:PORT] [--data FILE] [--v1] [--fault "
	     "[SCOPE:]NAME[=ARG]]...\n"
	     "\t[--log FILE]\n"
	     "SCOPE is token, items or the path of an item. Faults, with their usual argument:");
	faults_help(stdout);
	exit(0);
}

static int signals_open(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		err(1, "signalfd");
	return fd;
}

static FILE *log_open(const char *file)
{
	FILE *log = fopen(file, "we");

	if (!log)
		err(1, "%s", file);
	return log;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "listen", required_argument, NULL, 'l' },
		{ "data", required_argument, NULL, 'd' }, { "fault", required_argument, NULL, 'f' },
		{ "v1", no_argument, NULL, '1' }, { "log", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' }, { 0 } };
	const char *place = "127.0.0.1:0";
	int option, listener, signals = signals_open();

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'l')
			place = optarg;
		else if (option == 'd')
			data_read(optarg);
		else if (option == 'f')
			fault_add(optarg);
		else if (option == '1')
			service.v1 = true;
		else if (option == 'o')
			service.log = log_open(optarg);
		else if (option == 'h')
			help();
		else if (option == '?')
			return 2;
	}
	listener = listen_at(place);
	say_where(listener);
	serve(listener, signals);
	while (connection_count)
		connection_end(connection_count - 1);
	printf("connections=%u requests=%u tokens=%u\n", accepted, service.requests,
		service.tokens);
	if (service.log)
		fclose(service.log);
	close(listener);
	close(signals);
	data_free();
	faults_free();
	return 0;
}
