/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is no statement: one scan from its first token to its end tells a declaration from a function's
 * definition, a type's and an expression. */

#include "snippet/declaration-scan.h"

/* So far a variable's declaration is looked for: no quadratic time. */
#define LOOK_BACK 1024

/* DEFINE_MAX(int): a call of one's own macro that is a function's definition; it needs no ;. */
static bool function_macro(const Reader *reader, uint32_t i, Piece *piece) {
        const Macro *macro =
                reader_kind(reader, i, TOKEN_WORD) ? pieces_macro(reader->pieces, &reader->tokens[i]) : NULL;

        if (!macro || macro->shape != MACRO_FUNCTION)
                return false;
        piece->kind = PIECE_DECLARATION;
        piece->file_only = piece->ended = true;
        piece->end = parens_skip(reader, i + 1);
        piece->end += reader_sign(reader, piece->end, SIGN_SEMICOLON);
        return true;
}

/* Behind A::A(int x) : a(x), b{x} of a constructor. */
static bool initializers_scan(Scan *s) {
        const Reader *reader = s->reader;
        uint32_t i = s->i;

        if (s->params == NO_TOKEN || s->initializer || s->operators)
                return false;
        do {
                i++;
                while (reader_kind(reader, i, TOKEN_WORD) || reader_sign(reader, i, SIGN_SCOPE) ||
                        (reader_sign(reader, i, SIGN_LESS) && reader->pair[i] != NO_TOKEN))
                        i = reader_sign(reader, i, SIGN_LESS) ? bracket_skip(reader, i) : i + 1;
                if (!reader_sign(reader, i, SIGN_PAREN_OPEN) && !reader_sign(reader, i, SIGN_BRACE_OPEN))
                        return false;
                i = bracket_skip(reader, i);
                if (reader_sign(reader, i, SIGN_ELLIPSIS))
                        i++;
        } while (reader_sign(reader, i, SIGN_COMMA));
        if (!reader_sign(reader, i, SIGN_BRACE_OPEN))
                return false;
        s->i = i;
        return true;
}

/* The number of names in (a, b, c); 0 if something else is in there. */
static uint32_t names_count(const Reader *reader, uint32_t open) {
        uint32_t close = reader->pair[open], n = 0;

        if (close == NO_TOKEN || close >= reader->n)
                return 0;
        for (uint32_t i = open + 1; i < close; i += 2) {
                if (!reader_kind(reader, i, TOKEN_WORD) || reader_class(reader, i, WORD_TYPE) ||
                        !(i + 1 == close || reader_sign(reader, i + 1, SIGN_COMMA)))
                        return 0;
                n++;
        }
        return n;
}

/* f(a, b) int a; char *b; { : the brace, if the parameters are declared that way; else NO_TOKEN. There are
 * no more declarations than parameters, so not all that follows is looked at. */
static uint32_t old_style_body(const Scan *s) {
        const Reader *reader = s->reader;
        uint32_t left, i = s->i;
        bool ended;

        if (reader->source->dialect != DIALECT_C || s->params == NO_TOKEN || s->operators || s->initializer)
                return NO_TOKEN;
        for (left = names_count(reader, s->params); left > 0; left--) {
                if (!reader_kind(reader, i, TOKEN_WORD) || reader_sign(reader, i + 1, SIGN_PAREN_OPEN))
                        return NO_TOKEN;
                i = semicolon_skip(reader, i, &ended);
                if (!ended)
                        return NO_TOKEN;
                while (reader_kind(reader, i, TOKEN_DIRECTIVE))
                        i++;
                if (reader_sign(reader, i, SIGN_BRACE_OPEN))
                        return i;
        }
        return NO_TOKEN;
}

/* What a call of one's own macro with a block behind it is. */
static bool is_statement_macro(const Scan *s) {
        const Token *name = &s->reader->tokens[s->name];
        if (s->name != s->piece->first)
                return false;
        const Macro *macro = pieces_macro(s->reader->pieces, name);
        return macro && macro->shape != MACRO_TYPE && macro->shape != MACRO_MAIN;
}

static void function_end(Scan *s) {
        const Reader *reader = s->reader;
        Piece *piece = s->piece;
        const Token *name = &reader->tokens[s->name];

        piece->kind = is_statement_macro(s) ? PIECE_STATEMENT : PIECE_FUNCTION;
        piece->file_only = piece->kind == PIECE_FUNCTION;
        piece->name = s->name;
        piece->main = name->word == WORD_MAIN && !s->qualified;
        piece->unclosed = reader->pair[s->i] == NO_TOKEN || reader->pair[s->i] >= reader->n;
        piece->ended = true;
        s->i = bracket_skip(reader, s->i);
        while (reader_word(reader, s->i, WORD_CATCH)) {
                s->i = parens_skip(reader, s->i + 1);
                if (reader_sign(reader, s->i, SIGN_BRACE_OPEN))
                        s->i = bracket_skip(reader, s->i);
        }
}

/* NAME { ... } where the name is a macro for "int main(void)" or the like. */
static bool macro_body(Scan *s) {
        const Reader *reader = s->reader;

        if (s->i != s->piece->first + 1 || !reader_kind(reader, s->piece->first, TOKEN_WORD))
                return false;
        const Macro *macro = pieces_macro(reader->pieces, &reader->tokens[s->piece->first]);
        if (!macro)
                return false;
        s->piece->kind =
                macro->shape == MACRO_TYPE || macro->shape == MACRO_MAIN ? PIECE_FUNCTION : PIECE_STATEMENT;
        s->piece->main = macro->shape == MACRO_MAIN;
        s->piece->file_only = s->piece->kind == PIECE_FUNCTION;
        s->piece->ended = true;
        s->i = bracket_skip(reader, s->i);
        return true;
}

/* A block that belongs to no function. True: the piece ends with it. */
static bool brace_scan(Scan *s) {
        const Reader *reader = s->reader;

        if (!s->initializer && !s->operators && s->params != NO_TOKEN) {
                function_end(s);
                return true;
        }
        if (macro_body(s))
                return true;
        if (reader->source->dialect == DIALECT_JAVA && s->i == s->piece->first + 1 &&
                reader_word(reader, s->piece->first, WORD_STATIC)) {
                s->piece->kind = PIECE_FUNCTION; /* static { ... } */
                s->piece->file_only = s->piece->ended = true;
                s->i = bracket_skip(reader, s->i);
                return true;
        }
        /* A lambda has brackets, a compound literal no ;. */
        if (!s->initializer && !s->brackets && brackets_hold_semicolon(reader, s->i))
                s->block = true;
        s->i = bracket_skip(reader, s->i);
        return false;
}

/* The token before i, attributes left out: f [[nodiscard]] (int x). */
static uint32_t before_attributes(const Reader *reader, uint32_t first, uint32_t i) {
        while (i > first + 1) {
                const uint32_t open = reader->pair[i - 1];
                if (reader_sign(reader, i - 1, SIGN_BRACKET_CLOSE) && open != NO_TOKEN && open > first &&
                        double_bracket(reader, open))
                        i = open;
                else if (reader_sign(reader, i - 1, SIGN_PAREN_CLOSE) && open != NO_TOKEN &&
                         open > first + 1 && reader_class(reader, open - 1, WORD_ATTRIBUTE))
                        i = open - 1;
                else
                        break;
        }
        return i - 1;
}

/* A ( : the parameters of what stands before it, or of the declarator in parentheses before it. */
static void paren_scan(Scan *s) {
        const Reader *reader = s->reader;
        const uint32_t first = s->piece->first, open = s->i;
        const uint32_t i = open > first ? before_attributes(reader, first, open) + 1 : first;
        const Token *before = i > first ? &reader->tokens[i - 1] : NULL;

        s->i = bracket_skip(reader, open);
        if (!before || s->trailing)
                return;
        if (before->kind == TOKEN_WORD &&
                !(before->class & (WORD_CONTROL | WORD_OPERATOR | WORD_CONSTANT))) {
                /* int (*f(void))(int) has its name within. */
                if (before->class & WORD_TYPE)
                        return;
                s->name = i - 1;
                s->params = open;
                s->qualified = i >= first + 2 && reader_sign(reader, i - 2, SIGN_SCOPE);
        } else if (token_is_sign(before, SIGN_PAREN_CLOSE) && reader->pair[i - 1] != NO_TOKEN) {
                /* int (main)(void), int (*f(void))(int): the name is the first word in there. */
                uint32_t inner = reader->pair[i - 1], k = inner + 1;
                while (k < i - 1 && !(reader_kind(reader, k, TOKEN_WORD) &&
                                            !reader_class(reader, k, WORD_TYPE | WORD_ATTRIBUTE)))
                        k++;
                if (k < i - 1 && (s->name == NO_TOKEN || inner == first)) {
                        s->name = k;
                        s->params = open;
                }
        } else if ((token_is_sign(before, SIGN_GREATER) || token_is_sign(before, SIGN_SHIFT_RIGHT)) &&
                   reader->source->dialect != DIALECT_C) {
                s->name = i - 1;
                s->params = open;
        }
}

/* One sign of the head. True: the piece ends here. */
static bool sign_scan(Scan *s) {
        const Reader *reader = s->reader;
        const uint32_t i = s->i++;

        switch (reader->tokens[i].sign) {
        case SIGN_PAREN_OPEN:
                s->i = i;
                paren_scan(s);
                return false;
        case SIGN_BRACKET_OPEN:
                s->brackets |= !double_bracket(reader, i);
                s->i = bracket_skip(reader, i);
                return false;
        case SIGN_BRACE_OPEN:
                s->i = i;
                return brace_scan(s);
        case SIGN_BRACE_CLOSE:
                s->i = i;
                return true;
        case SIGN_SEMICOLON:
                s->piece->ended = true;
                return true;
        case SIGN_LESS:
                if (reader->pair[i] == NO_TOKEN || reader->pair[i] >= reader->n ||
                        (!s->template && logical_angles(reader, i)))
                        s->operators = true;
                else
                        s->i = bracket_skip(reader, i);
                return false;
        case SIGN_ASSIGN:
                s->initializer = true;
                return false;
        case SIGN_COLON:
                s->i = i;
                if (initializers_scan(s)) {
                        function_end(s);
                        return true;
                }
                s->i = i + 1;
                return false;
        case SIGN_ARROW:
                if (s->params != NO_TOKEN && !s->operators && !s->initializer && (s->words || s->template))
                        s->trailing = true;
                else
                        s->operators = true;
                return false;
        case SIGN_STAR:
        case SIGN_AND:
        case SIGN_AND_AND:
        case SIGN_TILDE:
        case SIGN_SCOPE:
        case SIGN_COMMA:
        case SIGN_ELLIPSIS:
                return false;
        case SIGN_DOT:
                s->operators |= reader->source->dialect != DIALECT_JAVA;
                return false;
        case SIGN_AT: /* an annotation; @interface is none */
                if (!reader_class(reader, s->i, WORD_TAG))
                        s->i = parens_skip(reader, name_skip(reader, s->i));
                return false;
        default:
                s->operators = true;
                return false;
        }
}

/* int(3), int{3}: a value, where int (*f)(int) is a declaration. */
static bool is_functional_cast(const Scan *s) {
        const Reader *reader = s->reader;
        const uint32_t first = s->piece->first;
        const bool decltype =
                reader_class(reader, first, WORD_TYPE) && reader_class(reader, first, WORD_PARENS);
        const uint32_t i = decltype ? parens_skip(reader, first + 1) : first + 1;

        if (reader->source->dialect != DIALECT_CXX ||
                !(decltype || reader_class(reader, first, WORD_FUNCTIONAL)))
                return false;
        if (reader_sign(reader, i, SIGN_BRACE_OPEN))
                return true;
        if (!reader_sign(reader, i, SIGN_PAREN_OPEN))
                return false;
        const uint32_t behind = bracket_skip(reader, i);
        return !reader_sign(reader, behind, SIGN_PAREN_OPEN) &&
               !reader_sign(reader, behind, SIGN_BRACKET_OPEN) && !reader_sign(reader, behind, SIGN_ASSIGN);
}

/* int i = 1, j = 3; i < j > k: what stands before the < is a variable, declared with a type of the language.
 */
static bool compares_variable(const Scan *s, uint32_t i) {
        const Reader *reader = s->reader;
        const Token *name = &reader->tokens[i];
        const size_t size = name->end - name->begin;
        bool type = false, value = false;

        if (!reader_sign(reader, i + 1, SIGN_LESS) || reader->pair[i + 1] != i + 3 ||
                reader_class(reader, i + 2, WORD_TYPE))
                return false;
        for (uint32_t k = i > LOOK_BACK ? i - LOOK_BACK : 0; k < i; k++) {
                const Token *token = &reader->tokens[k];
                if (token->kind == TOKEN_SIGN && token->sign != SIGN_COMMA && token->sign != SIGN_STAR) {
                        value = token->sign == SIGN_ASSIGN;
                        type = type && value;
                } else if (token_is_sign(token, SIGN_COMMA))
                        value = false;
                else if (token->class & WORD_FUNCTIONAL)
                        type = true;
                else if (type && !value && token->kind == TOKEN_WORD && token->end - token->begin == size &&
                         memcmp(reader->source->data + token->begin, reader->source->data + name->begin,
                                 size) == 0)
                        return true;
        }
        return false;
}

/* TYPE name, TYPE *name = ..., TYPE (*name)(...): what begins with a name that no language knows. */
static bool declares(const Scan *s, uint32_t i) {
        const Reader *reader = s->reader;
        uint32_t behind = name_skip(reader, i);
        bool pointer = false;

        if (behind == i || compares_variable(s, i))
                return false;
        if (reader_class(reader, i, WORD_OPERATOR | WORD_CONSTANT))
                return false;
        if (reader_class(reader, behind, WORD_OPERATOR)) /* a and b */
                return false;
        if (reader_kind(reader, behind, TOKEN_WORD))
                return true;
        if (reader_sign(reader, behind, SIGN_PAREN_OPEN)) {
                i = name_skip(reader, behind + 1); /* A:: of a pointer to a member */
                return (i == behind + 1 || reader_sign(reader, i - 1, SIGN_SCOPE)) &&
                       reader_sign(reader, i, SIGN_STAR) && reader_kind(reader, i + 1, TOKEN_WORD) &&
                       reader_sign(reader, i + 2, SIGN_PAREN_CLOSE) &&
                       reader_sign(reader, i + 3, SIGN_PAREN_OPEN);
        }
        if (reader->source->dialect == DIALECT_JAVA)
                while (reader_sign(reader, behind, SIGN_BRACKET_OPEN) &&
                        reader_sign(reader, behind + 1, SIGN_BRACKET_CLOSE)) {
                        behind += 2;
                        if (reader_kind(reader, behind, TOKEN_WORD))
                                return true;
                }
        for (i = behind;
                reader_sign(reader, i, SIGN_STAR) || reader_sign(reader, i, SIGN_AND) ||
                reader_sign(reader, i, SIGN_AND_AND) || (reader_class(reader, i, WORD_TYPE) && pointer);
                i++)
                pointer = true;
        return pointer && reader_kind(reader, i, TOKEN_WORD) && reader_sign(reader, i + 1, SIGN_ASSIGN);
}

/* T A::x = 5; : the declared name is another scope's, so it belongs to the top level. */
static bool declares_member(const Scan *s) {
        const Reader *reader = s->reader;
        uint32_t i = s->piece->first;

        if (reader->source->dialect != DIALECT_CXX)
                return false;
        i = attributes_skip(reader, i);
        while (reader_class(reader, i, WORD_TYPE) && !reader_class(reader, i, WORD_TAG))
                i++;
        if (i == s->piece->first || !reader_class(reader, i - 1, WORD_FUNCTIONAL))
                i = name_skip(reader, i);
        while (reader_sign(reader, i, SIGN_STAR) || reader_sign(reader, i, SIGN_AND))
                i++;
        return reader_kind(reader, i, TOKEN_WORD) &&
               reader_sign(reader, angles_skip(reader, i + 1), SIGN_SCOPE);
}

/* inline and constinit are said of what is no function's own. */
static bool declares_global(const Scan *s) {
        const Reader *reader = s->reader;

        if (reader->source->dialect != DIALECT_CXX)
                return false;
        for (uint32_t i = s->piece->first; reader_class(reader, i, WORD_TYPE); i++)
                if (reader_word(reader, i, WORD_INLINE) ||
                        token_is(reader->source, &reader->tokens[i], "constinit"))
                        return true;
        return false;
}

/* Java's types need no ;. */
static bool type_ends(const Scan *s) {
        return s->reader->source->dialect == DIALECT_JAVA && s->body;
}

/* A class of Java with the program's main(). */
static bool holds_main(const Scan *s) {
        const Reader *reader = s->reader;

        for (uint32_t i = s->piece->first + 1; i < s->piece->end; i++)
                if (reader_word(reader, i, WORD_MAIN) && reader_sign(reader, i + 1, SIGN_PAREN_OPEN) &&
                        reader_class(reader, i - 1, WORD_TYPE) &&
                        token_is(reader->source, &reader->tokens[i - 1], "void"))
                        return true;
        return false;
}

static PieceKind plain_kind(const Scan *s) {
        const Reader *reader = s->reader;
        const Piece *piece = s->piece;
        const uint32_t i = attributes_skip(reader, annotations_skip(reader->pieces, piece));

        if (type_ends(s))
                return PIECE_TYPE;
        if (s->block)
                return PIECE_UNKNOWN;
        if (reader_word(reader, i, WORD_STATIC_ASSERT))
                return PIECE_DECLARATION;
        if (reader_word(reader, i, WORD_TYPEDEF))
                return PIECE_TYPE;
        if (s->body && !s->initializer && !s->operators && s->params == NO_TOKEN &&
                reader_sign(reader, s->i - 1 - piece->ended, SIGN_BRACE_CLOSE))
                return PIECE_TYPE;
        if (piece->file_only || s->body)
                return PIECE_DECLARATION;
        if (reader_class(reader, piece->first, WORD_TYPE) || reader_class(reader, i, WORD_TYPE))
                return is_functional_cast(s) ? PIECE_EXPRESSION : PIECE_DECLARATION;
        return declares(s, i) ? PIECE_DECLARATION : PIECE_EXPRESSION;
}

void declaration_read(const Reader *reader, uint32_t i, Piece *piece) {
        Scan scan = { .reader = reader, .piece = piece, .i = i, .params = NO_TOKEN, .name = NO_TOKEN };
        bool ends = false;

        if (function_macro(reader, i, piece))
                return;
        if (reader_word(reader, i, WORD_EXTERN) && reader_kind(reader, i + 1, TOKEN_STRING) &&
                reader->source->dialect == DIALECT_CXX) {
                piece->file_only = true;
                scan.i = i + 2;
        }
        /* [...] at the start is a lambda: no function follows. */
        if (reader_sign(reader, i, SIGN_BRACKET_OPEN) && !double_bracket(reader, i))
                scan.operators = true;

        while (!ends && scan.i < reader->n) {
                const Token *token = &reader->tokens[scan.i];
                if (token->kind == TOKEN_WORD) {
                        const uint32_t body =
                                scan.params != NO_TOKEN && scan.i > i &&
                                                reader_sign(reader, scan.i - 1, SIGN_PAREN_CLOSE)
                                        ? old_style_body(&scan)
                                        : NO_TOKEN;
                        if (body != NO_TOKEN) {
                                scan.i = body;
                                function_end(&scan);
                                piece->end = scan.i;
                                return;
                        }
                        scan_word(&scan);
                        ends = type_ends(&scan);
                } else if (token->kind == TOKEN_SIGN)
                        ends = sign_scan(&scan);
                else {
                        if (token->kind != TOKEN_DIRECTIVE)
                                scan.operators = true;
                        scan.i++;
                }
        }
        piece->end = scan.i;
        if (piece->kind != PIECE_UNKNOWN)
                return;
        piece->kind = plain_kind(&scan);
        piece->assigned = scan.initializer;
        if (type_ends(&scan)) {
                piece->ended = true;
                piece->main = holds_main(&scan);
        }
        if (piece->kind == PIECE_DECLARATION && (declares_member(&scan) || declares_global(&scan)))
                piece->file_only = true;
}
