/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/instance.h"

#include <errno.h>
#include <string.h>

#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#define DIGITS "0123456789"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define HEX    DIGITS "abcdef"

#define VALUE_MOST 64

/* No more of a strange value than this goes into a message. */
#define SHOWN_MOST 40

static const char hex[] = DIGITS "abcdef";

/* What a value looks like: PREFIX, then one or more of CHARACTERS. */
struct form {
	const char *prefix;
	const char *characters;
	const char *name;
};

static const struct form id_form = { "i-", hex, "an instance id" };

/*
 * Ids of EC2 have 8 hexadecimal digits, or 17 since 2016 ("Resource IDs", EC2 User Guide). Knowing
 * that, a shortened one is not an id.
 */
static bool form_fits(const struct form *form, const char *value)
{
	size_t length = strlen(value);
	const char *rest = value + strlen(form->prefix);

	if (!text_starts(value, form->prefix) || length > VALUE_MOST)
		return false;
	if (!*rest || rest[strspn(rest, form->characters)])
		return false;
	length = strlen(rest);
	return form->characters != hex || length == 8 || length == 17;
}

/* The service's word is shown only where it is harmless: printable ASCII. */
static void refuse(struct fact *fact, const char *where, const char *value, const char *wanted)
{
	size_t length = strlen(value);

	for (const char *c = value; *c; c++)
		if (*c < ' ' || *c > '~')
			length = 0;
	if (length == 0 || length > SHOWN_MOST)
		fact_set_unknown(fact, "%s: the answer is not %s", where, wanted);
	else
		fact_set_unknown(fact, "%s: \"%s\" is not %s", where, value, wanted);
}

static void set_text(
	struct fact_text *fact, const char *where, const char *value, const struct form *form)
{
	if (form_fits(form, value))
		fact_set_text(fact, value);
	else
		refuse(fact_of(fact), where, value, form->name);
}

/* WORDS ends with NULL. */
static void set_word(
	struct fact_text *fact, const char *where, const char *value, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(value, *words) == 0) {
			fact_set_text(fact, value);
			return;
		}
	refuse(fact_of(fact), where, value, "a word that is known here");
}

static void set_flag(struct fact_flag *fact, const char *where, const char *value)
{
	if (strcmp(value, "true") == 0)
		fact_set_flag(fact, true);
	else if (strcmp(value, "false") == 0)
		fact_set_flag(fact, false);
	else
		refuse(fact_of(fact), where, value, "true or false");
}

/* The members of the identity document that are facts. */
struct member {
	const char *name;
	size_t offset; /* of a struct fact_text */
	struct form form;
};

static const struct member members[] = {
	{ "instanceType", offsetof(struct instance_facts, type),
		{ "", LOWER DIGITS ".-", "an instance type" } },
	{ "region", offsetof(struct instance_facts, region), { "", LOWER DIGITS "-", "a region" } },
	{ "availabilityZone", offsetof(struct instance_facts, zone),
		{ "", LOWER DIGITS "-", "an availability zone" } },
	{ "imageId", offsetof(struct instance_facts, image), { "ami-", hex, "an image id" } },
	{ "architecture", offsetof(struct instance_facts, architecture),
		{ "", LOWER DIGITS "_", "an architecture" } },
};
static const size_t member_count = ARRAY_SIZE(members);

static struct fact_text *member_fact(struct instance_facts *facts, size_t i)
{
	return (struct fact_text *)((char *)facts + members[i].offset);
}

static void document_unknown(struct instance_facts *facts, const char *why)
{
	for (size_t i = 0; i < member_count; i++)
		fact_set_unknown(fact_of(member_fact(facts, i)), "%s", why);
}

static void document_read(struct instance_facts *facts, const struct imds_item *item)
{
	json_error_t parse;
	json_t *document = json_loads(item->text, JSON_REJECT_DUPLICATES, &parse);
	memory_cleanup_free char *why = NULL;

	if (!json_is_object(document)) {
		why = text_format("%s: the answer is not a JSON object", item->path);
		document_unknown(facts, why);
	}
	for (size_t i = 0; i < member_count && !why; i++) {
		const struct member *member = &members[i];
		const char *value = json_string_value(json_object_get(document, member->name));
		memory_cleanup_free char *where = text_format("%s, %s", item->path, member->name);

		if (value)
			set_text(member_fact(facts, i), where, value, &member->form);
		else
			fact_set_unknown(fact_of(member_fact(facts, i)), "%s: no text", where);
	}
	json_decref(document);
}

enum { ID, LIFE_CYCLE, CONFIGURED, TARGET_STATE, DOCUMENT, ITEM_COUNT };

/* True when there is a value to look at; otherwise the fact is settled. */
static bool has_value(struct fact *fact, const struct imds_item *item, bool may_be_absent)
{
	if (item->status == 0)
		return true;
	if (item->status == -ENOENT && may_be_absent)
		fact_set_absent(fact);
	else
		fact_set_unknown(fact, "%s", item->error.text);
	return false;
}

static const char *const life_cycles[] = { "on-demand", "spot", "scheduled", "capacity-block",
	NULL };
static const char *const target_states[] = { "Detached", "InService", "Standby", "Terminated",
	"Warmed:Hibernated", "Warmed:Running", "Warmed:Stopped", "Warmed:Terminated", NULL };

static void items_read(struct instance_facts *facts, const struct imds_item *items)
{
	/* Who does not know the id is not the EC2 metadata service: its 404 means nothing. */
	bool genuine;

	if (has_value(fact_of(&facts->id), &items[ID], false))
		set_text(&facts->id, items[ID].path, items[ID].text, &id_form);
	genuine = facts->id.is == FACT_KNOWN;
	if (has_value(fact_of(&facts->life_cycle), &items[LIFE_CYCLE], genuine))
		set_word(&facts->life_cycle, items[LIFE_CYCLE].path, items[LIFE_CYCLE].text,
			life_cycles);
	if (has_value(fact_of(&facts->hibernation_configured), &items[CONFIGURED], genuine))
		set_flag(&facts->hibernation_configured, items[CONFIGURED].path,
			items[CONFIGURED].text);
	if (has_value(fact_of(&facts->target_lifecycle_state), &items[TARGET_STATE], genuine))
		set_word(&facts->target_lifecycle_state, items[TARGET_STATE].path,
			items[TARGET_STATE].text, target_states);
	if (items[DOCUMENT].status == 0)
		document_read(facts, &items[DOCUMENT]);
	else
		document_unknown(facts, items[DOCUMENT].error.text);
}

void instance_gather(struct instance_facts *facts, const struct imds_options *options)
{
	struct imds_item items[ITEM_COUNT] = {
		[ID] = { .path = "meta-data/instance-id" },
		[LIFE_CYCLE] = { .path = "meta-data/instance-life-cycle" },
		[CONFIGURED] = { .path = "meta-data/hibernation/configured" },
		[TARGET_STATE] = { .path = "meta-data/autoscaling/target-lifecycle-state" },
		[DOCUMENT] = { .path = "dynamic/instance-identity/document" },
	};
	struct imds *imds;
	struct error err = { "" };

	if (imds_open(&imds, options, &err) < 0) {
		layout_set_unknown(&instance_facts_layout, facts, err.text);
		return;
	}
	if (imds_get_all(imds, items, ITEM_COUNT, &err) < 0)
		layout_set_unknown(&instance_facts_layout, facts, err.text);
	else
		items_read(facts, items);
	imds_items_free(items, ITEM_COUNT);
	imds_close(imds);
}
