/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/metadata.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <jansson.h>

#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/facts/imds.h"
#include "core/facts/imds_tree.h"

#define NS_PER_MS	((uint64_t)1000000)
#define DATA_LIMIT	((size_t)1024 * 1024)
#define TOKEN_LENGTH	48
#define TTL_MOST_S	21600
#define TIMES_UNLIMITED UINT64_MAX
#define EVENTS		4

#define TOKEN_PATH	 "api/token"
#define NOTICE_PATH	 "meta-data/spot/instance-action"
#define TERMINATION_PATH "meta-data/spot/termination-time"
#define KEYS_PATH	 "meta-data/public-keys/"
#define DOCUMENT_PATH	 "dynamic/instance-identity/document"
#define TTL_HEADER	 "X-aws-ec2-metadata-token-ttl-seconds"

/*
 * The layouts that EC2's service has by their dates beside the newest ("Access instance metadata"
 * in the EC2 User Guide, and what cloud-init asks for). Here all have the same items.
 */
static const char *const versions[] = { "1.0", "2007-01-19", "2007-03-01", "2007-08-29",
	"2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01", "2009-04-04", "2011-01-01",
	"2011-05-01", "2012-01-12", "2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19",
	"2016-06-30", "2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01",
	"2020-10-27", "2021-01-03", "2021-03-23", "2021-07-15", "2022-09-24", "2024-04-11",
	"latest" };

struct token {
	char text[TOKEN_LENGTH + 1];
	uint64_t ends; /* CLOCK_BOOTTIME, ns: a token ages while the machine sleeps */
	uint64_t uses; /* that are left, TIMES_UNLIMITED */
};

/* One kind of event: what is still to come of it. */
struct planned {
	char *value;		 /* NULL: nothing */
	uint64_t due;		 /* CLOCK_MONOTONIC, ns; HTTP_NEVER */
	uint64_t clear_after_ms; /* HTTP_NEVER */
	uint64_t clear_due;
};

enum { REQUESTS, TOKENS, POLLS, NOTICES, FAULTS, NOTICE_SET, NOTICE_SERVED, COUNTERS };

static const struct counter counters[COUNTERS] = {
	[REQUESTS] = { .name = "requests" }, /* below /latest/ */
	[TOKENS] = { .name = "tokens" },     /* that were given */
	[POLLS] = { .name = "polls" },	     /* of the Spot notice, with a good token */
	[NOTICES] = { .name = "notices" },   /* that were served */
	[FAULTS] = { .name = "faults" },     /* requests that met one */
	[NOTICE_SET] = { .name = "notice-set-ns", .is_time = true, .stays = true },
	[NOTICE_SERVED] = { .name = "notice-served-ns", .is_time = true }, /* first since then */
};

struct metadata {
	json_t *items; /* path below /latest/ to text */
	struct planned planned[EVENTS];
	struct token *tokens;
	size_t token_count;
	bool tokens_optional; /* a request without one is answered: IMDSv1 */
	struct counter counters[COUNTERS];
	struct control control;
	struct http_service service;
};

/* ---- Items ------------------------------------------------------------------------------ */

/* Ids that look like EC2's and are nobody's, addresses of the documentation's VPC. */
static const char *const standard[][2] = {
	{ "meta-data/ami-id", "ami-0123456789abcdef0" },
	{ "meta-data/ami-launch-index", "0" },
	{ "meta-data/block-device-mapping/ami", "/dev/xvda" },
	{ "meta-data/block-device-mapping/root", "/dev/xvda" },
	{ "meta-data/events/maintenance/history", "[]" },
	{ "meta-data/events/maintenance/scheduled", "[]" },
	{ "meta-data/hibernation/configured", "true" },
	{ "meta-data/hostname", "ip-10-0-0-10.eu-central-1.compute.internal" },
	{ "meta-data/instance-action", "none" },
	{ "meta-data/instance-id", "i-0123456789abcdef0" },
	{ "meta-data/instance-life-cycle", "on-demand" },
	{ "meta-data/instance-type", "m5.large" },
	{ "meta-data/local-hostname", "ip-10-0-0-10.eu-central-1.compute.internal" },
	{ "meta-data/local-ipv4", "10.0.0.10" },
	{ "meta-data/mac", "02:00:00:00:00:0a" },
	{ "meta-data/placement/availability-zone", "eu-central-1a" },
	{ "meta-data/placement/region", "eu-central-1" },
	{ "meta-data/profile", "default-hvm" },
	/* Nobody has the other half of this key. Its comment is its name in the list. */
	{ KEYS_PATH "0/openssh-key",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKnoKFn44RcV5Lcl8QCP2gPLq3A003kUNYLTGSzyujA6 my-key-pair" },
	{ "meta-data/reservation-id", "r-0123456789abcdef0" },
	{ "meta-data/security-groups", "default" },
	{ "meta-data/services/domain", "amazonaws.com" },
	{ "meta-data/services/partition", "aws" },
	{ DOCUMENT_PATH, "{\n"
			 "  \"accountId\" : \"123456789012\",\n"
			 "  \"architecture\" : \"x86_64\",\n"
			 "  \"availabilityZone\" : \"eu-central-1a\",\n"
			 "  \"imageId\" : \"ami-0123456789abcdef0\",\n"
			 "  \"instanceId\" : \"i-0123456789abcdef0\",\n"
			 "  \"instanceType\" : \"m5.large\",\n"
			 "  \"pendingTime\" : \"2024-06-01T08:00:00Z\",\n"
			 "  \"privateIp\" : \"10.0.0.10\",\n"
			 "  \"region\" : \"eu-central-1\",\n"
			 "  \"version\" : \"2017-09-30\"\n"
			 "}" },
};

static json_t *items_standard(void)
{
	json_t *items = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(standard); i++)
		json_object_set_new(items, standard[i][0], json_string(standard[i][1]));
	return items;
}

static const char *item_get(const struct metadata *metadata, const char *path)
{
	return json_string_value(json_object_get(metadata->items, path));
}

static void item_put(struct metadata *metadata, const char *path, const char *text)
{
	if (text)
		json_object_set_new(metadata->items, path, json_string(text));
	else
		json_object_del(metadata->items, path);
}

static int path_check(const char *path, struct error *err)
{
	if (!imds_path_valid(path) || text_ends(path, "/"))
		return error_set(err, EINVAL,
			"\"%s\" is not the path of an item (example: meta-data/instance-id)", path);
	if (!text_starts(path, "meta-data/") && !text_starts(path, "dynamic/") &&
		strcmp(path, "user-data") != 0)
		return error_set(err, EINVAL,
			"\"%s\" is not below meta-data/ or dynamic/, nor is it user-data: nobody would ask for it",
			path);
	return 0;
}

int metadata_set(struct metadata *metadata, const char *path, const char *text, struct error *err)
{
	memory_cleanup_free char *whole = imds_path_complete(path);
	int status = path_check(whole, err);

	if (status < 0)
		return status;
	if (text && !imds_text_valid(text, strlen(text)))
		return error_set(err, EINVAL, "the value for %s is not text", path);
	item_put(metadata, whole, text);
	return 0;
}

/* All of FROM are texts with good paths, or null. */
static int items_take(json_t *items, json_t *from, const char *file, struct error *err)
{
	const char *path;
	json_t *value;
	int status;

	json_object_foreach(from, path, value)
	{
		status = path_check(path, err);
		if (status < 0)
			return error_prefix(err, status, "%s", file);
		if (json_is_null(value))
			continue;
		if (!json_is_string(value))
			return error_set(err, EINVAL,
				"%s: the value of %s is not a string; JSON has to be quoted", file,
				path);
		json_object_set(items, path, value);
	}
	return 0;
}

int metadata_load(
	struct metadata *metadata, const struct root *root, const char *path, struct error *err)
{
	memory_cleanup_free char *text = NULL;
	json_t *items, *json;
	json_error_t where;
	int status = root_read(root, path, DATA_LIMIT, &text, NULL, err);

	if (status < 0)
		return status;
	json = json_loads(text, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(json)) {
		status = error_set(err, EINVAL, "%s: line %d: %s", path, json ? 1 : where.line,
			json ? "not an object of paths and texts" : where.text);
		json_decref(json);
		return status;
	}
	items = json_object();
	status = items_take(items, json, path, err);
	json_decref(json);
	if (status < 0) {
		json_decref(items);
		return status;
	}
	json_decref(metadata->items);
	metadata->items = items;
	return 0;
}

/* The document is one item, but says the same things once more. */
static void document_set(struct metadata *metadata, const char *name, const char *value)
{
	const char *text = item_get(metadata, DOCUMENT_PATH);
	json_t *document = text ? json_loads(text, 0, NULL) : json_object();
	memory_cleanup_free char *made = NULL;

	/* One that is broken on purpose stays as it is. */
	if (json_is_object(document)) {
		json_object_set_new(document, name, json_string(value));
		made = json_dumps(document, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		item_put(metadata, DOCUMENT_PATH, made);
	}
	json_decref(document);
}

void metadata_describe(struct metadata *metadata, const struct metadata_instance *instance)
{
	memory_cleanup_free char *zone =
		instance->region ? text_format("%sa", instance->region) : NULL;
	const struct {
		const char *path;
		const char *name; /* in the document; NULL: not there */
		const char *value;
	} rows[] = {
		{ "meta-data/instance-id", "instanceId", instance->id },
		{ "meta-data/instance-type", "instanceType", instance->type },
		{ "meta-data/placement/region", "region", instance->region },
		{ "meta-data/placement/availability-zone", "availabilityZone", zone },
		{ "meta-data/instance-life-cycle", NULL, instance->life_cycle },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].value)
			continue;
		item_put(metadata, rows[i].path, rows[i].value);
		if (rows[i].name)
			document_set(metadata, rows[i].name, rows[i].value);
	}
}

/* How the folder of a public key is listed: by its number and its name, "0=my-key-pair". */
static char *key_name(const struct metadata *metadata, const char *number)
{
	memory_cleanup_free char *path = text_format(KEYS_PATH "%sopenssh-key", number);
	const char *key = item_get(metadata, path), *comment = key ? strrchr(key, ' ') : NULL;

	return text_format(
		"%.*s=%s", (int)strlen(number) - 1, number, comment ? comment + 1 : "my-key-pair");
}

/*
 * What FOLDER ("meta-data/", "" for the top) lists of what is at PATH below it. EC2 lists folders
 * with a slash, but not those at the top.
 */
static char *listed_name(const struct metadata *metadata, const char *folder, const char *path)
{
	const char *name = path + strlen(folder), *slash = strchr(name, '/');
	size_t length = slash ? (size_t)(slash - name) + (*folder != '\0') : strlen(name);
	memory_cleanup_free char *copy = text_copy_length(name, length);

	return strcmp(folder, KEYS_PATH) == 0 && slash ? key_name(metadata, copy) : text_copy(copy);
}

/* The names in a folder, a line each; NULL when there is no such folder. The caller frees it. */
static char *folder_list(const struct metadata *metadata, const char *folder)
{
	strings_cleanup struct strings names = { 0 };
	const char *path;
	json_t *value;

	json_object_foreach(metadata->items, path, value)
	{
		char *name;

		if (!text_starts(path, folder))
			continue;
		name = listed_name(metadata, folder, path);
		if (strings_contain(&names, name))
			free(name);
		else
			strings_take(&names, name);
	}
	if (names.count == 0)
		return NULL;
	strings_sort(&names);
	return strings_join(&names, "\n");
}

/* ---- Events ------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *path;
} events[EVENTS] = {
	[METADATA_SPOT] = { "spot", NOTICE_PATH },
	[METADATA_REBALANCE] = { "rebalance", "meta-data/events/recommendations/rebalance" },
	[METADATA_MAINTENANCE] = { "maintenance", "meta-data/events/maintenance/scheduled" },
	[METADATA_LIFECYCLE] = { "lifecycle", "meta-data/autoscaling/target-lifecycle-state" },
};

/*
 * From hibernate EC2 does not wait, before stop and terminate it leaves two minutes ("Spot
 * Instance interruption notices" in the EC2 User Guide).
 */
#define SPOT_WARNING_S 120
#define MAINTENANCE_S  3600

static char *spot_text(const char *action)
{
	int wait = strcmp(action, "hibernate") == 0 ? 0 : SPOT_WARNING_S;
	char when[INSTANT_LENGTH];

	instant_format(time(NULL) + wait, when);
	return text_format("{\"action\": \"%s\", \"time\": \"%s\"}", action, when);
}

static char *rebalance_text(void)
{
	char when[INSTANT_LENGTH];

	instant_now(when);
	return text_format("{\"noticeTime\": \"%s\"}", when);
}

static char *maintenance_text(const char *code)
{
	int64_t now = time(NULL);
	memory_cleanup_free char *from = instant_format_gmt(now + MAINTENANCE_S);
	memory_cleanup_free char *to = instant_format_gmt(now + 2 * MAINTENANCE_S);

	return text_format("[ {\n  \"NotBefore\" : \"%s\",\n  \"Code\" : \"%s\",\n"
			   "  \"Description\" : \"scheduled %s\",\n"
			   "  \"EventId\" : \"instance-event-0123456789abcdef0\",\n"
			   "  \"NotAfter\" : \"%s\",\n  \"State\" : \"active\"\n} ]",
		from, code, code, to);
}

/* What is in the kind's item while VALUE is so. */
static char *event_text(enum metadata_event kind, const char *value)
{
	if (*value == '{' || *value == '[' || kind == METADATA_LIFECYCLE)
		return text_copy(value);
	if (kind == METADATA_SPOT)
		return spot_text(value);
	if (kind == METADATA_REBALANCE)
		return rebalance_text();
	return maintenance_text(value);
}

static bool word_is_one_of(const char *word, const char *const *words)
{
	while (*words && strcmp(*words, word) != 0)
		words++;
	return *words;
}

static int value_check(enum metadata_event kind, const char *value, struct error *err)
{
	static const char *const actions[] = { "hibernate", "stop", "terminate", NULL };
	static const char *const codes[] = { "instance-reboot", "system-reboot",
		"system-maintenance", "instance-retirement", "instance-stop", NULL };

	if (*value == '{' || *value == '[')
		return 0;
	if (kind == METADATA_SPOT && !word_is_one_of(value, actions))
		return error_set(err, EINVAL,
			"\"%s\" is not a Spot notice (hibernate, stop, terminate, or JSON)", value);
	if (kind == METADATA_MAINTENANCE && !word_is_one_of(value, codes))
		return error_set(err, EINVAL,
			"\"%s\" is not a maintenance event (instance-reboot, system-reboot, system-maintenance, instance-retirement, instance-stop, or JSON)",
			value);
	if (kind == METADATA_REBALANCE && *value)
		return error_set(err, EINVAL,
			"\"%s\" is not a rebalance recommendation (JSON, or nothing for one now)",
			value);
	if (kind == METADATA_LIFECYCLE && !*value)
		return error_set(err, EINVAL, "the lifecycle state is empty (example: Terminated)");
	return 0;
}

static uint64_t later(uint64_t now, uint64_t ms)
{
	return ms == HTTP_NEVER ? HTTP_NEVER : now + ms * NS_PER_MS;
}

/*
 * Older programs watch this time, which is there only before an instance is terminated ("Spot
 * Instance interruption notices"). NULL as NOTICE: it goes.
 */
static void termination_put(struct metadata *metadata, const char *notice)
{
	json_t *json = notice ? json_loads(notice, 0, NULL) : NULL;
	const char *action = json_string_value(json_object_get(json, "action"));
	const char *when = json_string_value(json_object_get(json, "time"));
	bool terminates = action && strcmp(action, "terminate") == 0;

	item_put(metadata, TERMINATION_PATH, terminates ? when : NULL);
	json_decref(json);
}

static void event_clear(struct metadata *metadata, enum metadata_event kind)
{
	struct planned *planned = &metadata->planned[kind];

	planned->due = planned->clear_due = HTTP_NEVER;
	/* The list of maintenance events is there when it is empty, too. */
	item_put(metadata, events[kind].path, kind == METADATA_MAINTENANCE ? "[]" : NULL);
	if (kind == METADATA_SPOT)
		termination_put(metadata, NULL);
}

static void event_happen(struct metadata *metadata, enum metadata_event kind, uint64_t now)
{
	struct planned *planned = &metadata->planned[kind];
	memory_cleanup_free char *text = event_text(kind, planned->value);

	planned->due = HTTP_NEVER;
	planned->clear_due = later(now, planned->clear_after_ms);
	item_put(metadata, events[kind].path, text);
	if (kind != METADATA_SPOT)
		return;
	termination_put(metadata, text);
	metadata->counters[NOTICE_SET].value = now;
	metadata->counters[NOTICE_SERVED].value = 0;
}

static uint64_t advance(void *data, uint64_t now)
{
	struct metadata *metadata = data;
	uint64_t next = HTTP_NEVER;

	for (size_t kind = 0; kind < EVENTS; kind++) {
		struct planned *planned = &metadata->planned[kind];

		if (planned->due <= now)
			event_happen(metadata, kind, now);
		if (planned->clear_due <= now)
			event_clear(metadata, kind);
		if (planned->due < next)
			next = planned->due;
		if (planned->clear_due < next)
			next = planned->clear_due;
	}
	return next;
}

int metadata_plan(struct metadata *metadata, enum metadata_event kind, const char *value,
	uint64_t after_ms, uint64_t clear_after_ms, struct error *err)
{
	struct planned *planned = &metadata->planned[kind];
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	int status = value_check(kind, value, err);

	if (status < 0)
		return status;
	text_set(&planned->value, text_copy(value));
	planned->due = later(now, after_ms);
	planned->clear_after_ms = clear_after_ms;
	planned->clear_due = HTTP_NEVER;
	advance(metadata, now);
	return 0;
}

/* ---- IMDSv2 ----------------------------------------------------------------------------- */

static void refuse_method(struct http_answer *answer, const char *allow)
{
	http_answer_refuse(answer, 405);
	http_answer_header(answer, "Allow", allow);
}

static const struct fault *token_fault(const struct metadata *metadata, enum fault_id id)
{
	return faults_find(&metadata->control.faults, id, "token", TOKEN_PATH);
}

/* Characters as the real one's tokens have. */
static void token_write(char *text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char random[TOKEN_LENGTH];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		abort(); /* no signal can interrupt so few bytes */
	for (size_t i = 0; i < TOKEN_LENGTH; i++)
		text[i] = letters[random[i] % 64];
	text[TOKEN_LENGTH] = '\0';
}

static void ttl_say(struct http_answer *answer, uint64_t seconds)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)seconds);
	if (seconds)
		http_answer_header(answer, TTL_HEADER, text);
}

/* Room for one more; those whose time is over make it, when the list would have to grow. */
static struct token *token_add(struct metadata *metadata)
{
	uint64_t now = clock_ns(CLOCK_BOOTTIME);
	size_t left = 0;

	if ((metadata->token_count & (metadata->token_count - 1)) == 0) {
		for (size_t i = 0; i < metadata->token_count; i++)
			if (metadata->tokens[i].ends > now)
				metadata->tokens[left++] = metadata->tokens[i];
		metadata->token_count = left;
	}
	metadata->tokens =
		memory_grow(metadata->tokens, metadata->token_count, sizeof(*metadata->tokens));
	return &metadata->tokens[metadata->token_count++];
}

/* A header of the request without the blanks around it, which HTTP allows; NULL: not there. */
static char *header_value(const struct http_request *request, const char *name)
{
	const char *value = request->header(request, name);

	return value ? text_trim(text_copy(value)) : NULL;
}

static void token_give(
	struct metadata *metadata, const struct http_request *request, struct http_answer *answer)
{
	memory_cleanup_free char *wanted = header_value(request, TTL_HEADER);
	const struct fault *fault;
	struct token *token;
	uint64_t ttl;

	if (strcmp(request->method, "PUT") != 0) {
		refuse_method(answer, "OPTIONS, PUT");
		return;
	}
	/* A proxy that was left open must not become a way to the instance's credentials. */
	if (request->header(request, "X-Forwarded-For")) {
		http_answer_refuse(answer, 403);
		return;
	}
	if (!wanted || number_parse(wanted, &ttl) < 0 || ttl < 1 || ttl > TTL_MOST_S) {
		http_answer_refuse(answer, 400);
		return;
	}
	fault = token_fault(metadata, FAULT_TOKEN_TTL);
	if (fault)
		ttl = (uint64_t)fault->number;
	token = token_add(metadata);
	token_write(token->text);
	token->ends = clock_ns(CLOCK_BOOTTIME) + ttl * 1000 * NS_PER_MS;
	fault = token_fault(metadata, FAULT_TOKEN_LOSS);
	token->uses = fault ? (uint64_t)fault->number : TIMES_UNLIMITED;
	metadata->counters[TOKENS].value++;
	http_answer_text(answer, 200, token->text);
	ttl_say(answer, ttl);
}

/* The token of this request, used once more; NULL when it is none or good no longer. */
static const struct token *token_use(struct metadata *metadata, const char *text)
{
	for (size_t i = 0; text && i < metadata->token_count; i++) {
		struct token *token = &metadata->tokens[i];

		if (strcmp(token->text, text) != 0)
			continue;
		if (token->uses == 0 || token->ends <= clock_ns(CLOCK_BOOTTIME))
			return NULL;
		if (token->uses != TIMES_UNLIMITED)
			token->uses--;
		return token;
	}
	return NULL;
}

/* From here on a notice counts as served. */
static void notice_sent(void *data)
{
	struct metadata *metadata = data;

	metadata->counters[NOTICES].value++;
	if (metadata->counters[NOTICE_SERVED].value == 0)
		metadata->counters[NOTICE_SERVED].value = clock_ns(CLOCK_MONOTONIC);
}

static void item_answer(
	struct metadata *metadata, const char *path, const char *method, struct http_answer *answer)
{
	size_t length = strlen(path) - text_ends(path, "/");
	memory_cleanup_free char *name = text_copy_length(path, length);
	memory_cleanup_free char *folder = text_format("%s%s", name, *name ? "/" : "");
	memory_cleanup_free char *list = NULL;
	const char *text = item_get(metadata, name);

	if (text) {
		http_answer_text(answer, 200, text);
		answer->data = metadata;
		if (strcmp(name, NOTICE_PATH) == 0 && strcmp(method, "GET") == 0)
			answer->sent = notice_sent;
		return;
	}
	list = folder_list(metadata, folder);
	if (list)
		http_answer_text(answer, 200, list);
	else
		http_answer_refuse(answer, 404);
}

static void versions_answer(struct http_answer *answer)
{
	strings_cleanup struct strings names = { 0 };
	memory_cleanup_free char *list = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		strings_add(&names, versions[i]);
	list = strings_join(&names, "\n");
	http_answer_text(answer, 200, list);
}

/* A request without a token, where the service takes that. */
static bool is_optional(struct metadata *metadata, const char *token, const char *path)
{
	struct faults *faults = &metadata->control.faults;
	const struct fault *fault = faults_find(faults, FAULT_TOKEN_OPTIONAL, "items", path);

	return !token && (metadata->tokens_optional || (fault && fault_happens(faults, fault)));
}

/* PATH is below a version; NULL: the list of versions. */
static void service_answer(struct metadata *metadata, const struct http_request *request,
	const char *path, struct http_answer *answer)
{
	memory_cleanup_free char *text = header_value(request, "X-aws-ec2-metadata-token");
	const struct token *token;

	if (path && strcmp(path, TOKEN_PATH) == 0) {
		token_give(metadata, request, answer);
		return;
	}
	if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
		refuse_method(answer, "GET, HEAD, OPTIONS");
		return;
	}
	token = token_use(metadata, text);
	if (!token && !is_optional(metadata, text, path ? path : "")) {
		http_answer_refuse(answer, 401);
		return;
	}
	if (path) {
		metadata->counters[POLLS].value += strcmp(path, NOTICE_PATH) == 0;
		item_answer(metadata, path, request->method, answer);
	} else {
		versions_answer(answer);
	}
	if (token && answer->status == 200)
		ttl_say(answer, (token->ends - clock_ns(CLOCK_BOOTTIME)) / (1000 * NS_PER_MS));
}

/* What of PATH is below a version ("meta-data/" of "/latest/meta-data/"); NULL: no version. */
static const char *below_version(const char *path)
{
	for (size_t i = 0; *path == '/' && i < ARRAY_SIZE(versions); i++) {
		const char *below = path_below(path + 1, versions[i]);

		if (below)
			return below;
	}
	return NULL;
}

/* Several slashes are one to EC2's service, as some clients write them. The caller frees it. */
static char *path_plain(const char *path)
{
	char *plain = text_copy(path), *to = plain;

	for (; *path; path++)
		if (*path != '/' || path[1] != '/')
			*to++ = *path;
	*to = '\0';
	return plain;
}

static void answer_request(
	void *data, const struct http_request *request, struct http_answer *answer)
{
	struct metadata *metadata = data;
	memory_cleanup_free char *plain = path_plain(request->path);
	struct http_request control = *request;
	const char *path = below_version(plain);

	*answer = (struct http_answer) { .type = "text/plain" };
	advance(metadata, clock_ns(CLOCK_MONOTONIC));
	if (path) {
		metadata->counters[REQUESTS].value++;
		service_answer(metadata, request, path, answer);
		metadata->counters[FAULTS].value += faults_meet(&metadata->control.faults,
			strcmp(path, TOKEN_PATH) == 0 ? "token" : "items", path, answer);
	} else if (control_has(&metadata->control, plain)) {
		control.path = plain;
		control_answer(&metadata->control, &control, answer);
	} else if (strcmp(plain, "/") == 0) {
		service_answer(metadata, request, NULL, answer);
	} else {
		http_answer_refuse(answer, 404);
	}
}

/* ---- The control path: events, items, tokens ------------------------------------------------ */

/* The member NAME of the plan as a duration; false when it is there and none. */
static bool plan_time(json_t *plan, const char *name, uint64_t *ms)
{
	json_t *value = json_object_get(plan, name);
	double seconds = json_number_value(value);

	if (!value)
		return true;
	if (json_is_string(value))
		return duration_parse(json_string_value(value), ms) == 0;
	if (!json_is_number(value) || seconds < 0 || seconds > DURATION_MOST_MS / 1000.0)
		return false;
	*ms = (uint64_t)(seconds * 1000 + 0.5);
	return true;
}

/* What of the plan metadata_plan() takes: its word, or the JSON that is to be served. */
static char *plan_value(json_t *plan, enum metadata_event kind)
{
	json_t *word = json_object_get(plan, "value");

	if (!word && kind == METADATA_SPOT && !json_object_get(plan, "time"))
		word = json_object_get(plan, "action");
	if (word)
		return text_copy(json_is_string(word) ? json_string_value(word) : "");
	return json_object_size(plan) ? json_dumps(plan, JSON_PRESERVE_ORDER) : text_copy("");
}

/* Takes after and clear-after out of the body; what is left is the event's own. */
static int event_plan(
	struct metadata *metadata, enum metadata_event kind, const char *body, struct error *err)
{
	uint64_t after_ms = 0, clear_after_ms = HTTP_NEVER;
	memory_cleanup_free char *value = NULL;
	json_error_t where;
	json_t *json;
	int status = 0;

	if (*body != '{')
		return metadata_plan(metadata, kind, body, after_ms, clear_after_ms, err);
	json = json_loads(body, JSON_REJECT_DUPLICATES, &where);
	if (!json)
		return error_set(err, EINVAL, "the body is not JSON: %s", where.text);
	if (!plan_time(json, "after", &after_ms) ||
		!plan_time(json, "clear-after", &clear_after_ms))
		status = error_set(
			err, EINVAL, "after and clear-after are times: \"200ms\", \"10s\", 1.5");
	json_object_del(json, "after");
	json_object_del(json, "clear-after");
	value = plan_value(json, kind);
	if (status == 0)
		status = metadata_plan(metadata, kind, value, after_ms, clear_after_ms, err);
	json_decref(json);
	return status;
}

static void event_answer(struct control_call *call)
{
	struct metadata *metadata = call->control->service;
	memory_cleanup_free char *body = text_copy(call->body);
	struct error err = { "" };
	const char *text;
	size_t kind = 0;

	while (strcmp(events[kind].name, call->name) != 0)
		kind++;
	text = item_get(metadata, events[kind].path);
	if (strcmp(call->method, "GET") == 0) {
		if (text)
			http_answer_text(call->answer, 200, text);
		else
			http_answer_refuse(call->answer, 404);
	} else if (strcmp(call->method, "DELETE") == 0) {
		event_clear(metadata, kind);
		control_say_done(call->answer);
	} else if (event_plan(metadata, kind, text_trim(body), &err) < 0) {
		control_say_error(call->answer, err.text);
	} else {
		control_say_done(call->answer);
	}
}

static void items_get(struct control_call *call)
{
	const struct metadata *metadata = call->control->service;
	memory_cleanup_free char *path = imds_path_complete(call->rest);
	const char *text = item_get(metadata, path);

	if (!*call->rest)
		control_say_json(call->answer, json_incref(metadata->items));
	else if (text)
		http_answer_text(call->answer, 200, text);
	else
		http_answer_refuse(call->answer, 404);
}

static void item_change(struct control_call *call, const char *text)
{
	struct error err = { "" };

	if (metadata_set(call->control->service, call->rest, text, &err) < 0)
		control_say_error(call->answer, err.text);
	else
		control_say_done(call->answer);
}

static void items_put(struct control_call *call)
{
	item_change(call, call->body);
}

static void items_delete(struct control_call *call)
{
	item_change(call, NULL);
}

static void tokens_delete(struct control_call *call)
{
	struct metadata *metadata = call->control->service;

	metadata->token_count = 0;
	control_say_done(call->answer);
}

static const struct control_entry entries[] = {
	{ NULL, "spot", event_answer },
	{ NULL, "rebalance", event_answer },
	{ NULL, "maintenance", event_answer },
	{ NULL, "lifecycle", event_answer },
	{ "GET", "items", items_get },
	{ "PUT", "items", items_put },
	{ "DELETE", "items", items_delete },
	{ "DELETE", "tokens", tokens_delete },
};

/* ---- The whole --------------------------------------------------------------------------- */

/* The service's own paths are not the control path's. */
static bool is_taken(const char *path)
{
	return below_version(path) != NULL;
}

struct metadata *metadata_open(void)
{
	struct metadata *metadata = memory_new(1, sizeof(*metadata));

	metadata->items = items_standard();
	for (size_t i = 0; i < EVENTS; i++)
		metadata->planned[i].due = metadata->planned[i].clear_due = HTTP_NEVER;
	memcpy(metadata->counters, counters, sizeof(counters));
	metadata->control = (struct control) {
		.path = text_copy(CONTROL_PATH),
		.counters = metadata->counters,
		.counter_count = COUNTERS,
		.entries = entries,
		.entry_count = ARRAY_SIZE(entries),
		.service = metadata,
		.is_taken = is_taken,
	};
	metadata->service = (struct http_service) { answer_request, advance, metadata };
	return metadata;
}

void metadata_close(struct metadata *metadata)
{
	if (!metadata)
		return;
	for (size_t i = 0; i < EVENTS; i++)
		free(metadata->planned[i].value);
	control_free(&metadata->control);
	free(metadata->tokens);
	json_decref(metadata->items);
	free(metadata);
}

const struct http_service *metadata_service(struct metadata *metadata)
{
	return &metadata->service;
}

void metadata_set_tokens_optional(struct metadata *metadata, bool optional)
{
	metadata->tokens_optional = optional;
}

struct control *metadata_control(struct metadata *metadata)
{
	return &metadata->control;
}
