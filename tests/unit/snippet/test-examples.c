/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The recorded snippets of examples.json, through the pipeline that a request takes, with the real preludes
 * and the formatter. */

#include <fcntl.h>

#include "common/io.h"
#include "common/json.h"
#include "pipeline/pipeline.h"
#include "test-snippet.h"

#define LIMITS ((JsonLimits){ .size = 1 << 20, .depth = 32, .values = 100000 })

/* Where this differs on purpose: tests/compat/QUIRKS-snippet.md says why. */
static const char *const differences[] = {
        "/* hello */ int f(void) { return 1; } f()",
        "int x <% 1 %>",
        "int f(void) <% return 1; %> f()",
        "f(1,\n2)",
        "-x",
        "// don't do; that; x\\nint y; y",
        "{ a } { b }",
        "public static void main(String[] args) { System.out.println(1); }",
        "int x = 1; // foo;\\n x++;",
        "class prog { public static void main(String[] a) { System.out.println(1); } }",
        "int x = 1; /* foo */ int f(void) { return 1; } f()",
        "puts(\"a\"); int f(void) { return 1; } f()",
        "int main() { return 0; } int g;",
        "-nomain int x;",
        "-nomain int f(void) { return 1; } int y;",
        "while (1) { break; } 5",
        "int f() { puts(\"{\"); return 1; } f()",
        "int f() { puts(\"}\"); return 1; } f()",
        "main() { puts(\"x\"); }",
        "puts(\"a|nb\")",
        "}; x",
        "goto x; x: 1",
        "#if 1\\nint x;\\n#endif\\n5",
        "puts(\"a -nomain b\"); -NOMAIN int f(void) { return 1; }",
        "int f(a) int a; { return a; } f(1)",
        "while ((x = f())) { g(); } h()",
        "x\nif (1) { y; }",
        "switch (x) {\ncase 1: if (y) { z; }\n}",
        "x;;",
        "x // c",
        "x /* c */",
        "int x = f(void) { }",
        "#define X \\\\\n5\nX",
        "sizeof  a",
        "x{1}",
        "\\\"x\\\"",
        "foo:",
        "int main() { puts(\"a\"); } // end",
        "/* a */ x",
        "x /* a",
        "switch (x) { case 1: a; case 2: if (y) { z; } }",
        "int x = 1; if (x) { puts(\"a\"); } else { puts(\"b\"); } x",
        "int main() { } int x",
        "int f(void) { /* { */ return 1; } f()",
        "int f(void) { return '}'; } f()",
        "template<class T> T f(T a) { return a; } f(1)",
        "int f(int a) { return a; } System.out.println(f(1));",
        "-nomain class X { }",
};

static bool is_difference(const char *input) {
        for (size_t i = 0; i < ELEMENTSOF(differences); i++)
                if (streq(input, differences[i]))
                        return true;
        return false;
}

/* What the guest would get, or the answer without it. */
static void run(const Config *config, const char *lang, const char *code, Text *result) {
        static const char *const languages[] = { SOURCE_DIR "/src/language/data", NULL };
        _cleanup_query_ Query query = {
                .lang = strdup(lang), .nick = strdup("n"), .channel = strdup("c"), .arguments = strdup("")
        };
        _cleanup_(pipeline_freep) Pipeline *pipeline = NULL;
        _cleanup_request_ Request request = REQUEST_INIT;
        int r;

        text_append_string(&query.code, code);
        r = pipeline_open(
                config, &query, languages, SOURCE_DIR "/src/language/rewrites", NULL, &pipeline, result);
        if (r == PIPELINE_RUN)
                r = pipeline_prepare(pipeline, 1, &request, result);
        assert_true(r == PIPELINE_RUN || r == PIPELINE_ANSWER);
        if (r == PIPELINE_RUN)
                text_append_text(result, &request.code);
        assert_false(text_failed(result));
}

/* The recorded text has a sign for the language's prelude, which is what a program without main() consists
 * of. */
static void expected_text(const Config *config, const char *lang, const char *recorded, Text *ret) {
        static const char sign[] = "\u00abP\u00bb";
        _cleanup_text_ Text prelude = {};
        const char *at;

        run(config, lang, "-nomain ;", &prelude);
        while ((at = strstr(recorded, sign))) {
                text_append(ret, recorded, (size_t)(at - recorded));
                text_append_text(ret, &prelude);
                recorded = at + strlen(sign);
        }
        text_append_string(ret, recorded);
}

static void run_example(const Config *config, const Json *example) {
        const char *input = json_string(json_member(example, "input"), NULL);
        const char *lang = json_string(json_member(example, "lang"), NULL);
        const Json *v2026 = json_member(example, "v2026");
        const char *recorded = json_string(json_member(v2026, "code") ?: json_member(v2026, "output"), NULL);
        _cleanup_text_ Text result = {}, expected = {};

        assert_non_null(recorded);
        run(config, lang, input, &result);
        expected_text(config, lang, recorded, &expected);
        if (is_difference(input))
                assert_string_not_equal(text_string(&result), text_string(&expected));
        else
                assert_text(input, &result, text_string(&expected));
}

static void test_examples(_unused_ void **state) {
        _cleanup_text_ Text file = {}, errors = {};
        _cleanup_json_ Json *json = NULL;
        _cleanup_(config_freep) Config *config = NULL;
        const Json *examples;

        assert_int_equal(
                io_read_file(AT_FDCWD, SOURCE_DIR "/tests/compat/examples.json", LIMITS.size, &file), 0);
        assert_int_equal(json_parse(file.data, file.size, LIMITS, &json, NULL), 0);
        assert_int_equal(config_load("/nonexistent/pbotvm.json", NULL, &config, &errors), 0);

        examples = json_member(json, "c_family");
        assert_true(json_size(examples) >= 200);
        for (size_t i = 0; i < json_size(examples); i++)
                run_example(config, json_at(examples, i));
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_examples) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
