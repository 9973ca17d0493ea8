/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the reader passes over as a whole: brackets, attributes, names with their scopes. */

#include "snippet/pieces.h"

uint32_t bracket_skip(const Reader *reader, uint32_t i) {
        uint32_t close = reader->pair[i];

        return close == NO_TOKEN || close >= reader->n ? reader->n : close + 1;
}

uint32_t semicolon_skip(const Reader *reader, uint32_t i, bool *ret_ended) {
        *ret_ended = false;
        while (i < reader->n) {
                const Token *token = &reader->tokens[i];
                if (token_is_sign(token, SIGN_SEMICOLON)) {
                        *ret_ended = true;
                        return i + 1;
                }
                if (token_is_sign(token, SIGN_BRACE_CLOSE))
                        return i;
                i = token_opens(token) ? bracket_skip(reader, i) : i + 1;
        }
        return i;
}

bool brackets_hold_semicolon(const Reader *reader, uint32_t i) {
        const uint32_t end = bracket_skip(reader, i);

        for (i++; i < end;) {
                const Token *token = &reader->tokens[i];
                if (token_is_sign(token, SIGN_SEMICOLON))
                        return true;
                i = token_opens(token) ? bracket_skip(reader, i) : i + 1;
        }
        return false;
}

uint32_t parens_skip(const Reader *reader, uint32_t i) {
        return reader_sign(reader, i, SIGN_PAREN_OPEN) ? bracket_skip(reader, i) : i;
}

bool double_bracket(const Reader *reader, uint32_t i) {
        return reader_sign(reader, i, SIGN_BRACKET_OPEN) && reader_sign(reader, i + 1, SIGN_BRACKET_OPEN);
}

uint32_t attributes_skip(const Reader *reader, uint32_t i) {
        for (;;)
                if (double_bracket(reader, i))
                        i = bracket_skip(reader, i);
                else if (reader_class(reader, i, WORD_ATTRIBUTE) ||
                         (reader_class(reader, i, WORD_PARENS) && reader_class(reader, i, WORD_TYPE)))
                        i = parens_skip(reader, i + 1);
                else
                        return i;
}

uint32_t angles_skip(const Reader *reader, uint32_t i) {
        return reader_sign(reader, i, SIGN_LESS) && reader->pair[i] != NO_TOKEN ? bracket_skip(reader, i)
                                                                                : i;
}

/* a < b or a > b */
static bool is_spelled_out(const Reader *reader, uint32_t i) {
        const Token *token = reader_token(reader, i);

        return reader_class(reader, i, WORD_OPERATOR) &&
               (token_is(reader->source, token, "or") || token_is(reader->source, token, "and"));
}

bool logical_angles(const Reader *reader, uint32_t open) {
        for (uint32_t i = open + 1; reader->pair[open] != NO_TOKEN && i < reader->pair[open]; i++)
                if (reader_sign(reader, i, SIGN_OR_OR) || is_spelled_out(reader, i) ||
                        (reader_sign(reader, i, SIGN_AND_AND) && !reader_sign(reader, i + 1, SIGN_COMMA) &&
                                !reader_sign(reader, i + 1, SIGN_GREATER)))
                        return true;
                else if (reader_sign(reader, i, SIGN_PAREN_OPEN))
                        i = bracket_skip(reader, i) - 1;
        return false;
}

static bool scope_at(const Reader *reader, uint32_t i) {
        return reader_sign(reader, i, SIGN_SCOPE) ||
               (reader->source->dialect == DIALECT_JAVA && reader_sign(reader, i, SIGN_DOT));
}

uint32_t name_skip(const Reader *reader, uint32_t i) {
        for (;;) {
                if (scope_at(reader, i))
                        i++;
                if (!reader_kind(reader, i, TOKEN_WORD))
                        return i;
                i++;
                if (reader_sign(reader, i, SIGN_LESS) && !logical_angles(reader, i))
                        i = angles_skip(reader, i);
                if (!scope_at(reader, i))
                        return i;
        }
}

uint32_t annotations_skip(const Pieces *pieces, const Piece *piece) {
        const Token *tokens = pieces->source->tokens;
        uint32_t i = piece->first;

        while (i < piece->end && token_is_sign(&tokens[i], SIGN_AT) && !(tokens[i + 1].class & WORD_TAG)) {
                i += 2;
                while (i + 1 < piece->end && token_is_sign(&tokens[i], SIGN_DOT))
                        i += 2;
                if (i < piece->end && token_is_sign(&tokens[i], SIGN_PAREN_OPEN))
                        i = MIN(pieces->brackets.pair[i], piece->end - 1) + 1;
        }
        return MIN(i, piece->end);
}
