/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/imds_curl.h"

#include "core/base/compiler.h"
#include "core/base/library.h"

/* libcurl has had this name since 2006; Debian's build with GnuTLS has its own. */
LIBRARY_NOTE(imds_curl_note, "imds", "the EC2 instance metadata service", "required",
	"\"libcurl.so.4\",\"libcurl-gnutls.so.4\"");

struct imds_curl curl;

static const struct library_function functions[] = {
#define X(name) { "curl_" #name, offsetof(struct imds_curl, name) },
	IMDS_CURL_FUNCTIONS(X)
#undef X
};

static const struct library library = {
	.title = "libcurl",
	.names = (const char *const[]) { "libcurl.so.4", "libcurl-gnutls.so.4", NULL },
	.functions = functions,
	.count = ARRAY_SIZE(functions),
	.remedy = "the package libcurl4 (Debian, Ubuntu, SUSE) or libcurl (Fedora family)",
};

int imds_curl_load(struct error *err)
{
	return curl.easy_init ? 0 : library_open(&library, &curl, err);
}
