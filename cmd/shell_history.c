/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/shell_history.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/memory.h"

#define MODE	    0600
#define OTHERS_MODE 0077

/* NULL when the environment does not say where the user's files are. */
static char *find_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state == '/')
		return text_format("%s/ec2hib/shell-history", state);
	if (home && *home == '/')
		return text_format("%s/.local/state/ec2hib/shell-history", home);
	return NULL;
}

/* Of root alone: nobody else could lead us to a file of somebody's, or read what we write. */
static int check_folder(const struct shell_history *history, const char *path, struct error *err)
{
	memory_cleanup_free char *folder = path_folder(path);

	if (geteuid() != 0)
		return 0;
	while (strcmp(folder, "/") != 0 && !root_exists(&history->root, folder))
		text_set(&folder, path_folder(folder));
	text_append(&folder, "/.");
	return root_check_trusted(&history->root, folder, err);
}

static void add_without_double(struct strings *lines, const char *line)
{
	size_t kept = 0;

	for (size_t i = 0; i < lines->count; i++)
		if (strcmp(lines->items[i], line) == 0)
			free(lines->items[i]);
		else
			lines->items[kept++] = lines->items[i];
	lines->count = kept;
	strings_add(lines, line);
}

static void drop_oldest(struct strings *lines, size_t most)
{
	size_t over = lines->count > most ? lines->count - most : 0;

	for (size_t i = 0; i < over; i++)
		free(lines->items[i]);
	if (over)
		memmove(lines->items, lines->items + over, most * sizeof(*lines->items));
	lines->count -= over;
}

/* No file is an empty one. */
static int read_lines(const struct shell_history *history, struct strings *lines, struct error *err)
{
	memory_cleanup_free char *text = NULL;
	strings_cleanup struct strings all = { 0 };
	int status = root_read(&history->root, history->path, FILE_LIMIT, &text, NULL, err);

	if (status < 0)
		return status == -ENOENT ? 0 : status;
	strings_split(&all, text, "\n");
	for (size_t i = 0; i < all.count; i++)
		strings_add(lines, all.items[i]);
	drop_oldest(lines, SHELL_HISTORY_MOST);
	return 0;
}

/* A file that others could read is one of an older umask, or a restored one. */
static int close_to_others(const struct shell_history *history, struct error *err)
{
	file_cleanup_close int fd =
		root_openat(&history->root, history->path, O_RDONLY | O_NOFOLLOW, 0, err);
	struct stat status;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (fstat(fd, &status) == 0 && (status.st_mode & OTHERS_MODE) && fchmod(fd, MODE) < 0)
		return error_errno(err, errno, "cannot change the mode of %s", history->path);
	return 0;
}

/* A descriptor that holds the lock as long as it is open, or a negative errno. */
static int lock_folder(const struct shell_history *history, struct error *err)
{
	memory_cleanup_free char *folder = path_folder(history->path);
	int fd = root_openat(&history->root, folder, O_RDONLY | O_DIRECTORY, 0, err);

	while (fd >= 0 && flock(fd, LOCK_EX) < 0)
		if (errno != EINTR) {
			close(fd);
			return error_errno(err, errno, "cannot lock %s", folder);
		}
	return fd;
}

static int write_line(const struct shell_history *history, const char *line, struct error *err)
{
	strings_cleanup struct strings lines = { 0 };
	memory_cleanup_free char *text = NULL, *whole = NULL;
	file_cleanup_close int lock = lock_folder(history, err);
	int status = lock < 0 ? lock : read_lines(history, &lines, err);

	if (status < 0)
		return status;
	add_without_double(&lines, line);
	drop_oldest(&lines, SHELL_HISTORY_MOST);
	text = strings_join(&lines, "\n");
	whole = text_format("%s\n", text);
	return root_publish(&history->root, history->path, whole, MODE, err);
}

int shell_history_open(struct shell_history *history, struct error *err)
{
	memory_cleanup_free char *path = find_path(), *folder = NULL;
	int status;

	*history = (struct shell_history) { .root = { .fd = -1 } };
	if (!path)
		return error_set(err, ENOENT, "neither XDG_STATE_HOME nor HOME is set");
	folder = path_folder(path);
	status = root_open(&history->root, "/", err);
	if (status == 0)
		status = check_folder(history, path, err);
	if (status == 0)
		status = root_make_directory(&history->root, folder, err);
	if (status < 0)
		return status;
	history->path = path;
	path = NULL;
	status = close_to_others(history, err);
	if (status == 0)
		status = read_lines(history, &history->lines, err);
	if (status < 0)
		text_set(&history->path, NULL);
	return status;
}

void shell_history_close(struct shell_history *history)
{
	root_close(&history->root);
	strings_free(&history->lines);
	free(history->path);
}

int shell_history_add(struct shell_history *history, const char *line, struct error *err)
{
	add_without_double(&history->lines, line);
	drop_oldest(&history->lines, SHELL_HISTORY_MOST);
	return history->path ? write_line(history, line, err) : 0;
}
