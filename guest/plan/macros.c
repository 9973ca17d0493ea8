/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/macros.h"

#include "plan/scan.h"

static const char *const names[] = { "dump", "print", "ptype", "whatis", "trace", "watch", "gdb" };

/* How deep the parentheses are followed. */
#define DEPTH_MAX 64
/* Tokens of a list of parameters: what is longer is none. */
#define PARAMETERS_MAX 128

/* What stands in front of a name. */
typedef struct Reader {
        Scanner scanner;
        Token token, before;           /* this one and the one in front of it */
        bool names_macro, behind_name; /* the token is what #define defines, or begins what it stands for */
        bool in_directive;
        Token openers[DEPTH_MAX]; /* the words in front of parentheses that are open */
        size_t depth;
        Token opener; /* that in front of the pair that was closed last */
        unsigned own; /* bits: names[] that the program declares */
} Reader;

static bool is_one_of(const Token *token, const char *const *list, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (token_is(token, list[i]))
                        return true;
        return false;
}

/* Words after which a name that a parenthesis follows is called, not declared. */
static bool is_before_call(const Token *word) {
        static const char *const words[] = { "return", "else", "do", "case", "goto", "sizeof", "throw",
                "co_return", "co_yield", "co_await", "and", "or", "not" };

        return is_one_of(word, words, ELEMENTSOF(words));
}

/* Words that with their parentheses are part of a declaration. */
static bool is_specifier(const Token *word) {
        static const char *const words[] = { "decltype", "typeof", "__typeof__", "__typeof", "__attribute__",
                "__attribute", "alignas", "_Alignas", "_Atomic", "explicit", "noexcept", "__declspec" };

        return is_one_of(word, words, ELEMENTSOF(words));
}

/* Whether what is in front makes a name that a parenthesis follows a declaration or a member: our macros
 * have no value, so they are no operands. */
static bool declares(const Reader *reader) {
        const Token *before = &reader->before;

        if (before->kind == TOKEN_WORD)
                return !is_before_call(before) && !(reader->behind_name && !reader->token.first);
        if (before->kind != TOKEN_OTHER)
                return false;
        if (token_is(before, ")"))
                return is_specifier(&reader->opener);
        return token_is(before, ".") || token_is(before, "->") || token_is(before, "::") ||
               token_is(before, "*") || token_is(before, "&") || token_is(before, ">") ||
               token_is(before, "]") || token_is(before, "~");
}

/* Whether a body follows the parenthesis at which the scanner is, or the declarations of parameters of old.
 */
static bool has_body(Scanner scanner) {
        size_t depth = 0, n = 0;
        Token token;

        do {
                if (++n > PARAMETERS_MAX)
                        return false;
                token = scan(&scanner);
                depth += token_is(&token, "(");
                depth -= token_is(&token, ")");
        } while (depth > 0 && token.kind != TOKEN_END && !token_is(&token, "{"));
        token = scan(&scanner);
        if (depth > 0 || token.kind == TOKEN_END || token.kind == TOKEN_HASH)
                return false;
        return token_is(&token, "{") || token.kind == TOKEN_WORD;
}

/* A name that no parenthesis follows is no call of a macro: it can but be the program's own. */
static bool is_own(const Reader *reader) {
        Scanner ahead = reader->scanner;
        Token after = scan(&ahead);

        if (reader->names_macro || !token_is(&after, "("))
                return true;
        return declares(reader) || (!reader->in_directive && has_body(reader->scanner));
}

static void follow_parentheses(Reader *reader) {
        if (token_is(&reader->token, "(")) {
                if (reader->depth < DEPTH_MAX)
                        reader->openers[reader->depth] = reader->before;
                reader->depth++;
        } else if (token_is(&reader->token, ")") && reader->depth > 0) {
                reader->depth--;
                reader->opener = reader->depth < DEPTH_MAX ? reader->openers[reader->depth] : (Token){};
        }
}

static unsigned find_own(const Text *code) {
        const char *text = text_string(code);
        Reader reader = { .scanner = { .p = text, .end = text + code->size } };

        while ((reader.token = scan(&reader.scanner)).kind != TOKEN_END) {
                if (reader.token.first)
                        reader.in_directive = reader.token.kind == TOKEN_HASH;
                for (size_t i = 0; i < ELEMENTSOF(names); i++)
                        if (!(reader.own & 1u << i) && token_is(&reader.token, names[i]) && is_own(&reader))
                                reader.own |= 1u << i;
                reader.behind_name = reader.names_macro;
                reader.names_macro = reader.before.kind == TOKEN_HASH &&
                                     (token_is(&reader.token, "define") || token_is(&reader.token, "undef"));
                follow_parentheses(&reader);
                reader.before = reader.token;
        }
        return reader.own;
}

/* prelude.hpp is compiled ahead, and an option that changes it would have it compiled again: three times as
 * long. The line behind it is empty, so that a directive there moves no other line. */
static bool undefine(Text *source, const char *name) {
        static const char header[] = "\n#include <prelude.hpp>\n\n";
        _cleanup_text_ Text changed = {};
        const char *text = text_string(source),
                   *found = memmem(text, source->size, header, sizeof(header) - 1);
        size_t empty_line;

        if (!found)
                return false;
        empty_line = (size_t)(found - text) + sizeof(header) - 2;
        text_append(&changed, text, empty_line);
        text_append_printf(&changed, "#undef %s", name);
        text_append(&changed, text + empty_line, source->size - empty_line);
        text_move(source, &changed);
        return true;
}

void macros_hide(Text *source, Words *options) {
        unsigned own = find_own(source);

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_text_ Text option = {};

                /* The last is a function. */
                if (!(own & 1u << i) ||
                        (own == 1u << i && i + 1 < ELEMENTSOF(names) && undefine(source, names[i])))
                        continue;
                text_append_printf(&option, "-D__PBOTVM_NO_%s", names[i]);
                words_add_string(options, text_string(&option));
        }
}
