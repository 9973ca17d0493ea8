/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is open is a chain of tokens, each of which knows the one below it. So a branch of a conditional can
 * begin anew with what was open at its #if, however much the branch before it closed. */

#include "snippet/pieces.h"

typedef struct Open {
        uint32_t below;
        uint32_t brace; /* the innermost {, itself included */
        uint32_t alias; /* its like in another branch of a conditional, closed by the same bracket */
        uint32_t angle; /* the innermost < outside of it */
        int32_t level;  /* 1: none is around it */
} Open;

/* Of a #if. */
typedef struct Conditional {
        uint32_t below; /* the #if around it */
        uint32_t top;   /* what was open there */
        uint32_t kept;  /* what was open at the end of that branch which opens or closes most */
} Conditional;

typedef struct Matcher {
        const Source *source;
        const Token *tokens;
        uint32_t *pair;
        /* By tokens: of brackets, and of #if. */
        union {
                Open open;
                Conditional conditional;
        } * state;
        uint32_t top, angle, conditional;
        bool conditionals;
} Matcher;

void brackets_done(Brackets *brackets) {
        free(brackets->pair);
        *brackets = (Brackets){};
}

static int32_t level_of(const Matcher *m, uint32_t top) {
        return top == NO_TOKEN ? 0 : m->state[top].open.level;
}

static void bracket_open(Matcher *m, uint32_t i, bool brace) {
        uint32_t outer = m->top == NO_TOKEN ? NO_TOKEN : m->state[m->top].open.brace;

        m->state[i].open = (Open){ m->top, brace ? i : outer, NO_TOKEN, m->angle, level_of(m, m->top) + 1 };
        m->top = i;
        m->angle = NO_TOKEN;
}

static void bracket_pair(Matcher *m, uint32_t open, uint32_t close) {
        m->pair[close] = open;
        m->top = m->state[open].open.below;
        m->angle = m->state[open].open.angle;
        for (uint32_t alias = open; alias != NO_TOKEN; alias = m->state[alias].open.alias)
                m->pair[alias] = close;
}

static void bracket_close(Matcher *m, uint32_t i, Sign opening) {
        if (m->top == NO_TOKEN)
                return;
        if (opening == SIGN_BRACE_OPEN) {
                /* A brace closes what was forgotten within. */
                if (m->state[m->top].open.brace != NO_TOKEN)
                        bracket_pair(m, m->state[m->top].open.brace, i);
        } else if (token_is_sign(&m->tokens[m->top], opening))
                bracket_pair(m, m->top, i);
}

/* What the branches opened in like places is closed in common. */
static void branches_join(Matcher *m, uint32_t base, uint32_t first) {
        uint32_t second = m->top;

        while (first != base && second != base && first != NO_TOKEN && second != NO_TOKEN &&
                first != second && m->pair[first] == NO_TOKEN && m->state[second].open.alias == NO_TOKEN) {
                m->state[second].open.alias = first;
                first = m->state[first].open.below;
                second = m->state[second].open.below;
        }
}

/* Behind a conditional counts the branch that opens or closes most: one like it is elsewhere its partner. */
static void branch_end(Matcher *m, Conditional *conditional) {
        const int32_t base = level_of(m, conditional->top);
        const int32_t kept = abs(level_of(m, conditional->kept) - base);
        const int32_t depth = abs(level_of(m, m->top) - base);

        if (depth == kept)
                branches_join(m, conditional->top, conditional->kept);
        if (depth >= kept)
                conditional->kept = m->top;
}

static void directive_match(Matcher *m, uint32_t i) {
        Conditional *conditional = m->conditional == NO_TOKEN ? NULL : &m->state[m->conditional].conditional;

        switch (m->tokens[i].sign) {
        case DIRECTIVE_IF:
                m->state[i].conditional = (Conditional){ m->conditional, m->top, m->top };
                m->conditional = i;
                m->conditionals = true;
                break;
        case DIRECTIVE_ELSE:
                if (!conditional)
                        break;
                branch_end(m, conditional);
                m->top = conditional->top;
                break;
        case DIRECTIVE_ENDIF:
                if (!conditional)
                        break;
                branch_end(m, conditional);
                m->top = conditional->kept;
                m->pair[m->conditional] = i;
                m->pair[i] = m->conditional;
                m->conditional = conditional->below;
                break;
        }
}

/* Of what could be a list of template arguments, a < begins one only behind a name. */
static void angle_open(Matcher *m, uint32_t i) {
        if (m->source->dialect == DIALECT_C)
                return;
        /* In Java parameters of types also stand before a method's type. */
        const Token *before = i > 0 ? &m->tokens[i - 1] : NULL;
        if (before && before->kind != TOKEN_WORD &&
                (m->source->dialect == DIALECT_CXX || before->kind != TOKEN_SIGN))
                return;
        m->state[i].open = (Open){ .below = m->angle, .alias = NO_TOKEN };
        m->angle = i;
}

static void angle_close(Matcher *m, uint32_t i, unsigned count) {
        while (count-- > 0 && m->angle != NO_TOKEN) {
                m->pair[m->angle] = i;
                m->pair[i] = m->angle;
                m->angle = m->state[m->angle].open.below;
        }
}

static void sign_match(Matcher *m, uint32_t i) {
        switch (m->tokens[i].sign) {
        case SIGN_BRACE_OPEN:
                bracket_open(m, i, true);
                break;
        case SIGN_PAREN_OPEN:
        case SIGN_BRACKET_OPEN:
                bracket_open(m, i, false);
                break;
        case SIGN_BRACE_CLOSE:
                bracket_close(m, i, SIGN_BRACE_OPEN);
                break;
        case SIGN_PAREN_CLOSE:
                bracket_close(m, i, SIGN_PAREN_OPEN);
                break;
        case SIGN_BRACKET_CLOSE:
                bracket_close(m, i, SIGN_BRACKET_OPEN);
                break;
        case SIGN_LESS:
                angle_open(m, i);
                break;
        case SIGN_GREATER:
                angle_close(m, i, 1);
                break;
        case SIGN_SHIFT_RIGHT:
                angle_close(m, i, 2);
                break;
        case SIGN_SHIFT_RIGHT_UNSIGNED:
                angle_close(m, i, 3);
                break;
        case SIGN_SEMICOLON:
                m->angle = NO_TOKEN;
                break;
        }
}

int brackets_match(const Source *source, Brackets *ret) {
        _cleanup_free_ uint32_t *pair = calloc(source->n_tokens + 1, sizeof(*pair));
        Matcher m = {
                .source = source,
                .tokens = source->tokens,
                .pair = pair,
                .state = calloc(source->n_tokens + 1, sizeof(*m.state)),
                .top = NO_TOKEN,
                .angle = NO_TOKEN,
                .conditional = NO_TOKEN,
        };

        if (!pair || !m.state) {
                free(m.state);
                return -ENOMEM;
        }
        memset(pair, 0xff, (source->n_tokens + 1) * sizeof(*pair));
        for (uint32_t i = 0; i < source->n_tokens; i++)
                if (source->tokens[i].kind == TOKEN_SIGN)
                        sign_match(&m, i);
                else if (source->tokens[i].kind == TOKEN_DIRECTIVE)
                        directive_match(&m, i);
        free(m.state);
        *ret = (Brackets){ TAKE_PTR(pair), m.conditionals };
        return 0;
}
