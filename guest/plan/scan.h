/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tokens of C and C++, as far as one has to know them to tell code from what stands in literals and
 * comments. Any bytes are accepted; a literal that is not closed ends with its line, a comment or raw string
 * with the text. */

#include "common/macro.h"

typedef enum TokenKind {
        TOKEN_END,
        TOKEN_WORD,
        TOKEN_NUMBER,
        TOKEN_STRING,    /* with its prefix; raw ones too */
        TOKEN_CHARACTER, /* likewise */
        TOKEN_HASH,      /* begins a directive */
        TOKEN_OTHER,     /* one character of punctuation, or "->" or "::" */
} TokenKind;

typedef struct Token {
        TokenKind kind;
        const char *data;
        size_t size;
        bool first; /* of its line */
} Token;

typedef struct Scanner {
        const char *p, *end;
        bool within_line; /* a token of this line was there */
} Scanner;

/* The next token, in time linear in its length; TOKEN_END behind the last one, again and again. */
Token scan(Scanner *scanner);

bool token_is(const Token *token, const char *text);
