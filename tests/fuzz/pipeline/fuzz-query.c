/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The line that a client sends, and the names in it that choose files. */

#include "pipeline/choice.h"
#include "pipeline/pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const languages[] = { SOURCE_DIR "/src/language/data", NULL };
static Config *config;

/* A word opens a language file, or none: what it opens has a name and files. */
static void check_language(const char *word) {
        _cleanup_(language_freep) Language *language = NULL;
        _cleanup_text_ Text errors = {};
        int r = language_open(languages, word, &language, &errors);
        if (r != 0 && r != -ENOENT)
                abort();
        if (r == 0 && (strchr(word, '/') || word[0] == '_' || word[0] == '.' || !*language->name))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_query_ Query query = {};
        _cleanup_text_ Text error = {}, answer = {};

        if (!config) {
                (void)setenv("PBOTVM_LOG", "journal", 1); /* ignored members are told there */
                if (config_load("/nonexistent", NULL, &config, NULL) < 0)
                        abort();
        }
        int r = query_parse((const char *)data, size, config, &query, &error);
        if (r == -EBADMSG && error.size > 0)
                return 0;
        if (r != 0 || error.size > 0 || !query.nick || !query.channel || !query.lang || !query.arguments)
                abort();
        check_language(query.lang);
        if (query.vm && !machine_exists(config, query.vm, &answer) && answer.size == 0)
                abort();
        return 0;
}
