/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a program or snippet consists of at its top level, in order. The reader knows no types and looks into
 * no header: it tells a piece by its shape, and what has no shape that it knows is PIECE_UNKNOWN. */

#include "snippet/token.h"

#define NO_TOKEN UINT32_MAX

typedef enum PieceKind {
        PIECE_DIRECTIVE,
        PIECE_USING,       /* using ...; import ...; package ...; */
        PIECE_FUNCTION,    /* with its body */
        PIECE_TYPE,        /* a definition of a type, and of nothing else; typedef */
        PIECE_NAMESPACE,   /* also extern "C" { } */
        PIECE_DECLARATION, /* of variables and functions, static_assert() */
        PIECE_ASM,
        PIECE_EXPRESSION,
        PIECE_STATEMENT,
        PIECE_LABEL, /* without its statement */
        PIECE_BLOCK,
        PIECE_EMPTY, /* ; */
        PIECE_STRAY, /* a bracket that closes nothing */
        PIECE_UNKNOWN,
} PieceKind;

typedef struct Piece {
        uint32_t first, end; /* its tokens; end is behind the last one */
        uint32_t name;       /* the token that names a function or a type of Java, else NO_TOKEN */
        uint8_t kind;
        bool file_only : 1; /* the language takes it at the top level alone: templates, namespaces ... */
        bool main : 1;      /* a function main() */
        bool ended : 1;     /* by its ; or brace: none need be supplied */
        bool unclosed : 1;  /* the brace of a function's body is never closed */
        bool assigned : 1;  /* a declaration with an initializer */
} Piece;

/* The brackets of a source by tokens: of each ( [ { the one that closes it and the other way round, of each
 * < that may begin a list of template arguments its > (of >> the outermost), of each #if its #endif.
 * NO_TOKEN where there is none. Each branch of a conditional begins with the brackets that were open at its
 * #if. */
typedef struct Brackets {
        uint32_t *pair;
        bool conditionals; /* there are some */
} Brackets;
void brackets_done(Brackets *brackets);
/* 0 or -ENOMEM. */
int brackets_match(const Source *source, Brackets *ret);

/* A macro that the source defines, by its shape. */
typedef enum MacroShape {
        MACRO_OTHER,
        MACRO_STATEMENT, /* do, if, for ..., or a block */
        MACRO_TYPE,      /* begins as a declaration does */
        MACRO_MAIN,      /* defines main() */
        MACRO_FUNCTION,  /* defines another function, with its body */
} MacroShape;
typedef struct Macro {
        uint32_t begin, end; /* of its name in the source */
        uint8_t shape;
} Macro;

typedef struct Pieces {
        const Source *source; /* not owned */
        Brackets brackets;
        Macro *macros; /* sorted by name */
        size_t n_macros;
        Piece *list;
        size_t n, allocated;
} Pieces;
/* Reads all pieces of the source, in time in proportion to its size. 0 or -ENOMEM. */
int pieces_read(const Source *source, Pieces *ret);
void pieces_done(Pieces *pieces);
#define _cleanup_pieces_ _cleanup_(pieces_done)

/* Puts the pieces within a block in place of the block, which is the piece at index. 0 or -ENOMEM. */
int pieces_open_block(Pieces *pieces, size_t index);

int macros_find(const Source *source, Macro **ret, size_t *ret_n);
/* NULL: the source defines no such macro. */
const Macro *pieces_macro(const Pieces *pieces, const Token *name);

/* The reader's parts. Each takes the index of a token and returns that of the one behind what it read. */
typedef struct Reader {
        const Source *source;
        const Token *tokens;
        const uint32_t *pair;
        const Pieces *pieces;
        uint32_t n; /* where reading ends: of the source, or of a block */
} Reader;

/* A statement that begins with a word of control. *ret_ended as in Piece. */
uint32_t statement_read(const Reader *reader, uint32_t i, bool *ret_ended);
/* A declaration, a function, a type or an expression. */
void declaration_read(const Reader *reader, uint32_t i, Piece *piece);
/* Behind the bracket that closes the one at i; the end if none does. */
uint32_t bracket_skip(const Reader *reader, uint32_t i);
/* Behind the ; that ends what begins at i, or where a brace closes what is not open. */
uint32_t semicolon_skip(const Reader *reader, uint32_t i, bool *ret_ended);
/* Behind the parentheses at i, if any stand there; the same for < and >. */
uint32_t parens_skip(const Reader *reader, uint32_t i);
uint32_t angles_skip(const Reader *reader, uint32_t i);
/* Behind attributes of all kinds, and alignas(). */
uint32_t attributes_skip(const Reader *reader, uint32_t i);
/* Behind the annotations that a piece of Java begins with. */
uint32_t annotations_skip(const Pieces *pieces, const Piece *piece);
/* Behind A::B<C>::d; the token at i is a word or ::. */
uint32_t name_skip(const Reader *reader, uint32_t i);
/* [[ stands at i. */
bool double_bracket(const Reader *reader, uint32_t i);
/* Whether what stands within the < and > is a condition, no arguments: a < b && c > d. */
bool logical_angles(const Reader *reader, uint32_t open);
/* Whether a ; stands directly within the brackets at i. */
bool brackets_hold_semicolon(const Reader *reader, uint32_t i);

static inline const Token *reader_token(const Reader *reader, uint32_t i) {
        return &reader->tokens[MIN(i, reader->n)];
}
/* The end of a block is no END token, so it has to be asked for. */
static inline bool reader_sign(const Reader *reader, uint32_t i, Sign sign) {
        return i < reader->n && token_is_sign(&reader->tokens[i], sign);
}
static inline bool reader_word(const Reader *reader, uint32_t i, Word word) {
        return i < reader->n && reader->tokens[i].kind == TOKEN_WORD && reader->tokens[i].word == word;
}
static inline bool reader_kind(const Reader *reader, uint32_t i, TokenKind kind) {
        return i < reader->n && reader->tokens[i].kind == kind;
}
static inline bool reader_class(const Reader *reader, uint32_t i, uint16_t class) {
        return i < reader->n && reader->tokens[i].kind == TOKEN_WORD && reader->tokens[i].class & class;
}
