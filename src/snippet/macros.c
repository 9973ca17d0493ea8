/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The macros that a source defines. Their shape alone counts: whether a call of one is a statement, and
 * whether one stands for main(). */

#include "snippet/pieces.h"

static int compare(const char *a, size_t n, const char *b, size_t m) {
        int r = memcmp(a, b, MIN(n, m));

        return r != 0 ? r : (n > m) - (n < m);
}

static int compare_macros(const void *a, const void *b, void *data) {
        const Macro *x = a, *y = b;
        const char *text = data;

        return compare(text + x->begin, x->end - x->begin, text + y->begin, y->end - y->begin);
}

/* TYPE NAME(PARAMETERS) { ... } and nothing else; what a name is pasted together from may stand there. */
static bool defines_function(const Source *line, size_t first) {
        size_t depth = 0, i = first;

        while (i < line->n_tokens && !token_opens(&line->tokens[i]))
                i++;
        if (i < first + 2 || !token_is_sign(&line->tokens[i], SIGN_PAREN_OPEN))
                return false;
        for (bool body = false; i < line->n_tokens; i++) {
                const Token *token = &line->tokens[i];

                depth += token_opens(token);
                if (depth == 0 || !token_closes(token) || --depth > 0)
                        continue;
                if (body)
                        return i + 1 == line->n_tokens;
                body = token_is_sign(token + 1, SIGN_BRACE_OPEN);
                if (!body)
                        return false;
        }
        return false;
}

/* The tokens of a definition behind its parameters. */
static MacroShape shape(const Source *line, size_t first) {
        const Token *token = &line->tokens[MIN(first, line->n_tokens)];
        MacroShape shape = MACRO_OTHER;

        if (token_is_sign(token, SIGN_BRACE_OPEN) || token->class & WORD_CONTROL)
                shape = MACRO_STATEMENT;
        else if (token->class & (WORD_TYPE | WORD_ATTRIBUTE))
                shape = MACRO_TYPE;
        for (size_t i = first; i < line->n_tokens; i++)
                if (line->tokens[i].word == WORD_MAIN)
                        return MACRO_MAIN;
        return shape != MACRO_STATEMENT && defines_function(line, first) ? MACRO_FUNCTION : shape;
}

/* The directive is lexed by itself: its name, then what it defines. */
static int macro_add(const Source *source, const Token *directive, Macro *macro) {
        _cleanup_source_ Source line = {};
        const char *text = source->data + directive->begin;
        const size_t size = directive->end - directive->begin;
        size_t skip = 0, i = 1;

        while (skip < size && memcmp(text + skip, "define", MIN(size - skip, 6)) != 0)
                skip++;
        int r = source_read(text + skip, size - skip, source->dialect, true, &line);
        if (r < 0)
                return r;
        if (line.n_tokens < 2 || line.tokens[1].kind != TOKEN_WORD)
                return 0;

        const Token *name = &line.tokens[i++];
        if (line.tokens[i].begin == name->end && token_is_sign(&line.tokens[i], SIGN_PAREN_OPEN)) {
                while (i < line.n_tokens && !token_is_sign(&line.tokens[i], SIGN_PAREN_CLOSE))
                        i++;
                i++;
        }
        const size_t base = directive->begin + skip;
        *macro = (Macro){ base + name->begin, base + name->end, shape(&line, i) };
        return 1;
}

int macros_find(const Source *source, Macro **ret, size_t *ret_n) {
        _cleanup_free_ Macro *macros = NULL;
        size_t n = 0;

        for (size_t i = 0; i < source->n_tokens; i++)
                n += source->tokens[i].kind == TOKEN_DIRECTIVE && source->tokens[i].sign == DIRECTIVE_DEFINE;
        *ret = NULL;
        *ret_n = 0;
        if (n == 0)
                return 0;
        macros = calloc(n, sizeof(*macros));
        if (!macros)
                return -ENOMEM;

        n = 0;
        for (size_t i = 0; i < source->n_tokens; i++) {
                const Token *token = &source->tokens[i];
                if (token->kind != TOKEN_DIRECTIVE || token->sign != DIRECTIVE_DEFINE)
                        continue;
                int r = macro_add(source, token, &macros[n]);
                if (r < 0)
                        return r;
                n += r;
        }
        qsort_r(macros, n, sizeof(*macros), compare_macros, (void *)source->data);
        *ret = TAKE_PTR(macros);
        *ret_n = n;
        return 0;
}

const Macro *pieces_macro(const Pieces *pieces, const Token *name) {
        const char *text = pieces->source->data;
        size_t low = 0, high = pieces->n_macros;

        while (low < high) {
                const Macro *macro = &pieces->macros[(low + high) / 2];
                int r = compare(text + name->begin, name->end - name->begin, text + macro->begin,
                        macro->end - macro->begin);
                if (r == 0)
                        return macro;
                if (r > 0)
                        low = (low + high) / 2 + 1;
                else
                        high = (low + high) / 2;
        }
        return NULL;
}
