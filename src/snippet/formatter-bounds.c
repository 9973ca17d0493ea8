/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What libastyle does takes time and output that grow with the product of depth and length (240 MB for 64 kB
 * of "if(a){") and with the square of some signs in one statement: 28 s for 64 kB of "a=". Sums, lists and
 * calls of any length cost nothing. Nothing that a person writes comes near these bounds; within them, 48 kB
 * take some 0.3 s, 1.5 s at worst. */

#include "snippet/formatter-bounds.h"

#define PROGRAM_BYTES (48 * 1024)
#define STATEMENT_SIGNS 1024 /* those that cost, between two of ; { }, outside of comments and literals */
#define COMMENT_BYTES (32 * 1024)
#define DEPTHS (1 << 20) /* of brackets, of all characters together */

typedef struct Bounds {
        size_t signs, depths;
        int depth[3]; /* of each kind of bracket: one does not close another */
} Bounds;

static bool count(Bounds *bounds, char c) {
        static const char opening[] = "([{", closing[] = ")]}";
        int depth = 0;

        for (size_t k = 0; k < ELEMENTSOF(bounds->depth); k++) {
                if (c == opening[k])
                        bounds->depth[k]++;
                else if (c == closing[k])
                        bounds->depth[k]--;
                depth += abs(bounds->depth[k]); /* what closes too much costs as much */
        }
        bounds->depths += depth;
        if (c == ';' || c == '{' || c == '}')
                bounds->signs = 0;
        else if (c == '=' || c == '<' || c == '\n')
                bounds->signs++;
        return bounds->signs <= STATEMENT_SIGNS && bounds->depths <= DEPTHS;
}

/* White space between tokens, with its comments. */
static bool count_gap(Bounds *bounds, const Source *source, size_t begin, size_t end, size_t *comment) {
        while (begin < end) {
                const Comment *next = *comment < source->n_comments ? &source->comments[*comment] : NULL;
                if (next && next->begin == begin) {
                        if (next->end - next->begin > COMMENT_BYTES)
                                return false;
                        begin = next->end;
                        (*comment)++;
                } else if (!count(bounds, source->data[begin++]))
                        return false;
        }
        return true;
}

bool formatter_within_bounds(const Source *source) {
        Bounds bounds = {};
        size_t behind = 0, comment = 0;

        if (source->size > PROGRAM_BYTES)
                return false;
        for (size_t i = 0; i <= source->n_tokens; i++) {
                const Token *token = &source->tokens[i];
                if (!count_gap(&bounds, source, behind, token->begin, &comment))
                        return false;
                behind = token->end;
                if (token->kind == TOKEN_STRING || token->kind == TOKEN_CHARACTER)
                        continue;
                for (size_t k = token->begin; k < token->end; k++)
                        if (!count(&bounds, source->data[k]))
                                return false;
                while (comment < source->n_comments && source->comments[comment].begin < behind)
                        comment++; /* of a directive */
        }
        return true;
}
