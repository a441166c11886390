/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers that were damaged never count as notices: of the parsers, and of whole HTTP answers
 * through the client. The damage is the same in every run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/imds.h"
#include "core/rules/notice.h"
#include "tests/rules/notice_oracle.h"

#define TEXT_MOST    1024
#define TEXT_ROUNDS  200000
#define HTTP_ROUNDS  3000
#define DAMAGES_MOST 4

#define BODY "{\"action\": \"hibernate\", \"time\": \"2026-01-02T03:04:05Z\"}"

static const char *const texts[] = {
	BODY,
	"{\"action\":\"terminate\",\"time\":\"2017-09-18T08:22:00Z\"}",
	"{\"noticeTime\": \"2020-11-05T08:22:00Z\"}",
	"[{\"NotBefore\":\"21 Jan 2026 09:00:43 GMT\",\"Code\":\"system-reboot\","
	"\"Description\":\"scheduled reboot\",\"EventId\":\"instance-event-0d59937288b749b32\""
	",\"NotAfter\":\"21 Jan 2026 09:17:23 GMT\",\"State\":\"active\"}]",
	"Warmed:Hibernated\n",
};

static const char *const answers[] = {
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 55\r\n"
	"Connection: close\r\n\r\n" BODY,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
	"37\r\n" BODY "\r\n0\r\n\r\n",
	"HTTP/1.0 200 OK\r\n\r\n" BODY,
	"HTTP/1.1 404 Not Found\r\nContent-Length: 55\r\nConnection: close\r\n\r\n" BODY,
	"HTTP/1.1 302 Found\r\nLocation: /latest/meta-data/other\r\nContent-Length: 55\r\n"
	"Connection: close\r\n\r\n" BODY,
};

/* ---- Damage ---------------------------------------------------------------------------------- */

/* splitmix64 */
static uint64_t chance(uint64_t *state)
{
	uint64_t number = *state += 0x9e3779b97f4a7c15;

	number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
	number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
	return number ^ (number >> 31);
}

struct bytes {
	char data[TEXT_MOST];
	size_t size;
};

static void insert(struct bytes *bytes, size_t at, const char *data, size_t size)
{
	if (bytes->size + size > sizeof(bytes->data))
		return;
	memmove(bytes->data + at + size, bytes->data + at, bytes->size - at);
	memmove(bytes->data + at, data, size);
	bytes->size += size;
}

static void damage(struct bytes *bytes, uint64_t *state)
{
	static const char *const words[] = { "{", "}", "[", "]", "\"", ":", ",", "\\", "\r\n",
		"\\u0000", "null", "hibernate", "action", "time", "200", "Content-Length: 9\r\n",
		"chunked", "\r\n\r\n", BODY };
	size_t at = bytes->size ? chance(state) % bytes->size : 0;
	size_t length = 1 + chance(state) % 8;
	const char *word = words[chance(state) % ARRAY_SIZE(words)];
	char piece[8];

	if (length > bytes->size - at)
		length = bytes->size - at;
	switch (chance(state) % 6) {
	case 0:
		if (bytes->size)
			bytes->data[at] ^= (char)(1 << chance(state) % 8);
		break;
	case 1:
		if (bytes->size)
			bytes->data[at] = (char)chance(state);
		break;
	case 2:
		memmove(bytes->data + at, bytes->data + at + length, bytes->size - at - length);
		bytes->size -= length;
		break;
	case 3:
		insert(bytes, at, word, strlen(word));
		break;
	case 4:
		memcpy(piece, bytes->data + at, length);
		insert(bytes, at, piece, length);
		break;
	default:
		bytes->size = at;
	}
}

/* The answer number ROUND of all that come of SEEDS. */
static void make(struct bytes *bytes, const char *const *seeds, size_t count, uint64_t round)
{
	uint64_t state = round;
	const char *seed = seeds[chance(&state) % count];
	uint64_t damages = 1 + chance(&state) % DAMAGES_MOST;

	bytes->size = strlen(seed);
	memcpy(bytes->data, seed, bytes->size);
	while (damages--)
		damage(bytes, &state);
}

/* ---- The parsers ----------------------------------------------------------------------------- */

static void damaged_texts_are_no_notices(void **state UNUSED)
{
	unsigned taken = 0, notices;

	for (uint64_t round = 0; round < TEXT_ROUNDS; round++) {
		struct bytes bytes;
		memory_cleanup_free char *text = NULL;
		const char *wrong;

		make(&bytes, texts, ARRAY_SIZE(texts), round);
		text = text_copy_length(bytes.data, bytes.size);
		wrong = notice_oracle(text, &notices);
		if (wrong)
			fail_msg("round %llu: %s: \"%s\"", (unsigned long long)round, wrong, text);
		taken += notices;
	}
	/*
	 * Some damage changes a digit of the time, and leaves a notice: the test sees both sides.
	 */
	assert_in_range(taken, TEXT_ROUNDS / 1000, TEXT_ROUNDS / 4);
}

static void whole_texts_are_notices(void **state UNUSED)
{
	unsigned notices;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_null(notice_oracle(texts[i], &notices));
		assert_int_equal(notices, 1);
	}
}

/* ---- Through the client ---------------------------------------------------------------------- */

static void serve_one(int fd)
{
	static const char token[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
				    "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\r\ntoken";
	struct bytes bytes;
	char request[4096];
	ssize_t size;

	while ((size = read(fd, request, sizeof(request) - 1)) > 0) {
		request[size] = '\0';
		if (strncmp(request, "PUT ", 4) == 0) {
			if (write(fd, token, sizeof(token) - 1) < 0)
				return;
			continue;
		}
		make(&bytes, answers, ARRAY_SIZE(answers),
			strtoull(request + strlen("GET /latest/"), NULL, 10));
		if (write(fd, bytes.data, bytes.size) < 0)
			return;
		return;
	}
}

/* A process that answers GET /latest/N with the damaged answer N; *PORT is where. */
static pid_t serve(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pid_t child;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			int fd = accept(listener, NULL, NULL);

			if (fd < 0)
				_exit(1);
			serve_one(fd);
			close(fd);
		}
	}
	close(listener);
	return child;
}

/* What the client took for the item is in what was sent, and that said 200. */
static const char *judge(const struct bytes *sent, const char *text, unsigned *notices)
{
	const char *wrong = notice_oracle(text, notices);
	const char *space = memchr(sent->data, ' ', sent->size);

	if (wrong)
		return wrong;
	if (*notices == 0)
		return NULL;
	if (sent->size < 5 || strncasecmp(sent->data, "HTTP/", 5) != 0)
		return "a notice that is no HTTP";
	if (!space || strncmp(space + 1, "200", 3) != 0)
		return "a notice of another status than 200";
	return NULL;
}

static void damaged_answers_are_no_notices(void **state UNUSED)
{
	struct imds_options options = { .timeout_ms = 10000, .attempts = 1 };
	memory_cleanup_free char *endpoint = NULL;
	struct imds *imds = NULL;
	unsigned taken = 0;
	struct error err;
	uint16_t port;
	pid_t child = serve(&port);

	endpoint = text_format("http://127.0.0.1:%u", port);
	options.endpoint = endpoint;
	assert_int_equal(imds_open(&imds, &options, &err), 0);
	for (unsigned round = 0; round < HTTP_ROUNDS; round++) {
		memory_cleanup_free char *path = text_format("%u", round);
		memory_cleanup_free char *text = NULL;
		struct bytes sent;
		unsigned notices = 0;
		const char *wrong;

		make(&sent, answers, ARRAY_SIZE(answers), round);
		if (imds_get(imds, path, &text, &err) < 0)
			continue;
		wrong = judge(&sent, text, &notices);
		if (wrong)
			fail_msg("round %u: %s: \"%.*s\"", round, wrong, (int)sent.size, sent.data);
		taken += notices;
	}
	imds_close(imds);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_in_range(taken, HTTP_ROUNDS / 100, HTTP_ROUNDS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_texts_are_notices),
		cmocka_unit_test(damaged_texts_are_no_notices),
		cmocka_unit_test(damaged_answers_are_no_notices),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("notice_fuzz", tests, NULL, NULL);
}
