/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control path of ec2hib imds serve, for tools and tests in C. */
#ifndef EC2HIB_TESTS_CONTROL_H
#define EC2HIB_TESTS_CONTROL_H

#include <stddef.h>

/*
 * Sends METHOD /control/PATH with BODY to ADDRESS (127.0.0.1:PORT), on a connection of its own. The
 * answer with its headers, until the next call; NULL: there is none.
 */
const char *control_ask(
	const char *address, const char *method, const char *path, const char *body);

#endif
