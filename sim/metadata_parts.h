/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files behind metadata.h share. */
#ifndef EC2HIB_SIM_METADATA_PARTS_H
#define EC2HIB_SIM_METADATA_PARTS_H

#include <jansson.h>

#include "sim/metadata.h"

#define NS_PER_MS	((uint64_t)1000000)
#define TOKENS_MOST	1024 /* the oldest make room */
#define TOKEN_LENGTH	48
#define EVENT_KINDS	4
#define NOTICE_PATH	"meta-data/spot/instance-action"
#define DOCUMENT_PATH	"dynamic/instance-identity/document"
#define TOKEN_PATH	"api/token"
#define PREFIX		"/latest/"
#define TIMES_UNLIMITED UINT64_MAX

struct token {
	char text[TOKEN_LENGTH + 1];
	uint64_t ends; /* CLOCK_BOOTTIME, ns: a token ages while the machine sleeps */
	uint64_t uses; /* that are left, TIMES_UNLIMITED */
};

/* One kind of event: what is still to come of it. */
struct planned {
	char *value;		 /* NULL: nothing */
	uint64_t due;		 /* CLOCK_MONOTONIC, ns; METADATA_NEVER */
	uint64_t clear_after_ms; /* METADATA_NEVER */
	uint64_t clear_due;
};

struct fault {
	size_t kind; /* index in metadata_fault_kinds */
	char *text;  /* as it was given */
	char *scope; /* "" for everything */
	uint64_t number;
};

struct counters {
	uint64_t requests; /* below /latest/ */
	uint64_t tokens;   /* that were given */
	uint64_t polls;	   /* of the Spot notice, with a good token */
	uint64_t notices;  /* that were served */
	uint64_t faults;   /* requests that met one */
};

struct metadata {
	json_t *items; /* path below /latest/ to text */
	struct planned planned[EVENT_KINDS];
	struct fault *faults;
	size_t fault_count;
	uint64_t chance; /* the state that percentages are drawn from */
	struct token tokens[TOKENS_MOST];
	uint64_t token_next;
	struct counters counters;
	uint64_t notice_set;	/* CLOCK_MONOTONIC, ns; 0: never */
	uint64_t notice_served; /* the first time since then; 0: not yet */
	char *control;		/* the control path; "" for none */
};

/* Items. */
json_t *metadata_items_standard(void);
const char *metadata_get(const struct metadata *metadata, const char *path);
void metadata_put(struct metadata *metadata, const char *path, const char *text);
/* The names in a folder ("meta-data/", "" for the top), a line each, folders with a slash; NULL
 * when there is no such folder. The caller frees it. */
char *metadata_list(const struct metadata *metadata, const char *folder);

/* Events: "spot", "rebalance", "maintenance", "lifecycle". */
const char *metadata_event_name(enum metadata_event kind);
const char *metadata_event_path(enum metadata_event kind);
void metadata_event_clear(struct metadata *metadata, enum metadata_event kind);

/* Faults. */
void metadata_faults_clear(struct metadata *metadata);
/* Uses that a new token has. */
uint64_t metadata_token_uses(const struct metadata *metadata);
/* Lets the answer to PATH (below /latest/) meet the faults. */
void metadata_spoil(struct metadata *metadata, const char *path, struct metadata_answer *answer);

/* Answers. BODY is copied. */
void metadata_say(struct metadata_answer *answer, unsigned status, const char *body);
void metadata_refuse(struct metadata_answer *answer, unsigned status);
void metadata_control(struct metadata *metadata, const struct metadata_request *request,
	struct metadata_answer *answer);

#endif
