/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The functions of libcurl that are used here, loaded by the first who needs one. */
#ifndef EC2HIB_BASE_CURL_H
#define EC2HIB_BASE_CURL_H

#include <curl/curl.h>

#include "core/base/error.h"

/* In curl.h some of these are macros around the functions, which would hide what is meant here. */
#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt

/* clang-format off */
#define CURL_FUNCTIONS(X)                                                                 \
	X(easy_cleanup) X(easy_getinfo) X(easy_init) X(easy_setopt) X(easy_strerror)           \
	X(global_cleanup) X(global_init)                                                       \
	X(multi_add_handle) X(multi_cleanup) X(multi_info_read) X(multi_init)   \
	X(multi_perform) X(multi_remove_handle) X(multi_setopt) X(multi_wait) \
	X(slist_append) X(slist_free_all)
/* clang-format on */

struct curl_functions {
#define X(name) __typeof__(curl_##name) *name;
	CURL_FUNCTIONS(X)
#undef X
};

/* Filled by curl_load(). */
extern struct curl_functions curl;

/* Loads libcurl unless it is there; -ENOENT when it is not installed. */
int curl_load(struct error *err);

#endif
