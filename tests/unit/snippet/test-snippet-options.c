/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-snippet.h"

static const struct {
        const char *code, *left, *includes;
        bool no_main, no_headers;
} cases[] = {
        { "x", "x", "", false, false },
        { "-nomain int x;", "int x;", "", true, false },
        { "-NoMain x", "x", "", true, false },
        { "-nomainx", "x", "", true, false },
        { "a-nomain", "a-nomain", "", false, false },
        { "-nomain -nomain x", "-nomain x", "", true, false },
        { "x=1 -noheaders", "x=1 ", "", false, true },
        { "puts(\"a -nomain b\"); -NOMAIN y", "puts(\"a -nomain b\"); y", "", true, false },
        { "x // -nomain", "x // -nomain", "", false, false },
        { "-noheaders -nomain 5", "5", "", true, true },
        { "-include math.h sqrt(2)", "sqrt(2)", "#include <math.h> ", false, false },
        { "-include a -include  b/c.h\nx", "x", "#include <a> #include <b/c.h> ", false, false },
        { "int x; -include math.h x", "int x; x", "#include <math.h> ", false, false },
        { "sqrt(2) -include math.h", "sqrt(2) -include math.h", "", false, false },
        { "-Include math.h x", "-Include math.h x", "", false, false },
        { "-includemath.h x", "-includemath.h x", "", false, false },
        { "x\u00a0-nomain y", "x\u00a0y", "", true, false },
        { "\u00e9-nomain y", "\u00e9-nomain y", "", false, false },
        { "", "", "", false, false },
};

static void test_options(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text code = text_of(cases[i].code);
                SnippetOptions options;

                assert_int_equal(snippet_take_options(&code, DIALECT_C, &options), 0);
                assert_text(cases[i].code, &code, cases[i].left);
                assert_text(cases[i].code, &options.includes, cases[i].includes);
                assert_int_equal(options.no_main, cases[i].no_main);
                assert_int_equal(options.no_headers, cases[i].no_headers);
                snippet_options_done(&options);
        }
}

static void test_java_has_no_include(_unused_ void **state) {
        _cleanup_text_ Text code = text_of("-nomain -include math.h x");
        SnippetOptions options;

        assert_int_equal(snippet_take_options(&code, DIALECT_JAVA, &options), 0);
        assert_text("java", &code, "-include math.h x");
        assert_true(options.no_main);
        snippet_options_done(&options);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_java_has_no_include),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
