/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/actions/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/process.h"
#include "core/base/text.h"
#include "core/facts/area.h"
#include "core/facts/header.h"
#include "core/rules/size.h"

#define MKSWAP_TIMEOUT_MS 60000
#define SELINUX_LABEL	  "system_u:object_r:swapfile_t:s0"

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

int swap_on(const char *path, long priority, struct error *err)
{
	int flags = priority < 0 ? 0 : SWAP_FLAG_PREFER | (int)(priority & SWAP_FLAG_PRIO_MASK);

	if (swapon(path, flags) == 0)
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

/* ---- The header of a stale image ---------------------------------------------------------------- */

#define SIGNATURE_LENGTH 10

/* Of a header page of SIZE bytes: the signature is its end, the one that it hides before that. */
static char *signature_place(char *page, size_t size)
{
	return page + size - SIGNATURE_LENGTH;
}

static char *hidden_place(char *page, size_t size)
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
	if (memcmp(hidden_place(page, header.page_size), "SWAPSPACE2", SIGNATURE_LENGTH) != 0)
		return error_set(err, EBADMSG,
			"the image at byte %llu of %s does not say what was there before",
			(unsigned long long)position, device);
	memcpy(signature_place(page, header.page_size), "SWAPSPACE2", SIGNATURE_LENGTH);
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

/* ---- The file itself -------------------------------------------------------------------------- */

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

char *swap_temporary_path(const char *path)
{
	return text_format("%s" AREA_UNFINISHED, path);
}

char *swap_second_path(const char *path)
{
	return text_format("%s" AREA_UNFINISHED_SECOND, path);
}

int swap_file_sweep(const struct root *root, const char *path, struct error *err)
{
	memory_cleanup_free char *first = swap_temporary_path(path);
	memory_cleanup_free char *second = swap_second_path(path);
	int status = root_remove(root, first, err);

	return status < 0 ? status : root_remove(root, second, err);
}

int swap_file_remove(const struct root *root, const char *path, struct error *err)
{
	int status = root_remove(root, path, err);

	return status < 0 ? status : swap_file_sweep(root, path, err);
}
