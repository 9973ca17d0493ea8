/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a fuzz target over the files of a folder, without libFuzzer: the corpus as an ordinary test. */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "common/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv) {
        DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
        unsigned n = 0;

        if (!dir) {
                fprintf(stderr, "Usage: %s FOLDER\n", argv[0]);
                return EXIT_FAILURE;
        }
        for (struct dirent *d; (d = readdir(dir));) {
                _cleanup_text_ Text content = {};
                if (d->d_name[0] == '.')
                        continue;
                if (io_read_file(dirfd(dir), d->d_name, 1 << 20, &content) < 0) {
                        fprintf(stderr, "%s: cannot be read\n", d->d_name);
                        return EXIT_FAILURE;
                }
                (void)LLVMFuzzerTestOneInput((const uint8_t *)text_string(&content), content.size);
                n++;
        }
        closedir(dir);
        printf("%u files\n", n);
        return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
