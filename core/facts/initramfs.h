/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the initramfs that boots next can resume, told from configuration and time stamps: no
 * program runs and no image is unpacked, because status has to answer in a blink.
 *
 * dracut puts its resume module into an image when a configuration file asks for it, or when the
 * image is a generic one (hostonly="no"); an image older than that file may lack it. The images of
 * initramfs-tools always hold scripts/local-premount/resume, and resume= on the command line goes
 * before whatever RESUME its configuration sets (init of initramfs-tools), also before "none".
 */
#ifndef EC2HIB_FACTS_INITRAMFS_H
#define EC2HIB_FACTS_INITRAMFS_H

#include "core/base/files.h"
#include "core/facts/facts.h"

/* Ours. The name of the second sorts behind zz-resume-auto, which mkinitramfs may add. */
#define INITRAMFS_DRACUT_CONFIG "/etc/dracut.conf.d/ec2hib.conf"
#define INITRAMFS_TOOLS_CONFIG	"/etc/initramfs-tools/conf.d/zzz-ec2hib"

/*
 * Fills initramfs_tool, initramfs_resume, initramfs_setting and our_initramfs, after boot_gather():
 * the default entry tells the image. RUNNING_RELEASE (may be NULL) names the kernel to look for
 * when there is no such entry.
 */
void initramfs_gather(
	struct boot_facts *boot, const struct root *root, const char *running_release);

/*
 * The configuration file of dracut that leaves the resume module out, whatever else asks for it
 * (dracut.conf(5), omit_dracutmodules). The caller frees it; NULL: none does.
 */
char *initramfs_dracut_omits(const struct root *root);

#endif
