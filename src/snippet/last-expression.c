/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/last-expression.h"
#include "common/utf8.h"

/* What prints by itself, fills something, or is no expression though it looks like one. */
static const char *const unshown_words[] = { "assert", "dump", "fgets", "gdb", "main", "memset", "print",
        "printf", "ptype", "puts", "trace", "watch" };

static const char *const debugger_words[] = { "dump", "gdb", "print", "ptype", "trace", "watch" };

static bool token_in(const Source *source, const Token *token, const char *const *words, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (token_is(source, token, words[i]))
                        return true;
        return false;
}

/* The word stands where one is declared: behind another word, a type's * or <...>, or before an =. */
static bool is_declared_at(const Pieces *pieces, uint32_t i) {
        const Token *tokens = pieces->source->tokens, *before = i > 0 ? &tokens[i - 1] : NULL;

        if (token_is_sign(&tokens[i + 1], SIGN_ASSIGN))
                return true;
        if (!before)
                return false;
        if (before->kind == TOKEN_WORD)
                return !(before->class & (WORD_CONTROL | WORD_OPERATOR)) &&
                       tokens[i - 1].end < tokens[i].begin;
        if (token_is_sign(before, SIGN_GREATER) || token_is_sign(before, SIGN_SHIFT_RIGHT))
                return pieces->brackets.pair[i - 1] != NO_TOKEN;
        return (token_is_sign(before, SIGN_STAR) || token_is_sign(before, SIGN_AND) ||
                       token_is_sign(before, SIGN_BRACKET_CLOSE)) &&
               i > 1 &&
               (tokens[i - 2].class & WORD_TYPE || (token_is_sign(&tokens[i - 2], SIGN_PAREN_OPEN) &&
                                                           token_is_sign(&tokens[i + 1], SIGN_PAREN_CLOSE)));
}

static bool is_same_word(const Source *source, const Token *a, const Token *b) {
        const size_t size = a->end - a->begin;

        return a->kind == TOKEN_WORD && b->kind == TOKEN_WORD && b->end - b->begin == size &&
               memcmp(source->data + a->begin, source->data + b->begin, size) == 0;
}

/* Whether the brace at i opens a list of enumerators that has the word. */
static bool enumerates(const Pieces *pieces, uint32_t i, const Token *word) {
        const Token *tokens = pieces->source->tokens;
        const uint32_t close = pieces->brackets.pair[i];

        if (!token_is_sign(&tokens[i], SIGN_BRACE_OPEN) || i == 0 || close == NO_TOKEN)
                return false;
        if (tokens[i - 1].word != WORD_ENUM && (i < 2 || tokens[i - 2].word != WORD_ENUM) &&
                (i < 3 || tokens[i - 3].word != WORD_ENUM))
                return false;
        for (uint32_t k = i + 1; k < close; k++)
                if ((k == i + 1 || token_is_sign(&tokens[k - 1], SIGN_COMMA)) &&
                        is_same_word(pieces->source, &tokens[k], word))
                        return true;
        return false;
}

/* A word of the environment is the user's own where he declares it himself. */
static bool is_own(const Pieces *pieces, const Token *word) {
        const Source *source = pieces->source;

        if (pieces_macro(pieces, word))
                return true;
        for (size_t i = 0; i < pieces->n; i++)
                if (pieces->list[i].name != NO_TOKEN &&
                        is_same_word(source, &source->tokens[pieces->list[i].name], word))
                        return true;
        for (uint32_t i = 0; i < source->n_tokens; i++)
                if ((is_same_word(source, &source->tokens[i], word) && is_declared_at(pieces, i)) ||
                        enumerates(pieces, i, word))
                        return true;
        return false;
}

/* scanf and its kin, execv() and its. */
static bool is_family(const Source *source, const Token *token) {
        const char *data = source->data + token->begin;
        const size_t size = token->end - token->begin;

        if (size >= 5 && memcmp(data + size - 5, "scanf", 5) == 0)
                return true;
        if (size <= 4 || memcmp(data, "exec", 4) != 0)
                return false;
        for (size_t i = 4; i < size; i++)
                if (!memchr("lvpe", data[i], 4))
                        return false;
        return true;
}

static bool is_word_char(const Source *source, size_t i) {
        uint32_t c;

        if (i >= source->size)
                return false;
        (void)utf8_unit(source->data + i, source->size - i, &c);
        return unicode_is_word(c);
}

/* x = 5 and x=5; as ever, what assigns to something in brackets or behind a * without blanks shows its
 * value. */
static bool is_assignment(const Source *source, uint32_t i) {
        const Token *token = &source->tokens[i];

        if (!token_is_sign(token, SIGN_ASSIGN) || i == 0)
                return false;
        return (token[-1].end < token->begin || token[-1].kind == TOKEN_WORD ||
                       token[-1].kind == TOKEN_NUMBER) &&
               (space_length(source->data, source->size, token->end) > 0 ||
                       is_word_char(source, token->end));
}

static bool is_hash(const Source *source, const Token *token) {
        return token->kind == TOKEN_SIGN && source->data[token->begin] == '#';
}

static bool is_operand(const Token *token) {
        return token->kind != TOKEN_SIGN && token->kind != TOKEN_DIRECTIVE;
}

/* Looks at what is outside of braces: what a lambda, or a statement expression, does within is its own. */
static bool tokens_are_shown(const Pieces *pieces, const Piece *piece) {
        const Source *source = pieces->source;
        bool any = false;
        int depth = 0;

        for (uint32_t i = piece->first; i < piece->end; i++) {
                const Token *token = &source->tokens[i];
                const uint32_t pair = pieces->brackets.pair[i];

                if (token->kind == TOKEN_DIRECTIVE || token->unterminated ||
                        (token->class & WORD_CONTROL && token->word != WORD_DEFAULT) ||
                        is_hash(source, token) || is_assignment(source, i))
                        return false;
                /* In C braces are those of a compound literal, if not within parentheses. */
                if (source->dialect == DIALECT_C && depth == 0 && token_is_sign(token, SIGN_BRACE_OPEN) &&
                        (i == piece->first || !token_is_sign(token - 1, SIGN_PAREN_CLOSE)))
                        return false;
                depth += token_is_sign(token, SIGN_PAREN_OPEN);
                depth -= token_is_sign(token, SIGN_PAREN_CLOSE);
                if (token->kind == TOKEN_SIGN && token->sign >= SIGN_BRACE_OPEN &&
                        token->sign <= SIGN_BRACKET_CLOSE && (pair < piece->first || pair >= piece->end))
                        return false;
                any |= is_operand(token);
                if (token_is_sign(token, SIGN_BRACE_OPEN) ||
                        (token_is_sign(token, SIGN_BRACKET_OPEN) && i == piece->first)) {
                        i = pair;
                        any = true;
                        continue;
                }
                if (token->kind == TOKEN_WORD &&
                        (token_in(source, token, unshown_words, ELEMENTSOF(unshown_words)) ||
                                is_family(source, token)) &&
                        !is_own(pieces, token))
                        return false;
        }
        return any;
}

bool expression_is_shown(const Pieces *pieces, const Piece *piece) {
        if (piece->kind != PIECE_EXPRESSION)
                return false;
        const Macro *macro = pieces_macro(pieces, &pieces->source->tokens[piece->first]);
        if (macro && macro->shape == MACRO_STATEMENT)
                return false;
        return tokens_are_shown(pieces, piece);
}

bool uses_debugger(const Pieces *pieces, const Piece *piece) {
        for (uint32_t i = piece->first; i < piece->end; i++) {
                const Token *token = &pieces->source->tokens[i];
                if (token->kind == TOKEN_WORD &&
                        token_in(pieces->source, token, debugger_words, ELEMENTSOF(debugger_words)) &&
                        !is_own(pieces, token))
                        return true;
        }
        return false;
}
