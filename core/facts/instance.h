/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the metadata service says about the EC2 instance that we run on. */
#ifndef EC2HIB_FACTS_INSTANCE_H
#define EC2HIB_FACTS_INSTANCE_H

#include "core/facts/facts.h"
#include "core/facts/imds.h"

/*
 * Fills all of FACTS with one connection's requests. It cannot fail: what the service
 * does not say, or says in a form that it cannot have, is unknown with the reason; all of
 * it is, with one reason, when the service cannot be reached or must not be asked. Absent
 * are only items that a real service may lack (404 from one that knows the instance's
 * id): no life cycle, no word about hibernation, in no Auto Scaling group. Takes at most
 * the time that OPTIONS allow.
 *
 * Source: "Instance metadata categories" and "Instance identity documents", EC2 User
 * Guide; "Retrieve the target lifecycle state through instance metadata", EC2 Auto
 * Scaling User Guide.
 */
void instance_gather(struct instance_facts *facts, const struct imds_options *options);

#endif
