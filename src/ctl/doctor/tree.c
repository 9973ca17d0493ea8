/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/doctor/tree.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>

#include "common/io.h"

#define FILE_MAX ((size_t)16 << 20)

static const char *relative(const char *path) {
        path += strspn(path, "/");
        return *path ? path : ".";
}

static void file_closep(FILE **file) {
        if (*file)
                (void)fclose(*file);
}

bool tree_has(int root, const char *path) {
        struct stat st;

        return fstatat(root, relative(path), &st, AT_SYMLINK_NOFOLLOW) >= 0;
}

int tree_stat(int root, const char *path, struct stat *ret) {
        return fstatat(root, relative(path), ret, 0) < 0 ? -errno : 0;
}

int tree_read(int root, const char *path, Text *ret) {
        return io_read_file(root, relative(path), FILE_MAX, ret);
}

static FILE *open_stream(int root, const char *path) {
        _cleanup_close_ int fd = openat(root, relative(path), O_RDONLY | O_CLOEXEC);
        FILE *file = fd >= 0 ? fdopen(fd, "re") : NULL;

        if (file)
                (void)TAKE_FD(fd);
        return file;
}

int tree_user(int root, const char *name, uid_t *ret) {
        _cleanup_(file_closep) FILE *file = open_stream(root, "/etc/passwd");
        char buffer[4096];
        struct passwd entry, *found;

        while (file && fgetpwent_r(file, &entry, buffer, sizeof(buffer), &found) == 0)
                if (streq(found->pw_name, name)) {
                        *ret = found->pw_uid;
                        return 0;
                }
        return -ENOENT;
}

int tree_group(int root, const char *name, gid_t *ret) {
        _cleanup_(file_closep) FILE *file = open_stream(root, "/etc/group");
        char buffer[16384];
        struct group entry, *found;

        while (file && fgetgrent_r(file, &entry, buffer, sizeof(buffer), &found) == 0)
                if (streq(found->gr_name, name)) {
                        *ret = found->gr_gid;
                        return 0;
                }
        return -ENOENT;
}

int tree_setting(int root, const char *path, const char *name, Text *ret) {
        _cleanup_text_ Text content = {};
        int said = 0;

        if (tree_read(root, path, &content) < 0)
                return 0;
        for (const char *line = text_string(&content); *line;
                line += strcspn(line, "\n"), line += *line == '\n') {
                const char *at = startswith(line + strspn(line, " \t"), name);
                if (!at)
                        continue;
                at += strspn(at, " \t");
                if (*at != '=')
                        continue;
                at += 1 + strspn(at + 1, " \t\"'");
                text_clear(ret);
                text_append(ret, at, strcspn(at, " \t\"'#\n"));
                said = 1;
        }
        return said;
}
