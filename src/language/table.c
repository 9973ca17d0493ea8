/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/table.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/io.h"
#include "language/definition.h"

#define SUFFIX ".json"
#define FILE_SIZE_MAX ((size_t)256 << 10)
#define LIKE_MAX 6

/* Reads and parses name from the first directory that has it: the index of that one is *ret_directory. */
static int open_json(const char *const *directories, size_t first, const char *name, Text *path, Json **ret,
        size_t *ret_directory, Text *errors) {
        for (size_t i = first; directories[i]; i++) {
                text_clear(path);
                text_append_printf(path, "%s/%s" SUFFIX, directories[i], name);
                if (text_failed(path))
                        return -ENOMEM;

                _cleanup_text_ Text content = {};
                int r = io_read_file(AT_FDCWD, text_string(path), FILE_SIZE_MAX, &content);
                if (r == -ENOENT || r == -ENOTDIR)
                        continue;
                if (r < 0) {
                        definition_mistake(
                                errors, text_string(path), NULL, NULL, "cannot be read: %s", strerror(-r));
                        return r;
                }

                JsonError error;
                _cleanup_json_ Json *json = NULL;
                r = json_parse(text_string(&content), content.size, JSON_LIMITS_FILE, &json, &error);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 || json_type(json) != JSON_OBJECT) {
                        text_append_printf(errors, "%s:%u: %s\n", text_string(path), r < 0 ? error.line : 1,
                                r < 0 ? error.message : "expected an object");
                        return -EINVAL;
                }
                *ret = TAKE_PTR(json);
                *ret_directory = i;
                return 0;
        }
        return -ENOENT;
}

/* Files that are like one another, the language's own first. */
typedef struct Chain {
        DefinitionFile files[LIKE_MAX];
        size_t n;
} Chain;

static void chain_done(Chain *chain) {
        for (size_t i = 0; i < LIKE_MAX; i++) {
                text_done(&chain->files[i].path);
                json_free(chain->files[i].json);
        }
}

/* The file that "like" names in the last of the chain, which is name of the directory *found_in. A file that
 * is like its own name overrides the one of a later directory. 1 and its name, 0 if there is no "like", or a
 * negative errno. */
static int chain_add(
        Chain *chain, const char *const *directories, size_t *found_in, const char **name, Text *errors) {
        const DefinitionFile *last = &chain->files[chain->n - 1];
        DefinitionFile *next = &chain->files[chain->n];
        const Json *member = json_member(last->json, "like");
        const char *like = json_string(member, NULL), *file = text_string(&last->path);

        if (!like)
                return 0; /* none, or no string: told with the other members */
        if (chain->n == LIKE_MAX) {
                definition_mistake(
                        errors, file, member, "like", "more than %i files are like one another", LIKE_MAX);
                return -EINVAL;
        }
        int r = -ENOENT;
        if (language_name_is_valid(like + (*like == '_')))
                r = open_json(directories, streq(like, *name) ? *found_in + 1 : 0, like, &next->path,
                        &next->json, found_in, errors);
        if (r == -ENOENT) {
                definition_mistake(
                        errors, file, member, "like", "there is no language file %s" SUFFIX, like);
                return -EINVAL;
        }
        if (r < 0)
                return r;
        *name = like;
        chain->n++;
        return 1;
}

int language_open(const char *const *directories, const char *name, Language **ret, Text *errors) {
        if (!language_name_is_valid(name))
                return -ENOENT;

        _cleanup_(chain_done) Chain chain = { .n = 1 };
        size_t directory;
        int r = open_json(directories, 0, name, &chain.files->path, &chain.files->json, &directory, errors);
        while (r >= 0 && (r = chain_add(&chain, directories, &directory, &name, errors)) > 0)
                ;
        return r < 0 ? r : definition_read(chain.files, chain.n, ret, errors);
}

/* A growing list of names. */
typedef struct Names {
        char **names;
        size_t n;
} Names;

static void names_done(Names *names) {
        for (size_t i = 0; i < names->n; i++)
                free(names->names[i]);
        free(names->names);
}

static int names_add(Names *names, const char *name, size_t size) {
        char **grown = realloc(names->names, (names->n + 1) * sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        names->names = grown;
        names->names[names->n] = strndup(name, size);
        if (!names->names[names->n])
                return -ENOMEM;
        names->n++;
        return 0;
}

/* A link to a file beside it is another name of that language, not one more language. */
static bool is_alias(int dir_fd, const char *file) {
        char target[LANGUAGE_NAME_MAX * 2];
        ssize_t n = readlinkat(dir_fd, file, target, sizeof(target));
        return n > 0 && !memchr(target, '/', (size_t)n);
}

static int names_collect(Names *names, const char *directory) {
        DIR *dir = opendir(directory);
        if (!dir)
                return 0; /* no such directory: no languages there */

        int r = 0;
        struct dirent *entry;
        while (r >= 0 && (entry = readdir(dir))) {
                size_t size = strlen(entry->d_name);
                const char *suffix = entry->d_name + size - MIN(size, strlen(SUFFIX));
                if (!streq(suffix, SUFFIX) || !language_name_is_valid(entry->d_name) ||
                        is_alias(dirfd(dir), entry->d_name))
                        continue;
                r = names_add(names, entry->d_name, size - strlen(SUFFIX));
        }
        (void)closedir(dir);
        return r;
}

static int names_compare(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool goes_by(const Language *language, const char *word) {
        if (streq(language->name, word))
                return true;
        for (char **alias = language->aliases; alias && *alias; alias++)
                if (streq(*alias, word))
                        return true;
        return false;
}

int language_each(const char *const *directories, LanguageVisit visit, void *userdata) {
        _cleanup_(names_done) Names names = {};
        int r = 0;

        for (size_t i = 0; directories[i] && r >= 0; i++)
                r = names_collect(&names, directories[i]);
        if (names.n > 0)
                qsort(names.names, names.n, sizeof(*names.names), names_compare);

        for (size_t i = 0; i < names.n && r == 0; i++) {
                if (i > 0 && streq(names.names[i], names.names[i - 1]))
                        continue; /* overridden */
                _cleanup_text_ Text errors = {};
                _cleanup_(language_freep) Language *language = NULL;
                r = language_open(directories, names.names[i], &language, &errors);
                if (r != -ENOMEM)
                        r = visit(names.names[i], &language, &errors, userdata);
        }
        return r;
}

typedef struct Search {
        const char *word;
        Language **ret;
        Text *list;
} Search;

static int look_for(const char *file _unused_, Language **language, const Text *errors, void *userdata) {
        const Search *search = userdata;

        if (!*language) {
                definition_log(errors);
                return 0;
        }
        if (goes_by(*language, search->word)) {
                *search->ret = TAKE_PTR(*language);
                return 1;
        }
        text_append_printf(search->list, "%s%s", search->list->size > 0 ? ", " : "", (*language)->name);
        return 0;
}

int language_search(const char *const *directories, const char *word, Language **ret, Text *list) {
        Search search = { .word = word, .ret = ret, .list = list };

        int r = language_each(directories, look_for, &search);
        return r != 0 ? r : text_error(list);
}
