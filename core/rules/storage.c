/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rules/storage.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#define FIX_EBS "use a swap area on EBS"
#define FIX_PLAIN                                                                                  \
	"use a swap file on an ordinary file system (ec2hib setup --swapfile), or a partition or logical volume (ec2hib setup --swap-device)"
#define FIX_FILESYSTEM                                                                             \
	"give setup a file on ext4, xfs or btrfs (--swapfile), or a device (--swap-device)"

void obstacle_free(struct obstacle *obstacle)
{
	free(obstacle->text);
	free(obstacle->fix);
	*obstacle = (struct obstacle) { 0 };
}

static bool obstacle_set(struct obstacle *obstacle, char *text, const char *fix)
{
	*obstacle = (struct obstacle) { text, text_copy(fix) };
	return true;
}

static const char *area_name(const struct area_facts *area)
{
	return fact_text_or(&area->path, "the swap area");
}

/* ---- The file system ---- */

/* They lie on a block device, but nobody can make a swap file on them. */
static const char *const read_only_types[] = { "squashfs", "erofs", "iso9660", "udf", "cramfs" };

bool storage_refuses_file(const struct facts *facts, struct obstacle *obstacle)
{
	const struct area_facts *area = &facts->area;
	const char *type = fact_text_or(&area->filesystem, "a file system without a device");
	const char *point = fact_text_or(&area->mount_point, area_name(area));

	if (!fact_is_true(&facts->live) || fact_text_is(&area->kind, "device"))
		return false;
	if (area->devices.is == FACT_ABSENT)
		return obstacle_set(obstacle,
			text_format(
				"%s is %s, which cannot hold a swap file: it lies on no block device",
				point, type),
			FIX_FILESYSTEM);
	for (size_t i = 0; i < ARRAY_SIZE(read_only_types); i++)
		if (strcmp(type, read_only_types[i]) == 0)
			return obstacle_set(obstacle,
				text_format("%s is %s, which cannot hold a swap file", point, type),
				FIX_FILESYSTEM);
	if (fact_number_or(&area->filesystem_devices, 1) > 1)
		return obstacle_set(obstacle,
			text_format(
				"%s is btrfs on %llu devices, which cannot hold a swap file to hibernate to: a resume offset counts from the start of one",
				point, (unsigned long long)area->filesystem_devices.value),
			FIX_FILESYSTEM);
	if (area->kind.is == FACT_ABSENT && fact_is_true(&area->filesystem_read_only))
		return obstacle_set(obstacle,
			text_format(
				"%s is mounted read-only: no swap file can be made on it", point),
			FIX_FILESYSTEM);
	return false;
}

/* ---- The devices ---- */

/* Its records change while the image is written, and the image holds them as they were before. */
#define OWN_RECORDS                                                                                \
	"its records of what lies where change while the image is written, and the resumed kernel would have the old ones"

static const struct fault {
	const char *value; /* of the fact */
	const char *what;
	const char *fix;
} bad_media[] = {
	{ MEDIUM_INSTANCE_STORE, "is instance store: the image would be lost", FIX_EBS },
	{ MEDIUM_ZRAM, "is memory: the image would be lost", FIX_EBS },
	{ MEDIUM_MEMORY, "is memory: the image would be lost", FIX_EBS },
	{ MEDIUM_NETWORK,
		"is reached over the network: the next boot looks for the image before it has one",
		FIX_EBS },
}, bad_kinds[] = {
	{ KIND_LOOP,
		"is a loop device: nothing attaches it before the next boot looks for the image",
		FIX_PLAIN },
	{ KIND_ZVOL, "is a volume of ZFS: " OWN_RECORDS, FIX_PLAIN },
	{ KIND_BCACHE, "is a bcache device: " OWN_RECORDS, FIX_PLAIN },
	{ KIND_CACHE, "is an LVM cache: " OWN_RECORDS, FIX_PLAIN },
	{ KIND_THIN_POOL, "is a thin pool: " OWN_RECORDS, FIX_PLAIN },
	{ KIND_SNAPSHOT, "is an LVM snapshot: " OWN_RECORDS, FIX_PLAIN },
	{ KIND_VDO, "is a VDO volume: " OWN_RECORDS, FIX_PLAIN },
}, random_key = {
	NULL,
	"has a key that is new at every boot: the image could not be read",
	"use a swap area whose key stays the same",
};

static const struct fault *fault_of(
	const struct fault *faults, size_t count, const struct fact_text *fact)
{
	for (size_t i = 0; i < count; i++)
		if (fact_text_is(fact, faults[i].value))
			return &faults[i];
	return NULL;
}

/*
 * The kernel names the file of every loop device that is attached. Where it does not, the file
 * system can hardly lie on that device; but who asks for a loop device gets none.
 */
static bool is_harmless_loop(const struct facts *facts, const struct device_facts *device)
{
	return fact_text_is(&device->kind, KIND_LOOP) && device->backing_file.is != FACT_KNOWN &&
	       !fact_text_is(&facts->area.kind, "device");
}

/*
 * "/swap is on dm-0 (vg-swap), which", or "/dev/loop3" alone where DEVICE is just that. The caller
 * frees it.
 */
static char *subject_of(const struct area_facts *area, const struct device_facts *device)
{
	const char *name = fact_text_or(&device->name, "its disk");
	memory_cleanup_free char *path = text_format("/dev/%s", name);

	if (strcmp(path, area_name(area)) == 0)
		return text_copy(path);
	if (device->mapper.is == FACT_KNOWN)
		return text_format(
			"%s is on %s (%s), which", area_name(area), name, device->mapper.value);
	return text_format("%s is on %s, which", area_name(area), name);
}

bool storage_loses_image(const struct facts *facts, struct obstacle *obstacle)
{
	const struct area_facts *area = &facts->area;
	const struct device_facts *device = area->devices.items;

	if (!fact_is_true(&facts->live))
		return false;
	for (size_t i = 0; i < area->devices.count; i++, device++) {
		memory_cleanup_free char *subject = subject_of(area, device);
		const struct fault *fault =
			fault_of(bad_media, ARRAY_SIZE(bad_media), &device->medium);

		if (fact_is_true(&device->random_key))
			fault = &random_key;
		else if (!fault && !is_harmless_loop(facts, device))
			fault = fault_of(bad_kinds, ARRAY_SIZE(bad_kinds), &device->kind);
		if (fault)
			return obstacle_set(
				obstacle, text_format("%s %s", subject, fault->what), fault->fix);
	}
	return false;
}
