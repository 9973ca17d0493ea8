/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pipeline that knows one language and edits nothing, so that the tests of the handler depend on no
 * language files: {"code": ..., "vm": ..., "persist-key": ..., "factoid": ...} or plain text is sent as it
 * is, the answer is the result. The code "answer" needs no guest, "paste" is pasted, "misconfigured" fails.
 */
#include "common/json.h"
#include "pipeline/pipeline.h"

struct Pipeline {
        const Query *query;
        const char *machine;
};

void query_done(Query *query) {
        free(query->nick);
        free(query->channel);
        free(query->lang);
        free(query->arguments);
        free(query->factoid);
        free(query->persist_key);
        free(query->usage);
        free(query->vm);
        text_done(&query->code);
        *query = (Query){};
}

static char *member(const Json *object, const char *name) {
        const char *s = json_string(json_member(object, name), NULL);
        return s ? strdup(s) : NULL;
}

int query_parse(const char *line, size_t size, const Config *config, Query *ret, Text *error) {
        _cleanup_json_ Json *json = NULL;

        (void)config;
        ret->nick = strdup("vm");
        ret->channel = strdup("vm");
        ret->lang = strdup("sh");
        if (json_parse(line, size, JSON_LIMITS_WIRE, &json, NULL) < 0) {
                text_append(&ret->code, line, size);
                return 0;
        }
        if (json_type(json) != JSON_OBJECT) {
                text_append_string(error, "Not an object.");
                return -EBADMSG;
        }
        ret->vm = member(json, "vm");
        ret->persist_key = member(json, "persist-key");
        ret->factoid = member(json, "factoid");
        _cleanup_free_ char *code = member(json, "code");
        text_append_string(&ret->code, code ? code : "");
        return 0;
}

int pipeline_open(const Config *config, const Query *query, const char *const *language_dirs,
        const char *rewrites_dir, const char *state_dir, Pipeline **ret, Text *answer) {
        const char *machine = query->vm ? query->vm : config->default_machine;

        (void)language_dirs;
        (void)rewrites_dir;
        (void)state_dir;
        if (text_equals(&query->code, "misconfigured"))
                return -EINVAL;
        if (!config_machine(config, machine) && !config_alias(config, machine)) {
                text_append_printf(answer, "Unknown machine '%s'", machine);
                return PIPELINE_ANSWER;
        }
        *ret = calloc(1, sizeof(**ret));
        if (!*ret)
                return -ENOMEM;
        (*ret)->query = query;
        (*ret)->machine = machine;
        return PIPELINE_RUN;
}

Pipeline *pipeline_free(Pipeline *pipeline) {
        free(pipeline);
        return NULL;
}

int pipeline_prepare(Pipeline *pipeline, int64_t date, Request *request, Text *answer) {
        if (text_equals(&pipeline->query->code, "answer")) {
                text_append_string(answer, "answered");
                return PIPELINE_ANSWER;
        }
        request->lang = strdup("sh");
        request->sourcefile = strdup("prog.sh");
        request->cmdline = strdup("sh prog.sh");
        request->date = date;
        if (pipeline->query->persist_key)
                request->persist_key = strdup(pipeline->query->persist_key);
        text_append_text(&request->code, &pipeline->query->code);
        return PIPELINE_RUN;
}

int pipeline_finish(
        Pipeline *pipeline, const char *result, size_t size, const Parts *parts _unused_, Text *answer) {
        text_append(answer, result, size);
        return text_equals(&pipeline->query->code, "paste") ? PIPELINE_PASTE : PIPELINE_ANSWER;
}

const char *pipeline_machine(const Pipeline *pipeline) {
        return pipeline->machine;
}
