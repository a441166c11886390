/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What setup still has to do, and what teardown has to undo: ordered steps, decided from the facts
 * alone. None are left when all is well, so running setup again after a crash at any point goes on
 * where it was.
 */
#ifndef EC2HIB_RULES_PLAN_H
#define EC2HIB_RULES_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/config.h"
#include "core/base/text.h"
#include "core/facts/facts.h"
#include "core/rules/checks.h"

/* In the order in which they have to run: see setup_plan() for why. */
enum step_kind {
	STEP_REMEMBER_AREA,    /* which file or device was chosen */
	STEP_CLEAN_IMAGE,      /* make the area plain swap again */
	STEP_SWEEP_SWAP,       /* remove what an interrupted run left beside the file */
	STEP_REMOVE_SWAP,      /* switch off and remove the file, to make room for the new */
	STEP_CREATE_SUBVOLUME, /* btrfs: for the file alone, so that snapshots go on working */
	STEP_CREATE_SWAP,      /* make the file, formatted and complete */
	STEP_PROTECT_SWAP,     /* root:root 0600 */
	STEP_LABEL_SWAP,       /* SELinux */
	STEP_FORMAT_SWAP,      /* mkswap where there is no header */
	STEP_SWAP_ON,
	STEP_REMEMBER_SWAP_ON, /* whether it is on for good or around a hibernation */
	STEP_SWAP_OFF,	       /* until a hibernation */
	STEP_SWAP_AT_BOOT,     /* /etc/fstab */
	STEP_BOOT_ARGUMENTS,   /* resume= and friends for the next boots */
	STEP_INITRAMFS,
	STEP_KERNEL_RESUME, /* /sys/power/resume_offset and resume */
	STEP_FREEZE_TIMEOUT,
	STEP_FREEZE_AT_BOOT,
	STEP_SERVICE,	/* enable and start the agent */
	STEP_TAKE_OVER, /* switch the older agents off */
	STEP_SLEEP_KEY, /* logind leaves the button to the agent */
	STEP_PREWARM,	/* touch every block; VALUE 1: in the background */
	/* teardown */
	STEP_UNDO_SERVICE,
	STEP_UNDO_SLEEP_KEY,
	STEP_UNDO_BOOT_ARGUMENTS,
	STEP_UNDO_INITRAMFS,
	STEP_UNDO_SWAP_AT_BOOT,
	STEP_UNDO_FREEZE_AT_BOOT,
	STEP_UNDO_KERNEL_RESUME,
	STEP_UNDO_SWAP, /* switch off and remove what we made */
	STEP_UNDO_REMEMBER_AREA,
	STEP_UNDO_REMEMBER_SWAP_ON,
	STEP_UNDO_TAKE_OVER,
};

struct step {
	enum step_kind kind;
	uint64_t value; /* size in bytes, milliseconds; 0 where a step has none */
	const char *id; /* stable, for --json: "create-swap" */
	char *text;	/* what will be done, with names and numbers */
};

struct plan {
	struct step *steps;
	size_t count;
	struct strings notes;	/* what is left out, and why */
	struct strings by_hand; /* what only the administrator can do: the words to type */
	bool incomplete;	/* and it is known that this is not done yet */
	struct report gate;	/* of setup: what makes all of it useless; see setup_gate() */
};

/*
 * Auto: in the background where the area lies on an EBS volume and was not pre-warmed to its end.
 */
enum setup_prewarm {
	SETUP_PREWARM_AUTO,
	SETUP_PREWARM_YES,
	SETUP_PREWARM_NO,
	SETUP_PREWARM_BACKGROUND
};

/* What the user asked for besides the configuration. */
struct setup_request {
	const char *size; /* see swap_size_decide(); NULL is auto */
	bool keep_boot_config;
	bool keep_initramfs;
	bool force;	    /* go on although it is of no use */
	bool area_given;    /* --swapfile or --swap-device: later runs have to find it again */
	bool swap_on_given; /* --swap-on, which the configuration carries, as well */
	bool service;	    /* the agent too; without it the next one means nothing */
	bool take_over;	    /* switch the older agents off */
	enum setup_prewarm prewarm;
};

/*
 * The steps that are missing. The order: first nothing may be left that a boot could resume by
 * mistake; then the swap area, complete under its name; then the next boot learns where it is; the
 * running kernel after that. Whatever the moment of a power cut, the machine boots: at worst it
 * looks for an image where there is none. The agent comes then, when all that it needs is there:
 * first it runs, then who answered until now is switched off, so that an agent that does not start
 * leaves the machine with the answer that it had. Pre-warming is last: nothing waits for it.
 *
 * 0, or what swap_size_decide() says; -ENOTSUP when plan->gate has findings and nobody wants to go
 * on all the same; -EBUSY for an image that belongs to a hibernated machine; -EMEDIUMTYPE for an
 * area whose file system or devices cannot hold an image; -EEXIST for one that holds something
 * else; -EPERM for one that others could exchange.
 * plan_free() in any case.
 */
int setup_plan(struct plan *plan, const struct facts *facts, const struct config *config,
	const struct setup_request *request, struct error *err);

/*
 * The part of setup that hibernation itself may have to catch up on, and can in a moment: an old
 * image, the active swap, and where the running kernel writes to.
 */
int preparation_plan(struct plan *plan, const struct facts *facts, const struct config *config,
	struct error *err);

/*
 * The way back; touches only what carries our name or label. 0; -EBUSY for an image that belongs to
 * a hibernated machine, in which nothing may change; -EPERM for an area that others could exchange.
 * plan_free() in any case.
 */
int teardown_plan(struct plan *plan, const struct facts *facts, struct error *err);

/* Whether a machine that hibernates without this step of setup would not come back. */
bool step_is_vital(const struct step *step);

/* Whether STEP has no sense, or does harm, after the step FAILED was not done. */
bool step_rests_on(const struct step *step, const struct step *failed);

void plan_free(struct plan *plan);

#endif
