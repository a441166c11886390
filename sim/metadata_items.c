/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The items of the simulated instance, by their paths below /latest/. */
#include <errno.h>
#include <string.h>

#include "sim/metadata_parts.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/imds_text.h"

#define DATA_LIMIT ((size_t)1024 * 1024)

/* Ids that look like EC2's and are nobody's, addresses of the documentation's VPC. */
static const char *const standard[][2] = {
	{ "meta-data/ami-id", "ami-0123456789abcdef0" },
	{ "meta-data/ami-launch-index", "0" },
	{ "meta-data/block-device-mapping/ami", "/dev/xvda" },
	{ "meta-data/block-device-mapping/root", "/dev/xvda" },
	{ "meta-data/events/maintenance/history", "[]" },
	{ "meta-data/events/maintenance/scheduled", "[]" },
	{ "meta-data/hibernation/configured", "true" },
	{ "meta-data/hostname", "ip-10-0-0-10.eu-central-1.compute.internal" },
	{ "meta-data/instance-action", "none" },
	{ "meta-data/instance-id", "i-0123456789abcdef0" },
	{ "meta-data/instance-life-cycle", "on-demand" },
	{ "meta-data/instance-type", "m5.large" },
	{ "meta-data/local-hostname", "ip-10-0-0-10.eu-central-1.compute.internal" },
	{ "meta-data/local-ipv4", "10.0.0.10" },
	{ "meta-data/mac", "02:00:00:00:00:0a" },
	{ "meta-data/placement/availability-zone", "eu-central-1a" },
	{ "meta-data/placement/region", "eu-central-1" },
	{ "meta-data/profile", "default-hvm" },
	{ "meta-data/reservation-id", "r-0123456789abcdef0" },
	{ "meta-data/security-groups", "default" },
	{ "meta-data/services/domain", "amazonaws.com" },
	{ "meta-data/services/partition", "aws" },
	{ DOCUMENT_PATH, "{\n"
			 "  \"accountId\" : \"123456789012\",\n"
			 "  \"architecture\" : \"x86_64\",\n"
			 "  \"availabilityZone\" : \"eu-central-1a\",\n"
			 "  \"imageId\" : \"ami-0123456789abcdef0\",\n"
			 "  \"instanceId\" : \"i-0123456789abcdef0\",\n"
			 "  \"instanceType\" : \"m5.large\",\n"
			 "  \"pendingTime\" : \"2024-06-01T08:00:00Z\",\n"
			 "  \"privateIp\" : \"10.0.0.10\",\n"
			 "  \"region\" : \"eu-central-1\",\n"
			 "  \"version\" : \"2017-09-30\"\n"
			 "}" },
};

json_t *metadata_items_standard(void)
{
	json_t *items = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(standard); i++)
		json_object_set_new(items, standard[i][0], json_string(standard[i][1]));
	return items;
}

const char *metadata_get(const struct metadata *metadata, const char *path)
{
	return json_string_value(json_object_get(metadata->items, path));
}

void metadata_put(struct metadata *metadata, const char *path, const char *text)
{
	if (text)
		json_object_set_new(metadata->items, path, json_string(text));
	else
		json_object_del(metadata->items, path);
}

static int path_check(const char *path, struct error *err)
{
	if (!imds_path_valid(path) || text_ends(path, "/") || strcmp(path, TOKEN_PATH) == 0)
		return error_set(
			err, EINVAL, "\"%s\" is no item: meta-data/instance-id is one", path);
	return 0;
}

int metadata_set(struct metadata *metadata, const char *path, const char *text, struct error *err)
{
	int status = path_check(path, err);

	if (status < 0)
		return status;
	if (text && !imds_text_valid(text, strlen(text)))
		return error_set(err, EINVAL, "the value for %s is not text", path);
	metadata_put(metadata, path, text);
	return 0;
}

/* All of FROM are texts with good paths, or null. */
static int items_take(json_t *items, json_t *from, const char *file, struct error *err)
{
	const char *path;
	json_t *value;
	int status;

	json_object_foreach(from, path, value)
	{
		status = path_check(path, err);
		if (status < 0)
			return error_prefix(err, status, "%s", file);
		if (json_is_null(value))
			continue;
		if (!json_is_string(value))
			return error_set(err, EINVAL,
				"%s: the value of %s is not a text; JSON has to be quoted", file,
				path);
		json_object_set(items, path, value);
	}
	return 0;
}

int metadata_load(
	struct metadata *metadata, const struct root *root, const char *path, struct error *err)
{
	memory_cleanup_free char *text = NULL;
	json_t *items, *json;
	json_error_t where;
	int status = root_read(root, path, DATA_LIMIT, &text, NULL, err);

	if (status < 0)
		return status;
	json = json_loads(text, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(json)) {
		status = error_set(err, EINVAL, "%s: line %d: %s", path, json ? 1 : where.line,
			json ? "not an object of paths and texts" : where.text);
		json_decref(json);
		return status;
	}
	items = json_object();
	status = items_take(items, json, path, err);
	json_decref(json);
	if (status < 0) {
		json_decref(items);
		return status;
	}
	json_decref(metadata->items);
	metadata->items = items;
	return 0;
}

/* The document is one item, but says the same things once more. */
static void document_set(struct metadata *metadata, const char *name, const char *value)
{
	const char *text = metadata_get(metadata, DOCUMENT_PATH);
	json_t *document = text ? json_loads(text, 0, NULL) : json_object();
	memory_cleanup_free char *made = NULL;

	/* One that is broken on purpose stays as it is. */
	if (json_is_object(document)) {
		json_object_set_new(document, name, json_string(value));
		made = json_dumps(document, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		metadata_put(metadata, DOCUMENT_PATH, made);
	}
	json_decref(document);
}

void metadata_describe(struct metadata *metadata, const struct metadata_instance *instance)
{
	memory_cleanup_free char *zone =
		instance->region ? text_format("%sa", instance->region) : NULL;
	const struct {
		const char *path;
		const char *name; /* in the document; NULL: not there */
		const char *value;
	} rows[] = {
		{ "meta-data/instance-id", "instanceId", instance->id },
		{ "meta-data/instance-type", "instanceType", instance->type },
		{ "meta-data/placement/region", "region", instance->region },
		{ "meta-data/placement/availability-zone", "availabilityZone", zone },
		{ "meta-data/instance-life-cycle", NULL, instance->life_cycle },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].value)
			continue;
		metadata_put(metadata, rows[i].path, rows[i].value);
		if (rows[i].name)
			document_set(metadata, rows[i].name, rows[i].value);
	}
}

char *metadata_list(const struct metadata *metadata, const char *folder)
{
	strings_cleanup struct strings names = { 0 };
	size_t length = strlen(folder);
	const char *path;
	json_t *value;

	json_object_foreach(metadata->items, path, value)
	{
		char *name;

		if (!text_starts(path, folder))
			continue;
		name = text_copy_length(path + length,
			strcspn(path + length, "/") + (strchr(path + length, '/') != NULL));
		if (strings_contain(&names, name))
			free(name);
		else
			strings_take(&names, name);
	}
	if (names.count == 0)
		return NULL;
	strings_sort(&names);
	return strings_join(&names, "\n");
}
