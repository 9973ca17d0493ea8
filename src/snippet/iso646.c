/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/iso646.h"

/* Behind a type an operator cannot stand. */
static bool is_named(const Source *source, size_t i) {
        size_t before = i;

        while (before > 0 && token_is_sign(&source->tokens[before - 1], SIGN_STAR))
                before--;
        return before > 0 && source->tokens[before - 1].class & WORD_TYPE;
}

void iso646_find(Source *source) {
        for (size_t i = 0; i < source->n_tokens; i++) {
                const Token *token = &source->tokens[i];
                if (token->word != WORD_ISO646 || !is_named(source, i))
                        continue;

                const char *name = source->data + token->begin;
                const size_t size = token->end - token->begin;
                for (size_t k = 0; k < source->n_tokens; k++) {
                        Token *other = &source->tokens[k];
                        if (other->word == WORD_ISO646 && other->end - other->begin == size &&
                                memcmp(source->data + other->begin, name, size) == 0) {
                                other->word = WORD_NONE;
                                other->class = 0;
                        }
                }
        }
}
