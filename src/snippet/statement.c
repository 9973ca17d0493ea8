/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Statements. What one consists of is told by words, not by recursion: behind if (...), for (...) and the
 * like the statement simply goes on; where a part of it is complete, an else or a while decides whether more
 * of it follows. */

#include "snippet/pieces.h"

/* Behind the parentheses of a word of control, with what may stand before them (constexpr, a macro's name).
 */
static uint32_t condition_skip(const Reader *reader, uint32_t i) {
        while (reader_kind(reader, i, TOKEN_WORD) && reader_sign(reader, i + 1, SIGN_PAREN_OPEN) &&
                reader->tokens[i].word == WORD_CONSTEXPR)
                i++;
        return reader_sign(reader, i, SIGN_PAREN_OPEN) ? bracket_skip(reader, i) : i;
}

/* What stands before a statement and belongs to it. False: nothing does. */
static bool prefix_skip(const Reader *reader, uint32_t *i, unsigned *ifs, unsigned *dos) {
        switch (reader_token(reader, *i)->word) {
        case WORD_IF:
                (*ifs)++;
                __attribute__((fallthrough));
        case WORD_FOR:
        case WORD_WHILE:
        case WORD_SWITCH:
        case WORD_CATCH:
        case WORD_SYNCHRONIZED:
                *i = condition_skip(reader, *i + 1);
                return true;
        case WORD_DO:
                (*dos)++;
                (*i)++;
                return true;
        case WORD_TRY:
                *i = condition_skip(reader, *i + 1);
                return true;
        case WORD_ELSE:
        case WORD_FINALLY:
                (*i)++;
                return true;
        case WORD_CASE:
        case WORD_DEFAULT:
                while (*i < reader->n && !reader_sign(reader, *i, SIGN_COLON) &&
                        !reader_sign(reader, *i, SIGN_ARROW) && !reader_sign(reader, *i, SIGN_SEMICOLON) &&
                        !reader_sign(reader, *i, SIGN_BRACE_CLOSE))
                        *i = reader_sign(reader, *i, SIGN_PAREN_OPEN) ? bracket_skip(reader, *i) : *i + 1;
                if (reader_sign(reader, *i, SIGN_COLON) || reader_sign(reader, *i, SIGN_ARROW))
                        (*i)++;
                return true;
        default:
                break;
        }
        if (reader_kind(reader, *i, TOKEN_WORD) && reader_sign(reader, *i + 1, SIGN_COLON)) {
                *i += 2;
                return true;
        }
        if (reader_sign(reader, *i, SIGN_BRACKET_OPEN) && reader_sign(reader, *i + 1, SIGN_BRACKET_OPEN)) {
                *i = bracket_skip(reader, *i);
                return true;
        }
        if (reader_class(reader, *i, WORD_ATTRIBUTE)) {
                *i = reader_sign(reader, *i + 1, SIGN_PAREN_OPEN) ? bracket_skip(reader, *i + 1) : *i + 1;
                return true;
        }
        return false;
}

/* A statement without prefixes: a block, or up to its ;. */
static uint32_t simple_skip(const Reader *reader, uint32_t i, bool *ret_ended) {
        if (!reader_sign(reader, i, SIGN_BRACE_OPEN))
                return semicolon_skip(reader, i, ret_ended);
        *ret_ended = true;
        return bracket_skip(reader, i);
}

/* Directives that stand where the next part of a statement would begin: the part may follow. */
static uint32_t directives_skip(const Reader *reader, uint32_t i) {
        while (reader_kind(reader, i, TOKEN_DIRECTIVE))
                i++;
        return i;
}

uint32_t statement_read(const Reader *reader, uint32_t i, bool *ret_ended) {
        unsigned ifs = 0, dos = 0;
        uint32_t begin = i;

        for (;;) {
                while (i < reader->n && prefix_skip(reader, &i, &ifs, &dos))
                        ;
                i = simple_skip(reader, i, ret_ended);

                uint32_t next = directives_skip(reader, i);
                while (dos > 0 && reader_word(reader, next, WORD_WHILE)) {
                        dos--;
                        i = condition_skip(reader, next + 1);
                        *ret_ended = reader_sign(reader, i, SIGN_SEMICOLON);
                        i += *ret_ended;
                        next = directives_skip(reader, i);
                }
                if (reader_word(reader, next, WORD_ELSE) && ifs > 0) {
                        ifs--;
                        i = next;
                        continue;
                }
                if (!reader_word(reader, next, WORD_CATCH) && !reader_word(reader, next, WORD_FINALLY))
                        break;
                i = next;
        }
        return MAX(i, begin + 1);
}
