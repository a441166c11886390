/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Libraries that only some commands need are loaded when they are needed: libcurl alone brings some
 * thirty others with it, which would cost every start more time than most commands take.
 *
 * LIBRARY_NOTE leaves a note about such a library in the program, by which packaging tools find
 * the dependency as they find the linked ones (https://systemd.io/ELF_DLOPEN_METADATA).
 */
#ifndef EC2HIB_BASE_LIBRARY_H
#define EC2HIB_BASE_LIBRARY_H

#include <stddef.h>

#include "core/base/error.h"

struct library_function {
	const char *name;
	size_t offset; /* of a function pointer in the struct that library_open() fills */
};

struct library {
	const char *title;	  /* "libcurl" */
	const char *const *names; /* sonames, NULL at the end; the first one found is used */
	const struct library_function *functions;
	size_t count;
	const char *remedy; /* what to install, for the error */
};

/*
 * Loads the library and fills FUNCTIONS, a struct of function pointers. It stays loaded: libraries
 * with threads or exit handlers of their own do not like to go. -ENOENT: not installed; -ENOSYS: it
 * lacks a function.
 */
int library_open(const struct library *library, void *functions, struct error *err);

/*
 * SONAMES as in JSON: "\"libfoo.so.1\", \"libfoo.so.0\"". PRIORITY: required, recommended or
 * suggested.
 */
#define LIBRARY_NOTE(symbol, feature, description, priority, sonames)                              \
	LIBRARY_NOTE_TEXT(symbol, "[{\"feature\":\"" feature "\",\"description\":\"" description   \
				  "\",\"priority\":\"" priority "\",\"soname\":[" sonames "]}]")

#define LIBRARY_NOTE_TEXT(symbol, json)                                                            \
	__attribute__((used, section(".note.dlopen"), aligned(4))) static const struct {           \
		unsigned name_size, text_size, type;                                               \
		char name[4];                                                                      \
		_Alignas(4) char text[sizeof(json)];                                               \
	} symbol = { 4, sizeof(json), 0x407c0c0a, "FDO", json }

#endif
