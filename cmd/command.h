/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command table: everything that a user can type.
 *
 * Parsing, --help, the shell completions and the test that every command and option stands in its
 * manual page all read it. Each command is one file that exports its struct command.
 */
#ifndef EC2HIB_CMD_COMMAND_H
#define EC2HIB_CMD_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/config.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/facts/facts.h"
#include "core/facts/imds.h"
#include "ui/style.h"

/* Exit statuses of every command; the manual page has the same list. */
enum exit_status {
	EXIT_READY = 0,	    /* done; ready */
	EXIT_NOT_READY = 1, /* not ready; the command failed */
	EXIT_USAGE = 2,	    /* the command line or the configuration is wrong */
	EXIT_UNKNOWN = 3,   /* could not tell */
};

/* What may stand behind an option or as an operand, and what completion offers for it. */
enum argument_kind {
	ARGUMENT_NONE,
	ARGUMENT_FILE,
	ARGUMENT_FOLDER,
	ARGUMENT_SIZE,
	ARGUMENT_URL,
	ARGUMENT_WORD,	  /* one of the words of the table */
	ARGUMENT_CHECK,	  /* the id of a check */
	ARGUMENT_COMMAND, /* the name of a command */
	ARGUMENT_ITEM,	  /* a path of the metadata service */
	ARGUMENT_FAULT,	  /* of the simulated metadata service */
	ARGUMENT_LEVELS,  /* of a rehearsal, with commas in between */
	ARGUMENT_SWAP_FILE,
	ARGUMENT_DEVICE, /* a block device, for swap or as a volume */
	ARGUMENT_TEXT,	 /* anything; nothing is offered */
};

struct option_entry {
	const char *name; /* without -- */
	char letter;	  /* 0: no short form */
	enum argument_kind kind;
	const char *argument; /* as --help shows it: DIR; NULL with ARGUMENT_NONE */
	const char *const *words;
	const char *help;
};

struct invocation;

/*
 * A command has either options and run(), or subcommands, each with its own (imds get): then the
 * word behind its name says which.
 */
struct command {
	const char *name;
	const struct command *parent;		  /* of a subcommand: the command that has it */
	const struct command *const *subcommands; /* NULL at the end; NULL: there are none */
	const char *synopsis;			  /* behind the name */
	const char *summary;			  /* one line */
	const char *details;			  /* a paragraph for --help */
	const struct option_entry *options;
	size_t option_count;
	enum argument_kind operands; /* ARGUMENT_NONE: takes none */
	int (*run)(struct invocation *invocation);
};

/* Options that every command takes. */
extern const struct option_entry global_options[];
extern const size_t global_option_count;

extern const struct command *const commands[];
extern const size_t command_count;

/* The command with this name, or NULL. */
const struct command *command_find(const char *name);
const struct command *subcommand_find(const struct command *command, const char *name);
/* As a user types it: "imds get". The caller frees it. */
char *command_words(const struct command *command);

#define COMMAND_OPTIONS_MAX 24
#define COMMAND_USES_MAX    128

/* An option of the command as it stands on the command line. */
struct option_use {
	const struct option_entry *option;
	const char *value; /* NULL with ARGUMENT_NONE */
};

/* A command line, parsed. */
struct invocation {
	const struct command *command;
	const char *values[COMMAND_OPTIONS_MAX]; /* by index in command->options */
	const char *global_values[COMMAND_OPTIONS_MAX];
	bool given[COMMAND_OPTIONS_MAX];
	bool global_given[COMMAND_OPTIONS_MAX];
	/* Each time that one of the command's options is given, in that order. */
	struct option_use uses[COMMAND_USES_MAX];
	size_t use_count;
	unsigned verbose;
	char *const *operands;
	int operand_count;
	struct style style;
};

/* Of an option of the command or a global one, by its long name. */
bool option_given(const struct invocation *invocation, const char *name);
const char *option_value(const struct invocation *invocation, const char *name);

/*
 * Parses what stands behind the program's name. 0, or EXIT_USAGE after a message. Without a known
 * command the operands begin with the first word that is no option.
 */
int invocation_parse(struct invocation *invocation, int argc, char **argv);

/* ec2hib: MESSAGE, on standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warn_user(const struct invocation *invocation, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --help of the program and of a command, on standard output. */
void help_program(void);
void help_command(const struct command *command);

/* ---- What every command needs to begin ---- */

struct session {
	struct root root;
	struct root host;
	char *config_path; /* of --config, absolute; NULL: the standard one, below root */
	struct config config;
	struct imds_options imds;
};

/*
 * Opens --root, reads the configuration and the environment of the metadata client. 0 or an exit
 * status after a message. session_close() in any case.
 */
int session_open(struct session *session, const struct invocation *invocation);
void session_close(struct session *session);

/*
 * Reads the configuration again, in place; what borrows from it sees the new values, so nothing may
 * keep a text of it. An error names file and line, and leaves all as it was.
 */
int session_reload(struct session *session, const struct invocation *invocation, struct error *err);

/* --swapfile or --swap-device over what the configuration says. 0 or EXIT_USAGE after a message. */
int session_set_area(struct session *session, const struct invocation *invocation);

/* All facts of the session's machine. FACTS must be zeroed. */
void session_gather(const struct session *session, struct facts *facts);

/*
 * Looks for one, and says on standard error what was found. Nothing on an image, and for who is not
 * root. Not while a lock is held.
 */
void rehearsal_put_right(const struct invocation *invocation, const struct session *session);

/* ---- Saved facts (--from): nothing of this machine counts, its configuration neither ---- */

/* The JSON of the file PATH (- is standard input), or NULL with an error; json_decref() ends it. */
json_t *saved_read(const char *path, struct error *err);

/* Reads the file PATH (- is standard input) that status --json wrote. 0 or a negative errno. */
int saved_load(const char *path, struct facts *facts, struct config *config, struct error *err);

/* False after a message: an option is given that is about a machine. */
bool saved_alone(const struct invocation *invocation);

/* ---- What the files of this folder export to the command table ---- */

extern const struct command command_complete;
extern const struct command command_help;
extern const struct command command_hibernate;
extern const struct command command_history;
extern const struct command command_imds;
extern const struct command command_imds_get;
extern const struct command command_imds_serve;
extern const struct command command_prewarm;
extern const struct command command_setup;
extern const struct command command_shell;
extern const struct command command_status;
extern const struct command command_teardown;
extern const struct command command_test_hibernate;
extern const struct command command_tui;
extern const struct command command_version;
extern const struct command command_watch;

#endif
