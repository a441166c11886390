/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The levels of a rehearsal, and what follows from them: decided from the facts alone.
 */
#ifndef EC2HIB_RULES_REHEARSAL_H
#define EC2HIB_RULES_REHEARSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/text.h"
#include "core/facts/facts.h"
#include "core/facts/rehearsal.h"

/* Each goes further than the one before. */
enum rehearsal_level {
	LEVEL_READY,
	LEVEL_HOOKS,
	LEVEL_FREEZER,
	LEVEL_DEVICES,
	LEVEL_PLATFORM,
	LEVEL_PROCESSORS,
	LEVEL_CORE,
	LEVEL_IMAGE,
	LEVEL_CYCLE,
	LEVEL_COUNT
};

/* How a level ends. */
enum rehearsal_outcome {
	OUTCOME_PASSED,
	OUTCOME_FAILED,
	OUTCOME_UNAVAILABLE, /* this machine cannot do it */
	OUTCOME_STOPPED,     /* somebody did not want to wait for its end */
	OUTCOME_LEFT,	     /* not begun: one before it has failed, or it was stopped */
	OUTCOME_COUNT
};

struct rehearsal_level_entry {
	const char *id;	     /* stable: scripts use it */
	const char *title;   /* what is done */
	const char *proves;  /* a sentence: what is known after it */
	const char *warning; /* what it does to the machine that somebody has to agree to; NULL:
				nothing */
	bool pm_test;	     /* one of the kernel's own test modes */
};
extern const struct rehearsal_level_entry rehearsal_levels[LEVEL_COUNT];

const char *rehearsal_outcome_name(enum rehearsal_outcome outcome); /* "passed" */

/* LEVEL_COUNT: there is none with this id. */
enum rehearsal_level rehearsal_level_find(const char *id);

/* Why this machine cannot do the level, in a sentence; NULL: it can. The caller frees it. */
char *rehearsal_missing(enum rehearsal_level level, const struct facts *facts);

/* EC2 stops an instance by force that is not off after about this long. */
#define EC2_PATIENCE_MS ((uint64_t)20 * 60 * 1000)

/* How long it takes until the machine is off when all of its memory is in use. */
struct rehearsal_estimate {
	uint64_t bytes; /* to write: all of memory */
	uint64_t rate;	/* bytes per second */
	uint64_t ms;
	bool in_time; /* well before EC2 loses patience */
};

/*
 * From WRITTEN bytes in WRITE_MS, plus OVERHEAD_MS for all before the write. False where too little
 * was written to tell. The image is half of memory at most, and the rest is swapped out before, to
 * the same disk: all of memory is written in the worst case. The kernel compresses what it writes,
 * the rehearsal does not, so it is mostly faster than this.
 */
bool rehearsal_estimate(struct rehearsal_estimate *estimate, uint64_t memory, uint64_t written,
	uint64_t write_ms, uint64_t overhead_ms);

enum test_resume {
	TEST_RESUME_READS,   /* the image is read back, and the area is plain swap again */
	TEST_RESUME_LEAVES,  /* it is written, and stays for a later boot to resume */
	TEST_RESUME_UNKNOWN, /* depends on what the kernel's maker took over */
};

/*
 * What the mode test_resume of /sys/power/disk does with a swap area on a device that is mounted,
 * by the kernel's RELEASE. Commit 39fbef4b0f77 (5.16, and later stable ones of older series) opens
 * the resume device exclusively, which fails there; 5904de0d735b (6.4, and stable) meant to mend
 * that, with its condition the wrong way round; 148b6f4cc392 has it right, from 6.6 on. Seen:
 * 6.1.192 leaves it, 6.12.107 reads it.
 */
enum test_resume kernel_test_resume(const char *release);

/* Fills what the machine is: kernel, area and entry. The rest of REHEARSAL stays as it is. */
void rehearsal_describe(struct rehearsal_facts *rehearsal, const struct facts *facts);

/* What is another thing than it was when REHEARSAL was recorded, each a few words. */
void rehearsal_changes(const struct rehearsal_facts *rehearsal, const struct facts *facts,
	struct strings *changes);

/* LEVEL was passed now: is it to be recorded in place of what FACTS have? Not when that is more. */
bool rehearsal_counts(enum rehearsal_level level, const struct facts *facts);

/*
 * Why the boot that FACTS are of did not resume the image of the cycle under MARKER, in a sentence.
 * LOG is the kernel's log of this boot, NULL where it cannot be read. The caller frees it.
 */
char *rehearsal_why_lost(
	const struct rehearsal_marker *marker, const struct facts *facts, const char *log);

#endif
