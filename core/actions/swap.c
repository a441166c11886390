/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/swap.h>
#include <sys/xattr.h>
#include <syslog.h>
#include <unistd.h>

#include "core/actions/subvolume.h"
#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/text.h"
#include "core/facts/area.h"
#include "core/facts/extents.h"
#include "core/facts/header.h"
#include "core/rules/size.h"

#define MKSWAP_TIMEOUT_MS 60000
#define SELINUX_LABEL	  "system_u:object_r:swapfile_t:s0"
#define WRITE_PIECE	  ((size_t)(4 * MIB))

int swap_format(const struct root *root, const char *path, const char *uuid, const char *label,
	struct error *err)
{
	const char *arguments[8] = { "mkswap" };
	size_t count = 1;

	if (uuid) {
		arguments[count++] = "-U";
		arguments[count++] = uuid;
	}
	if (label) {
		arguments[count++] = "-L";
		arguments[count++] = label;
	}
	arguments[count++] = path;
	return process_run(root, arguments, MKSWAP_TIMEOUT_MS, NULL, err);
}

/*
 * PATH of the running machine, O_PATH: what is switched on is what was looked at, whoever moves
 * names about. A link, as devices have them, is followed where only root can have made it.
 */
static int open_area(const char *path, struct error *err)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), checked = 0;
	struct stat status;
	struct root host;

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISLNK(status.st_mode))
		return fd < 0 ? -errno : fd;
	close(fd);
	if (root_open(&host, "/", err) < 0)
		return -EPERM;
	checked = root_check_trusted(&host, path, err);
	root_close(&host);
	if (checked < 0)
		return -EPERM;
	fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Who can write to a swap file can change the memory that is in it. */
static int check_area(int fd, const char *path, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_errno(err, errno, "cannot switch on %s", path);
	if (S_ISBLK(status.st_mode))
		return 0;
	if (!S_ISREG(status.st_mode))
		return error_set(err, EINVAL,
			"cannot switch on %s: it is neither a file nor a block device", path);
	if (status.st_uid == 0 && !(status.st_mode & 022))
		return 0;
	return error_set(
		err, EPERM, "cannot switch on %s: users other than root can change it", path);
}

int swap_on(const char *path, long priority, struct error *err)
{
	int flags = priority < 0 ? 0 : SWAP_FLAG_PREFER | (int)(priority & SWAP_FLAG_PRIO_MASK);
	struct error why = { "" };
	file_cleanup_close int fd = open_area(path, &why);
	char name[64];
	int status;

	if (fd == -EPERM && *why.text)
		return error_set(err, EPERM, "cannot switch on %s: %s", path, why.text);
	if (fd < 0)
		return error_errno(err, -fd, "cannot switch on %s", path);
	status = check_area(fd, path, err);
	if (status < 0)
		return status;
	/* The kernel shows its real path in /proc/swaps (d_path of the file that it opens). */
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (swapon(name, flags) == 0)
		return 0;
	if (errno == EINVAL)
		return error_set(err, EINVAL,
			"cannot switch on %s: the kernel does not take it as swap (holes, copy on write, or no swap header); the kernel log has the reason",
			path);
	return error_errno(err, errno, "cannot switch on %s", path);
}

/* A slow volume brings back at least this much; what takes longer does not end. */
#define SWAP_OFF_BYTES_A_SECOND (5 * MIB)

int swap_off(const struct root *root, const char *path, uint64_t used,
	const struct memory_facts *memory, struct error *err)
{
	const char *const arguments[] = { "swapoff", path, NULL };
	unsigned timeout_ms = (unsigned)(60 + used / SWAP_OFF_BYTES_A_SECOND) * 1000;
	int status = swap_off_fits(path, used, memory, err);

	if (status < 0)
		return status;
	status = process_run(root, arguments, timeout_ms, NULL, err);
	return status < 0 ? error_prefix(err, status, "cannot switch off %s", path) : 0;
}

/* ---- The header of a stale image ------------------------------------------------------------- */

#define SIGNATURE_LENGTH 10

/* Of a header page of SIZE bytes: the signature is its end, the one that it hides before that. */
static char *signature_of(char *page, size_t size)
{
	return page + size - SIGNATURE_LENGTH;
}

static char *hidden_signature_of(char *page, size_t size)
{
	return page + size - 2 * SIGNATURE_LENGTH;
}

static int mend_page(int fd, char *page, const char *device, uint64_t position, struct error *err)
{
	struct swap_header header;
	ssize_t size = pread(fd, page, HEADER_SIZE_MAX, (off_t)position);

	if (size < 0)
		return error_errno(err, errno, "cannot read the swap header on %s", device);
	header_parse(&header, (unsigned char *)page, (size_t)size);
	if (strcmp(header.signature, SIGNATURE_IMAGE) != 0)
		return error_set(err, EBADMSG, "there is no image at byte %llu of %s",
			(unsigned long long)position, device);
	if (memcmp(hidden_signature_of(page, header.page_size), "SWAPSPACE2", SIGNATURE_LENGTH) !=
		0)
		return error_set(err, EBADMSG,
			"the image at byte %llu of %s does not say what was there before",
			(unsigned long long)position, device);
	memcpy(signature_of(page, header.page_size), "SWAPSPACE2", SIGNATURE_LENGTH);
	if (pwrite(fd, page, header.page_size, (off_t)position) != (ssize_t)header.page_size ||
		fsync(fd) < 0)
		return error_errno(err, errno, "cannot write the swap header on %s", device);
	return 0;
}

int swap_header_mend(const char *device, uint64_t position, struct error *err)
{
	file_cleanup_close int fd = open(device, O_RDWR | O_DIRECT | O_NOFOLLOW | O_CLOEXEC);
	char *page;
	int status;

	if (fd < 0)
		return error_errno(err, errno, "cannot open %s", device);
	page = mmap(
		NULL, HEADER_SIZE_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return error_errno(err, errno, "cannot read the swap header on %s", device);
	status = mend_page(fd, page, device, position, err);
	munmap(page, HEADER_SIZE_MAX);
	return status;
}

/* ---- A swap file -------------------------------------------------------------------------- */

static int open_own(const struct root *root, const char *path, struct error *err)
{
	int status = root_check_trusted(root, path, err);

	if (status < 0)
		return error_prefix(err, status, "cannot change %s", path);
	return root_openat(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, err);
}

int swap_file_protect(const struct root *root, const char *path, struct error *err)
{
	file_cleanup_close int fd = open_own(root, path, err);

	if (fd < 0)
		return fd;
	if (fchown(fd, 0, 0) < 0 || fchmod(fd, 0600) < 0)
		return error_errno(err, errno, "cannot make %s readable for root only", path);
	return 0;
}

static int label_file(int fd, const char *path, struct error *err)
{
	if (fsetxattr(fd, "security.selinux", SELINUX_LABEL, sizeof(SELINUX_LABEL), 0) < 0)
		return error_errno(
			err, errno, "cannot give %s the SELinux label " SELINUX_LABEL, path);
	return 0;
}

int swap_file_label(const struct root *root, const char *path, struct error *err)
{
	file_cleanup_close int fd = open_own(root, path, err);

	return fd < 0 ? fd : label_file(fd, path, err);
}

int swap_file_sweep(const struct root *root, const char *path, struct error *err)
{
	memory_cleanup_free char *first = text_format("%s" AREA_UNFINISHED, path);
	memory_cleanup_free char *second = text_format("%s" AREA_UNFINISHED_SECOND, path);
	memory_cleanup_free char *folder = path_folder(path);
	int status = trusted_remove(root, first, err);

	if (status == 0)
		status = trusted_remove(root, second, err);
	if (status == 0 && strcmp(folder, "/") != 0)
		status = subvolume_sweep(root, folder, err);
	return status;
}

int swap_file_remove(const struct root *root, const char *path, struct error *err)
{
	int status = trusted_remove(root, path, err);

	return status < 0 ? status : swap_file_sweep(root, path, err);
}

/* ---- Making one ------------------------------------------------------------------------------ */

/* xfs took unwritten extents for holes in a swap file before Linux 4.18 (aws hibinit-agent #25). */
static bool fallocate_will_do(const struct swap_request *request)
{
	if (request->write_out)
		return false;
	if (strcmp(request->filesystem, "xfs") == 0)
		return request->kernel && version_compare(request->kernel, "4.18") >= 0;
	return true;
}

/*
 * Root may use what a file system reserves, but the reserve is there for the day when the disk is
 * full: what others may use has to suffice.
 */
static int check_room(int fd, const char *path, uint64_t bytes, struct error *err)
{
	memory_cleanup_free char *needed = size_format(bytes), *room = NULL;
	struct statvfs space;

	if (fstatvfs(fd, &space) < 0)
		return error_errno(err, errno, "cannot see how much space is free for %s", path);
	if ((uint64_t)space.f_bavail * space.f_frsize >= bytes)
		return 0;
	room = size_format((uint64_t)space.f_bavail * space.f_frsize);
	return error_set(err, ENOSPC,
		"%s needs %s, and %s are free beside what is reserved for root", path, needed,
		room);
}

static int write_out(
	int fd, const char *path, uint64_t size, const struct reporter *reporter, struct error *err)
{
	void *zeros = mmap(NULL, WRITE_PIECE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status = 0;

	if (zeros == MAP_FAILED)
		return error_errno(err, errno, "cannot write %s", path);
	for (uint64_t done = 0; done < size && status == 0;) {
		size_t piece = size - done < WRITE_PIECE ? (size_t)(size - done) : WRITE_PIECE;
		ssize_t written;

		/* Others write meanwhile, too. */
		status = check_room(fd, path, piece, err);
		if (status < 0)
			break;
		written = pwrite(fd, zeros, piece, (off_t)done);
		if (reporter_cancelled(reporter))
			status = error_set(err, ECANCELED, "stopped while writing %s", path);
		else if (written < 0 && errno != EINTR)
			status = error_errno(err, errno, "cannot write %s after %llu MiB", path,
				(unsigned long long)(done / MIB));
		else if (written > 0)
			done += (uint64_t)written;
	}
	munmap(zeros, WRITE_PIECE);
	return status;
}

/* Copy on write and compression can only be switched off while the file is empty (btrfs(5)). */
static int set_nocow(int fd, const char *path, struct error *err)
{
	unsigned flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return error_errno(err, errno, "cannot read the attributes of %s", path);
	flags = (flags | FS_NOCOW_FL) & ~(unsigned)FS_COMPR_FL;
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0)
		return error_errno(err, errno, "cannot switch copy-on-write off for %s", path);
	return 0;
}

/*
 * Moves the file's start to where a page of the device starts: blocks that are smaller than a page
 * may come from anywhere, but no resume offset names what lies between two pages. The file gets a
 * page more at its end and loses the blocks in front of the boundary (fallocate(2),
 * COLLAPSE_RANGE: ext4 and xfs). Where that cannot be done it stays, and inspect() says so.
 */
static int align_start(int fd, const char *path, uint64_t size, struct error *err)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	extent_list list = { 0 };
	struct extents_summary summary;
	uint64_t over = 0, length = 0;
	int status = extents_map(&list, &summary, fd, size, err);

	if (status == 0 && list.count) {
		over = list.items[0].physical.value % page;
		length = list.items[0].length.value;
	}
	fact_list_free(&extent_facts_layout, &list);
	if (status < 0 || over == 0 || length <= page)
		return status;
	if (fallocate(fd, 0, (off_t)size, (off_t)page) == 0)
		fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, (off_t)(page - over));
	if (ftruncate(fd, (off_t)size) < 0)
		return error_errno(err, errno, "cannot cut %s to its size", path);
	return 0;
}

/* Gives the new empty file its blocks. */
static int fill(const struct swap_request *request, int fd, const char *path,
	const struct reporter *reporter, struct error *err)
{
	memory_cleanup_free char *size = size_format(request->size);
	int status = check_room(fd, path, request->size, err);

	if (status < 0)
		return status;
	if (fallocate_will_do(request)) {
		do
			status = fallocate(fd, 0, 0, (off_t)request->size);
		while (status < 0 && errno == EINTR && !reporter_cancelled(reporter));
		if (status == 0)
			return 0;
		if (errno == EINTR)
			return error_set(err, ECANCELED, "stopped while making %s", path);
		if (errno != EOPNOTSUPP)
			return error_errno(
				err, errno, "cannot give %s its blocks (%s)", path, size);
		reporter_log(reporter, LOG_INFO, "%s cannot reserve blocks: writing %s",
			request->filesystem, size);
	}
	return write_out(fd, path, request->size, reporter, err);
}

/* What came out, after everything is on the disk. */
static int inspect(int fd, const char *path, uint64_t size, size_t *extents, struct error *err)
{
	extent_list list = { 0 };
	struct extents_summary summary = { 0 };
	struct fact_number offset = { 0 };
	memory_cleanup_free char *misplaced = NULL;
	int status = extents_map(&list, &summary, fd, size, err);

	*extents = list.count;
	extents_resume_offset(&offset, &list, (uint64_t)sysconf(_SC_PAGESIZE));
	misplaced = offset.why;
	fact_list_free(&extent_facts_layout, &list);
	if (status < 0)
		return error_prefix(err, status, "cannot see where %s lies", path);
	if (summary.holes || summary.compressed || summary.unmapped || summary.shared)
		return error_set(err, EINVAL,
			"the file system made %s with %s: it cannot be a swap file", path,
			summary.holes	     ? "holes"
			: summary.compressed ? "compressed blocks"
			: summary.shared     ? "shared blocks"
					     : "blocks that are nowhere yet");
	if (misplaced)
		return error_set(err, EINVAL, "%s cannot hold the image: %s", path, misplaced);
	return 0;
}

/* One attempt: a complete, formatted file under the temporary name; nothing is left on an error. */
static int attempt(const struct root *root, const struct swap_request *request, const char *path,
	const struct reporter *reporter, size_t *extents, struct error *err)
{
	file_cleanup_close int fd = -1;
	struct error ignored = { "" };
	int status = root_remove(root, path, err);

	if (status < 0)
		return status;
	fd = root_openat(root, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, err);
	if (fd < 0)
		return fd;
	if (fchown(fd, 0, 0) < 0 || fchmod(fd, 0600) < 0)
		status = error_errno(err, errno, "cannot make %s readable for root only", path);
	if (status == 0 && request->nocow)
		status = set_nocow(fd, path, err);
	if (status == 0)
		status = fill(request, fd, path, reporter, err);
	if (status == 0)
		status = align_start(fd, path, request->size, err);
	if (status == 0)
		status = swap_format(root, path, NULL, SWAP_LABEL, err);
	if (status == 0 && request->label)
		status = swap_file_label(root, path, err);
	if (status == 0 && fsync(fd) < 0)
		status = error_errno(err, errno, "cannot write %s", path);
	if (status == 0)
		status = inspect(fd, path, request->size, extents, err);
	if (status < 0)
		root_remove(root, path, &ignored);
	return status;
}

/* A second file beside the first, so that it must lie elsewhere; the better of the two stays. */
static void try_again(const struct root *root, const struct swap_request *request,
	const char *first, size_t first_extents, const struct reporter *reporter)
{
	memory_cleanup_free char *second = text_format("%s" AREA_UNFINISHED_SECOND, request->path);
	struct error ignored = { "" };
	size_t extents;

	if (attempt(root, request, second, reporter, &extents, &ignored) < 0)
		return; /* no room for two: the first will do */
	if (extents < first_extents && root_rename(root, second, first, &ignored) == 0) {
		reporter_log(reporter, LOG_INFO, "a second try gave %zu extents in place of %zu",
			extents, first_extents);
		return;
	}
	root_remove(root, second, &ignored);
}

int swap_file_create(const struct root *root, const struct swap_request *request,
	const struct reporter *reporter, struct error *err)
{
	memory_cleanup_free char *temporary = text_format("%s" AREA_UNFINISHED, request->path);
	struct error ignored = { "" };
	size_t extents;
	int status = root_check_trusted(root, request->path, err);

	if (status == 0)
		status = swap_file_sweep(root, request->path, err);
	if (status == 0)
		status = attempt(root, request, temporary, reporter, &extents, err);
	if (status < 0)
		return error_prefix(err, status, "cannot create %s", request->path);
	if (swap_is_fragmented(request->size, extents))
		try_again(root, request, temporary, extents, reporter);
	status = root_rename(root, temporary, request->path, err);
	if (status < 0) {
		root_remove(root, temporary, &ignored);
		return error_prefix(err, status, "cannot create %s", request->path);
	}
	return 0;
}
