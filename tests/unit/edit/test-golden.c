/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The recorded sequences of tests/compat that edit, as far as editing alone decides them: what is answered,
 * shown or run. Argument: the directory of the recordings. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>

#include "common/io.h"
#include "common/json.h"
#include "common/utf8.h"
#include "edit/diff.h"
#include "edit/edit.h"

static const char *compat_dir;
static unsigned n_checked;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

/* Options at the start and the input at the end are the pipeline's business. */
static char *without_options(const char *text) {
        static const char *const with_value[] = { "-args ", "-arguments " };
        char *copy = strdup(text), *p = copy;

        assert_non_null(copy);
        while (*p == ' ')
                p++;
        while (*p == '-' && p[1] && p[1] != ' ') {
                char *end = strchr(p, ' ');
                for (size_t i = 0; i < ELEMENTSOF(with_value); i++)
                        if (startswith(p, with_value[i])) {
                                char *value = p + strlen(with_value[i]);
                                end = *value == '"' ? strchr(value + 1, '"') + 1 : strchr(value, ' ');
                        }
                if (!end)
                        break;
                for (p = end; *p == ' ';)
                        p++;
        }
        memmove(copy, p, strlen(p) + 1);

        char *input = strstr(copy, "-stdin");
        if (input)
                *input = '\0';
        copy[utf8_trimmed_size(copy, strlen(copy))] = '\0';
        return copy;
}

static const char *string_of(const Json *json, const char *name) {
        return json_string(json_member(json, name), NULL);
}

static char *replace_run(const char *text) {
        _cleanup_text_ Text out = {};
        const char *place;
        char *ret;

        for (; (place = strstr(text, "{{RUN}}")); text = place + strlen("{{RUN}}")) {
                text_append(&out, text, (size_t)(place - text));
                text_append_string(&out, "r");
        }
        text_append_string(&out, text);
        assert_int_equal(text_steal(&out, &ret, NULL), 0);
        return ret;
}

/* Compares what would be run with the code that was sent; a completed program cannot be compared. */
static bool same_code(const Json *request, const char *text) {
        const char *source = string_of(request, "sourcefile");
        size_t n = strlen(source);
        _cleanup_free_ char *typed = without_options(text),
                            *sent = without_options(string_of(request, "code"));

        if (streq(source + n - 2, ".c") || strstr(source, ".cpp"))
                return true;
        return streq(typed, sent);
}

static bool as_recorded(const Json *request, const char *reply, const Edit *edit) {
        if (json_type(request) == JSON_OBJECT)
                return edit->outcome == EDIT_RUN && same_code(request, text_string(&edit->text));
        if (strstr(reply, " cmdline: "))
                return edit->outcome == EDIT_RUN;

        _cleanup_free_ char *shown = edit->outcome == EDIT_SHOW ? without_options(text_string(&edit->text))
                                                                : strdup(text_string(&edit->text));
        assert_non_null(shown);
        shown[utf8_trimmed_size(shown, strlen(shown))] = '\0';
        return edit->outcome != EDIT_RUN && strlen(reply) == strlen(shown) + 1 &&
               startswith(reply, shown) != NULL;
}

static unsigned check_case(History *history, const Json *json) {
        _cleanup_json_ Json *send = NULL;
        _cleanup_free_ char *line = replace_run(string_of(json, "send")),
                            *reply = replace_run(string_of(json, "reply"));
        _cleanup_(edit_done) Edit edit = {};
        size_t size;

        assert_int_equal(json_parse(line, strlen(line), JSON_LIMITS_WIRE, &send, NULL), 0);
        const char *code = json_string(json_member(send, "code"), &size);
        assert_int_equal(edit_apply(history, string_of(send, "channel"), string_of(send, "lang"), code,
                                 utf8_trimmed_size(code, size), true, &edit),
                0);
        n_checked++;
        if (as_recorded(json_member(json, "request"), reply, &edit))
                return 0;

        bool quirk = json_boolean(json_member(json, "quirk"));
        print_message("%s %s: %s -> outcome %d, %s; recorded %s%s\n", quirk ? "QUIRK" : "MISMATCH",
                string_of(json, "id"), code, (int)edit.outcome, text_string(&edit.text), reply,
                quirk ? string_of(json, "quirk_reason") : "");
        return !quirk;
}

static void replay(const char *file, const char *areas) {
        char directory[] = "/tmp/test-edit-XXXXXX";
        _cleanup_(history_freep) History *history = NULL;
        _cleanup_text_ Text content = {};
        unsigned failed = 0;

        assert_non_null(mkdtemp(directory));
        assert_int_equal(history_open(directory, 1 << 20, 16 << 20, &history), 0);
        int dir_fd = open(compat_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(dir_fd >= 0);
        assert_int_equal(io_read_file(dir_fd, file, 16 << 20, &content), 0);
        fd_close(dir_fd);

        for (const char *p = text_string(&content), *end; (end = strchr(p, '\n')); p = end + 1) {
                _cleanup_json_ Json *json = NULL;
                if (json_parse(p, (size_t)(end - p), JSON_LIMITS_WIRE, &json, NULL) < 0)
                        continue;
                if (strstr(areas, string_of(json, "area")) && string_of(json, "send"))
                        failed += check_case(history, json);
        }
        (void)nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
        assert_int_equal(failed, 0);
}

static void test_recorded_sequences(void **state) {
        (void)state;
        replay("golden-shared.jsonl", " edit same ");
        assert_true(n_checked >= 303);
}

/* Where we differ from PBot on purpose; QUIRKS-edit.md says why. */
static bool is_better(const char *in, const char *out) {
        static const struct {
                const char *in, *out;
        } better[] = {
                { "undo", "\n" }, { "undo, undo", "\n" }, { "diff", "`inserted echo one`\n" },
                { "s/foo/bar/", "OUT\n" }, /* the code's $1 is kept */
                { "s/(b)ar/[$1]/", "OUT\n" }, { "undone", "No more undos remaining.\n" },
                { "run-parts /etc", "No recent code to run.\n" }, /* follows undone */
        };

        for (size_t i = 0; i < ELEMENTSOF(better); i++)
                if (streq(in, better[i].in) && streq(out, better[i].out))
                        return true;
        return false;
}

/* The tables of examples.json have no requests, but lines and answers. A backslash-n outside quotes becomes
 * a newline later. */
static bool matches_example(const Edit *edit, const char *text, const char *sent, const char *out) {
        if (strstr(out, " cmdline: "))
                return edit->outcome == EDIT_RUN;
        if (!sent)
                return edit->outcome != EDIT_RUN && strncmp(out, text, strlen(text)) == 0 &&
                       streq(out + strlen(text), "\n");

        _cleanup_free_ char *expected = without_options(sent);
        return edit->outcome == EDIT_RUN && (streq(text, expected) || strstr(text, "\\n"));
}

static unsigned check_example(History *history, const Json *step) {
        const char *in = string_of(step, "in"), *sent = string_of(step, "sent"),
                   *out = string_of(step, "out");
        _cleanup_(edit_done) Edit edit = {};

        assert_int_equal(edit_apply(history, "c", "sh", in, strlen(in), true, &edit), 0);
        _cleanup_free_ char *text = edit.outcome == EDIT_ANSWER ? strdup(text_string(&edit.text))
                                                                : without_options(text_string(&edit.text));
        bool pasted = strstr(out, "0x0.st") && !strstr(in, "-paste");
        if ((matches_example(&edit, text, sent, out) && edit.paste == pasted) || is_better(in, out))
                return 0;
        print_message(
                "%s -> outcome %d, %s; recorded %s => %s\n", in, (int)edit.outcome, text, sent ?: "", out);
        return 1;
}

static unsigned check_examples(const Json *steps) {
        char directory[] = "/tmp/test-edit-XXXXXX";
        _cleanup_(history_freep) History *history = NULL;
        unsigned failed = 0;

        assert_non_null(mkdtemp(directory));
        assert_int_equal(history_open(directory, 1 << 20, 16 << 20, &history), 0);
        for (size_t j = 0; j < json_size(steps); j++)
                failed += check_example(history, json_at(steps, j));
        (void)nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
        return failed;
}

static void test_examples(void **state) {
        _cleanup_text_ Text content = {};
        _cleanup_json_ Json *json = NULL;
        unsigned failed = 0;

        (void)state;
        int dir_fd = open(compat_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(io_read_file(dir_fd, "examples.json", 16 << 20, &content), 0);
        fd_close(dir_fd);
        assert_int_equal(json_parse(content.data, content.size, JSON_LIMITS_WIRE, &json, NULL), 0);

        const Json *tables = json_member(json, "edit_lang_sh_guest_answers_OUT");
        assert_int_equal(json_size(tables), 15);
        for (size_t i = 0; i < json_size(tables); i++)
                failed += check_examples(json_member(json_at(tables, i), "v2026"));
        assert_int_equal(failed, 0);
}

/* diff_lang_sh: two texts and their difference. One was recorded as Latin-1 and says so. */
static void test_example_diffs(void **state) {
        _cleanup_text_ Text content = {};
        _cleanup_json_ Json *json = NULL;

        (void)state;
        int dir_fd = open(compat_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(io_read_file(dir_fd, "examples.json", 16 << 20, &content), 0);
        fd_close(dir_fd);
        assert_int_equal(json_parse(content.data, content.size, JSON_LIMITS_WIRE, &json, NULL), 0);

        const Json *rows = json_member(json, "diff_lang_sh");
        assert_int_equal(json_size(rows), 16);
        for (size_t i = 0; i < json_size(rows); i++) {
                const char *expected = string_of(json_at(rows, i), "v2026");
                _cleanup_text_ Text older = {}, newer = {}, out = {};

                text_append_string(&older, string_of(json_at(rows, i), "older"));
                text_append_string(&newer, string_of(json_at(rows, i), "newer"));
                if (word_diff(&older, &newer, &out) == 0)
                        text_append_string(&out, "No difference.");
                if (strncmp(text_string(&out), expected, strcspn(expected, "\n")) != 0)
                        fail_msg("%s", text_string(&out));
        }
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_recorded_sequences),
                cmocka_unit_test(test_examples),
                cmocka_unit_test(test_example_diffs),
        };

        if (argc != 2)
                return EXIT_FAILURE;
        compat_dir = argv[1];
        return cmocka_run_group_tests(tests, NULL, NULL);
}
