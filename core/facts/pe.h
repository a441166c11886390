/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs of the firmware (Portable Executable, "PE Format" of Microsoft): where their sections
 * are. A unified kernel image is one with the kernel, its initramfs and its command line as
 * sections (The Unified Kernel Image specification, uapi-group.org).
 */
#ifndef EC2HIB_FACTS_PE_H
#define EC2HIB_FACTS_PE_H

#include <stdbool.h>
#include <stdint.h>

struct pe_section {
	uint64_t offset; /* in the file */
	uint64_t size;
};

/*
 * Finds the first section NAME (".linux", ".initrd", ".uname", ".cmdline") of the open file FD,
 * which has SIZE bytes. False: it is no such program, it has no such section, or that is not within
 * the file.
 */
bool pe_find_section(int fd, uint64_t size, const char *name, struct pe_section *section);

#endif
