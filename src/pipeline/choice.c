/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/choice.h"

#include "language/definition.h"

static int compare(const void *a, const void *b) {
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Aliases are the names meant for people; machines are told where there are no aliases. */
static void append_names(const Config *config, Text *answer) {
        bool aliases = config->n_aliases > 0;
        size_t n = aliases ? config->n_aliases : config->n_machines;
        _cleanup_free_ const char **names = calloc(n + 1, sizeof(*names));
        if (!names) {
                answer->failed = true;
                return;
        }

        for (size_t i = 0; i < n; i++)
                names[i] = aliases ? config->aliases[i].name : config->machines[i].name;
        qsort(names, n, sizeof(*names), compare);
        for (size_t i = 0; i < n; i++)
                text_append_printf(answer, "%s%s", i > 0 ? ", " : "", names[i]);
}

bool machine_exists(const Config *config, const char *name, Text *answer) {
        if (config_machine(config, name) || config_alias(config, name))
                return true;
        text_append_printf(answer, "Unknown machine '%s'; available machines are: ", name);
        append_names(config, answer);
        text_append_char(answer, '\n');
        return false;
}

int language_choose(const char *const *directories, const char *word, Language **ret, Text *answer) {
        _cleanup_text_ Text errors = {}, list = {};

        int r = language_open(directories, word, ret, &errors);
        if (r >= 0)
                return 1;
        if (r == -ENOENT) {
                r = language_search(directories, word, ret, &list);
                if (r != 0)
                        return r;
                text_append_printf(answer, "Language '%s' is not supported.\nSupported languages are: %s\n",
                        word, text_string(&list));
                return text_error(answer);
        }

        definition_log(&errors);
        return r;
}
