/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One pass, one look at each byte but for the ends of raw strings. A literal that its line does not close
 * ends with the line, as for compilers; a comment or raw string without its end goes on to the end. */

#include "common/utf8.h"
#include "snippet/iso646.h"
#include "snippet/left-out.h"

#define SIZE_MAX_SOURCE (1U << 30)
#define DELIMITER_MAX 16 /* of raw strings, in the standard */

typedef struct Lexer {
        Source *source;
        const char *data;
        size_t size, i;
        Dialect dialect;
        bool line_comments;
        bool line_start;      /* nothing but white space and comments since the newline */
        bool endless;         /* an #if 0 had no end: no other is looked for */
        bool directive_start; /* a # here begins a directive though it is not the first of its line */
} Lexer;

void source_done(Source *source) {
        free(source->tokens);
        free(source->comments);
        *source = (Source){};
}

bool token_is(const Source *source, const Token *token, const char *string) {
        size_t n = strlen(string);

        return token->end - token->begin == n && memcmp(source->data + token->begin, string, n) == 0;
}

static bool starts(const char *data, size_t size, size_t i, const char *string) {
        size_t n = strlen(string);

        return i <= size && size - i >= n && memcmp(data + i, string, n) == 0;
}

static bool at(const Lexer *lexer, size_t i, const char *string) {
        return starts(lexer->data, lexer->size, i, string);
}

/* A backslash, or its trigraph, before a newline (GCC lets blanks stand between). */
static size_t splice_length(const char *data, size_t size, size_t i) {
        size_t k = i;

        if (i < size && data[i] == '\\')
                k++;
        else if (starts(data, size, i, "?\?/"))
                k += 3;
        else
                return 0;
        while (k < size && (data[k] == ' ' || data[k] == '\t' || data[k] == '\r'))
                k++;
        return k < size && data[k] == '\n' ? k + 1 - i : 0;
}

size_t space_length(const char *data, size_t size, size_t i) {
        uint32_t c;

        if (i >= size)
                return 0;
        if ((uint8_t)data[i] < 0x80)
                return data[i] == ' ' || (data[i] >= '\t' && data[i] <= '\r') ? 1
                                                                              : splice_length(data, size, i);

        size_t n = utf8_unit(data + i, size - i, &c);
        return c != UINT32_MAX && unicode_is_space(c) ? n : 0;
}

static size_t splice(const Lexer *lexer, size_t i) {
        return lexer->dialect == DIALECT_JAVA ? 0 : splice_length(lexer->data, lexer->size, i);
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* The length of the character of an identifier at i, 0 if it is none. */
static size_t word_length(const Lexer *lexer, size_t i) {
        uint32_t c;

        if (i >= lexer->size)
                return 0;
        if ((uint8_t)lexer->data[i] < 0x80) {
                char a = lexer->data[i];
                if ((a >= 'a' && a <= 'z') || (a >= 'A' && a <= 'Z') || is_digit(a) || a == '_' || a == '$')
                        return 1;
                return a == '\\' && i + 1 < lexer->size &&
                                       (lexer->data[i + 1] == 'u' || lexer->data[i + 1] == 'U')
                               ? 2
                               : 0;
        }
        size_t n = utf8_unit(lexer->data + i, lexer->size - i, &c);
        return unicode_is_word(c) ? n : 0;
}

/* The end of the identifier at i; *ret_spliced: an escaped newline stands in it. */
static size_t word_end(const Lexer *lexer, size_t i, bool *ret_spliced) {
        *ret_spliced = false;
        for (;;) {
                size_t n = word_length(lexer, i);
                if (n == 0) {
                        size_t over = i;
                        while ((n = splice(lexer, over)) > 0)
                                over += n;
                        if (over == i || word_length(lexer, over) == 0)
                                return i;
                        *ret_spliced = true;
                        n = over - i;
                }
                i += n;
        }
}

static int token_add(Lexer *lexer, TokenKind kind, size_t end, Token token) {
        Source *source = lexer->source;

        if (source->n_tokens == source->allocated_tokens) {
                size_t n = MAX(64, 2 * source->allocated_tokens);
                Token *grown = reallocarray(source->tokens, n, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                source->tokens = grown;
                source->allocated_tokens = n;
        }
        token.kind = kind;
        token.begin = lexer->i;
        token.end = end;
        token.line_start = lexer->line_start;
        source->tokens[source->n_tokens] = token;
        source->n_tokens += kind != TOKEN_END;

        lexer->i = end;
        lexer->line_start = false;
        lexer->directive_start = false;
        return 0;
}

static int comment_add(Lexer *lexer, size_t end, bool line) {
        Source *source = lexer->source;

        if (source->n_comments == source->allocated_comments) {
                size_t n = MAX(16, 2 * source->allocated_comments);
                Comment *grown = reallocarray(source->comments, n, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                source->comments = grown;
                source->allocated_comments = n;
        }
        source->comments[source->n_comments++] = (Comment){ lexer->i, end, line };
        lexer->i = end;
        return 0;
}

/* The end of the line at i: its newline, unless that is escaped, or the end. */
static size_t line_end(const Lexer *lexer, size_t i) {
        while (i < lexer->size && lexer->data[i] != '\n') {
                size_t n = splice(lexer, i);
                i += MAX(n, 1);
        }
        return i;
}

static size_t block_end(const Lexer *lexer, size_t i) {
        const char *end = memmem(lexer->data + i + 2, lexer->size - i - 2, "*/", 2);

        return end ? (size_t)(end - lexer->data) + 2 : lexer->size;
}

/* The end of the comment at i, or 0. */
static size_t comment_end(const Lexer *lexer, size_t i) {
        if (at(lexer, i, "/*"))
                return block_end(lexer, i);
        if (at(lexer, i, "//") && (lexer->line_comments || !at(lexer, i, "//*")))
                return line_end(lexer, i);
        return 0;
}

/* The end of the literal whose opening quote is at i. */
static size_t quoted_end(const Lexer *lexer, size_t i, bool *ret_closed) {
        const char quote = lexer->data[i];

        for (i++; i < lexer->size && lexer->data[i] != '\n'; i++) {
                size_t n = splice(lexer, i);
                if (n > 0)
                        i += n - 1;
                else if (lexer->data[i] == '\\' && i + 1 < lexer->size && lexer->data[i + 1] != '\n')
                        i++;
                else if (lexer->data[i] == quote) {
                        *ret_closed = true;
                        return i + 1;
                }
        }
        *ret_closed = false;
        return i;
}

/* The same for R"x( ... )x", i at the quote; 0: it does not begin as one. */
static size_t raw_end(const Lexer *lexer, size_t i, bool *ret_closed) {
        char close[DELIMITER_MAX + 2];
        size_t n = 0;

        close[n++] = ')';
        for (i++; i < lexer->size && lexer->data[i] != '('; i++) {
                if (n > DELIMITER_MAX || memchr(" )\\\t\n\"", lexer->data[i], 6))
                        return 0;
                close[n++] = lexer->data[i];
        }
        if (i == lexer->size)
                return 0;
        close[n++] = '"';

        const char *end = memmem(lexer->data + i, lexer->size - i, close, n);
        *ret_closed = end;
        return end ? (size_t)(end - lexer->data) + n : lexer->size;
}

static size_t text_block_end(const Lexer *lexer, size_t i, bool *ret_closed) {
        for (i += 3; i < lexer->size; i++)
                if (lexer->data[i] == '\\')
                        i++;
                else if (at(lexer, i, "\"\"\"")) {
                        *ret_closed = true;
                        return i + 3;
                }
        *ret_closed = false;
        return lexer->size;
}

/* A literal whose opening quote is at i; the token begins, maybe with a prefix, where the lexer is. */
static int lex_literal(Lexer *lexer, size_t i, bool raw) {
        bool closed = false, spliced;
        const bool string = lexer->data[i] == '"';
        size_t end = raw ? raw_end(lexer, i, &closed) : 0;

        if (end == 0 && lexer->dialect == DIALECT_JAVA && at(lexer, i, "\"\"\""))
                end = text_block_end(lexer, i, &closed);
        if (end == 0)
                end = quoted_end(lexer, i, &closed);
        if (closed && lexer->dialect == DIALECT_CXX && end < lexer->size && !is_digit(lexer->data[end]))
                end = word_end(lexer, end, &spliced);
        return token_add(
                lexer, string ? TOKEN_STRING : TOKEN_CHARACTER, end, (Token){ .unterminated = !closed });
}

/* Whether the word is a prefix of literals; *ret_raw: of raw strings. */
static bool is_prefix(const Lexer *lexer, size_t end, bool *ret_raw) {
        static const char *const prefixes[] = { "L", "u", "U", "u8", "R", "LR", "uR", "UR", "u8R" };
        const size_t n = end - lexer->i;

        if (n > 3 || lexer->dialect == DIALECT_JAVA)
                return false;
        *ret_raw = lexer->data[end - 1] == 'R';
        if (*ret_raw && lexer->dialect != DIALECT_CXX)
                return false;
        for (size_t k = 0; k < ELEMENTSOF(prefixes); k++)
                if (strlen(prefixes[k]) == n && memcmp(prefixes[k], lexer->data + lexer->i, n) == 0)
                        return true;
        return false;
}

/* The word without the newlines that are escaped in it, if it is short enough for a word of the language. */
static Word spliced_word(const Lexer *lexer, size_t end, uint16_t *ret_class) {
        char word[32];
        size_t size = 0;

        for (size_t i = lexer->i; i < end; i++) {
                size_t n = splice(lexer, i);
                if (n > 0)
                        i += n - 1;
                else if (size < sizeof(word))
                        word[size++] = lexer->data[i];
                else
                        return WORD_NONE;
        }
        return word_find(word, size, lexer->dialect, ret_class);
}

static int lex_word(Lexer *lexer) {
        bool spliced, raw;
        size_t end = word_end(lexer, lexer->i, &spliced);
        uint16_t class = 0;

        if (end < lexer->size && (lexer->data[end] == '"' || lexer->data[end] == '\'') &&
                is_prefix(lexer, end, &raw))
                return lex_literal(lexer, end, raw && lexer->data[end] == '"');

        Word word = spliced ? spliced_word(lexer, end, &class)
                            : word_find(lexer->data + lexer->i, end - lexer->i, lexer->dialect, &class);
        return token_add(lexer, TOKEN_WORD, end, (Token){ .word = word, .class = class });
}

static int lex_number(Lexer *lexer) {
        const char *data = lexer->data;
        size_t i = lexer->i + 1, n;

        for (; i < lexer->size; i += n)
                if ((data[i] == '+' || data[i] == '-') && memchr("eEpP", data[i - 1], 4))
                        n = 1;
                else if (data[i] == '.')
                        n = 1;
                else if (data[i] == '\'' && lexer->dialect != DIALECT_JAVA &&
                         word_length(lexer, i + 1) == 1 && data[i + 1] != '\\')
                        n = 2;
                else if ((n = word_length(lexer, i)) == 0 || data[i] == '\\')
                        break;
        return token_add(lexer, TOKEN_NUMBER, i, (Token){});
}

static size_t blanks_end(const Lexer *lexer, size_t i, size_t end) {
        size_t n;

        while (i < end && lexer->data[i] != '\n' && (n = space_length(lexer->data, end, i)) > 0)
                i += n;
        return i;
}

/* What the directive whose # ends at i is; *ret_behind: where its name ends. False: it has no known name. */
static bool directive_find(const Lexer *lexer, size_t i, Directive *ret, size_t *ret_behind) {
        size_t n, begin;

        i = blanks_end(lexer, i, lexer->size);
        for (begin = i; i < lexer->size && (n = word_length(lexer, i)) > 0;)
                i += n;
        *ret_behind = i;
        return directive_name_find(lexer->data + begin, i - begin, ret);
}

/* The end of the header of an include whose name ended at i, 0 if there is none. */
static size_t header_end(const Lexer *lexer, size_t i) {
        i = blanks_end(lexer, i, lexer->size);
        if (i == lexer->size || (lexer->data[i] != '<' && lexer->data[i] != '"'))
                return 0;
        const char close = lexer->data[i] == '<' ? '>' : '"';
        for (i++; i < lexer->size && lexer->data[i] != '\n'; i++)
                if (lexer->data[i] == close)
                        return i + 1;
        return 0;
}

/* The end of a directive's line. Block comments in it may go on over lines. */
static size_t directive_end(const Lexer *lexer, size_t i) {
        bool closed;

        while (i < lexer->size && lexer->data[i] != '\n') {
                size_t n = splice(lexer, i);
                if (n == 0 && at(lexer, i, "/*"))
                        n = block_end(lexer, i) - i;
                else if (n == 0 && at(lexer, i, "//"))
                        return line_end(lexer, i);
                else if (lexer->data[i] == '"' || lexer->data[i] == '\'')
                        n = quoted_end(lexer, i, &closed) - i;
                i += MAX(n, 1);
        }
        return i;
}

/* The end of what the "#if 0" whose condition begins at i encloses, which need not be code; 0 if it is
 * another condition, or goes on for ever. */
static size_t dead_end(Lexer *lexer, size_t i) {
        size_t depth = 0, end = lexer->i, behind;
        Directive directive;

        i = blanks_end(lexer, i, end);
        if (lexer->endless || i == end || lexer->data[i] != '0' ||
                ((i = blanks_end(lexer, i + 1, end)) < end && lexer->data[i] != '/'))
                return 0;
        for (; end < lexer->size; end = line_end(lexer, i)) {
                i = blanks_end(lexer, end + 1, lexer->size);
                if (i >= lexer->size || lexer->data[i] != '#' ||
                        !directive_find(lexer, i + 1, &directive, &behind))
                        continue;
                if (depth == 0 && (directive == DIRECTIVE_ELSE || directive == DIRECTIVE_ENDIF))
                        return end;
                depth += directive == DIRECTIVE_IF;
                depth -= directive == DIRECTIVE_ENDIF;
        }
        lexer->endless = true;
        return 0;
}

/* A directive, or nothing (0): # elsewhere than at a line's start begins one if it has a known name. */
static int lex_directive(Lexer *lexer, size_t hash) {
        Directive directive;
        size_t behind, end = 0;
        bool known = directive_find(lexer, lexer->i + hash, &directive, &behind);

        if (!known && !lexer->line_start && !lexer->directive_start)
                return 0;
        if (directive == DIRECTIVE_INCLUDE)
                end = header_end(lexer, behind);
        const bool whole = end == 0;
        if (whole)
                end = directive_end(lexer, behind);
        int r = token_add(lexer, TOKEN_DIRECTIVE, end,
                (Token){ .sign = directive, .unterminated = whole && end == lexer->size });
        lexer->directive_start = true;
        if (r >= 0 && directive == DIRECTIVE_IF && (end = dead_end(lexer, behind)) > lexer->i + 1) {
                lexer->i++;
                lexer->line_start = true;
                r = comment_add(lexer, end, true);
        }
        return r < 0 ? r : 1;
}

static int lex_sign(Lexer *lexer) {
        const char *data = lexer->data + lexer->i;
        const size_t size = lexer->size - lexer->i;
        size_t length;
        Sign sign = sign_find(data, size, lexer->dialect, &length);

        if (sign != SIGN_NONE) {
                lexer->directive_start =
                        sign == SIGN_SEMICOLON || sign == SIGN_BRACE_OPEN || sign == SIGN_BRACE_CLOSE;
                return token_add(lexer, TOKEN_SIGN, lexer->i + length, (Token){ .sign = sign });
        }

        uint32_t c;
        return token_add(lexer, TOKEN_OTHER, lexer->i + utf8_unit(data, size, &c), (Token){});
}

static size_t hash_length(const Lexer *lexer) {
        static const char *const hashes[] = { "%:", "?\?=", "#" };

        if (lexer->dialect == DIALECT_JAVA)
                return 0;
        for (size_t k = 0; k < ELEMENTSOF(hashes); k++)
                if (at(lexer, lexer->i, hashes[k]))
                        return strlen(hashes[k]);
        return 0;
}

static int lex_one(Lexer *lexer) {
        const char c = lexer->data[lexer->i];
        size_t n;

        if ((n = space_length(lexer->data, lexer->size, lexer->i)) > 0) {
                if (c == '\n')
                        lexer->line_start = true;
                lexer->i += n;
                return 0;
        }
        if (c == '/' && (n = comment_end(lexer, lexer->i)) > 0)
                return comment_add(lexer, n, lexer->data[lexer->i + 1] == '/');
        if (c == '"' || c == '\'')
                return lex_literal(lexer, lexer->i, false);
        if (is_digit(c) || (c == '.' && lexer->i + 1 < lexer->size && is_digit(lexer->data[lexer->i + 1])))
                return lex_number(lexer);
        if ((n = hash_length(lexer)) > 0) {
                int r = lex_directive(lexer, n);
                if (r != 0)
                        return MIN(r, 0);
        }
        return word_length(lexer, lexer->i) > 0 ? lex_word(lexer) : lex_sign(lexer);
}

int source_read(const char *data, size_t size, Dialect dialect, bool line_comments, Source *ret) {
        _cleanup_source_ Source source = { .data = data, .size = size, .dialect = dialect };
        Lexer lexer = {
                .source = &source,
                .data = data,
                .size = size,
                .dialect = dialect,
                .line_comments = line_comments,
                .line_start = true,
        };
        int r = 0;

        if (size >= SIZE_MAX_SOURCE)
                return -E2BIG;
        while (lexer.i < size && r >= 0)
                r = lex_one(&lexer);
        if (r >= 0)
                r = token_add(&lexer, TOKEN_END, size, (Token){});
        if (r >= 0)
                r = left_out_drop(&source);
        if (r < 0)
                return r;
        iso646_find(&source);
        *ret = source;
        source = (Source){};
        return 0;
}
