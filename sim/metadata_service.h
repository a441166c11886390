/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The simulated metadata service on a port: a struct metadata behind libmicrohttpd, which is
 * loaded only here. One thread and one poll(2) loop; a request that is held back (latency, hang)
 * costs a descriptor and no time.
 */
#ifndef EC2HIB_SIM_METADATA_SERVICE_H
#define EC2HIB_SIM_METADATA_SERVICE_H

#include <stdbool.h>

#include "sim/metadata.h"
#include "core/base/reporter.h"
#include "core/base/error.h"

/* The port of AWS's own simulated service (amazon-ec2-metadata-mock). */
#define METADATA_SERVICE_PLACE "127.0.0.1:1338"

struct metadata_service;

/*
 * Listens on PLACE, ADDRESS:PORT or [ADDRESS]:PORT in numbers; port 0 takes a free one. METADATA
 * and PROGRESS stay the caller's and must outlive the service; PROGRESS is told each request.
 * -ENOSYS: this build is without it, -ENOENT: libmicrohttpd is not installed, -EINVAL: PLACE is
 * none; others are of socket(2) and bind(2). metadata_service_close() ends it (NULL is fine).
 */
int metadata_service_open(struct metadata_service **service, struct metadata *metadata,
	const char *place, const struct reporter *reporter, struct error *err);
void metadata_service_close(struct metadata_service *service);

/* Where it listens, as PLACE, with the port that it took. */
const char *metadata_service_place(const struct metadata_service *service);

/* True when machines beyond this one's own links may reach it. */
bool metadata_service_is_exposed(const struct metadata_service *service);

/* Serves until the descriptor STOP can be read. 0 or a negative errno. */
int metadata_service_run(struct metadata_service *service, int stop, struct error *err);

#endif
