/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command table: everything that a user can type, and what each command needs.
 *
 * Each command is one file that exports its struct command. main() parses the command line into the
 * command's own options, sees to what the command needs, and runs it with an open session. --help,
 * the shell completions and the test that every command and option is in its manual page read the
 * same rows.
 */
#ifndef EC2HIB_CMD_COMMAND_H
#define EC2HIB_CMD_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "core/base/config.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/reporter.h"
#include "core/facts/facts.h"
#include "core/facts/gather.h"
#include "core/facts/imds.h"
#include "ui/style.h"

/* Exit statuses of every command; the manual page has the same list. */
enum exit_status {
	EXIT_READY = 0,	    /* done; ready */
	EXIT_NOT_READY = 1, /* not ready; the command failed */
	EXIT_USAGE = 2,	    /* the command line or the configuration is wrong */
	EXIT_UNKNOWN = 3,   /* could not tell */
};

/* ---- Options ---- */

/* What an option takes, or an operand is: how it is read, and what completion offers for it. */
enum argument_kind {
	ARGUMENT_NONE,
	ARGUMENT_TEXT, /* anything; nothing is offered */
	ARGUMENT_FILE,
	ARGUMENT_FOLDER,
	ARGUMENT_SAVED, /* saved facts, which are used in place of a machine; - is standard input */
	ARGUMENT_SWAP_FILE,
	ARGUMENT_DEVICE, /* a block device, for swap or as a volume */
	ARGUMENT_URL,
	ARGUMENT_ITEM,	    /* a path of the metadata service */
	ARGUMENT_FAULT,	    /* of the simulated metadata service */
	ARGUMENT_CHECK,	    /* the id of a check */
	ARGUMENT_COMMAND,   /* the name of a command */
	ARGUMENT_WORD,	    /* one of the words of the row */
	ARGUMENT_NUMBER,    /* these four within the row's range */
	ARGUMENT_SIZE,	    /* bytes */
	ARGUMENT_RATE,	    /* bytes a second */
	ARGUMENT_DURATION,  /* milliseconds */
	ARGUMENT_SWAP_SIZE, /* auto, a part of memory, or bytes */
	ARGUMENT_LEVELS,    /* of a rehearsal, with commas in between; bit N is level N */
};

/* The type of the member that an option sets. The OPT_ macros see to it that it is that. */
enum option_type {
	OPTION_FLAG,	 /* bool */
	OPTION_COUNT,	 /* unsigned: how often it is given */
	OPTION_TEXT,	 /* const char *; NULL: not given */
	OPTION_UNSIGNED, /* a number, or the index of a word */
	OPTION_UINT64,
	OPTION_USES, /* struct option_uses: each time that it is given */
};

/* A row of a command's options. */
struct option_row {
	const char *name; /* without -- */
	char letter;	  /* 0: no short form */
	enum argument_kind kind;
	enum option_type type;
	size_t offset;		  /* of the member in the command's struct of options */
	const char *argument;	  /* as --help shows it: DIR; NULL with ARGUMENT_NONE */
	const char *const *words; /* NULL at the end */
	uint64_t least, most;	  /* the range of a number; most 0: any */
	uint64_t step;		  /* it has to be a multiple of this; 0: need not */
	const char *help;
	unsigned lifts;	     /* needs of the command that it has not when this is given */
	const char *section; /* of the configuration, where it takes the place of the key NAME */
	const char *clears;  /* the key of that section that then counts no more */
	const char *follows; /* names of options, one of which has to be given before it */
	bool of_machine;     /* says which machine is looked at, and how */
	int tag;	     /* with OPTION_USES: for the command to tell its rows apart */
};

/*
 * Each time that an option of several is given, in the order of the command line: for options that
 * can be repeated, or that speak of the one before.
 */
struct option_use {
	const struct option_row *row;
	const char *text; /* NULL with ARGUMENT_NONE */
	uint64_t number;  /* what a number or a duration comes to */
};
struct option_uses {
	struct option_use *items;
	size_t count;
};

/*
 * Rows for a command whose struct of options its file names OPTIONS. A member of another type does
 * not compile. What follows the help text are further members of the row: .letter = 'n'.
 */
#define OPT_ROW(type_, ctype, name_, member, kind_, argument_, ...)                                \
	{                                                                                          \
		.name = (name_), .kind = (kind_), .type = (type_), .argument = (argument_),        \
		.offset = _Generic(((OPTIONS *)NULL)->member, ctype                                \
				   : offsetof(OPTIONS, member)),                                   \
		__VA_ARGS__                                                                        \
	}

#define OPT_FLAG(name, member, ...)                                                                \
	OPT_ROW(OPTION_FLAG, bool, name, member, ARGUMENT_NONE, NULL, .help = __VA_ARGS__)
#define OPT_COUNT(name, member, ...)                                                               \
	OPT_ROW(OPTION_COUNT, unsigned, name, member, ARGUMENT_NONE, NULL, .help = __VA_ARGS__)
#define OPT_TEXT(name, member, kind, argument, ...)                                                \
	OPT_ROW(OPTION_TEXT, const char *, name, member, kind, argument, .help = __VA_ARGS__)
/* A word as text, or as its index, for an enum that has the same order. */
#define OPT_WORD(name, member, words_, argument, ...)                                              \
	OPT_ROW(OPTION_TEXT, const char *, name, member, ARGUMENT_WORD, argument,                  \
		.words = (words_), .help = __VA_ARGS__)
#define OPT_CHOICE(name, member, words_, argument, ...)                                            \
	OPT_ROW(OPTION_UNSIGNED, unsigned, name, member, ARGUMENT_WORD, argument,                  \
		.words = (words_), .help = __VA_ARGS__)
#define OPT_NUMBER(name, member, least_, most_, argument, ...)                                     \
	OPT_ROW(OPTION_UNSIGNED, unsigned, name, member, ARGUMENT_NUMBER, argument,                \
		.least = (least_), .most = (most_), .help = __VA_ARGS__)
/* ARGUMENT_SIZE, ARGUMENT_RATE or ARGUMENT_DURATION. */
#define OPT_AMOUNT(name, member, kind, least_, most_, argument, ...)                               \
	OPT_ROW(OPTION_UINT64, uint64_t, name, member, kind, argument, .least = (least_),          \
		.most = (most_), .help = __VA_ARGS__)
#define OPT_LEVELS(name, member, argument, ...)                                                    \
	OPT_ROW(OPTION_UNSIGNED, unsigned, name, member, ARGUMENT_LEVELS, argument,                \
		.help = __VA_ARGS__)
#define OPT_USE(name, member, kind, tag_, argument, ...)                                           \
	OPT_ROW(OPTION_USES, struct option_uses, name, member, kind, argument, .tag = (tag_),      \
		.help = __VA_ARGS__)

/* Options that every command takes. */
struct global_options {
	const char *config;
	const char *root;
	const char *imds_endpoint;
	const char *color;
	unsigned verbose;
	bool quiet;
	bool help;
	bool version;
};
extern const struct option_row global_options[];
extern const size_t global_option_count;

/* ---- Commands ---- */

/* What main() sees to before a command is run, apart from only_live and terminal. */
enum command_need {
	NEEDS_SESSION = 1 << 0,	    /* run() gets one: the root, the configuration */
	NEEDS_ROOT = 1 << 1,	    /* to be root */
	NEEDS_METADATA = 1 << 2,    /* the metadata service is asked when facts are gathered */
	REPAIRS_LEFTOVERS = 1 << 3, /* what an interrupted rehearsal has left is repaired first */
};

struct invocation;
struct session;

#define COMMAND_GROUPS_MOST 3

/*
 * A command has either options and run(), or subcommands, each with its own (imds get): then the
 * word after its name says which.
 */
struct command {
	const char *name;
	const struct command *parent;		  /* of a subcommand: the command that has it */
	const struct command *const *subcommands; /* NULL at the end; NULL: there are none */
	const char *synopsis;			  /* after the name */
	const char *summary;			  /* one line; NULL: not for people */
	const char *details;			  /* a paragraph for --help */
	const struct option_row *options;
	size_t option_count;
	size_t options_size;  /* of the struct that the rows fill */
	const void *defaults; /* one of it; NULL: all zeros */
	/* Groups of options that exclude each other: their names, with blanks in between. */
	const char *exclusive[COMMAND_GROUPS_MOST];
	enum argument_kind operands; /* ARGUMENT_NONE: takes none */
	unsigned needs;		     /* NEEDS_... */
	const char *only_live;	     /* why no image will do (--root); NULL: one will */
	const char *terminal;	     /* what to do without a terminal; NULL: it needs none */
	int (*run)(struct invocation *invocation, struct session *session);
};

/* The table of a command, whose struct is OPTIONS. */
#define COMMAND_OPTIONS(table)                                                                     \
	.options = (table), .option_count = ARRAY_SIZE(table), .options_size = sizeof(OPTIONS)

extern const struct command *const commands[]; /* NULL at the end */

/* The command with this name, or NULL. */
const struct command *command_find(const char *name);
const struct command *subcommand_find(const struct command *command, const char *name);
/* As a user types it: "imds get". The caller frees it. */
char *command_words(const struct command *command);

/* Says that there is no such command (of PARENT, unless NULL), and which one may be meant. */
void complain_of_command(const struct command *parent, const char *word);

/* A command line, parsed. */
struct invocation {
	const struct command *command; /* NULL: none, or none of ours */
	struct global_options global;
	void *options;	/* the command's own struct, which its rows have filled */
	unsigned needs; /* the command's, without those that an option lifts */
	char *const *operands;
	int operand_count;
	struct style style;
};

/*
 * Parses what comes after the program's name. 0, or EXIT_USAGE after a message; invocation_free()
 * in any case. Without a known command the operands begin with the first word that is not an
 * option.
 */
int invocation_parse(struct invocation *invocation, int argc, char **argv);
void invocation_free(struct invocation *invocation);

/*
 * Adds the global options that are given, as words for another ec2hib: all, or those that say which
 * machine is looked at.
 */
void invocation_words(const struct invocation *invocation, struct strings *words);
void invocation_machine_words(const struct invocation *invocation, struct strings *words);

/* ec2hib: MESSAGE, on standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warn_user(const struct invocation *invocation, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Asks at the terminal; true for y or yes. */
bool ask_user(const char *question);

/* --help of the program and of a command, on standard output. */
void help_program(void);
void help_command(const struct command *command);

/* ---- The session: what a command works on ---- */

struct session {
	struct root root;
	struct root host;
	char *config_path; /* of --config, absolute; NULL: the standard one, below root */
	struct config config;
	unsigned config_warnings; /* so many were said of it */
	struct imds_options imds;
	struct gather gather; /* all of it, for whoever gathers facts */
	/* With saved facts these are all that there is. */
	json_t *saved;
	const char *saved_name; /* for messages */
};

/*
 * Opens --root, reads the configuration and the environment of the metadata client, or saved facts.
 * 0 or an exit status after a message. session_close() in any case.
 */
int session_open(struct session *session, const struct invocation *invocation);
void session_close(struct session *session);

/*
 * Reads the configuration again, in place; what borrows from it sees the new values, so nothing may
 * keep a text of it. An error names file and line, and leaves all as it was.
 */
int session_reload(struct session *session, const struct invocation *invocation, struct error *err);

/*
 * All facts of the session's machine, or the saved ones, with the configuration that belongs to
 * them. FACTS must be zeroed. 0 or a negative errno; facts_free() in any case.
 */
int session_facts(struct session *session, struct facts *facts, struct error *err);

/* ---- What the files of this folder export to the command table ---- */

extern const struct command command_check_config;
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
