/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* In place of the journal: a file that PBOTVM_TEST_JOURNAL names. An entry is a line for each field, in
 * which a line's end within a field is "\n", and an empty line. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

int __real_sd_journal_sendv(const struct iovec *iov, int n);
int __wrap_sd_journal_sendv(const struct iovec *iov, int n);

int __wrap_sd_journal_sendv(const struct iovec *iov, int n) {
        const char *path = getenv("PBOTVM_TEST_JOURNAL");
        FILE *f = path ? fopen(path, "ae") : NULL;
        if (!f)
                return __real_sd_journal_sendv(iov, n);

        for (int i = 0; i < n; i++) {
                const char *field = iov[i].iov_base;
                for (size_t k = 0; k < iov[i].iov_len; k++)
                        if (field[k] == '\n')
                                (void)fputs("\\n", f);
                        else
                                (void)fputc(field[k], f);
                (void)fputc('\n', f);
        }
        (void)fputc('\n', f);
        return fclose(f);
}
