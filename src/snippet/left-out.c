/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a conditional leaves out need be no code: "it's not for Windows {". Which macros are defined nobody
 * knows here. But an apostrophe tells prose: as a literal without its end no compiler takes it. And where
 * the brackets of the whole do not match, a branch is left out that opens more than its like, or closes. */

#include "snippet/left-out.h"

typedef struct Branch {
        uint32_t first;      /* that of the same conditional */
        int32_t depth;       /* brackets that it opens, less those that it closes */
        int32_t least, most; /* of all branches of the conditional, in the first one */
        bool left_out;
} Branch;

/* One around what is read. */
typedef struct Conditional {
        uint32_t branch;
        int32_t before;   /* what is open there */
        int32_t depth;    /* of the branch that opens or closes most */
        size_t directive; /* the token that the branch begins with, of those that are kept */
} Conditional;

typedef struct Reading {
        Source *source;
        Branch *branches; /* in the order of the source */
        uint32_t n_branches;
        Conditional *conditionals; /* those around what is read, the outermost first */
        size_t n_conditionals;
        int32_t open;   /* brackets, less those closed */
        size_t n;       /* tokens that are kept */
        Comment *spans; /* what becomes a comment */
        size_t n_spans;
} Reading;

/* A literal without its end, or one right behind a name: don't, which the next apostrophe seems to close. */
static bool is_prose(const Token *before, const Token *token) {
        if (token->kind != TOKEN_STRING && token->kind != TOKEN_CHARACTER)
                return false;
        return token->unterminated || (token->kind == TOKEN_CHARACTER && before->kind == TOKEN_WORD &&
                                              before->word == WORD_NONE && before->end == token->begin);
}

/* The innermost conditional that the directive at the token continues or ends, or NULL. */
static Conditional *conditional_of(const Reading *reading, const Token *token) {
        return reading->n_conditionals > 0 &&
                               (token->sign == DIRECTIVE_ELSE || token->sign == DIRECTIVE_ENDIF)
                       ? &reading->conditionals[reading->n_conditionals - 1]
                       : NULL;
}

static void branch_measure(Reading *reading, Conditional *conditional) {
        Branch *branch = &reading->branches[conditional->branch];
        Branch *first = &reading->branches[branch->first];

        branch->depth = branch->left_out ? 0 : reading->open - conditional->before;
        if (branch == first)
                first->least = first->most = branch->depth;
        first->least = MIN(first->least, branch->depth);
        first->most = MAX(first->most, branch->depth);
        if (abs(branch->depth) >= abs(conditional->depth))
                conditional->depth = branch->depth;
        reading->open = conditional->before;
}

/* Where there is no #else, nothing stands beside the only branch. */
static void conditional_measure(Reading *reading, const Conditional *conditional) {
        Branch *branch = &reading->branches[conditional->branch];

        if (branch == &reading->branches[branch->first]) {
                branch->least = MIN(branch->least, 0);
                branch->most = MAX(branch->most, 0);
        }
        reading->open += conditional->depth;
        reading->n_conditionals--;
}

static void directive_measure(Reading *reading, const Token *token) {
        Conditional *conditional = conditional_of(reading, token);

        if (token->sign == DIRECTIVE_IF) {
                const uint32_t branch = reading->n_branches++;
                reading->branches[branch] = (Branch){ .first = branch };
                reading->conditionals[reading->n_conditionals++] =
                        (Conditional){ .branch = branch, .before = reading->open };
        } else if (conditional) {
                branch_measure(reading, conditional);
                if (token->sign == DIRECTIVE_ENDIF) {
                        conditional_measure(reading, conditional);
                        return;
                }
                const uint32_t first = reading->branches[conditional->branch].first;
                conditional->branch = reading->n_branches++;
                reading->branches[conditional->branch] = (Branch){ .first = first };
        }
}

/* Finds what every branch opens and closes, and which are prose. */
static void branches_measure(Reading *reading) {
        const Source *source = reading->source;

        for (size_t i = 0; i < source->n_tokens; i++) {
                const Token *token = &source->tokens[i];
                if (token->kind == TOKEN_DIRECTIVE)
                        directive_measure(reading, token);
                else if (token_opens(token))
                        reading->open++;
                else if (token_closes(token))
                        reading->open--;
                else if (reading->n_conditionals > 0 && is_prose(token - 1, token))
                        reading->branches[reading->conditionals[reading->n_conditionals - 1].branch]
                                .left_out = true;
        }
}

/* Of what is open at the end, or closed too often, those branches are the cause that do more of it than
 * another of their conditional. */
static bool branches_judge(Reading *reading) {
        bool any = false;

        for (uint32_t i = 0; i < reading->n_branches; i++) {
                Branch *branch = &reading->branches[i];
                const Branch *first = &reading->branches[branch->first];
                if ((reading->open > 0 && branch->depth > first->least) ||
                        (reading->open < 0 && branch->depth < first->most))
                        branch->left_out = true;
                any |= branch->left_out;
        }
        return any;
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

static void branch_drop(Reading *reading, const Conditional *conditional, const Token *next) {
        if (!reading->branches[conditional->branch].left_out)
                return;
        const Comment span =
                branch_span(reading->source, &reading->source->tokens[conditional->directive], next);
        while (reading->n_spans > 0 && reading->spans[reading->n_spans - 1].begin >= span.begin)
                reading->n_spans--;
        reading->spans[reading->n_spans++] = span;
        reading->n = conditional->directive + 1;
}

static void directive_drop(Reading *reading, const Token *token) {
        Conditional *conditional = conditional_of(reading, token);

        if (token->sign == DIRECTIVE_IF)
                conditional = &reading->conditionals[reading->n_conditionals++];
        else if (conditional) {
                branch_drop(reading, conditional, token);
                if (token->sign == DIRECTIVE_ENDIF) {
                        reading->n_conditionals--;
                        return;
                }
        } else
                return;
        *conditional = (Conditional){ .branch = reading->n_branches++, .directive = reading->n };
}

static void branches_drop(Reading *reading) {
        Source *source = reading->source;

        reading->n_branches = 0;
        reading->n_conditionals = 0;
        for (size_t i = 0; i <= source->n_tokens; i++) {
                const Token token = source->tokens[i];
                if (token.kind == TOKEN_DIRECTIVE)
                        directive_drop(reading, &token);
                source->tokens[reading->n++] = token;
        }
        source->n_tokens = reading->n - 1;
}

/* The spans take the places of the comments that they hold. */
static int comments_merge(Reading *reading) {
        Source *source = reading->source;
        const size_t size = source->n_comments + reading->n_spans;
        size_t n = 0, i = 0;
        Comment *merged = calloc(size + 1, sizeof(*merged));

        if (!merged)
                return -ENOMEM;
        for (size_t k = 0; k < reading->n_spans; k++) {
                const Comment *span = &reading->spans[k];
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

int left_out_drop(Source *source) {
        size_t n = 0;

        for (size_t i = 0; i < source->n_tokens; i++)
                n += source->tokens[i].kind == TOKEN_DIRECTIVE && source->tokens[i].sign != DIRECTIVE_OTHER;
        if (n == 0)
                return 0;

        _cleanup_free_ Branch *branches = calloc(n, sizeof(*branches));
        _cleanup_free_ Conditional *conditionals = calloc(n, sizeof(*conditionals));
        _cleanup_free_ Comment *spans = calloc(n, sizeof(*spans));
        if (!branches || !conditionals || !spans)
                return -ENOMEM;
        Reading reading = {
                .source = source,
                .branches = branches,
                .conditionals = conditionals,
                .spans = spans,
        };
        branches_measure(&reading);
        if (!branches_judge(&reading))
                return 0;
        branches_drop(&reading);
        return comments_merge(&reading);
}
