/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pbotvm-archive: packs and unpacks a job's storage; the agent starts it in the job's sandbox.
 *
 *   pbotvm-archive unpack DIRECTORY MAX TMP < archive
 *   pbotvm-archive pack DIRECTORY MAX TMP > archive
 *   pbotvm-archive clear DIRECTORY MAX TMP
 *
 * TMP is where the content of /tmp is, from DIRECTORY. Exit status ARCHIVE_TOO_LARGE: more than MAX bytes,
 * or too many files. */
#include <stdio.h>

#include "tree-archive.h"

static int act(const char *verb, const char *tmp, uint64_t max, Text *error) {
        if (streq(verb, "unpack"))
                return tree_unpack(STDIN_FILENO, tmp, max, error);
        if (streq(verb, "pack"))
                return tree_pack(STDOUT_FILENO, tmp, max, error);
        if (streq(verb, "clear"))
                return tree_clear(error);
        text_append_printf(error, "Unknown verb %.20s.", verb);
        return -EINVAL;
}

int main(int argc, char *argv[]) {
        _cleanup_text_ Text error = {};

        if (argc != 5) {
                fputs("usage: pbotvm-archive pack|unpack|clear DIRECTORY MAX TMP\n", stderr);
                return EXIT_FAILURE;
        }
        if (chdir(argv[2]) < 0) {
                fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
                return EXIT_FAILURE;
        }
        int r = act(argv[1], argv[4], strtoull(argv[3], NULL, 10), &error);
        if (r < 0)
                fprintf(stderr, "%s\n", error.size > 0 ? text_string(&error) : strerror(-r));
        return r == -EFBIG ? ARCHIVE_TOO_LARGE : r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
