/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The functions of libcurl that the metadata client uses, loaded with the first client. */
#ifndef EC2HIB_FACTS_IMDS_CURL_H
#define EC2HIB_FACTS_IMDS_CURL_H

#include <curl/curl.h>

#include "core/base/error.h"

/* In curl.h some of these are macros around the functions, which would hide what is meant here. */
#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt

/* clang-format off */
#define IMDS_CURL_FUNCTIONS(X)                                                                 \
	X(easy_cleanup) X(easy_getinfo) X(easy_init) X(easy_setopt) X(easy_strerror)           \
	X(global_cleanup) X(global_init)                                                       \
	X(multi_add_handle) X(multi_cleanup) X(multi_info_read) X(multi_init)   \
	X(multi_perform) X(multi_remove_handle) X(multi_setopt) X(multi_wait) \
	X(slist_append) X(slist_free_all)
/* clang-format on */

struct imds_curl {
#define X(name) __typeof__(curl_##name) *name;
	IMDS_CURL_FUNCTIONS(X)
#undef X
};

/* Filled by imds_curl_load(). */
extern struct imds_curl curl;

/* Loads libcurl unless it is there; -ENOENT when it is not installed. */
int imds_curl_load(struct error *err);

#endif
