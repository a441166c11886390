/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words and variables of GRUB's script language (GNU GRUB manual, "Writing full configuration
 * files directly"). Used by boot_grub.c.
 */
#ifndef EC2HIB_FACTS_BOOT_SCRIPT_H
#define EC2HIB_FACTS_BOOT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/text.h"

/* Longer than any kernel command line; a script that doubles a variable ends here. */
#define SCRIPT_WORD_LIMIT 8192

enum token_kind { TOKEN_END, TOKEN_BREAK, TOKEN_WORD };

/* A piece of the text: a word as it is written, or what ends a command (newline or ';'). */
struct token {
	enum token_kind kind;
	const char *start;
	size_t length;
};

/* The token at *AT, which moves behind it. White space and comments are skipped. */
struct token script_token(const char **at);
bool script_token_is(const struct token *token, const char *word);

struct script_variable {
	char *name;
	char *value;
};
struct script_variables {
	struct script_variable *items;
	size_t count;
};

/* Sets NAME; the value set last counts. */
void script_set(struct script_variables *variables, const char *name, const char *value);
/* Sets from "name=value"; anything else does nothing. */
void script_assign(struct script_variables *variables, const char *assignment);
/* The value, "" when it was never set. It stays valid until the variables change. */
const char *script_get(const struct script_variables *variables, const char *name);
/* Forgets all that was set after there were COUNT. */
void script_forget(struct script_variables *variables, size_t count);
void script_variables_free(struct script_variables *variables);
/* Sets all of a GRUB environment block, which may be NULL. */
void script_load_environment(struct script_variables *variables, const char *environment);

/*
 * A word as written, with quotes taken off and variables replaced; with PLAIN quotes mean nothing,
 * only variables do. The caller frees it.
 */
char *script_expand(
	const struct script_variables *variables, const char *text, size_t length, bool plain);

#endif
