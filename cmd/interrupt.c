/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/interrupt.h"
#include "core/base/compiler.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t stop_wanted;

static void on_signal(int number)
{
	stop_wanted = number;
}

void interrupt_catch(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

bool interrupt_came(void *data UNUSED)
{
	return stop_wanted != 0;
}
