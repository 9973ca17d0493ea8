/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of snippets of Java: the members of the class, then behind a | what is in main(). */

#include "test-snippet.h"

static const struct {
        const char *code, *program; /* NULL: error: unmatched brackets */
} cases[] = {
        { "f();", "class prog { | f();" },
        { "int f(int a) { return a; } g(f(1));",
                "class prog { static int f(int a) { return a; } | g(f(1));" },
        { "import java.io.*; f();", "import java.io.*; class prog { | f();" },
        { "package a.b; import java.io.*; f();", "import java.io.*; class prog { | f();" },
        { "package a; class X { public static void main(String[] b) { } }",
                "class X { public static void main(String[] b) { } }" },
        { "import java.util.stream.*; Stream<BigInteger> s = f(a.LocalDate); List<String> l;",
                "import java.math.*; import java.util.*; import java.util.stream.*; class prog { | "
                "Stream<BigInteger> s = f(a.LocalDate); List<String> l;" },
        { "import java.util.List; List<String> l;",
                "import java.util.List; class prog { | List<String> l;" },
        { "import java.awt.*; List l; Stream<String> s;",
                "import java.awt.*; class prog { | List l; Stream<String> s;" },
        { "import a.B; class X { public static void main(String[] b) { List l; } }",
                "import a.B; class X { public static void main(String[] b) { List l; } }" },
        { "Function<Integer, Integer> f = x -> x; class Stream { } g(f);",
                "import java.util.function.*; import java.util.stream.*; import p; class prog { | "
                "Function<Integer, "
                "Integer> f = x -> x; class Stream { } g(f);" },
        { "g(\"import java\");", "class prog { | g(\"import java\");" },
        { "{ f(); }", "class prog { | f();" },
        { "{", "class prog { | {" },
        { "class A { int x; } new A();", "class prog { | class A { int x; } new A();" },
        { "class A { int f() { return 1; } } new A().f();",
                "class prog { | class A { int f() { return 1; } } new A().f();" },
        { "class A { } class B { } f();", "class prog { static class A { } static class B { } | f();" },
        { "int x = 1; // foo;\n x++;", "class prog { | int x = 1; // foo; x++;" },
        { "int f() { return 1;", NULL },
        { "public static void main(String[] a) { }",
                "class prog { public static void main(String[] a) { } }" },
        { "class prog { public static void main(String[] a) { } }",
                "class prog { public static void main(String[] a) { } }" },
        { "public class Main { public static void main(String[] args) { f(); } }",
                "public class Main { | f();" },
        { "static int[] f() { return new int[]{1, 2}; } g(f().length);",
                "class prog { static int[] f() { return new int[]{ 1, 2}; } | g(f().length);" },
        { "static <T> T id(T t) { return t; } g(id(3));",
                "class prog { static <T> T id(T t) { return t; } | g(id(3));" },
        { "<T> T id(T t) { return t; } g(id(3));",
                "class prog { static <T> T id(T t) { return t; } | g(id(3));" },
        { "static void f() throws Exception { throw new Exception(\"x\"); } try { f(); } catch (Exception "
          "e) { g(e); }",
                "class prog { static void f() throws Exception { throw new Exception(\"x\"); } | try { f(); "
                "} catch (Exception e) { g(e); }" },
        { "int x = 5; int f() { return x; } g(f());",
                "class prog { static int x = 5; static int f() { return x; } | g(f());" },
        { "record P(int x, int y) { } g(new P(1, 2));",
                "class prog { | record P(int x, int y) { } g(new P(1, 2));" },
        { "enum E { A, B } g(E.A);", "class prog { | enum E { A, B } g(E.A);" },
        { "interface I { int f(); } I i = () -> 3; g(i.f());",
                "class prog { | interface I { int f(); } I i = () -> 3; g(i.f());" },
        { "@SuppressWarnings(\"x\") static void f() { } f();",
                "class prog { @SuppressWarnings(\"x\") static void f() { } | f();" },
        { "@a.B({ \"x\", \"y\" }) @C public static int f() { return 1; } f();",
                "class prog { @a.B({ \"x\", \"y\" } ) @C public static int f() { return 1; } | f();" },
        { "@A(b = 1) static int n = 3; g(n);", "class prog { @A(b = 1) static int n = 3; | g(n);" },
        { "java.util.List<Integer> f() { return null; } g(f());",
                "class prog { static java.util.List<Integer> f() { return null; } | g(f());" },
        { "g(\"\"\"\n  a \"b\" }\n  \"\"\");", "class prog { | g(\"\"\" a \"b\" } \"\"\");" },
        { "int y = switch (x) { case 1 -> 2; default -> 3; }; g(y);",
                "class prog { | int y = switch (x) { case 1 -> 2; default -> 3; }; g(y);" },
        { "Runnable r = new Runnable() { public void run() { f(); } }; r.run();",
                "class prog { | Runnable r = new Runnable() { public void run() { f(); } }; r.run();" },
        { "List<int[]> a = new ArrayList<>(); g(a);",
                "class prog { | List<int[]> a = new ArrayList<>(); g(a);" },
        { "g()", "class prog { | g() ;" },
        { "outer: for (;;) { break outer; } f();", "class prog { | outer: for (;;) { break outer; } f();" },
        { "synchronized void f() { } synchronized (x) { f(); }",
                "class prog { static synchronized void f() { } | synchronized (x) { f(); }" },
        { "private static final int N = 3; g(N);", "class prog { private static final int N = 3; | g(N);" },
        { "static { f(); } g();", "class prog { static { f(); } | g();" },
        { "a >>> 2;", "class prog { | a >>> 2;" },
        { "char c = '\"'; g(c);", "class prog { | char c = '\"'; g(c);" },
        { "int[][] a = { { 1 } }; import static java.lang.Math.*; import b.*; g(a);",
                "import static java.lang.Math.*; import b.*; class prog { | int[][] a = { { 1 } }; g(a);" },
};

static const struct {
        const char *code, *file, *program;
} names[] = {
        { "f();", "", "" },
        { "public class Main { public static void main(String[] a) { } }", "Main", "Main" },
        { "class Foo { public static void main(String[] a) { } }", "", "Foo" },
        { "public class A { } class B { public static void main(String[] a) { } }", "A", "B" },
        { "public class A$x { public static void main(String[] a) { } }", "", "" },
};

#define MAIN "public static void main(String[] args)"
#define THROWS " throws Throwable"

static void complete(const char *input, const SnippetOptions *options, const char *program) {
        const SnippetStyle style = {
                .dialect = DIALECT_JAVA, .prelude = "import p;\n\n", .line_comments = true
        };
        _cleanup_(java_names_done) JavaNames class_names = {};
        _cleanup_text_ Text code = text_of(input), completed = {}, shape = {};

        int r = snippet_complete_java(&code, &style, options, &completed, &class_names);
        assert_int_equal(r, program ? SNIPPET_COMPLETE : SNIPPET_UNBALANCED);
        if (!program)
                return;
        const char *main = strstr(text_string(&completed), THROWS) ? MAIN THROWS " {" : MAIN " {";
        shape = program_shape(&completed, "import p; ", main, " } }");
        assert_text(input, &shape, program);
}

static void test_programs(_unused_ void **state) {
        const SnippetOptions none = {}, no_main = { .no_main = true }, no_headers = { .no_headers = true };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                complete(cases[i].code, &none, cases[i].program);
        complete("f();", &no_headers, "class prog { | f();");
        complete("class X { }", &no_main, "class X { }");
}

/* What may throw need not be caught, and other programs are as they were. */
static void test_throws(_unused_ void **state) {
        static const struct {
                const char *code;
                bool throws;
        } table[] = {
                { "Thread.sleep(1);", true },
                { "throw new Exception();", true },
                { "int c = new A().f();", true },
                { "g(a[0].b.f());", true },
                { "System.out.println(1); System.exit(2);", false },
                { "f(1); new A(); int x = a.b; // Thread.sleep(1)", false },
        };
        const SnippetStyle style = { .dialect = DIALECT_JAVA, .prelude = "", .line_comments = true };
        const SnippetOptions none = {};

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(java_names_done) JavaNames class_names = {};
                _cleanup_text_ Text code = text_of(table[i].code), program = {};

                assert_int_equal(snippet_complete_java(&code, &style, &none, &program, &class_names), 0);
                if (!strstr(text_string(&program), THROWS) == table[i].throws)
                        fail_msg("%s: %s", table[i].code, text_string(&program));
        }
}

static void test_names(_unused_ void **state) {
        const SnippetStyle style = { .dialect = DIALECT_JAVA, .prelude = "", .line_comments = true };
        const SnippetOptions none = {};

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(java_names_done) JavaNames got = {};
                _cleanup_text_ Text code = text_of(names[i].code), program = {};

                assert_int_equal(snippet_complete_java(&code, &style, &none, &program, &got), 0);
                assert_text(names[i].code, &got.file, names[i].file);
                assert_text(names[i].code, &got.program, names[i].program);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_programs),
                cmocka_unit_test(test_throws),
                cmocka_unit_test(test_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
