/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the words of a declaration say: types with bodies, operators, templates, attributes. */

#include "snippet/declaration-scan.h"

/* class NAME<T> extends A implements B { ... }, record NAME(int a, int b) { ... } */
static void java_type_scan(Scan *s) {
        const Reader *reader = s->reader;
        uint32_t i = s->i + 1;

        if (reader_kind(reader, i, TOKEN_WORD))
                s->piece->name = i++;
        while (i < reader->n && !reader_sign(reader, i, SIGN_BRACE_OPEN) &&
                !reader_sign(reader, i, SIGN_SEMICOLON) && !reader_sign(reader, i, SIGN_BRACE_CLOSE))
                i = reader_sign(reader, i, SIGN_PAREN_OPEN) ? bracket_skip(reader, i) : i + 1;
        s->body = reader_sign(reader, i, SIGN_BRACE_OPEN);
        s->i = s->body ? bracket_skip(reader, i) : i;
}

/* struct NAME : BASES { ... }, from its first word; what has no body ends before what follows the name. */
static void tag_scan(Scan *s) {
        const Reader *reader = s->reader;
        uint32_t i = s->i + 1, name = NO_TOKEN;

        if (reader->source->dialect == DIALECT_JAVA) {
                java_type_scan(s);
                return;
        }
        if (reader_class(reader, i, WORD_TAG)) /* enum class */
                i++;
        i = attributes_skip(reader, i);
        /* The first word is the name, whatever a header makes of it (struct complex); const may be the next.
         */
        while (reader_kind(reader, i, TOKEN_WORD) &&
                (name == NO_TOKEN || !reader_class(reader, i, WORD_TYPE))) {
                name = i;
                i = angles_skip(reader, i + 1);
                if (reader_sign(reader, i, SIGN_SCOPE))
                        i++;
                else
                        break;
        }
        s->i = i;
        while (reader_kind(reader, i, TOKEN_WORD) && token_is(reader->source, &reader->tokens[i], "final"))
                i++;
        if (reader_sign(reader, i, SIGN_COLON))
                while (i < reader->n && !reader_sign(reader, i, SIGN_BRACE_OPEN) &&
                        !reader_sign(reader, i, SIGN_SEMICOLON))
                        i = reader_sign(reader, i, SIGN_PAREN_OPEN) ? bracket_skip(reader, i) : i + 1;
        if (!reader_sign(reader, i, SIGN_BRACE_OPEN))
                return;
        s->body = true;
        s->piece->name = name;
        s->i = bracket_skip(reader, i);
}

/* The clause behind requires; one that begins with requires again has parameters and a body. */
static void requires_scan(Scan *s) {
        const Reader *reader = s->reader;
        const bool expression = s->i > 0 && (reader_word(reader, s->i - 1, WORD_REQUIRES) ||
                                                    reader_sign(reader, s->i - 1, SIGN_AND_AND) ||
                                                    reader_sign(reader, s->i - 1, SIGN_OR_OR));

        s->i = parens_skip(reader, s->i + 1);
        if (expression && reader_sign(reader, s->i, SIGN_BRACE_OPEN))
                s->i = bracket_skip(reader, s->i);
}

/* The name of an operator's function, up to its parameters. */
static void operator_scan(Scan *s) {
        const Reader *reader = s->reader;
        uint32_t i = s->i + 1;

        s->name = s->i;
        if (reader_sign(reader, i, SIGN_PAREN_OPEN))
                i = bracket_skip(reader, i);
        while (i < reader->n && !reader_sign(reader, i, SIGN_PAREN_OPEN) &&
                !reader_sign(reader, i, SIGN_SEMICOLON) && !reader_sign(reader, i, SIGN_BRACE_OPEN))
                i++;
        if (reader_sign(reader, i, SIGN_PAREN_OPEN)) {
                s->params = i;
                i = bracket_skip(reader, i);
        }
        s->i = i;
}

void scan_word(Scan *s) {
        const Reader *reader = s->reader;
        const Token *token = &reader->tokens[s->i];

        if (token->class & WORD_TAG && s->params == NO_TOKEN && !s->initializer) {
                tag_scan(s);
                return;
        }
        if (token->class & (WORD_ATTRIBUTE | WORD_PARENS)) {
                s->i = parens_skip(reader, s->i + 1);
                return;
        }
        switch (token->word) {
        case WORD_TEMPLATE:
                s->template = s->piece->file_only = true;
                s->i = angles_skip(reader, s->i + 1);
                return;
        case WORD_REQUIRES:
                requires_scan(s);
                return;
        case WORD_OPERATOR_FUNCTION:
                operator_scan(s);
                return;
        case WORD_RECORD:
                if (reader_kind(reader, s->i + 1, TOKEN_WORD) && s->params == NO_TOKEN &&
                        (reader_sign(reader, s->i + 2, SIGN_PAREN_OPEN) ||
                                reader_sign(reader, s->i + 2, SIGN_LESS))) {
                        java_type_scan(s);
                        return;
                }
                break;
        case WORD_THROWS:
                while (s->i < reader->n && !reader_sign(reader, s->i, SIGN_BRACE_OPEN) &&
                        !reader_sign(reader, s->i, SIGN_SEMICOLON))
                        s->i++;
                return;
        case WORD_CONCEPT:
                s->piece->file_only = true;
                break;
        default:
                break;
        }
        if (token->class & WORD_OPERATOR)
                s->operators = true;
        if (s->i > s->piece->first && !s->operators && !s->initializer) {
                const Token *before = token - 1;
                if (before->kind == TOKEN_WORD && !(before->class & WORD_CONSTANT))
                        s->words = true;
        }
        s->i++;
}
