/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From the line that a client sent to the request for the guest, and from the guest's result to the answer.
 * A pure function but for the history: no socket, no guest. Handler and pbotvm-exec share it. */

#include "common/parts.h"
#include "common/request.h"
#include "config/config.h"

/* What a client asks: the line, taken apart. */
typedef struct Query {
        char *nick;    /* "vm" by default */
        char *channel; /* "vm" by default */
        char *lang;    /* as requested; the default language if not */
        char *arguments;
        char *factoid;     /* NULL: none */
        char *persist_key; /* NULL: none */
        char *usage;       /* NULL: none */
        char *vm;          /* machine or alias; NULL: the default */
        Text code;         /* leading -lang= and -vm= taken off */
} Query;
void query_done(Query *query);
#define _cleanup_query_ _cleanup_(query_done)

/* Parses one line, JSON or plain text, without its newline. 0, or -EBADMSG with a message for the client in
 * *error, or -ENOMEM. Members that ask for ports are ignored and logged. */
int query_parse(const char *line, size_t size, const Config *config, Query *ret, Text *error);

typedef enum PipelineResult {
        PIPELINE_ANSWER, /* *answer is the answer, no guest is needed */
        PIPELINE_RUN,    /* *request is to be run on a machine of pipeline_machines() */
        PIPELINE_PASTE,  /* *answer is a document to be pasted; the answer is its URL */
} PipelineResult;

typedef struct Pipeline Pipeline;

/* Opens what the query needs: the machine (by name), its language's one file, for the C family the
 * formatter, the history in state_dir (NULL: none is kept). Returns PIPELINE_RUN, or PIPELINE_ANSWER
 * (unknown machine, unknown language, usage) with the answer, or a negative errno, logged, after which the
 * client is told that the service is misconfigured. After it nothing is opened but files below the
 * directories given here. config and query must outlive *ret. */
int pipeline_open(const Config *config, const Query *query, const char *const *language_dirs,
        const char *rewrites_dir, const char *state_dir, Pipeline **ret, Text *answer);
Pipeline *pipeline_free(Pipeline *pipeline);
DEFINE_CLEANUP(Pipeline *, pipeline_free);

/* Edits, takes options, completes. Returns PIPELINE_RUN with *request filled but for the members of
 * "pbotvm", PIPELINE_ANSWER with *answer, or -ENOMEM. date: seconds since 1970. */
int pipeline_prepare(Pipeline *pipeline, int64_t date, Request *request, Text *answer);

/* Cleans and rewrites a guest's result; parts: whose words it is made of (NULL or empty: nobody said).
 * Returns PIPELINE_ANSWER or PIPELINE_PASTE with *answer, or -ENOMEM. */
int pipeline_finish(Pipeline *pipeline, const char *result, size_t size, const Parts *parts, Text *answer);

/* The name of the machine or alias that is to run it, as the configuration has it. */
const char *pipeline_machine(const Pipeline *pipeline);
