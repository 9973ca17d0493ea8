/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/table.h"

#include <dirent.h>
#include <fcntl.h>

#include "common/io.h"

#define FILE_SIZE_MAX ((size_t)256 << 10)
#define SUFFIX ".json"
#define REWRITES_MAX 8

typedef enum MemberType {
        MEMBER_STRING,
        MEMBER_BOOLEAN,
        MEMBER_LINES,    /* an array of strings, or one string: a text of lines */
        MEMBER_NAMES,    /* an array of plain names */
        MEMBER_COMMENTS, /* an array of four strings */
        MEMBER_SNIPPET,
} MemberType;

/* Every member that a language file may have. */
static const struct {
        const char *name;
        MemberType type;
        size_t offset;
        bool required;
} members[] = {
        { "name", MEMBER_STRING, offsetof(Language, name), true },
        { "source", MEMBER_STRING, offsetof(Language, source), true },
        { "executable", MEMBER_STRING, offsetof(Language, executable), true },
        { "command", MEMBER_STRING, offsetof(Language, command), true },
        { "options", MEMBER_STRING, offsetof(Language, options), false },
        { "options-nopaste", MEMBER_STRING, offsetof(Language, options_nopaste), false },
        { "options-paste", MEMBER_STRING, offsetof(Language, options_paste), false },
        { "arguments-in-command", MEMBER_BOOLEAN, offsetof(Language, arguments_in_command), false },
        { "escapes", MEMBER_BOOLEAN, offsetof(Language, escapes), false },
        { "append", MEMBER_STRING, offsetof(Language, append), false },
        { "snippet", MEMBER_SNIPPET, offsetof(Language, snippet), false },
        { "show-last-statement", MEMBER_BOOLEAN, offsetof(Language, show_last_statement), false },
        { "line-comments", MEMBER_BOOLEAN, offsetof(Language, line_comments), false },
        { "prelude", MEMBER_LINES, offsetof(Language, prelude), false },
        { "rewrites", MEMBER_NAMES, offsetof(Language, rewrites), false },
        { "comments", MEMBER_COMMENTS, offsetof(Language, comments), false },
};

static const char *const default_comments[4] = {
        "/************* CMDLINE *************\n",
        "************** CMDLINE *************/\n",
        "/************* OUTPUT *************\n",
        "************** OUTPUT *************/\n",
};

Language *language_free(Language *language) {
        if (!language)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(members); i++)
                if (members[i].type == MEMBER_STRING || members[i].type == MEMBER_LINES)
                        free(*(char **)((char *)language + members[i].offset));
        for (size_t i = 0; language->rewrites && language->rewrites[i]; i++)
                free(language->rewrites[i]);
        free(language->rewrites);
        for (size_t i = 0; i < ELEMENTSOF(language->comments); i++)
                free(language->comments[i]);
        free(language);
        return NULL;
}

/* A plain file name: no folder, nothing hidden, nothing internal. */
static bool name_is_valid(const char *name) {
        return !isempty(name) && strlen(name) <= 64 && name[0] != '.' && name[0] != '_' &&
               !strchr(name, '/');
}

typedef struct Reader {
        const char *file;
        Text *error;
} Reader;

static _printf_(4, 5) int mistake(
        const Reader *reader, const Json *where, const char *member, const char *format, ...) {
        va_list ap;

        text_append_printf(reader->error, "%s:%u: ", reader->file, where ? json_line(where) : 1);
        if (member)
                text_append_printf(reader->error, "%s: ", member);
        va_start(ap, format);
        text_append_vprintf(reader->error, format, ap);
        va_end(ap);
        return -EINVAL;
}

/* A string without NUL, or a mistake. */
static int read_string(const Reader *reader, const Json *value, const char *member, char **ret) {
        size_t size;
        const char *string = json_string(value, &size);

        if (!string || memchr(string, 0, size))
                return mistake(reader, value, member, "expected a string, found %s",
                        string ? "one with a NUL in it" : json_type_name(json_type(value)));
        char *copy = bytes_dup(string, size);
        if (!copy)
                return -ENOMEM;
        free(*ret);
        *ret = copy;
        return 0;
}

static int read_lines(const Reader *reader, const Json *value, const char *member, char **ret) {
        _cleanup_text_ Text lines = {};

        if (json_type(value) != JSON_ARRAY)
                return mistake(reader, value, member, "expected an array of lines, found %s",
                        json_type_name(json_type(value)));
        for (size_t i = 0; i < json_size(value); i++) {
                _cleanup_free_ char *line = NULL;
                int r = read_string(reader, json_at(value, i), member, &line);
                if (r < 0)
                        return r;
                text_append_printf(&lines, "%s\n", line);
        }
        return text_steal(&lines, ret, NULL);
}

static int read_names(const Reader *reader, const Json *value, const char *member, char ***ret) {
        if (json_type(value) != JSON_ARRAY || json_size(value) > REWRITES_MAX)
                return mistake(reader, value, member, "expected an array of at most %i names", REWRITES_MAX);

        *ret = calloc(json_size(value) + 1, sizeof(**ret));
        if (!*ret)
                return -ENOMEM;
        for (size_t i = 0; i < json_size(value); i++) {
                int r = read_string(reader, json_at(value, i), member, &(*ret)[i]);
                if (r < 0)
                        return r;
                if (!name_is_valid((*ret)[i]))
                        return mistake(
                                reader, json_at(value, i), member, "expected the name of a rewrite table");
        }
        return 0;
}

static int read_comments(const Reader *reader, const Json *value, const char *member, char **ret) {
        if (json_type(value) != JSON_ARRAY || json_size(value) != 4)
                return mistake(reader, value, member,
                        "expected an array of 4 strings: what opens and closes a comment around the command "
                        "line, "
                        "and around the output");
        for (size_t i = 0; i < 4; i++) {
                int r = read_string(reader, json_at(value, i), member, &ret[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_snippet(const Reader *reader, const Json *value, const char *member, SnippetKind *ret) {
        const char *kind = json_string(value, NULL);

        if (kind && streq(kind, "c"))
                *ret = SNIPPET_C;
        else if (kind && streq(kind, "java"))
                *ret = SNIPPET_JAVA;
        else
                return mistake(reader, value, member, "expected \"c\" or \"java\"");
        return 0;
}

static int read_member(const Reader *reader, const Json *value, size_t i, Language *language) {
        const char *name = members[i].name;
        void *p = (char *)language + members[i].offset;

        switch (members[i].type) {
        case MEMBER_STRING:
                return read_string(reader, value, name, p);
        case MEMBER_LINES:
                return read_lines(reader, value, name, p);
        case MEMBER_NAMES:
                return read_names(reader, value, name, p);
        case MEMBER_COMMENTS:
                return read_comments(reader, value, name, p);
        case MEMBER_SNIPPET:
                return read_snippet(reader, value, name, p);
        case MEMBER_BOOLEAN:
                if (json_type(value) != JSON_BOOLEAN)
                        return mistake(reader, value, name, "expected true or false, found %s",
                                json_type_name(json_type(value)));
                *(bool *)p = json_boolean(value);
                return 0;
        }
        return -EINVAL;
}

static int find_member(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(members); i++)
                if (streq(members[i].name, name))
                        return (int)i;
        return -1;
}

/* What an absent member means. */
static int set_defaults(Language *language) {
        for (size_t i = 0; i < ELEMENTSOF(members); i++) {
                char **p = (char **)((char *)language + members[i].offset);
                if ((members[i].type == MEMBER_STRING || members[i].type == MEMBER_LINES) && !*p) {
                        *p = strdup("");
                        if (!*p)
                                return -ENOMEM;
                }
        }
        for (size_t i = 0; i < ELEMENTSOF(default_comments); i++)
                if (!language->comments[i]) {
                        language->comments[i] = strdup(default_comments[i]);
                        if (!language->comments[i])
                                return -ENOMEM;
                }
        return 0;
}

static int read_language(const Reader *reader, const Json *root, Language *language) {
        if (json_type(root) != JSON_OBJECT)
                return mistake(
                        reader, root, NULL, "expected an object, found %s", json_type_name(json_type(root)));

        language->escapes = language->line_comments = true;
        for (size_t i = 0; i < json_size(root); i++) {
                int m = find_member(json_name_at(root, i));
                if (m < 0)
                        return mistake(reader, json_at(root, i), json_name_at(root, i), "unknown member");
                int r = read_member(reader, json_at(root, i), (size_t)m, language);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < ELEMENTSOF(members); i++)
                if (members[i].required && isempty(*(char **)((char *)language + members[i].offset)))
                        return mistake(reader, root, members[i].name, "expected this member, a string");
        return set_defaults(language);
}

static int parse_file(const char *path, const Text *content, Language **ret, Text *error) {
        _cleanup_(language_freep) Language *language = calloc(1, sizeof(*language));
        _cleanup_json_ Json *root = NULL;
        const Reader reader = { .file = path, .error = error };
        JsonError where;

        if (!language)
                return -ENOMEM;
        int r = json_parse(text_string(content), content->size, JSON_LIMITS_FILE, &root, &where);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                text_append_printf(error, "%s:%u: expected JSON: %s", path, where.line, where.message);
                return -EINVAL;
        }
        r = read_language(&reader, root, language);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(language);
        return 0;
}

static int load_from(const char *dir, const char *name, Language **ret, Text *error) {
        _cleanup_text_ Text path = {}, content = {};

        text_append_printf(&path, "%s/%s" SUFFIX, dir, name);
        int r = io_read_file(AT_FDCWD, text_string(&path), FILE_SIZE_MAX, &content);
        if (r == -ENOENT || r == -ENOMEM)
                return r;
        if (r < 0) {
                text_append_printf(error, "%s: cannot be read: %s", text_string(&path), strerror(-r));
                return -EINVAL;
        }
        return parse_file(text_string(&path), &content, ret, error);
}

int language_load(const char *const *dirs, const char *name, Language **ret, Text *error) {
        if (!name_is_valid(name))
                return -ENOENT;
        for (; *dirs; dirs++) {
                int r = load_from(*dirs, name, ret, error);
                if (r != -ENOENT)
                        return r;
        }
        return -ENOENT;
}

/* Names of language files, without the suffix. */
typedef struct Names {
        char **items;
        size_t n;
} Names;

static void names_done(Names *names) {
        for (size_t i = 0; i < names->n; i++)
                free(names->items[i]);
        free(names->items);
}

static int names_add(Names *names, const char *name, size_t size) {
        for (size_t i = 0; i < names->n; i++)
                if (strlen(names->items[i]) == size && strncmp(names->items[i], name, size) == 0)
                        return 0;

        char **items = reallocarray(names->items, names->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        names->items = items;
        items[names->n] = bytes_dup(name, size);
        return items[names->n++] ? 0 : -ENOMEM;
}

/* A link to a file beside it is an alias: the language is listed under its own name. */
static bool is_alias(DIR *dir, const char *file) {
        char target[256];
        ssize_t n = readlinkat(dirfd(dir), file, target, sizeof(target));

        return n > 0 && !memchr(target, '/', (size_t)n);
}

static int names_add_dir(Names *names, const char *path) {
        DIR *dir = opendir(path);
        int r = 0;

        if (!dir)
                return 0;
        for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
                size_t size = strlen(e->d_name);
                if (size <= strlen(SUFFIX) || !streq(e->d_name + size - strlen(SUFFIX), SUFFIX) ||
                        e->d_name[0] == '.' || e->d_name[0] == '_' || is_alias(dir, e->d_name))
                        continue;
                r = names_add(names, e->d_name, size - strlen(SUFFIX));
        }
        closedir(dir);
        return r;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

int language_list(const char *const *dirs, Text *list, Text *errors) {
        _cleanup_(names_done) Names names = {};

        for (const char *const *dir = dirs; *dir; dir++) {
                int r = names_add_dir(&names, *dir);
                if (r < 0)
                        return r;
        }
        if (names.n > 0)
                qsort(names.items, names.n, sizeof(*names.items), compare_names);

        for (size_t i = 0; i < names.n; i++) {
                _cleanup_(language_freep) Language *language = NULL;
                _cleanup_text_ Text error = {};

                int r = language_load(dirs, names.items[i], &language, &error);
                if (r == -ENOMEM)
                        return r;
                if (r < 0) {
                        text_append_printf(errors, "%s\n", text_string(&error));
                        continue;
                }
                if (list->size > 0)
                        text_append_string(list, ", ");
                text_append_string(list, language->name);
        }
        return text_error(list);
}
