/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine of pre-warming: many requests at a time on one file descriptor.
 *
 * Threads, the only ones in core: the kernel keeps a synchronous O_DIRECT request in the thread
 * that made it, so that to have 64 on their way means 64 threads, or an asynchronous interface.
 * io_uring is forbidden on many machines (kernel.io_uring_disabled, seccomp of containers), and
 * libaio blocks all the same where the device's queue is full; a thread that sleeps costs a stack.
 * Measured (BENCH=engines tests/bench/prewarm: fio's engines, 1 MiB a request, 4 GiB of a loop
 * device in memory, two processors, medians of five): eight at a time threads 6206 MiB/s and 0.12 s
 * of CPU a GiB, libaio 5611 and 0.12, io_uring 5440 and 0.17; 32 at a time 5596 and 0.14, 4719 and
 * 0.13, 5258 and 0.13. A volume of EBS gives 125 to 4000 MiB/s: threads lose nothing there. What
 * does count is memory: with buffers in huge pages a GiB takes half the CPU, since most of it is
 * finding and pinning 256 pages a request.
 *
 * The threads share one struct under one mutex, which is held for microseconds between requests;
 * only the thread that called knows callbacks, signals and files.
 */
#ifndef EC2HIB_ACTIONS_PREWARM_ENGINE_H
#define EC2HIB_ACTIONS_PREWARM_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/reporter.h"
#include "core/rules/prewarm.h"

/* How often "cancelled" is asked, milliseconds; a tenth of the promise is left for the way out. */
#define PREWARM_TICK_MS 10

/* Numbers of this run. */
struct prewarm_numbers {
	uint64_t bytes;	     /* touched */
	uint64_t rate;	     /* lately, bytes/s */
	uint64_t slowest_us; /* of the last one or two seconds */
	uint64_t elapsed_ms;
	unsigned depth;
	bool gives_way;	 /* somebody else uses the device now */
	uint64_t errors; /* of the smallest blocks, that were given up */
	struct prewarm_histogram histogram;
	struct error first_error; /* "" : none */
};

struct prewarm_job {
	int fd;		  /* opened with O_DIRECT */
	int counters;	  /* /sys/block/DISK/stat, to give way; -1: take what there is */
	const char *name; /* of what FD is, for errors: /dev/nvme0n1p1 */
	bool write;	  /* zeros, in place of reading */
	const struct prewarm_ranges *ranges;
	uint64_t block;	  /* bytes a request, a multiple of LOGICAL */
	uint64_t logical; /* bytes of the smallest request */
	unsigned depth;	  /* 0: adapt */
	uint64_t rate;	  /* bytes/s; 0: no limit */
	/* All that follows is called by the calling thread alone. "log" is told each position that is
	 * given up, "cancelled" is asked every PREWARM_TICK_MS. May be NULL. */
	const struct reporter *reporter;
	/* Every REPORT_MS. */
	void (*report)(void *data, const struct prewarm_numbers *numbers);
	/* Every SAVE_MS, and at a stop before what is still on its way is waited for. */
	void (*save)(void *data, const struct prewarm_ranges *done);
	void *data;
};

/*
 * Touches all ranges once. A request that fails is made again at the end, in the smallest pieces;
 * those that fail again are given up, and the rest is done all the same; a device on which nothing
 * or too much fails is given up as a whole. *DONE, which must be {0}, gets what was touched;
 * prewarm_ranges_free() in any case. NUMBERS is filled in any case.
 *
 * 0; -ECANCELED: stopped, within 100 ms and the time that the requests on their way take; -EIO:
 * some places were given up; another errno when it makes no sense to go on: the device is gone
 * (-ENODEV), the file became an active swap area (-ETXTBSY), no memory.
 */
int prewarm_engine_run(const struct prewarm_job *job, struct prewarm_ranges *done,
	struct prewarm_numbers *numbers, struct error *err);

#endif
