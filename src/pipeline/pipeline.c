/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/pipeline.h"

#include "common/io.h"
#include "common/log.h"
#include "edit/edit.h"
#include "language/options.h"
#include "language/output.h"
#include "language/prepare.h"
#include "language/rewrite.h"
#include "pipeline/document.h"
#include "pipeline/saying.h"
#include "snippet/snippet.h"

#define USAGE                                                                                               \
        "Usage: cc [-lang=<language>] [-vm=<virtual machine>] [-info] [-paste] [-args \"command-line "      \
        "arguments\"] [compiler/language options] <code> [-stdin <stdin input>]"

struct Pipeline {
        const Config *config;
        const Query *query;
        const char *machine;
        const char *rewrites_dir;
        Language *language;
        Formatter *formatter; /* of the C family; NULL: the program stays as it is */
        History *history;
        Text saying;

        bool paste;
        bool unterminated;
        Request request; /* what the guest was asked, for a paste */
        char *stdin_text;
};

Pipeline *pipeline_free(Pipeline *p) {
        if (!p)
                return NULL;
        free(p->stdin_text);
        request_done(&p->request);
        text_done(&p->saying);
        history_free(p->history);
        formatter_free(p->formatter);
        language_free(p->language);
        free(p);
        return NULL;
}

const char *pipeline_machine(const Pipeline *p) {
        return p->machine;
}

static int compare_aliases(const void *a, const void *b) {
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int answer_unknown_machine(const Config *config, const char *name, Text *answer) {
        _cleanup_free_ const char **names = calloc(config->n_aliases + 1, sizeof(*names));

        if (!names)
                return -ENOMEM;
        for (size_t i = 0; i < config->n_aliases; i++)
                names[i] = config->aliases[i].name;
        qsort(names, config->n_aliases, sizeof(*names), compare_aliases);

        text_append_printf(answer, "Unknown machine '%s'; available machines are: ", name);
        for (size_t i = 0; i < config->n_aliases; i++)
                text_append_printf(answer, "%s%s", i > 0 ? ", " : "", names[i]);
        text_append_char(answer, '\n');
        return PIPELINE_ANSWER;
}

static void log_mistakes(const Text *errors) {
        const char *p = text_string(errors);

        while (*p) {
                size_t n = strcspn(p, "\n");
                (void)log_write(LOG_ERR, 0, MESSAGE_LANGUAGE, NULL, "%.*s", (int)n, p);
                p += n + (p[n] == '\n');
        }
}

static int answer_unknown_language(const char *const *dirs, const char *name, Text *answer) {
        _cleanup_text_ Text list = {}, errors = {};

        int r = language_list(dirs, &list, &errors);
        if (r < 0)
                return r;
        log_mistakes(&errors);
        text_append_printf(answer, "Language '%s' is not supported.\nSupported languages are: %s\n", name,
                text_string(&list));
        return PIPELINE_ANSWER;
}

static int open_language(Pipeline *p, const char *const *dirs, Text *answer) {
        _cleanup_text_ Text error = {};

        int r = language_load(dirs, p->query->lang, &p->language, &error);
        if (r == -ENOENT)
                return answer_unknown_language(dirs, p->query->lang, answer);
        if (r < 0)
                log_mistakes(&error);
        return r;
}

/* What the language needs besides its file. Their absence is no failure: the program is then sent
 * unformatted, a program without input gets none. */
static int open_helpers(Pipeline *p, const char *state_dir) {
        if (p->language->snippet == SNIPPET_C) {
                int r = formatter_open(&p->formatter);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        log_notice("libastyle is missing, C programs are sent unformatted.");
        }
        if (p->config->fortune_file) {
                int r = saying_read(p->config->fortune_file, &p->saying);
                if (r < 0 && r != -ENOENT)
                        (void)log_warning_errno(r, "No saying from %s: %m", p->config->fortune_file);
        }
        if (!state_dir)
                return history_open(NULL, 0, 0, &p->history) == -ENOMEM ? -ENOMEM : 0;
        int r = history_open(
                state_dir, p->config->history_file_bytes, p->config->history_total_bytes, &p->history);
        if (r < 0 && r != -ENOMEM) {
                (void)log_error_errno(r, "Failed to open %s, no history is kept: %m", state_dir);
                r = 0;
        }
        return r;
}

int pipeline_open(const Config *config, const Query *query, const char *const *language_dirs,
        const char *rewrites_dir, const char *state_dir, Pipeline **ret, Text *answer) {
        _cleanup_(pipeline_freep) Pipeline *p = calloc(1, sizeof(*p));

        if (!p)
                return -ENOMEM;
        p->config = config;
        p->query = query;
        p->rewrites_dir = rewrites_dir;
        p->request = REQUEST_INIT;
        p->machine = query->vm ? query->vm : config->default_machine;

        int r;
        if (!config_machine(config, p->machine) && !config_alias(config, p->machine))
                r = answer_unknown_machine(config, p->machine, answer);
        else
                r = open_language(p, language_dirs, answer);
        if (r == 0 && p->language && query->code.size == 0) {
                text_append_printf(answer, "%s\n", query->usage ? query->usage : USAGE);
                r = PIPELINE_ANSWER;
        } else if (r == 0 && p->language) {
                r = open_helpers(p, state_dir);
                if (r >= 0)
                        r = PIPELINE_RUN;
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return text_failed(answer) ? -ENOMEM : r;
}

static int answer_info(Pipeline *p, Text *answer) {
        _cleanup_text_ Text command = {};

        options_command(p->language, NULL, COMMAND_INFO, &command);
        text_append_printf(answer, "%s cmdline: %s\n", p->language->name, text_string(&command));
        return text_failed(&command) ? -ENOMEM : PIPELINE_ANSWER;
}

static int complete_c(Pipeline *p, const SnippetOptions *options, Text *code, Text *answer) {
        const SnippetStyle style = {
                .prelude = p->language->prelude,
                .force_prelude = p->language->show_last_statement,
                .wrap_last_statement = p->language->show_last_statement,
                .block_comments_first = !p->language->line_comments,
        };
        _cleanup_text_ Text program = {};

        int r = p->language->snippet == SNIPPET_C
                        ? snippet_complete_c(code, &style, options, &program, &p->unterminated)
                        : snippet_complete_java(code, &style, options, &program);
        if (r < 0)
                return r;
        if (r == SNIPPET_UNBALANCED) {
                text_append_string(answer, "error: unmatched brackets\n");
                return PIPELINE_ANSWER;
        }
        text_move(code, &program);
        if (p->formatter) {
                r = formatter_run(p->formatter, code);
                if (r < 0)
                        return r;
        }
        return PIPELINE_RUN;
}

/* The code as the guest gets it. */
static int prepare_code(Pipeline *p, const SnippetOptions *options, Text *code, Text *answer) {
        if (p->language->escapes) {
                int r = prepare_newlines(code);
                if (r < 0)
                        return r;
        }
        text_append_string(code, p->language->append);
        if (p->language->snippet != SNIPPET_NONE)
                return complete_c(p, options, code, answer);
        return text_failed(code) ? -ENOMEM : PIPELINE_RUN;
}

static int set_input(Pipeline *p, const StandardOptions *options, Request *request) {
        if (options->have_stdin && options->stdin_text.size > 0)
                text_append_text(&request->input, &options->stdin_text);
        else if (p->saying.size > 0) {
                text_append_text(&request->input, &p->saying);
                int r = prepare_saying(&request->input);
                if (r < 0)
                        return r;
        } else
                request->input_null = true;
        if (options->have_stdin && options->stdin_text.size > 0) {
                p->stdin_text = strdup(text_string(&options->stdin_text));
                if (!p->stdin_text)
                        return -ENOMEM;
        }
        return prepare_input(&request->input);
}

static int set_string(char **p, const char *value) {
        if (!value)
                return 0;
        *p = strdup(value);
        return *p ? 0 : -ENOMEM;
}

static int fill_request(Pipeline *p, const StandardOptions *standard, const Text *typed, int64_t date,
        Text *code, Request *request) {
        const char *arguments = standard->arguments ? standard->arguments : p->query->arguments;
        _cleanup_text_ Text command = {};
        int r;

        options_command(
                p->language, text_string(typed), p->paste ? COMMAND_PASTE : COMMAND_NOPASTE, &command);
        if (p->language->arguments_in_command && !isempty(p->query->arguments))
                text_append_printf(&command, " %s", p->query->arguments);
        if ((r = text_steal(&command, &request->cmdline, NULL)) < 0 ||
                (r = set_string(&request->lang, p->query->lang)) < 0 ||
                (r = set_string(&request->sourcefile, p->language->source)) < 0 ||
                (r = set_string(&request->execfile, p->language->executable)) < 0 ||
                (r = set_string(&request->arguments, arguments)) < 0 ||
                (r = set_string(&request->factoid, p->query->factoid)) < 0 ||
                (r = set_string(&request->persist_key, p->query->persist_key)) < 0 ||
                (r = set_input(p, standard, request)) < 0)
                return r;
        text_move(&request->code, code);
        request->date = date;
        return 0;
}

/* What a paste shows of the request. */
static int remember_request(Pipeline *p, const Request *request) {
        int r = set_string(&p->request.cmdline, request->cmdline);

        if (r >= 0)
                r = set_string(&p->request.arguments, request->arguments);
        text_append_text(&p->request.code, &request->code);
        return r < 0 ? r : text_error(&p->request.code);
}

/* The options in the code, in the order in which they are recognised. */
static int take_options(
        Pipeline *p, Text *code, StandardOptions *standard, SnippetOptions *snippet, Text *typed) {
        int r = options_take_standard(code, standard);

        if (r >= 0 && p->language->snippet != SNIPPET_NONE && !standard->info)
                r = snippet_take_options(code, p->language->snippet == SNIPPET_C, snippet);
        if (r >= 0)
                r = options_take_command(code, typed);
        return r;
}

int pipeline_prepare(Pipeline *p, int64_t date, Request *request, Text *answer) {
        _cleanup_(edit_done) Edit edit = {};
        _cleanup_(standard_options_done) StandardOptions standard = {};
        _cleanup_(snippet_options_done) SnippetOptions snippet = {};
        _cleanup_text_ Text typed = {};

        int r = edit_apply(p->history, p->query->channel, p->query->lang, text_string(&p->query->code),
                p->query->code.size, &edit);
        if (r < 0)
                return r;
        if (edit.outcome == EDIT_ANSWER) {
                text_append_text(answer, &edit.text);
                text_append_char(answer, '\n');
                return PIPELINE_ANSWER;
        }

        r = take_options(p, &edit.text, &standard, &snippet, &typed);
        if (r < 0)
                return r;
        if (standard.info)
                return answer_info(p, answer);
        if (edit.outcome == EDIT_SHOW && p->language->escapes) {
                text_append_text(answer, &edit.text);
                text_append_char(answer, '\n');
                return PIPELINE_ANSWER;
        }

        p->paste = edit.paste || standard.paste;
        r = prepare_code(p, &snippet, &edit.text, answer);
        if (r != PIPELINE_RUN)
                return r;
        r = fill_request(p, &standard, &typed, date, &edit.text, request);
        if (r >= 0 && p->paste)
                r = remember_request(p, request);
        return r < 0 ? r : PIPELINE_RUN;
}

static int rewrite(Pipeline *p, Text *output) {
        _cleanup_(rewrites_freep) Rewrites *rewrites = NULL;
        _cleanup_text_ Text error = {};
        const RewriteContext context = {
                .source = p->language->source,
                .executable = p->language->executable,
                .paste = p->paste,
                .channel = p->query->channel[0] == '#',
                .unterminated = p->unterminated,
        };

        int r = rewrites_load(p->rewrites_dir, p->language, &rewrites, &error);
        if (r >= 0)
                r = rewrites_apply(rewrites, &context, output, &error);
        if (r == -EINVAL) { /* an output that is not made short is better than none */
                log_mistakes(&error);
                r = 0;
        }
        return r;
}

int pipeline_finish(Pipeline *p, const char *result, size_t size, Text *answer) {
        _cleanup_text_ Text output = {};

        text_append(&output, result, size);
        if (text_failed(&output))
                return -ENOMEM;
        int r = output_clean(&output);
        if (r >= 0)
                r = rewrite(p, &output);
        if (r < 0)
                return r;

        if (p->paste) {
                r = document_append(answer, p->language, &p->request, p->stdin_text, &output);
                return r < 0 ? r : PIPELINE_PASTE;
        }
        r = history_output(p->history, p->query->channel, p->query->lang, text_string(&output), output.size,
                !p->query->factoid, now_realtime());
        if (r < 0)
                return r;
        if (r > 0)
                text_append_string(answer, "Same output.\n");
        else {
                text_append_text(answer, &output);
                text_append_char(answer, '\n');
        }
        return text_failed(answer) ? -ENOMEM : PIPELINE_ANSWER;
}
