/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One thing that is known about the machine, or not.
 *
 * A fact is known with a value, absent (the machine has no such thing: no swap file, no boot
 * loader), or unknown with the reason (no permission, not on this kernel, nobody asked). Nothing is
 * guessed: whoever reads a fact asks first whether it is known.
 *
 * Facts stand in plain structs. A struct layout describes each struct field by field, and whatever
 * has to go through all facts (JSON out and in, freeing, OpenMetrics, comparing) walks the layout.
 */
#ifndef EC2HIB_FACTS_FACT_H
#define EC2HIB_FACTS_FACT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "core/base/error.h"
#include "core/base/files.h"

enum knowledge { FACT_UNKNOWN, FACT_ABSENT, FACT_KNOWN };

/* Every fact begins like this. WHY is set only where it is unknown and there is a reason to tell. */
#define FACT_HEAD                                                                                  \
	enum knowledge is;                                                                         \
	char *why

struct fact {
	FACT_HEAD;
};
struct fact_number {
	FACT_HEAD;
	uint64_t value;
};
struct fact_flag {
	FACT_HEAD;
	bool value;
};
struct fact_text {
	FACT_HEAD;
	char *value;
};

/* A list of TYPE, a struct with a layout of its own. */
#define FACT_LIST(type)                                                                            \
	struct {                                                                                   \
		FACT_HEAD;                                                                         \
		type *items;                                                                       \
		size_t count;                                                                      \
	}

enum field_type { FIELD_NUMBER, FIELD_FLAG, FIELD_TEXT, FIELD_GROUP, FIELD_LIST };

struct layout;

struct field {
	const char *name; /* in JSON; lower case, words joined by _ */
	enum field_type type;
	size_t offset;
	const struct layout *layout; /* of a group, or of a list's items */
	const char *help;	     /* what it is, with its unit and where it comes from */
};

struct layout {
	size_t size;
	const struct field *fields;
	size_t count;
};

/* clang-format off */
#define FIELD_OF(type, structure, member, help) \
	{ #member, type, offsetof(structure, member), NULL, help }
#define NUMBER(structure, member, help) FIELD_OF(FIELD_NUMBER, structure, member, help)
#define FLAG(structure, member, help)	FIELD_OF(FIELD_FLAG, structure, member, help)
#define TEXT(structure, member, help)	FIELD_OF(FIELD_TEXT, structure, member, help)
#define GROUP(structure, member, of, help) \
	{ #member, FIELD_GROUP, offsetof(structure, member), of, help }
#define LIST(structure, member, of, help) \
	{ #member, FIELD_LIST, offsetof(structure, member), of, help }
#define LAYOUT(structure, fields) \
	{ sizeof(structure), fields, ARRAY_SIZE(fields) }
/* clang-format on */

/* Makes a fact known; text is copied (NULL makes the fact absent). What was there is freed. */
void fact_set_number(struct fact_number *fact, uint64_t value);
void fact_set_flag(struct fact_flag *fact, bool value);
void fact_set_text(struct fact_text *fact, const char *value);
/* The same, but the fact takes VALUE over. */
void fact_take_text(struct fact_text *fact, char *value);

/* Any fact, by its head: (struct fact *)&facts->kernel.release. */
void fact_set_absent(struct fact *fact);
void fact_set_unknown(struct fact *fact, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
#define fact_of(member) ((struct fact *)(member))

/*
 * Reads a file of one line. No such file: absent. Not readable: unknown, with the reason. A file
 * that is no number makes a number unknown.
 */
void fact_read_text(struct fact_text *fact, const struct root *root, const char *path);
void fact_read_number(struct fact_number *fact, const struct root *root, const char *path);

/* True when known and equal to VALUE. */
bool fact_text_is(const struct fact_text *fact, const char *value);
bool fact_is_true(const struct fact_flag *fact);
bool fact_is_false(const struct fact_flag *fact);

/* The value of a fact that is known, else OTHER. */
static inline uint64_t fact_number_or(const struct fact_number *fact, uint64_t other)
{
	return fact->is == FACT_KNOWN ? fact->value : other;
}

static inline const char *fact_text_or(const struct fact_text *fact, const char *other)
{
	return fact->is == FACT_KNOWN ? fact->value : other;
}

/* Makes every fact of the struct unknown for this one reason. */
void layout_set_unknown(const struct layout *layout, void *structure, const char *why);

/* Makes TO, which must be zeroed, the same as FROM; what it holds is its own. */
void layout_copy(const struct layout *layout, void *to, const void *from);

/* Frees what a struct of this layout holds, and makes all of it unknown. */
void layout_free(const struct layout *layout, void *structure);

/*
 * JSON: a known fact is its value, an absent one null, an unknown one {"unknown": "the reason"}.
 * layout_from_json() is strict about types, takes what is missing as unknown, and ignores names
 * that it does not know; STRUCTURE must be zeroed before, and freed also after an error.
 */
json_t *layout_to_json(const struct layout *layout, const void *structure);
int layout_from_json(const struct layout *layout, void *structure, json_t *json, const char *where,
	struct error *err);

#endif
