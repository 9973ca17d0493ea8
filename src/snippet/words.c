/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The words of C, C++ and Java that tell what a piece of a program is, GNU's spellings included. */

#include "snippet/token.h"

enum {
        C = 1 << DIALECT_C,
        X = 1 << DIALECT_CXX,
        J = 1 << DIALECT_JAVA,
};

#define T WORD_TYPE
#define TF (WORD_TYPE | WORD_FUNCTIONAL)
#define TP (WORD_TYPE | WORD_PARENS)
#define AP (WORD_ATTRIBUTE | WORD_PARENS)

/* Sorted by strcmp(), for the search by halves. */
static const struct {
        char name[20]; /* no pointer, which would be relocated at each start */
        uint8_t dialects;
        uint8_t word;
        uint16_t class;
} words[] = {
        { "_Alignas", C | X, WORD_OWN, TP },
        { "_Alignof", C | X, WORD_OWN, WORD_OPERATOR },
        { "_Atomic", C, WORD_OWN, TP },
        { "_BitInt", C, WORD_OWN, TP },
        { "_Bool", C, WORD_OWN, T },
        { "_Complex", C | X, WORD_OWN, T },
        { "_Decimal128", C, WORD_OWN, T },
        { "_Decimal32", C, WORD_OWN, T },
        { "_Decimal64", C, WORD_OWN, T },
        { "_Float128", C, WORD_OWN, T },
        { "_Float32", C, WORD_OWN, T },
        { "_Float64", C, WORD_OWN, T },
        { "_Generic", C, WORD_OWN, WORD_OPERATOR },
        { "_Imaginary", C, WORD_OWN, T },
        { "_Noreturn", C, WORD_OWN, T },
        { "_Static_assert", C | X, WORD_STATIC_ASSERT, 0 },
        { "_Thread_local", C, WORD_OWN, T },
        { "__alignof", C | X, WORD_OWN, WORD_OPERATOR },
        { "__alignof__", C | X, WORD_OWN, WORD_OPERATOR },
        { "__asm", C | X, WORD_OWN, WORD_ASM | WORD_PARENS },
        { "__asm__", C | X, WORD_OWN, WORD_ASM | WORD_PARENS },
        { "__attribute", C | X, WORD_OWN, AP },
        { "__attribute__", C | X, WORD_OWN, AP },
        { "__auto_type", C, WORD_OWN, T },
        { "__complex__", C | X, WORD_OWN, T },
        { "__const", C | X, WORD_OWN, T },
        { "__const__", C | X, WORD_OWN, T },
        { "__declspec", C | X, WORD_OWN, AP },
        { "__extension__", C | X, WORD_OWN, WORD_ATTRIBUTE },
        { "__float128", C | X, WORD_OWN, T },
        { "__imag__", C | X, WORD_OWN, WORD_OPERATOR },
        { "__inline", C | X, WORD_OWN, T },
        { "__inline__", C | X, WORD_OWN, T },
        { "__int128", C | X, WORD_OWN, T },
        { "__label__", C, WORD_OWN, T },
        { "__real__", C | X, WORD_OWN, WORD_OPERATOR },
        { "__restrict", C | X, WORD_OWN, T },
        { "__restrict__", C | X, WORD_OWN, T },
        { "__signed__", C | X, WORD_OWN, T },
        { "__thread", C | X, WORD_OWN, T },
        { "__typeof", C | X, WORD_OWN, TP },
        { "__typeof__", C | X, WORD_OWN, TP },
        { "__volatile", C | X, WORD_OWN, T },
        { "__volatile__", C | X, WORD_OWN, T },
        { "abstract", J, WORD_OWN, T },
        { "alignas", C | X, WORD_OWN, TP },
        { "alignof", C | X, WORD_OWN, WORD_OPERATOR },
        { "and", C, WORD_ISO646, WORD_OPERATOR },
        { "and", X, WORD_OWN, WORD_OPERATOR },
        { "and_eq", C, WORD_ISO646, WORD_OPERATOR },
        { "and_eq", X, WORD_OWN, WORD_OPERATOR },
        { "asm", C | X, WORD_OWN, WORD_ASM | WORD_PARENS },
        { "assert", J, WORD_OWN, WORD_CONTROL },
        { "auto", C | X, WORD_OWN, T },
        { "bitand", C, WORD_ISO646, WORD_OPERATOR },
        { "bitand", X, WORD_OWN, WORD_OPERATOR },
        { "bitor", C, WORD_ISO646, WORD_OPERATOR },
        { "bitor", X, WORD_OWN, WORD_OPERATOR },
        { "bool", C | X, WORD_OWN, TF },
        { "boolean", J, WORD_OWN, T },
        { "break", C | X | J, WORD_OWN, WORD_CONTROL },
        { "byte", J, WORD_OWN, T },
        { "case", C | X | J, WORD_CASE, WORD_CONTROL },
        { "catch", X | J, WORD_CATCH, WORD_CONTROL },
        { "char", C | X | J, WORD_OWN, TF },
        { "char16_t", X, WORD_OWN, TF },
        { "char32_t", X, WORD_OWN, TF },
        { "char8_t", X, WORD_OWN, TF },
        { "class", X | J, WORD_CLASS, T | WORD_TAG },
        { "co_await", X, WORD_OWN, WORD_OPERATOR },
        { "co_return", X, WORD_OWN, WORD_CONTROL },
        { "co_yield", X, WORD_OWN, WORD_OPERATOR },
        { "compl", C, WORD_ISO646, WORD_OPERATOR },
        { "compl", X, WORD_OWN, WORD_OPERATOR },
        { "complex", C, WORD_OWN, T },
        { "concept", X, WORD_CONCEPT, T },
        { "const", C | X, WORD_OWN, T },
        { "const_cast", X, WORD_OWN, WORD_OPERATOR },
        { "consteval", X, WORD_CONSTEXPR, T },
        { "constexpr", C | X, WORD_CONSTEXPR, T },
        { "constinit", X, WORD_OWN, T },
        { "continue", C | X | J, WORD_OWN, WORD_CONTROL },
        { "decltype", X, WORD_OWN, TP },
        { "default", C | X | J, WORD_DEFAULT, WORD_CONTROL },
        { "delete", X, WORD_OWN, WORD_OPERATOR },
        { "do", C | X | J, WORD_DO, WORD_CONTROL },
        { "double", C | X | J, WORD_OWN, TF },
        { "dynamic_cast", X, WORD_OWN, WORD_OPERATOR },
        { "else", C | X | J, WORD_ELSE, WORD_CONTROL },
        { "enum", C | X | J, WORD_ENUM, T | WORD_TAG },
        { "explicit", X, WORD_OWN, TP },
        { "extern", C | X, WORD_EXTERN, T },
        { "false", C | X | J, WORD_OWN, WORD_CONSTANT },
        { "final", J, WORD_OWN, T },
        { "finally", J, WORD_FINALLY, WORD_CONTROL },
        { "float", C | X | J, WORD_OWN, TF },
        { "for", C | X | J, WORD_FOR, WORD_CONTROL },
        { "friend", X, WORD_FRIEND, T },
        { "goto", C | X, WORD_OWN, WORD_CONTROL },
        { "if", C | X | J, WORD_IF, WORD_CONTROL },
        { "import", X | J, WORD_IMPORT, 0 },
        { "inline", C | X, WORD_INLINE, T },
        { "int", C | X | J, WORD_OWN, TF },
        { "interface", J, WORD_INTERFACE, T | WORD_TAG },
        { "long", C | X | J, WORD_OWN, TF },
        { "main", C | X | J, WORD_MAIN, 0 },
        { "mutable", X, WORD_OWN, T },
        { "namespace", X, WORD_NAMESPACE, 0 },
        { "native", J, WORD_OWN, T },
        { "new", X | J, WORD_NEW, WORD_OPERATOR },
        { "noexcept", X, WORD_OWN, WORD_OPERATOR | WORD_PARENS },
        { "noreturn", C, WORD_OWN, T },
        { "not", C, WORD_ISO646, WORD_OPERATOR },
        { "not", X, WORD_OWN, WORD_OPERATOR },
        { "not_eq", C, WORD_ISO646, WORD_OPERATOR },
        { "not_eq", X, WORD_OWN, WORD_OPERATOR },
        { "null", J, WORD_OWN, WORD_CONSTANT },
        { "nullptr", C | X, WORD_OWN, WORD_CONSTANT },
        { "operator", X, WORD_OPERATOR_FUNCTION, 0 },
        { "or", C, WORD_ISO646, WORD_OPERATOR },
        { "or", X, WORD_OWN, WORD_OPERATOR },
        { "or_eq", C, WORD_ISO646, WORD_OPERATOR },
        { "or_eq", X, WORD_OWN, WORD_OPERATOR },
        { "package", J, WORD_PACKAGE, 0 },
        { "private", J, WORD_PUBLIC, T },
        { "protected", J, WORD_PUBLIC, T },
        { "public", J, WORD_PUBLIC, T },
        { "record", J, WORD_RECORD, 0 },
        { "register", C | X, WORD_OWN, T },
        { "reinterpret_cast", X, WORD_OWN, WORD_OPERATOR },
        { "requires", X, WORD_REQUIRES, 0 },
        { "restrict", C, WORD_OWN, T },
        { "return", C | X | J, WORD_OWN, WORD_CONTROL },
        { "sealed", J, WORD_OWN, T },
        { "short", C | X | J, WORD_OWN, TF },
        { "signed", C | X, WORD_OWN, TF },
        { "sizeof", C | X, WORD_SIZEOF, WORD_OPERATOR },
        { "static", C | X | J, WORD_STATIC, T },
        { "static_assert", C | X, WORD_STATIC_ASSERT, 0 },
        { "static_cast", X, WORD_OWN, WORD_OPERATOR },
        { "strictfp", J, WORD_OWN, T },
        { "struct", C | X, WORD_STRUCT, T | WORD_TAG },
        { "super", J, WORD_OWN, WORD_CONSTANT },
        { "switch", C | X | J, WORD_SWITCH, WORD_CONTROL },
        { "synchronized", J, WORD_SYNCHRONIZED, WORD_CONTROL | T },
        { "template", X, WORD_TEMPLATE, T },
        { "this", X | J, WORD_OWN, WORD_CONSTANT },
        { "thread_local", C | X, WORD_OWN, T },
        { "throw", X, WORD_OWN, WORD_OPERATOR | WORD_PARENS },
        { "throw", J, WORD_OWN, WORD_CONTROL },
        { "throws", J, WORD_THROWS, 0 },
        { "transient", J, WORD_OWN, T },
        { "true", C | X | J, WORD_OWN, WORD_CONSTANT },
        { "try", X | J, WORD_TRY, WORD_CONTROL },
        { "typedef", C | X, WORD_TYPEDEF, T },
        { "typeid", X, WORD_OWN, WORD_OPERATOR },
        { "typename", X, WORD_OWN, TF },
        { "typeof", C | X, WORD_OWN, TP },
        { "union", C | X, WORD_STRUCT, T | WORD_TAG },
        { "unsigned", C | X, WORD_OWN, TF },
        { "using", C | X, WORD_USING, 0 },
        { "virtual", X, WORD_OWN, T },
        { "void", C | X | J, WORD_OWN, TF },
        { "volatile", C | X | J, WORD_OWN, T },
        { "wchar_t", X, WORD_OWN, TF },
        { "while", C | X | J, WORD_WHILE, WORD_CONTROL },
        { "xor", C, WORD_ISO646, WORD_OPERATOR },
        { "xor", X, WORD_OWN, WORD_OPERATOR },
        { "xor_eq", C, WORD_ISO646, WORD_OPERATOR },
        { "xor_eq", X, WORD_OWN, WORD_OPERATOR },
        { "yield", J, WORD_OWN, WORD_CONTROL },
};

static int compare(const char *data, size_t size, const char *name) {
        size_t n = strlen(name);
        int r = memcmp(data, name, MIN(size, n));

        return r != 0 ? r : (size > n) - (size < n);
}

Word word_find(const char *data, size_t size, Dialect dialect, uint16_t *ret_class) {
        size_t low = 0, high = ELEMENTSOF(words);

        *ret_class = 0;
        while (low < high) {
                size_t middle = (low + high) / 2;
                if (compare(data, size, words[middle].name) > 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        for (; low < ELEMENTSOF(words) && compare(data, size, words[low].name) == 0; low++)
                if (words[low].dialects & (1 << dialect)) {
                        *ret_class = words[low].class;
                        return words[low].word;
                }
        return WORD_NONE;
}
