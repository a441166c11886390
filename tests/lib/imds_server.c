/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "tests/lib/imds_server.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "sim/metadata.h"
#include "tests/lib/control.h"

static const char *const standard_data[][2] = {
	{ "meta-data/instance-id", SERVER_ID },
	{ "meta-data/instance-life-cycle", "spot" },
	{ "meta-data/hibernation/configured", "true" },
	{ "meta-data/autoscaling/target-lifecycle-state", "InService" },
	{ "meta-data/tags/instance/Name", "b\xc3\xbcro 1\n" },
	{ "dynamic/instance-identity/document",
		"{\"accountId\": \"123456789012\", \"architecture\": \"x86_64\", "
		"\"availabilityZone\": \"eu-central-1a\", \"billingProducts\": null, "
		"\"imageId\": \"ami-0123456789abcdef0\", \"instanceId\": \"" SERVER_ID "\", "
		"\"instanceType\": \"m5.large\", \"region\": \"eu-central-1\"}" },
};

/* ---- In the process of the server ---------------------------------------------------------- */

static void log_write(void *data, int priority UNUSED, const char *text)
{
	dprintf(*(int *)data, "%s\n", text);
}

/* What a server is to be. */
struct wanted {
	const char *address;
	const char *faults;
	const char *path, *value; /* one item; PATH may be NULL */
};

static int prepare(struct metadata *metadata, const struct wanted *wanted, struct error *err)
{
	strings_cleanup struct strings faults = { 0 };
	int status = 0;

	for (size_t i = 0; status == 0 && i < ARRAY_SIZE(standard_data); i++)
		status = metadata_set(metadata, standard_data[i][0], standard_data[i][1], err);
	if (status == 0 && wanted->path)
		status = metadata_set(metadata, wanted->path, wanted->value, err);
	strings_split(&faults, wanted->faults, " ");
	for (size_t i = 0; status == 0 && i < faults.count; i++)
		status = faults_add(&metadata_control(metadata)->faults, faults.items[i], err);
	return status;
}

/* Says where it listens, or why not: "STATUS TEXT". */
static void serve(struct imds_server *own, const struct wanted *wanted)
{
	const struct reporter reporter = { .log = log_write, .data = &own->log };
	struct metadata *metadata = metadata_open();
	struct http_server *server = NULL;
	struct error err = { "" };
	int status = prepare(metadata, wanted, &err);

	if (status == 0)
		status = http_server_open(
			&server, metadata_service(metadata), wanted->address, &reporter, &err);
	dprintf(own->stop, "%d %s", status, status == 0 ? http_server_address(server) : err.text);
	/* Until the test closes its end, or has ended. */
	if (status == 0)
		status = http_server_run(server, own->stop, &err);
	http_server_close(server);
	metadata_close(metadata);
	_exit(status < 0);
}

/* ---- In the test --------------------------------------------------------------------------- */

static bool start(struct imds_server *server, const struct wanted *wanted)
{
	char said[256] = "", *text;
	int ends[2], status;

	server->log = memfd_create("log", MFD_CLOEXEC);
	assert_true(server->log >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	server->pid = fork();
	assert_true(server->pid >= 0);
	server->stop = ends[server->pid == 0];
	close(ends[server->pid != 0]);
	if (server->pid == 0)
		serve(server, wanted);
	assert_true(read(server->stop, said, sizeof(said) - 1) > 0);
	status = (int)strtol(said, &text, 10);
	text++;
	if (status == 0) {
		snprintf(server->address, sizeof(server->address), "%s", text);
		snprintf(server->url, sizeof(server->url), "http://%s", server->address);
		return true;
	}
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
	if (status != -EADDRNOTAVAIL && status != -EAFNOSUPPORT)
		fail_msg("%s", text);
	return false;
}

bool server_start_at(struct imds_server *server, const char *address, const char *faults)
{
	return start(server, &(struct wanted) { .address = address, .faults = faults });
}

void server_start(struct imds_server *server, const char *faults)
{
	assert_true(server_start_at(server, "127.0.0.1:0", faults));
}

void server_start_with(struct imds_server *server, const char *path, const char *value)
{
	const struct wanted wanted = {
		.address = "127.0.0.1:0", .faults = "", .path = path, .value = value
	};

	assert_true(start(server, &wanted));
}

void server_stop(struct imds_server *server)
{
	int status;

	close(server->stop);
	close(server->log);
	if (!server->pid)
		return;
	assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

const char *server_missing(void)
{
	static struct error err;
	struct metadata *metadata = metadata_open();
	struct http_server *server;
	int status =
		http_server_open(&server, metadata_service(metadata), "127.0.0.1:0", NULL, &err);

	http_server_close(server);
	metadata_close(metadata);
	return status == -ENOSYS || status == -ENOENT ? err.text : NULL;
}

size_t server_count(const struct imds_server *server, const char *text)
{
	strings_cleanup struct strings lines = { 0 };
	struct stat info;
	size_t count = 0;

	assert_int_equal(fstat(server->log, &info), 0);
	memory_cleanup_free char *bytes = memory_new((size_t)info.st_size + 1, 1);
	assert_int_equal(pread(server->log, bytes, (size_t)info.st_size, 0), info.st_size);
	strings_split(&lines, bytes, "\n");
	for (size_t i = 0; i < lines.count; i++)
		count += strstr(lines.items[i], text) != NULL;
	return count;
}

size_t server_connections(const struct imds_server *server)
{
	return server_count(server, "connection");
}

size_t server_counter(const struct imds_server *server, const char *name)
{
	const char *answer = control_ask(server->address, "GET", "counters", "");
	memory_cleanup_free char *key = text_format("\"%s\": ", name);
	const char *found = answer ? strstr(answer, key) : NULL;

	assert_non_null(found);
	return strtoul(found + strlen(key), NULL, 10);
}
