/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/shell-text.h"

/* What means itself wherever it stands in a word. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./,:%@"
/* Likewise behind the first word, where it assigns nothing. */
#define PLAIN_ARGUMENT PLAIN "="

/* What bash does itself, or reads as a part of its language: bash(1), "compgen -b; compgen -k". */
static const char *const own_words[] = { "alias", "bg", "bind", "break", "builtin", "caller", "case", "cd",
        "command", "compgen", "complete", "compopt", "continue", "coproc", "declare", "dirs", "disown", "do",
        "done", "echo", "elif", "else", "enable", "esac", "eval", "exec", "exit", "export", "false", "fc",
        "fg", "fi", "for", "function", "getopts", "hash", "help", "history", "if", "in", "jobs", "kill",
        "let", "local", "logout", "mapfile", "popd", "printf", "pushd", "pwd", "read", "readarray",
        "readonly", "return", "select", "set", "shift", "shopt", "source", "suspend", "test", "then", "time",
        "times", "trap", "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "until", "wait",
        "while" };

static bool is_own(const char *word) {
        for (size_t i = 0; i < ELEMENTSOF(own_words); i++)
                if (streq(own_words[i], word))
                        return true;
        return false;
}

/* The size of the word at p with its quotes, and what is in it; 0 if it is none. */
static size_t take_word(const char *p, bool first, const char **ret, size_t *ret_size) {
        if (*p == '\'' && !first) {
                *ret = p + 1;
                *ret_size = strcspn(p + 1, "'");
                return p[1 + *ret_size] == '\'' ? *ret_size + 2 : 0;
        }
        *ret = p;
        return *ret_size = strspn(p, first ? PLAIN : PLAIN_ARGUMENT);
}

int shell_text_words(const char *text, Words *ret) {
        _cleanup_words_ Words words = {};
        const char *p = text + strspn(text, " ");

        while (*p) {
                const char *word;
                size_t size, taken = take_word(p, words.n == 0, &word, &size);

                if (taken == 0 || (p[taken] != ' ' && p[taken] != '\0'))
                        return 0;
                words_add(&words, word, size);
                p += taken;
                p += strspn(p, " ");
        }
        if (words_error(&words) < 0)
                return -ENOMEM;
        /* A program that is named by a path is not looked up. */
        if (words.n == 0 || strchr(words.items[0], '/') || strspn(words.items[0], ".:") > 0 ||
                is_own(words.items[0]))
                return 0;

        for (size_t i = 0; i < words.n; i++)
                words_add_string(ret, words.items[i]);
        return words_error(ret) < 0 ? -ENOMEM : 1;
}
