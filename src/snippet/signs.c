/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The signs of the languages, and the names of directives. */

#include "snippet/token.h"

/* Longest first for each first character. */
static const struct {
        char text[5]; /* no pointer, which would be relocated at each start */
        uint8_t sign;
        bool only_c; /* not in Java */
} signs[] = {
        { "{", SIGN_BRACE_OPEN, false },
        { "}", SIGN_BRACE_CLOSE, false },
        { "(", SIGN_PAREN_OPEN, false },
        { ")", SIGN_PAREN_CLOSE, false },
        { "[", SIGN_BRACKET_OPEN, false },
        { "]", SIGN_BRACKET_CLOSE, false },
        { ";", SIGN_SEMICOLON, false },
        { ",", SIGN_COMMA, false },
        { "::", SIGN_SCOPE, false },
        { ":>", SIGN_BRACKET_CLOSE, true },
        { ":", SIGN_COLON, false },
        { "...", SIGN_ELLIPSIS, false },
        { ".*", SIGN_OPERATOR, true },
        { ".", SIGN_DOT, false },
        { "->*", SIGN_OPERATOR, true },
        { "->", SIGN_ARROW, false },
        { "--", SIGN_OPERATOR, false },
        { "-=", SIGN_OPERATOR, false },
        { "?\?=", SIGN_OPERATOR, true },
        { "?\?(", SIGN_BRACKET_OPEN, true },
        { "?\?)", SIGN_BRACKET_CLOSE, true },
        { "?\?<", SIGN_BRACE_OPEN, true },
        { "?\?>", SIGN_BRACE_CLOSE, true },
        { "?\?-", SIGN_TILDE, true },
        { "?\?'", SIGN_OPERATOR, true },
        { "?\?!", SIGN_OPERATOR, true },
        { "?", SIGN_QUESTION, false },
        { "==", SIGN_OPERATOR, false },
        { "=", SIGN_ASSIGN, false },
        { "*=", SIGN_OPERATOR, false },
        { "*", SIGN_STAR, false },
        { "&&", SIGN_AND_AND, false },
        { "&=", SIGN_OPERATOR, false },
        { "&", SIGN_AND, false },
        { "||", SIGN_OR_OR, false },
        { "|=", SIGN_OPERATOR, false },
        { "<<=", SIGN_OPERATOR, false },
        { "<<", SIGN_OPERATOR, false },
        { "<=>", SIGN_OPERATOR, true },
        { "<=", SIGN_OPERATOR, false },
        { "<:", SIGN_BRACKET_OPEN, true },
        { "<%", SIGN_BRACE_OPEN, true },
        { "<", SIGN_LESS, false },
        { ">>>=", SIGN_OPERATOR, false },
        { ">>>", SIGN_SHIFT_RIGHT_UNSIGNED, false },
        { ">>=", SIGN_OPERATOR, false },
        { ">>", SIGN_SHIFT_RIGHT, false },
        { ">=", SIGN_OPERATOR, false },
        { ">", SIGN_GREATER, false },
        { "%:%:", SIGN_OPERATOR, true },
        { "%:", SIGN_OPERATOR, true },
        { "%>", SIGN_BRACE_CLOSE, true },
        { "%=", SIGN_OPERATOR, false },
        { "%", SIGN_OPERATOR, false },
        { "##", SIGN_OPERATOR, true },
        { "#", SIGN_OPERATOR, true },
        { "~", SIGN_TILDE, false },
        { "@", SIGN_AT, false },
        { "++", SIGN_OPERATOR, false },
        { "+=", SIGN_OPERATOR, false },
        { "+", SIGN_OPERATOR, false },
        { "-", SIGN_OPERATOR, false },
        { "!=", SIGN_OPERATOR, false },
        { "!", SIGN_OPERATOR, false },
        { "/=", SIGN_OPERATOR, false },
        { "/", SIGN_OPERATOR, false },
        { "^=", SIGN_OPERATOR, false },
        { "^", SIGN_OPERATOR, false },
        { "|", SIGN_OPERATOR, false },
};

static const struct {
        char name[16];
        uint8_t directive;
} directives[] = {
        { "if", DIRECTIVE_IF },
        { "ifdef", DIRECTIVE_IF },
        { "ifndef", DIRECTIVE_IF },
        { "elif", DIRECTIVE_ELSE },
        { "elifdef", DIRECTIVE_ELSE },
        { "elifndef", DIRECTIVE_ELSE },
        { "else", DIRECTIVE_ELSE },
        { "endif", DIRECTIVE_ENDIF },
        { "define", DIRECTIVE_DEFINE },
        { "undef", DIRECTIVE_UNDEF },
        { "include", DIRECTIVE_INCLUDE },
        { "include_next", DIRECTIVE_INCLUDE },
        { "import", DIRECTIVE_INCLUDE },
        { "error", DIRECTIVE_OTHER },
        { "warning", DIRECTIVE_OTHER },
        { "pragma", DIRECTIVE_OTHER },
        { "line", DIRECTIVE_OTHER },
};

static bool begins(const char *data, size_t size, const char *string) {
        size_t n = strlen(string);

        return size >= n && memcmp(data, string, n) == 0;
}

Sign sign_find(const char *data, size_t size, Dialect dialect, size_t *ret_length) {
        for (size_t k = 0; k < ELEMENTSOF(signs); k++) {
                if (!begins(data, size, signs[k].text) || (signs[k].only_c && dialect == DIALECT_JAVA))
                        continue;
                *ret_length = strlen(signs[k].text);
                /* vector<::name> */
                if (begins(data, size, "<::") && !begins(data, size, "<:::") &&
                        !begins(data, size, "<::>")) {
                        *ret_length = 1;
                        return SIGN_LESS;
                }
                return signs[k].sign;
        }
        return SIGN_NONE;
}

bool directive_name_find(const char *data, size_t size, Directive *ret) {
        *ret = DIRECTIVE_OTHER;
        for (size_t k = 0; k < ELEMENTSOF(directives); k++)
                if (strlen(directives[k].name) == size && begins(data, size, directives[k].name)) {
                        *ret = directives[k].directive;
                        return true;
                }
        return false;
}
