/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may come from the metadata service, and what may be asked of it. Pure functions.
 */
#ifndef EC2HIB_FACTS_IMDS_TEXT_H
#define EC2HIB_FACTS_IMDS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * UTF-8 without control characters (C0, DEL, C1), except tab and line ends: it may be
 * shown on a terminal. A NUL is a control character, too, so that the text is as long as
 * it seems.
 */
bool imds_text_valid(const char *body, size_t size);

/* A token goes into a header line: nothing but visible ASCII, so that it cannot add
 * another. */
bool imds_token_valid(const char *body, size_t size);

/*
 * What may stand in a URL's path, not empty and without a slash in front. No folder without a name,
 * "." or "..", also not in hexadecimal: the service may take such a path for another one.
 */
bool imds_path_valid(const char *path);

#endif
