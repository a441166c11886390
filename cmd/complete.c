/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the shells' completion scripts and our own prompt ask: ec2hib __complete -- WORD... prints
 * the candidates for the last word, one a line, each with a tab and its help. The words come from
 * the command table, so a completion cannot be stale. The lines ":files" and ":folders" ask the
 * shell for file names.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/imds.h"
#include "core/facts/imds_tree.h"
#include "core/facts/swaps.h"
#include "core/rules/checks.h"
#include "core/rules/rehearsal.h"
#include "sim/faults.h"
#include "ui/style.h"

/* Whoever has typed Tab waits. */
#define ITEMS_TIMEOUT_MS 500
#define ITEMS_TOTAL_MS	 800

#define SECTOR ((uint64_t)512) /* /sys/class/block/NAME/size counts these, whatever the disk has */

/* The word that is being typed, and what the words before it say. */
struct completion {
	const char *typed;
	struct global_options global; /* as far as they say which machine is looked at */
	size_t offered;		      /* so many so far */
};

/* Prints WORD when it begins with what is typed; HELP may be NULL. */
static void offer(struct completion *completion, const char *word, const char *help)
{
	memory_cleanup_free char *safe = style_text(word);

	/* What would reach the terminal as something else is not offered; it can be typed. */
	if (!text_starts(word, completion->typed) || strcmp(safe, word) != 0)
		return;
	printf("%s\t%s\n", word, help ? help : "");
	completion->offered++;
}

/* ---- The metadata service ---------------------------------------------------------------- */

static void offer_known_items(struct completion *completion)
{
	static const char *const items[] = { "ami-id", "hibernation/configured", "instance-id",
		"instance-life-cycle", "instance-type", "placement/region", "spot/instance-action",
		"events/maintenance/scheduled", "events/recommendations/rebalance", "meta-data/",
		"dynamic/instance-identity/document", "user-data", NULL };

	for (size_t i = 0; items[i]; i++)
		offer(completion, items[i], NULL);
}

/* What a folder lists, after PREFIX. public-keys/ has "0=my-key" for what is below 0/. */
static void offer_listing(struct completion *completion, const char *prefix, const char *listing)
{
	strings_cleanup struct strings names = { 0 };

	strings_split(&names, listing, "\r\n");
	for (size_t i = 0; i < names.count; i++) {
		size_t digits = strspn(names.items[i], "0123456789");
		bool key = digits && names.items[i][digits] == '=';
		memory_cleanup_free char *path = text_format("%s%.*s%s", prefix,
			key ? (int)digits : (int)strlen(names.items[i]), names.items[i],
			key ? "/" : "");
		memory_cleanup_free char *whole = imds_path_complete(path);

		if (imds_path_valid(whole))
			offer(completion, path, NULL);
	}
}

/* 0 and the caller's text, or a negative errno. */
static int list_folder(const char *endpoint, const char *folder, char **listing)
{
	struct imds_options options = { .endpoint = endpoint };
	struct error err = { "" };
	struct imds *imds;
	int status = imds_options_read(&options, getenv, &err);

	if (status < 0)
		return status;
	if (!options.timeout_ms || options.timeout_ms > ITEMS_TIMEOUT_MS)
		options.timeout_ms = ITEMS_TIMEOUT_MS;
	options.total_ms = ITEMS_TOTAL_MS;
	options.attempts = 1;
	status = imds_open(&imds, &options, &err);
	if (status < 0)
		return status;
	status = imds_get(imds, folder, listing, &err);
	imds_close(imds);
	return status;
}

/* The topmost folders, after PREFIX. */
static void offer_tops(struct completion *completion, const char *prefix)
{
	static const char *const tops[] = { "meta-data/", "dynamic/", "user-data" };

	for (size_t i = 0; i < ARRAY_SIZE(tops); i++) {
		memory_cleanup_free char *top = text_format("%s%s", prefix, tops[i]);

		offer(completion, top, NULL);
	}
}

/*
 * Paths of the metadata service, as its folders list them. It has a short time to answer; when it
 * does not, the paths that people ask for most.
 */
static void offer_items(struct completion *completion)
{
	const char *slash = strrchr(completion->typed, '/');
	memory_cleanup_free char *prefix = text_copy_length(
		completion->typed, slash ? (size_t)(slash - completion->typed) + 1 : 0);
	memory_cleanup_free char *folder = imds_path_complete(prefix);
	char *listing = NULL;

	if (!*folder)
		offer_tops(completion, prefix);
	/* Of /latest/ these are all; who wants credentials has to know their name. */
	if ((!*folder && *prefix) || imds_path_is_secret(folder))
		return;
	if (list_folder(completion->global.imds_endpoint, *folder ? folder : "meta-data/",
		    &listing) == 0)
		offer_listing(completion, prefix, listing);
	else
		offer_known_items(completion);
	free(listing);
}

/* ---- Swaps and devices ------------------------------------------------------------------- */

/* A size of 0 is not known. */
static void offer_sized(
	struct completion *completion, const char *path, uint64_t size, const char *what)
{
	memory_cleanup_free char *text = size_format(size);
	memory_cleanup_free char *help =
		text_format("%s%s%s", what, *what && size ? ", " : "", size ? text : "");

	offer(completion, path, help);
}

/* TYPE is file or partition, as /proc/swaps has it. */
static void offer_swaps(struct completion *completion, const struct root *root, const char *type)
{
	memory_cleanup_free char *text = NULL;
	swap_list swaps = { 0 };
	struct error err = { "" };

	if (root_read_line(root, "/proc/swaps", &text, &err) < 0)
		return;
	swaps_parse(&swaps, text);
	for (size_t i = 0; i < swaps.count; i++)
		if (fact_text_is(&swaps.items[i].type, type))
			offer_sized(completion, swaps.items[i].path.value,
				swaps.items[i].size.value, "active swap");
	swaps_free(&swaps);
}

static void offer_block_devices(struct completion *completion, const struct root *root)
{
	/* Memory, files and media that no image should go to. */
	static const char *const unfit[] = { "ram", "loop", "zram", "sr", "fd", "dm-" };
	strings_cleanup struct strings names = { 0 };
	struct error err = { "" };

	if (root_list(root, "/sys/class/block", &names, &err) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		memory_cleanup_free char *file =
			text_format("/sys/class/block/%s/size", names.items[i]);
		memory_cleanup_free char *path = text_format("/dev/%s", names.items[i]);
		memory_cleanup_free char *text = NULL;
		uint64_t sectors;
		size_t k = 0;

		while (k < ARRAY_SIZE(unfit) && !text_starts(names.items[i], unfit[k]))
			k++;
		if (k == ARRAY_SIZE(unfit) && root_read_line(root, file, &text, &err) == 0 &&
			number_parse(text, &sectors) == 0 && sectors)
			offer_sized(completion, path, sectors * SECTOR, "");
	}
}

/* Active swap files, or /swap. */
static void offer_swap_files(struct completion *completion)
{
	struct error err = { "" };
	struct root root;

	if (!completion->global.root && root_open(&root, "/", &err) == 0) {
		offer_swaps(completion, &root, "file");
		root_close(&root);
	}
	if (!completion->offered)
		offer(completion, "/swap", "the default");
}

static void offer_devices(struct completion *completion)
{
	struct error err = { "" };
	struct root root;

	if (completion->global.root || root_open(&root, "/", &err) < 0)
		return;
	offer_swaps(completion, &root, "partition");
	offer_block_devices(completion, &root);
	root_close(&root);
}

/* ---- The command table ------------------------------------------------------------------- */

static void offer_options(
	struct completion *completion, const struct option_row *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char name[64];

		snprintf(name, sizeof(name), "--%s", options[i].name);
		offer(completion, name, options[i].help);
	}
}

static void offer_words(struct completion *completion, const char *const *words)
{
	for (; words && *words; words++)
		offer(completion, *words, NULL);
}

static void offer_faults(struct completion *completion)
{
	for (size_t i = 0; i < fault_kind_count; i++) {
		char word[32];

		snprintf(word, sizeof(word), "%s=", fault_kinds[i].name);
		offer(completion, word, fault_kinds[i].help);
	}
}

static void offer_checks(struct completion *completion)
{
	const struct check *check;

	for (size_t i = 0; (check = check_at(i)); i++)
		offer(completion, check->id, check->title);
}

static void offer_commands(struct completion *completion)
{
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->summary)
			offer(completion, commands[i]->name, commands[i]->summary);
}

/* The last of a list; what is before it stays. */
static void offer_levels(struct completion *completion)
{
	const char *typed = completion->typed, *comma = strrchr(typed, ',');
	int before = comma ? (int)(comma + 1 - typed) : 0;

	for (size_t i = 0; i < LEVEL_COUNT; i++) {
		memory_cleanup_free char *word =
			text_format("%.*s%s", before, typed, rehearsal_levels[i].id);

		offer(completion, word, rehearsal_levels[i].title);
	}
	if (!comma)
		offer(completion, "all", "every level, the whole cycle too");
}

static void offer_swap_sizes(struct completion *completion)
{
	static const char *const sizes[] = { "auto", "100%", "50%", "4G", "8G", "16G", NULL };

	offer_words(completion, sizes);
}

static void offer_endpoints(struct completion *completion)
{
	offer(completion, IMDS_ENDPOINT_IPV4, "the service of an instance, IPv4");
	offer(completion, IMDS_ENDPOINT_IPV6, "the service of an instance, IPv6");
}

static void offer_arguments(
	struct completion *completion, enum argument_kind kind, const char *const *words)
{
	static void (*const offers[])(struct completion * completion) = {
		[ARGUMENT_SWAP_SIZE] = offer_swap_sizes,
		[ARGUMENT_URL] = offer_endpoints,
		[ARGUMENT_CHECK] = offer_checks,
		[ARGUMENT_COMMAND] = offer_commands,
		[ARGUMENT_ITEM] = offer_items,
		[ARGUMENT_FAULT] = offer_faults,
		[ARGUMENT_SWAP_FILE] = offer_swap_files,
		[ARGUMENT_DEVICE] = offer_devices,
		[ARGUMENT_LEVELS] = offer_levels,
	};

	if (kind == ARGUMENT_WORD)
		offer_words(completion, words);
	else if (offers[kind])
		offers[kind](completion);
	if (kind == ARGUMENT_FOLDER)
		puts(":folders");
	/* Any other file may be meant where none of what we know of is. */
	if (kind == ARGUMENT_FILE || kind == ARGUMENT_SAVED ||
		(!completion->offered && (kind == ARGUMENT_SWAP_FILE || kind == ARGUMENT_DEVICE)))
		puts(":files");
}

static void offer_subcommands(struct completion *completion, const struct command *command)
{
	for (size_t i = 0; command->subcommands[i]; i++)
		offer(completion, command->subcommands[i]->name, command->subcommands[i]->summary);
}

/* ---- The words before ------------------------------------------------------------------- */

/* The option that WORD names, up to a =, and that wants an argument; NULL otherwise. */
static const struct option_row *awaits_argument(const struct command *command, const char *word)
{
	size_t length = strcspn(word, "=");

	const struct option_row *lists[] = { global_options, command ? command->options : NULL };
	const size_t counts[] = { global_option_count, command ? command->option_count : 0 };

	if (!text_starts(word, "--"))
		return NULL;
	for (size_t list = 0; list < 2; list++)
		for (size_t i = 0; i < counts[list]; i++)
			if (lists[list][i].kind != ARGUMENT_NONE &&
				strlen(lists[list][i].name) == length - 2 &&
				strncmp(lists[list][i].name, word + 2, length - 2) == 0)
				return &lists[list][i];
	return NULL;
}

static void take_value(
	struct completion *completion, const struct option_row *row, const char *value)
{
	if (row && row->of_machine)
		*(const char **)((char *)&completion->global + row->offset) = value;
}

/* Of help NAME, the command NAME when it has subcommands. */
static const struct command *find_topic(const struct command *command, const char *word)
{
	const struct command *topic = command == &command_help ? command_find(word) : NULL;

	return topic && topic->subcommands ? topic : NULL;
}

/* What the words before the last one come to. */
struct context {
	const struct command *command;	  /* NULL: none so far */
	const struct command *topic;	  /* help NAME, where NAME has subcommands */
	const struct option_row *awaited; /* whose argument is typed */
};

static void take_word(struct context *context, struct completion *completion, const char *word)
{
	const char *equals = strchr(word, '=');

	if (context->awaited) {
		take_value(completion, context->awaited, word);
		context->awaited = NULL;
	} else if (*word == '-' && equals) {
		take_value(completion, awaits_argument(context->command, word), equals + 1);
	} else if (*word == '-') {
		context->awaited = awaits_argument(context->command, word);
	} else if (!context->command) {
		context->command = command_find(word);
	} else if (subcommand_find(context->command, word)) {
		context->command = subcommand_find(context->command, word);
	} else {
		context->topic = find_topic(context->command, word);
	}
}

static void offer_all(const struct context *context, struct completion *completion)
{
	const struct command *command = context->command;

	if (context->awaited) {
		offer_arguments(completion, context->awaited->kind, context->awaited->words);
	} else if (*completion->typed == '-') {
		if (command)
			offer_options(completion, command->options, command->option_count);
		offer_options(completion, global_options, global_option_count);
	} else if (context->topic) {
		offer_subcommands(completion, context->topic);
	} else if (command && command->subcommands) {
		offer_subcommands(completion, command);
	} else {
		offer_arguments(completion, command ? command->operands : ARGUMENT_COMMAND, NULL);
	}
}

static int run(struct invocation *invocation, struct session *session UNUSED)
{
	struct completion completion = { .typed = "", .global = invocation->global };
	struct context context = { 0 };
	int last = invocation->operand_count - 1;

	for (int i = 0; i < last; i++)
		take_word(&context, &completion, invocation->operands[i]);
	if (last >= 0)
		completion.typed = invocation->operands[last];
	/* Of --option=value the values are offered. */
	if (!context.awaited && text_starts(completion.typed, "--") &&
		strchr(completion.typed, '=')) {
		context.awaited = awaits_argument(context.command, completion.typed);
		if (!context.awaited)
			return 0;
		completion.typed = strchr(completion.typed, '=') + 1;
	}
	offer_all(&context, &completion);
	return 0;
}

const struct command command_complete = {
	.name = "__complete",
	.synopsis = "-- WORD...",
	.operands = ARGUMENT_COMMAND,
	.run = run,
};
