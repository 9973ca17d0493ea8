/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tokens are written as their kind's letter and their text: w word, n number, s string, c character, p sign,
 * d directive, o other; with ! if unterminated. */

#include "test-snippet.h"

static const struct {
        Dialect dialect;
        const char *code, *tokens;
} cases[] = {
        { DIALECT_C, "int x=5;", "w:int w:x p:= n:5 p:;" },
        { DIALECT_C, "0x1Fu 1.5e+3f .5 1'000'000 0b1 1..2 1e",
                "n:0x1Fu n:1.5e+3f n:.5 n:1'000'000 n:0b1 n:1..2 n:1e" },
        { DIALECT_C, "'a' '\\'' '\"' L'x' u8\"y\" U\"z\"",
                "c:'a' c:'\\'' c:'\"' c:L'x' s:u8\"y\" s:U\"z\"" },
        { DIALECT_C, "\"a\\\"b\" \"c\\\\\" \"//\" \"/*\"", "s:\"a\\\"b\" s:\"c\\\\\" s:\"//\" s:\"/*\"" },
        { DIALECT_C, "\"a\"PRId64", "s:\"a\" w:PRId64" },
        { DIALECT_CXX, "\"a\"_s 'b'_c 12_km \"x\"s", "s:\"a\"_s c:'b'_c n:12_km s:\"x\"s" },
        { DIALECT_CXX, "R\"(a\"b;)\" LR\"x(a)\"\n)x\" y", "s:R\"(a\"b;)\" s:LR\"x(a)\"\n)x\" w:y" },
        { DIALECT_CXX, "R\"(never", "s!:R\"(never" },
        { DIALECT_CXX, "R\"0123456789abcdefg(x)0123456789abcdefg\"",
                "s:R\"0123456789abcdefg(x)0123456789abcdefg\"" },
        { DIALECT_C, "R\"(a)\"", "w:R s:\"(a)\"" },
        { DIALECT_C, "a /* ; ' */ b // \" c\nd", "w:a w:b w:d" },
        { DIALECT_C, "a // b \\\nc\nd", "w:a w:d" },
        { DIALECT_C, "a /* never", "w:a" },
        { DIALECT_C, "\"never\nx", "s!:\"never w:x" },
        { DIALECT_C, "don't\nx", "w:don c!:'t w:x" },
        { DIALECT_C, "\"a\\\nb\" c", "s:\"a\\\nb\" w:c" },
        { DIALECT_C, "ma\\\nin x?\?/\ny", "w:ma\\\nin w:x?\?/\ny" },
        { DIALECT_C, "a<:0:> <% %> ?\?< ?\?> ?\?( ?\?)",
                "w:a p:<: n:0 p::> p:<% p:%> p:?\?< p:?\?> p:?\?( p:?\?)" },
        { DIALECT_CXX, "v<::x> v<:::y", "w:v p:< p::: w:x p:> w:v p:<: p::: w:y" },
        { DIALECT_C, "a>>=b<<c->d...e", "w:a p:>>= w:b p:<< w:c p:-> w:d p:... w:e" },
        { DIALECT_C, "#define A \\\n 1\nx", "d:#define A \\\n 1 w:x" },
        { DIALECT_C, "#define A \"/*\" // x\ny", "d:#define A \"/*\" // x w:y" },
        { DIALECT_C, "#define A /* a\nb */ c\ny", "d:#define A /* a\nb */ c w:y" },
        { DIALECT_C, "#include <a.h> int x; #include \"b.h\" y",
                "d:#include <a.h> w:int w:x p:; d:#include \"b.h\" w:y" },
        { DIALECT_C, "x; #define A 1", "w:x p:; d!:#define A 1" },
        { DIALECT_C, "%:if 1\n?\?=endif\n#\nx", "d:%:if 1 d:?\?=endif d:# w:x" },
        { DIALECT_C, "#if 0 // no\nit's {\n#if 1\nb\n#else\n#endif\n #else\nc\n#endif",
                "d:#if 0 // no d:#else w:c d!:#endif" },
        { DIALECT_C, "#if 0\n\n#endif\na", "d:#if 0 d:#endif w:a" },
        { DIALECT_C, "#if 0 + 1\na\n#endif", "d:#if 0 + 1 w:a d!:#endif" },
        { DIALECT_C, "#if 0\na", "d:#if 0 w:a" },
        { DIALECT_C, "#ifdef A\nit's {\n #elif B // b\nb\n#else\ndon't and can't { /* c */\n#endif\nd",
                "d:#ifdef A d:#elif B // b w:b d:#else d:#endif w:d" },
        { DIALECT_CXX, "#ifdef A\na\n#ifdef B\n\"b {\n#else\nit's\n#endif\nc\n#endif",
                "d:#ifdef A w:a d:#ifdef B d:#else d:#endif w:c d!:#endif" },
        { DIALECT_C, "#ifdef A\n#if B\nb's\n#endif\nit's {\n#endif\nx", "d:#ifdef A d:#endif w:x" },
        { DIALECT_C, "#ifdef A\nreturn'a'; L'a' '{'\n#endif",
                "d:#ifdef A w:return c:'a' p:; c:L'a' c:'{' d!:#endif" },
        { DIALECT_C, "#ifdef A\nint f() {\n#endif\nx", "d:#ifdef A d:#endif w:x" },
        { DIALECT_C, "#ifdef A\nf {\n#else\nf;\n#endif\nx", "d:#ifdef A d:#else w:f p:; d:#endif w:x" },
        { DIALECT_C, "{\n#ifdef A\n}\n#endif\n}", "p:{ d:#ifdef A d:#endif p:}" },
        { DIALECT_C, "#ifdef A\n(\n#endif\n#ifdef A\n)\n#endif",
                "d:#ifdef A p:( d:#endif d:#ifdef A p:) d!:#endif" },
        { DIALECT_C, "#if A\n{\n#else\nb\n#endif\n#if A\n}\n#endif",
                "d:#if A p:{ d:#else w:b d:#endif d:#if A p:} d!:#endif" },
        { DIALECT_C, "#if A\na {\n#elif B\nb {\n#else\nc {\n#endif\n}",
                "d:#if A w:a p:{ d:#elif B w:b p:{ d:#else w:c p:{ d:#endif p:}" },
        { DIALECT_C, "#ifdef A\nit's {", "d:#ifdef A w:it c!:'s {" },
        { DIALECT_C, "a#b", "w:a p:# w:b" },
        { DIALECT_C, "a #include <b> c", "w:a d:#include <b> w:c" },
        { DIALECT_JAVA, "\"\"\"\n a \"b\" \\\"\"\" c\"\"\" d", "s:\"\"\"\n a \"b\" \\\"\"\" c\"\"\" w:d" },
        { DIALECT_JAVA, "a>>>b # '\\u0041'", "w:a p:>>> w:b o:# c:'\\u0041'" },
        { DIALECT_C, "\xc3\xa9 \xe2\x80\x9c x\xc2\xa0y \xff $a @ `",
                "w:\xc3\xa9 o:\xe2\x80\x9c w:x w:y o:\xff w:$a p:@ o:`" },
        { DIALECT_C, "", "" },
};

static void test_tokens(_unused_ void **state) {
        static const char letters[] = {
                [TOKEN_WORD] = 'w',
                [TOKEN_NUMBER] = 'n',
                [TOKEN_STRING] = 's',
                [TOKEN_CHARACTER] = 'c',
                [TOKEN_SIGN] = 'p',
                [TOKEN_DIRECTIVE] = 'd',
                [TOKEN_OTHER] = 'o',
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_source_ Source source = {};
                _cleanup_text_ Text text = {};

                assert_int_equal(
                        source_read(cases[i].code, strlen(cases[i].code), cases[i].dialect, true, &source),
                        0);
                for (size_t k = 0; k < source.n_tokens; k++) {
                        const Token *token = &source.tokens[k];
                        text_append_printf(&text, "%s%c%s:", k > 0 ? " " : "", letters[token->kind],
                                token->unterminated ? "!" : "");
                        text_append(&text, source.data + token->begin, token->end - token->begin);
                }
                assert_text(cases[i].code, &text, cases[i].tokens);
                assert_int_equal(source.tokens[source.n_tokens].kind, TOKEN_END);
        }
}

/* In C89 // before a * divides. */
static void test_line_comments(_unused_ void **state) {
        static const char code[] = "a //* b */ c\nd // e\n";
        _cleanup_source_ Source c89 = {}, c99 = {};

        assert_int_equal(source_read(code, strlen(code), DIALECT_C, false, &c89), 0);
        assert_int_equal(c89.n_tokens, 4);
        assert_int_equal(source_read(code, strlen(code), DIALECT_C, true, &c99), 0);
        assert_int_equal(c99.n_tokens, 2);
}

static void test_words(_unused_ void **state) {
        static const struct {
                const char *word;
                Dialect dialect;
                Word found;
        } words[] = {
                { "if", DIALECT_C, WORD_IF },
                { "template", DIALECT_CXX, WORD_TEMPLATE },
                { "template", DIALECT_C, WORD_NONE },
                { "throws", DIALECT_JAVA, WORD_THROWS },
                { "throws", DIALECT_CXX, WORD_NONE },
                { "_Alignas", DIALECT_C, WORD_OWN },
                { "yield", DIALECT_JAVA, WORD_OWN },
                { "i", DIALECT_C, WORD_NONE },
                { "iffy", DIALECT_C, WORD_NONE },
        };
        uint16_t class;

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                assert_int_equal(word_find(words[i].word, strlen(words[i].word), words[i].dialect, &class),
                        words[i].found);
        assert_int_equal(word_find("throw", 5, DIALECT_JAVA, &class), WORD_OWN);
        assert_true(class & WORD_CONTROL);
        assert_int_equal(word_find("throw", 5, DIALECT_CXX, &class), WORD_OWN);
        assert_true(class & WORD_OPERATOR);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_tokens),
                cmocka_unit_test(test_line_comments),
                cmocka_unit_test(test_words),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
