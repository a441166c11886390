/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an initramfs holds, as far as resuming goes, from the image itself.
 *
 * An image is cpio archives one after the other, plain or packed, with zeros between them (Linux
 * Documentation/driver-api/early-userspace/buffer-format.rst): microcode first, then what dracut,
 * initramfs-tools, mkinitcpio or another tool has made. A loader may load several files, which are
 * one image then. Nothing is unpacked to the disk. An image that is damaged, endless or huge gives
 * an error, in bounded time and memory.
 */
#ifndef EC2HIB_FACTS_INITRAMFS_IMAGE_H
#define EC2HIB_FACTS_INITRAMFS_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/facts/fact.h"

/*
 * What is looked for: its name, and where it may be, without a "usr/" in front. A name without '/'
 * is in any folder; '*' is at the beginning or at the end alone.
 */
/* clang-format off */
#define IMAGE_MEMBERS(X)                                                                           \
	X(dracut, "lib/dracut/modules.txt", "lib/dracut-lib.sh", "lib/dracut/dracut-*")            \
	X(initramfs_tools, "scripts/functions", "conf/initramfs.conf", "scripts/local-premount/*") \
	X(mkinitcpio, "init_functions", "buildconfig", "hooks/resume")                             \
	X(booster, "etc/booster.init.yaml")                                                        \
	X(systemd, "lib/systemd/systemd", "*/lib/systemd/systemd")                                 \
	X(generator, "systemd-hibernate-resume-generator")                                         \
	X(program, "systemd-hibernate-resume")                                                     \
	X(unit, "systemd-hibernate-resume.service")                                                \
	X(template_unit, "systemd-hibernate-resume@.service")                                      \
	X(parse_script, "*parse-resume.sh")                                                        \
	X(resume_script, "resume.sh", "*/10resume.sh", "*/99resume.sh")                                                              \
	X(local_script, "scripts/local-premount/resume")                                           \
	X(resume_program, "bin/resume", "sbin/resume")                                             \
	X(resume_hook, "hooks/resume")                                                             \
	X(lvm, "*bin/lvm")                                                                         \
	X(cryptsetup, "*bin/cryptsetup", "systemd-cryptsetup")                                     \
	X(mdadm, "*bin/mdadm")                                                                     \
	X(modules, "*.ko", "*.ko.xz", "*.ko.zst", "*.ko.gz")                                       \
	X(nvme, "nvme.ko*")                                                                        \
	X(xen_blkfront, "xen-blkfront.ko*", "xen_blkfront.ko*")                                    \
	X(virtio_blk, "virtio_blk.ko*", "virtio-blk.ko*")                                          \
	X(dm_mod, "dm-mod.ko*", "dm_mod.ko*")                                                      \
	X(dm_crypt, "dm-crypt.ko*", "dm_crypt.ko*")                                                \
	X(md_mod, "md-mod.ko*", "md_mod.ko*")
/* clang-format on */

enum image_member {
#define X(name, ...) IMAGE_##name,
	IMAGE_MEMBERS(X)
#undef X
		IMAGE_MEMBER_COUNT,
};

#define IMAGE_FACTS(TEXT, NUMBER, FLAG, GROUP, LIST)                                               \
	NUMBER(members, "", "which of IMAGE_MEMBERS are in it, a bit each")                        \
	NUMBER(built_in, "", "the same, of the drivers that its kernel has built in")              \
	FLAG(knows_built_in, "it has a list of the drivers that its kernel has built in")          \
	NUMBER(systemd, "", "version of its systemd; null: none, or not known")                    \
	TEXT(release, "the kernel release that it has modules for")                                \
	TEXT(dracut_modules, "dracut's modules in it, blanks between them")                        \
	TEXT(resume, "RESUME of initramfs-tools in it")                                            \
	TEXT(hooks, "mkinitcpio's hooks that run in it")                                           \
	TEXT(arguments, "what it adds to the kernel's command line, as dracut reads it")           \
	TEXT(crypttab, "mappings that its crypttab names, blanks between them")                    \
	FLAG(calls_program, "initramfs-tools' script calls the program resume")                    \
	FLAG(masked, "systemd's unit is masked in it")                                             \
	FLAG(refuses, "initramfs-tools' settings in it have noresume")
struct initramfs_image {
	FACT_MEMBERS(IMAGE_FACTS)
};
extern const struct layout initramfs_image_layout;

/* An image that is being read. */
struct image_reader;
struct image_reader *image_reader_begin(void);

/* Reading is given up after so much: no real image is near it. */
#define IMAGE_EXPANDED_MAX (4 * GIB)
#define IMAGE_MEMBERS_MAX  500000
#define IMAGE_TIME_MAX_MS  30000

/*
 * The next file of an image, or the part of an open file that is one (section .initrd of a unified
 * kernel image): SIZE bytes from OFFSET on. NAME is for errors. 0; -EBADMSG: damaged; -ENOSYS:
 * packed in a way that cannot be unpacked here; -EFBIG: a limit was reached; -ETIMEDOUT; or another
 * errno. image_reader_end() in any case.
 */
int image_reader_add(struct image_reader *reader, int fd, uint64_t offset, uint64_t size,
	const char *name, struct error *err);

/*
 * What was found, unless IMAGE is NULL; it is the caller's, layout_free() frees it. Frees the
 * reader.
 */
void image_reader_end(struct image_reader *reader, struct initramfs_image *image);

static inline bool image_has(const struct initramfs_image *image, enum image_member member)
{
	return (image->members.value >> member & 1) != 0;
}

/* Takes LIST, the text of a kernel's modules.builtin, where the image has none. */
void image_built_in(struct initramfs_image *image, const char *list);

/* A driver that is in the image, or in its kernel. */
enum image_driver { DRIVER_IS_THERE, DRIVER_IS_MISSING, DRIVER_UNKNOWN };
enum image_driver image_driver(const struct initramfs_image *image, enum image_member member);

/* "dracut", "initramfs-tools", "mkinitcpio", "booster", "systemd"; NULL: not known. */
const char *image_maker(const struct initramfs_image *image);

/*
 * Whether the image looks for what hibernation has written. *WHY, which the caller frees, is what
 * it lacks, or why that cannot be told; NULL when it resumes.
 */
enum image_answer { IMAGE_RESUMES, IMAGE_LACKS_RESUME, IMAGE_UNKNOWN };
enum image_answer image_resumes(const struct initramfs_image *image, char **why);

#endif
