/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/pipeline.h"

#include <fcntl.h>
#include <time.h>

#include "common/io.h"
#include "common/log.h"
#include "common/utf8.h"
#include "edit/edit.h"
#include "language/definition.h"
#include "language/document.h"
#include "language/input.h"
#include "language/options.h"
#include "language/output.h"
#include "language/prepare.h"
#include "language/rewrite.h"
#include "language/snippet.h"
#include "pipeline/choice.h"

/* All tables together. What ordinary output needs is some milliseconds. */
#define REWRITE_USEC (500 * USEC_PER_MSEC)

_Static_assert(HISTORY_FILE_BYTES_MAX <= HISTORY_READ_MAX, "what may be configured can be read again");

struct Pipeline {
        const Config *config;
        const Query *query;
        Language *language;
        char *word;    /* of the language, as requested */
        char *channel; /* trimmed */
        char *rewrites_dir;
        History *history;
        Formatter *formatter; /* NULL: not of the C family, or not installed */
        int fortune_fd;

        /* What was asked for, for the answer. */
        bool paste;
        bool unterminated;
        bool have_input;
        Text input; /* of -stdin, as typed */
        Text code;
        char *command;
        char *arguments;
};

Pipeline *pipeline_free(Pipeline *pipeline) {
        if (!pipeline)
                return NULL;
        free(pipeline->arguments);
        free(pipeline->command);
        text_done(&pipeline->code);
        text_done(&pipeline->input);
        fd_close(pipeline->fortune_fd);
        formatter_free(pipeline->formatter);
        history_free(pipeline->history);
        free(pipeline->rewrites_dir);
        free(pipeline->channel);
        free(pipeline->word);
        language_free(pipeline->language);
        free(pipeline);
        return NULL;
}

const char *pipeline_machine(const Pipeline *pipeline) {
        return pipeline->query->vm ?: pipeline->config->default_machine;
}

/* Some number, for a saying and for noises. */
static uint64_t chance(void) {
        struct timespec now;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        return ((uint64_t)now.tv_nsec * 2654435761 + (uint64_t)now.tv_sec) ^ ((uint64_t)getpid() << 17);
}

static char *trimmed_dup(const char *string) {
        string += space_size(string, strlen(string));
        return strndup(string, utf8_trimmed_size(string, strlen(string)));
}

static int open_history(Pipeline *pipeline, const char *state_dir) {
        const Config *config = pipeline->config;
        int r = history_open(state_dir ?: "", config->history_file_bytes, config->history_total_bytes,
                &pipeline->history);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && state_dir)
                log_warning_errno(r, "No history is kept, %s: %m", state_dir);
        return 0;
}

static int open_formatter(Pipeline *pipeline) {
        if (pipeline->language->snippet != SNIPPET_C && pipeline->language->snippet != SNIPPET_CXX)
                return 0;
        int r = formatter_open(&pipeline->formatter);
        if (r < 0 && r != -ENOMEM) {
                log_info("Code is not formatted, libastyle is not there.");
                return 0;
        }
        return r;
}

static void open_fortune(Pipeline *pipeline) {
        const char *file = pipeline->config->fortune_file;
        if (!file)
                return;
        pipeline->fortune_fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (pipeline->fortune_fd < 0)
                log_warning_errno(-errno, "Failed to open the fortune file %s: %m", file);
}

static int open_all(Pipeline *pipeline, const char *rewrites_dir, const char *state_dir) {
        const Query *query = pipeline->query;

        pipeline->word = trimmed_dup(query->lang);
        pipeline->channel = trimmed_dup(query->channel);
        pipeline->rewrites_dir = strdup(rewrites_dir ?: "");
        if (!pipeline->word || !pipeline->channel || !pipeline->rewrites_dir)
                return -ENOMEM;

        int r = open_history(pipeline, state_dir);
        if (r >= 0)
                r = open_formatter(pipeline);
        open_fortune(pipeline);
        return r;
}

int pipeline_open(const Config *config, const Query *query, const char *const *language_dirs,
        const char *rewrites_dir, const char *state_dir, Pipeline **ret, Text *answer) {
        _cleanup_(pipeline_freep) Pipeline *pipeline = calloc(1, sizeof(*pipeline));
        if (!pipeline)
                return -ENOMEM;
        *pipeline = (Pipeline){ .config = config, .query = query, .fortune_fd = -EBADF };

        if (!machine_exists(config, pipeline_machine(pipeline), answer))
                return PIPELINE_ANSWER;
        int r = language_choose(language_dirs, query->lang, &pipeline->language, answer);
        if (r <= 0)
                return r < 0 ? r : PIPELINE_ANSWER;
        if (query->code.size == 0) {
                text_append_string(answer, query->usage ?: USAGE);
                text_append_char(answer, '\n');
                return PIPELINE_ANSWER;
        }

        r = open_all(pipeline, rewrites_dir, state_dir);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(pipeline);
        return PIPELINE_RUN;
}

static const Dialect dialects[] = {
        [SNIPPET_C] = DIALECT_C,
        [SNIPPET_CXX] = DIALECT_CXX,
        [SNIPPET_JAVA] = DIALECT_JAVA,
};

/* The options of all kinds, taken out of the code. */
typedef struct Options {
        StandardOptions standard;
        SnippetOptions snippet;
        Text command;
} Options;

static void options_done(Options *options) {
        standard_options_done(&options->standard);
        snippet_options_done(&options->snippet);
        text_done(&options->command);
}

static int take_options(Pipeline *pipeline, Text *code, Options *ret) {
        SnippetKind snippet = pipeline->language->snippet;

        int r = standard_options_take(language_syntax(pipeline->language), code, &ret->standard);
        if (r < 0 || ret->standard.info)
                return r;
        if (snippet != SNIPPET_NONE) {
                r = snippet_take_options(code, dialects[snippet], &ret->snippet);
                if (r < 0)
                        return r;
        }
        return command_options_take(pipeline->language, code, &ret->command);
}

static int answer_info(const Pipeline *pipeline, Text *answer) {
        static const Text none = {};

        text_append_printf(answer, "%s cmdline: ", pipeline->language->name);
        int r = command_line(pipeline->language, &none, "", pipeline->query->arguments, answer);
        text_append_char(answer, '\n');
        return r < 0 ? r : text_failed(answer) ? -ENOMEM : PIPELINE_ANSWER;
}

static int set_string(char **to, const char *string) {
        char *copy = strdup(string);
        if (!copy)
                return -ENOMEM;
        free(*to);
        *to = copy;
        return 0;
}

/* A whole program of Java says how its files are to be called. */
static int complete_java(Pipeline *pipeline, const Text *code, const SnippetStyle *style,
        const SnippetOptions *options, Text *ret) {
        _cleanup_(java_names_done) JavaNames names = {};
        Language *language = pipeline->language;
        int complete = snippet_complete_java(code, style, options, ret, &names), r = 0;

        if (complete != SNIPPET_COMPLETE)
                return complete;
        if (names.program.size > 0)
                r = set_string(&language->exec_file, text_string(&names.program));
        if (r >= 0 && names.file.size > 0) {
                text_append_string(&names.file, ".java");
                r = set_string(&language->source_file, text_string(&names.file));
        }
        return r < 0 ? r : complete;
}

/* Completes the code of a language that has snippets: PIPELINE_RUN or PIPELINE_ANSWER, or -ENOMEM. */
static int complete(
        Pipeline *pipeline, const Text *code, const SnippetOptions *options, Text *ret, Text *answer) {
        const Language *language = pipeline->language;
        const SnippetStyle style = {
                .dialect = dialects[language->snippet],
                .prelude = language->prelude,
                .force_prelude = language->show_last_statement,
                .wrap_last_statement = language->show_last_statement,
                .line_comments = language->line_comments,
        };

        int r = language->snippet == SNIPPET_JAVA
                        ? complete_java(pipeline, code, &style, options, ret)
                        : snippet_complete_c(code, &style, options, ret, &pipeline->unterminated);
        if (r == SNIPPET_UNBALANCED) {
                text_append_string(answer, "error: unmatched brackets\n");
                return PIPELINE_ANSWER;
        }
        if (r >= 0 && pipeline->formatter)
                r = formatter_run(pipeline->formatter, style.dialect, ret);
        return r < 0 ? r : PIPELINE_RUN;
}

/* What is sent as the program: PIPELINE_RUN or PIPELINE_ANSWER, or -ENOMEM. */
static int prepare_code(
        Pipeline *pipeline, const Text *code, const Options *options, Text *ret, Text *answer) {
        const Language *language = pipeline->language;
        _cleanup_text_ Text expanded = {};

        if (language->escapes) {
                int r = newline_escapes_expand(
                        language_syntax(language), text_string(code), code->size, &expanded);
                if (r >= 0)
                        r = opening_add(language, &expanded);
                if (r < 0)
                        return r;
        } else
                text_append_text(&expanded, code);
        text_append_string(&expanded, language->append);
        if (text_failed(&expanded))
                return -ENOMEM;

        if (language->snippet != SNIPPET_NONE)
                return complete(pipeline, &expanded, &options->snippet, ret, answer);
        text_move(ret, &expanded);
        return PIPELINE_RUN;
}

/* What the program reads: the typed text, else a saying; null when there is neither. */
static int prepare_input(Pipeline *pipeline, const StandardOptions *options, Request *request) {
        text_append_text(&request->input, &options->input);
        if (options->input.size == 0) {
                int r = pipeline->fortune_fd < 0
                                ? -ENODATA
                                : fortune_read(pipeline->fortune_fd, chance(), &request->input);
                if (r == -ENOMEM)
                        return r;
                if (r < 0) {
                        text_clear(&request->input);
                        request->input_null = true;
                }
        }
        return input_unescape(&request->input);
}

static int set_optional(char **to, const char *string) {
        return isempty(string) ? 0 : set_string(to, string);
}

static int prepare_command(Pipeline *pipeline, const Options *options, Request *request) {
        const Language *language = pipeline->language;
        _cleanup_text_ Text command = {};
        int r = command_line(language, &options->command,
                pipeline->paste ? language->options_paste : language->options_nopaste,
                pipeline->query->arguments, &command);
        return r < 0 ? r : set_string(&request->cmdline, text_string(&command));
}

/* What the program finds around it, by the language's own means. */
static int prepare_environment(const Language *language, Request *request) {
        size_t n = 0;

        request->terminal = language->terminal;
        while (language->environment && language->environment[n])
                n++;
        if (n == 0)
                return 0;
        request->environment = calloc(n + 1, sizeof(*request->environment));
        if (!request->environment)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (set_string(&request->environment[i], language->environment[i]) < 0)
                        return -ENOMEM;
        return 0;
}

static int fill_request(Pipeline *pipeline, const Options *options, int64_t date, Request *request) {
        const Language *language = pipeline->language;
        const Query *query = pipeline->query;
        const StandardOptions *standard = &options->standard;

        int r = set_string(&request->lang, pipeline->word);
        if (r >= 0)
                r = set_string(&request->sourcefile, language->source_file);
        if (r >= 0)
                r = set_string(&request->execfile, language->exec_file);
        if (r >= 0)
                r = prepare_command(pipeline, options, request);
        if (r >= 0)
                r = set_string(&request->arguments,
                        standard->have_arguments ? text_string(&standard->arguments) : query->arguments);
        if (r >= 0)
                r = set_optional(&request->factoid, query->factoid);
        if (r >= 0)
                r = set_optional(&request->persist_key, query->persist_key);
        if (r >= 0)
                r = prepare_input(pipeline, standard, request);
        if (r >= 0)
                r = prepare_environment(language, request);
        request->date = date;
        return r;
}

/* Remembers what the document of a paste shows. */
static int keep_for_document(Pipeline *pipeline, const StandardOptions *options, const Request *request) {
        if (!pipeline->paste)
                return 0;
        text_append_text(&pipeline->code, &request->code);
        text_append_text(&pipeline->input, &options->input);
        pipeline->have_input =
                options->have_input && options->input.size > 0 && !text_equals(&options->input, "0");

        int r = set_string(&pipeline->command, request->cmdline);
        if (r >= 0)
                r = set_string(&pipeline->arguments, request->arguments);
        return text_failed(&pipeline->code) || text_failed(&pipeline->input) ? -ENOMEM : r;
}

static int answer_text(const Text *text, Text *answer) {
        text_append_text(answer, text);
        text_append_char(answer, '\n');
        return text_failed(answer) ? -ENOMEM : PIPELINE_ANSWER;
}

static int prepare(
        Pipeline *pipeline, Edit *edit, Options *options, int64_t date, Request *request, Text *answer) {
        if (edit->outcome == EDIT_ANSWER)
                return answer_text(&edit->text, answer);

        int r = take_options(pipeline, &edit->text, options);
        if (r < 0)
                return r;
        if (options->standard.info)
                return answer_info(pipeline, answer);
        /* Code that is not prepared (bc's) is run where it should be shown, as in PBot. */
        if (edit->outcome == EDIT_SHOW && pipeline->language->escapes)
                return answer_text(&edit->text, answer);

        pipeline->paste = options->standard.paste || edit->paste;
        r = prepare_code(pipeline, &edit->text, options, &request->code, answer);
        if (r != PIPELINE_RUN)
                return r;
        r = fill_request(pipeline, options, date, request);
        if (r >= 0)
                r = keep_for_document(pipeline, &options->standard, request);
        return r < 0 ? r : PIPELINE_RUN;
}

int pipeline_prepare(Pipeline *pipeline, int64_t date, Request *request, Text *answer) {
        _cleanup_(options_done) Options options = {};
        _cleanup_(edit_done) Edit edit = {};
        const Text *code = &pipeline->query->code;

        int r = edit_apply(pipeline->history, pipeline->channel, pipeline->word, text_string(code),
                code->size, options_begin(pipeline->language, code), &edit);
        return r < 0 ? r : prepare(pipeline, &edit, &options, date, request, answer);
}

/* A table that is wrong is told in the log; the output is shown without it. */
static int rewrite(Pipeline *pipeline, Text *output, Parts *parts) {
        const RewriteContext context = {
                .source_file = pipeline->language->source_file,
                .exec_file = pipeline->language->exec_file,
                .pasting = pipeline->paste,
                .unterminated = pipeline->unterminated,
                .public = pipeline->channel[0] == '#',
        };
        uint64_t deadline = usec_add(now_monotonic(), REWRITE_USEC);

        for (char **name = pipeline->language->rewrites; name && *name; name++) {
                _cleanup_(rewrites_freep) Rewrites *rewrites = NULL;
                _cleanup_text_ Text errors = {};
                int r = rewrites_open(pipeline->rewrites_dir, *name, &rewrites, &errors);
                if (r >= 0)
                        r = rewrites_apply(rewrites, &context, deadline, output, parts, &errors);
                if (r == -ENOMEM)
                        return r;
                definition_log(&errors);
        }
        return 0;
}

static int finish_document(const Pipeline *pipeline, const Text *output, Text *answer) {
        const Document document = {
                .code = &pipeline->code,
                .command = pipeline->command,
                .arguments = pipeline->arguments,
                .input = pipeline->have_input ? &pipeline->input : NULL,
                .output = output,
        };
        int r = document_write(&document, &pipeline->language->comments, answer);
        return r < 0 ? r : PIPELINE_PASTE;
}

int pipeline_finish(Pipeline *pipeline, const char *result, size_t size, const Parts *parts, Text *answer) {
        _cleanup_text_ Text output = {};
        _cleanup_parts_ Parts whose = {};

        int r = output_clean(result, size, parts, chance(), &output, &whose);
        if (r >= 0)
                r = rewrite(pipeline, &output, &whose);
        if (r < 0)
                return r;
        if (pipeline->paste)
                return finish_document(pipeline, &output, answer);

        r = history_output(pipeline->history, pipeline->channel, pipeline->word, text_string(&output),
                output.size, isempty(pipeline->query->factoid), now_realtime());
        if (r < 0)
                return r;
        if (r > 0) {
                text_clear(&output);
                text_append_string(&output, "Same output.");
        }
        return answer_text(&output, answer);
}
