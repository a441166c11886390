/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "tests/lib/kill.h"
#include "core/base/compiler.h"

/* System calls after which the file system is another, or a program runs. */
static bool is_step(uint64_t number)
{
	static const uint64_t steps[] = { SYS_renameat, SYS_renameat2, SYS_unlinkat, SYS_mkdirat,
		SYS_fsync, SYS_fchmod, SYS_clone, SYS_clone3,
#ifdef SYS_fork
		SYS_fork, SYS_vfork
#endif
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (steps[i] == number)
			return true;
	return false;
}

static _Noreturn void be_traced(int (*work)(void *), void *data)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(2);
	raise(SIGSTOP);
	_exit(work(data) < 0);
}

bool run_up_to_step(int (*work)(void *), void *data, size_t step)
{
	pid_t child = fork();
	struct ptrace_syscall_info info;
	int status, signal = 0;
	size_t count = 0;

	if (child == 0)
		be_traced(work, data);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(
		ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL),
		0);
	for (;;) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, signal), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return true;
		}
		assert_true(WIFSTOPPED(status));
		signal = WSTOPSIG(status);
		if (signal != (SIGTRAP | 0x80))
			continue;
		signal = 0;
		if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) <= 0 ||
			info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_step(info.entry.nr))
			continue;
		if (++count == step) {
			kill(child, SIGKILL);
			assert_int_equal(waitpid(child, &status, 0), child);
			return false;
		}
	}
}
