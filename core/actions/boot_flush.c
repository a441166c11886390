/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Getting /boot onto the disk for good.
 *
 * fsync and syncfs make sure that a journal replay brings the change back. GRUB does not replay: it
 * reads the blocks in their final places. On ext4 an ioctl writes the journal out to them. On other
 * file systems freezing does it, and here the danger is to end between freeze and thaw, for then
 * the machine hangs. So a child of its own session does both, with all signals blocked and its
 * memory locked, and does nothing else; if it dies all the same, its parent thaws.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/actions/boot.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"

/* From fs/ext4/ext4.h, Linux 5.14; a kernel header that user space does not get. */
#define EXT4_CHECKPOINT _IOW('f', 43, uint32_t)

/* How the child ended. */
enum { FROZEN_AND_THAWED, NOT_FROZEN };

static _Noreturn void freeze_and_thaw(int fd)
{
	sigset_t all;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	mlockall(MCL_CURRENT);
	/* EBUSY: frozen by somebody else, who will thaw it. */
	if (ioctl(fd, FIFREEZE, 0) < 0)
		_exit(NOT_FROZEN);
	while (ioctl(fd, FITHAW, 0) < 0 && errno == EINTR)
		;
	_exit(FROZEN_AND_THAWED);
}

static void flush_by_freezing(int fd)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		freeze_and_thaw(fd);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (child > 0 && WIFSIGNALED(status))
		ioctl(fd, FITHAW, 0);
}

static void flush(const struct root *root, int fd)
{
	uint32_t no_flags = 0;

	syncfs(fd);
	/* An image's file system is not what boots next. */
	if (!root->live)
		return;
	/* ENODEV: ext4 without a journal; there is nothing more to do. */
	if (ioctl(fd, EXT4_CHECKPOINT, &no_flags) == 0 || errno == ENODEV)
		return;
	flush_by_freezing(fd);
}

/* Adds the folder of a file that the loader reads. */
static void add_folder(struct strings *folders, const struct fact_text *file)
{
	if (file->value)
		strings_take(folders, path_folder(file->value));
}

void boot_flush(const struct root *root, const struct boot_facts *boot)
{
	strings_cleanup struct strings folders = { 0 };
	dev_t done[8];
	size_t count = 0;

	strings_add(&folders, "/boot");
	strings_add(&folders, "/boot/efi");
	add_folder(&folders, &boot->config);
	for (size_t i = 0; i < folders.count; i++) {
		struct error err = { "" };
		struct stat status;
		file_cleanup_close int fd =
			root_openat(root, folders.items[i], O_RDONLY | O_DIRECTORY, 0, &err);
		bool seen = false;

		if (fd < 0 || fstat(fd, &status) < 0)
			continue;
		for (size_t j = 0; j < count; j++)
			seen = seen || done[j] == status.st_dev;
		if (seen || count == ARRAY_SIZE(done))
			continue;
		done[count++] = status.st_dev;
		flush(root, fd);
	}
}
