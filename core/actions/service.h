/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Services: systemctl(1) where systemd is the init, elsewhere the scripts of System V with
 * chkconfig or update-rc.d. In an image a service can be enabled and disabled; nothing of it runs.
 */
#ifndef EC2HIB_ACTIONS_SERVICE_H
#define EC2HIB_ACTIONS_SERVICE_H

#include <stdbool.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/facts/facts.h"

/* Who manages the services of a root. */
struct services {
	const struct root *root;
	bool systemd;
};

struct services services_of(const struct root *root, const struct facts *facts);

/*
 * Each is done at once when it is done already. NAME is without ".service". 0 or what process_run()
 * says; -ENOENT also when there is nothing that could do it.
 */
int service_enable(const struct services *services, const char *name, struct error *err);
int service_disable(const struct services *services, const char *name, struct error *err);

/*
 * The same, and no trace is left: chkconfig and update-rc.d otherwise keep links that say "off".
 * For what service_enable() was the first to enable.
 */
int service_forget(const struct services *services, const char *name, struct error *err);

/* Of the running machine only; they wait until it is done, at most SERVICE_TIMEOUT_MS. */
#define SERVICE_TIMEOUT_MS (2 * 60 * 1000)
int service_start(const struct services *services, const char *name, struct error *err);
int service_stop(const struct services *services, const char *name, struct error *err);
int service_restart(const struct services *services, const char *name, struct error *err);

/* Sends SIGHUP to the main process; systemd only. */
int service_hang_up(const struct services *services, const char *name, struct error *err);

#endif
