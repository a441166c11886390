/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What EC2 asks of an instance. The limits are those of AWS's hibernation guide. */
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/device.h"
#include "core/rules/checks_parts.h"
#include "core/rules/instance_types.h"

#define FIPS_KERNEL "5.10"

#define FIX_TYPES "aws ec2 describe-instance-types --filters Name=hibernation-supported,Values=true"

/* What became of the question to the metadata service, which the reason may name itself. */
static char *no_answer(const struct facts *facts)
{
	const char *why = facts->instance.id.why;

	if (!why)
		return text_copy("the metadata service gave no instance id");
	if (strstr(why, "the metadata service"))
		return text_copy(why);
	return text_format("the metadata service did not answer: %s", why);
}

/* Off EC2 a service that does not answer is not a fault, but it is said. */
CHECK_FUNCTION(metadata_service)
{
	const struct fact_text *id = &facts->instance.id;
	memory_cleanup_free char *why = no_answer(facts);

	if (id->is == FACT_KNOWN)
		return finding_pass("the metadata service answers for %s", id->value);
	if (platform_of(facts) != PLATFORM_EC2)
		return finding_unknown("%s", why);
	return finding_warn("aws ec2 modify-instance-metadata-options --http-endpoint enabled",
		"no notice can be read: %s", why);
}

/* A Spot request can ask for hibernation without it. */
CHECK_FUNCTION(hibernation_configured)
{
	const struct instance_facts *instance = &facts->instance;
	struct finding finding;

	if (not_ec2(facts, &finding))
		return finding;
	if (instance->hibernation_configured.is == FACT_UNKNOWN) {
		finding_gap(&finding, NEED(facts->instance.hibernation_configured));
		return finding;
	}
	if (fact_is_true(&instance->hibernation_configured))
		return finding_pass("hibernation was enabled at launch");
	if (fact_text_is(&instance->life_cycle, "spot"))
		return finding_warn(NULL,
			"hibernation was not enabled at launch: EC2 hibernates this Spot instance only if its request has the interruption behavior hibernate");
	return finding_fail("launch a new instance with --hibernation-options Configured=true",
		"hibernation was not enabled at launch: EC2 will not hibernate this instance, and that cannot be changed later");
}

CHECK_FUNCTION(instance_memory)
{
	const struct fact_text *type = &facts->instance.type;
	uint64_t total = facts->memory.total.value, least;
	memory_cleanup_free char *text = size_format(total);
	struct finding finding;

	if (not_ec2(facts, &finding) || finding_gap(&finding, NEED(facts->memory.total)))
		return finding;
	if (total > INSTANCE_MEMORY_MAX_GIB * GIB)
		return finding_fail("use a smaller instance type",
			"%s of memory: EC2 hibernates instances with at most %d GiB", text,
			INSTANCE_MEMORY_MAX_GIB);
	if (finding_gap(&finding, NEED(facts->instance.type)))
		return finding;
	least = instance_type_memory_min(type->value);
	if (total < least)
		return finding_warn("use a type with 1 GiB of memory or more",
			"%s of memory: AWS advises at least 1 GiB to hibernate T3 and T3a", text);
	return finding_pass("%s of memory, %d GiB at most", text, INSTANCE_MEMORY_MAX_GIB);
}

CHECK_FUNCTION(instance_bare_metal)
{
	const char *type = facts->instance.type.value;
	struct finding finding;

	if (not_ec2(facts, &finding) || finding_gap(&finding, NEED(facts->instance.type)))
		return finding;
	if (instance_type_is_bare_metal(type))
		return finding_fail("use a type that is not bare metal",
			"%s is bare metal, which EC2 does not hibernate", type);
	return finding_pass("%s is not bare metal", type);
}

CHECK_FUNCTION(instance_family)
{
	const char *type = facts->instance.type.value;
	struct finding finding;

	if (not_ec2(facts, &finding) || finding_gap(&finding, NEED(facts->instance.type)))
		return finding;
	switch (instance_type_hibernates(type)) {
	case TYPE_HIBERNATES:
		return finding_pass("EC2 hibernates %s (list of %s)", type, instance_types_date());
	case TYPE_DOES_NOT:
		return finding_fail(FIX_TYPES, "EC2 does not hibernate %s (list of %s)", type,
			instance_types_date());
	case TYPE_NOT_KNOWN:
		break;
	}
	return finding_warn(FIX_TYPES,
		"%s is not in the list of instance types of %s: EC2 may not hibernate it", type,
		instance_types_date());
}

CHECK_FUNCTION(instance_fips)
{
	const struct kernel_facts *kernel = &facts->kernel;
	struct finding finding;

	if (kernel->fips.is == FACT_ABSENT || fact_is_false(&kernel->fips))
		return finding_pass("FIPS mode is off");
	if (not_ec2(facts, &finding) ||
		finding_gap(&finding, NEED(facts->kernel.fips), NEED(facts->kernel.release)))
		return finding;
	if (version_compare(kernel->release.value, FIPS_KERNEL) < 0)
		return finding_fail("boot a kernel of " FIPS_KERNEL " or later",
			"FIPS mode with kernel %s: hibernation needs " FIPS_KERNEL " or later",
			kernel->release.value);
	return finding_pass(
		"FIPS mode with kernel %s, " FIPS_KERNEL " or later", kernel->release.value);
}

/*
 * A warm pool hibernates its own instances, and one that is detached or in standby is
 * left alone (Amazon EC2 Auto Scaling User Guide, "Warm pools", "Temporarily removing
 * instances").
 */
CHECK_FUNCTION(auto_scaling)
{
	const struct fact_text *state = &facts->instance.target_lifecycle_state;
	struct finding finding;

	if (not_ec2(facts, &finding))
		return finding;
	if (state->is == FACT_ABSENT || fact_text_is(state, "Detached"))
		return finding_pass("in no Auto Scaling group");
	if (finding_gap(&finding, NEED(facts->instance.target_lifecycle_state)))
		return finding;
	if (text_starts(state->value, "Warmed:"))
		return finding_pass(
			"in a warm pool (%s): Auto Scaling itself hibernates it", state->value);
	if (strcmp(state->value, "Standby") == 0)
		return finding_pass("in an Auto Scaling group, but in standby");
	return finding_fail("aws autoscaling detach-instances",
		"in an Auto Scaling group (%s): the group would take a hibernated instance for broken and terminate it",
		state->value);
}

static const char *volume_of(const struct facts *facts)
{
	const struct device_facts *disk = devices_next_leaf(&facts->root.devices, NULL);

	return disk ? fact_text_or(&disk->serial, "a volume") : "a volume";
}

CHECK_FUNCTION(root_volume)
{
	const struct fact_text *medium = &facts->root.medium;
	struct finding finding;

	if (fact_text_is(medium, MEDIUM_INSTANCE_STORE))
		return finding_fail("launch from an AMI whose root is on EBS",
			"the root file system is on instance store, which is lost when the instance hibernates");
	if (fact_text_is(medium, MEDIUM_EBS))
		return finding_pass(
			"the root file system is on EBS (%s); whether it is encrypted cannot be seen from inside",
			volume_of(facts));
	if (not_ec2(facts, &finding) || finding_gap(&finding, NEED(facts->root.medium)))
		return finding;
	return finding_unknown(
		"the disk of the root file system does not say whether it is EBS or instance store");
}

/* ---- The table: what status, the dashboard and the manual say of each check ---- */

/* clang-format off */
static const struct check checks[] = {
	{ "metadata-service", "metadata service",
		"EC2 announces Spot interruptions in the instance metadata service, and only there can an instance see whether it was launched with hibernation enabled. Off EC2 nobody answers; that is no obstacle to hibernating.",
		LIVE, .evaluate = check_metadata_service },
	{ "hibernation-configured", "hibernation enabled at launch",
		"EC2 hibernates only instances that were launched with hibernation enabled. It cannot be switched on later, neither on a running nor on a stopped instance.",
		LIVE, VITAL, GATES, .evaluate = check_hibernation_configured },
	{ "instance-memory", "memory within EC2's limits",
		"EC2 hibernates Linux instances with at most 150 GiB of memory, and AWS advises at least 1 GiB for T3 and T3a.",
		LIVE, GATES, .evaluate = check_instance_memory },
	{ "instance-bare-metal", "not bare metal",
		"EC2 does not hibernate bare metal instances.",
		LIVE, GATES, .evaluate = check_instance_bare_metal },
	{ "instance-family", "instance type",
		"EC2 hibernates certain instance types, and not every size of a family. The list that ec2hib carries has a date, and types are added all the time: ask EC2 when yours is not in it.",
		LIVE, GATES, .evaluate = check_instance_family },
	{ "instance-fips", "FIPS mode",
		"In FIPS mode EC2 supports hibernation with kernel 5.10 or later.",
		LIVE, .evaluate = check_instance_fips },
	{ "auto-scaling", "Auto Scaling",
		"An Auto Scaling group takes an instance that is hibernated for unhealthy, terminates it and starts another: what was in memory is lost. Only a warm pool hibernates its instances itself.",
		LIVE, .evaluate = check_auto_scaling },
	{ "root-volume", "root file system on EBS",
		"The image is written to the root volume, which has to be an encrypted EBS volume. Instance store is lost when an instance is hibernated. From inside the instance encryption cannot be seen: aws ec2 describe-volumes tells.",
		LIVE, REFUSES, GATES, .evaluate = check_root_volume },
};
/* clang-format on */
const struct check_group instance_checks = { "instance", checks, ARRAY_SIZE(checks) };
