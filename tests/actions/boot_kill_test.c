/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Killed at every step (tests/lib/kill.h). After each kill the machine must still boot, and the
 * next run must end where an undisturbed one does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/actions/initramfs.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/facts/boot.h"
#include "tests/actions/boot_tree.h"
#include "tests/lib/kill.h"
#include "tests/lib/skip.h"

static const uint64_t offset = 34816;

typedef int work(struct tree *tree, struct error *err);

static int remove_all(struct tree *tree, struct error *err)
{
	return tree_remove(tree, NULL, err);
}

static int set_initramfs(struct tree *tree, struct error *err)
{
	tree_gather(tree);
	return initramfs_set(&tree->root, tree->facts, err);
}

static int remove_initramfs(struct tree *tree, struct error *err)
{
	tree_gather(tree);
	return initramfs_remove(&tree->root, tree->facts, err);
}

/* Some work on a tree, as killed_before_step() takes it. */
struct tree_work {
	struct tree *tree;
	work *what;
};

static int do_tree_work(void *data)
{
	const struct tree_work *all = data;
	struct error err;

	return all->what(all->tree, &err);
}

static bool run_up_to(struct tree *tree, work *what, size_t step)
{
	struct tree_work all = { tree, what };

	return run_up_to_step(do_tree_work, &all, step);
}

static void must(struct tree *tree, work *what)
{
	struct error err;

	if (what(tree, &err) < 0)
		fail_msg("%s", err.text);
}

/* The machine has an entry to boot whose kernel and initramfs are there. */
static void assert_boots(struct tree *tree, const char *version, size_t step)
{
	const struct entry_facts *next;
	memory_cleanup_free char *kernel = NULL, *image = NULL;

	tree_gather(tree);
	next = facts_next_entry(tree->facts);
	if (!next)
		fail_msg("nothing to boot after step %zu", step);
	assert_string_equal(next->version.value, version);
	kernel = boot_real_path(&tree->root, next->kernel.value);
	assert_non_null(kernel);
	assert_non_null(strstr(next->arguments.value, "root="));
	if (!next->initramfs.value)
		return;
	image = boot_real_path(&tree->root, next->initramfs.value);
	assert_non_null(image);
}

/* One kind of work on one machine, and the way back. */
struct cycle {
	const char *name;
	const char *argument;
	work *there;
	work *back;
};

static void open_for(struct tree *tree, const struct cycle *cycle)
{
	tree_open(tree, cycle->name);
	tree->files_only = true;
	tree_area(tree, cycle->argument, &offset);
}

/* Killed on the way there: going on ends as if nothing had been, and turning back as well. */
static size_t kill_there(const struct cycle *cycle, const char *start, const char *done)
{
	bool through = false;
	size_t step;

	for (step = 1; !through; step++)
		for (int turn_back = 0; turn_back < 2; turn_back++) {
			memory_cleanup_free char *version = NULL;
			memory_cleanup_free char *when = text_format("%s, step %zu%s", cycle->name,
				step, turn_back ? ", turned back" : "");
			struct tree tree;

			open_for(&tree, cycle);
			version = text_copy(facts_next_entry(tree.facts)->version.value);
			through = run_up_to(&tree, cycle->there, step);
			assert_boots(&tree, version, step);
			if (!turn_back) {
				must(&tree, cycle->there);
				tree_assert_content(&tree, done, when);
			}
			must(&tree, cycle->back);
			tree_assert_content(&tree, start, when);
			tree_close(&tree);
		}
	return step;
}

/* Killed on the way back: trying again ends at the start. */
static size_t kill_back(const struct cycle *cycle, const char *start)
{
	bool through = false;
	size_t step;

	for (step = 1; !through; step++) {
		memory_cleanup_free char *version = NULL;
		memory_cleanup_free char *when =
			text_format("%s, back, step %zu", cycle->name, step);
		struct tree tree;

		open_for(&tree, cycle);
		version = text_copy(facts_next_entry(tree.facts)->version.value);
		must(&tree, cycle->there);
		through = run_up_to(&tree, cycle->back, step);
		assert_boots(&tree, version, step);
		must(&tree, cycle->back);
		tree_assert_content(&tree, start, when);
		tree_close(&tree);
	}
	return step;
}

static void kill_cycle(const struct cycle *cycle)
{
	memory_cleanup_free char *start = NULL, *done = NULL;
	struct tree tree;
	size_t there, back;

	open_for(&tree, cycle);
	start = tree_content(&tree);
	must(&tree, cycle->there);
	done = tree_content(&tree);
	tree_close(&tree);
	there = kill_there(cycle, start, done);
	back = kill_back(cycle, start);
	print_message("%s: %zu steps there, %zu back\n", cycle->name, there, back);
	assert_true(there > 3 && back > 3);
}

static void boot_arguments_survive_a_kill_at_any_step(void **state UNUSED)
{
	static const struct cycle cycles[] = {
		{ "amazon-linux-1", "PARTUUID=1-01", tree_apply, remove_all },
		{ "amazon-linux-2", "UUID=1", tree_apply, remove_all },
		{ "debian-12", "UUID=1", tree_apply, remove_all },
		{ "rhel-9", "UUID=1", tree_apply, remove_all },
		{ "ubuntu-22.04", "PARTUUID=1-01", tree_apply, remove_all },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cycles); i++)
		kill_cycle(&cycles[i]);
}

static void initramfs_survives_a_kill_at_any_step(void **state UNUSED)
{
	static const struct cycle cycles[] = {
		{ "sles-15", "UUID=1", set_initramfs, remove_initramfs },
		{ "debian-12", "UUID=1", set_initramfs, remove_initramfs },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cycles); i++)
		kill_cycle(&cycles[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(boot_arguments_survive_a_kill_at_any_step),
		cmocka_unit_test(initramfs_survives_a_kill_at_any_step),
	};

	if (tree_missing())
		return skip_all(tree_missing());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
