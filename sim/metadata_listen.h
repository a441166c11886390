/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the simulated metadata service listens, and who asks. */
#ifndef EC2HIB_SIM_METADATA_LISTEN_H
#define EC2HIB_SIM_METADATA_LISTEN_H

#include <stdbool.h>

#include "core/base/error.h"

/* A bound and listening socket for ADDRESS:PORT, or a negative errno; see metadata_service_open(). */
int metadata_listen(const char *place, struct error *err);

/* Where the socket is bound: ADDRESS:PORT; the caller frees it. */
char *metadata_listen_place(int fd);

/* True when it is bound to neither a loopback nor a link-local address. */
bool metadata_listen_is_exposed(int fd);

/* True when the other end of a connection is this machine itself. */
bool metadata_peer_is_own(int fd);

#endif
