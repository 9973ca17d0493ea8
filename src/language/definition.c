/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/definition.h"

#include "common/log.h"
#include "common/request.h"

typedef enum MemberKind {
        MEMBER_LIKE, /* read by the caller */
        MEMBER_STRING,
        MEMBER_FILE_NAME, /* a string that is one path component */
        MEMBER_BOOLEAN,
        MEMBER_SNIPPET,
        MEMBER_LINES, /* an array of strings: one text, each line ended */
        MEMBER_WORDS, /* an array of strings */
        MEMBER_COMMENTS,
        MEMBER_SYNTAX,
        MEMBER_VARIABLES, /* an array of NAME=value */
} MemberKind;

typedef struct Member {
        const char *name;
        MemberKind kind;
        size_t offset;
        bool required;
} Member;

#define AT(field) offsetof(Language, field)
static const Member language_members[] = {
        { "like", MEMBER_LIKE, 0, false },
        { "name", MEMBER_STRING, AT(name), true },
        { "aliases", MEMBER_WORDS, AT(aliases), false },
        { "source", MEMBER_FILE_NAME, AT(source_file), true },
        { "executable", MEMBER_FILE_NAME, AT(exec_file), true },
        { "command", MEMBER_STRING, AT(command), true },
        { "options", MEMBER_STRING, AT(options), false },
        { "options-paste", MEMBER_STRING, AT(options_paste), false },
        { "options-nopaste", MEMBER_STRING, AT(options_nopaste), false },
        { "escapes", MEMBER_BOOLEAN, AT(escapes), false },
        { "arguments-in-command", MEMBER_BOOLEAN, AT(arguments_in_command), false },
        { "append", MEMBER_STRING, AT(append), false },
        { "snippet", MEMBER_SNIPPET, AT(snippet), false },
        { "prelude", MEMBER_LINES, AT(prelude), false },
        { "show-last-statement", MEMBER_BOOLEAN, AT(show_last_statement), false },
        { "line-comments", MEMBER_BOOLEAN, AT(line_comments), false },
        { "rewrites", MEMBER_WORDS, AT(rewrites), false },
        { "comments", MEMBER_COMMENTS, AT(comments), false },
        { "option", MEMBER_STRING, AT(option), false },
        { "syntax", MEMBER_SYNTAX, AT(syntax), false },
        { "opening", MEMBER_STRING, AT(opening), false },
        { "environment", MEMBER_VARIABLES, AT(environment), false },
        { "terminal", MEMBER_BOOLEAN, AT(terminal), false },
};

#define IN_COMMENTS(field) offsetof(PasteComments, field)
static const Member comment_members[] = {
        { "command-open", MEMBER_STRING, IN_COMMENTS(command_open), true },
        { "command-close", MEMBER_STRING, IN_COMMENTS(command_close), true },
        { "output-open", MEMBER_STRING, IN_COMMENTS(output_open), true },
        { "output-close", MEMBER_STRING, IN_COMMENTS(output_close), true },
};

static const struct {
        const char *name;
        SnippetKind kind;
} snippet_kinds[] = { { "none", SNIPPET_NONE }, { "c", SNIPPET_C }, { "c++", SNIPPET_CXX },
        { "java", SNIPPET_JAVA } };

typedef struct Reader {
        const char *file;
        Text *errors;
        bool mistaken;
        bool out_of_memory;
} Reader;

void definition_mistake(
        Text *errors, const char *file, const Json *where, const char *member, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        json_append_mistake(errors, file, where, member, format, ap);
        va_end(ap);
}

void definition_log(const Text *errors) {
        for (const char *line = text_string(errors), *end; *line; line = *end ? end + 1 : end) {
                end = strchrnul(line, '\n');
                (void)log_write(LOG_ERR, 0, MESSAGE_LANGUAGE, NULL, "%.*s", (int)(end - line), line);
        }
}

static void expected(Reader *reader, const Json *value, const char *member, const char *what) {
        reader->mistaken = true;
        definition_mistake(reader->errors, reader->file, value, member, "expected %s, found %s", what,
                json_type_name(json_type(value)));
}

static void wrong(Reader *reader, const Json *where, const char *member, const char *what) {
        reader->mistaken = true;
        definition_mistake(reader->errors, reader->file, where, member, "%s", what);
}

static void set_string(Reader *reader, char **to, const char *string) {
        char *copy = strdup(string);
        if (!copy) {
                reader->out_of_memory = true;
                return;
        }
        free(*to);
        *to = copy;
}

static void strings_free(char **strings) {
        for (char **s = strings; s && *s; s++)
                free(*s);
        free(strings);
}

/* The bytes of a string without NUL in it, or NULL: told as a mistake. */
static const char *read_string(Reader *reader, const Json *value, const char *member) {
        size_t size;
        const char *string = json_string(value, &size);
        if (!string)
                expected(reader, value, member, "a string");
        else if (strlen(string) != size) {
                wrong(reader, value, member, "may not hold a NUL character");
                return NULL;
        }
        return string;
}

static void read_file_name(Reader *reader, const Json *value, const char *member, char **to) {
        const char *string = read_string(reader, value, member);
        if (!string)
                return;
        if (isempty(string) || *string == '.' || strchr(string, '/'))
                wrong(reader, value, member, "expected a file name without folders");
        else
                set_string(reader, to, string);
}

static void read_snippet(Reader *reader, const Json *value, const char *member, SnippetKind *to) {
        const char *string = json_string(value, NULL);
        for (size_t i = 0; string && i < ELEMENTSOF(snippet_kinds); i++)
                if (streq(string, snippet_kinds[i].name)) {
                        *to = snippet_kinds[i].kind;
                        return;
                }
        wrong(reader, value, member, "expected \"none\", \"c\", \"c++\" or \"java\"");
}

static void read_lines(Reader *reader, const Json *value, const char *member, char **to) {
        if (json_type(value) != JSON_ARRAY) {
                expected(reader, value, member, "an array of lines");
                return;
        }

        _cleanup_text_ Text lines = {};
        for (size_t i = 0; i < json_size(value); i++) {
                const char *line = read_string(reader, json_at(value, i), member);
                if (!line)
                        return;
                text_append_string(&lines, line);
                text_append_char(&lines, '\n');
        }
        set_string(reader, to, text_string(&lines));
        reader->out_of_memory |= text_failed(&lines);
}

static bool is_variable(const char *string) {
        return *string != '=' && strchr(string, '=');
}

/* An array of strings of one kind. */
static void read_words(Reader *reader, const Json *value, const char *member, const char *what,
        const char *one, bool (*is_valid)(const char *string), char ***to) {
        if (json_type(value) != JSON_ARRAY) {
                expected(reader, value, member, what);
                return;
        }

        char **words = calloc(json_size(value) + 1, sizeof(*words));
        if (!words) {
                reader->out_of_memory = true;
                return;
        }
        for (size_t i = 0; i < json_size(value); i++) {
                const char *word = read_string(reader, json_at(value, i), member);
                if (word && !is_valid(word))
                        wrong(reader, json_at(value, i), member, one);
                set_string(reader, &words[i], word ?: "");
        }
        strings_free(*to);
        *to = words;
}

static void read_syntax(Reader *reader, const Json *value, const char *member, Syntax *to) {
        const Json *where;
        const char *message;
        int r = syntax_read(value, to, &where, &message);

        if (r == -EINVAL)
                wrong(reader, where, member, message);
        reader->out_of_memory |= r == -ENOMEM;
}

static void read_members(Reader *reader, const Json *object, const char *prefix, const Member *members,
        size_t n_members, void *target);

static void read_member(
        Reader *reader, const Json *value, const char *name, const Member *member, void *target) {
        void *to = (char *)target + member->offset;

        switch (member->kind) {
        case MEMBER_LIKE:
                (void)read_string(reader, value, name);
                return;
        case MEMBER_STRING: {
                const char *string = read_string(reader, value, name);
                if (string && member->required && isempty(string) && isempty(*(char **)to))
                        wrong(reader, value, name, "may not be empty");
                else if (string)
                        set_string(reader, to, string);
                return;
        }
        case MEMBER_FILE_NAME:
                read_file_name(reader, value, name, to);
                return;
        case MEMBER_BOOLEAN:
                if (json_type(value) == JSON_BOOLEAN)
                        *(bool *)to = json_boolean(value);
                else
                        expected(reader, value, name, "true or false");
                return;
        case MEMBER_SNIPPET:
                read_snippet(reader, value, name, to);
                return;
        case MEMBER_LINES:
                read_lines(reader, value, name, to);
                return;
        case MEMBER_WORDS:
                read_words(reader, value, name, "an array of names", "expected a name",
                        language_name_is_valid, to);
                return;
        case MEMBER_VARIABLES:
                read_words(reader, value, name, "an array of variables", "expected NAME=value", is_variable,
                        to);
                if (json_size(value) > REQUEST_ENVIRONMENT_MAX)
                        wrong(reader, value, name, "expected at most 16 variables");
                return;
        case MEMBER_SYNTAX:
                read_syntax(reader, value, name, to);
                return;
        case MEMBER_COMMENTS:
                if (json_type(value) == JSON_OBJECT)
                        read_members(reader, value, "comments.", comment_members,
                                ELEMENTSOF(comment_members), to);
                else
                        expected(reader, value, name, "an object");
                return;
        }
}

static void read_members(Reader *reader, const Json *object, const char *prefix, const Member *members,
        size_t n_members, void *target) {
        for (size_t i = 0; i < json_size(object); i++) {
                const char *name = json_name_at(object, i);
                _cleanup_text_ Text path = {};
                text_append_printf(&path, "%s%s", prefix, name);

                const Member *member = NULL;
                for (size_t k = 0; k < n_members && !member; k++)
                        if (streq(members[k].name, name))
                                member = &members[k];
                if (!member)
                        wrong(reader, json_at(object, i), text_string(&path), "unknown member");
                else
                        read_member(reader, json_at(object, i), text_string(&path), member, target);
        }
}

static int set_defaults(Language *language) {
        static const struct {
                size_t offset;
                const char *string;
        } defaults[] = {
                { AT(options), "" },
                { AT(options_paste), "" },
                { AT(options_nopaste), "" },
                { AT(append), "" },
                { AT(prelude), "" },
                { AT(opening), "" },
                { AT(comments.command_open), "/************* CMDLINE *************\n" },
                { AT(comments.command_close), "************** CMDLINE *************/\n" },
                { AT(comments.output_open), "/************* OUTPUT *************\n" },
                { AT(comments.output_close), "************** OUTPUT *************/\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(defaults); i++) {
                char **to = (char **)((char *)language + defaults[i].offset);
                *to = strdup(defaults[i].string);
                if (!*to)
                        return -ENOMEM;
        }
        language->escapes = true;
        language->line_comments = true;
        return 0;
}

int definition_read(const DefinitionFile *files, size_t n, Language **ret, Text *errors) {
        Reader reader = { .errors = errors };
        _cleanup_(language_freep) Language *language = calloc(1, sizeof(*language));
        if (!language || set_defaults(language) < 0)
                return -ENOMEM;

        for (size_t i = n; i > 0; i--) {
                reader.file = text_string(&files[i - 1].path);
                read_members(&reader, files[i - 1].json, "", language_members, ELEMENTSOF(language_members),
                        language);
        }

        for (size_t i = 0; i < ELEMENTSOF(language_members); i++) {
                const Member *member = &language_members[i];
                if (member->required && !*(char **)((char *)language + member->offset) &&
                        !json_member(files->json, member->name))
                        wrong(&reader, files->json, member->name, "is missing");
        }

        if (reader.out_of_memory || text_failed(errors))
                return -ENOMEM;
        if (reader.mistaken)
                return -EINVAL;
        *ret = TAKE_PTR(language);
        return 0;
}

Language *language_free(Language *language) {
        if (!language)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(language_members); i++) {
                void *field = (char *)language + language_members[i].offset;
                switch (language_members[i].kind) {
                case MEMBER_STRING:
                case MEMBER_FILE_NAME:
                case MEMBER_LINES:
                        free(*(char **)field);
                        break;
                case MEMBER_WORDS:
                case MEMBER_VARIABLES:
                        strings_free(*(char ***)field);
                        break;
                case MEMBER_SYNTAX:
                        syntax_done(field);
                        break;
                default:
                        break;
                }
        }
        for (size_t i = 0; i < ELEMENTSOF(comment_members); i++)
                free(*(char **)((char *)&language->comments + comment_members[i].offset));
        free(language);
        return NULL;
}

bool language_name_is_valid(const char *name) {
        return *name && *name != '.' && *name != '_' && !strchr(name, '/') &&
               strlen(name) <= LANGUAGE_NAME_MAX;
}

const Syntax *language_syntax(const Language *language) {
        static const SyntaxRule rules[] = {
                { .open = (char *)"\"", .close = (char *)"\"", .escape = '\\' },
                { .open = (char *)"'", .close = (char *)"'", .escape = '\\' },
        };
        static const Syntax usual = {
                .rules = (SyntaxRule *)rules,
                .n = ELEMENTSOF(rules),
                .begins = { ['"'] = true, ['\''] = true },
        };

        return language->syntax.rules ? &language->syntax : &usual;
}
