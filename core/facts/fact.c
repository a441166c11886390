/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/facts/fact.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/text.h"

static void head_set(struct fact *fact, enum knowledge is)
{
	free(fact->why);
	fact->why = NULL;
	fact->is = is;
}

void fact_set_number(struct fact_number *fact, uint64_t value)
{
	head_set(fact_of(fact), FACT_KNOWN);
	fact->value = value;
}

void fact_set_flag(struct fact_flag *fact, bool value)
{
	head_set(fact_of(fact), FACT_KNOWN);
	fact->value = value;
}

void fact_take_text(struct fact_text *fact, char *value)
{
	head_set(fact_of(fact), value ? FACT_KNOWN : FACT_ABSENT);
	text_set(&fact->value, value);
}

void fact_set_text(struct fact_text *fact, const char *value)
{
	fact_take_text(fact, text_copy(value));
}

void fact_set_absent(struct fact *fact)
{
	head_set(fact, FACT_ABSENT);
}

void fact_set_unknown(struct fact *fact, const char *format, ...)
{
	va_list arguments;

	head_set(fact, FACT_UNKNOWN);
	va_start(arguments, format);
	fact->why = text_format_list(format, arguments);
	va_end(arguments);
}

void fact_read_text(struct fact_text *fact, const struct root *root, const char *path)
{
	struct error err = { "" };
	char *text;
	int status = root_read_line(root, path, &text, &err);

	if (status == 0)
		fact_take_text(fact, text);
	else if (status == -ENOENT || status == -ENOTDIR)
		fact_set_absent(fact_of(fact));
	else
		fact_set_unknown(fact_of(fact), "%s", err.text);
}

void fact_read_number(struct fact_number *fact, const struct root *root, const char *path)
{
	struct fact_text text = { 0 };
	uint64_t value;

	fact_read_text(&text, root, path);
	if (text.is == FACT_KNOWN && number_parse(text.value, &value) == 0)
		fact_set_number(fact, value);
	else if (text.is == FACT_KNOWN)
		fact_set_unknown(fact_of(fact), "%s%s says \"%s\", not a number", root->path, path,
			text.value);
	else if (text.is == FACT_ABSENT)
		fact_set_absent(fact_of(fact));
	else
		fact_set_unknown(fact_of(fact), "%s", text.why);
	free(text.value);
	free(text.why);
}

/* The reason of what a saved file does not have. */
#define NOT_SAVED "not in the saved facts"

bool fact_was_not_saved(const struct fact *fact)
{
	return fact->is == FACT_UNKNOWN && text_equal(fact->why, NOT_SAVED);
}

bool fact_text_is(const struct fact_text *fact, const char *value)
{
	return fact->is == FACT_KNOWN && strcmp(fact->value, value) == 0;
}

bool fact_is_true(const struct fact_flag *fact)
{
	return fact->is == FACT_KNOWN && fact->value;
}

bool fact_is_false(const struct fact_flag *fact)
{
	return fact->is == FACT_KNOWN && !fact->value;
}

static void *member_of(const void *structure, const struct field *field)
{
	return (char *)structure + field->offset;
}

void fact_list_free(const struct layout *layout, void *list)
{
	struct fact_list *any = list;

	for (size_t i = 0; i < any->count; i++)
		layout_free(layout, (char *)any->items + i * layout->size);
	free(any->items);
	free(any->why);
	*any = (struct fact_list) { 0 };
}

void layout_free(const struct layout *layout, void *structure)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct field *field = &layout->fields[i];
		void *member = member_of(structure, field);

		if (field->type == FIELD_GROUP) {
			layout_free(field->layout, member);
			continue;
		}
		if (field->type == FIELD_LIST) {
			fact_list_free(field->layout, member);
			continue;
		}
		if (field->type == FIELD_TEXT)
			free(((struct fact_text *)member)->value);
		free(((struct fact *)member)->why);
	}
	memset(structure, 0, layout->size);
}

/* Room for COUNT items as facts_add() would have made it: the list may go on growing. */
static void *list_room(const struct layout *layout, size_t count)
{
	void *items = NULL;

	for (size_t i = 0; i < count; i++)
		items = memory_grow(items, i, layout->size);
	return items;
}

static void list_copy(
	const struct layout *layout, struct fact_list *to, const struct fact_list *from)
{
	to->count = from->count;
	to->items = list_room(layout, from->count);
	for (size_t i = 0; i < from->count; i++)
		layout_copy(layout, (char *)to->items + i * layout->size,
			(const char *)from->items + i * layout->size);
}

void layout_copy(const struct layout *layout, void *to, const void *from)
{
	memcpy(to, from, layout->size);
	for (size_t i = 0; i < layout->count; i++) {
		const struct field *field = &layout->fields[i];
		void *member = member_of(to, field);
		const void *old = member_of(from, field);

		if (field->type == FIELD_GROUP) {
			layout_copy(field->layout, member, old);
			continue;
		}
		if (((const struct fact *)old)->why)
			((struct fact *)member)->why = text_copy(((const struct fact *)old)->why);
		if (field->type == FIELD_TEXT && ((const struct fact_text *)old)->value)
			((struct fact_text *)member)->value =
				text_copy(((const struct fact_text *)old)->value);
		if (field->type == FIELD_LIST)
			list_copy(field->layout, member, old);
	}
}

void layout_set_absent(const struct layout *layout, void *structure)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct field *field = &layout->fields[i];

		if (field->type == FIELD_GROUP)
			layout_set_absent(field->layout, member_of(structure, field));
		else
			fact_set_absent(member_of(structure, field));
	}
}

void layout_set_unknown(const struct layout *layout, void *structure, const char *why)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct field *field = &layout->fields[i];

		if (field->type == FIELD_GROUP)
			layout_set_unknown(field->layout, member_of(structure, field), why);
		else
			fact_set_unknown(member_of(structure, field), "%s", why);
	}
}

void layout_settle(const struct layout *layout, void *structure)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct field *field = &layout->fields[i];
		struct fact *fact = member_of(structure, field);

		if (field->type == FIELD_GROUP)
			layout_settle(field->layout, fact);
		else if (fact->is == FACT_UNKNOWN && !fact->why)
			fact_set_absent(fact);
	}
}

/* JSON is UTF-8; a file name or a command line need not be. Other bytes show as '?'. */
static json_t *text_to_json(const char *text)
{
	json_t *json = json_string(text);
	memory_cleanup_free char *ascii = NULL;

	if (json)
		return json;
	ascii = text_copy(text);
	for (char *c = ascii; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return json_string(ascii);
}

static json_t *value_to_json(const struct field *field, const void *member)
{
	const struct fact_list *list;
	json_t *array;

	switch (field->type) {
	case FIELD_NUMBER:
		return json_integer((json_int_t)((const struct fact_number *)member)->value);
	case FIELD_FLAG:
		return json_boolean(((const struct fact_flag *)member)->value);
	case FIELD_TEXT:
		return text_to_json(((const struct fact_text *)member)->value);
	case FIELD_LIST:
		list = member;
		array = json_array();
		for (size_t i = 0; i < list->count; i++)
			json_array_append_new(array,
				layout_to_json(field->layout,
					(const char *)list->items + i * field->layout->size));
		return array;
	case FIELD_GROUP:
		break;
	}
	return layout_to_json(field->layout, member);
}

json_t *layout_to_json(const struct layout *layout, const void *structure)
{
	json_t *object = json_object();

	for (size_t i = 0; i < layout->count; i++) {
		const struct field *field = &layout->fields[i];
		const void *member = member_of(structure, field);
		const struct fact *fact = member;
		json_t *value;

		if (field->type == FIELD_GROUP || fact->is == FACT_KNOWN)
			value = value_to_json(field, member);
		else if (fact->is == FACT_ABSENT)
			value = json_null();
		else
			value = json_pack("{s:s}", "unknown", fact->why ? fact->why : "");
		json_object_set_new(object, field->name, value);
	}
	return object;
}

static int list_from_json(const struct field *field, struct fact_list *list, json_t *json,
	const char *where, struct error *err)
{
	const struct layout *layout = field->layout;
	int status = 0;

	list->count = json_array_size(json);
	list->items = list_room(layout, list->count);
	for (size_t i = 0; i < list->count && status == 0; i++) {
		memory_cleanup_free char *place = text_format("%s[%zu]", where, i);

		status = layout_from_json(layout, (char *)list->items + i * layout->size,
			json_array_get(json, i), place, err);
	}
	return status;
}

static int value_from_json(
	const struct field *field, void *member, json_t *json, const char *where, struct error *err)
{
	static const char *const wanted[] = { [FIELD_NUMBER] = "a whole number, not negative",
		[FIELD_FLAG] = "true or false",
		[FIELD_TEXT] = "a text",
		[FIELD_LIST] = "a list",
		[FIELD_GROUP] = "an object" };

	((struct fact *)member)->is = FACT_KNOWN;
	if (field->type == FIELD_NUMBER && json_is_integer(json) && json_integer_value(json) >= 0)
		fact_set_number(member, (uint64_t)json_integer_value(json));
	else if (field->type == FIELD_FLAG && json_is_boolean(json))
		fact_set_flag(member, json_is_true(json));
	else if (field->type == FIELD_TEXT && json_is_string(json))
		fact_set_text(member, json_string_value(json));
	else if (field->type == FIELD_LIST && json_is_array(json))
		return list_from_json(field, member, json, where, err);
	else
		return error_set(err, EINVAL, "%s is not %s", where, wanted[field->type]);
	return 0;
}

int layout_from_json(const struct layout *layout, void *structure, json_t *json, const char *where,
	struct error *err)
{
	int status = 0;

	if (!json_is_object(json))
		return error_set(err, EINVAL, "%s is not an object", where);
	for (size_t i = 0; i < layout->count && status == 0; i++) {
		const struct field *field = &layout->fields[i];
		memory_cleanup_free char *place = text_format("%s.%s", where, field->name);
		json_t *value = json_object_get(json, field->name);
		void *member = member_of(structure, field);
		json_t *why = json_object_get(value, "unknown");

		if (field->type == FIELD_GROUP && value)
			status = layout_from_json(field->layout, member, value, place, err);
		else if (field->type == FIELD_GROUP)
			continue;
		else if (!value)
			fact_set_unknown(member, NOT_SAVED);
		else if (json_is_null(value))
			fact_set_absent(member);
		else if (json_is_string(why) && *json_string_value(why))
			fact_set_unknown(member, "%s", json_string_value(why));
		else if (json_is_string(why))
			head_set(member, FACT_UNKNOWN);
		else
			status = value_from_json(field, member, value, place, err);
	}
	return status;
}

static void describe(json_t *array, const struct layout *layout, const char *prefix)
{
	static const char *const types[] = { [FIELD_NUMBER] = "integer",
		[FIELD_FLAG] = "boolean",
		[FIELD_TEXT] = "string",
		[FIELD_LIST] = "array",
		[FIELD_GROUP] = "object" };

	for (size_t i = 0; i < layout->count; i++) {
		const struct field *field = &layout->fields[i];
		memory_cleanup_free char *path = text_format("%s%s", prefix, field->name);

		json_array_append_new(array,
			json_pack("{s:s, s:s, s:s?, s:b, s:s}", "path", path, "type",
				types[field->type], "unit", *field->unit ? field->unit : NULL,
				"volatile", field->is_volatile, "help", field->help));
		if (field->layout) {
			text_append(&path, field->type == FIELD_LIST ? "[]." : ".");
			describe(array, field->layout, path);
		}
	}
}

json_t *layout_describe(const struct layout *layout)
{
	json_t *array = json_array();

	describe(array, layout, "");
	return array;
}
