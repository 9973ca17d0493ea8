/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "examples.h"

#include <time.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "language/rewrite-table.h"
#include "language/rewrite.h"

#define TABLES_DIR SOURCE_DIR "/src/language/rewrites"

static const RewriteContext plain = { .source_file = "prog.c", .exec_file = "prog" };

/* A table in a folder of its own. */
typedef struct Folder {
        char path[32];
        char *file;
} Folder;

static void folder_done(Folder *folder) {
        (void)unlink(folder->file);
        (void)rmdir(folder->path);
        free(folder->file);
}

static void folder_write(Folder *folder, const char *content) {
        strcpy(folder->path, "/tmp/rewrites.XXXXXX");
        assert_non_null(mkdtemp(folder->path));
        assert_true(asprintf(&folder->file, "%s/t.json", folder->path) > 0);
        FILE *f = fopen(folder->file, "we");
        assert_non_null(f);
        assert_true(fputs(content, f) >= 0);
        assert_int_equal(fclose(f), 0);
}

static void assert_rewritten(
        const char *rules, const RewriteContext *context, const char *text, const char *wanted) {
        _cleanup_(folder_done) Folder folder = {};
        _cleanup_(rewrites_freep) Rewrites *rewrites = NULL;
        _cleanup_text_ Text got = {}, errors = {};
        _cleanup_parts_ Parts parts = {};

        folder_write(&folder, rules);
        int r = rewrites_open(folder.path, "t", &rewrites, &errors);
        if (r < 0)
                print_error("%s", text_string(&errors));
        assert_int_equal(r, 0);
        text_append_string(&got, text);
        assert_int_equal(rewrites_apply(rewrites, context, USEC_INFINITY, &got, &parts, &errors), 0);
        assert_text(&got, wanted);
}

static void test_replace(void **state) {
        (void)state;
        assert_rewritten("{\"rules\": [{\"match\": \"b+\"}]}", &plain, "abbcb", "acb");
        assert_rewritten("{\"rules\": [{\"match\": \"b+\", \"flags\": \"g\"}]}", &plain, "abbcb", "ac");
        assert_rewritten("{\"rules\": [{\"match\": \"(a)(x)?(b)\", \"replace\": \"$3$2$1\\\\0$\"}]}", &plain,
                "ab", "ba\\0$");
        assert_rewritten("{\"rules\": [{\"match\": \"a.b\"}]}", &plain, "a\nb", "a\nb");
        assert_rewritten("{\"rules\": [{\"match\": \"a.b\", \"flags\": \"s\"}]}", &plain, "a\nb", "");
        assert_rewritten("{\"rules\": [{\"match\": \"a.b\", \"flags\": \"i\"}]}", &plain, "AxB", "");
        assert_rewritten("{\"rules\": [{\"match\": \"^b\", \"flags\": \"mg\"}]}", &plain, "b\nb", "\n");
        assert_rewritten("{\"rules\": [{\"match\": \"x*\", \"replace\": \"-\", \"flags\": \"g\"}]}", &plain,
                "a\xc3\xa9", "-a-\xc3\xa9-");
        assert_rewritten("{\"rules\": [{\"match\": \"\\\\s+$\"}]}", &plain, "a\xc2\xa0", "a");
}

static void test_names_of_files(void **state) {
        const RewriteContext odd = { .source_file = "p+.c", .exec_file = "p" };
        (void)state;

        assert_rewritten(
                "{\"rules\": [{\"match\": \"%EXEC%: %SOURCE%:\\\\d\"}]}", &plain, "prog: prog.c:1", "");
        assert_rewritten("{\"rules\": [{\"match\": \"%SOURCE%\", \"flags\": \"g\"}]}", &odd,
                "p+.c pp.c p+xc", " pp.c p+xc");
        assert_rewritten("{\"define\": {\"X\": \"a|b\"}, \"rules\": [{\"match\": \"(?:%X%)c\"}]}", &plain,
                "acbc", "bc");
        assert_rewritten("{\"rules\": [{\"match\": \"%b %[^x]\"}]}", &plain, "%b %c", "");
}

static void test_conditions(void **state) {
        static const char when[] =
                "{\"rules\": [{\"when\": \"pasting\", \"then\": [{\"match\": \"a\", \"replace\": \"p\"}],"
                " \"else\": [{\"match\": \"a\", \"replace\": \"n\"}]},"
                " {\"when\": \"public\", \"then\": [{\"match\": \"\\\\A\", \"replace\": \"#\"}]},"
                " {\"when\": \"unterminated\", \"then\": [{\"match\": \"$\", \"replace\": \"!\"}]}]}";
        static const char cases[] =
                "{\"rules\": [{\"if\": \"b\", \"then\": [{\"match\": \"a\", \"replace\": \"y\"}],"
                " \"else\": [{\"match\": \"a\", \"replace\": \"n\"}]}]}";
        static const char any[] = "{\"rules\": [{\"any\": [{\"match\": \"x\"}, {\"match\": \"y\"}],"
                                  " \"then\": [{\"match\": \"z\"}]}]}";
        const RewriteContext all = {
                .source_file = "s", .exec_file = "e", .pasting = true, .public = true, .unterminated = true
        };
        (void)state;

        assert_rewritten(when, &plain, "a", "n");
        assert_rewritten(when, &all, "a", "#p!");
        assert_rewritten(cases, &plain, "ab", "yb");
        assert_rewritten(cases, &plain, "a", "n");
        assert_rewritten(any, &plain, "xz", "");
        assert_rewritten(any, &plain, "yz", "");
        assert_rewritten(any, &plain, "z", "z");
}

static void assert_mistake(const char *rules, const char *wanted) {
        _cleanup_(folder_done) Folder folder = {};
        _cleanup_(rewrites_freep) Rewrites *rewrites = NULL;
        _cleanup_text_ Text errors = {}, text = {};
        _cleanup_parts_ Parts parts = {};

        folder_write(&folder, rules);
        int r = rewrites_open(folder.path, "t", &rewrites, &errors);
        if (r >= 0) {
                text_append_string(&text, "x");
                r = rewrites_apply(rewrites, &plain, USEC_INFINITY, &text, &parts, &errors);
        }
        assert_int_equal(r, -EINVAL);
        assert_non_null(strstr(text_string(&errors), folder.file));
        if (!strstr(text_string(&errors), wanted))
                print_error("%s", text_string(&errors));
        assert_non_null(strstr(text_string(&errors), wanted));
}

static void test_mistakes_name_file_and_line(void **state) {
        (void)state;
        assert_mistake("{", "t.json:1: ");
        assert_mistake("[]", "t.json:1: expected an object");
        assert_mistake("{}", "t.json:1: rules: is missing");
        assert_mistake(
                "{\"rules\": [\n\n{\"replace\": \"x\"}]}", "t.json:3: expected an object with \"match\"");
        assert_mistake("{\"rules\": [\n{\"match\": 5}]}", "t.json:2: match: expected a string");
        assert_mistake("{\"rules\": [{\"match\": \"x\", \"flags\": \"q\"}]}", ":1: flags: expected letters");
        assert_mistake("{\"rules\": [{\"match\": \"x\", \"with\": \"q\"}]}", ":1: with: unknown member");
        assert_mistake("{\"rules\": [{\"when\": \"never\"}]}", ":1: when: expected \"pasting\"");
        assert_mistake("{\"rules\": [{\"match\": \"%NO%\"}]}", ":1: %NO% is not defined");
        assert_mistake(
                "{\"rules\": [\n{\"match\": \"(?=x\"}]}", "t.json:2: \"(?=x\": missing closing parenthesis");
        assert_mistake("{\"rules\": 5}", "t.json:1: rules: expected an array");
        assert_mistake("{\"rules\": [], \"more\": 1}", "t.json:1: more: unknown member");
}

static void test_a_wrong_pattern_leaves_the_others(void **state) {
        _cleanup_(folder_done) Folder folder = {};
        _cleanup_(rewrites_freep) Rewrites *rewrites = NULL;
        _cleanup_text_ Text errors = {}, text = {};
        _cleanup_parts_ Parts parts = {};
        (void)state;

        folder_write(&folder, "{\"rules\": [{\"match\": \"[\"}, {\"match\": \"a\"}]}");
        assert_int_equal(rewrites_open(folder.path, "t", &rewrites, &errors), 0);
        text_append_string(&text, "ab");
        assert_int_equal(rewrites_apply(rewrites, &plain, USEC_INFINITY, &text, &parts, &errors), -EINVAL);
        assert_text(&text, "b");
}

static void test_past_the_deadline_nothing_changes(void **state) {
        _cleanup_(folder_done) Folder folder = {};
        _cleanup_(rewrites_freep) Rewrites *rewrites = NULL;
        _cleanup_text_ Text errors = {}, text = {};
        _cleanup_parts_ Parts parts = {};
        (void)state;

        folder_write(&folder, "{\"rules\": [{\"match\": \"a\"}]}");
        assert_int_equal(rewrites_open(folder.path, "t", &rewrites, &errors), 0);
        text_append_string(&text, "ab");
        assert_int_equal(rewrites_apply(rewrites, &plain, now_monotonic() - 1, &text, &parts, &errors), 0);
        assert_text(&text, "ab");
}

/* Calls f for all rules that have a pattern. */
static void each_pattern(const RuleList *list, void (*f)(const Rule *rule, void *data), void *data) {
        for (size_t i = 0; i < list->n; i++) {
                const Rule *rule = &list->rules[i];
                if (rule->pattern)
                        f(rule, data);
                each_pattern(&rule->any, f, data);
                each_pattern(&rule->then, f, data);
                each_pattern(&rule->otherwise, f, data);
        }
}

/* The pattern as it is for prog.c. */
static void complete(const Rule *rule, Text *pattern) {
        for (const char *p = rule->pattern, *rest; *p; p = rest)
                if ((rest = startswith(p, "%SOURCE%")))
                        text_append_string(pattern, "prog\\.c");
                else if ((rest = startswith(p, "%EXEC%")))
                        text_append_string(pattern, "prog");
                else {
                        text_append_char(pattern, *p);
                        rest = p + 1;
                }
}

/* What matches has the literal in it, or a rule would silently not be applied. */
static void check_literal(const Rule *rule, void *data) {
        const Text *texts = data;
        _cleanup_text_ Text pattern = {}, literal = {};
        int error;
        PCRE2_SIZE offset;

        complete(rule, &pattern);
        pattern_literal(text_string(&pattern), &literal);
        pcre2_code *code = pcre2_compile((PCRE2_SPTR)text_string(&pattern), pattern.size,
                rule->options | PCRE2_UTF | PCRE2_UCP, &error, &offset, NULL);
        assert_non_null(code);
        pcre2_match_data *match = pcre2_match_data_create_from_pattern(code, NULL);
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(match);
        for (const Text *text = texts; text->data; text++)
                if (pcre2_match(code, (PCRE2_SPTR)text->data, text->size, 0, 0, match, NULL) > 0)
                        assert_true(literal.size == 0 ||
                                    memmem(text->data + at[0], at[1] - at[0], literal.data, literal.size));
        pcre2_match_data_free(match);
        pcre2_code_free(code);
}

static void append_literal(const Rule *rule, void *data) {
        _cleanup_text_ Text pattern = {};
        complete(rule, &pattern);
        pattern_literal(text_string(&pattern), data);
        text_append_char(data, '\n');
}

static const char *const tables[] = { "c-family", "lisp", "perl", "tendra" };

static void test_literals_are_in_what_matches(void **state) {
        _cleanup_json_ Json *examples = examples_load();
        const Json *cases = json_member(examples, "output_rewrites");
        Text *texts = calloc(json_size(cases) + 1, sizeof(Text));
        (void)state;

        for (size_t i = 0; i < json_size(cases); i++) {
                append_member(&texts[i], json_at(cases, i), "guest_output");
                text_append_char(&texts[i], '\n');
        }
        for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
                _cleanup_text_ Text errors = {};
                _cleanup_(rule_table_done) RuleTable table = {};
                assert_int_equal(rule_table_read(TABLES_DIR, tables[i], &table, &errors), 0);
                each_pattern(&table.rules, check_literal, texts);
        }
        for (size_t i = 0; i < json_size(cases); i++)
                text_done(&texts[i]);
        free(texts);
}

/* Pieces of which the worst texts are made. */
static const char *const pieces[] = {
        " ",
        "\n",
        "1:1:",
        "1:1: ",
        "1",
        "12345678901:",
        "'",
        "\"",
        "`",
        "\t",
        "a",
        "\\0",
        "\\000",
        "In file included from ",
        "from /usr/include/prelude.h",
        "from prog.c:",
        "from prog.c:1,",
        "/usr/include/",
        "/usr/include/a:1:",
        "prog: prog.c:1: ",
        "prog.c:",
        " Line ",
        "__PRETTY_FUNCTION__ = \"",
        "cc1: all ",
        "error: (Each undeclared identifier is reported only once",
        "/tmp/",
        "(.text+",
        "(.text+)",
        "In function '",
        "In function 'main':",
        "warning: unknown conversion type character 'b' in format [-Wformat=] ",
        "initializer ",
        ", '\\000' <repeats 9",
        "= 1",
        "= 1 '",
        "<",
        "======= Backtrace",
        "======= Backtrace[vsyscall]x",
        "(char)'",
        "( char )'a'",
        "sizeof '",
        "sizeof('",
        "note: previous declaration of '",
        " 0x1: note: pointer points here",
        " 0x",
        "0123456789abcdef",
        "==1==WARNING: unexpected format specifier in printf interceptor: %",
        "Defined at ",
        "expand ",
        "expand x",
        "note: %b is a candide extension ",
        "candide extension ",
        "warning: too many arguments in call to 'gdb' note: expanded from macro '",
        "[",
        "[ ",
        "]",
        "preprocessor macro",
        "preprocessor macro> <at ",
        "at prog.pl line 1, near \"",
        "Copyright (C) 1",
        "\"prog.c\", line 1: ",
        "Error: ",
        "\xe2\x80\x98",
        "\xc2\xa0",
};

/* What may not take a second; the first look is at a quarter, of which a sixteenth of the time is
 * suspicious. */
#define TEXT_SIZE 65536

static double seconds(const Rewrites *rewrites, const Text *text) {
        const RewriteContext context = {
                .source_file = "prog.c", .exec_file = "prog", .public = true, .unterminated = true
        };
        _cleanup_text_ Text copy = {}, errors = {};
        _cleanup_parts_ Parts parts = {};
        clock_t start = clock();

        text_append_text(&copy, text);
        assert_int_equal(rewrites_apply((Rewrites *)rewrites, &context,
                                 usec_add(now_monotonic(), USEC_PER_SEC / 2), &copy, &parts, &errors),
                0);
        return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* A piece and what follows it, again and again; the literals of all rules at the end, so that each rule is
 * tried on the whole. */
static double seconds_of(const Rewrites *rewrites, const char *piece, const char *follower,
        const Text *literals, size_t size) {
        _cleanup_text_ Text text = {};

        while (text.size + literals->size < size) {
                text_append_string(&text, piece);
                text_append_string(&text, follower);
        }
        text_append_char(&text, '\n');
        text_append_text(&text, literals);
        return seconds(rewrites, &text);
}

static void check_piece(
        const Rewrites *rewrites, const char *piece, const char *follower, const Text *literals) {
        double s = seconds_of(rewrites, piece, follower, literals, TEXT_SIZE / 4);
        if (s < 1.0 / 16)
                return;
        s = seconds_of(rewrites, piece, follower, literals, TEXT_SIZE);
        if (s >= 1)
                print_error("%.2f s: [%s][%s]\n", s, piece, follower);
        assert_true(s < 1);
}

static void test_no_text_takes_long(void **state) {
        static const char *const followers[] = { "", "x", "\n", "'" };
        (void)state;

        for (size_t t = 0; t < ELEMENTSOF(tables); t++) {
                _cleanup_text_ Text errors = {}, literals = {};
                _cleanup_(rule_table_done) RuleTable table = {};
                _cleanup_(rewrites_freep) Rewrites *rewrites = NULL;
                assert_int_equal(rule_table_read(TABLES_DIR, tables[t], &table, &errors), 0);
                each_pattern(&table.rules, append_literal, &literals);
                assert_int_equal(rewrites_open(TABLES_DIR, tables[t], &rewrites, &errors), 0);

                for (size_t i = 0; i < ELEMENTSOF(pieces); i++)
                        for (size_t k = 0; k < (t == 0 ? ELEMENTSOF(followers) : 1); k++)
                                check_piece(rewrites, pieces[i], followers[k], &literals);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_replace),
                cmocka_unit_test(test_names_of_files),
                cmocka_unit_test(test_conditions),
                cmocka_unit_test(test_mistakes_name_file_and_line),
                cmocka_unit_test(test_a_wrong_pattern_leaves_the_others),
                cmocka_unit_test(test_past_the_deadline_nothing_changes),
                cmocka_unit_test(test_literals_are_in_what_matches),
                cmocka_unit_test(test_no_text_takes_long),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
