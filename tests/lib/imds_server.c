/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "tests/lib/imds_server.h"
#include "core/base/compiler.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* The program: $IMDS_SIM, or beside this test. */
static void program_find(char *program, size_t size)
{
	const char *given = getenv("IMDS_SIM");
	ssize_t length;

	if (given) {
		snprintf(program, size, "%s", given);
		return;
	}
	length = readlink("/proc/self/exe", program, size - 1);
	assert_true(length > 0);
	program[length] = '\0';
	length = strrchr(program, '/') - program;
	snprintf(program + length, size - (size_t)length, "/../sim/imds-sim");
}

static void file_path(const struct imds_server *server, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", server->folder, name);
}

static void data_write(const struct imds_server *server, const char *path, const char *value)
{
	json_t *data = json_object();
	char file[128];

	for (size_t i = 0; i < ARRAY_SIZE(standard_data); i++)
		json_object_set_new(data, standard_data[i][0], json_string(standard_data[i][1]));
	if (path && value)
		json_object_set_new(data, path, json_string(value));
	else if (path)
		json_object_del(data, path);
	file_path(server, "data", file, sizeof(file));
	assert_int_equal(json_dump_file(data, file, 0), 0);
	json_decref(data);
}

static void run(const struct imds_server *server, const char *address, char *arguments, int out)
{
	char program[4096], data[128], log[128];
	char *words[64] = { program, "--listen", (char *)address, "--data", data, "--log", log };
	size_t count = 7;

	program_find(program, sizeof(program));
	file_path(server, "data", data, sizeof(data));
	file_path(server, "log", log, sizeof(log));
	for (char *word = strtok(arguments, " "); word && count < 63; word = strtok(NULL, " "))
		words[count++] = word;
	dup2(out, STDOUT_FILENO);
	/* A test that is killed leaves nothing behind. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	execv(program, words);
	perror(program);
	_exit(127);
}

static bool start(struct imds_server *server, const char *address, const char *arguments)
{
	char *words = strdup(arguments);
	int ends[2];
	int found;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	server->pid = fork();
	assert_true(server->pid >= 0);
	if (server->pid == 0)
		run(server, address, words, ends[1]);
	free(words);
	close(ends[1]);
	server->out = fdopen(ends[0], "r");
	found = fscanf(server->out, "listening on %63s", server->place);
	snprintf(server->url, sizeof(server->url), "http://%.55s", server->place);
	if (found == 1)
		return true;
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
	return false;
}

static void folder_make(struct imds_server *server)
{
	strcpy(server->folder, "/tmp/imds-test-XXXXXX");
	assert_non_null(mkdtemp(server->folder));
}

bool server_start_at(struct imds_server *server, const char *address, const char *arguments)
{
	folder_make(server);
	data_write(server, NULL, NULL);
	return start(server, address, arguments);
}

void server_start(struct imds_server *server, const char *arguments)
{
	assert_true(server_start_at(server, "127.0.0.1:0", arguments));
}

void server_start_with(struct imds_server *server, const char *path, const char *value)
{
	folder_make(server);
	data_write(server, path, value);
	assert_true(start(server, "127.0.0.1:0", ""));
}

void server_stop(struct imds_server *server)
{
	char file[128];
	int status;

	if (server->pid) {
		kill(server->pid, SIGTERM);
		assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	fclose(server->out);
	file_path(server, "data", file, sizeof(file));
	unlink(file);
	file_path(server, "log", file, sizeof(file));
	unlink(file);
	rmdir(server->folder);
}

static FILE *log_open(const struct imds_server *server)
{
	char file[128];
	FILE *log;

	file_path(server, "log", file, sizeof(file));
	log = fopen(file, "r");
	assert_non_null(log);
	return log;
}

size_t server_count(const struct imds_server *server, const char *text)
{
	FILE *log = log_open(server);
	char line[2048];
	size_t count = 0;

	while (fgets(line, sizeof(line), log))
		count += strstr(line, text) != NULL;
	fclose(log);
	return count;
}

size_t server_connections(const struct imds_server *server)
{
	FILE *log = log_open(server);
	char line[2048];
	size_t count = 0, last = 0;

	while (fgets(line, sizeof(line), log)) {
		size_t number = strtoul(line, NULL, 10);

		count += number != last;
		last = number;
	}
	fclose(log);
	return count;
}
