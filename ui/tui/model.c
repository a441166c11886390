/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/tui/model.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "core/actions/prewarm.h"
#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/text.h"

void model_init(struct model *model)
{
	*model = (struct model) { .watch_status = -ENOENT, .prewarm_status = -ENOENT };
	config_init(&model->config);
}

void model_free(struct model *model)
{
	report_free(&model->report);
	facts_free(&model->facts);
	config_free(&model->config);
	cycles_free(&model->cycles);
	strings_free(&model->journal);
	layout_free(&watch_state_layout, &model->watch);
	layout_free(&prewarm_state_layout, &model->prewarm);
	service_free(&model->service);
	free(model->facts_error);
	free(model->cycles_error);
	free(model->watch_error);
	free(model->prewarm_error);
	free(model->command);
	free(model->command_result);
}

/* ---- Facts ---- */

static void take_cycles(struct model *model, json_t *array)
{
	struct error err = { "" };
	size_t index;
	json_t *item;

	cycles_free(&model->cycles);
	json_array_foreach(array, index, item)
	{
		struct cycle cycle = { 0 };

		if (layout_from_json(&cycle_layout, &cycle, item, "cycles", &err) < 0) {
			layout_free(&cycle_layout, &cycle);
			text_set(&model->cycles_error, text_copy(err.text));
			return;
		}
		*facts_add(&model->cycles) = cycle;
	}
}

static void take_journal(struct model *model, json_t *array)
{
	size_t index;
	json_t *item;

	strings_free(&model->journal);
	json_array_foreach(array, index, item) if (json_is_string(item))
		strings_add(&model->journal, json_string_value(item));
}

int model_take_facts(struct model *model, json_t *json, struct error *err)
{
	const char *error = json_string_value(json_object_get(json, "history_error"));
	struct facts facts = { 0 };
	struct config config = { 0 };
	int status = facts_load(&facts, &config, json, err);

	if (status < 0) {
		facts_free(&facts);
		config_free(&config);
		return status;
	}
	report_free(&model->report);
	facts_free(&model->facts);
	config_free(&model->config);
	model->facts = facts;
	model->config = config;
	report_make(&model->report, NULL, &model->facts, &model->config);
	model->gathered = true;
	model->gathered_at = model->now;
	text_set(&model->facts_error, NULL);
	text_set(&model->cycles_error, error ? text_copy(error) : NULL);
	take_cycles(model, json_object_get(json, "history"));
	model->cycles_of_log = json_is_true(json_object_get(json, "of_log"));
	take_journal(model, json_object_get(json, "journal"));
	return 0;
}

int model_take_saved(struct model *model, json_t *json, struct error *err)
{
	json_t *watch = json_object_get(json, "watch");
	json_t *prewarm = json_object_get(json, "prewarm");
	int status = model_take_facts(model, json, err);

	if (status == 0 && watch)
		status = model->watch_status =
			layout_from_json(&watch_state_layout, &model->watch, watch, "watch", err);
	if (status == 0 && prewarm)
		status = model->prewarm_status = layout_from_json(
			&prewarm_state_layout, &model->prewarm, prewarm, "prewarm", err);
	model->prewarm_runs = fact_text_is(&model->prewarm.state, PREWARM_RUNNING);
	return status;
}

/* ---- State files ---- */

void model_read_watch(struct model *model, const struct root *root)
{
	struct error err = { "" };

	layout_free(&watch_state_layout, &model->watch);
	model->watch_status = watch_state_read(root, &model->watch, &err);
	text_set(&model->watch_error, model->watch_status < 0 ? text_copy(err.text) : NULL);
}

void model_read_prewarm(struct model *model, const struct root *root)
{
	struct error err = { "" };

	layout_free(&prewarm_state_layout, &model->prewarm);
	model->prewarm_status = prewarm_state_read(root, &model->prewarm, &err);
	text_set(&model->prewarm_error, model->prewarm_status < 0 ? text_copy(err.text) : NULL);
	/* Nobody holds the lock of an image: there the file alone can tell. */
	model->prewarm_runs = fact_text_is(&model->prewarm.state, PREWARM_RUNNING) &&
			      (!root->live || prewarm_runs(root));
}

bool model_agent_runs(const struct model *model)
{
	const struct fact_number *pid = &model->watch.pid;

	if (model->watch_status < 0 || pid->is != FACT_KNOWN ||
		fact_text_is(&model->watch.state, WATCH_STOPPED))
		return false;
	/* Signal 0 only asks; EPERM: there is one, and it is another user's. */
	return !model->live || pid->value > INT32_MAX || kill((pid_t)pid->value, 0) == 0 ||
	       errno == EPERM;
}

const struct notice *model_notice(const struct model *model)
{
	const struct notice *first = NULL;

	for (size_t i = 0; i < model->service.notice_count; i++) {
		const struct notice *notice = &model->service.notices[i];

		if (!first || notice->kind < first->kind)
			first = notice;
	}
	return first;
}

bool model_since(const struct model *model, const struct fact_text *time, uint64_t *ms)
{
	int64_t when;

	if (time->is != FACT_KNOWN || instant_parse(time->value, &when) < 0 || when > model->now)
		return false;
	*ms = (uint64_t)(model->now - when) * 1000;
	return true;
}
