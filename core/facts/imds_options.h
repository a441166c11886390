/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the metadata service is, and how patient to be: what the environment says.
 *
 * Sources: "IMDS credential provider" and "Amazon EC2 instance metadata" in the AWS SDKs and Tools
 * Reference Guide.
 */
#ifndef EC2HIB_FACTS_IMDS_OPTIONS_H
#define EC2HIB_FACTS_IMDS_OPTIONS_H

#include <stdbool.h>

#include "core/base/error.h"

#define IMDS_ENDPOINT_IPV4 "http://169.254.169.254"
#define IMDS_ENDPOINT_IPV6 "http://[fd00:ec2::254]"

#define IMDS_TIMEOUT_MS 1000
#define IMDS_ATTEMPTS	3
/* What all requests of one call may take beyond the time limit of one. */
#define IMDS_TOTAL_EXTRA_MS 500

/*
 * How to reach the service; all zero is the standard. The endpoint is borrowed until
 * imds_open() has copied it.
 */
struct imds_options {
	const char *endpoint; /* URL without /latest; NULL: the standard one of the family */
	bool ipv6;	      /* which standard endpoint */
	bool disabled;	      /* never ask: AWS_EC2_METADATA_DISABLED */
	bool v1_disabled;     /* never ask without a token: AWS_EC2_METADATA_V1_DISABLED */
	unsigned timeout_ms;  /* of one attempt; 0: IMDS_TIMEOUT_MS */
	unsigned attempts;    /* at one request; 0: IMDS_ATTEMPTS */
	/*
	 * Of one imds_get_all() with all its attempts. 0: timeout_ms for each of the
	 * attempts that were asked for (one, when attempts is 0), and
	 * IMDS_TOTAL_EXTRA_MS: 1.5 s as standard.
	 */
	unsigned total_ms;
	/*
	 * A service that is slow for good: the time limit of one attempt grows to this, and comes
	 * back when the answers do. 0: it stays as it is.
	 */
	unsigned patience_ms;
};

/* A variable's value, NULL when it is not set: getenv(3), or a test's own. */
typedef char *imds_lookup(const char *name);

/*
 * Fills what the environment variables of the AWS SDKs say:
 *	AWS_EC2_METADATA_DISABLED		true or false; no SDK asks when it is true
 *	AWS_EC2_METADATA_V1_DISABLED		true or false
 *	AWS_EC2_METADATA_SERVICE_ENDPOINT	URL; an empty variable counts as not set
 *	AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE	IPv4 or IPv6, in any case
 *	AWS_METADATA_SERVICE_TIMEOUT		seconds, decimals allowed, 0.001 to 3600
 *	AWS_METADATA_SERVICE_NUM_ATTEMPTS	1 to 100
 * An endpoint that is set already has priority over the variable (and, as in the SDKs, over the
 * mode). -EINVAL names the variable and the value. The endpoint stays the lookup's.
 */
int imds_options_read(struct imds_options *options, imds_lookup *lookup, struct error *err);

/* 0 when URL can be an endpoint: http or https, a host, and no user, query or fragment. */
int imds_endpoint_check(const char *url, struct error *err);

#endif
