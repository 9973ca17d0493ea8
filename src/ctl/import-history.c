/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/import.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/io.h"
#include "ctl/configuration.h"
#include "ctl/format.h"
#include "edit/import.h"
#include "language/table.h"
#include "paths.h"

#define ENDING ".hist"

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

typedef struct Importing {
        ImportRun *run;
        History *history;
        const char *languages[3];
        uid_t owner;
        gid_t group;
        size_t lists, codes, outputs;
        bool failed;
} Importing;

/* Root reads what is PBot's; what is written is written as the one who owns the history, so that it is his,
 * and no link of his leads root anywhere. */
static int act_as(uid_t user, gid_t group) {
        if (getuid() != 0)
                return 0;
        return seteuid(0) < 0 || setegid(group) < 0 || seteuid(user) < 0 ? -errno : 0;
}

static bool language_is_known(const Importing *importing, const char *word) {
        _cleanup_(language_freep) Language *language = NULL;
        _cleanup_text_ Text errors = {}, list = {};

        int r = language_open(importing->languages, word, &language, &errors);
        if (r == -ENOENT)
                r = language_search(importing->languages, word, &language, &list);
        return r != 0 || language;
}

static void tell(
        const Importing *importing, const Text *channel, const char *language, const Import *import) {
        _cleanup_text_ Text line = {};
        bool stays = import->outcome == IMPORT_TAKEN;

        if (!importing->run->ctl->legend && !stays)
                return;
        format_untrusted(&line, text_string(channel));
        text_append_string(&line, ", ");
        format_untrusted(&line, language);
        text_append_printf(&line, ": %zu code%s", import->codes, import->codes == 1 ? "" : "s");
        if (import->older > 0)
                text_append_printf(
                        &line, ", %zu older left out (\"history\" in pbotvm.json)", import->older);
        if (import->outcome == IMPORT_SAME)
                text_append_string(&line, ", there already");
        if (stays)
                text_append_string(&line, "; another history is there and stays");
        if (import->outcome == IMPORT_EMPTY)
                text_append_string(&line, ", nothing to take over");
        if (!language_is_known(importing, language))
                text_append_string(&line, "; no language has that name here");
        fprintf(stays ? stderr : stdout, "%s\n", text_string(&line));
}

/* No link, and nothing that never ends: what is looked at is what is read, whoever may write to the folder.
 */
static int read_regular(int folder, const char *name, struct stat *ret, Text *content) {
        _cleanup_close_ int fd =
                openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        char path[40];

        if (fd < 0 || fstat(fd, ret) < 0)
                return -errno;
        if (!S_ISREG(ret->st_mode))
                return -EINVAL;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%i", fd);
        return io_read_file(AT_FDCWD, path, HISTORY_READ_MAX, content);
}

/* Of "#c-c++.hist" the channel is #c: no language has a dash in its name, channels do. */
static int import_file(Importing *importing, int folder, const char *name) {
        const ImportRun *run = importing->run;
        _cleanup_text_ Text content = {}, channel = {}, language = {};
        const char *dash = strrchr(name, '-'), *end = name + strlen(name) - strlen(ENDING);
        Import import = {};
        struct stat st;

        if (!dash || dash == name || dash + 1 >= end) {
                fprintf(stderr, "%s/history/%s: is no CHANNEL-LANGUAGE" ENDING " and is left out.\n",
                        run->directory, name);
                return 0;
        }
        text_append(&channel, name, (size_t)(dash - name));
        text_append(&language, dash + 1, (size_t)(end - dash - 1));
        if (text_failed(&channel) || text_failed(&language))
                return -ENOMEM;
        int r = read_regular(folder, name, &st, &content);
        if (r >= 0)
                r = act_as(importing->owner, importing->group);
        if (r >= 0) {
                r = history_import(importing->history, text_string(&channel), text_string(&language),
                        text_string(&content), content.size, run->ctl->force, run->ctl->dry_run, st.st_mtim,
                        &import);
                int back = act_as(getuid(), getgid());
                r = r < 0 ? r : back;
        }
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                fprintf(stderr, "Failed to import %s/history/%s: %s\n", run->directory, name, strerror(-r));
                importing->failed = true;
                return 0;
        }
        tell(importing, &channel, text_string(&language), &import);
        importing->lists += import.outcome == IMPORT_DONE;
        importing->codes += import.outcome == IMPORT_DONE ? import.codes : 0;
        importing->run->stayed += import.outcome == IMPORT_TAKEN;
        return 0;
}

static bool ends(const char *name, const char *ending) {
        size_t size = strlen(name), n = strlen(ending);

        return size > n && streq(name + size - n, ending);
}

static int by_name(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int import_files(Importing *importing, const char *path) {
        _cleanup_close_ int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent **entries = NULL;
        int r = 0;

        if (folder < 0)
                return -errno;
        int n = scandirat(folder, ".", &entries, NULL, by_name);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                if (r >= 0 && ends(entries[i]->d_name, ENDING))
                        r = import_file(importing, folder, entries[i]->d_name);
                importing->outputs += ends(entries[i]->d_name, ".last-output");
                free(entries[i]);
        }
        free(entries);
        return r;
}

/* Modules of PBot's that none of ours replaces. */
static void tell_modules(const Importing *importing) {
        _cleanup_(closedirp) DIR *dir = NULL;
        _cleanup_text_ Text path = {};

        text_append_printf(&path, "%s/lib/Languages", importing->run->directory);
        dir = text_failed(&path) ? NULL : opendir(text_string(&path));
        for (struct dirent *entry; dir && (entry = readdir(dir));) {
                _cleanup_text_ Text name = {};

                if (!ends(entry->d_name, ".pm") || entry->d_name[0] == '_' || entry->d_name[0] == '.')
                        continue;
                text_append(&name, entry->d_name, strlen(entry->d_name) - 3);
                if (!language_is_known(importing, text_string(&name)))
                        fprintf(stderr,
                                "%s/%s: has no counterpart; write %s/%s.json for it: pbotvm-language(5).\n",
                                text_string(&path), entry->d_name, PBOTVM_LANGUAGES_LOCAL_DIR,
                                text_string(&name));
        }
}

/* Whose the folder is, and the folder itself, unless that is not there yet and nothing is to be written. */
static int open_store(Importing *importing, const Config *config) {
        const char *path = importing->run->ctl->state ?: PBOTVM_STATE_DIR;
        bool there = true;
        struct stat st;

        if (stat(path, &st) < 0) {
                if (errno != ENOENT || !importing->run->ctl->dry_run)
                        return -errno;
                there = false;
                st = (struct stat){ .st_uid = geteuid(), .st_gid = getegid() };
        }
        importing->owner = st.st_uid;
        importing->group = st.st_gid;
        return history_open(there ? path : NULL, config->history_file_bytes, config->history_total_bytes,
                &importing->history);
}

static int import_all(Importing *importing, const char *path) {
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_close_ int root = configuration_root();
        _cleanup_text_ Text errors = {};

        int r = root < 0 ? root : configuration_read(root, &config, &errors);
        if (r < 0)
                return r;
        if (!config) {
                fputs(text_string(&errors), stderr);
                return -EINVAL;
        }
        r = open_store(importing, config);
        if (r < 0) {
                fprintf(stderr, "Failed to open %s: %s; \"systemd-tmpfiles --create\" makes it.\n",
                        importing->run->ctl->state ?: PBOTVM_STATE_DIR, strerror(-r));
                return r;
        }
        return import_files(importing, path);
}

int import_history(ImportRun *run) {
        Importing importing = { .run = run };
        _cleanup_text_ Text path = {};

        if (run->ctl->directory)
                importing.languages[0] = run->ctl->directory;
        else {
                importing.languages[0] = PBOTVM_LANGUAGES_LOCAL_DIR;
                importing.languages[1] = PBOTVM_LANGUAGES_DIR;
        }
        text_append_printf(&path, "%s/history", run->directory);
        if (text_failed(&path))
                return ctl_failure(-ENOMEM, "import the history");
        tell_modules(&importing);
        if (access(text_string(&path), F_OK) < 0 && errno == ENOENT) {
                if (run->ctl->legend)
                        printf("%s: is not there; there is no history to take over\n", text_string(&path));
                return 0;
        }
        int r = import_all(&importing, text_string(&path));
        history_free(importing.history);
        if (r < 0)
                return ctl_failure(r, "import the history");
        if (run->ctl->legend) {
                printf("%zu histories with %zu codes %s\n", importing.lists, importing.codes,
                        run->ctl->dry_run ? "would be taken over" : "taken over");
                if (importing.outputs > 0)
                        printf("%zu last outputs are left out: they count for four minutes alone\n",
                                importing.outputs);
        }
        return importing.failed ? EXIT_FAILURE : 0;
}
