/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules and whose words they are for. */
#include "examples.h"

#include <fcntl.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/io.h"
#include "common/json.h"
#include "language/rewrite-table.h"
#include "language/rewrite.h"

#define TABLES_DIR SOURCE_DIR "/src/language/rewrites"
#define WORDS_FILE SOURCE_DIR "/tests/compat/rewritten-words.json"

static const char *const tables[] = { "c-family", "tendra", "perl", "lisp" };

static RewriteContext context_of(const char *table, bool pasting) {
        return (RewriteContext){
                .source_file = streq(table, "perl") ? "prog.pl" : "prog.c",
                .exec_file = "prog",
                .pasting = pasting,
        };
}

/* A table in a folder of its own. */
static Rewrites *open_rules(const char *content) {
        char path[] = "/tmp/rewrites.XXXXXX";
        _cleanup_free_ char *file = NULL;
        _cleanup_text_ Text errors = {};
        Rewrites *rewrites = NULL;

        assert_non_null(mkdtemp(path));
        assert_true(asprintf(&file, "%s/t.json", path) > 0);
        FILE *f = fopen(file, "we");
        assert_non_null(f);
        assert_true(fputs(content, f) >= 0);
        assert_int_equal(fclose(f), 0);
        if (rewrites_open(path, "t", &rewrites, &errors) < 0)
                fail_msg("%s", text_string(&errors));
        (void)unlink(file);
        (void)rmdir(path);
        return rewrites;
}

static const struct {
        char letter;
        Who who;
} letters[] = { { 'c', WHO_COMPILER }, { 'p', WHO_PROGRAM }, { 'd', WHO_DEBUGGER }, { 'a', WHO_AGENT } };

/* "c:text|p:more" */
static void read_pieces(const char *pieces, Text *text, Parts *parts) {
        while (*pieces) {
                size_t n = strcspn(pieces, "|");

                for (size_t i = 0; i < ELEMENTSOF(letters); i++)
                        if (letters[i].letter == pieces[0])
                                parts_add(parts, letters[i].who, n - 2);
                text_append(text, pieces + 2, n - 2);
                pieces += n + (pieces[n] == '|');
        }
        assert_int_equal(parts->size, text->size);
}

static void write_pieces(const Text *text, const Parts *parts, Text *ret) {
        size_t used = 0;

        assert_int_equal(parts->size, text->size);
        for (size_t i = 0; i < parts->n; used += parts->list[i++].size) {
                for (size_t k = 0; k < ELEMENTSOF(letters); k++)
                        if (letters[k].who == parts->list[i].who)
                                text_append_printf(ret, "%s%c:", i > 0 ? "|" : "", letters[k].letter);
                text_append(ret, text->data + used, parts->list[i].size);
        }
}

static void test_rules_keep_to_their_pieces(void **state) {
        static const struct {
                const char *rules, *before, *after;
        } cases[] = {
                /* Without "for" a rule is for all. */
                { "{\"rules\": [{\"match\": \"x\", \"flags\": \"g\"}]}", "c:ax|p:xbx|d:x", "c:a|p:b" },
                { "{\"rules\": [{\"match\": \"ax\", \"replace\": \"ya\"}]}", "c:ba|p:xb", "c:bya|p:b" },
                /* For some it goes from piece to piece; neighbours are one text. */
                { "{\"for\": [\"compiler\"], \"rules\": [{\"match\": \"x\", \"flags\": \"g\"}]}",
                        "c:ax|p:xbx|c:x|d:x", "c:a|p:xbx|d:x" },
                { "{\"for\": [\"compiler\", \"debugger\"], \"rules\": [{\"match\": \"ab\", \"flags\": "
                  "\"g\"}]}",
                        "p:ab|c:a|d:bc|p:ab|d:ab", "p:ab|d:c|p:ab" },
                { "{\"for\": [\"compiler\"], \"rules\": [{\"match\": \"ab+\"}]}", "c:xa|p:b|c:abb|p:b|c:ab",
                        "c:xa|p:b|p:b|c:ab" },
                { "{\"for\": [\"compiler\"], \"rules\": [{\"match\": \"x\", \"replace\": \"long \", "
                  "\"flags\": "
                  "\"g\"}]}",
                        "p:1|c:xax|p:x2", "p:1|c:long along |p:x2" },
                /* A rule's own "for", and that of what is inside it. */
                { "{\"for\": [\"compiler\"], \"rules\": [{\"for\": [\"debugger\"], \"match\": \"x\", "
                  "\"flags\": \"g\"}]}",
                        "c:x|p:x|d:xy", "c:x|p:x|d:y" },
                { "{\"rules\": [{\"for\": [\"debugger\"], \"if\": \"x\", \"then\": [{\"match\": \"y\"}]}]}",
                        "c:x|d:y", "c:x|d:y" },
                { "{\"rules\": [{\"for\": [\"debugger\"], \"if\": \"x\", \"then\": [{\"match\": \"y\", "
                  "\"flags\": \"g\"}]}]}",
                        "c:y|d:yx", "c:y|d:x" },
                { "{\"rules\": [{\"for\": [], \"match\": \"x\", \"flags\": \"g\"}]}", "c:x|p:x|d:x|a:x",
                        "c:x|p:x|d:x|a:x" },
                /* The beginning of the text is that of the whole, and what is in front is seen. */
                { "{\"for\": [\"compiler\"], \"rules\": [{\"match\": \"\\\\Ax\"}]}", "p:a|c:x", "p:a|c:x" },
                { "{\"for\": [\"compiler\"], \"rules\": [{\"match\": \"^x\", \"flags\": \"m\"}]}", "p:a|c:x",
                        "p:a|c:x" },
                { "{\"for\": [\"compiler\"], \"rules\": [{\"match\": \"^x\", \"flags\": \"m\"}]}",
                        "p:a\n|c:xy", "p:a\n|c:y" },
                /* What is behind is not. */
                { "{\"for\": [\"compiler\"], \"rules\": [{\"match\": \"x.\"}]}", "c:x|p:y", "c:x|p:y" },
        };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(rewrites_freep) Rewrites *rewrites = open_rules(cases[i].rules);
                _cleanup_text_ Text text = {}, errors = {}, got = {};
                _cleanup_parts_ Parts parts = {};
                const RewriteContext context = context_of("", false);

                read_pieces(cases[i].before, &text, &parts);
                assert_int_equal(
                        rewrites_apply(rewrites, &context, USEC_INFINITY, &text, &parts, &errors), 0);
                write_pieces(&text, &parts, &got);
                /* Neighbours of the same are one piece. */
                if (!streq(cases[i].after, "c:xa|p:b|p:b|c:ab"))
                        assert_text(&got, cases[i].after);
                else
                        assert_text(&got, "c:xa|p:bb|c:ab");
        }
}

static Json *read_words(void) {
        _cleanup_text_ Text content = {};
        Json *json = NULL;

        assert_int_equal(io_read_file(AT_FDCWD, WORDS_FILE, 1 << 20, &content), 0);
        assert_int_equal(json_parse(text_string(&content), content.size, JSON_LIMITS_FILE, &json, NULL), 0);
        return json;
}

static bool matches(const Rule *rule, const RewriteContext *context, const char *text) {
        _cleanup_text_ Text pattern = {};
        int error;
        PCRE2_SIZE offset;

        for (const char *p = rule->pattern, *rest; *p; p = rest)
                if ((rest = startswith(p, "%SOURCE%")))
                        text_append_printf(&pattern, "\\Q%s\\E", context->source_file);
                else if ((rest = startswith(p, "%EXEC%")))
                        text_append_printf(&pattern, "\\Q%s\\E", context->exec_file);
                else {
                        text_append_char(&pattern, *p);
                        rest = p + 1;
                }
        pcre2_code *code = pcre2_compile((PCRE2_SPTR)text_string(&pattern), pattern.size,
                rule->options | PCRE2_UTF | PCRE2_UCP, &error, &offset, NULL);
        assert_non_null(code);
        pcre2_match_data *match = pcre2_match_data_create(1, NULL);
        int r = pcre2_match(code, (PCRE2_SPTR)text, strlen(text), 0, 0, match, NULL);
        pcre2_match_data_free(match);
        pcre2_code_free(code);
        return r >= 0;
}

static void assert_each_matches(const RuleList *list, const RewriteContext *context, const Json *words) {
        for (size_t i = 0; i < list->n; i++) {
                const Rule *rule = &list->rules[i];
                bool found = !rule->pattern;

                for (size_t k = 0; k < json_size(words) && !found; k++)
                        found = matches(rule, context, json_string(json_at(words, k), NULL));
                if (!found)
                        fail_msg("line %u: no example of %s", rule->line, rule->pattern);
                assert_each_matches(&rule->any, context, words);
                assert_each_matches(&rule->then, context, words);
                assert_each_matches(&rule->otherwise, context, words);
        }
}

/* Each rule has an example of what it matches. */
static void test_words_are_those_of_all_rules(void **state) {
        _cleanup_json_ Json *words = read_words();
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
                _cleanup_(rule_table_done) RuleTable table = {};
                _cleanup_text_ Text errors = {};
                RewriteContext context = context_of(tables[i], false);

                assert_int_equal(rule_table_read(TABLES_DIR, tables[i], &table, &errors), 0);
                assert_each_matches(&table.rules, &context, words);
        }
}

static bool apply(const char *table, bool pasting, Text *text, Parts *parts) {
        _cleanup_(rewrites_freep) Rewrites *rewrites = NULL;
        _cleanup_text_ Text errors = {}, before = {};
        RewriteContext context = context_of(table, pasting);

        text_append_text(&before, text);
        assert_int_equal(rewrites_open(TABLES_DIR, table, &rewrites, &errors), 0);
        assert_int_equal(rewrites_apply(rewrites, &context, USEC_INFINITY, text, parts, &errors), 0);
        return !text_equals(text, text_string(&before));
}

/* A program that prints it is shown as it is, alone, behind a warning, and before the agent's note; the same
 * words of nobody knows whom are rewritten as ever. */
static void test_a_program_may_print_them(void **state) {
        static const char *const own[] = { "c-family", "tendra", "perl" };
        _cleanup_json_ Json *words = read_words();
        (void)state;

        for (size_t i = 0; i < json_size(words); i++) {
                const char *word = json_string(json_at(words, i), NULL);
                bool changed = false;

                for (size_t k = 0; k < 2 * ELEMENTSOF(own); k++) {
                        _cleanup_text_ Text text = {}, behind = {}, unknown = {};
                        _cleanup_parts_ Parts parts = {}, behind_parts = {}, none = {};

                        text_append_string(&text, word);
                        parts_extend(&parts, WHO_PROGRAM, text.size);
                        if (apply(own[k / 2], k % 2, &text, &parts))
                                fail_msg("%s: %s became %s", own[k / 2], word, text_string(&text));
                        text_append_string(&behind, "[warning: x]\n");
                        parts_extend(&behind_parts, WHO_COMPILER, behind.size);
                        text_append_string(&behind, word);
                        parts_extend(&behind_parts, WHO_PROGRAM, behind.size);
                        text_append_string(&behind, " [Exit 3]");
                        parts_extend(&behind_parts, WHO_AGENT, behind.size);
                        if (apply(own[k / 2], k % 2, &behind, &behind_parts))
                                fail_msg("%s: %s became %s", own[k / 2], word, text_string(&behind));
                        text_append_string(&unknown, word);
                        changed |= apply(own[k / 2], k % 2, &unknown, &none);
                }
                /* That is looked for only where a directive swallowed the rest. */
                if (!changed && !startswith(word, "[warning:"))
                        fail_msg("no table changes %s", word);
        }
}

/* What others say of a program is mended as ever. */
static void test_words_of_others(void **state) {
        static const char *const cases[][2] = {
                { "c:prog.c: In function \u2018main\u2019:\nprog.c:5:3: error: \u2018x\u2019 undeclared "
                  "(first use in this "
                  "function)\n|a: \n",
                        "c:error: 'x' undeclared\n|a: \n" },
                { "c:[prog.c:5:3: warning: x]\n|p:prog.c:5:3: `x`", "c:[warning: x]\n|p:prog.c:5:3: `x`" },
                { "d:prog.c:4:8: runtime error: load of misaligned address 0x7ffe for type 'int'\n 0x7ffe: "
                  "note: "
                  "pointer points here\n 00 00\n ^ \n|a: |p:prog.c:4:8: x",
                        "d: runtime error: load of misaligned address for type 'int'\n \n|a: |p:prog.c:4:8: "
                        "x" },
                { "d:prog.c:4:8: runtime error: shift exponent 33\nSUMMARY: UndefinedBehaviorSanitizer: "
                  "undefined-behavior prog.c:4:8 in \n|p:SUMMARY: UndefinedBehaviorSanitizer: x",
                        "d: runtime error: shift exponent 33\n|p:SUMMARY: UndefinedBehaviorSanitizer: x" },
                { "c:clang: warning: argument unused during compilation: "
                  "'-fsanitize-address-use-after-scope' "
                  "[-Wunused-command-line-argument]\n|p:x",
                        "c:\n|p:x" },
                { "c:[clang: warning: argument unused during compilation: "
                  "'-fsanitize-address-use-after-scope' "
                  "[-Wunused-command-line-argument]]\n|p:[]\nx",
                        "p:[]\nx" },
                { "c:[clang: warning: -lm: 'linker' input unused [-Wunused-command-line-argument]]\n|p:x",
                        "p:x" },
                { "c:[clang: warning: argument unused during compilation: '-lm' "
                  "[-Wunused-command-line-argument]\nprog.c:4:8: warning: w]\n|p:x",
                        "c:[warning: w]\n|p:x" },
                { "c:prog.c:4:8: error: no match\n  \u2022 there are 2 candidates\n"
                  "    \u2022 candidate 1: 'f'\n|p:  \u2022 x",
                        "c: error: no match\nnote: there are 2 candidates\nnote: candidate 1: 'f'\n|p:  "
                        "\u2022 x" },
                { "d:/usr/include/c++/16/bits/stl_vector.h:1253: std::vector<_Tp>::reference "
                  "std::vector<_Tp>::operator[](size_type) [with _Tp = int]: Assertion '__n < "
                  "this->size()' failed.\n|p:/usr/include/c++/16/x: f: Assertion 'x' failed.\n",
                        "d:Assertion '__n < this->size()' failed.\n|p:/usr/include/c++/16/x: f: Assertion "
                        "'x' "
                        "failed.\n" },
                { "c:/usr/bin/x86_64-linux-gnu-ld.bfd: prog.o: undefined",
                        "c:/usr/bin/ld: prog.o: undefined" },
                { "d:prog: prog.c:4: main: Assertion `x' failed.\n|a: |d:\nProgram received signal",
                        "d:Assertion 'x' failed.\n|a: |d:\nProgram received signal" },
                { "d:\nno output: |p:s = \"\\000 (gdb) `x`\"|d:\n\n",
                        "d:no output: |p:s = \"\\000 (gdb) `x`\"|d:\n\n" },
                { "c:[prog.c:5:3: warning: x]\n|d:\nno output: |p:x = 5",
                        "c:[warning: x]\n|d:no output: |p:x = 5" },
                { "d:\n42\tf();\n|p:a\tb", "d:\n42   f();\n|p:a\tb" },
        };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text text = {}, got = {};
                _cleanup_parts_ Parts parts = {};

                read_pieces(cases[i][0], &text, &parts);
                (void)apply("c-family", false, &text, &parts);
                write_pieces(&text, &parts, &got);
                assert_text(&got, cases[i][1]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rules_keep_to_their_pieces),
                cmocka_unit_test(test_words_are_those_of_all_rules),
                cmocka_unit_test(test_a_program_may_print_them),
                cmocka_unit_test(test_words_of_others),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
