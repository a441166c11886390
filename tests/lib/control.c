/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/control.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MOST 8192

static int connect_to(const char *address)
{
	const char *colon = strrchr(address, ':');
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd;

	if (!colon)
		return -1;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)atoi(colon + 1));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

const char *control_ask(const char *address, const char *method, const char *path, const char *body)
{
	static char bytes[ANSWER_MOST];
	int fd = connect_to(address);
	size_t size = 0;
	ssize_t got;

	if (fd < 0)
		return NULL;
	dprintf(fd,
		"%s /control/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		method, path, strlen(body), body);
	while ((got = read(fd, bytes + size, sizeof(bytes) - 1 - size)) > 0)
		size += (size_t)got;
	bytes[size] = '\0';
	close(fd);
	return size ? bytes : NULL;
}
