/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/pieces.h"

void pieces_done(Pieces *pieces) {
        brackets_done(&pieces->brackets);
        free(pieces->macros);
        free(pieces->list);
        *pieces = (Pieces){};
}

static bool begins_label(const Reader *reader, uint32_t i) {
        return reader_kind(reader, i, TOKEN_WORD) && reader_sign(reader, i + 1, SIGN_COLON) &&
               !reader_class(reader, i, WORD_OPERATOR | WORD_CONSTANT | WORD_TYPE);
}

/* namespace, extern "C" and a module of names in braces: up to the brace that closes it, or its ;. */
static bool namespace_read(const Reader *reader, uint32_t i, Piece *piece) {
        uint32_t k = i;

        if (reader_word(reader, k, WORD_INLINE))
                k++;
        if (reader_word(reader, k, WORD_EXTERN) && reader_kind(reader, k + 1, TOKEN_STRING) &&
                reader_sign(reader, k + 2, SIGN_BRACE_OPEN)) {
                if (reader->source->dialect != DIALECT_CXX)
                        return false;
                k += 2;
        } else if (!reader_word(reader, k, WORD_NAMESPACE))
                return false;

        while (k < reader->n && !reader_sign(reader, k, SIGN_BRACE_OPEN) &&
                !reader_sign(reader, k, SIGN_SEMICOLON))
                k++;
        piece->kind = PIECE_NAMESPACE;
        piece->file_only = true;
        piece->ended = k < reader->n;
        piece->end =
                reader_sign(reader, k, SIGN_BRACE_OPEN) ? bracket_skip(reader, k) : MIN(k + 1, reader->n);
        return true;
}

static bool begins_using(const Reader *reader, uint32_t i) {
        const Token *token = reader_token(reader, i);

        if (token->kind != TOKEN_WORD)
                return false;
        if (token->word == WORD_USING || token->word == WORD_IMPORT)
                return reader_kind(reader, i + 1, TOKEN_WORD) || token->word == WORD_IMPORT;
        return token->word == WORD_PACKAGE;
}

/* Assembler that takes no operands and defines something: a label, or a directive of the assembler. */
static bool asm_defines(const Reader *reader, uint32_t i, uint32_t end) {
        if (!reader_sign(reader, i + 1, SIGN_PAREN_OPEN))
                return false;
        for (i += 2; i < end && reader_kind(reader, i, TOKEN_STRING); i++) {
                const Token *token = &reader->tokens[i];
                const char *text = reader->source->data + token->begin;
                if (memchr(text, ':', token->end - token->begin) ||
                        (token->end - token->begin > 1 && text[1] == '.'))
                        return reader_kind(reader, i + 1, TOKEN_STRING) ||
                               reader_sign(reader, i + 1, SIGN_PAREN_CLOSE);
        }
        return false;
}

static void keyword_read(const Reader *reader, uint32_t i, Piece *piece) {
        bool ended = false;

        if (reader_class(reader, i, WORD_ASM)) {
                piece->kind = PIECE_ASM;
                piece->end = semicolon_skip(reader, i, &ended);
                piece->file_only = asm_defines(reader, i, piece->end);
        } else if (begins_using(reader, i)) {
                piece->kind = PIECE_USING;
                piece->end = semicolon_skip(reader, i, &ended);
        } else {
                piece->kind = PIECE_STATEMENT;
                piece->end = statement_read(reader, i, &ended);
        }
        piece->ended = ended;
}

static void label_read(const Reader *reader, uint32_t i, Piece *piece) {
        piece->kind = PIECE_LABEL;
        piece->ended = true;
        if (!reader_word(reader, i, WORD_CASE)) {
                piece->end = MIN(i + 2, reader->n);
                return;
        }
        unsigned questions = 0;
        for (i++; i < reader->n; i++) {
                if (reader_sign(reader, i, SIGN_SEMICOLON))
                        break;
                if (reader_sign(reader, i, SIGN_QUESTION))
                        questions++;
                else if (reader_sign(reader, i, SIGN_COLON) && questions-- == 0) {
                        i++;
                        break;
                }
        }
        piece->end = i;
}

static void sign_read(const Reader *reader, uint32_t i, Piece *piece) {
        piece->ended = true;
        piece->end = i + 1;
        if (reader_sign(reader, i, SIGN_SEMICOLON))
                piece->kind = PIECE_EMPTY;
        else if (reader_sign(reader, i, SIGN_BRACE_OPEN)) {
                piece->kind = PIECE_BLOCK;
                piece->unclosed = reader->pair[i] == NO_TOKEN;
                piece->end = bracket_skip(reader, i);
        } else
                piece->kind = PIECE_STRAY;
}

/* A word of control, but those that may be something else in a declaration (Java's synchronized methods). */
static bool begins_statement(const Reader *reader, uint32_t i) {
        return reader_class(reader, i, WORD_CONTROL) &&
               !(reader_class(reader, i, WORD_TYPE) && !reader_sign(reader, i + 1, SIGN_PAREN_OPEN));
}

static void piece_read(const Reader *reader, uint32_t i, Piece *piece) {
        if (reader_kind(reader, i, TOKEN_DIRECTIVE)) {
                *piece = (Piece){ .first = i, .end = i + 1, .name = NO_TOKEN, .kind = PIECE_DIRECTIVE };
                piece->ended = true;
        } else if (reader_sign(reader, i, SIGN_SEMICOLON) || reader_sign(reader, i, SIGN_BRACE_OPEN) ||
                   reader_sign(reader, i, SIGN_BRACE_CLOSE))
                sign_read(reader, i, piece);
        else if (begins_label(reader, i) || reader_word(reader, i, WORD_CASE))
                label_read(reader, i, piece);
        else if (begins_statement(reader, i) || reader_class(reader, i, WORD_ASM) || begins_using(reader, i))
                keyword_read(reader, i, piece);
        else if (!namespace_read(reader, i, piece))
                declaration_read(reader, i, piece);
}

static int piece_add(Pieces *pieces, const Piece *piece) {
        if (pieces->n == pieces->allocated) {
                size_t n = MAX(16, 2 * pieces->allocated);
                Piece *grown = reallocarray(pieces->list, n, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                pieces->list = grown;
                pieces->allocated = n;
        }
        pieces->list[pieces->n++] = *piece;
        return 0;
}

/* Reads the pieces in [i, end). */
static int range_read(Pieces *pieces, uint32_t i, uint32_t end) {
        const Reader reader = {
                .source = pieces->source,
                .tokens = pieces->source->tokens,
                .pair = pieces->brackets.pair,
                .pieces = pieces,
                .n = end,
        };

        while (i < end) {
                Piece piece = { .first = i, .end = i, .name = NO_TOKEN, .kind = PIECE_UNKNOWN };

                piece_read(&reader, i, &piece);
                piece.end = MIN(MAX(piece.end, i + 1), end);
                int r = piece_add(pieces, &piece);
                if (r < 0)
                        return r;
                i = piece.end;
        }
        return 0;
}

int pieces_read(const Source *source, Pieces *ret) {
        _cleanup_pieces_ Pieces pieces = { .source = source };

        int r = brackets_match(source, &pieces.brackets);
        if (r >= 0 && source->dialect != DIALECT_JAVA)
                r = macros_find(source, &pieces.macros, &pieces.n_macros);
        if (r >= 0)
                r = range_read(&pieces, 0, source->n_tokens);
        if (r < 0)
                return r;
        *ret = pieces;
        pieces = (Pieces){};
        return 0;
}

int pieces_open_block(Pieces *pieces, size_t index) {
        const Piece block = pieces->list[index];
        const size_t n = pieces->n, behind = n - index - 1;
        const uint32_t close = pieces->brackets.pair[block.first];

        /* Those within are read behind all others, then both change places. */
        int r = range_read(pieces, block.first + 1, close);
        if (r < 0)
                return r;
        const size_t inner = pieces->n - n;
        _cleanup_free_ Piece *moved = malloc((behind + 1) * sizeof(*moved));
        if (!moved)
                return -ENOMEM;
        memcpy(moved, pieces->list + index + 1, behind * sizeof(*moved));
        memmove(pieces->list + index, pieces->list + n, inner * sizeof(*moved));
        memcpy(pieces->list + index + inner, moved, behind * sizeof(*moved));
        pieces->n--;
        return 0;
}
