/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of snippets of C and C++: what stands at the top level, then behind a | what is in main().
 * White space does not count here; the recorded requests (test-examples, tests/compat) have it. */

#include "test-snippet.h"

typedef struct Case {
        const char *code, *program; /* NULL: error: unmatched brackets */
} Case;

static const Case c_cases[] = {
        { "int x = 5; x", "| int x = 5; print_last_statement(x);" },
        { "puts(\"hi\")", "| puts(\"hi\") ;" },
        { "int f(int a) { return a*2; } f(21)",
                "int f(int a) { return a*2; } | print_last_statement(f(21));" },
        { "int f(int x) { return x; }; f(3)", "int f(int x) { return x; } | print_last_statement(f(3));" },
        { "puts(\"a\"); int f(void) { return 1; } f()",
                "int f(void) { return 1; } | puts(\"a\"); print_last_statement(f());" },
        { "int x = 3; int f(void) { return x; } f()",
                "int x = 3; int f(void) { return x; } | print_last_statement(f());" },
        { "int main() { return 0; } int g;", "int main() { return 0; } int g;" },
        { "int (main)(void) { return 0; }", "int (main)(void) { return 0; }" },
        { "main() { puts(\"x\"); }", "main() { puts(\"x\"); }" },
        { "main(argc, argv) char **argv; { return 0; }", "main(argc, argv) char **argv; { return 0; }" },
        { "f(){return 3;}main(){return f();}", "f(){return 3; } main(){return f(); }" },
        { "#define MAIN int main(void)\nMAIN { return 0; }",
                "#define MAIN int main(void) MAIN { return 0; }" },
        { "#include <stdio.h> int x; x",
                "#include <stdio.h> #include <prelude.h> | int x; print_last_statement(x);" },
        { "#define N 5\nN", "#define N 5 | print_last_statement(N);" },
        { "#define N 5", "| #define N 5 ;" },
        { "int x; #define Y 2", "| int x; #define Y 2 ;" },
        { "\"#include\"", "| print_last_statement(\"#include\");" },
        { "{ int x = 1; x }", "| int x = 1; print_last_statement(x);" },
        { "{ int x = 1; x; }", "| int x = 1; x;" },
        { "{ printf(\"a\"); } { printf(\"b\"); }", "| { printf(\"a\"); } { printf(\"b\"); }" },
        { "}; x", "} | print_last_statement(x);" },
        { ";;;", "| ;" },
        { "", "|" },
        { "while ((x = f())) { g(); } h()", "| while ((x = f())) { g(); } print_last_statement(h());" },
        { "if (0) a(); else if (b) { c; } int f() { } d",
                "int f() { } | if (0) a(); else if (b) { c; } print_last_statement(d);" },
        { "int f(a) int a; { return a; } f(1)",
                "int f(a) int a; { return a; } | print_last_statement(f(1));" },
        { "int f(a, b) int a; char *b; { return a; } f(1, 0)",
                "int f(a, b) int a; char *b; { return a; } | print_last_statement(f(1, 0));" },
        { "/* c */ int f(void) { return 1; } f()",
                "/* c */ int f(void) { return 1; } | print_last_statement(f());" },
        { "// c\nint f(void) { return 1; } f()",
                "// c int f(void) { return 1; } | print_last_statement(f());" },
        { "int f(void /* { */) // {\n{ return '/*'; /* } */ } f()",
                "int f(void /* { */) // { { return '/*'; /* } */ } | print_last_statement(f());" },
        { "x /* ; */ // }", "| print_last_statement(x); /* ; */ // }" },
        { "int f(void) {", NULL },
        { "int f() { puts(\"{\"); return 1; } f()",
                "int f() { puts(\"{\"); return 1; } | print_last_statement(f());" },
        { "int f(void) <% return 1; %> f()", "int f(void) { return 1; } | print_last_statement(f());" },
        { "int f(void) ?\?< return 1; ?\?> f()", "int f(void) { return 1; } | print_last_statement(f());" },
        { "puts(\"a|nb\");", "| puts(\"a|nb\");" },
        { "int a[] = {1, 2, 3}", "| int a[] = {1, 2, 3} ;" },
        { "struct S { int a; }", "| struct S { int a; } ;" },
        { "struct S { int a; } f(int x) { struct S s = { x }; return s; } f(3).a",
                "struct S { int a; } f(int x) { struct S s = { x }; return s; } | "
                "print_last_statement(f(3).a);" },
        { "[[nodiscard]] int f(int x) { return x; } f(3)",
                "[[nodiscard]] int f(int x) { return x; } | print_last_statement(f(3));" },
        { "__attribute__((noinline)) int f(int x) { return x; } f(3)",
                "__attribute__((noinline)) int f(int x) { return x; } | print_last_statement(f(3));" },
        { "int __attribute__((noinline)) f(int x) { return x; } f(3)",
                "int __attribute__((noinline)) f(int x) { return x; } | print_last_statement(f(3));" },
        { "int f(int) __asm__(\"g\"); f(1)", "| int f(int) __asm__(\"g\"); print_last_statement(f(1));" },
        { "int (*f(void))(int) { return 0; } f()",
                "int (*f(void))(int) { return 0; } | print_last_statement(f());" },
        { "int s = 0; for (int i = 0; i < 4; i++) { s += i; } s * 10",
                "| int s = 0; for (int i = 0; i < 4; i++) { s += i; } print_last_statement(s * 10);" },
        { "switch (x) { case 1: puts(\"one\"); break; case 2: if (x > 1) { puts(\"two\"); } break; }",
                "| switch (x) { case 1: puts(\"one\"); break; case 2: if (x > 1) { puts(\"two\"); } break; "
                "}" },
        { "do x++; while (x < 3); x", "| do x++; while (x < 3); print_last_statement(x);" },
        { "do { x++; } while (x < 3); x", "| do { x++; } while (x < 3); print_last_statement(x);" },
        { "if (a) if (b) c; else d; else e; 7",
                "| if (a) if (b) c; else d; else e; print_last_statement(7);" },
        { "#ifdef A\nint x = 1;\n#else\nint x = 2;\n#endif\nx",
                "| #ifdef A int x = 1; #else int x = 2; #endif print_last_statement(x);" },
        { "#ifdef A\nint f(void) { return 1; }\n#else\nint f(void) { return 2; }\n#endif\nf()",
                "#ifdef A int f(void) { return 1; } #else int f(void) { return 2; } #endif | "
                "print_last_statement(f());" },
        { "#ifdef A\nint f(void) { return 1; }\nputs(\"a\");\n#endif\n3",
                "#ifdef A int f(void) { return 1; } #endif | #ifdef A puts(\"a\"); #endif "
                "print_last_statement(3);" },
        { "#if 0\nit's\n#else\nint f(void) { return 2; }\n#endif\nint main(void) { return f(); }",
                "#if 0 it's #else int f(void) { return 2; } #endif int main(void) { return f(); }" },
        { "int main(void) { return 1; }\n#ifndef ONE\nint main(void) { return 2; }\n#endif\n",
                "int main(void) { return 1; } #ifndef ONE int main(void) { return 2; } #endif" },
        { "#if A\nint f(int a) {\n#else\nint f(void) {\n#endif\nreturn 1; }\nint g; g",
                "#if A int f(int a) { #else int f(void) { #endif return 1; } | int g; "
                "print_last_statement(g);" },
        { "__asm__(\"three: mov $3, %eax; ret\"); int three(void); three();",
                "__asm__(\"three: mov $3, %eax; ret\"); | int three(void); print_last_statement(three());" },
        { "__asm__(\"nop\");", "| __asm__(\"nop\");" },
        { "(struct { int a; }){5}.a", "| print_last_statement((struct { int a; }){5}.a);" },
        { "sizeof(struct { char a; int b; })",
                "| print_last_statement(sizeof(struct { char a; int b; }));" },
        { "({ int x = 5; x; })", "| print_last_statement(({ int x = 5; x; }));" },
        { "sum((int[]){1, 2, 3}, 3)", "| print_last_statement(sum((int[]){1, 2, 3}, 3));" },
        { "'{' + 1", "| print_last_statement('{' + 1);" },
        { "strlen(\"what is it for\")", "| print_last_statement(strlen(\"what is it for\"));" },
        { "x = 5", "| x = 5 ;" },
        { "x=5", "| x=5 ;" },
        { "a[i] = 5", "| a[i] = 5 ;" },
        { "x == 5", "| print_last_statement(x == 5);" },
        { "goto end; end: ;", "| goto end; end: ;" },
        { "goto x; x: 1", "| goto x; x: print_last_statement(1);" },
        { "foo bar baz", "| foo bar baz ;" },
        { "T *p = q; p", "| T *p = q; print_last_statement(p);" },
        { "a * b", "| print_last_statement(a * b);" },
        { "size_t n = 3; n", "| size_t n = 3; print_last_statement(n);" },
        { "#define F(x) do { puts(x); } while (0)\nF(\"a\");",
                "#define F(x) do { puts(x); } while (0) | F(\"a\");" },
        { "#define FOR(i, n) for (int i = 0; i < n; i++)\nFOR(i, 3) { puts(\"x\"); } 5",
                "#define FOR(i, n) for (int i = 0; i < n; i++) | FOR(i, 3) { puts(\"x\"); } "
                "print_last_statement(5);" },
        { "int print(int x) { return x; } print(3)",
                "int print(int x) { return x; } | print_last_statement(print(3));" },
        { "int (*print)(int) = f; print(3)", "| int (*print)(int) = f; print_last_statement(print(3));" },
        { "enum { print, watch = 3 }; watch", "| enum { print, watch = 3 }; print_last_statement(watch);" },
        { "print(3)", "| print(3) ;" },
        { "int n = rand(); int f(void) { return n; } f()",
                "int n; int f(void) { return n; } | n = rand(); print_last_statement(f());" },
        { "extern int n; int f(void) { return n; } int n = 6; f()",
                "extern int n; int f(void) { return n; } int n = 6; | print_last_statement(f());" },
        { "int (*p)(int x); int f(void) { return !p; } int (*p)(int x) = 0; int x = 2; f()",
                "int (*p)(int x); int f(void) { return !p; } int (*p)(int x) = 0; | int x = 2; "
                "print_last_statement(f());" },
        { "extern int a[3], n; int b = rand(), c; int a[3] = { 1 }; n",
                "extern int a[3], n; int a[3] = { 1 }; | int b = rand(), c; print_last_statement(n);" },
        { "int n = rand(), c; int f(void) { return n; } f()",
                "int n = rand(), c; int f(void) { return n; } | print_last_statement(f());" },
        { "int x; x++; int n __attribute__((aligned(8))) = 2; int f(void) { return n; } f()",
                "int x; int n __attribute__((aligned(8))) = 2; int f(void) { return n; } | x++; "
                "print_last_statement(f());" },
        { "struct { int a; } s; struct { int a; } t; int x[N]; int f(int a) { return N; } int y[N]; f(1)",
                "struct { int a; } s; struct { int a; } t; int x[N]; int f(int a) { return N; } | int y[N]; "
                "print_last_statement(f(1));" },
        { "char *s = malloc(3); int f(char *p) { return 1; } f(s)",
                "int f(char *p) { return 1; } | char *s = malloc(3); print_last_statement(f(s));" },
        { "1'000 + 1", "| print_last_statement(1'000 + 1);" },
        { "int x\\\n= 5; x", "| int x\\ = 5; print_last_statement(x);" },
        { "ma\\\nin() { }", "ma\\ in() { }" },
        { "return 5", "| return 5 ;" },
        { "#pragma pack(1)\nstruct S { char c; int i; };\nint f(void) { return sizeof(struct S); }\nf()",
                "#pragma pack(1) struct S { char c; int i; }; int f(void) { return sizeof(struct S); } | "
                "print_last_statement(f());" },
        { "x // c\n", "| print_last_statement(x); // c" },
        { "typedef int T; T f(T x) { return x; } f(1)",
                "typedef int T; T f(T x) { return x; } | print_last_statement(f(1));" },
        { "int f(int); int x = f(1); int f(int a) { return a; } x",
                "int f(int); int f(int a) { return a; } | int x = f(1); print_last_statement(x);" },
        { "extern int write(int, void *, int); int main(void) { write(1, \"w\", 1); return 0; }",
                "extern int write(int, void *, int); int main(void) { write(1, \"w\", 1); return 0; }" },
        { "extern int printf(const char *, ...); extern void abort(void); int main() { printf(\"a\"); "
          "abort(); }",
                "extern int printf(const char *, ...); extern void abort(void); int main() { printf(\"a\"); "
                "abort(); }" },
        { "typedef enum { false, true } bool; int main(void) { bool b = true; return b; }",
                "typedef enum { false, true } bool; int main(void) { bool b = true; return b; }" },
        { "int time(int x) { return x; } int main(void) { printf(\"%d\", time(3)); }",
                "#define time __pbotvm_hidden_time #include <prelude.h> #undef time int time(int x) { "
                "return x; } int main(void) { printf(\"%d\", time(3)); }" },
        { "struct tm t = { .tm_year = 1 }; t.tm_year",
                "| struct tm t = { .tm_year = 1 }; print_last_statement(t.tm_year);" },
        { "struct tm { int x; }; struct tm t = { 3 }; t.x",
                "| struct tm { int x; }; struct tm t = { 3 }; print_last_statement(t.x);" },
        { "int time(int x) { return x; } time(3)",
                "#define time __pbotvm_hidden_time #include <prelude.h> #undef time int time(int x) { "
                "return x; } | print_last_statement(time(3));" },
        { "int pow(int a, int b) { return a + b; } pow(3, 4)",
                "#define pow(a, b) __pbotvm_hidden_pow(a, b) #include <prelude.h> #undef pow int pow(int a, "
                "int b) { return a + b; } | print_last_statement(pow(3, 4));" },
        { "float cosf(float x) { return x; } double log(double x) { return x; } cosf(1)",
                "#pragma GCC diagnostic push #pragma GCC diagnostic ignored \"-Wcpp\" #define cosf(a) "
                "__pbotvm_hidden_cosf(a) #define log(a) __pbotvm_hidden_log(a) #include <prelude.h> #undef "
                "cosf #undef log #pragma GCC diagnostic pop float cosf(float x) { return x; } double "
                "log(double x) { return x; } | print_last_statement(cosf(1));" },
        { "int and(int a, int b) { return a & b; } and(3, 5)",
                "#define and __pbotvm_hidden_and #include <prelude.h> #undef and int and(int a, int b) { "
                "return a & b; } | print_last_statement(and(3, 5));" },
        { "#define X(n) int f##n(void) { return n; }\nX(9) X(8)\nf9() + f8()",
                "#define X(n) int f##n(void) { return n; } X(9) X(8) | print_last_statement(f9() + f8());" },
        { "#define X(t) t max_##t(t a, t b) { return a > b ? a : b; }\nint x = 1; X(int); max_int(x, 2)",
                "#define X(t) t max_##t(t a, t b) { return a > b ? a : b; } int x = 1; X(int); | "
                "print_last_statement(max_int(x, 2));" },
        { "#define X(n) for (int i = 0; i < n; i++) { y += i; }\nint y = 0; X(3) y",
                "#define X(n) for (int i = 0; i < n; i++) { y += i; } | int y = 0; X(3) y ;" },
        { "int main(void) { int time = 3; return time; }", "int main(void) { int time = 3; return time; }" },
        { "int8_t y = 7; __asm__(\"two: mov $2, %eax; ret\"); int two(void); y",
                "__asm__(\"two: mov $2, %eax; ret\"); | int8_t y = 7; int two(void); "
                "print_last_statement(y);" },
        { "#if 0\nit's dead {\n#endif\n#ifdef A // a\n/* b */\n#endif\n5",
                "#if 0 it's dead { #endif #ifdef A // a /* b */ #endif | print_last_statement(5);" },
        { "#ifdef A\nint g() {\n#endif\nint8_t y = 4; y",
                "#ifdef A int g() { #endif | int8_t y = 4; print_last_statement(y);" },
        { "#ifdef A\nint g() {\n#else\nint g(void);\n#endif\nint8_t y = 4; y",
                "| #ifdef A int g() { #else int g(void); #endif int8_t y = 4; print_last_statement(y);" },
        { "int main(void) {\n#ifdef A\n} // B\n#endif\nreturn 1; }",
                "int main(void) { #ifdef A } // B #endif return 1; }" },
};

static const Case cxx_cases[] = {
        { "vector<vector<int>> dump{}; int f() { return dump.size(); } f()",
                "vector<vector<int>> dump{}; int f() { return dump.size(); } | print_last_statement(f());" },
        { "int f() { return a > dump(3); } f()", "int f() { return a > dump(3); } | f() ;" },
        { "vector<int> f() { return {1, 2, 3}; } f()",
                "vector<int> f() { return {1, 2, 3}; } | print_last_statement(f());" },
        { "std::string hi() { return \"hello\"; } hi()",
                "std::string hi() { return \"hello\"; } | print_last_statement(hi());" },
        { "auto f() -> int { return 5; } f()",
                "auto f() -> int { return 5; } | print_last_statement(f());" },
        { "template<class T> T twice(T a) { return a * 2; } twice(3)",
                "template<class T> T twice(T a) { return a * 2; } | print_last_statement(twice(3));" },
        { "struct A { int x; }; A operator+(A a, A b) { return {a.x + b.x}; } int main() { A a{1}, b{2}; "
          "cout << (a + b).x; }",
                "struct A { int x; }; A operator+(A a, A b) { return {a.x + b.x}; } int main() { A a{1}, "
                "b{2}; cout << (a + b).x; }" },
        { "namespace N { int f() { return 1; } } N::f()",
                "namespace N { int f() { return 1; } } | print_last_statement(N::f());" },
        { "vector<int> print() { return { 1 }; } print().size()",
                "vector<int> print() { return { 1 }; } | print_last_statement(print().size());" },
        { "struct A { friend int f(A) { return 1; } }; f(A{})",
                "struct A { friend int f(A) { return 1; } }; | print_last_statement(f(A{}));" },
        { "struct A { static int n; template<class T> T f(T t) { return t; } }; int A::n = 1; A().f(2)",
                "struct A { static int n; template<class T> T f(T t) { return t; } }; int A::n = 1; | "
                "print_last_statement(A().f(2));" },
        { "struct A { int f() { static int n; return n++; } }; A().f()",
                "| struct A { int f() { static int n; return n++; } }; print_last_statement(A().f());" },
        { "extern \"C\" { int f(void); } 1", "extern \"C\" { int f(void); } | print_last_statement(1);" },
        { "extern \"C\" int f() { return 1; } f()",
                "extern \"C\" int f() { return 1; } | print_last_statement(f());" },
        { "cout << R\"(he said \"x; y\")\";", "| print_last_statement(cout << R\"(he said \"x; y\")\");" },
        { "not false", "| print_last_statement(not false);" },
        { "auto f = [](int a) { return a; }; f(2)",
                "| auto f = [](int a) { return a; }; print_last_statement(f(2));" },
        { "[](int x) { int y = x; return y; }(3)",
                "| print_last_statement([](int x) { int y = x; return y; }(3));" },
        { "struct A { int x; bool operator<(const A &o) const { return x < o.x; } }; A{1} < A{2}",
                "| struct A { int x; bool operator<(const A &o) const { return x < o.x; } }; "
                "print_last_statement(A{1} < A{2});" },
        { "std::vector<int>{1,2,3}.size();", "| print_last_statement(std::vector<int>{1,2,3}.size());" },
        { "nullptr;", "| print_last_statement(nullptr);" },
        { "int(3)", "| print_last_statement(int(3));" },
        { "int{3} + 1", "| print_last_statement(int{3} + 1);" },
        { "double(x) / 2", "| print_last_statement(double(x) / 2);" },
        { "new int(3)", "| print_last_statement(new int(3));" },
        { "long operator\"\"_k(unsigned long long x) { return x * 1000; } 2_k",
                "long operator\"\"_k(unsigned long long x) { return x * 1000; } | "
                "print_last_statement(2_k);" },
        { "struct A { A(int); int x; }; A::A(int v) : x(v) { } A(3).x",
                "struct A { A(int); int x; }; A::A(int v) : x(v) { } | print_last_statement(A(3).x);" },
        { "struct A { static int n; }; int A::n = 5; A::n",
                "struct A { static int n; }; int A::n = 5; | print_last_statement(A::n);" },
        { "template<class T> requires (sizeof(T) > 1) T f(T a) { return a; } f(3)",
                "template<class T> requires (sizeof(T) > 1) T f(T a) { return a; } | "
                "print_last_statement(f(3));" },
        { "template<class T> concept C = requires(T a) { a + 1; }; template<C T> T f(T a) { return a; } "
          "f(3)",
                "template<class T> concept C = requires(T a) { a + 1; }; template<C T> T f(T a) { return a; "
                "} | print_last_statement(f(3));" },
        { "template<class T> T f(T a) requires requires(T b) { b + 1; } { return a; } f(3)",
                "template<class T> T f(T a) requires requires(T b) { b + 1; } { return a; } | "
                "print_last_statement(f(3));" },
        { "int f() noexcept(true) { return 1; } f()",
                "int f() noexcept(true) { return 1; } | print_last_statement(f());" },
        { "int f() noexcept { return 1; } f()",
                "int f() noexcept { return 1; } | print_last_statement(f());" },
        { "void f() try { g(); } catch (...) { } f()",
                "void f() try { g(); } catch (...) { } | print_last_statement(f());" },
        { "template<class T> struct A { T x; }; template<> struct A<int> { int y; }; A<int>{3}.y",
                "template<class T> struct A { T x; }; template<> struct A<int> { int y; }; | "
                "print_last_statement(A<int>{3}.y);" },
        { "using V = vector<int>; V f() { return {}; } f()",
                "using V = vector<int>; V f() { return {}; } | print_last_statement(f());" },
        { "using namespace std; cout << 1;", "using namespace std; | print_last_statement(cout << 1);" },
        { "map<int, vector<int>> m; m.size()",
                "| map<int, vector<int>> m; print_last_statement(m.size());" },
        { "a < b && c > d", "| print_last_statement(a < b && c > d);" },
        { "a < b", "| print_last_statement(a < b);" },
        { "int i = 1, j = 3, k = 0; i < j > k",
                "| int i = 1, j = 3, k = 0; print_last_statement(i < j > k);" },
        { "const int N = 3; A<N> b; b", "| const int N = 3; A<N> b; print_last_statement(b);" },
        { "if (int x = 3; x > 2) { puts(\"a\"); } 5",
                "| if (int x = 3; x > 2) { puts(\"a\"); } print_last_statement(5);" },
        { "for (auto i : v) cout << i;", "| for (auto i : v) cout << i;" },
        { "try { f(); } catch (int) { puts(\"x\"); } 5",
                "| try { f(); } catch (int) { puts(\"x\"); } print_last_statement(5);" },
        { "auto print = [](int x) { return x * 2; }; print(21)",
                "| auto print = [](int x) { return x * 2; }; print_last_statement(print(21));" },
        { "enum class E { A, dump }; int(E::dump)",
                "| enum class E { A, dump }; print_last_statement(int(E::dump));" },
        { "print(21)", "| print(21) ;" },
        { "enum class E { A, B }; int f(E e) { return (int)e; } f(E::B)",
                "enum class E { A, B }; int f(E e) { return (int)e; } | print_last_statement(f(E::B));" },
        { "const auto &[a, b] = p; a", "| const auto &[a, b] = p; print_last_statement(a);" },
        { "auto [a, b] = make_pair(1, 2); a", "| auto [a, b] = make_pair(1, 2); print_last_statement(a);" },
        { "int i = 3; int &f() { return i; } f()",
                "int i = 3; int &f() { return i; } | print_last_statement(f());" },
        { "class A { public: int x; }; A a; a.x",
                "| class A { public: int x; }; A a; print_last_statement(a.x);" },
        { "A a(3); a.x", "| A a(3); print_last_statement(a.x);" },
        { "throw 5", "| print_last_statement(throw 5);" },
        { "delete p;", "| print_last_statement(delete p);" },
        { "thread t([&] { n = 7; }); t.join(); n",
                "| thread t([&] { n = 7; }); t.join(); print_last_statement(n);" },
        { "constexpr int N = 3; template<int M> int f() { return M; } f<N>()",
                "constexpr int N = 3; template<int M> int f() { return M; } | "
                "print_last_statement(f<N>());" },
        { "int n; cin >> n; auto f = [&] { return n; }; f()",
                "| int n; cin >> n; auto f = [&] { return n; }; print_last_statement(f());" },
        { "operator_x(1)", "| print_last_statement(operator_x(1));" },
        { "bool operator==(const A &a, const B &b) { return true; } 1",
                "bool operator==(const A &a, const B &b) { return true; } | print_last_statement(1);" },
        { "struct A { operator int() const { return 3; } }; int(A{})",
                "| struct A { operator int() const { return 3; } }; print_last_statement(int(A{}));" },
        { "void *operator new(size_t n) { return malloc(n); } 1",
                "void *operator new(size_t n) { return malloc(n); } | print_last_statement(1);" },
        { "template<class T, class U> struct is_same { static const int v = 1; }; cout << is_same<int, "
          "int>::v;",
                "#define __PBOTVM_NO_NAMESPACE_STD #include <prelude.h> using std::cout; template<class T, "
                "class U> struct is_same { static const int v = 1; }; | print_last_statement(cout << "
                "is_same<int, int>::v);" },
        { "int time = 4; int f() { return time; } f()",
                "#define __PBOTVM_NO_NAMESPACE_STD enum time {}; #define time(...) "
                "__pbotvm_hidden_time(__VA_ARGS__) #include <prelude.h> #undef time #pragma GCC visibility "
                "push(hidden) int time = 4; int f() { return time; } | print_last_statement(f());" },
        { "vector<int> log; struct exit { int x; }; int f() { return log.size(); } f()",
                "#define __PBOTVM_NO_NAMESPACE_STD #pragma GCC diagnostic push #pragma GCC diagnostic "
                "ignored \"-Wcpp\" struct exit; namespace std { void exit(int) __asm__(\"exit\"); } #define "
                "exit(...) __pbotvm_hidden_exit(__VA_ARGS__) enum log {}; namespace std { double "
                "log(double) "
                "__asm__(\"log\"); } #define log(...) __pbotvm_hidden_log(__VA_ARGS__) #include <prelude.h> "
                "using std::vector; #undef exit #undef log #pragma GCC diagnostic pop #pragma GCC "
                "visibility push(hidden) vector<int> log; struct exit { int x; }; int f() { return "
                "log.size(); } | print_last_statement(f());" },
        { "void pause() { } int strlen(const char *s) { return 3; } strlen(\"\")",
                "#define __PBOTVM_NO_NAMESPACE_STD #ifdef __PBOTVM_OWN_FUNCTIONS #define pause "
                "__pbotvm_hidden_pause enum strlen {}; namespace std { unsigned long strlen(const char *) "
                "__asm__(\"strlen\"); } #define strlen(...) __pbotvm_hidden_strlen(__VA_ARGS__) #endif "
                "#include <prelude.h> #undef pause #undef strlen void pause() { } int strlen(const char *s) "
                "{ return 3; } | print_last_statement(strlen(\"\"));" },
        { "int time(int x) { return x; } time(4)",
                "#define __PBOTVM_NO_NAMESPACE_STD #ifdef __PBOTVM_OWN_FUNCTIONS enum time {}; #define "
                "time(...) __pbotvm_hidden_time(__VA_ARGS__) #endif #include <prelude.h> #undef time int "
                "time(int x) { return x; } | print_last_statement(time(4));" },
        { "static int time(int x) { return x; } time(4)",
                "#define __PBOTVM_NO_NAMESPACE_STD enum time {}; #define time(...) "
                "__pbotvm_hidden_time(__VA_ARGS__) #include <prelude.h> #undef time static int time(int x) "
                "{ return x; } | print_last_statement(time(4));" },
        { "int index, y1; int f() { return index + y1; } f()",
                "#define y1 __pbotvm_hidden_y1 #define index __pbotvm_hidden_index #include <prelude.h> "
                "#undef y1 #undef index #pragma GCC visibility push(hidden) int index, y1; int f() { return "
                "index + y1; } | "
                "print_last_statement(f());" },
        { "int ldiv; int f() { return ldiv; } f()",
                "#define __PBOTVM_NO_NAMESPACE_STD #include <prelude.h> int ldiv; int f() { return ldiv; } "
                "| print_last_statement(f());" },
        { "std::vector<std::vector<int>> hash{ { 1 } }; int f() { return hash.size(); } f()",
                "#define __PBOTVM_NO_NAMESPACE_STD #include <prelude.h> std::vector<std::vector<int>> hash{ "
                "{ 1 } }; int f() { return hash.size(); } | print_last_statement(f());" },
        { "template<class T> T&& declval(); int main() { decltype(declval<int>()) x = 1; return x; }",
                "template<class T> T&& declval(); int main() { decltype(declval<int>()) x = 1; return x; "
                "}" },
        { "static inline const int k = 3; constinit int n = k; int m = n; m",
                "static inline const int k = 3; constinit int n = k; | int m = n; "
                "print_last_statement(m);" },
        { "int a = 5, b = 4; a < b or a > b", "| int a = 5, b = 4; print_last_statement(a < b or a > b);" },
        { "const string s = \"x\"; static map<string, int> m; typedef vector<int> V; s",
                "| const string s = \"x\"; static map<string, int> m; typedef vector<int> V; "
                "print_last_statement(s);" },
        { "template<class T> string f(T x) { return x; } const string &g = f(\"a\"); g",
                "template<class T> string f(T x) { return x; } | const string &g = "
                "f(\"a\"); print_last_statement(g);" },
        { "int operator\"\" h(unsigned long long n) { return n; } int x = 3h; x",
                "#define __PBOTVM_NO_NAMESPACE_STD #include <prelude.h> int operator\"\" h(unsigned long "
                "long "
                "n) { return n; } | int x = 3h; print_last_statement(x);" },
        { "class list { }; int main() { list l; vector<int> v; cout << v.size() << endl; }",
                "#define __PBOTVM_NO_NAMESPACE_STD #include <prelude.h> using std::cout; using std::endl; "
                "using std::vector; class list { }; int main() { list l; vector<int> v; cout << v.size() << "
                "endl; }" },
        { "template<class T> struct vector { T x; }; int main() { vector<int> v; return v.x; }",
                "template<class T> struct vector { T x; }; int main() { vector<int> v; return v.x; }" },
        { "int main() { vector<int> v; cout << v.size(); }",
                "int main() { vector<int> v; cout << v.size(); }" },
        { "void *operator new(unsigned long n, void *p) { return p; } int main() { return 0; }",
                "void *operator new(unsigned long n, void *p) { return p; } int main() { return 0; }" },
        { "template<class T> struct tuple { T value; }; int main() { tuple<int> t; cout << t.value; }",
                "#define __PBOTVM_NO_NAMESPACE_STD #include <prelude.h> using std::cout; template<class T> "
                "struct tuple { T value; }; int main() { tuple<int> t; cout << t.value; }" },
        { "using namespace std; template<class T> struct tuple { }; int value() { return 1; } int main() { "
          "tuple<chrono::seconds> t; return value() + param_type; }",
                "#define __PBOTVM_NO_NAMESPACE_STD #include <prelude.h> using namespace std; template<class "
                "T> struct tuple { }; int value() { return 1; } int main() { tuple<chrono::seconds> t; "
                "return value() + param_type; }" },
        { "using true_type = int; int main() { true_type t = true; cout << t; }",
                "#define __PBOTVM_NO_NAMESPACE_STD #include <prelude.h> using std::cout; using true_type = "
                "int; int main() { true_type t = true; cout << t; }" },
        { "std::function<int(int)> f = [=](int v) { return v; }; std::vector<int> g() { return { 1 }; } "
          "f(1)",
                "std::vector<int> g() { return { 1 }; } | std::function<int(int)> f = [=](int v) { return "
                "v; "
                "}; print_last_statement(f(1));" },
        { "decltype(1){f(4)}", "| print_last_statement(decltype(1){f(4)});" },
        { "decltype(a) b = 3; b", "| decltype(a) b = 3; print_last_statement(b);" },
};

static SnippetStyle style_of(Dialect dialect) {
        return (SnippetStyle){
                .dialect = dialect,
                .prelude = "#include <prelude.h>\n\n",
                .force_prelude = true,
                .wrap_last_statement = true,
                .line_comments = true,
        };
}

static void complete(const char *input, const SnippetStyle *style, const SnippetOptions *options,
        const char *program, bool warned) {
        _cleanup_text_ Text code = text_of(input), completed = {}, shape = {};
        bool unterminated = false;

        int r = snippet_complete_c(&code, style, options, &completed, &unterminated);
        if (!program) {
                assert_int_equal(r, SNIPPET_UNBALANCED);
                return;
        }
        assert_int_equal(r, SNIPPET_COMPLETE);
        shape = program_shape(
                &completed, "#include <prelude.h> ", "int main(int argc, char *argv[]) {", " return 0; }");
        assert_text(input, &shape, program);
        assert_int_equal(unterminated, warned);
}

static void test_c(_unused_ void **state) {
        const SnippetStyle style = style_of(DIALECT_C);
        const SnippetOptions none = {};

        for (size_t i = 0; i < ELEMENTSOF(c_cases); i++)
                complete(c_cases[i].code, &style, &none, c_cases[i].program,
                        c_cases[i].program && strstr(c_cases[i].code, "#define") &&
                                !strchr(c_cases[i].code, '\n'));
}

static void test_cxx(_unused_ void **state) {
        const SnippetStyle style = style_of(DIALECT_CXX);
        const SnippetOptions none = {};

        for (size_t i = 0; i < ELEMENTSOF(cxx_cases); i++)
                complete(cxx_cases[i].code, &style, &none, cxx_cases[i].program, false);
}

/* Complete programs, and whether they get the headers that some of their names clash with. */
static const struct {
        const char *code;
        bool headers;
} clash_cases[] = {
        { "template<class... T> struct tuple; template<class T> struct tuple<T> { T t; }; int main() { "
          "tuple<int> t; }",
                false },
        { "struct tuple; int main() { tuple *t = nullptr; }", true },
        { "namespace std { typedef decltype(sizeof(0)) size_t; template<typename T, T... I> struct "
          "integer_sequence { }; } int main() { std::size_t n = 0; }",
                false },
        { "struct A { }; namespace std { template<> struct hash<A> { int operator()(A) const { return 1; } "
          "}; } int main() { return std::hash<A>()(A()); }",
                true },
        { "namespace std { struct mine { struct vector { }; }; } int main() { std::mine m; }", true },
        { "struct A { friend void swap(A &, A &) { } }; class B { A a; template<class T> friend auto swap(T "
          "&x, T &y) -> decltype(swap(x.a, y.a)) { } }; int main() { B x, y; swap(x, y); }",
                false },
        { "struct A { template<class T> friend void swap(T &x, T &y) { } }; int main() { vector<A> a; }",
                true },
        { "struct A { friend void swap(A &, A &) { } }; int main() { A x, y; swap(x, y); }", true },
};

static void test_clashes(_unused_ void **state) {
        const SnippetStyle style = style_of(DIALECT_CXX);
        const SnippetOptions none = {};

        for (size_t i = 0; i < ELEMENTSOF(clash_cases); i++) {
                _cleanup_text_ Text code = text_of(clash_cases[i].code), completed = {};
                bool unterminated;

                int r = snippet_complete_c(&code, &style, &none, &completed, &unterminated);
                assert_int_equal(r, SNIPPET_COMPLETE);
                if (!strstr(text_string(&completed), "prelude.h") == clash_cases[i].headers)
                        fail_msg("%s became %s", clash_cases[i].code, text_string(&completed));
        }
}

static void test_options(_unused_ void **state) {
        const SnippetStyle style = style_of(DIALECT_C);
        const SnippetOptions no_main = { .no_main = true }, no_headers = { .no_headers = true };
        SnippetOptions include = { .includes = text_of("#include <a> #include <b> ") };

        complete("int f() { } int x;", &style, &no_main, "int f() { } int x;", false);
        complete("int x;", &style, &no_main, "int x;", false);
        complete("5", &style, &no_headers, "| 5 ;", false);
        complete("#include <a>\n5", &style, &no_headers, "#include <a> | 5 ;", false);
        complete("5", &style, &include,
                "#include <a> #include <b> #include <prelude.h> | print_last_statement(5);", false);
        snippet_options_done(&include);
}

static void test_styles(_unused_ void **state) {
        const SnippetStyle tendra = { .prelude = "#define print_last_statement(s) s\n\n",
                .line_comments = true };
        const SnippetStyle c89 = { .prelude = "" };
        const SnippetOptions none = {};

        complete(
                "int x = 1; x", &tendra, &none, "#define print_last_statement(s) s | int x = 1; x ;", false);
        complete("#include <a>\nx", &tendra, &none, "#include <a> | x ;", false);
        complete("int a = 6 //* b *//* c */ 2;", &c89, &none, "| int a = 6 //* b *//* c */ 2;", false);
        complete("// f() {\nx", &c89, &none, "| // f() { x ;", false);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_c),
                cmocka_unit_test(test_cxx),
                cmocka_unit_test(test_clashes),
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_styles),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
