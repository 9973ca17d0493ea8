/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/options.h"

#include "common/utf8.h"

#define TURNS_MAX 64

void standard_options_done(StandardOptions *options) {
        text_done(&options->arguments);
        text_done(&options->input);
}

static bool startswith_bytes(const char *data, size_t size, const char *prefix) {
        return size >= strlen(prefix) && memcmp(data, prefix, strlen(prefix)) == 0;
}

static bool equals(const char *data, size_t size, const char *string) {
        return size == strlen(string) && memcmp(data, string, size) == 0;
}

/* -NAME, --NAME, +NAME */
typedef struct Option {
        const char *name;
        size_t name_size;
} Option;

static bool option_parse(const char *word, size_t size, Option *ret) {
        size_t dashes = size > 2 && memcmp(word, "--", 2) == 0 ? 2 : 1;

        if (size <= dashes || (*word != '-' && *word != '+'))
                return false;
        *ret = (Option){ word + dashes, size - dashes };
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

/* One pair of quotes around all of it is the typist's, not the program's. */
static void set_arguments(StandardOptions *options, const char *value, size_t size) {
        text_clear(&options->arguments);
        if (size >= 2 && (*value == '"' || *value == '\'') && value[size - 1] == *value)
                text_append(&options->arguments, value + 1, size - 2);
        else
                text_append(&options->arguments, value, size);
        options->have_arguments = true;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\n';
}

/* The closing quote of the one at data[i], or 0 when there is none. A backslash escapes what follows it. */
static size_t quote_end(const char *data, size_t size, size_t i) {
        for (size_t k = i + 1; k < size; k++)
                if (data[k] == '\\')
                        k++;
                else if (data[k] == data[i])
                        return k;
        return 0;
}

/* Code of which some words are options: read once, from its start. */
typedef struct Reader {
        const char *data;
        size_t size;
        SyntaxScan scan;
        SyntaxSpan span; /* the literal or comment that is next; it starts at size if there is none */
        bool open[2];    /* from here on this kind of quote, " or ', has no partner any more */
        unsigned turns;
} Reader;

/* A line that is typed alone has its options also behind a comment: there is nowhere else to put them. */
static Reader reader_start(const Syntax *syntax, const Text *code) {
        const char *data = text_string(code);
        Reader reader = {
                .data = data, .size = code->size, .scan = syntax_scan(syntax, data, code->size, false)
        };

        reader.scan.no_line_comments = reader.scan.typed;
        return reader;
}

/* Goes on at i, behind a value: its quotes are nobody's literal. Each turn may cost a look at all that
 * follows, so they are bounded. */
static void reader_turn(Reader *reader, size_t i) {
        if (reader->span.start >= i || reader->turns++ >= TURNS_MAX)
                return;
        reader->scan.at = i;
        reader->span = (SyntaxSpan){};
}

/* Whether i lies in a literal or comment: then *ret is where that ends. */
static bool reader_hides(Reader *reader, size_t i, size_t *ret) {
        while (reader->span.end <= i && reader->span.start < reader->size)
                if (!syntax_next(&reader->scan, &reader->span))
                        reader->span = (SyntaxSpan){ .start = reader->size, .end = reader->size };
        if (i < reader->span.start)
                return false;
        *ret = reader->span.end;
        return i < reader->span.end;
}

/* The end of the value at i: quotes that have a partner hold it together, whatever the language. */
static size_t value_end(Reader *reader, size_t i) {
        while (i < reader->size && !is_blank(reader->data[i])) {
                char c = reader->data[i];
                bool quote = c == '"' || c == '\'', *open = &reader->open[c == '\''];
                size_t end = quote && !*open ? quote_end(reader->data, reader->size, i) : 0;

                *open = *open || (quote && end == 0);
                i = MAX(i, end) + (c == '\\' && i + 1 < reader->size ? 2 : 1);
        }
        return MIN(i, reader->size);
}

/* Where the option that begins at i ends; 0 if there is none. */
static size_t take_option(Reader *reader, size_t i, StandardOptions *options) {
        const char *data = reader->data;
        Option option;
        size_t end = i;

        while (end < reader->size && !is_blank(data[end]) && data[end] != '=')
                end++;
        bool with_value = end < reader->size && data[end] == '=';
        if (!option_parse(data + i, end - i, &option))
                return 0;
        if (!with_value && take_switch(&option, options))
                return end;
        if (!equals(option.name, option.name_size, "args") &&
                !equals(option.name, option.name_size, "arguments"))
                return 0;

        size_t value = end + 1;
        while (!with_value && value < reader->size && is_blank(data[value]))
                value++;
        end = value < reader->size ? value_end(reader, value) : value;
        if (end <= value)
                return 0;
        set_arguments(options, data + value, end - value);
        return end;
}

/* Appends the code without its options; a blank goes with each, and one at the start and one at the end.
 * What else there is stays as it was typed. */
static void take_words(Reader *reader, StandardOptions *options, Text *rest) {
        const char *data = reader->data;
        size_t kept = reader->size > 0 && *data == ' ', i = kept, end;

        while (i < reader->size) {
                if (reader_hides(reader, i, &end)) {
                        i = end;
                        continue;
                }
                bool begins = i == 0 || is_blank(data[i - 1]);
                if (begins && reader->size - i >= 2 && memcmp(data + i, "--", 2) == 0 &&
                        (i + 2 == reader->size || is_blank(data[i + 2])))
                        break;
                end = begins && (data[i] == '-' || data[i] == '+') ? take_option(reader, i, options) : 0;
                if (end == 0) {
                        i += data[i] == '\\' && i + 1 < reader->size && !is_blank(data[i + 1]) ? 2 : 1;
                        continue;
                }
                text_append(rest, data + kept, i - kept);
                kept = i = MIN(end + 1, reader->size);
                reader_turn(reader, i);
        }
        text_append(rest, data + kept, reader->size - kept);
        if (rest->size > 0 && rest->data[rest->size - 1] == ' ')
                text_truncate(rest, rest->size - 1);
}

/* Where -stdin stands in the code with nothing but one line behind it, or NULL. */
static const char *find_stdin(Reader *reader) {
        const char *data = reader->data, *found = NULL;
        size_t end;

        for (size_t i = 0; i < reader->size; i++)
                if (data[i] == '\n' && i + 1 < reader->size)
                        found = NULL;
                else if (found)
                        continue;
                else if (reader_hides(reader, i, &end))
                        i = end - 1;
                else if (startswith_bytes(data + i, reader->size - i, "-stdin"))
                        found = data + i;
                else if (data[i] == '\\' && i + 1 < reader->size && !is_blank(data[i + 1]) &&
                         data[i + 1] != '-')
                        i++;
        return found;
}

static void take_stdin(const Syntax *syntax, Text *code, StandardOptions *options) {
        Reader reader = reader_start(syntax, code);
        reader.scan.no_apostrophes = true;
        const char *data = text_string(code), *option = find_stdin(&reader);
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

int standard_options_take(const Syntax *syntax, Text *code, StandardOptions *ret) {
        _cleanup_standard_options_ StandardOptions options = {};
        _cleanup_text_ Text rest = {};
        Reader reader = reader_start(syntax, code);

        take_words(&reader, &options, &rest);
        text_move(code, &rest);
        take_stdin(syntax, code, &options);

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
