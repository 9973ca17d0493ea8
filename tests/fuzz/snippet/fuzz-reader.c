/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The first byte chooses the language, the rest is read by lexer and reader. Tokens and comments must come
 * in order and leave nothing but white space between them; pieces must be made of all tokens, in order;
 * brackets must be paired both ways. */

#include "snippet/placement.h"

static void check(bool condition) {
        if (!condition)
                abort();
}

/* Nothing but white space is in [begin, end). */
static void check_space(const Source *source, size_t begin, size_t end) {
        while (begin < end) {
                size_t n = space_length(source->data, source->size, begin);
                check(n > 0);
                begin += n;
        }
}

static void check_tokens(const Source *source) {
        size_t behind = 0, comment = 0;

        for (size_t i = 0; i <= source->n_tokens; i++) {
                const Token *token = &source->tokens[i];
                check(token->begin >= behind && token->end >= token->begin && token->end <= source->size);
                for (; comment < source->n_comments && source->comments[comment].begin < token->begin;
                        comment++) {
                        check_space(source, behind, source->comments[comment].begin);
                        check(source->comments[comment].end > source->comments[comment].begin);
                        behind = source->comments[comment].end;
                }
                check_space(source, behind, token->begin);
                check(token->end > token->begin || i == source->n_tokens);
                behind = token->end;
        }
        for (; comment < source->n_comments; comment++)
                check(source->comments[comment].end <= source->size);
}

static void check_pieces(const Source *source, const Pieces *pieces) {
        uint32_t behind = 0;

        for (size_t i = 0; i < pieces->n; i++) {
                check(pieces->list[i].first == behind && pieces->list[i].end > behind);
                behind = pieces->list[i].end;
        }
        check(behind == source->n_tokens);
        for (size_t i = 0; i < source->n_tokens; i++)
                check(pieces->brackets.pair[i] == NO_TOKEN || pieces->brackets.pair[i] < source->n_tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_source_ Source source = {};
        _cleanup_pieces_ Pieces pieces = {};
        _cleanup_placement_ Placement placement = {};

        if (size < 1 || size > 64 * 1024)
                return 0;
        check(source_read((const char *)data + 1, size - 1, data[0] % 3, data[0] & 4, &source) == 0);
        check_tokens(&source);
        check(pieces_read(&source, &pieces) == 0);
        check_pieces(&source, &pieces);
        check(placement_make(&pieces, data[0] & 8, &placement) == 0);
        return 0;
}
