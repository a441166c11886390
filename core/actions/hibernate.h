/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hibernating, for the command, the agent and the dashboard alike: lock, look, refuse or prepare,
 * hooks, write, and after resume undo what was changed, tell the hooks and the history. Whatever
 * goes wrong on the way, the machine is left as it was.
 *
 * The request and the steps are in core/actions/transaction.h; core/actions/rehearse.h goes through
 * the same steps with a test in place of the write.
 */
#ifndef EC2HIB_ACTIONS_HIBERNATE_H
#define EC2HIB_ACTIONS_HIBERNATE_H

#include "core/actions/transaction.h" /* struct hibernation: the request */

/*
 * 0 when the machine was away and is back. CYCLE, which must be zeroed, says what happened in any
 * case, and is in the history unless its turn did not come; the caller frees it with
 * layout_free(&cycle_layout, ...).
 *
 * -EBUSY: another ec2hib changes this machine. -EPERM: refused, in the words of the checks; nothing
 * was changed, but a pre-warm that ran has been stopped. -ECANCELED: the reporter was cancelled, or
 * a hook failed that may end it. -EALREADY: the machine has hibernated since this was requested,
 * which answers it; no hook runs. Else what failed, with the kernel's reason.
 */
int hibernate(const struct hibernation *request, struct cycle *cycle, struct error *err);

/*
 * Everything of it, hooks included, but the write that stops the machine: 0 when it would go now.
 * No pre-warm is stopped, and nothing goes into the history.
 */
int hibernate_pretend(const struct hibernation *request, struct cycle *cycle, struct error *err);

#endif
