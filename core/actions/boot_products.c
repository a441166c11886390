/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/actions/boot_products.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/actions/guard.h"
#include "core/actions/own_file.h"
#include "core/base/memory.h"
#include "core/facts/boot.h"
#include "core/facts/boot_grub.h"
#include "core/facts/boot_text.h"
#include "core/rules/arguments.h"

/* A generator looks at every kernel and disk; on a slow machine this takes a minute. */
#define PROGRAM_TIMEOUT_MS (10 * 60 * 1000)

/* The name under which PRODUCT is made; the caller frees it. */
static char *draft_path(const char *product)
{
	return text_format("%s.ec2hib-new", product);
}

/* The entries of what was made in the file PATH, as facts of their own. */
static struct facts *gather_made(const struct boot_products *products, const char *path)
{
	struct facts *facts = memory_new(1, sizeof(*facts));
	struct boot_search search;

	boot_search_begin(&search, products->root, &facts->boot);
	if (products->loader->gather_product) {
		products->loader->gather_product(&search, path);
	} else {
		text_set(&search.config_text, boot_search_read(&search, path, BOOT_TEXT_LIMIT));
		products->loader->gather(&search);
	}
	boot_search_end(&search);
	return facts;
}

static int lacks_arguments(const struct boot_products *products, const char *name,
	const struct entry_facts *next, struct error *err)
{
	memory_cleanup_free char *wanted = strings_join(products->wanted, " ");

	return error_set(err, EIO,
		"the new %s boots %s with \"%s\": something overrides the settings; have " GRUB_CMDLINE
		" end with \"%s\" and give these arguments nowhere else",
		name, next->kernel.value, fact_text_or(&next->arguments, ""), wanted);
}

/* Whether the machine can boot from what was made in the file DRAFT, with the arguments. */
static int look_at(const struct boot_products *products, const char *product, const char *draft,
	struct error *err)
{
	struct facts *facts = gather_made(products, draft);
	const struct entry_facts *next = facts_next_entry(facts);
	memory_cleanup_free char *kernel =
		next ? boot_real_path(products->root, next->kernel.value) : NULL;
	const char *arguments = next ? fact_text_or(&next->arguments, "") : "";
	const char *name = path_name(product);
	int status = 0;

	if (!next)
		status = error_set(err, EIO, "the new %s has no entry to boot", name);
	else if (!kernel)
		status = error_set(err, EIO, "the new %s would boot %s, which is not there", name,
			next->kernel.value);
	else if (products->wanted && !arguments_complete(arguments, products->wanted))
		status = lacks_arguments(products, name, next, err);
	facts_free(facts);
	free(facts);
	return status;
}

/* Gives the DRAFT its place. A text keeps owner, mode and label of the one before. */
static int install(const struct boot_products *products, const char *product, const char *draft,
	struct error *err)
{
	memory_cleanup_free char *text = NULL;
	int status;

	if (products->loader->gather_product)
		return root_install(products->root, draft, product, err);
	status = root_read_text(products->root, draft, BOOT_TEXT_LIMIT, &text, err);
	return status < 0 ? status : root_replace(products->root, product, text, 0600, err);
}

static int make_one(const struct boot_products *products, const char *product, struct error *err)
{
	memory_cleanup_free char *draft = draft_path(product);
	strings_cleanup struct strings program = { 0 };
	int status;

	products->loader->generator(products->root, product, draft, &program);
	status = guard_run(products->root, products->boot, &program, PROGRAM_TIMEOUT_MS, err);
	/* kernel-install knows one name only, and writes the image there by itself. */
	if (status == 0 && !root_exists(products->root, draft))
		return look_at(products, product, product, err);
	if (status == 0)
		status = look_at(products, product, draft, err);
	if (status == 0)
		status = install(products, product, draft, err);
	return status;
}

static void list_products(const struct boot_products *products, struct strings *list)
{
	if (products->loader->products)
		products->loader->products(products->root, products->boot, list);
	else if (products->boot->config.value)
		strings_add(list, products->boot->config.value);
}

int boot_products_make(const struct boot_products *products, struct error *err)
{
	strings_cleanup struct strings list = { 0 };
	int status = 0;

	list_products(products, &list);
	if (list.count == 0)
		return error_set(err, ENOENT, "nothing is there that %s could be made anew for",
			products->loader->name);
	for (size_t i = 0; status == 0 && i < list.count; i++)
		status = make_one(products, list.items[i], err);
	boot_products_sweep(products);
	return status;
}

void boot_products_sweep(const struct boot_products *products)
{
	strings_cleanup struct strings list = { 0 };

	list_products(products, &list);
	for (size_t i = 0; i < list.count; i++) {
		memory_cleanup_free char *draft = draft_path(list.items[i]);
		memory_cleanup_free char *draft_of_draft = text_format("%s.new", draft);

		own_leftover_remove(products->root, list.items[i]);
		own_draft_remove(products->root, draft, list.items[i]);
		/* grub-mkconfig's own. */
		own_draft_remove(products->root, draft_of_draft, list.items[i]);
	}
}
