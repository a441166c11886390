/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * datagrams SOCKET...: binds datagram sockets in the file system and prints what they receive: each
 * datagram with a line "--" behind it, at once. "listening" is the first line. It stands in for a
 * service manager, a journal and a syslog daemon.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SOCKETS_MOST  8
#define DATAGRAM_MOST 65536

static int socket_bind(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -1 : fd;
}

static void show(int fd)
{
	static char bytes[DATAGRAM_MOST];
	ssize_t size = recv(fd, bytes, sizeof(bytes), 0);

	if (size < 0)
		return;
	fwrite(bytes, 1, (size_t)size, stdout);
	fputs(size && bytes[size - 1] == '\n' ? "--\n" : "\n--\n", stdout);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct pollfd polled[SOCKETS_MOST];
	nfds_t count = (nfds_t)argc - 1;

	if (argc < 2 || count > SOCKETS_MOST) {
		fputs("usage: datagrams SOCKET...\n", stderr);
		return 2;
	}
	for (nfds_t i = 0; i < count; i++) {
		polled[i] = (struct pollfd) { .fd = socket_bind(argv[i + 1]), .events = POLLIN };
		if (polled[i].fd < 0) {
			perror(argv[i + 1]);
			return 1;
		}
	}
	puts("listening");
	fflush(stdout);
	while (poll(polled, count, -1) > 0)
		for (nfds_t i = 0; i < count; i++)
			if (polled[i].revents)
				show(polled[i].fd);
	return 0;
}
