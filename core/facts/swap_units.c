/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/swap_units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/area.h"
#include "core/facts/device_name.h"

/* Where units are that last beyond a boot; the first folder that has a name counts. */
static const char *const folders[] = { "/etc/systemd/system.control", "/etc/systemd/system",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system" };

/* ---- One unit ---- */

/* The path of the file that counts; NULL: there is none. *MASKED: it only keeps others away. */
static char *unit_file(const struct root *root, const char *name, bool *masked)
{
	*masked = false;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char *path = text_format("%s/%s", folders[i], name);
		memory_cleanup_free char *target = root_readlink(root, path);
		struct stat status;

		if (text_equal(target, "/dev/null"))
			*masked = true;
		else if (root_stat(root, path, &status) == 0)
			*masked = S_ISREG(status.st_mode) && status.st_size == 0;
		else {
			free(path);
			continue;
		}
		return path;
	}
	return NULL;
}

static bool is_masked(const struct root *root, const char *name)
{
	bool masked;

	free(unit_file(root, name, &masked));
	return masked;
}

/* A drop-in or an alias that is given on the command line of systemctl add-wants counts as well. */
static bool has_link(const struct root *root, const char *target, const char *name)
{
	static const char *const kinds[] = { "wants", "requires" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
			memory_cleanup_free char *link =
				text_format("%s/%s.%s/%s", folders[i], target, kinds[kind], name);
			struct stat status;

			if (root_lstat(root, link, &status) == 0)
				return true;
		}
	return false;
}

/* What a boot comes to. Not hibernate.target and friends: they are there to switch it on later. */
static bool is_wanted_at_boot(const struct root *root, const char *name)
{
	static const char *const targets[] = { "swap.target", "sysinit.target", "local-fs.target",
		"basic.target", "multi-user.target", "graphical.target", "default.target" };

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (has_link(root, targets[i], name) && !is_masked(root, targets[i]))
			return true;
	return false;
}

/* What= of the section [Swap]; the caller frees it, NULL: there is none. */
static char *read_what(const struct root *root, const char *path)
{
	memory_cleanup_free char *text = NULL;
	strings_cleanup struct strings lines = { 0 };
	struct error err = { "" };
	char *what = NULL;

	if (root_read(root, path, FILE_LIMIT, &text, NULL, &err) < 0)
		return NULL;
	strings_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		char *equals = strchr(lines.items[i], '=');

		if (!equals)
			continue;
		*equals = '\0';
		if (strcmp(text_trim(lines.items[i]), "What") == 0)
			text_set(&what, text_copy(text_trim(equals + 1)));
	}
	return what;
}

/* Whether NAME, one unit of swap, switches AREA on at boot. */
static bool switches_on(const struct root *root, const struct area_facts *area, const char *name)
{
	bool masked;
	memory_cleanup_free char *path = unit_file(root, name, &masked);
	memory_cleanup_free char *what = path && !masked ? read_what(root, path) : NULL;

	return what && area_name_match(area, root, what) == NAME_MATCHES &&
	       is_wanted_at_boot(root, name);
}

static char *find_unit(const struct root *root, const struct area_facts *area)
{
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		strings_cleanup struct strings names = { 0 };
		struct error err = { "" };

		root_list(root, folders[i], &names, &err);
		for (size_t k = 0; k < names.count; k++)
			if (text_ends(names.items[k], ".swap") &&
				switches_on(root, area, names.items[k]))
				return text_copy(names.items[k]);
	}
	return NULL;
}

/* ---- A partition that says by its type that it is swap ---- */

/* The Discoverable Partitions Specification; bit 63 of the flags: not by itself. */
#define GPT_SWAP    "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"
#define GPT_NO_AUTO (UINT64_C(1) << 63)

static bool has_generator(const struct root *root)
{
	static const char *const places[] = { "/usr/lib/systemd/system-generators/",
		"/lib/systemd/system-generators/" };
	memory_cleanup_free char *mask =
		root_readlink(root, "/etc/systemd/system-generators/" SWAP_GPT_GENERATOR);

	if (text_equal(mask, "/dev/null"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		memory_cleanup_free char *path = text_format("%s" SWAP_GPT_GENERATOR, places[i]);

		if (root_executable(root, path))
			return true;
	}
	return false;
}

/* systemd-gpt-auto-generator(8): on the disk of the root file system, and not beside fstab. */
static bool is_switched_on_by_type(
	const struct root *root, const struct area_facts *area, const device_list *root_devices)
{
	const struct device_facts *partition = area->devices.items;

	if (!fact_text_is(&area->kind, "device") || area->devices.count < 2 ||
		root_devices->count < 2 || !fact_text_is(&partition->kind, KIND_PARTITION) ||
		!fact_text_is(&root_devices->items[0].kind, KIND_PARTITION) ||
		partition->parttype.is != FACT_KNOWN || partition[1].number.is != FACT_KNOWN)
		return false;
	return strcasecmp(partition->parttype.value, GPT_SWAP) == 0 &&
	       !(strtoull(fact_text_or(&partition->partflags, "0"), NULL, 0) & GPT_NO_AUTO) &&
	       fact_text_is(&root_devices->items[1].number, partition[1].number.value) &&
	       has_generator(root);
}

/*
 * System V init, Upstart, OpenRC: /sbin/init is a link to systemd where that is the first process.
 */
static bool has_other_init(const struct root *root)
{
	static const char *const paths[] = { "/sbin/init", "/usr/sbin/init" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		memory_cleanup_free char *target = root_readlink(root, paths[i]);
		struct stat status;

		if (root_lstat(root, paths[i], &status) == 0)
			return !target || !text_ends(target, "systemd");
	}
	return false;
}

void swap_units_gather(struct boot_facts *boot, const struct root *root,
	const struct area_facts *area, const device_list *root_devices, bool any_swap)
{
	if (has_other_init(root)) {
		fact_set_absent(fact_of(&boot->swap_unit));
		fact_set_absent(fact_of(&boot->swap_mask));
		fact_set_absent(fact_of(&boot->fstab_unit));
		return;
	}
	fact_take_text(&boot->swap_unit, find_unit(root, area));
	if (boot->swap_unit.is == FACT_ABSENT && !any_swap &&
		is_switched_on_by_type(root, area, root_devices))
		fact_set_text(&boot->swap_unit, SWAP_GPT_GENERATOR);
	fact_set_absent(fact_of(&boot->swap_mask));
	if (is_masked(root, "swap.target"))
		fact_set_text(&boot->swap_mask, "swap.target");
	else if (boot->fstab_unit.is == FACT_KNOWN && is_masked(root, boot->fstab_unit.value))
		fact_set_text(&boot->swap_mask, boot->fstab_unit.value);
}
