/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line that a person types at the terminal: libreadline, with what it needs from outside as
 * functions. There is one terminal, so there is one editor at a time.
 */
#ifndef EC2HIB_UI_LINE_EDITOR_H
#define EC2HIB_UI_LINE_EDITOR_H

#include <stdbool.h>

#include "core/base/error.h"
#include "core/base/text.h"

/* What can replace the last word. */
struct line_candidates {
	struct strings words;
	bool files;   /* file names, which the editor finds itself */
	bool folders; /* the same, folders alone */
};

struct line_editor {
	/* A signalfd: SIGINT drops the line, SIGTSTP stops the program, SIGTERM and SIGHUP end. */
	int signals;
	int stopped_by;	  /* with LINE_STOPPED: which signal */
	const char *home; /* what ~ stands for; NULL: nothing */
	/* Candidates for the last of WORDS; of --OPTION=VALUE those for VALUE. */
	void (*complete)(
		void *data, const struct strings *words, struct line_candidates *candidates);
	/* After SIGCHLD: the prompt from now on (the editor frees it), or NULL: as before. */
	char *(*new_prompt)(void *data);
	void *data;
};

enum line_event {
	LINE_READ,
	LINE_DROPPED, /* Ctrl-C */
	LINE_END,     /* Ctrl-D, or the terminal is gone */
	LINE_STOPPED, /* SIGTERM or SIGHUP */
};

/* Loads the library; -ENOENT when there is none. EDITOR has to stay. */
int line_editor_open(struct line_editor *editor, struct error *err);

/*
 * Shows PROMPT and waits. The terminal is as before afterwards. *LINE is the caller's, who frees
 * it.
 */
enum line_event line_editor_read(struct line_editor *editor, const char *prompt, char **line);

/* What the arrow keys bring back: these lines, the newest last. */
void line_editor_set_history(const struct strings *lines);

/* TEXT in a colour for a prompt: the editor has to know what has no width. The caller frees it. */
char *line_editor_coloured(const char *text, const char *begin, const char *end);

#endif
