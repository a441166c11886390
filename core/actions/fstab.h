/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our line in /etc/fstab, which carries our mark, so that nothing has to be remembered about it. */
#ifndef EC2HIB_ACTIONS_FSTAB_H
#define EC2HIB_ACTIONS_FSTAB_H

#include "core/base/files.h"
#include "core/facts/facts.h"

/* Makes the line for AREA the only one of ours; all other lines stay byte for byte. */
int fstab_set(const struct root *root, const struct area_facts *area, struct error *err);

/* Takes our lines away; a file that held nothing else goes, too. */
int fstab_clear(const struct root *root, struct error *err);

#endif
