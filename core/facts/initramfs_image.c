/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/facts/initramfs_image.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/packed.h"
#include "core/base/text.h"
#include "core/facts/boot_text.h"

/* A header of cpio's "new" format: eight-digit numbers after the magic. */
#define HEADER_SIZE   110
#define NAME_MAX_SIZE 4096
#define TRAILER	      "TRAILER!!!"

/* Settings and lists within an image are a few lines; what is longer is read so far. */
#define TEXT_LIMIT ((size_t)256 * 1024)

/* Targets of links are remembered for those members alone that are looked for. */
#define LINKS_MAX 64

FACT_LAYOUT(initramfs_image, IMAGE_FACTS);

/* A link in the image that has a name which is looked for. */
struct link {
	enum image_member member;
	uint64_t target; /* hash of the name that it leads to */
};

struct image_reader {
	struct initramfs_image found;
	struct link links[LINKS_MAX];
	size_t link_count;
	uint64_t *names; /* hashes of the names of all files, without their folders */
	size_t name_count, name_room;
	char *resume_file; /* the one that RESUME is from */
	uint64_t expanded;
	uint64_t deadline_ms;
};

/* ---- Bytes ---- */

/* A part of a file, plain or unpacked. */
struct stream {
	struct image_reader *reader;
	struct packed_range range;
	struct packed *packed; /* NULL: plain */
	char buffer[64 * KIB];
	size_t at, length; /* in the buffer */
};

/* Fills an empty buffer: how many bytes; 0 at the end. */
static ssize_t stream_fill(struct stream *stream, struct error *err)
{
	struct image_reader *reader = stream->reader;
	ssize_t got;

	if (clock_ms(CLOCK_MONOTONIC) > reader->deadline_ms)
		return error_set(err, ETIMEDOUT, "it takes longer than %d s to read",
			IMAGE_TIME_MAX_MS / 1000);
	if (reader->expanded > IMAGE_EXPANDED_MAX)
		return error_set(err, EFBIG, "it has more than %llu GiB unpacked",
			(unsigned long long)(IMAGE_EXPANDED_MAX / GIB));
	if (stream->packed)
		got = packed_read(stream->packed, stream->buffer, sizeof(stream->buffer), err);
	else
		got = packed_from_range(
			&stream->range, stream->buffer, sizeof(stream->buffer), err);
	stream->at = 0;
	stream->length = got > 0 ? (size_t)got : 0;
	reader->expanded += stream->length;
	return got;
}

/* The next SIZE bytes into BYTES; NULL passes over them. -EBADMSG when there are fewer. */
static int stream_take(struct stream *stream, void *bytes, uint64_t size, struct error *err)
{
	char *to = bytes;

	while (size) {
		size_t part = stream->length - stream->at;

		if (part == 0 && !to && !stream->packed &&
			size <= stream->range.end - stream->range.at) {
			stream->range.at += size;
			return 0;
		}
		if (part == 0) {
			ssize_t got = stream_fill(stream, err);

			if (got < 0)
				return (int)got;
			if (got == 0)
				return error_set(err, EBADMSG, "it ends in the middle of a file");
			continue;
		}
		if (part > size)
			part = (size_t)size;
		if (to) {
			memcpy(to, stream->buffer + stream->at, part);
			to += part;
		}
		stream->at += part;
		size -= part;
	}
	return 0;
}

/* Passes over zeros: the byte after them, which is not taken; 0 at the end; or a negative errno. */
static int stream_next(struct stream *stream, struct error *err)
{
	for (;;) {
		while (stream->at < stream->length && !stream->buffer[stream->at])
			stream->at++;
		if (stream->at < stream->length)
			return (unsigned char)stream->buffer[stream->at];
		ssize_t got = stream_fill(stream, err);

		if (got <= 0)
			return (int)got;
	}
}

/* ---- What a member is ---- */

/* "lib/systemd/systemd" of "./usr/lib/systemd/systemd" and "/lib/systemd/systemd". */
static const char *plain_path(const char *name)
{
	for (;;) {
		if (text_starts(name, "./"))
			name += 2;
		else if (*name == '/')
			name++;
		else
			break;
	}
	return text_starts(name, "usr/") ? name + 4 : name;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool matches(const char *pattern, const char *path, const char *base)
{
	size_t length = strlen(pattern);

	if (*pattern == '*')
		return text_ends(path, pattern + 1);
	if (!strchr(pattern, '/'))
		path = base;
	return pattern[length - 1] == '*' ? strncmp(path, pattern, length - 1) == 0
					  : strcmp(path, pattern) == 0;
}

#define PATTERNS_MAX 5
static const char *const patterns[IMAGE_MEMBER_COUNT][PATTERNS_MAX] = {
#define X(name, ...) [IMAGE_##name] = { __VA_ARGS__ },
	IMAGE_MEMBERS(X)
#undef X
};

/* The members of IMAGE_MEMBERS that a file with this path is, a bit each. */
static uint64_t members_at(const char *path)
{
	const char *base = base_of(path);
	uint64_t found = 0;

	for (size_t i = 0; i < IMAGE_MEMBER_COUNT; i++)
		for (const char *const *pattern = patterns[i];
			pattern < patterns[i] + PATTERNS_MAX && *pattern; pattern++)
			if (matches(*pattern, path, base)) {
				found |= (uint64_t)1 << i;
				break;
			}
	return found;
}

/* FNV-1a: good enough to ask whether some file has a name. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	return hash;
}

static void add_name(struct image_reader *reader, const char *base)
{
	if (reader->name_count == reader->name_room) {
		reader->name_room = reader->name_room ? 2 * reader->name_room : 4096;
		reader->names = realloc(reader->names, reader->name_room * sizeof(*reader->names));
		if (!reader->names)
			abort(); /* core/base/memory.h; IMAGE_MEMBERS_MAX bounds it */
	}
	reader->names[reader->name_count++] = hash_of(base);
}

/* "255" of libsystemd-shared-255.4-1.fc40.so: all of systemd's programs need it. */
static void see_systemd(struct initramfs_image *found, const char *base)
{
	static const char *const libraries[] = { "libsystemd-shared-", "libsystemd-core-" };

	for (size_t i = 0; i < ARRAY_SIZE(libraries); i++)
		if (text_starts(base, libraries[i]) &&
			isdigit((unsigned char)base[strlen(libraries[i])]))
			fact_set_number(
				&found->systemd, strtoul(base + strlen(libraries[i]), NULL, 10));
}

static void see_release(struct initramfs_image *found, const char *path)
{
	static const char folder[] = "lib/modules/";
	const char *release = path + strlen(folder);
	size_t length;

	if (found->release.is == FACT_KNOWN || !text_starts(path, folder))
		return;
	length = strcspn(release, "/");
	if (release[length] && isdigit((unsigned char)*release))
		fact_take_text(&found->release, text_copy_length(release, length));
}

static void see_file(struct image_reader *reader, const char *path)
{
	const char *base = base_of(path);

	reader->found.members.value |= members_at(path);
	add_name(reader, base);
	see_systemd(&reader->found, base);
	see_release(&reader->found, path);
}

/* A link is what it leads to, if that is in the image; to /dev/null it switches a unit off. */
static void see_link(struct image_reader *reader, const char *path, const char *target)
{
	uint64_t members = members_at(path);
	uint64_t units = (uint64_t)1 << IMAGE_unit | (uint64_t)1 << IMAGE_template_unit;

	if (strcmp(target, "/dev/null") == 0) {
		if (members & units)
			fact_set_flag(&reader->found.masked, true);
		return;
	}
	for (size_t i = 0; i < IMAGE_MEMBER_COUNT && reader->link_count < LINKS_MAX; i++)
		if (members >> i & 1)
			reader->links[reader->link_count++] = (struct link) {
				.member = (enum image_member)i,
				.target = hash_of(base_of(target)),
			};
}

static int compare_hashes(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void resolve_links(struct image_reader *reader)
{
	if (!reader->link_count || !reader->name_count)
		return;
	qsort(reader->names, reader->name_count, sizeof(*reader->names), compare_hashes);
	for (size_t i = 0; i < reader->link_count; i++)
		if (bsearch(&reader->links[i].target, reader->names, reader->name_count,
			    sizeof(*reader->names), compare_hashes))
			reader->found.members.value |= (uint64_t)1 << reader->links[i].member;
}

/* ---- What a member says ---- */

static void read_dracut_modules(struct image_reader *reader, const char *path UNUSED, char *text)
{
	strings_cleanup struct strings words = { 0 };

	strings_split(&words, text, " \t\n\r");
	fact_take_text(&reader->found.dracut_modules, strings_join(&words, " "));
}

/* init reads initramfs.conf and then conf.d in the order of the names; the last one counts. */
static void read_tools_settings(struct image_reader *reader, const char *path, char *text)
{
	memory_cleanup_free char *refuses = boot_setting(text, "noresume");
	char *resume = boot_setting(text, "RESUME");
	const char *file = text_starts(path, "conf/conf.d/") ? path : "";

	if (refuses && *refuses)
		fact_set_flag(&reader->found.refuses, true);
	if (!resume || (reader->resume_file && strcmp(file, reader->resume_file) < 0)) {
		free(resume);
		return;
	}
	text_set(&reader->resume_file, text_copy(file));
	fact_take_text(&reader->found.resume, resume);
}

static void read_local_script(struct image_reader *reader, const char *path UNUSED, char *text)
{
	fact_set_flag(&reader->found.calls_program, strstr(text, "bin/resume") != NULL);
}

static void read_hooks(struct image_reader *reader, const char *path UNUSED, char *text)
{
	char *hooks = boot_setting(text, "HOOKS");

	if (hooks)
		fact_take_text(&reader->found.hooks, hooks);
}

static void read_built_in(struct image_reader *reader, const char *path UNUSED, char *text)
{
	image_built_in(&reader->found, text);
}

static void read_arguments(struct image_reader *reader, const char *path UNUSED, char *text)
{
	struct fact_text *arguments = &reader->found.arguments;
	strings_cleanup struct strings words = { 0 };
	char *all;

	strings_split(&words, text, " \t\n\r");
	if (arguments->is == FACT_KNOWN && *arguments->value) {
		memory_cleanup_free char *more = strings_join(&words, " ");

		all = text_format("%s %s", arguments->value, more);
	} else {
		all = strings_join(&words, " ");
	}
	fact_take_text(arguments, all);
}

/*
 * crypttab(5): the first word of a line is the mapping's name. initramfs-tools has it as
 * cryptroot/crypttab.
 */
static void read_crypttab(struct image_reader *reader, const char *path UNUSED, char *text)
{
	strings_cleanup struct strings lines = { 0 }, names = { 0 };

	strings_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		strings_cleanup struct strings words = { 0 };

		strings_split(&words, lines.items[i], " \t");
		if (words.count && *words.items[0] != '#')
			strings_add(&names, words.items[0]);
	}
	fact_take_text(&reader->found.crypttab, strings_join(&names, " "));
}

static const struct text_member {
	const char *pattern;
	void (*read)(struct image_reader *reader, const char *path, char *text);
} text_members[] = {
	{ "lib/dracut/modules.txt", read_dracut_modules },
	{ "conf/initramfs.conf", read_tools_settings },
	{ "conf/conf.d/*", read_tools_settings },
	{ "conf/param.conf", read_tools_settings },
	{ "scripts/local-premount/resume", read_local_script },
	{ "config", read_hooks },
	{ "modules.builtin", read_built_in },
	{ "cryptroot/crypttab", read_crypttab },
	{ "etc/crypttab", read_crypttab },
	{ "etc/cmdline", read_arguments },
	{ "etc/cmdline.d/*", read_arguments },
};

static const struct text_member *text_member_at(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(text_members); i++)
		if (matches(text_members[i].pattern, path, base_of(path)))
			return &text_members[i];
	return NULL;
}

/* ---- The archive ---- */

struct header {
	uint64_t mode;
	uint64_t size;
	uint64_t name_size;
};

static bool hex_number(const char *digits, uint64_t *number)
{
	*number = 0;
	for (int i = 0; i < 8; i++) {
		int c = tolower((unsigned char)digits[i]);

		if (!isxdigit(c))
			return false;
		*number = *number << 4 | (uint64_t)(isdigit(c) ? c - '0' : c - 'a' + 10);
	}
	return true;
}

static int read_header(struct stream *stream, struct header *header, struct error *err)
{
	char bytes[HEADER_SIZE];
	int status = stream_take(stream, bytes, sizeof(bytes), err);

	if (status < 0)
		return status;
	if ((memcmp(bytes, "070701", 6) != 0 && memcmp(bytes, "070702", 6) != 0) ||
		!hex_number(bytes + 14, &header->mode) || !hex_number(bytes + 54, &header->size) ||
		!hex_number(bytes + 94, &header->name_size) || header->name_size == 0 ||
		header->name_size > NAME_MAX_SIZE)
		return error_set(err, EBADMSG, "it has no cpio archive where one should begin");
	return 0;
}

/* So many bytes fill SIZE up to four. */
static uint64_t padding(uint64_t size)
{
	return -size & 3;
}

/* SIZE bytes of a member as text, at most TEXT_LIMIT of them; the caller frees it. */
static int take_text(struct stream *stream, uint64_t size, char **text, struct error *err)
{
	size_t length = size < TEXT_LIMIT ? (size_t)size : TEXT_LIMIT;
	int status;

	*text = memory_new(length + 1, 1);
	status = stream_take(stream, *text, length, err);
	return status < 0 ? status : stream_take(stream, NULL, size - length, err);
}

static int read_member(
	struct stream *stream, const struct header *header, const char *name, struct error *err)
{
	struct image_reader *reader = stream->reader;
	const char *path = plain_path(name);
	const struct text_member *reads =
		S_ISREG(header->mode) && header->size ? text_member_at(path) : NULL;
	memory_cleanup_free char *text = NULL;
	int status;

	if (S_ISREG(header->mode))
		see_file(reader, path);
	if (reads || S_ISLNK(header->mode))
		status = take_text(stream, header->size, &text, err);
	else
		status = stream_take(stream, NULL, header->size, err);
	if (status < 0)
		return status;
	if (S_ISLNK(header->mode))
		see_link(reader, path, text);
	else if (reads)
		reads->read(reader, path, text);
	return stream_take(stream, NULL, padding(header->size), err);
}

/*
 * Archives up to something that is none, which is not taken: its first byte; 0 at the end; or a
 * negative errno.
 */
static int read_archives(struct stream *stream, struct error *err)
{
	struct image_reader *reader = stream->reader;
	bool ended = true;
	int next;

	while ((next = stream_next(stream, err)) == '0') {
		char name[NAME_MAX_SIZE];
		struct header header;
		int status = read_header(stream, &header, err);

		if (status == 0)
			status = stream_take(stream, name, header.name_size, err);
		if (status == 0)
			status = stream_take(
				stream, NULL, padding(HEADER_SIZE + header.name_size), err);
		if (status < 0)
			return status;
		if (name[header.name_size - 1])
			return error_set(err, EBADMSG, "the name of a file in it has no end");
		ended = strcmp(name, TRAILER) == 0;
		if (reader->name_count >= IMAGE_MEMBERS_MAX)
			return error_set(
				err, EFBIG, "it has more than %d files", IMAGE_MEMBERS_MAX);
		status = read_member(stream, &header, name, err);
		if (status < 0)
			return status;
	}
	if (next >= 0 && !ended)
		return error_set(err, EBADMSG, "a cpio archive in it has no end");
	return next;
}

/* One packed part, which begins at RANGE. */
static int read_packed_part(struct stream *stream, enum packed_kind kind, struct error *err)
{
	uint64_t start = stream->range.at;
	struct packed_range part = stream->range;
	int status;

	part.end = packed_frames_end(kind, &part);
	status = packed_open(&stream->packed, kind, packed_from_range, &part, err);
	stream->at = stream->length = 0;
	if (status == 0)
		status = read_archives(stream, err);
	if (status > 0)
		status = error_set(err, EBADMSG, "what is packed in it is not a cpio archive");
	if (status == 0) {
		uint64_t used = packed_used(stream->packed);

		stream->range.at = used ? start + used : part.end;
	}
	packed_close(stream->packed);
	stream->packed = NULL;
	stream->at = stream->length = 0;
	return status;
}

/* A boot configuration may follow (Linux Documentation/admin-guide/bootconfig.rst): without it. */
static uint64_t without_bootconfig(int fd, uint64_t offset, uint64_t size)
{
	static const char magic[] = "#BOOTCONFIG\n";
	unsigned char tail[20];
	uint64_t length;

	if (size < sizeof(tail) ||
		pread(fd, tail, sizeof(tail), (off_t)(offset + size - sizeof(tail))) !=
			(ssize_t)sizeof(tail) ||
		memcmp(tail + 8, magic, strlen(magic)) != 0)
		return size;
	length = (uint64_t)tail[0] | (uint64_t)tail[1] << 8 | (uint64_t)tail[2] << 16 |
		 (uint64_t)tail[3] << 24;
	return length <= size - sizeof(tail) ? size - sizeof(tail) - length : size;
}

static int read_parts(struct stream *stream, struct error *err)
{
	for (;;) {
		char mark[PACKED_MARK_SIZE] = { 0 };
		int next = read_archives(stream, err);
		enum packed_kind kind;

		if (next <= 0)
			return next;
		stream->range.at -= stream->length - stream->at;
		stream->at = stream->length = 0;
		if (pread(stream->range.fd, mark, sizeof(mark), (off_t)stream->range.at) < 0)
			return error_errno(err, errno, "cannot read it");
		kind = packed_kind_of(mark, sizeof(mark));
		if (kind == PACKED_NOT)
			return error_set(err, EBADMSG,
				"what is in it is neither a cpio archive nor packed in a known way");
		next = read_packed_part(stream, kind, err);
		if (next < 0)
			return next;
	}
}

struct image_reader *image_reader_begin(void)
{
	struct image_reader *reader = memory_new(1, sizeof(*reader));

	fact_set_number(&reader->found.members, 0);
	fact_set_number(&reader->found.built_in, 0);
	reader->deadline_ms = clock_ms(CLOCK_MONOTONIC) + IMAGE_TIME_MAX_MS;
	return reader;
}

int image_reader_add(struct image_reader *reader, int fd, uint64_t offset, uint64_t size,
	const char *name, struct error *err)
{
	struct stream *stream;
	int status;

	if (size == 0)
		return error_set(err, EBADMSG, "%s is empty", name);
	stream = memory_new(1, sizeof(*stream));
	stream->reader = reader;
	stream->range.fd = fd;
	stream->range.at = offset;
	stream->range.end = offset + without_bootconfig(fd, offset, size);
	status = read_parts(stream, err);
	free(stream);
	if (status == -EBADMSG)
		return error_prefix(err, status, "%s is damaged", name);
	return status < 0 ? error_prefix(err, status, "cannot look into %s", name) : 0;
}

void image_reader_end(struct image_reader *reader, struct initramfs_image *image)
{
	resolve_links(reader);
	layout_settle(&initramfs_image_layout, &reader->found);
	if (image)
		*image = reader->found;
	else
		layout_free(&initramfs_image_layout, &reader->found);
	free(reader->resume_file);
	free(reader->names);
	free(reader);
}

/* ---- What follows ---- */

void image_built_in(struct initramfs_image *image, const char *list)
{
	char *line;

	fact_set_flag(&image->knows_built_in, true);
	fact_set_number(&image->built_in, 0);
	while ((line = boot_next_line(&list))) {
		image->built_in.value |= members_at(line);
		free(line);
	}
}

enum image_driver image_driver(const struct initramfs_image *image, enum image_member member)
{
	if (image_has(image, member) || (image->built_in.value >> member & 1))
		return DRIVER_IS_THERE;
	return fact_is_true(&image->knows_built_in) ? DRIVER_IS_MISSING : DRIVER_UNKNOWN;
}

const char *image_maker(const struct initramfs_image *image)
{
	if (image_has(image, IMAGE_dracut))
		return "dracut";
	if (image_has(image, IMAGE_mkinitcpio))
		return "mkinitcpio";
	if (image_has(image, IMAGE_initramfs_tools))
		return "initramfs-tools";
	return image_has(image, IMAGE_booster) ? "booster" : NULL;
}

/* True when WORD is one of the words of TEXT, which may be NULL. */
static bool has_word(const char *text, const char *word)
{
	strings_cleanup struct strings words = { 0 };

	if (text)
		strings_split(&words, text, " \t");
	return strings_contain(&words, word);
}

static enum image_answer lacks(char **why, char *what)
{
	*why = what;
	return IMAGE_LACKS_RESUME;
}

/*
 * systemd-hibernate-resume-generator(8) makes the unit a part of the boot, and the unit runs
 * systemd-hibernate-resume. Until version 254 the unit is a template, from 255 on it is not
 * (systemd a628d933cc67): dracut up to 059 looks for the template alone, so that the unit is the
 * one of the three that is missing. ALL: whoever made the image says that it put in all there is.
 */
static enum image_answer systemd_resumes(const struct initramfs_image *image, bool all, char **why)
{
	static const char new_unit[] = "systemd-hibernate-resume.service";
	static const char old_unit[] = "systemd-hibernate-resume@.service";
	uint64_t version = fact_number_or(&image->systemd, 0);
	bool has_new = image_has(image, IMAGE_unit),
	     has_old = image_has(image, IMAGE_template_unit);
	bool generator = image_has(image, IMAGE_generator);
	bool program = image_has(image, IMAGE_program);

	if (fact_is_true(&image->masked))
		return lacks(why, text_copy("systemd's unit for the resume is masked in it"));
	if (!version && !has_new && !has_old)
		return lacks(why, text_format("it lacks %s", new_unit));
	if (version && !(version < 255 ? has_old : has_new))
		return lacks(why,
			text_format("it lacks %s, which its systemd %llu needs",
				version < 255 ? old_unit : new_unit, (unsigned long long)version));
	if (all && !generator && !program)
		return IMAGE_RESUMES;
	if (!generator)
		return lacks(why, text_copy("it lacks systemd-hibernate-resume-generator"));
	if (!program)
		return lacks(why, text_copy("it lacks the program systemd-hibernate-resume"));
	return IMAGE_RESUMES;
}

static enum image_answer dracut_resumes(const struct initramfs_image *image, char **why)
{
	bool listed = has_word(image->dracut_modules.value, "resume");
	bool parse = image_has(image, IMAGE_parse_script),
	     script = image_has(image, IMAGE_resume_script);

	/* Its own scripts also work beside systemd (95resume/module-setup.sh). */
	if (parse && script)
		return IMAGE_RESUMES;
	if (!image_has(image, IMAGE_systemd)) {
		if (listed && parse == script)
			return IMAGE_RESUMES;
		return lacks(why, text_copy(listed ? "it lacks a script of dracut's module resume"
						   : "it is without dracut's module resume"));
	}
	if (!listed && !image_has(image, IMAGE_unit) && !image_has(image, IMAGE_template_unit))
		return lacks(why, text_copy("it is without dracut's module resume"));
	return systemd_resumes(image, listed, why);
}

static enum image_answer tools_resume(const struct initramfs_image *image, char **why)
{
	if (!image_has(image, IMAGE_local_script))
		return lacks(why,
			text_copy("it lacks scripts/local-premount/resume of initramfs-tools"));
	if (fact_is_true(&image->calls_program) && !image_has(image, IMAGE_resume_program))
		return lacks(why, text_copy("it lacks the program resume, which klibc-utils has"));
	if (fact_is_true(&image->refuses))
		return lacks(why, text_copy("its settings have noresume"));
	return IMAGE_RESUMES;
}

static enum image_answer mkinitcpio_resumes(const struct initramfs_image *image, char **why)
{
	if (image_has(image, IMAGE_resume_hook) &&
		(image->hooks.is != FACT_KNOWN || has_word(image->hooks.value, "resume")))
		return IMAGE_RESUMES;
	if (image_has(image, IMAGE_systemd))
		return systemd_resumes(image, false, why);
	return lacks(why, text_copy("it is without mkinitcpio's hook resume"));
}

enum image_answer image_resumes(const struct initramfs_image *image, char **why)
{
	const char *maker = image_maker(image);

	*why = NULL;
	if (text_equal(maker, "dracut"))
		return dracut_resumes(image, why);
	if (text_equal(maker, "mkinitcpio"))
		return mkinitcpio_resumes(image, why);
	if (text_equal(maker, "initramfs-tools"))
		return tools_resume(image, why);
	if (!maker && image_has(image, IMAGE_systemd) &&
		systemd_resumes(image, false, why) == IMAGE_RESUMES)
		return IMAGE_RESUMES;
	text_set(why, maker ? text_format("it was made by %s, which ec2hib does not know", maker)
			    : text_copy("it was made by a tool that ec2hib does not know"));
	return IMAGE_UNKNOWN;
}
