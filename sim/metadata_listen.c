/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/metadata_listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/text.h"

#define BACKLOG 64

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

static int place_resolve(const char *place, struct addrinfo **found, struct error *err)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	const char *port = strrchr(place, ':');
	memory_cleanup_free char *given =
		text_copy_length(place, port ? (size_t)(port - place) : 0);
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
			"\"%s\" is no ADDRESS:PORT in numbers: 127.0.0.1:1338 or [::1]:1338",
			place);
	return 0;
}

int metadata_listen(const char *place, struct error *err)
{
	struct addrinfo *found;
	int status = place_resolve(place, &found, err), fd, yes = 1;

	if (status < 0)
		return status;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
		bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		status = error_set(err, errno, "cannot listen on %s: %s%s", place, strerror(errno),
			advice(errno));
		if (fd >= 0)
			close(fd);
		fd = status;
	}
	freeaddrinfo(found);
	return fd;
}

char *metadata_listen_place(int fd)
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

/* The IPv6 address of the real service, fd00:ec2::254, is a unique local one: that is not a link's. */
static bool is_link_local(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 16 == (169 << 8 | 254);
	return address->ss_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);
}

bool metadata_listen_is_exposed(int fd)
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &size) < 0 ||
	       (!is_loopback(&address) && !is_link_local(&address));
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
bool metadata_peer_is_own(int fd)
{
	struct sockaddr_storage peer = { 0 }, own = { 0 };
	socklen_t peer_size = sizeof(peer), own_size = sizeof(own);

	if (getpeername(fd, (struct sockaddr *)&peer, &peer_size) < 0 ||
		getsockname(fd, (struct sockaddr *)&own, &own_size) < 0)
		return false;
	return is_loopback(&peer) || same_host(&peer, &own);
}
