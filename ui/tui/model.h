/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the dashboard shows, wherever it came from. Panels read it and never change it.
 */
#ifndef EC2HIB_UI_TUI_MODEL_H
#define EC2HIB_UI_TUI_MODEL_H

#include "core/facts/cycle.h"
#include "core/facts/gather.h"
#include "core/facts/prewarm_state.h"
#include "core/facts/watch_state.h"
#include "ui/status_view.h"
#include "ui/tui/service.h"

/* What is new, for panels that keep something of it. */
enum news {
	NEWS_FACTS = 1,	   /* facts, configuration and history */
	NEWS_WATCH = 2,	   /* the agent's state file */
	NEWS_PREWARM = 4,  /* the pre-warm's state file */
	NEWS_SERVICE = 8,  /* an answer of the metadata service, or none */
	NEWS_COMMAND = 16, /* a command of the dashboard began or ended */
};

struct model {
	/* Whose facts these are. */
	bool saved;	      /* of a file */
	bool live;	      /* the machine that we run on */
	bool root;	      /* we are */
	const char *from;     /* the file, or the image's folder; "" */
	const char *endpoint; /* the service that is polled; NULL: none is */
	const char *version;

	/* Now: seconds since 1970, and CLOCK_BOOTTIME in ms. */
	int64_t now;
	uint64_t ticks;

	/* Facts; REPORT is what the checks say of them. */
	bool gathered;
	int64_t gathered_at;
	struct facts facts;
	struct config config;
	struct report report;
	char *facts_error; /* why the last gathering failed */

	cycle_list cycles; /* newest last */
	char *cycles_error;
	bool cycles_of_log;	/* there is no history: they are from the kernel's log */
	struct strings journal; /* what the agent logged, oldest first */

	/* -ENOENT: none has run since boot; another negative errno with an error. */
	int watch_status;
	struct watch_state watch;
	char *watch_error;
	int prewarm_status;
	struct prewarm_state prewarm;
	char *prewarm_error;
	bool prewarm_runs;

	struct service_state service;

	char *command; /* the last one that was run: "ec2hib prewarm"; NULL: none */
	bool command_runs;
	char *command_result; /* how it ended */
};

void model_init(struct model *model);
void model_free(struct model *model);

/*
 * What the child that gathers says: {"facts", "config", "history" or "history_error", "of_log",
 * "journal"}. 0, or -EINVAL and what was there before stays.
 */
int model_take_facts(struct model *model, json_t *json, struct error *err);

/*
 * Saved facts, as status --json has them. They may have more: what the child that gathers says, and
 * "watch" and "prewarm", the state files.
 */
int model_take_saved(struct model *model, json_t *json, struct error *err);

/* Reads the state files of /run again. */
void model_read_watch(struct model *model, const struct root *root);
void model_read_prewarm(struct model *model, const struct root *root);

/* Whether an agent runs: its state file may be older than its end. */
bool model_agent_runs(const struct model *model);

/* The notice that is ahead or just over: of the agent or, sooner, of the service; NULL: none. */
const struct notice *model_notice(const struct model *model);

/* Milliseconds from TIME (ISO 8601) to now; false when that is no time or lies ahead. */
bool model_since(const struct model *model, const struct fact_text *time, uint64_t *ms);

#endif
