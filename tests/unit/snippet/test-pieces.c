/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pieces are written as the letters of their kinds; an upper-case letter belongs to the top level alone. */

#include "snippet/pieces.h"
#include "test-snippet.h"

static const struct {
        Dialect dialect;
        const char *code, *pieces;
} cases[] = {
        { DIALECT_C, "int x; x; ;", "d e ;" },
        { DIALECT_C, "#include <a>\nint f(void) { } struct S { int a; }; struct S s;", "# F t d" },
        { DIALECT_C, "typedef struct { int a; } T; enum { A }; union U { int a; } u;", "t t d" },
        { DIALECT_C, "if (a) b; else { c; } for (;;) { } while (a) b; do { } while (a); switch (a) { }",
                "s s s s s" },
        { DIALECT_C, "if (a) do b; while (c); else d; e", "s e" },
        { DIALECT_C, "a: b; case 1 ? 2 : 3: default: c;", "l e l l e" },
        { DIALECT_C, "{ a; } } (b); ]", "b x e e" },
        { DIALECT_C, "int f(a) int a; { } int g(a) int b, c; int main(void) { }", "F d F" },
        { DIALECT_C, "__asm__(\"x: .long 1\"); __asm__ volatile (\"nop\"); asm(\".globl f\");", "A a A" },
        { DIALECT_C, "int a[] = { 1, 2 }, *p = a; int (*f)(int); T (*g)(int); T *q = p; g (*q);",
                "d d d d e" },
        { DIALECT_C, "#if A\nint f(void) {\n#else\nint f(int x) {\n#endif\n} f()", "# F e" },
        { DIALECT_C, "#if A\n}\n#else\n}\n#endif\n{ } a", "# x # x # b e" },
        { DIALECT_C, "_Static_assert(1, \"\"); return 1; goto a; break;", "d s s s" },
        { DIALECT_C, "int f [[nodiscard]] (int v) { } int g __attribute__((noinline)) (void) { }", "F F" },
        { DIALECT_CXX, "R (A::*p)() = &A::f; R (N::A<int>::*q)(int); g(x * y)(3); g(A::x)(3);", "d d e e" },
        { DIALECT_CXX,
                "template<class T> T f(T a) { } template<> struct A<int> { }; namespace N { } using N::f;",
                "F T N u" },
        { DIALECT_CXX, "A operator+(A a, A b) { } A::operator int() { } A::~A() { } A::A() : x(1), y{2} { }",
                "F F F F" },
        { DIALECT_CXX, "auto f() -> vector<int> { } auto g = [](int x) { return x; }; [] { f(); }();",
                "F d e" },
        { DIALECT_CXX, "A a{1}; A{1} < A{2}; a.b<c>(d); a < b > c; int A::x = 5;", "d e e d D" },
        { DIALECT_CXX, "try { } catch (...) { } void f() try { } catch (int) { } 5", "s F e" },
        { DIALECT_CXX, "extern \"C\" { } extern \"C\" int f(); inline namespace N { } namespace M = N;",
                "N D N N" },
        { DIALECT_CXX, "new int(3); delete p; throw 1; not a; sizeof a; this->x;", "e e e e e e" },
        { DIALECT_JAVA,
                "import a.b; static int[] f() { } class A { } int[] a = {1}; a[0] = 2; new A() { }.f();",
                "u F t d e e" },
        { DIALECT_JAVA, "record P(int x) { } sealed interface I permits A { } enum E { A } @interface B { }",
                "t t t t" },
        { DIALECT_JAVA, "@A static int x = 1; @A(b = 1) @c.D T y = f(); @A(\"}\") class C { } x",
                "d d t e" },
        { DIALECT_CXX, "[[gnu::unused]] T x = 1; [] { }(); x", "d e e" },
        { DIALECT_JAVA, "static { } List<Map<A, B>> x; <T> void f() throws E { } var y = 1;", "F d F d" },
};

static char letter(const Piece *piece) {
        static const char letters[] = {
                [PIECE_DIRECTIVE] = '#',
                [PIECE_USING] = 'u',
                [PIECE_FUNCTION] = 'f',
                [PIECE_TYPE] = 't',
                [PIECE_NAMESPACE] = 'n',
                [PIECE_DECLARATION] = 'd',
                [PIECE_ASM] = 'a',
                [PIECE_EXPRESSION] = 'e',
                [PIECE_STATEMENT] = 's',
                [PIECE_LABEL] = 'l',
                [PIECE_BLOCK] = 'b',
                [PIECE_EMPTY] = ';',
                [PIECE_STRAY] = 'x',
                [PIECE_UNKNOWN] = '?',
        };
        char c = letters[piece->kind];
        return piece->file_only ? (char)(c - 'a' + 'A') : c;
}

static void test_pieces(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_source_ Source source = {};
                _cleanup_pieces_ Pieces pieces = {};
                _cleanup_text_ Text text = {};
                uint32_t behind = 0;

                assert_int_equal(
                        source_read(cases[i].code, strlen(cases[i].code), cases[i].dialect, true, &source),
                        0);
                assert_int_equal(pieces_read(&source, &pieces), 0);
                for (size_t k = 0; k < pieces.n; k++) {
                        /* Each token is in one piece. */
                        assert_int_equal(pieces.list[k].first, behind);
                        assert_true(pieces.list[k].end > behind);
                        behind = pieces.list[k].end;
                        if (k > 0)
                                text_append_char(&text, ' ');
                        text_append_char(&text, letter(&pieces.list[k]));
                }
                assert_int_equal(behind, source.n_tokens);
                assert_text(cases[i].code, &text, cases[i].pieces);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_pieces) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
