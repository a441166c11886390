/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/readline_library.h"

#include "core/base/compiler.h"
#include "core/base/library.h"

LIBRARY_NOTE(readline_note, "shell", "the prompt of ec2hib shell", "suggested",
	"\"libreadline.so.8\",\"libreadline.so.7\"");

struct readline_library lib;

static const struct library_function names[] = {
#define X(name) { #name, offsetof(struct readline_library, name) },
	READLINE_NAMES(X)
#undef X
};

static const struct library library = {
	.title = "libreadline",
	.names = (const char *const[]) { "libreadline.so.8", "libreadline.so.7", NULL },
	.functions = names,
	.count = ARRAY_SIZE(names),
	.remedy = "the package libreadline8 (Debian, Ubuntu, SUSE) or readline (Fedora family)",
};

int readline_load(struct error *err)
{
	return lib.rl_point ? 0 : library_open(&library, &lib, err);
}
