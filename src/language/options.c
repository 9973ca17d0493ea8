/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/options.h"

#include "common/utf8.h"
#include "language/words.h"

void standard_options_done(StandardOptions *options) {
        text_done(&options->arguments);
        text_done(&options->input);
}

static bool is_alphanumeric(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool startswith_bytes(const char *data, size_t size, const char *prefix) {
        return size >= strlen(prefix) && memcmp(data, prefix, strlen(prefix)) == 0;
}

static bool equals(const char *data, size_t size, const char *string) {
        return size == strlen(string) && memcmp(data, string, size) == 0;
}

/* -NAME, --NAME, +NAME: the name, and what follows an equals sign. */
typedef struct Option {
        const char *name;
        size_t name_size;
        const char *value; /* NULL: no equals sign */
        size_t value_size;
} Option;

static bool option_parse(const char *word, size_t size, Option *ret) {
        if (size > 2 && memcmp(word, "--", 2) == 0)
                word += 2, size -= 2;
        else if (size > 1 && (*word == '-' || *word == '+'))
                word++, size--;
        else
                return false;

        const char *equals_sign = memchr(word, '=', size);
        *ret = (Option){ .name = word, .name_size = equals_sign ? (size_t)(equals_sign - word) : size };
        if (equals_sign) {
                ret->value = equals_sign + 1;
                ret->value_size = size - ret->name_size - 1;
        }
        return true;
}

static bool take_switch(const Option *option, StandardOptions *options) {
        static const struct {
                const char *name;
                size_t offset;
        } switches[] = {
                { "info", offsetof(StandardOptions, info) },
                { "paste", offsetof(StandardOptions, paste) },
        };

        if (option->value)
                return false;
        const char *name = option->name;
        size_t size = option->name_size;
        bool negated = size > 2 && memcmp(name, "no", 2) == 0;
        if (negated) {
                size_t skip = size > 3 && name[2] == '-' ? 3 : 2;
                name += skip;
                size -= skip;
        }
        for (size_t i = 0; i < ELEMENTSOF(switches); i++)
                if (equals(name, size, switches[i].name)) {
                        *(bool *)((char *)options + switches[i].offset) = !negated;
                        return true;
                }
        return false;
}

/* One pair of quotes around all of it is the typist's, not the program's. The newline that may have ended
 * the word is not part of what is quoted. */
static void set_arguments(StandardOptions *options, const char *value, size_t size) {
        bool newline = size > 0 && value[size - 1] == '\n';
        size_t quoted = size - newline;

        text_clear(&options->arguments);
        if (quoted >= 2 && (*value == '"' || *value == '\'') && value[quoted - 1] == *value) {
                text_append(&options->arguments, value + 1, quoted - 2);
                text_append(&options->arguments, "\n", newline);
        } else
                text_append(&options->arguments, value, size);
        options->have_arguments = true;
}

/* Returns how many words the option at i takes: 0 when it is none. */
static size_t take_option(const Words *words, size_t i, StandardOptions *options) {
        Option option;
        if (!option_parse(word_data(words, i), word_size(words, i), &option))
                return 0;
        if (take_switch(&option, options))
                return 1;
        if (!equals(option.name, option.name_size, "args") &&
                !equals(option.name, option.name_size, "arguments"))
                return 0;

        if (option.value && option.value_size > 0) {
                set_arguments(options, option.value, option.value_size);
                return 1;
        }
        if (option.value || i + 1 >= words->n)
                return 0;
        set_arguments(options, word_data(words, i + 1), word_size(words, i + 1));
        return 2;
}

/* A quotation mark, not the apostrophe of "it's". */
static bool opens_quote(const char *data, size_t i) {
        return data[i] == '"' || (data[i] == '\'' && (i == 0 || !is_alphanumeric(data[i - 1])));
}

/* Where -stdin stands outside of quotes with nothing but one line behind it, or NULL. A backslash takes a
 * quote its meaning, but not the option. */
static const char *find_stdin(const char *data, size_t size) {
        const char *found = NULL;

        for (size_t i = 0; i < size; i++) {
                if (data[i] == '\n' && i + 1 < size)
                        found = NULL;
                else if (found)
                        continue;
                else if (data[i] == '\\' && i + 1 < size && data[i + 1] != '\n' && data[i + 1] != '-')
                        i++;
                else if (startswith_bytes(data + i, size - i, "-stdin"))
                        found = data + i;
                else if (opens_quote(data, i))
                        i = MAX(i, quote_end(data, size, i));
        }
        return found;
}

static void take_stdin(Text *code, StandardOptions *options) {
        const char *data = text_string(code), *option = find_stdin(data, code->size);
        if (!option)
                return;

        const char *end = data + code->size, *value = option + strlen("-stdin");
        bool newline = end[-1] == '\n';
        end -= newline;
        if (value < end && (*value == ' ' || *value == '='))
                value++;
        if (option > data && option[-1] == '-' && (option - 1 == data || option[-2] == ' '))
                option--; /* --stdin */

        text_append(&options->input, value, (size_t)(end - value));
        options->have_input = true;
        text_truncate(code, (size_t)(option - data));
        if (newline)
                text_append_char(code, '\n');
}

int standard_options_take(Text *code, StandardOptions *ret) {
        _cleanup_words_ Words words = {};
        int r = words_split(text_string(code), code->size, &words);
        if (r < 0)
                return r;

        _cleanup_free_ bool *taken = calloc(words.n + 1, sizeof(*taken));
        if (!taken)
                return -ENOMEM;

        _cleanup_standard_options_ StandardOptions options = {};
        for (size_t i = 0, n; i < words.n; i += MAX(n, (size_t)1)) {
                if (equals(word_data(&words, i), word_size(&words, i), "--"))
                        break;
                n = take_option(&words, i, &options);
                for (size_t k = 0; k < n; k++)
                        taken[i + k] = true;
        }

        text_clear(code);
        words_join(&words, taken, code);
        take_stdin(code, &options);

        if (text_failed(code) || text_failed(&options.arguments) || text_failed(&options.input))
                return -ENOMEM;
        *ret = options;
        options = (StandardOptions){};
        return 0;
}

size_t space_size(const char *data, size_t size) {
        size_t i = 0;
        while (i < size) {
                uint32_t c;
                size_t n = utf8_unit(data + i, size - i, &c);
                if (!unicode_is_space(c))
                        break;
                i += n;
        }
        return i;
}

/* Where an option ends: at a space, or behind a tab, which a joined line has no space after. */
static size_t option_end(const char *data, size_t size, size_t i) {
        while (i < size && data[i] != ' ' && data[i] != '\t')
                i++;
        return i < size && data[i] == '\t' ? i + 1 : i;
}

int command_options_take(Text *code, Text *options) {
        const char *data = text_string(code);
        size_t i = 0;

        for (;;) {
                size_t start = i + space_size(data + i, code->size - i);
                if (start >= code->size || data[start] != '-')
                        break;
                size_t end = option_end(data, code->size, start);
                if (end - start < 2)
                        break;
                if (options->size > 0)
                        text_append_char(options, ' ');
                text_append(options, data + start, end - start);
                i = end + space_size(data + end, code->size - end);
        }
        text_consume(code, i);
        return text_error(options);
}

/* Appends the template with its variables replaced; $options, which may be empty, only once. */
static void expand(Text *line, const char *template, const Language *language, const Text *options) {
        bool done = false;

        for (const char *p = template, *rest; *p; p = rest)
                if ((rest = startswith(p, "$sourcefile")))
                        text_append_string(line, language->source_file);
                else if ((rest = startswith(p, "$execfile")))
                        text_append_string(line, language->exec_file);
                else if (!done && (rest = startswith(p, "$options"))) {
                        text_append_text(line, options);
                        if (options->size == 0)
                                rest += space_size(rest, strlen(rest));
                        done = true;
                } else {
                        text_append_char(line, *p);
                        rest = p + 1;
                }
}

int command_line(const Language *language, const Text *options, const char *variant, const char *arguments,
        Text *line) {
        _cleanup_text_ Text all = {};

        if (options->size > 0)
                text_append_text(&all, options);
        else
                text_append_string(&all, language->options);
        if (*variant && all.size > 0)
                text_append_char(&all, ' ');
        text_append_string(&all, variant);

        expand(line, language->command, language, &all);
        if (language->arguments_in_command && *arguments) {
                text_append_char(line, ' ');
                text_append_string(line, arguments);
        }
        return text_failed(&all) ? -ENOMEM : text_error(line);
}
