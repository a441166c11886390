/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings as a shell reads them, and what nobody can tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/shell_settings.h"

static void values_are_those_of_a_shell(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *value; /* of V; NULL: nobody knows */
	} rows[] = {
		{ "", "" },
		{ "V=a", "a" },
		{ "V=a\nV=b\n", "b" },
		{ "V=\"a b\"\n", "a b" },
		{ "V='a b'\n", "a b" },
		{ "  V=\"a b\"  # why\n", "a b" },
		{ "#V=a\n", "" },
		{ " # V=a\n", "" },
		{ "V=a#b\n", "a#b" },
		{ "V=a\\ b\n", "a b" },
		{ "V=\"a \\\"b c\\\" \\$d\"\n", "a \"b c\" $d" },
		{ "V=\"a\\b\"\n", "a\\b" },
		{ "V='a\\b'\n", "a\\b" },
		{ "V=\"a \\\nb\"\n", "a b" },
		{ "V=\"a\nb\"\n", "a\nb" },
		{ "V=a\\\nb\n", "ab" },
		{ "V=\"a\"'b'c\n", "abc" },
		{ "export V=a\n", "a" },
		{ "V=a\nexport V\n", NULL },
		{ "V=a; # b\n", "a" },
		{ "V=a\nV+=b\n", "ab" },
		{ "V+=\" b\"\n", " b" },
		{ "V=a\nV=\"$V b\"\n", "a b" },
		{ "V=a\nV=\"${V} b\"\n", "a b" },
		{ "A=1\nV=\"$A$A\"\n", "11" },
		{ "V='$A'\n", "$A" },
		{ "V=$\n", "$" },
		{ "V=\"$(cat x)\"\n", NULL },
		{ "V=`cat x`\n", NULL },
		{ "V=\"${A:-b}\"\n", NULL },
		{ "V=\"$(echo \"a b\") c\"\n", NULL },
		{ "V=\"$(cat x)\"\nV=a\n", "a" },
		{ "V=a command\n", NULL },
		{ "VW=a\nWV=b\n", "" },
		{ "if true; then\nV=a\nfi\n", NULL },
		{ "if true; then\nW=a\nfi\nV=b\n", "b" },
		{ "if true; then V=a; fi\n", NULL },
		{ "V=a\nf() {\nV=b\n}\n", NULL },
		{ "V=a\nfor x in 1 2; do\n:\ndone\nV=c\n", "c" },
		{ "V=a\nread V <x\n", NULL },
		{ "V=a\n. ./more\n", NULL },
		{ "V=a\nsource ./more\nV=b\n", "b" },
		{ "V=a\neval \"$x\"\n", NULL },
		{ "V=a\necho done if fi\n", "a" },
		{ "V=a\necho 'V=b\nV=c'\n", NULL },
		{ "V=\"a\n", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct shell_variables variables = { 0 };

		shell_set(&variables, "V", "");
		shell_read(&variables, rows[i].text);
		if (!text_equal(shell_value(&variables, "V"), rows[i].value))
			fail_msg("%s: is %s, not %s", rows[i].text,
				shell_value(&variables, "V") ? shell_value(&variables, "V")
							     : "unknown",
				rows[i].value ? rows[i].value : "unknown");
		shell_variables_free(&variables);
	}
}

static void a_file_of_others_hides_what_is_not_set(void **state UNUSED)
{
	struct shell_variables variables = { 0 };

	shell_read(&variables, ". ./more\nA=1\n");
	assert_string_equal(shell_value(&variables, "A"), "1");
	assert_null(shell_value(&variables, "B"));
	shell_variables_free(&variables);
}

/* A value that doubles with every line, and very many variables. */
static void hostile_texts_end(void **state UNUSED)
{
	memory_cleanup_free char *names = text_copy("");
	struct shell_variables variables = { 0 };

	shell_read(&variables, "V=ab\n");
	for (int i = 0; i < 64; i++)
		shell_read(&variables, "V=\"$V$V\"\n");
	assert_null(shell_value(&variables, "V"));
	for (int i = 0; i < 1000; i++)
		text_append(&names, "N%d=x\n", i);
	shell_read(&variables, names);
	assert_string_equal(shell_value(&variables, "N1"), "x");
	assert_null(shell_value(&variables, "N999"));
	shell_variables_free(&variables);
}

/* Whatever the text, the statements are its lines in their order, and nothing else. */
static void statements_add_up_to_the_text(void **state UNUSED)
{
	static const char *const texts[] = { "", "\n\n", "A=1",
		"A=1\n\n#x\nif a; then\nB=\"c\nd\"\n", "A='\n", "A=\"\\", "A=`", "A=$(", "A=${\n",
		"\\\nA=1\n", "A=1 \\\nB=2\n", "export A=1\t\n", "A=1;B=2\n", "}\nfi\nA=1\n" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct shell_reader reader = { .at = texts[i] };
		struct shell_statement statement;
		const char *at = texts[i];

		while (shell_next(&reader, &statement)) {
			assert_ptr_equal(statement.start, at);
			at += statement.length;
			assert_true(!*at || *at == '\n');
			at += *at == '\n';
		}
		assert_int_equal(*at, '\0');
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_a_shell),
		cmocka_unit_test(a_file_of_others_hides_what_is_not_set),
		cmocka_unit_test(hostile_texts_end),
		cmocka_unit_test(statements_add_up_to_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
