/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* languages: what can be asked for, by which names, and how its compiler or interpreter is called in the
 * guest; on demand also whether the guest answers to it. */

#include <stdio.h>

#include "ctl/configuration.h"
#include "ctl/doctor/languages.h"
#include "ctl/report.h"
#include "language/table.h"
#include "paths.h"

#define GAP 2 /* between two columns */

typedef enum Column { COLUMN_NAME, COLUMN_RUNS, COLUMN_ALSO, COLUMN_COMMAND, _COLUMN_MAX } Column;

static const char *const titles[_COLUMN_MAX] = { "LANGUAGE", "RUNS", "ALSO", "COMMAND" };

typedef struct Listing {
        const Config *config;
        const Results *tried; /* NULL: nothing was tried */
        JsonWriter *writer;   /* NULL: a table is made */
        Text *cells;          /* _COLUMN_MAX a row */
        size_t n_rows;
        bool mistakes;
} Listing;

static void listing_done(Listing *listing) {
        for (size_t i = 0; i < listing->n_rows * _COLUMN_MAX; i++)
                text_done(&listing->cells[i]);
        free(listing->cells);
        json_writer_free(listing->writer);
}

/* What the trial says of the language that is known by one of these names, or NULL. */
static const Result *find_result(const Results *tried, const char *file, const Language *language) {
        for (size_t i = 0; tried && i < tried->n; i++)
                if (streq(tried->results[i].subject, file) ||
                        streq(tried->results[i].subject, language->name))
                        return &tried->results[i];
        return NULL;
}

/* The other names, separated by a comma: the file's and the aliases. */
static void append_other_names(Text *text, const char *file, const Language *language) {
        if (!streq(file, language->name))
                text_append_string(text, file);
        for (char **alias = language->aliases; alias && *alias; alias++)
                text_append_printf(text, "%s%s", text->size > 0 ? ", " : "", *alias);
}

static Text *add_row(Listing *listing) {
        Text *more =
                reallocarray(listing->cells, (listing->n_rows + 1) * _COLUMN_MAX, sizeof(listing->cells[0]));

        if (!more)
                return NULL;
        listing->cells = more;
        Text *row = &more[listing->n_rows++ * _COLUMN_MAX];
        for (size_t i = 0; i < _COLUMN_MAX; i++)
                row[i] = (Text){};
        return row;
}

static int put_row(Listing *listing, const char *file, const Language *language) {
        const Result *result = find_result(listing->tried, file, language);
        Text *row = add_row(listing);

        if (!row)
                return -ENOMEM;
        text_append_string(&row[COLUMN_NAME], language->name);
        text_append_string(&row[COLUMN_RUNS], !result ? "-" : result->level == CHECK_OK ? "yes" : "no");
        append_other_names(&row[COLUMN_ALSO], file, language);
        if (row[COLUMN_ALSO].size == 0)
                text_append_char(&row[COLUMN_ALSO], '-');
        text_append_string(&row[COLUMN_COMMAND], language->command);
        return 0;
}

static void put_json(Listing *listing, const char *file, const Language *language) {
        const Result *result = find_result(listing->tried, file, language);
        JsonWriter *writer = listing->writer;

        json_open_object(writer);
        report_string(writer, "name", language->name);
        report_string(writer, "file", file);
        json_key(writer, "aliases");
        json_open_array(writer);
        for (char **alias = language->aliases; alias && *alias; alias++)
                json_put_string(writer, *alias);
        json_close_array(writer);
        report_string(writer, "command", language->command);
        report_string(writer, "options", language->options);
        report_string(writer, "source", language->source_file);
        report_string(writer, "executable", language->exec_file);
        json_key(writer, "default");
        json_put_boolean(writer, streq(file, listing->config->default_language));
        json_key(writer, "runs");
        if (result)
                json_put_boolean(writer, result->level == CHECK_OK);
        else
                json_put_null(writer);
        report_string(writer, "wrong", result ? result->wrong : NULL);
        json_close_object(writer);
}

static int on_language(const char *file, Language **language, const Text *errors, void *userdata) {
        Listing *listing = userdata;

        if (!*language) {
                fputs(text_string(errors), stderr);
                listing->mistakes = true;
                return 0;
        }
        if (!listing->writer)
                return put_row(listing, file, *language);
        put_json(listing, file, *language);
        return 0;
}

static void append_row(Text *text, const Text *cells, const size_t widths[_COLUMN_MAX], bool tried) {
        for (size_t i = 0; i < _COLUMN_MAX; i++)
                if (i != COLUMN_RUNS || tried)
                        text_append_printf(text, "%-*s", i + 1 < _COLUMN_MAX ? (int)widths[i] : 0,
                                text_string(&cells[i]));
        text_append_char(text, '\n');
}

static int append_table(Text *text, Listing *listing, bool legend) {
        _cleanup_free_ Text *head = calloc(_COLUMN_MAX, sizeof(*head));
        size_t widths[_COLUMN_MAX] = {};

        if (!head)
                return -ENOMEM;
        for (size_t i = 0; i < _COLUMN_MAX; i++) {
                widths[i] = legend ? strlen(titles[i]) + GAP : 0;
                for (size_t k = 0; k < listing->n_rows; k++)
                        widths[i] = MAX(widths[i], listing->cells[k * _COLUMN_MAX + i].size + GAP);
        }
        if (legend) {
                for (size_t i = 0; i < _COLUMN_MAX; i++)
                        text_append_string(&head[i], titles[i]);
                append_row(text, head, widths, listing->tried);
                for (size_t i = 0; i < _COLUMN_MAX; i++)
                        text_done(&head[i]);
        }
        for (size_t k = 0; k < listing->n_rows; k++)
                append_row(text, &listing->cells[k * _COLUMN_MAX], widths, listing->tried);
        if (legend)
                text_append_printf(text, "\n%zu languages listed; the default is %s.\n", listing->n_rows,
                        listing->config->default_language);
        return text_error(text);
}

/* 0 with *ret, or an exit code, told on stderr. */
static int read_configuration(Config **ret) {
        _cleanup_close_ int root = configuration_root();
        _cleanup_text_ Text errors = {};

        int r = root < 0 ? root : configuration_read(root, ret, &errors);
        if (r < 0)
                return ctl_failure(r, "read the configuration");
        if (*ret)
                return 0;
        fputs(text_string(&errors), stderr);
        return EXIT_FAILURE;
}

static int list(Ctl *ctl, const Config *config, const Results *tried, bool *mistakes) {
        static const char *const installed[] = { PBOTVM_LANGUAGES_LOCAL_DIR, PBOTVM_LANGUAGES_DIR, NULL };
        const char *const given[] = { ctl->directory, NULL };
        _cleanup_(listing_done) Listing listing = { .config = config, .tried = tried };
        _cleanup_text_ Text text = {};

        if (ctl->json) {
                listing.writer = json_writer_new(isatty(STDOUT_FILENO));
                json_open_array(listing.writer);
        }
        int r = language_each(ctl->directory ? given : installed, on_language, &listing);
        if (r < 0)
                return r;
        if (ctl->json) {
                json_close_array(listing.writer);
                r = report_finish(listing.writer, &text);
        } else
                r = append_table(&text, &listing, ctl->legend);
        if (r < 0)
                return r;
        ctl_print(&text);
        *mistakes = listing.mistakes;
        return 0;
}

int verb_languages(Ctl *ctl, int argc _unused_, char **argv _unused_) {
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_results_ Results tried = {};
        bool mistakes = false;

        int r = read_configuration(&config);
        if (r != 0)
                return r;
        if (ctl->try)
                r = languages_try(config, PBOTVM_HELLO_FILE, ctl->legend, &tried);
        if (r >= 0)
                r = list(ctl, config, ctl->try ? &tried : NULL, &mistakes);
        if (r < 0)
                return ctl_failure(r, "list the languages");
        return mistakes ? EXIT_FAILURE : EXIT_SUCCESS;
}
