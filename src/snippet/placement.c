/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/placement.h"

typedef struct WordSet {
        uint32_t *slots; /* tokens, NO_TOKEN: free */
        size_t n;        /* a power of two */
} WordSet;

typedef struct Placer {
        Pieces *pieces;
        const Source *source;
        uint8_t *places;
        WordSet words;    /* of all that goes to the top level, from the last piece to the first */
        WordSet declared; /* names that declarations had so far */
        bool functions;   /* something other than assembler follows that belongs to the top level */
} Placer;

/* Pieces that go together: one, or all that a conditional holds. */
typedef struct Group {
        size_t first, end;
        bool file_only, main_only, directives_only, defines, nested, function;
} Group;

void placement_done(Placement *placement) {
        free(placement->places);
        *placement = (Placement){};
}

static size_t word_slot(const WordSet *set, const Source *source, const Token *token) {
        const char *data = source->data + token->begin;
        const size_t size = token->end - token->begin;
        uint32_t hash = 2166136261;

        for (size_t i = 0; i < size; i++)
                hash = (hash ^ (uint8_t)data[i]) * 16777619;
        for (size_t k = hash & (set->n - 1);; k = (k + 1) & (set->n - 1)) {
                const Token *other = &source->tokens[set->slots[k] == NO_TOKEN ? 0 : set->slots[k]];
                if (set->slots[k] == NO_TOKEN ||
                        (other->end - other->begin == size &&
                                memcmp(source->data + other->begin, data, size) == 0))
                        return k;
        }
}

static int words_start(WordSet *set, size_t n_tokens) {
        for (set->n = 16; set->n < 2 * n_tokens;)
                set->n *= 2;
        set->slots = malloc(set->n * sizeof(*set->slots));
        if (!set->slots)
                return -ENOMEM;
        memset(set->slots, 0xff, set->n * sizeof(*set->slots));
        return 0;
}

static void word_add(const Placer *placer, WordSet *set, uint32_t i) {
        set->slots[word_slot(set, placer->source, &placer->source->tokens[i])] = i;
}

static void words_add(Placer *placer, const Piece *piece) {
        for (uint32_t i = piece->first; i < piece->end; i++)
                if (placer->source->tokens[i].kind == TOKEN_WORD)
                        word_add(placer, &placer->words, i);
}

static bool words_have(const Placer *placer, const WordSet *set, const Token *token) {
        return set->slots[word_slot(set, placer->source, token)] != NO_TOKEN;
}

/* Whether the bracket at i may hold names that the declaration declares: enum { A }, int (*f)(int),
 * auto [a, b]; parameters, bounds and members are others' affairs. */
static bool holds_names(const Token *tokens, uint32_t first, uint32_t i) {
        if (i == first)
                return true;
        const Token *before = &tokens[i - 1];
        if (token_is_sign(&tokens[i], SIGN_BRACE_OPEN))
                return before->word == WORD_ENUM || (i > first + 1 && before[-1].word == WORD_ENUM);
        if (token_is_sign(&tokens[i], SIGN_PAREN_OPEN) && token_is_sign(&tokens[i + 1], SIGN_STAR))
                return true;
        return before->kind == TOKEN_WORD
                       ? before->class & WORD_TYPE && !(before->class & WORD_PARENS)
                       : token_is_sign(before, SIGN_STAR) || token_is_sign(before, SIGN_AND) ||
                                 token_is_sign(before, SIGN_AND_AND);
}

/* Behind a name that is declared stands neither another name nor what makes it a part of a type. */
static bool is_name(const Pieces *pieces, uint32_t i) {
        const Token *token = &pieces->source->tokens[i], *next = token + 1;

        if (token->kind != TOKEN_WORD || token->class != 0)
                return false;
        if (next->kind == TOKEN_WORD)
                return next->class & (WORD_ATTRIBUTE | WORD_ASM);
        return !token_is_sign(next, SIGN_SCOPE) && !token_is_sign(next, SIGN_STAR) &&
               !token_is_sign(next, SIGN_AND) && !token_is_sign(next, SIGN_AND_AND) &&
               !(token_is_sign(next, SIGN_LESS) && pieces->brackets.pair[i + 1] != NO_TOKEN);
}

/* The next name that a piece declares, from its token i on; its end if there is none. */
static uint32_t declared_next(const Pieces *pieces, const Piece *piece, uint32_t i) {
        const Token *tokens = pieces->source->tokens;
        bool value = false;

        for (; i < piece->end; i++) {
                if (token_is_sign(&tokens[i], SIGN_ASSIGN))
                        value = true;
                else if (token_is_sign(&tokens[i], SIGN_COMMA))
                        value = false;
                else if (!value && is_name(pieces, i))
                        return i;
                const uint32_t close = pieces->brackets.pair[i];
                if (close == NO_TOKEN || close <= i || close >= piece->end)
                        continue;
                if (token_is_sign(&tokens[i], SIGN_LESS) ||
                        (token_opens(&tokens[i]) && (value || !holds_names(tokens, piece->first, i))))
                        i = close;
        }
        return piece->end;
}

/* Whether something that goes to the top level uses what the piece declares. */
static bool is_needed(const Placer *placer, const Piece *piece) {
        for (uint32_t i = piece->first; (i = declared_next(placer->pieces, piece, i)) < piece->end; i++)
                if (words_have(placer, &placer->words, &placer->source->tokens[i]))
                        return true;
        return false;
}

/* What is declared behind something of the top level and was declared before is of the top level too, for
 * a block knows a name but once: extern int n; int f() { return n; } int n = 5; */
static bool is_declared_again(Placer *placer, const Group *group, bool top_level) {
        bool again = false;

        for (size_t k = group->first; k < group->end; k++) {
                const Piece *piece = &placer->pieces->list[k];
                if (piece->kind != PIECE_DECLARATION)
                        continue;
                for (uint32_t i = piece->first; (i = declared_next(placer->pieces, piece, i)) < piece->end;
                        i++) {
                        if (top_level && words_have(placer, &placer->declared, &placer->source->tokens[i])) {
                                word_add(placer, &placer->words, i);
                                again = true;
                        }
                        word_add(placer, &placer->declared, i);
                }
        }
        return again;
}

/* Whether the initializers are constant, by their looks: no calls, no names but those of constants. */
static bool is_constant(const Pieces *pieces, const Piece *piece) {
        const Token *tokens = pieces->source->tokens;
        uint32_t i = piece->first;

        if (!piece->assigned)
                return pieces->source->dialect == DIALECT_C || piece->kind != PIECE_DECLARATION;
        while (i < piece->end && !token_is_sign(&tokens[i], SIGN_ASSIGN))
                i++;
        for (; i < piece->end; i++) {
                if (tokens[i].kind != TOKEN_WORD || tokens[i].class != 0)
                        continue;
                const char first = pieces->source->data[tokens[i].begin];
                const bool designator = token_is_sign(&tokens[i - 1], SIGN_DOT);
                const bool address = token_is_sign(&tokens[i - 1], SIGN_AND);
                if (token_is_sign(&tokens[i + 1], SIGN_PAREN_OPEN) ||
                        (first >= 'a' && first <= 'z' && !designator && !address))
                        return false;
        }
        return true;
}

uint32_t declaration_split(const Pieces *pieces, const Piece *piece) {
        const Token *tokens = pieces->source->tokens;

        if (piece->kind != PIECE_DECLARATION || !piece->ended || pieces->source->dialect != DIALECT_C ||
                is_constant(pieces, piece))
                return NO_TOKEN;
        for (uint32_t i = piece->first; i < piece->end; i++) {
                if (token_is_sign(&tokens[i], SIGN_ASSIGN))
                        return i > piece->first && tokens[i - 1].kind == TOKEN_WORD &&
                                               !token_is_sign(&tokens[i + 1], SIGN_BRACE_OPEN) &&
                                               declared_next(pieces, piece, i) == piece->end
                                       ? i
                                       : NO_TOKEN;
                if (token_opens(&tokens[i]) || token_is_sign(&tokens[i], SIGN_COMMA) ||
                        tokens[i].kind == TOKEN_DIRECTIVE || tokens[i].word == WORD_STATIC ||
                        token_is(pieces->source, &tokens[i], "const"))
                        return NO_TOKEN;
        }
        return NO_TOKEN;
}

/* Where all conditionals that the piece begins have ended; behind the piece if it begins none. */
static uint32_t conditional_end(const Pieces *pieces, const Piece *piece) {
        uint32_t end = piece->end;

        if (!pieces->brackets.conditionals)
                return end;
        for (uint32_t i = piece->first; i < piece->end; i++) {
                const Token *token = &pieces->source->tokens[i];
                if (token->kind != TOKEN_DIRECTIVE || token->sign != DIRECTIVE_IF)
                        continue;
                uint32_t endif = pieces->brackets.pair[i];
                end = endif == NO_TOKEN ? (uint32_t)pieces->source->n_tokens : MAX(end, endif + 1);
        }
        return end;
}

static bool is_statement(const Piece *piece) {
        switch (piece->kind) {
        case PIECE_EXPRESSION:
        case PIECE_STATEMENT:
        case PIECE_LABEL:
        case PIECE_BLOCK:
        case PIECE_UNKNOWN:
                return true;
        case PIECE_ASM:
                return !piece->file_only;
        default:
                return false;
        }
}

static Group group_read(const Pieces *pieces, size_t i) {
        Group group = { .first = i, .end = i, .directives_only = true };
        uint32_t end = 0;

        do {
                const Piece *piece = &pieces->list[group.end++];
                end = MAX(end, conditional_end(pieces, piece));
                group.file_only |= piece->file_only;
                group.main_only |= is_statement(piece);
                group.function |= piece->file_only && piece->kind != PIECE_ASM;
                if (piece->kind != PIECE_DIRECTIVE) {
                        group.directives_only = false;
                        for (uint32_t k = piece->first; k < piece->end && pieces->brackets.conditionals; k++)
                                group.nested |= pieces->source->tokens[k].kind == TOKEN_DIRECTIVE;
                        continue;
                }
                const uint8_t directive = pieces->source->tokens[piece->first].sign;
                group.defines |= directive == DIRECTIVE_DEFINE || directive == DIRECTIVE_UNDEF;
        } while (group.end < pieces->n && pieces->list[group.end].first < end);
        return group;
}

bool comment_between(const Source *source, size_t begin, size_t end) {
        size_t low = 0, high = source->n_comments;

        while (low < high) {
                size_t middle = (low + high) / 2;
                if (source->comments[middle].begin < begin)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < source->n_comments && source->comments[low].begin < end;
}

/* Directives and usings at the beginning. A directive that swallows what follows is left where it is. */
static size_t head_place(Placer *placer) {
        const Pieces *pieces = placer->pieces;
        size_t i = 0;

        while (i < pieces->n) {
                const Piece *piece = &pieces->list[i];
                const Group group = group_read(pieces, i);
                const Token *last = &placer->source->tokens[pieces->list[group.end - 1].end - 1];
                if ((piece->kind != PIECE_USING && !group.directives_only) || last->unterminated ||
                        comment_between(placer->source,
                                i > 0 ? placer->source->tokens[piece->first - 1].end : 0,
                                placer->source->tokens[piece->first].begin))
                        break;
                for (; i < group.end; i++)
                        placer->places[i] = PLACE_HEAD;
        }
        return i;
}

/* Java's imports come before all classes, wherever they were written. A package is where the class would
 * have to lie; a single source is in none. */
static void imports_place(Placer *placer) {
        const Pieces *pieces = placer->pieces;

        for (size_t i = 0; i < pieces->n; i++)
                if (pieces->list[i].kind == PIECE_USING)
                        placer->places[i] =
                                placer->source->tokens[pieces->list[i].first].word == WORD_PACKAGE
                                        ? PLACE_NONE
                                        : PLACE_HEAD;
}

static void group_place(Placer *placer, const Group *group, Place place) {
        for (size_t i = group->first; i < group->end; i++) {
                placer->places[i] = place;
                if (place != PLACE_MAIN)
                        words_add(placer, &placer->pieces->list[i]);
        }
}

/* A conditional that holds functions and statements: each goes where it belongs, the directives with both.
 */
static void group_divide(Placer *placer, const Group *group) {
        for (size_t i = group->first; i < group->end; i++) {
                const Piece *piece = &placer->pieces->list[i];
                placer->places[i] = piece->kind == PIECE_DIRECTIVE ? PLACE_BOTH
                                    : is_statement(piece)          ? PLACE_MAIN
                                                                   : PLACE_FILE;
                if (placer->places[i] == PLACE_FILE)
                        words_add(placer, piece);
        }
}

/* Something before the last piece that belongs to the top level. */
static void group_decide(Placer *placer, const Group *group, bool statement_before) {
        const Piece *piece = &placer->pieces->list[group->first];

        if (group->file_only && group->main_only) {
                if (group->defines || group->nested || group->end == group->first + 1)
                        group_place(placer, group, PLACE_MAIN);
                else
                        group_divide(placer, group);
        } else if (group->main_only)
                group_place(placer, group, PLACE_MAIN);
        else if (group->file_only || group->end > group->first + 1 || piece->kind != PIECE_DECLARATION)
                group_place(placer, group, piece->kind == PIECE_EMPTY ? PLACE_MAIN : PLACE_FILE);
        else if (is_needed(placer, piece)) {
                bool split = declaration_split(placer->pieces, piece) != NO_TOKEN;
                group_place(placer, group, split ? PLACE_SPLIT : PLACE_FILE);
        } else
                group_place(placer, group,
                        !statement_before && placer->functions && placer->source->dialect != DIALECT_JAVA &&
                                        is_constant(placer->pieces, piece)
                                ? PLACE_FILE
                                : PLACE_MAIN);
}

/* Everything before the last piece that belongs to the top level, from the last to the first: what is needed
 * there is known when its declaration is met. */
static int pieces_place(Placer *placer, size_t head) {
        const Pieces *pieces = placer->pieces;
        _cleanup_free_ Group *groups = calloc(pieces->n + 1, sizeof(*groups));
        _cleanup_free_ bool *statement_before = calloc(pieces->n + 1, sizeof(*statement_before));
        size_t n = 0, last = 0;
        bool statement = false, top_level = false;

        if (!groups || !statement_before)
                return -ENOMEM;
        int r = words_start(&placer->words, placer->source->n_tokens);
        if (r >= 0)
                r = words_start(&placer->declared, placer->source->n_tokens);
        if (r < 0)
                return r;
        for (size_t i = head; i < pieces->n; i = groups[n++].end) {
                groups[n] = group_read(pieces, i);
                statement_before[n] = statement;
                statement |= groups[n].main_only;
                top_level |= groups[n].file_only ||
                             placer->source->tokens[pieces->list[i].first].word == WORD_EXTERN;
                if (groups[n].file_only || (pieces->list[i].kind == PIECE_STRAY && !statement) ||
                        is_declared_again(placer, &groups[n], top_level))
                        last = n + 1;
        }
        if (last == 0)
                return 0;
        if (placer->source->dialect == DIALECT_JAVA) {
                /* Members know each other in any order. */
                last = n;
                for (size_t i = head; i < pieces->n; i++)
                        if (pieces->list[i].file_only)
                                words_add(placer, &pieces->list[i]);
        }
        while (last-- > 0) {
                group_decide(placer, &groups[last], statement_before[last]);
                placer->functions |= groups[last].function;
        }
        return 0;
}

/* The piece that is a block and all that would go into main(), or n. */
static size_t only_block(const Pieces *pieces) {
        size_t block = pieces->n;

        for (size_t i = 0; i < pieces->n; i++) {
                const Piece *piece = &pieces->list[i];
                if (piece->kind == PIECE_BLOCK && block == pieces->n && !piece->unclosed)
                        block = i;
                else if (is_statement(piece) || piece->kind == PIECE_DECLARATION ||
                         piece->kind == PIECE_TYPE || block < i)
                        return pieces->n;
        }
        return block;
}

static void find_main(const Pieces *pieces, Placement *placement) {
        for (size_t i = 0; i < pieces->n; i++)
                if (pieces->list[i].main) {
                        placement->complete = true;
                        placement->main_class |= pieces->list[i].kind == PIECE_TYPE;
                }
}

/* Of two ; with nothing between them one is enough; the first may be the end of a statement. */
static void drop_empty(Placer *placer) {
        const Pieces *pieces = placer->pieces;
        bool ended = true;

        for (size_t i = 0; i < pieces->n; i++) {
                const Piece *piece = &pieces->list[i];
                const bool drop = piece->kind == PIECE_EMPTY && ended;
                if (drop)
                        placer->places[i] = PLACE_NONE;
                ended = piece->ended && !drop && piece->kind != PIECE_LABEL &&
                        piece->kind != PIECE_DIRECTIVE;
        }
}

/* Whether a declaration of Java says that it is a member. */
static bool says_member(const Pieces *pieces, const Piece *piece) {
        const Token *tokens = pieces->source->tokens;

        for (uint32_t i = annotations_skip(pieces, piece); i < piece->end; i++) {
                if (!(tokens[i].class & WORD_TYPE) || tokens[i].class & WORD_CONTROL)
                        break;
                if (tokens[i].word == WORD_STATIC || tokens[i].word == WORD_PUBLIC)
                        return true;
        }
        return false;
}

/* Java's types are members where a method or another type may speak of them, and where they say so. */
static void java_members(Pieces *pieces) {
        size_t types = 0, functions = 0;

        for (size_t i = 0; i < pieces->n; i++) {
                types += pieces->list[i].kind == PIECE_TYPE;
                functions += pieces->list[i].kind == PIECE_FUNCTION;
        }
        for (size_t i = 0; i < pieces->n; i++) {
                Piece *piece = &pieces->list[i];
                if (piece->kind == PIECE_TYPE)
                        piece->file_only = types > 1 || functions > 0;
                if ((piece->kind == PIECE_TYPE || piece->kind == PIECE_DECLARATION) &&
                        says_member(pieces, piece))
                        piece->file_only = true;
        }
}

/* A class within a function may define no friend, template or static member (C++17, [class.local]). */
static void cxx_classes(Pieces *pieces) {
        for (size_t i = 0; i < pieces->n; i++) {
                Piece *piece = &pieces->list[i];
                bool inside = false;

                for (uint32_t k = piece->first; piece->kind == PIECE_TYPE && k < piece->end; k++) {
                        const Token *token = &pieces->source->tokens[k];
                        const uint32_t close = pieces->brackets.pair[k];
                        if (inside && (token->word == WORD_FRIEND || token->word == WORD_TEMPLATE ||
                                              token->word == WORD_STATIC))
                                piece->file_only = true;
                        if (!token_is_sign(token, SIGN_BRACE_OPEN))
                                continue;
                        if (inside && close != NO_TOKEN && close < piece->end)
                                k = close;
                        inside = true;
                }
        }
}

int placement_make(Pieces *pieces, bool no_main, Placement *ret) {
        Placement placement = {};
        Placer placer = { .pieces = pieces, .source = pieces->source };
        int r = 0;

        find_main(pieces, &placement);
        if (pieces->source->dialect == DIALECT_JAVA)
                java_members(pieces);
        else if (pieces->source->dialect == DIALECT_CXX)
                cxx_classes(pieces);
        const size_t block = no_main || placement.complete ? pieces->n : only_block(pieces);
        if (block < pieces->n) {
                r = pieces_open_block(pieces, block);
                placement.opened = true;
        }
        if (r >= 0)
                placement.places = placer.places = calloc(pieces->n + 1, sizeof(*placer.places));
        if (!placement.places)
                return -ENOMEM;

        const size_t head = head_place(&placer);
        if (placement.complete || no_main)
                memset(placer.places + head, PLACE_FILE, pieces->n - head);
        else
                r = pieces_place(&placer, head);
        if (!placement.complete)
                drop_empty(&placer);
        if (pieces->source->dialect == DIALECT_JAVA)
                imports_place(&placer);
        free(placer.words.slots);
        free(placer.declared.slots);
        if (r < 0)
                placement_done(&placement);
        else
                *ret = placement;
        return r;
}
