/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/curl.h"

#include "core/base/compiler.h"
#include "core/base/library.h"

/* libcurl has had this name since 2006; Debian's build with GnuTLS has its own. */
LIBRARY_NOTE(curl_note, "imds", "the EC2 instance metadata service", "required",
	"\"libcurl.so.4\",\"libcurl-gnutls.so.4\"");

struct curl_functions curl;

static const struct library_function functions[] = {
#define X(name) { "curl_" #name, offsetof(struct curl_functions, name) },
	CURL_FUNCTIONS(X)
#undef X
};

static const struct library library = {
	.title = "libcurl",
	.names = (const char *const[]) { "libcurl.so.4", "libcurl-gnutls.so.4", NULL },
	.functions = functions,
	.count = ARRAY_SIZE(functions),
	.remedy = "the package libcurl4 (Debian, Ubuntu, SUSE) or libcurl (Fedora family)",
};

int curl_load(struct error *err)
{
	return curl.easy_init ? 0 : library_open(&library, &curl, err);
}
