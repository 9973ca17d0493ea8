/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/options.h"

#include "language/words.h"

void standard_options_done(StandardOptions *options) {
        free(options->arguments);
        text_done(&options->stdin_text);
        *options = (StandardOptions){};
}

/* What follows a word's option prefix, or NULL. */
static const char *option_name(const char *word) {
        if (word[0] == '-' && word[1] == '-')
                return word + 2;
        return word[0] == '-' || word[0] == '+' ? word + 1 : NULL;
}

static bool take_flag(const char *option, const char *name, bool *ret) {
        bool value = true;
        const char *rest = startswith(option, "no");

        if (rest && (streq(rest, name) || (rest[0] == '-' && streq(rest + 1, name)))) {
                value = false;
                option = name;
        }
        if (!streq(option, name))
                return false;
        *ret = value;
        return true;
}

/* The option's value: of its own word, or *next. NULL: it is no such option, or has none. */
static const char *arguments_value(const char *option, const char *next, size_t *ret_words) {
        const char *rest = startswith(option, "arguments");

        if (!rest)
                rest = startswith(option, "args");
        if (!rest)
                return NULL;
        *ret_words = *rest == '=' ? 1 : 2;
        if (*rest == '=')
                return rest[1] ? rest + 1 : NULL;
        return *rest ? NULL : next;
}

/* A copy without one surrounding pair of quotes. */
static char *unquoted(const char *value) {
        size_t n = strlen(value);

        for (const char *quote = "\"'"; *quote; quote++)
                if (n >= 2 && value[0] == *quote && value[n - 1] == *quote)
                        return bytes_dup(value + 1, n - 2);
        return bytes_dup(value, n);
}

static int take_words(Words *words, StandardOptions *options) {
        for (size_t i = 0; i < words->n && !streq(words->items[i].data, "--");) {
                const char *option = option_name(words->items[i].data);
                const char *next = i + 1 < words->n ? words->items[i + 1].data : NULL;
                size_t n = 1;

                if (!option) {
                        i++;
                        continue;
                }
                const char *value = arguments_value(option, next, &n);
                if (value) {
                        free(options->arguments);
                        options->arguments = unquoted(value);
                        if (!options->arguments)
                                return -ENOMEM;
                } else if (!take_flag(option, "info", &options->info) &&
                           !take_flag(option, "paste", &options->paste)) {
                        i++;
                        continue;
                } else
                        n = 1;
                words_remove(words, i, n);
        }
        return 0;
}

/* The leftmost -stdin after which no newline comes. */
static void take_stdin(Text *code, StandardOptions *options) {
        const char *data = text_string(code);
        const char *newline = memrchr(data, '\n', code->size);
        size_t from = newline ? (size_t)(newline - data) + 1 : 0;

        /* one final newline is the line's end */
        if (newline && from == code->size) {
                newline = memrchr(data, '\n', code->size - 1);
                from = newline ? (size_t)(newline - data) + 1 : 0;
        }

        const char *at = memmem(data + from, code->size - from, "-stdin", strlen("-stdin"));
        if (!at)
                return;
        const char *input = at + strlen("-stdin"), *end = data + code->size;
        if (input < end && (*input == ' ' || *input == '='))
                input++;
        options->have_stdin = true;
        text_append(&options->stdin_text, input, (size_t)(end - input));
        text_truncate(code, (size_t)(at - data));
}

int options_take_standard(Text *code, StandardOptions *ret) {
        _cleanup_(standard_options_done) StandardOptions options = {};
        _cleanup_words_ Words words = {};
        _cleanup_text_ Text joined = {};

        int r = words_split(text_string(code), code->size, &words);
        if (r >= 0)
                r = take_words(&words, &options);
        if (r < 0)
                return r;
        words_join(&words, &joined);
        take_stdin(&joined, &options);
        if (text_failed(&joined) || text_failed(&options.stdin_text))
                return -ENOMEM;

        text_move(code, &joined);
        *ret = options;
        options = (StandardOptions){};
        return 0;
}

static bool is_space(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
}

int options_take_command(Text *code, Text *ret) {
        const char *data = text_string(code);
        size_t taken = 0;

        for (;;) {
                size_t i = taken;
                while (i < code->size && is_space(data[i]))
                        i++;
                size_t start = i;
                if (i + 1 >= code->size || data[i] != '-' || data[i + 1] == ' ')
                        break;
                while (i < code->size && data[i] != ' ')
                        i++;

                if (ret->size > 0)
                        text_append_char(ret, ' ');
                text_append(ret, data + start, i - start);
                while (i < code->size && is_space(data[i]))
                        i++;
                taken = i;
        }
        text_consume(code, taken);
        return text_error(ret);
}

/* The options in full: the typed ones or the defaults, then those that a style adds. */
static void append_options(const Language *language, const char *options, CommandStyle style, Text *ret) {
        const char *more = style == COMMAND_PASTE     ? language->options_paste
                           : style == COMMAND_NOPASTE ? language->options_nopaste
                                                      : "";

        text_append_string(ret, isempty(options) ? language->options : options);
        if (!isempty(more)) {
                if (ret->size > 0)
                        text_append_char(ret, ' ');
                text_append_string(ret, more);
        }
}

void options_command(const Language *language, const char *options, CommandStyle style, Text *ret) {
        _cleanup_text_ Text full = {};
        bool first = true;
        const char *rest;

        append_options(language, options, style, &full);
        for (const char *p = language->command; *p;)
                if ((rest = startswith(p, "$sourcefile"))) {
                        text_append_string(ret, language->source);
                        p = rest;
                } else if ((rest = startswith(p, "$execfile"))) {
                        text_append_string(ret, language->executable);
                        p = rest;
                } else if (first && (rest = startswith(p, "$options"))) {
                        text_append_text(ret, &full);
                        for (p = rest; full.size == 0 && is_space(*p);)
                                p++;
                        first = false;
                } else
                        text_append_char(ret, *p++);
}
