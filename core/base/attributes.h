/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a file has beside its text: owner, mode, access control list, label, other extended
 * attributes.
 *
 * Times are not among them: a file with another text has another time, or tools that look at times
 * would not read it again.
 */
#ifndef EC2HIB_BASE_ATTRIBUTES_H
#define EC2HIB_BASE_ATTRIBUTES_H

#include "core/base/error.h"

/*
 * Gives the file TO, which nobody else has open and which has mode 0600, all that FROM has; both
 * are regular files, open for reading or writing. Whoever could not read or write FROM cannot read
 * or write TO, at no moment: an access control list that cannot be set is an error, not a mode.
 *
 * Left out are security.ima and security.evm: they are of the old text, and the kernel makes them
 * anew where it is to. What else cannot be set is an error (-EPERM, -EOPNOTSUPP, -ENOSPC, ...) that
 * names the attribute. PATH is for the error.
 */
int attributes_copy(int from, int to, const char *path, struct error *err);

#endif
