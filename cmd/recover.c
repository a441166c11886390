/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/recover.h"

#include "config.h"
#include "core/actions/rehearse.h"
#include "core/base/memory.h"

void rehearsal_put_right(const struct invocation *invocation, const struct session *session)
{
	const struct gather gather = { .root = &session->root,
		.host = &session->host,
		.config = &session->config,
		.version = PACKAGE_VERSION };
	memory_cleanup_free char *said = NULL;
	struct error err = { "" };

	if (rehearsal_recover(&gather, &said, &err) < 0)
		complain("%s", err.text);
	if (said)
		warn_user(invocation, "%s", said);
}
