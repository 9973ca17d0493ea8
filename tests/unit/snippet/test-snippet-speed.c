/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-snippet.h"
#include "common/io.h"

/* 64 kB of any of these, repeated, completes within a second, in a build with sanitizers too. */

#define SIZE (64 * 1024)

static const char *const patterns[] = {
        "a ",
        "\n",
        " \n",
        "a\n",
        " ",
        "a b() {}",
        "a b() <% %>",
        "a b(",
        "a (",
        "(",
        ")",
        ") {",
        "#",
        "#\n",
        "#include <a> ",
        "#include \"a\" ",
        "include \"a\" ",
        "include <",
        "#include <",
        "include \"a\"#",
        ";",
        "; /*",
        "; //",
        "; // \n",
        "/*",
        "//",
        "// /*",
        "'",
        "\"",
        "\"\\\"",
        "'\"",
        "\\",
        "\\\n#",
        "{",
        "}",
        "{}",
        "|n",
        "-include a ",
        "-include ",
        "-nomain",
        "\xc2\xa0",
        "\xc3\xa9 ",
        "\xff",
        "#define a(",
        "\n\n\n;",
        "using a\n",
        "import a\n",
        "a:",
        "=",
        "= ",
};

static void run(const char *pattern, const char *tail) {
        const SnippetStyle style = { DIALECT_C, "#include <prelude.h>\n\n", true, true, true };
        const SnippetStyle java_style = { .dialect = DIALECT_JAVA, .prelude = "", .line_comments = true };
        _cleanup_(java_names_done) JavaNames names = {};
        _cleanup_text_ Text code = {}, c = {}, java = {};
        SnippetOptions options;
        bool unterminated;

        while (code.size < SIZE)
                text_append_string(&code, pattern);
        text_append_string(&code, tail);
        assert_false(text_failed(&code));

        const uint64_t begin = now_monotonic();
        assert_int_equal(snippet_take_options(&code, DIALECT_C, &options), 0);
        assert_true(snippet_complete_c(&code, &style, &options, &c, &unterminated) >= 0);
        const uint64_t middle = now_monotonic();
        assert_true(snippet_complete_java(&code, &java_style, &options, &java, &names) >= 0);
        const uint64_t end = now_monotonic();
        if (middle - begin > USEC_PER_SEC || end - middle > USEC_PER_SEC)
                fail_msg("\"%s\": %u ms as C, %u ms as Java", pattern, (unsigned)((middle - begin) / 1000),
                        (unsigned)((end - middle) / 1000));
        snippet_options_done(&options);
}

static void test_patterns(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(patterns); i++) {
                run(patterns[i], "");
                run(patterns[i], "\nint f() { return 1; } f()");
        }
}

/* Each of them would take the formatter 4 s and more. */
static const char *const unformatted[] = { "{", "if(a){", "/*", "a=", "a=\n", "<", "class a{", "template<",
        "a<b,", "switch(a){case 1:", "] {", "}*/ ", "{a;" };

/* The same within the bounds for the program's size: deep at first, then long. */
static const char *const deep[] = { "{", "(", "(a=", "{a<", "]{", "(\n" };

static void test_formatter_depth(_unused_ void **state) {
        _cleanup_(formatter_freep) Formatter *formatter = NULL;

        assert_int_equal(formatter_open(&formatter), 0);
        for (size_t i = 0; i < ELEMENTSOF(deep); i++) {
                _cleanup_text_ Text program = {};

                for (unsigned k = 0; k < 250; k++)
                        text_append_string(&program, deep[i]);
                while (program.size < 44000)
                        text_append_string(&program, "f(x),");
                const uint64_t begin = now_monotonic();
                assert_int_equal(formatter_run(formatter, DIALECT_C, &program), 0);
                if (now_monotonic() - begin > USEC_PER_SEC)
                        fail_msg("\"%s\": %u ms", deep[i], (unsigned)((now_monotonic() - begin) / 1000));
        }
}

static void test_formatter(_unused_ void **state) {
        _cleanup_(formatter_freep) Formatter *formatter = NULL;

        assert_int_equal(formatter_open(&formatter), 0);
        for (size_t i = 0; i < ELEMENTSOF(unformatted); i++) {
                _cleanup_text_ Text program = {};

                while (program.size < SIZE)
                        text_append_string(&program, unformatted[i]);
                const uint64_t begin = now_monotonic();
                assert_int_equal(formatter_run(formatter, DIALECT_C, &program), 0);
                if (now_monotonic() - begin > USEC_PER_SEC)
                        fail_msg("\"%s\": %u ms", unformatted[i],
                                (unsigned)((now_monotonic() - begin) / 1000));
        }
}

/* What people send stays within the bounds, long as it may be. */
static void test_long_program_is_formatted(_unused_ void **state) {
        _cleanup_(formatter_freep) Formatter *formatter = NULL;
        _cleanup_text_ Text program = {}, formatted = {};

        assert_int_equal(formatter_open(&formatter), 0);
        for (unsigned i = 0; i < 1000; i++) {
                text_append_printf(&program, "printf(\"%u\\n\",%u);\n", i, i);
                text_append_printf(&formatted, "printf(\"%u\\n\", %u);\n", i, i);
        }
        text_append_string(&program, "x =1");
        text_append_string(&formatted, "x = 1");
        for (unsigned i = 0; i < 1000; i++) {
                text_append_string(&program, "+1");
                text_append_string(&formatted, " + 1");
        }
        text_append_string(&program, ";\n/*");
        text_append_string(&formatted, ";\n/*");
        for (unsigned i = 0; i < 20000; i++) {
                text_append_char(&program, 'c');
                text_append_char(&formatted, 'c');
        }
        text_append_string(&program, "*/\n");
        text_append_string(&formatted, "*/\n");
        for (unsigned i = 0; i < 200; i++) {
                text_append_char(&program, '(');
                text_append_char(&formatted, '(');
        }
        assert_int_equal(formatter_run(formatter, DIALECT_C, &program), 0);
        assert_string_equal(text_string(&program), text_string(&formatted));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_patterns),
                cmocka_unit_test(test_formatter),
                cmocka_unit_test(test_formatter_depth),
                cmocka_unit_test(test_long_program_is_formatted),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
