/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/clashes.h"
#include "snippet/header-names.h"

enum {
        USED = 1 << 0,
        USED_PLAIN = 1 << 1,   /* without std:: before it */
        DECLARED = 1 << 2,     /* anywhere */
        DECLARED_TOP = 1 << 3, /* at the top level */
        COMPETES = 1 << 4,     /* declared where nothing hides the headers' one */
        OVERLOADS = 1 << 5,    /* a function of C++ at the top level: it stands beside the headers' one */
        CLASS = 1 << 6,        /* struct or class is said before it */
        FUNCTION = 1 << 7,     /* at the top level */
};

typedef struct Finder {
        const Pieces *pieces;
        const Source *source;
        const NameTable *table;
        uint8_t *uses;  /* by names of the table */
        bool allocates; /* operator new is among the program's functions */
        bool suffixes;  /* a literal's operator without an underscore is, as std has some */
        bool own_std;   /* the program defines a type of namespace std itself */
} Finder;

void clashes_done(Clashes *clashes) {
        text_done(&clashes->hidden);
        text_done(&clashes->overloaded);
        text_done(&clashes->classes);
        text_done(&clashes->needed_std);
        *clashes = (Clashes){};
}

/* const string s, static map<int, int> *m: what a name, a list of arguments or a pointer follows is the type
 * of what is declared. */
static bool is_type_of(const Token *token) {
        const Token *next = token + 1;

        if (next->kind == TOKEN_WORD)
                return !(next->class & (WORD_ATTRIBUTE | WORD_ASM | WORD_PARENS));
        return token_is_sign(next, SIGN_LESS) || token_is_sign(next, SIGN_SCOPE) ||
               token_is_sign(next, SIGN_STAR) || token_is_sign(next, SIGN_AND) ||
               token_is_sign(next, SIGN_AND_AND);
}

/* Whether the token at i stands where a name is declared: behind a type. top: at the top level, where what a
 * * or a comma precedes can be nothing else. */
static bool is_declared(const Source *source, uint32_t i, bool top) {
        const Token *token = &source->tokens[i];

        if (i == 0)
                return false;
        const Token *before = token - 1;
        /* struct tm t; uses the headers' one, struct tm { does not, nor does template<class T> struct tm; */
        if (before->kind == TOKEN_WORD && before->class & WORD_TAG)
                return token_is_sign(token + 1, SIGN_BRACE_OPEN) || token_is_sign(token + 1, SIGN_COLON) ||
                       (i > 1 && token_is_sign(token - 2, SIGN_GREATER) &&
                               token_is_sign(token + 1, SIGN_SEMICOLON));
        if (is_type_of(token))
                return false;
        if (before->kind == TOKEN_WORD)
                return !(before->class & (WORD_CONTROL | WORD_OPERATOR | WORD_CONSTANT)) &&
                       (before->word != WORD_USING || token_is_sign(token + 1, SIGN_ASSIGN)) &&
                       before->word != WORD_NAMESPACE;
        switch (before->kind == TOKEN_SIGN ? before->sign : SIGN_NONE) {
        case SIGN_STAR:
        case SIGN_AND:
        case SIGN_AND_AND:
                return top || (i > 1 && token[-2].class & WORD_TYPE);
        case SIGN_BRACE_CLOSE:
        case SIGN_COMMA:
                return top && token[1].kind == TOKEN_SIGN && token[1].sign != SIGN_PAREN_OPEN &&
                       token[1].sign != SIGN_SCOPE && token[1].sign != SIGN_LESS;
        case SIGN_GREATER:
        case SIGN_SHIFT_RIGHT:
                return top && source->dialect == DIALECT_CXX;
        default:
                return false;
        }
}

static void note(Finder *finder, const Token *token, uint8_t use) {
        size_t k = name_find(finder->table, finder->source->data + token->begin, token->end - token->begin);
        if (k != SIZE_MAX)
                finder->uses[k] |= use;
}

/* The names of an enumeration that the brace at i opens. */
static bool is_enumeration(const Source *source, uint32_t i) {
        return i > 0 && (source->tokens[i - 1].word == WORD_ENUM ||
                                (i > 1 && source->tokens[i - 1].kind == TOKEN_WORD &&
                                        source->tokens[i - 2].word == WORD_ENUM));
}

/* The types that the program defines in namespace std in place of the headers' ones; specializations, of
 * which the name goes on with <, need the headers. */
static void note_namespace(Finder *finder, const Piece *piece) {
        const Source *source = finder->source;
        const Token *first = &source->tokens[piece->first];

        if (first->word != WORD_NAMESPACE || !token_is(source, first + 1, "std"))
                return;
        for (uint32_t i = piece->first + 3; i < piece->end; i++) {
                const Token *token = &source->tokens[i];
                const uint32_t close = finder->pieces->brackets.pair[i];
                if (token->kind == TOKEN_WORD && token[-1].class & WORD_TAG &&
                        (token_is_sign(token + 1, SIGN_BRACE_OPEN) || token_is_sign(token + 1, SIGN_COLON)))
                        finder->own_std |= name_find(finder->table, source->data + token->begin,
                                                   token->end - token->begin) != SIZE_MAX;
                else if ((token_is_sign(token, SIGN_BRACE_OPEN) || token_is_sign(token, SIGN_LESS)) &&
                         close != NO_TOKEN && close < piece->end)
                        i = close;
        }
}

/* A function of the piece's: an overload if it is of C++, and not static. */
static uint8_t function_use(const Source *source, const Piece *piece) {
        for (uint32_t i = piece->first;
                i < piece->end && !token_is_sign(&source->tokens[i], SIGN_PAREN_OPEN); i++)
                if (source->tokens[i].word == WORD_STATIC)
                        return FUNCTION;
        return source->dialect == DIALECT_CXX ? FUNCTION | OVERLOADS : FUNCTION;
}

/* operator"" x, or operator""x, which is one literal with a suffix; suffixes with an underscore are the
 * program's alone. */
static bool is_literal_operator(const Source *source, const Token *name) {
        if (name->word != WORD_OPERATOR_FUNCTION || name[1].kind != TOKEN_STRING)
                return false;
        const bool apart = name[2].kind == TOKEN_WORD;
        const Token *token = apart ? &name[2] : &name[1];
        const size_t suffix = token->begin + (apart ? 0 : strlen("\"\""));
        return suffix < token->end && source->data[suffix] != '_';
}

/* Whether the parenthesis at i holds a declarator, as of a pointer to a function: int (*f)(int). */
static bool holds_declarator(const Source *source, uint32_t i) {
        const Token *inner = &source->tokens[i] + 1;

        if (!token_is_sign(inner - 1, SIGN_PAREN_OPEN))
                return false;
        /* R (A::*f)() */
        while (inner->kind == TOKEN_WORD && token_is_sign(inner + 1, SIGN_SCOPE))
                inner += 2;
        return token_is_sign(inner, SIGN_STAR) || token_is_sign(inner, SIGN_AND) ||
               token_is_sign(inner, SIGN_AND_AND);
}

/* What a piece declares at the top level. */
static void note_piece(Finder *finder, const Piece *piece) {
        const Source *source = finder->source;
        bool value = false, enumeration = false;

        if (piece->kind == PIECE_FUNCTION && piece->name != NO_TOKEN) {
                note(finder, &source->tokens[piece->name], DECLARED_TOP | function_use(source, piece));
                const Token *name = &source->tokens[piece->name];
                finder->allocates |= name->word == WORD_OPERATOR_FUNCTION && name[1].word == WORD_NEW;
                finder->suffixes |= is_literal_operator(source, name);
        }
        if (piece->kind == PIECE_NAMESPACE)
                note_namespace(finder, piece);
        if (piece->kind != PIECE_FUNCTION && piece->kind != PIECE_DECLARATION && piece->kind != PIECE_TYPE &&
                piece->kind != PIECE_USING)
                return;
        for (uint32_t i = piece->first; i < piece->end; i++) {
                const Token *token = &source->tokens[i];
                const uint32_t close = finder->pieces->brackets.pair[i];
                if (token_is_sign(token, SIGN_ASSIGN))
                        value = true;
                else if (token_is_sign(token, SIGN_COMMA))
                        value = false;
                else if (token->kind == TOKEN_WORD && !value &&
                         (enumeration || is_declared(source, i, true)))
                        note(finder, token,
                                DECLARED_TOP | (token_is_sign(token + 1, SIGN_PAREN_OPEN)
                                                               ? function_use(source, piece)
                                                               : 0));
                if (token_is_sign(token, SIGN_BRACE_OPEN) && is_enumeration(source, i))
                        enumeration = true;
                else if (token_is_sign(token, SIGN_BRACE_CLOSE))
                        enumeration = false;
                else if ((token_opens(token) || (token_is_sign(token, SIGN_LESS) && !value)) &&
                         (value || !holds_declarator(source, i)) && close != NO_TOKEN && close < piece->end)
                        i = close;
        }
}

static void note_tokens(Finder *finder) {
        const Source *source = finder->source;
        bool friend = false; /* within template<...> friend, before its parameters */

        for (uint32_t i = 0; i < source->n_tokens; i++) {
                const Token *token = &source->tokens[i];
                if (token->word == WORD_FRIEND)
                        friend = i > 0 && token_is_sign(token - 1, SIGN_GREATER);
                else if (friend && token_is_sign(token, SIGN_PAREN_OPEN)) {
                        note(finder, token - 1, COMPETES);
                        friend = false;
                } else if (token_is_sign(token, SIGN_SEMICOLON))
                        friend = false;
                /* What is a macro in C is a word of C++ itself. */
                if (token->kind != TOKEN_WORD ||
                        (source->dialect == DIALECT_CXX && token->word != WORD_NONE))
                        continue;
                const Token *before = i > 0 ? token - 1 : NULL;
                if (before && (token_is_sign(before, SIGN_DOT) || token_is_sign(before, SIGN_ARROW)))
                        continue;
                const bool scoped = before && token_is_sign(before, SIGN_SCOPE);
                const bool class =
                        before && (before->word == WORD_CLASS || token_is(source, before, "struct"));
                note(finder, token,
                        (scoped ? USED : USED | USED_PLAIN) | (class ? CLASS : 0) |
                                (is_declared(source, i, false) ? DECLARED : 0));
        }
        for (size_t i = 0; i < finder->pieces->n_macros; i++) {
                const Macro *macro = &finder->pieces->macros[i];
                note(finder, &(Token){ .begin = macro->begin, .end = macro->end }, DECLARED_TOP);
        }
}

/* A name of C that the program declares at its top level. */
static void note_hidden(const char *name, uint8_t uses, bool cxx, Clashes *clashes) {
        const bool called = cxx && name_is_in(&cxx_called_names, name);

        clashes->any_std |= called || (cxx && name_is_in(&cxx_shared_names, name));
        if (called && !called_declaration(name))
                return;
        text_append(uses & OVERLOADS ? &clashes->overloaded : &clashes->hidden, name, strlen(name) + 1);
        clashes->objects |= !(uses & FUNCTION);
        if (uses & CLASS)
                text_append(&clashes->classes, name, strlen(name) + 1);
}

static int find_in(const Pieces *pieces, const NameTable *table, bool std, Clashes *clashes) {
        _cleanup_free_ uint8_t *uses = calloc(table->n, 1);
        Finder finder = { .pieces = pieces, .source = pieces->source, .table = table, .uses = uses };
        const bool cxx = pieces->source->dialect == DIALECT_CXX;

        if (!uses)
                return -ENOMEM;
        note_tokens(&finder);
        for (size_t i = 0; i < pieces->n; i++)
                note_piece(&finder, &pieces->list[i]);

        clashes->any |= finder.allocates || finder.suffixes;
        clashes->any_std |= finder.suffixes;
        clashes->replaces |= finder.own_std;
        for (size_t i = 0; i < table->n; i++) {
                const char *name = name_at(table, i);
                clashes->any |= (uses[i] & COMPETES) != 0;
                if (uses[i] & DECLARED_TOP) {
                        clashes->any = true;
                        clashes->any_std |= std;
                        if (!std)
                                note_hidden(name, uses[i], cxx, clashes);
                } else if (uses[i] & USED && !(uses[i] & DECLARED)) {
                        clashes->needs = true;
                        if (std && uses[i] & USED_PLAIN)
                                text_append(&clashes->needed_std, name, strlen(name) + 1);
                }
        }
        return 0;
}

static bool uses_std(const Source *source) {
        for (size_t i = 0; i < source->n_tokens; i++)
                if (token_is(source, &source->tokens[i], "std"))
                        return true;
        return false;
}

int clashes_find(const Pieces *pieces, Clashes *ret) {
        _cleanup_clashes_ Clashes clashes = {};

        int r = find_in(pieces, &c_header_names, false, &clashes);
        if (r >= 0 && pieces->source->dialect == DIALECT_CXX) {
                r = find_in(pieces, &cxx_gnu_names, false, &clashes);
                if (r >= 0)
                        r = find_in(pieces, &std_header_names, true, &clashes);
                clashes.needs |= uses_std(pieces->source);
        }
        if (r < 0 || text_failed(&clashes.hidden) || text_failed(&clashes.overloaded) ||
                text_failed(&clashes.classes) || text_failed(&clashes.needed_std))
                return -ENOMEM;
        *ret = clashes;
        clashes = (Clashes){};
        return 0;
}
