/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#ifdef HAVE_MICROHTTPD
#include "sim/metadata_mhd.h"

#include "core/base/compiler.h"
#include "core/base/library.h"

/* The name since 0.9.56, of 2017; 1.0 has it, too. */
LIBRARY_NOTE(metadata_mhd_note, "imds-serve", "a simulated metadata service, for rehearsal",
	"suggested", "\"libmicrohttpd.so.12\"");

struct metadata_mhd mhd;

static const struct library_function functions[] = {
#define X(name) { "MHD_" #name, offsetof(struct metadata_mhd, name) },
	METADATA_MHD_FUNCTIONS(X)
#undef X
};

static const struct library library = {
	.title = "libmicrohttpd",
	.names = (const char *const[]) { "libmicrohttpd.so.12", NULL },
	.functions = functions,
	.count = ARRAY_SIZE(functions),
	.remedy =
		"the package libmicrohttpd12 (Debian, Ubuntu, SUSE) or libmicrohttpd (Fedora family)",
};

int metadata_mhd_load(struct error *err)
{
	return mhd.start_daemon ? 0 : library_open(&library, &mhd, err);
}
#endif
