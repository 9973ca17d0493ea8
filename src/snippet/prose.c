/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a conditional leaves out need be no code: "it's not for Windows {". Which macros are defined nobody
 * knows here, but an apostrophe tells prose: as a literal without its end no compiler takes it. */

#include "snippet/prose.h"

typedef struct Branch {
        size_t directive; /* the token that it begins with */
        bool prose;
} Branch;

typedef struct Dropper {
        Source *source;
        size_t n; /* tokens that are kept */
        Branch *branches;
        size_t depth;
        Comment *spans; /* what became a comment */
        size_t n_spans;
} Dropper;

/* A literal without its end, or one right behind a name: don't, which the next apostrophe seems to close. */
static bool is_prose(const Token *before, const Token *token) {
        if (token->kind != TOKEN_STRING && token->kind != TOKEN_CHARACTER)
                return false;
        return token->unterminated || (token->kind == TOKEN_CHARACTER && before->kind == TOKEN_WORD &&
                                              before->word == WORD_NONE && before->end == token->begin);
}

/* From the line behind the branch's directive up to the line of the one that ends it. */
static Comment branch_span(const Source *source, const Token *directive, const Token *next) {
        size_t begin = directive->end, end = next->begin;

        if (begin < end && source->data[begin] == '\n')
                begin++;
        while (end > begin && (source->data[end - 1] == ' ' || source->data[end - 1] == '\t'))
                end--;
        const bool line = end > begin && source->data[end - 1] == '\n';
        return (Comment){ begin, end - line, line };
}

static void branch_end(Dropper *dropper, const Branch *branch, const Token *next) {
        if (!branch->prose)
                return;
        const Comment span = branch_span(dropper->source, &dropper->source->tokens[branch->directive], next);
        while (dropper->n_spans > 0 && dropper->spans[dropper->n_spans - 1].begin >= span.begin)
                dropper->n_spans--;
        dropper->spans[dropper->n_spans++] = span;
        dropper->n = branch->directive + 1;
}

static void directive_drop(Dropper *dropper, const Token *token) {
        Branch *branch = dropper->depth > 0 ? &dropper->branches[dropper->depth - 1] : NULL;

        if (token->sign == DIRECTIVE_IF) {
                dropper->branches[dropper->depth++] = (Branch){ .directive = dropper->n };
                return;
        }
        if (!branch || (token->sign != DIRECTIVE_ELSE && token->sign != DIRECTIVE_ENDIF))
                return;
        branch_end(dropper, branch, token);
        if (token->sign == DIRECTIVE_ELSE)
                *branch = (Branch){ .directive = dropper->n };
        else
                dropper->depth--;
}

static void tokens_drop(Dropper *dropper) {
        Source *source = dropper->source;

        for (size_t i = 0; i <= source->n_tokens; i++) {
                const Token token = source->tokens[i];
                if (token.kind == TOKEN_DIRECTIVE)
                        directive_drop(dropper, &token);
                else if (dropper->depth > 0 && is_prose(&source->tokens[dropper->n - 1], &token))
                        dropper->branches[dropper->depth - 1].prose = true;
                source->tokens[dropper->n++] = token;
        }
        source->n_tokens = dropper->n - 1;
}

/* The spans take the places of the comments that they hold. */
static int comments_merge(Dropper *dropper) {
        Source *source = dropper->source;
        const size_t size = source->n_comments + dropper->n_spans;
        size_t n = 0, i = 0;
        Comment *merged = calloc(size + 1, sizeof(*merged));

        if (!merged)
                return -ENOMEM;
        for (size_t k = 0; k < dropper->n_spans; k++) {
                const Comment *span = &dropper->spans[k];
                while (i < source->n_comments && source->comments[i].begin < span->begin)
                        merged[n++] = source->comments[i++];
                while (i < source->n_comments && source->comments[i].begin < span->end)
                        i++;
                merged[n++] = *span;
        }
        while (i < source->n_comments)
                merged[n++] = source->comments[i++];
        free(source->comments);
        source->comments = merged;
        source->n_comments = n;
        source->allocated_comments = size;
        return 0;
}

int prose_drop(Source *source) {
        size_t ifs = 0, ends = 0;
        bool prose = false;

        for (size_t i = 0; i < source->n_tokens; i++)
                if (source->tokens[i].kind != TOKEN_DIRECTIVE)
                        prose |= i > 0 && is_prose(&source->tokens[i - 1], &source->tokens[i]);
                else if (source->tokens[i].sign == DIRECTIVE_IF)
                        ifs++;
                else
                        ends++;
        if (!prose || ifs == 0)
                return 0;

        _cleanup_free_ Branch *branches = calloc(ifs, sizeof(*branches));
        _cleanup_free_ Comment *spans = calloc(ends + 1, sizeof(*spans));
        if (!branches || !spans)
                return -ENOMEM;
        Dropper dropper = { .source = source, .branches = branches, .spans = spans };
        tokens_drop(&dropper);
        return comments_merge(&dropper);
}
