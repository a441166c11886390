/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One thing that is known about the machine, or not.
 *
 * A fact is known with a value, absent (the machine has no such thing: no swap file, no boot
 * loader), or unknown with the reason (no permission, not on this kernel, nobody asked). Nothing is
 * guessed: whoever reads a fact asks first whether it is known.
 *
 * Facts are members of plain structs. A layout describes a struct field by field, and whatever goes
 * through all facts (JSON out and in, copying, freeing, describing) walks the layout. Struct and
 * layout come from one list; see below.
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

/*
 * Every fact begins like this. WHY is set only where it is unknown and there is a reason to tell.
 */
#define FACT_HEAD                                                                                  \
	enum knowledge is;                                                                         \
	char *why

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

/*
 * Any fact by its head, and any list: second views of the structs above, so the compiler has to
 * know that they may be the same memory.
 */
struct __attribute__((may_alias)) fact {
	FACT_HEAD;
};
struct __attribute__((may_alias)) fact_list {
	FACT_HEAD;
	void *items;
	size_t count;
};
#define fact_of(member) ((struct fact *)&(member)->is)

enum field_type { FIELD_NUMBER, FIELD_FLAG, FIELD_TEXT, FIELD_GROUP, FIELD_LIST };

struct layout;

struct field {
	enum field_type type;
	size_t offset;
	const char *name;	     /* in JSON; lower case, words joined by _ */
	const struct layout *layout; /* of a group, or of a list's items */
	const char *unit; /* of a number: "bytes", "pages", "ms", ...; "": a mere number */
	const char *help; /* what it is and where it comes from */
	bool is_volatile; /* changes by itself from minute to minute */
};

struct layout {
	size_t size;
	const struct field *fields;
	size_t count;
};

/*
 * ---- One list a struct ----
 *
 * The facts of a struct are named in one list, from which come its members and its layout:
 *
 *	#define MEMORY_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST) \
 *		NUMBER(total, "bytes", "MemTotal of /proc/meminfo") \
 *		NUMBER(available, "bytes", "MemAvailable of /proc/meminfo", VOLATILE)
 *	struct memory_facts {
 *		FACT_MEMBERS(MEMORY_FACTS)
 *	};
 *
 * and in one .c file
 *
 *	FACT_LAYOUT(memory_facts, MEMORY_FACTS);
 *
 * which defines memory_facts_layout. The rows:
 *
 *	TEXT(name, help)
 *	FLAG(name, help)
 *	NUMBER(name, unit, help)
 *	GROUP(name, struct, help)	      a struct with a list of its own
 *	LIST(name, list type, struct, help)   typedef FACT_LIST(struct ...) list type;
 *
 * and VOLATILE at the end of a row whose fact changes by itself from minute to minute. Members have
 * the types that their rows say, so that compiler and debugger see an ordinary struct.
 */
#define VOLATILE .is_volatile = true

/* clang-format off */
#define FACT_MEMBERS(list) \
	list(FACT_TEXT_MEMBER, FACT_NUMBER_MEMBER, FACT_FLAG_MEMBER, FACT_GROUP_MEMBER, \
		FACT_LIST_MEMBER)
#define FACT_TEXT_MEMBER(member, ...)		struct fact_text member;
#define FACT_NUMBER_MEMBER(member, ...)		struct fact_number member;
#define FACT_FLAG_MEMBER(member, ...)		struct fact_flag member;
#define FACT_GROUP_MEMBER(member, of, ...)	struct of member;
#define FACT_LIST_MEMBER(member, list_type, ...) list_type member;

#define FACT_LAYOUT(name, list) \
	const struct layout name##_layout = { \
		sizeof(struct name), \
		(const struct field[]) { \
			list(FIELD(FIELD_TEXT, name, TEXT), FIELD(FIELD_NUMBER, name, NUMBER), \
				FIELD(FIELD_FLAG, name, TEXT), FIELD(FIELD_GROUP, name, GROUP), \
				FIELD(FIELD_LIST, name, LIST)) \
		}, \
		0 list(FIELD_COUNT, FIELD_COUNT, FIELD_COUNT, FIELD_COUNT, FIELD_COUNT) \
	}
#define FIELD_COUNT(...) + 1

/*
 * A row does not name its struct, but the offset of its member needs it. So TEXT is, for the list,
 * the first half of an initializer, which ends in the name of a macro; the row's arguments come
 * after it and complete it:
 *
 *	TEXT(release, "...")
 *	{ FIELD_TEXT, __builtin_offsetof(struct kernel_facts, FIELD_END_TEXT(release, "...")
 *	{ FIELD_TEXT, __builtin_offsetof(struct kernel_facts, release), "release", .help = "..." },
 */
#define FIELD(type, structure, row) { type, __builtin_offsetof(struct structure, FIELD_END_##row
#define FIELD_END_TEXT(member, text, ...) \
	member), #member, .unit = "", .help = text, __VA_ARGS__ },
#define FIELD_END_NUMBER(member, of_unit, text, ...) \
	member), #member, .unit = of_unit, .help = text, __VA_ARGS__ },
#define FIELD_END_GROUP(member, of, text, ...) \
	member), #member, .layout = &of##_layout, .unit = "", .help = text, __VA_ARGS__ },
#define FIELD_END_LIST(member, list_type, of, text, ...) \
	member), #member, .layout = &of##_layout, .unit = "", .help = text, __VA_ARGS__ },
/* clang-format on */

/* Makes a fact known; text is copied (NULL makes the fact absent). What was there is freed. */
void fact_set_number(struct fact_number *fact, uint64_t value);
void fact_set_flag(struct fact_flag *fact, bool value);
void fact_set_text(struct fact_text *fact, const char *value);
/* The same, but the fact takes VALUE over. */
void fact_take_text(struct fact_text *fact, char *value);

/* Any fact: fact_set_absent(fact_of(&facts->kernel.release)). */
void fact_set_absent(struct fact *fact);
void fact_set_unknown(struct fact *fact, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Reads a file of one line. No such file: absent. Not readable, or not a number where it has to be
 * one: unknown, with the reason.
 */
void fact_read_text(struct fact_text *fact, const struct root *root, const char *path);
void fact_read_number(struct fact_number *fact, const struct root *root, const char *path);

/* True when known and equal to VALUE. */
bool fact_text_is(const struct fact_text *fact, const char *value);
bool fact_is_true(const struct fact_flag *fact);
bool fact_is_false(const struct fact_flag *fact);

/* True for a fact that came after the ec2hib which saved the file that these facts are from. */
bool fact_was_not_saved(const struct fact *fact);

/* The value of a fact that is known, else OTHER. */
static inline uint64_t fact_number_or(const struct fact_number *fact, uint64_t other)
{
	return fact->is == FACT_KNOWN ? fact->value : other;
}

static inline const char *fact_text_or(const struct fact_text *fact, const char *other)
{
	return fact->is == FACT_KNOWN ? fact->value : other;
}

/* Makes every fact of the struct absent, or unknown for this one reason. */
void layout_set_absent(const struct layout *layout, void *structure);
void layout_set_unknown(const struct layout *layout, void *structure, const char *why);

/* What nobody has set, and there is no reason for, does not apply: it becomes absent. */
void layout_settle(const struct layout *layout, void *structure);

/* Makes TO, which must be zeroed, the same as FROM; what it holds is its own. */
void layout_copy(const struct layout *layout, void *to, const void *from);

/* Frees what a struct of this layout holds, and makes all of it unknown. */
void layout_free(const struct layout *layout, void *structure);

/* Frees a FACT_LIST with items of this layout, and makes it an empty one that is unknown. */
void fact_list_free(const struct layout *layout, void *list);

/*
 * JSON: a known fact is its value, an absent one null, an unknown one {"unknown": "the reason"}.
 * layout_from_json() is strict about types, takes what is missing as unknown, and ignores names
 * that it does not know; STRUCTURE must be zeroed before, and freed also after an error.
 */
json_t *layout_to_json(const struct layout *layout, const void *structure);
int layout_from_json(const struct layout *layout, void *structure, json_t *json, const char *where,
	struct error *err);

/*
 * What that JSON holds, for its readers, in its order: [{"path": "swaps[].used", "type": "integer",
 * "unit": "bytes", "volatile": true, "help": "..."}]. Types are JSON's; the unit is null where
 * there is none.
 */
json_t *layout_describe(const struct layout *layout);

#endif
