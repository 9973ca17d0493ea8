/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tokens of C, C++ and Java, with their places in the source. Every byte of a source lies in a token, in
 * a comment or in white space; what is no token of the language is one of kind TOKEN_OTHER. */

#include "common/text.h"

typedef enum Dialect {
        DIALECT_C,
        DIALECT_CXX,
        DIALECT_JAVA,
} Dialect;

typedef enum TokenKind {
        TOKEN_END, /* behind the last one, always there */
        TOKEN_WORD,
        TOKEN_NUMBER,
        TOKEN_STRING, /* with its prefix and suffix; text blocks too */
        TOKEN_CHARACTER,
        TOKEN_SIGN,
        TOKEN_DIRECTIVE, /* a whole logical line, without its newline; an include ends with its header */
        TOKEN_OTHER,
} TokenKind;

/* What the later stages tell apart. All other signs are SIGN_OPERATOR. */
typedef enum Sign {
        SIGN_NONE,
        SIGN_BRACE_OPEN,
        SIGN_BRACE_CLOSE,
        SIGN_PAREN_OPEN,
        SIGN_PAREN_CLOSE,
        SIGN_BRACKET_OPEN,
        SIGN_BRACKET_CLOSE,
        SIGN_LESS,
        SIGN_GREATER,
        SIGN_SHIFT_RIGHT, /* or two > of templates */
        SIGN_SHIFT_RIGHT_UNSIGNED,
        SIGN_SEMICOLON,
        SIGN_COMMA,
        SIGN_COLON,
        SIGN_SCOPE,
        SIGN_DOT,
        SIGN_ELLIPSIS,
        SIGN_ARROW,
        SIGN_QUESTION,
        SIGN_ASSIGN,
        SIGN_STAR,
        SIGN_AND,
        SIGN_AND_AND,
        SIGN_OR_OR,
        SIGN_TILDE,
        SIGN_AT,
        SIGN_OPERATOR,
} Sign;

typedef enum Directive {
        DIRECTIVE_OTHER,
        DIRECTIVE_IF,
        DIRECTIVE_ELSE,
        DIRECTIVE_ENDIF,
        DIRECTIVE_DEFINE,
        DIRECTIVE_UNDEF,
        DIRECTIVE_INCLUDE,
} Directive;

/* What a word of the language says about the piece that it stands in. */
enum {
        WORD_TYPE = 1 << 0,      /* belongs to a declaration's specifiers */
        WORD_TAG = 1 << 1,       /* struct, class, ...: a name and a body may follow */
        WORD_CONTROL = 1 << 2,   /* begins a statement that is no expression */
        WORD_OPERATOR = 1 << 3,  /* an operator of expressions */
        WORD_CONSTANT = 1 << 4,  /* true, this, ... */
        WORD_PARENS = 1 << 5,    /* the parentheses behind it are its own, no function's parameters */
        WORD_ATTRIBUTE = 1 << 6, /* may stand before, in and behind what it is said of */
        WORD_ASM = 1 << 7,
        WORD_FUNCTIONAL = 1 << 8, /* a type that a value can be made of: int(3) */
};

/* The words that the reader knows by name. */
typedef enum Word {
        WORD_NONE,
        WORD_OWN, /* of the language, with no number of its own */
        WORD_CASE,
        WORD_CATCH,
        WORD_CLASS,
        WORD_CONCEPT,
        WORD_CONSTEXPR,
        WORD_DEFAULT,
        WORD_DO,
        WORD_ELSE,
        WORD_ENUM,
        WORD_EXTERN,
        WORD_FINALLY,
        WORD_FOR,
        WORD_FRIEND,
        WORD_IF,
        WORD_IMPORT,
        WORD_INLINE,
        WORD_INTERFACE,
        WORD_ISO646, /* a macro of iso646.h, which a program may have for a name */
        WORD_MAIN,
        WORD_NAMESPACE,
        WORD_NEW,
        WORD_OPERATOR_FUNCTION,
        WORD_PACKAGE,
        WORD_PUBLIC, /* or another that says who may use it */
        WORD_RECORD,
        WORD_REQUIRES,
        WORD_SIZEOF,
        WORD_STATIC,
        WORD_STATIC_ASSERT,
        WORD_STRUCT,
        WORD_SWITCH,
        WORD_SYNCHRONIZED,
        WORD_TEMPLATE,
        WORD_THROWS,
        WORD_TRY,
        WORD_TYPEDEF,
        WORD_USING,
        WORD_WHILE,
} Word;

typedef struct Token {
        uint32_t begin, end; /* bytes in the source */
        uint8_t kind;
        uint8_t sign;          /* a Sign; of a directive: a Directive */
        uint8_t word;          /* a Word */
        bool line_start : 1;   /* nothing but white space and comments stands before it in its line */
        bool unterminated : 1; /* a literal without its end; a directive whose line no newline ends */
        uint16_t class;        /* WORD_... */
} Token;

typedef struct Comment {
        uint32_t begin, end;
        bool line;
} Comment;

typedef struct Source {
        const char *data; /* not owned */
        size_t size;
        Dialect dialect;
        Token *tokens;
        size_t n_tokens; /* without the one at the end */
        size_t allocated_tokens;
        Comment *comments;
        size_t n_comments, allocated_comments;
} Source;

/* Reads all tokens, in time in proportion to the size; any bytes may come. line_comments: // begins a
 * comment also before a * (in C89 it does not). data must outlive the source. 0, -ENOMEM, or -E2BIG from 1
 * GiB on. */
int source_read(const char *data, size_t size, Dialect dialect, bool line_comments, Source *ret);
void source_done(Source *source);
#define _cleanup_source_ _cleanup_(source_done)

/* The token's bytes are those of the string. */
bool token_is(const Source *source, const Token *token, const char *string);
static inline bool token_is_sign(const Token *token, Sign sign) {
        return token->kind == TOKEN_SIGN && token->sign == sign;
}
/* Of brackets that a bracket closes, whatever stands before them: ( [ {. */
static inline bool token_opens(const Token *token) {
        return token_is_sign(token, SIGN_PAREN_OPEN) || token_is_sign(token, SIGN_BRACKET_OPEN) ||
               token_is_sign(token, SIGN_BRACE_OPEN);
}
static inline bool token_closes(const Token *token) {
        return token_is_sign(token, SIGN_PAREN_CLOSE) || token_is_sign(token, SIGN_BRACKET_CLOSE) ||
               token_is_sign(token, SIGN_BRACE_CLOSE);
}

/* What a language says of a word: a Word, and its classes (see above); WORD_NONE for all other words. */
Word word_find(const char *data, size_t size, Dialect dialect, uint16_t *ret_class);

/* The longest sign that the data begins with, and its length; SIGN_NONE: it begins with none. */
Sign sign_find(const char *data, size_t size, Dialect dialect, size_t *ret_length);
/* What a directive of that name is: DIRECTIVE_OTHER and false where none is known by it. */
bool directive_name_find(const char *data, size_t size, Directive *ret);

/* The length of the white space at data[i] (Unicode's, and an escaped newline), 0 if there is none. */
size_t space_length(const char *data, size_t size, size_t i);
