/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For libFuzzer: nothing that is not a notice counts as one. Not part of any build; by hand, from
 * the top of a tree that is configured:
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I. \
 *		tests/fuzz/notice_fuzzer.c tests/rules/notice_oracle.c core/rules/notice.c \
 *		core/base/{clock,error,memory,text}.c -ljansson -o notice_fuzzer
 *	./notice_fuzzer -max_len=4096 -dict=tests/fuzz/notice.dict -max_total_time=300
 *
 * What it finds becomes a line of the tables in tests/rules/notice_test.c.
 * tests/rules/notice_fuzz_test.c does the same with a generator of its own in make check.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rules/notice_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	const char *wrong;
	unsigned notices;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	wrong = notice_oracle(text, &notices);
	if (wrong) {
		fprintf(stderr, "%s\n", wrong);
		abort();
	}
	free(text);
	return 0;
}
