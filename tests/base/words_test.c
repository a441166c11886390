/* SPDX-License-Identifier: GPL-3.0-or-later */
/* core/base/words: what a person types at the prompt of ec2hib shell. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/words.h"

static void line_is_cut_as_a_shell_does(void **state UNUSED)
{
	static const struct {
		const char *line;
		const char *words; /* with | between them */
	} cases[] = {
		{ "", "" },
		{ "  \t ", "" },
		{ "status", "status" },
		{ "  status  -v\tswap-size\r\n", "status|-v|swap-size" },
		{ "status --from 'a b' \"c d\" e\\ f", "status|--from|a b|c d|e f" },
		{ "a'b'\"c\"d", "abcd" },
		{ "'' \"\"", "|" },
		{ "'a\\b' \"a\\b\" \"a\\\"b\\\\\" a\\b", "a\\b|a\\b|a\"b\\|ab" },
		{ "'#' # all of this is a comment 'open", "#" },
		{ "# nothing", "" },
		{ "a#b \\#c", "a#b|#c" },
		{ "--set spot=\"a;b\" 'x|y' c\\>d", "--set|spot=a;b|x|y|c>d" },
		{ "~ ~/x a~ '~' \\~/y ~user", "/home/u|/home/u/x|a~|~|~/y|~user" },
		{ "$HOME *.c `x`", "$HOME|*.c|`x`" },
		{ "\"a'b\" 'c\"d'", "a'b|c\"d" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		strings_cleanup struct strings words = { 0 };
		memory_cleanup_free char *joined = NULL;
		struct error err = { "" };

		assert_int_equal(words_split(&words, cases[i].line, "/home/u", &err), 0);
		joined = strings_join(&words, "|");
		assert_string_equal(joined ? joined : "", cases[i].words);
	}
}

static void what_is_not_understood_is_an_error(void **state UNUSED)
{
	static const struct {
		const char *line;
		const char *text;
	} cases[] = {
		{ "status 'swap", "the quote ' is not closed" },
		{ "status \"swap", "the quote \" is not closed" },
		{ "status \\", "there is nothing after the backslash" },
		{ "status | less", "| means nothing here; quote it, or use your own shell" },
		{ "status > x", "> means nothing here; quote it, or use your own shell" },
		{ "status; setup", "; means nothing here; quote it, or use your own shell" },
		{ "watch &", "& means nothing here; quote it, or use your own shell" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		strings_cleanup struct strings words = { 0 };
		struct error err = { "" };

		assert_int_equal(words_split(&words, cases[i].line, NULL, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].text);
	}
}

static void word_that_is_being_typed_is_the_last(void **state UNUSED)
{
	static const struct {
		const char *line; /* the cursor is at the bar */
		const char *words;
	} cases[] = {
		{ "|", "" },
		{ "st|atus", "st" },
		{ "status |", "status/" },
		{ "status 'a b|", "status/a b" },
		{ "status \"|", "status/" },
		{ "status a\\ b|", "status/a b" },
		{ "status a\\|", "status/a" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		strings_cleanup struct strings words = { 0 };
		memory_cleanup_free char *joined = NULL;

		assert_true(words_split_begun(&words, cases[i].line,
			(size_t)(strchr(cases[i].line, '|') - cases[i].line), NULL));
		joined = strings_join(&words, "/");
		assert_string_equal(joined ? joined : "", cases[i].words);
	}
	{
		strings_cleanup struct strings words = { 0 };

		assert_false(words_split_begun(&words, "status # st", 11, NULL));
	}
}

/* What is quoted, typed in that place, is the text again. */
static void quoted_text_is_the_text_again(void **state UNUSED)
{
	static const char *const texts[] = { "plain", "a b", "it's", "say \"x\"", "back\\slash",
		"#x", "~", "a;b|c&d<e>f", "$x`y", " " };
	static const char quotes[] = { 0, '\'', '"' };

	for (size_t i = 0; i < ARRAY_SIZE(texts) * ARRAY_SIZE(quotes); i++) {
		const char *text = texts[i / ARRAY_SIZE(quotes)];
		char quote[] = { quotes[i % ARRAY_SIZE(quotes)], '\0' };
		memory_cleanup_free char *typed = words_quote(text, *quote);
		memory_cleanup_free char *again = words_unquote(typed, *quote);
		memory_cleanup_free char *line = text_format("%s%s%s", quote, typed, quote);
		strings_cleanup struct strings words = { 0 };
		struct error err = { "" };

		assert_string_equal(again, text);
		assert_int_equal(words_split(&words, line, "/home/u", &err), 0);
		assert_int_equal(words.count, 1);
		assert_string_equal(words.items[0], text);
	}
}

static void words_are_appended_as_a_shell_wants_them(void **state UNUSED)
{
	static const char *const texts[] = { "plain", "--at=1,2", "", "a b", "it's", "$x", "#x" };
	memory_cleanup_free char *line = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		words_append(&line, texts[i]);
	assert_string_equal(line, "plain --at=1,2 '' 'a b' 'it'\\''s' '$x' '#x'");
}

static void quoted_characters_are_known_by_their_place(void **state UNUSED)
{
	assert_false(words_is_quoted("a b", 1));
	assert_true(words_is_quoted("a\\ b", 2));
	assert_false(words_is_quoted("a\\\\ b", 3));
	assert_true(words_is_quoted("'a b'", 2));
	assert_true(words_is_quoted("\"a b\"", 2));
	assert_false(words_is_quoted("'a' b", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_is_cut_as_a_shell_does),
		cmocka_unit_test(what_is_not_understood_is_an_error),
		cmocka_unit_test(word_that_is_being_typed_is_the_last),
		cmocka_unit_test(quoted_text_is_the_text_again),
		cmocka_unit_test(words_are_appended_as_a_shell_wants_them),
		cmocka_unit_test(quoted_characters_are_known_by_their_place),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
