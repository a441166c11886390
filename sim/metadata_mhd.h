/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The functions of libmicrohttpd that the simulated service uses, loaded when it starts. */
#ifndef EC2HIB_SIM_METADATA_MHD_H
#define EC2HIB_SIM_METADATA_MHD_H

#include <microhttpd.h>

#include "core/base/error.h"

/* Some functions return what became an enum in 0.9.71. */
#if MHD_VERSION < 0x00097002
#define MHD_RESULT int
#else
#define MHD_RESULT enum MHD_Result
#endif

/* clang-format off */
#define METADATA_MHD_FUNCTIONS(X)                                                              \
	X(add_response_header) X(create_response_from_buffer)                                  \
	X(create_response_from_callback) X(destroy_response) X(get_connection_info)            \
	X(get_daemon_info) X(get_timeout) X(lookup_connection_value) X(queue_response)         \
	X(resume_connection) X(run) X(start_daemon) X(stop_daemon) X(suspend_connection)
/* clang-format on */

struct metadata_mhd {
#define X(name) __typeof__(MHD_##name) *name;
	METADATA_MHD_FUNCTIONS(X)
#undef X
};

/* Filled by metadata_mhd_load(). */
extern struct metadata_mhd mhd;

/* Loads libmicrohttpd unless it is there; -ENOENT when it is not installed. */
int metadata_mhd_load(struct error *err);

#endif
