/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For tests/rules/kernel-messages. Without an argument: the table of kernel messages, a row a line:
 * PM or -, the kernels that say so, the words. With "unknown": those of the messages on standard
 * input, a line each, that the table does not know.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/rules/timeline_parser.h"

static void print_table(void)
{
	const char *words, *kernels;
	bool after_pm;

	for (size_t i = 0; (words = message_row(i, &after_pm, &kernels)); i++)
		printf("%s\t%s\t%s\n", after_pm ? "PM" : "-", kernels ? kernels : "-", words);
}

static void print_unknown(void)
{
	struct log_line *line = memory_new(1, sizeof(*line));
	char text[1024];

	while (fgets(text, sizeof(text), stdin)) {
		memory_cleanup_free char *message =
			text_format("[    1.0] PM: hibernation: %s", text_trim(text));

		log_line_read(line, message, strlen(message));
		if (!message_is_known(line))
			puts(text);
	}
	free(line);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "unknown") == 0)
		print_unknown();
	else
		print_table();
	return 0;
}
