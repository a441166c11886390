/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The evaluating functions of the checks, one for each row of the table in checks.c. */
#ifndef EC2HIB_RULES_CHECKS_TABLE_H
#define EC2HIB_RULES_CHECKS_TABLE_H

#include "core/base/compiler.h"
#include "core/rules/checks.h"

#define CHECK_FUNCTION(name)                                                                       \
	struct finding check_##name(const struct facts *facts, const struct config *config UNUSED)

/* checks_instance.c */
CHECK_FUNCTION(metadata_service);
CHECK_FUNCTION(hibernation_configured);
CHECK_FUNCTION(instance_memory);
CHECK_FUNCTION(instance_bare_metal);
CHECK_FUNCTION(instance_family);
CHECK_FUNCTION(instance_fips);
CHECK_FUNCTION(auto_scaling);
CHECK_FUNCTION(root_volume);

/* checks_kernel.c */
CHECK_FUNCTION(kernel_hibernation);
CHECK_FUNCTION(hibernation_mode);
CHECK_FUNCTION(hibernation_test_mode);
CHECK_FUNCTION(command_line_forbids);
CHECK_FUNCTION(lockdown);
CHECK_FUNCTION(resume_interface);
CHECK_FUNCTION(freeze_timeout);
CHECK_FUNCTION(nvme_timeout);
CHECK_FUNCTION(kaslr);
CHECK_FUNCTION(console);

/* checks_swap.c */
CHECK_FUNCTION(swap_file);
CHECK_FUNCTION(swap_size);
CHECK_FUNCTION(swap_active);
CHECK_FUNCTION(swap_header);
CHECK_FUNCTION(stale_image);
CHECK_FUNCTION(swap_free);
CHECK_FUNCTION(other_swaps);

/* checks_area.c */
CHECK_FUNCTION(swap_holes);
CHECK_FUNCTION(swap_copy_on_write);
CHECK_FUNCTION(swap_fragments);
CHECK_FUNCTION(swap_permissions);
CHECK_FUNCTION(swap_medium);
CHECK_FUNCTION(disk_space);
CHECK_FUNCTION(selinux);

/* checks_resume.c */
CHECK_FUNCTION(resume_value);
CHECK_FUNCTION(resume_device_kernel);
CHECK_FUNCTION(resume_device_cmdline);
CHECK_FUNCTION(resume_device_next_boot);
CHECK_FUNCTION(resume_offset_kernel);
CHECK_FUNCTION(resume_offset_cmdline);
CHECK_FUNCTION(resume_offset_next_boot);

/* checks_boot.c */
CHECK_FUNCTION(boot_loader);
CHECK_FUNCTION(other_entries);
CHECK_FUNCTION(kernel_version_next_boot);
CHECK_FUNCTION(initramfs_resume);
CHECK_FUNCTION(initramfs_setting);
CHECK_FUNCTION(force_partuuid);
CHECK_FUNCTION(swap_at_boot);

/* checks_rehearsal.c */
CHECK_FUNCTION(rehearsal);

/* checks_agents.c */
CHECK_FUNCTION(sleep_key);
CHECK_FUNCTION(sleep_key_double);
CHECK_FUNCTION(spot_notice);
CHECK_FUNCTION(old_agents);

#endif
