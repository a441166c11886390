/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "core/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"

/* Before Linux 5.3 a child's end wakes nobody here, and the child is asked this often. */
#define TICK_MS 20

#define DRAIN_READS 64

/* Before Linux 5.11 descriptors up to this number are hidden one by one. */
#define HIDDEN_MOST 256

/*
 * SIGKILL ends a program at once, unless it sleeps in the kernel for a disk or a server that does
 * not answer: that one cannot be ended, and is left behind.
 */
#define KILL_WAIT_MS 2000

/* How long our locks stay taken for a program that was killed after us and does not end. */
#define KEEP_MS (60 * 1000)

/* NSIG counts a signal 0, which there is not. */
#define SIGNAL_MASK_BYTES ((NSIG - 1) / 8)

/* As much of a complaint as an error's text has room for beside the rest. */
#define COMPLAINT_LENGTH 600

static const char *const program_folders[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
	"/usr/bin", "/sbin", "/bin" };

static const char *const clean_environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
	"HOME=/root"
};
#define CLEAN_COUNT (ARRAY_SIZE(clean_environment))

char *process_find(const struct root *root, const char *name)
{
	if (strchr(name, '/'))
		return root_executable(root, name) ? text_copy(name) : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(program_folders); i++) {
		char *path = text_format("%s/%s", program_folders[i], name);

		if (root_executable(root, path))
			return path;
		free(path);
	}
	return NULL;
}

/* ---- Starting ---------------------------------------------------------------------------- */

/* Everything that is needed between fork and exec, where nothing can be allocated any more. */
struct start {
	const struct process *process;
	const char *path;
	const char **environment; /* the strings belong to others */
	int out, errors;	  /* the pipes' writing ends */
	int report;		  /* an errno is written here when exec failed */
	int go;			  /* nothing is run before a byte comes from here */
};

/* A running child. */
struct child {
	pid_t pid;
	int pidfd; /* -1 before Linux 5.3 */
	int report;
	struct stream streams[2];
	pid_t keeper;
	int life; /* its other end is the keeper's: it closes with us */
};

static bool environment_has(const char *const *list, const char *entry)
{
	size_t length = strcspn(entry, "=") + 1;

	for (; list && *list; list++)
		if (strncmp(*list, entry, length) == 0)
			return true;
	return false;
}

static const char **environment_make(const char *const *added)
{
	size_t count = 0, added_count = 0;
	const char **environment;

	while (added && added[added_count])
		added_count++;
	environment = memory_new(CLEAN_COUNT + added_count + 1, sizeof(*environment));
	for (size_t i = 0; i < CLEAN_COUNT; i++)
		if (!environment_has(added, clean_environment[i]))
			environment[count++] = clean_environment[i];
	for (size_t i = 0; i < added_count; i++)
		environment[count++] = added[i];
	return environment;
}

/* Standard input, the folder, and in an image its root. False and errno. */
static bool become_settle(const struct start *start)
{
	const struct root *root = start->process->root;
	int null;

	if (!root->live && (fchdir(root->fd) < 0 || chroot(".") < 0))
		return false;
	if (chdir("/") < 0)
		return false;
	null = open("/dev/null", O_RDONLY);
	if (null > STDIN_FILENO) {
		dup2(null, STDIN_FILENO);
		close(null);
	} else if (null < 0) {
		close(STDIN_FILENO);
	}
	return dup2(start->out, STDOUT_FILENO) >= 0 && dup2(start->errors, STDERR_FILENO) >= 0;
}

/* Whatever opened them and did not think of programs. */
static void hide_descriptors(void)
{
	process_hide_descriptors();
	for (int fd = STDERR_FILENO + 1; fd < HIDDEN_MOST; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/*
 * What is ignored stays ignored in the new program, so nothing may be. Not by signal(3): libc keeps
 * signals 32 and 33 for itself and refuses to touch them, also when they came to us ignored.
 */
static void become_sensitive(void)
{
	/* struct sigaction as the kernel has it: all zero, SIG_DFL without flags. */
	static const unsigned long standard[16];
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		syscall(SYS_rt_sigaction, number, standard, NULL, SIGNAL_MASK_BYTES);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Our OOMScoreAdjust= is not for a hook that leaks: others would be killed instead of it. */
static void become_expendable(void)
{
	char score[16] = "";
	int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);

	if (read(fd, score, sizeof(score)) <= 0 || score[0] != '-' || pwrite(fd, "0", 1, 0) == 1)
		close(fd); /* what could not be changed closes with the start */
}

/* Between fork and exec: only what is safe there. */
__attribute__((noreturn)) static void become(const struct start *start)
{
	const struct process *process = start->process;
	char byte;
	int code;

	setpgid(0, 0);
	become_sensitive();
	become_expendable();
	hide_descriptors();
	/* Without one we were killed before there was a keeper. */
	if (read(start->go, &byte, 1) != 1)
		_exit(126);
	if (become_settle(start)) {
		execve(start->path, (char *const *)process->arguments,
			(char *const *)start->environment);
	}
	code = errno;
	if (write(start->report, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

/*
 * A pipe whose ends are none of 0, 1 and 2, also when our own were closed: those numbers are the
 * child's outputs.
 */
static int pipe_make(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		int old = ends[i];

		if (old > STDERR_FILENO)
			continue;
		ends[i] = fcntl(old, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (ends[i] < 0) {
			int code = errno;

			close(old);
			close(ends[1 - i]);
			return -code;
		}
		close(old);
	}
	return 0;
}

/*
 * The keeper, a copy of us with our locks, which waits for our end: LIFE has a writing end in us
 * alone. When it comes while the child runs, the child's group ends, and then the keeper with the
 * locks. Only what is safe between fork and exec: we may have threads.
 */
__attribute__((noreturn)) static void keep(int life, pid_t group)
{
	unsigned waited = 0;
	sigset_t all;
	char byte;

	setpgid(0, 0); /* what ends us from the keyboard is not for it */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	while (read(life, &byte, 1) < 0 && errno == EINTR)
		;
	for (; kill(-group, SIGKILL) == 0 && waited < KEEP_MS; waited += TICK_MS)
		poll(NULL, 0, TICK_MS);
	_exit(0);
}

/* Lets the child go on once there is a keeper. 0 or a negative errno. */
static int start_keeper(struct child *child, int go)
{
	int life[2], status = pipe_make(life);

	if (status < 0)
		return status;
	child->keeper = fork();
	if (child->keeper == 0) {
		close(life[1]);
		keep(life[0], child->pid);
	}
	status = child->keeper < 0 ? -errno : 0;
	close(life[0]);
	child->life = life[1];
	if (status == 0 && write(go, "", 1) != 1)
		status = -errno;
	if (status < 0)
		close(child->life);
	return status;
}

/* Before the child's number can be another's. */
static void stop_keeper(const struct child *child)
{
	kill(child->keeper, SIGKILL);
	close(child->life);
	while (waitpid(child->keeper, NULL, 0) < 0 && errno == EINTR)
		;
}

enum { PIPE_OUT, PIPE_ERRORS, PIPE_REPORT, PIPE_GO, PIPES };

static int start_child(struct start *start, struct child *child)
{
	int pipes[PIPES][2], status = 0, made = 0, go;

	while (made < PIPES && (status = pipe_make(pipes[made])) == 0)
		made++;
	if (status == 0) {
		start->out = pipes[PIPE_OUT][1];
		start->errors = pipes[PIPE_ERRORS][1];
		start->report = pipes[PIPE_REPORT][1];
		start->go = pipes[PIPE_GO][0];
		child->pid = fork();
		if (child->pid == 0) {
			close(pipes[PIPE_GO][1]);
			become(start);
		}
		if (child->pid < 0)
			status = -errno;
	}
	/* Ours are the reading ends, but of the last. */
	go = made == PIPES ? pipes[PIPE_GO][1] : -1;
	for (int i = 0; i < made; i++) {
		close(pipes[i][i == PIPE_GO ? 0 : 1]);
		if (status < 0)
			close(pipes[i][i == PIPE_GO ? 1 : 0]);
	}
	if (status < 0)
		return status;
	/* Both sides do this, so that the group is there whichever of them comes first. */
	setpgid(child->pid, child->pid);
	child->streams[0].fd = pipes[PIPE_OUT][0];
	child->streams[1].fd = pipes[PIPE_ERRORS][0];
	child->report = pipes[PIPE_REPORT][0];
	fcntl(child->report, F_SETFL, O_NONBLOCK);
	status = start_keeper(child, go);
	close(go);
	/* It had no byte and ends by itself. */
	if (status < 0) {
		waitpid(child->pid, NULL, 0);
		close(child->report);
		return status;
	}
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	return 0;
}

/* ---- Following ------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
	return (int64_t)clock_ms(CLOCK_MONOTONIC);
}

/*
 * Waits at most WAIT_MS for something to read or for the child's end, and reads once what is there.
 * True when something was read.
 */
static bool child_poll(struct child *child, int wait_ms)
{
	struct pollfd polled[3] = { { .fd = child->streams[0].fd, .events = POLLIN },
		{ .fd = child->streams[1].fd, .events = POLLIN },
		{ .fd = child->pidfd, .events = POLLIN } };
	bool any = false;

	if (poll(polled, 3, wait_ms) <= 0)
		return false;
	for (int i = 0; i < 2; i++) {
		if (!polled[i].revents)
			continue;
		any = true;
		if (!stream_read(&child->streams[i]))
			stream_close(&child->streams[i]);
	}
	return any;
}

/* The child stays a zombie, and its group's number nobody else's, until child_reap(). */
static bool child_ended(const struct child *child)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return errno != EINTR;
	return info.si_pid == child->pid;
}

/*
 * What it left in the pipes: a full pipe (pipe(7), 64 KiB) takes 16 reads. It is counted, because
 * a program that it left running may write on for ever.
 */
static void child_drain(struct child *child)
{
	for (int reads = 0; reads < DRAIN_READS && child_poll(child, 0);)
		reads++;
}

static int child_reap(const struct child *child, int *wait_status)
{
	while (waitpid(child->pid, wait_status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int wait_length(const struct process *process, const struct child *child, int64_t deadline)
{
	int64_t left = deadline - now_ms();

	if (left < 0)
		left = 0;
	if (child->pidfd < 0 && left > TICK_MS)
		left = TICK_MS;
	if (process->reporter && left > PROCESS_CANCEL_MS)
		left = PROCESS_CANCEL_MS;
	return left > INT_MAX ? INT_MAX : (int)left;
}

/* True when the child ends within WAIT_MS. */
static bool child_ends_within(const struct process *process, struct child *child, unsigned wait_ms)
{
	int64_t deadline = now_ms() + wait_ms;

	while (!child_ended(child)) {
		if (now_ms() >= deadline)
			return false;
		child_poll(child, wait_length(process, child, deadline));
		/* The answer is known; asking tells the caller that we still live. */
		reporter_cancelled(process->reporter);
	}
	return true;
}

/* Ends the child and all of its group: asks first when there is a grace. False: it lives on. */
static bool child_end(const struct process *process, struct child *child)
{
	if (process->grace_ms) {
		kill(-child->pid, SIGTERM);
		/* Who was stopped cannot hear it. */
		kill(-child->pid, SIGCONT);
		child_ends_within(process, child, process->grace_ms);
	}
	kill(-child->pid, SIGKILL);
	return child_ends_within(process, child, KILL_WAIT_MS);
}

/*
 * Reads both outputs until the child has ended or has to. 0, -ETIMEDOUT, -ECANCELED; -EUNATCH when
 * it had to and could not be ended.
 */
static int child_follow(const struct process *process, struct child *child, int *wait_status)
{
	int64_t deadline = now_ms() + process->timeout_ms;
	int status = 0, reaped;

	/* Look first, read after: what it wrote before it ended is then all there. */
	while (!child_ended(child)) {
		if (reporter_cancelled(process->reporter))
			status = -ECANCELED;
		else if (now_ms() >= deadline)
			status = -ETIMEDOUT;
		if (status < 0 && !child_end(process, child)) {
			stop_keeper(child);
			return -EUNATCH;
		}
		if (status < 0)
			break;
		child_poll(child, wait_length(process, child, deadline));
	}
	stop_keeper(child);
	reaped = child_reap(child, wait_status);
	child_drain(child);
	return status < 0 ? status : reaped;
}

/* ---- The answer ------------------------------------------------------------------------------ */

/* The sentence for a child that did not end with 0. */
static int describe(const char *path, int wait_status, char *errors, struct error *err)
{
	const char *said = errors ? text_trim(errors) : "";
	size_t length = strlen(said);

	for (char *c = errors; c && *c; c++)
		if (*c == '\n')
			*c = ' ';
	/* The reason is at the end of a long complaint. */
	if (length > COMPLAINT_LENGTH)
		said += length - COMPLAINT_LENGTH;
	if (WIFSIGNALED(wait_status))
		return error_set(err, EIO, "%s was ended by signal %d (%s)%s%s", path,
			WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)), *said ? ": " : "",
			said);
	return error_set(err, EIO, "%s failed with status %d%s%s", path, WEXITSTATUS(wait_status),
		*said ? ": " : "", said);
}

/* The file is there, as was seen before, so what is missing is named in its first line or its ELF
 * header. */
static int describe_start(const char *path, int code, struct error *err)
{
	if (code == ENOENT)
		return error_set(err, ENOENT, "cannot run %s: its interpreter is missing", path);
	return error_errno(err, code, "cannot run %s", path);
}

static int follow_to_end(
	const struct process *process, const char *path, struct child *child, struct error *err)
{
	int wait_status = 0, code = 0;
	int status = child_follow(process, child, &wait_status);

	if (status == -EUNATCH)
		return error_set(err, ETIMEDOUT,
			"%s (process %ld) cannot be killed: it waits for a device or a server, and is left behind",
			path, (long)child->pid);
	if (status == -ETIMEDOUT)
		return error_set(err, ETIMEDOUT, "%s did not end within %g s", path,
			process->timeout_ms / 1000.0);
	if (status == -ECANCELED)
		return error_set(err, ECANCELED, "%s was cancelled", path);
	if (status < 0)
		return error_errno(err, -status, "cannot wait for %s", path);
	if (read(child->report, &code, sizeof(code)) == sizeof(code))
		return describe_start(path, code, err);
	if (wait_status != 0)
		return describe(path, wait_status, child->streams[1].text, err);
	return 0;
}

int process_execute(const struct process *process, char **output, struct error *err)
{
	const char *name = process->arguments[0];
	memory_cleanup_free char *path = process_find(process->root, name);
	memory_cleanup_free const char **environment = environment_make(process->environment);
	struct start start = { .process = process, .path = path, .environment = environment };
	struct child child = { .pidfd = -1, .report = -1 };
	int status;

	if (output)
		*output = NULL;
	if (!path)
		return error_set(err, ENOENT, "%s is not installed%s%s", name,
			process->root->live ? "" : " in ", process->root->path);
	for (int i = 0; i < 2; i++)
		child.streams[i] =
			(struct stream) { .fd = -1, .line = process->line, .data = process->data };
	child.streams[0].limit = output ? PROCESS_OUTPUT_LIMIT : 0;
	child.streams[1].limit = COMPLAINT_LENGTH + 1;
	child.streams[1].keep = STREAM_KEEP_END;
	status = start_child(&start, &child);
	if (status < 0)
		return error_errno(err, -status, "cannot run %s", path);
	status = follow_to_end(process, path, &child, err);
	close(child.report);
	if (child.pidfd >= 0)
		close(child.pidfd);
	if (status == 0 && output) {
		*output = child.streams[0].text ? child.streams[0].text : text_copy("");
		child.streams[0].text = NULL;
	}
	for (int i = 0; i < 2; i++)
		stream_free(&child.streams[i]);
	return status;
}

int process_run(const struct root *root, const char *const *arguments, unsigned timeout_ms,
	char **output, struct error *err)
{
	struct process process = { .root = root, .arguments = arguments, .timeout_ms = timeout_ms };

	return process_execute(&process, output, err);
}

void process_fill_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

void process_hide_descriptors(void)
{
#ifdef SYS_close_range
	/* CLOSE_RANGE_CLOEXEC, Linux 5.11; before that they stay, as they did in us. */
	syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 1u << 2);
#endif
}
