/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * measure RUNS COMMAND [ARGUMENT...]: runs the command so often, its output thrown away, and prints
 * the median wall time in milliseconds and the largest peak of resident memory in KiB.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* One run; its time in milliseconds, and the peak of its memory. */
static double run(char **command, long *peak)
{
	double start = now_ms();
	struct rusage usage;
	int status;
	pid_t child = fork();

	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execvp(command[0], command);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) < 0 ||
		(WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
		fprintf(stderr, "measure: cannot run %s\n", command[0]);
		exit(1);
	}
	if (usage.ru_maxrss > *peak)
		*peak = usage.ru_maxrss;
	return now_ms() - start;
}

int main(int argc, char **argv)
{
	int runs = argc > 2 ? atoi(argv[1]) : 0;
	double *times;
	long peak = 0;

	if (runs < 1) {
		fputs("usage: measure RUNS COMMAND [ARGUMENT...]\n", stderr);
		return 2;
	}
	times = calloc((size_t)runs, sizeof(*times));
	if (!times)
		return 1;
	for (int i = 0; i < runs; i++)
		times[i] = run(argv + 2, &peak);
	qsort(times, (size_t)runs, sizeof(*times), compare);
	printf("%.3f %ld\n", times[runs / 2], peak);
	free(times);
	return 0;
}
