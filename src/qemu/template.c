/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/template.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/io.h"
#include "qemu/arguments.h"

#define FILE_SIZE_MAX ((size_t)16 << 10)

static int path_in(const char *folder, const char *name, Text *ret) {
        text_append_printf(ret, "%s/%s", folder, name);
        return text_error(ret);
}

static int read_in(const char *folder, const char *name, Text *ret, struct stat *ret_stat) {
        _cleanup_text_ Text path = {};

        int r = path_in(folder, name, &path);
        if (r < 0)
                return r;
        if (stat(text_string(&path), ret_stat) < 0)
                return -errno;
        return io_read_file(AT_FDCWD, text_string(&path), FILE_SIZE_MAX, ret);
}

static int write_in(const char *folder, const char *name, const Text *text) {
        _cleanup_text_ Text path = {};

        int r = path_in(folder, name, &path);
        if (r >= 0)
                r = text_error(text);
        return r < 0 ? r : io_write_file(text_string(&path), text_string(text), text->size, 0640);
}

/* True if a text has that line. */
static bool has_line(const Text *text, const char *line, size_t size) {
        for (const char *p = text_string(text), *end; *p; p = end + (*end == '\n')) {
                end = strchrnul(p, '\n');
                if ((size_t)(end - p) == size && memcmp(p, line, size) == 0)
                        return true;
        }
        return false;
}

/* Says of the first line that only one of them has; false: they have the same ones. */
static bool say_difference(const Text *then, const Text *now, Text *why) {
        const struct {
                const Text *of, *other;
                const char *said;
        } ways[] = { { now, then, "is new" }, { then, now, "is no more" } };

        for (size_t i = 0; i < ELEMENTSOF(ways); i++)
                for (const char *p = text_string(ways[i].of), *end; *p; p = end + (*end == '\n')) {
                        end = strchrnul(p, '\n');
                        if (has_line(ways[i].other, p, (size_t)(end - p)))
                                continue;
                        text_append_printf(why, "\"%.*s\" %s", (int)(end - p), p, ways[i].said);
                        return true;
                }
        return false;
}

static void say_command(const QemuDefinition *definition, Text *why) {
        text_append_printf(why, "; make one with: systemctl start pbotvm-template@%s", definition->name);
}

int qemu_template_look(const char *folder, const QemuDefinition *definition, QemuTemplate *ret, Text *why) {
        _cleanup_text_ Text then = {}, now = {}, line = {};
        struct stat st;

        int r = read_in(folder, "hardware", &then, &st);
        if (r >= 0)
                r = read_in(folder, "passport", &line, &st);
        if (r == -ENOENT) {
                text_append_printf(why, "%s has no template", definition->name);
                say_command(definition, why);
                return r;
        }
        if (r < 0) {
                text_append_printf(
                        why, "the template of %s cannot be read: %s", definition->name, strerror(-r));
                return r;
        }

        qemu_arguments_append_hardware(definition, &now);
        if (text_failed(&now))
                return -ENOMEM;
        text_append_printf(why, "the template of %s was made of another definition: ", definition->name);
        if (say_difference(&then, &now, why)) {
                say_command(definition, why);
                return -ESTALE;
        }
        text_clear(why);
        text_truncate(&line, strcspn(text_string(&line), "\n"));
        if (!passport_read(text_string(&line), &ret->passport) || !*ret->passport.machine) {
                text_append_printf(why, "the template of %s has no passport", definition->name);
                say_command(definition, why);
                return -ESTALE;
        }
        ret->made_usec = (uint64_t)st.st_mtim.tv_sec * USEC_PER_SEC;
        return 0;
}

int qemu_template_sign(const char *folder, const QemuDefinition *definition, const Passport *passport) {
        _cleanup_text_ Text hardware = {}, line = {};

        qemu_arguments_append_hardware(definition, &hardware);
        passport_write(passport, &line);
        text_append_char(&line, '\n');
        int r = write_in(folder, "hardware", &hardware);
        return r < 0 ? r : write_in(folder, "passport", &line);
}
