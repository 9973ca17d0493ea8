/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/proof.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/hex.h"

static const char begin[] = "{\"pbotvm\":{\"proof\":\"", end[] = "\"}}\n\n";

_Static_assert(
        sizeof(begin) - 1 + sizeof(end) - 1 + (size_t)2 * SECRET_SIZE == PROOF_SIZE, "size of a proof");

static int secret_parse(const char *text, size_t size, uint8_t ret[static SECRET_SIZE]) {
        if (size > 0 && text[size - 1] == '\n')
                size--;
        if (size != (size_t)2 * SECRET_SIZE)
                return -EBADMSG;
        for (size_t i = 0; i < SECRET_SIZE; i++) {
                int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
                if (high < 0 || low < 0)
                        return -EBADMSG;
                ret[i] = (uint8_t)(high << 4 | low);
        }
        return 0;
}

int secret_read(const char *path, uint8_t ret[static SECRET_SIZE]) {
        char text[2 * SECRET_SIZE + 2]; /* one more than there may be */
        struct stat st;

        _cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADMSG;
        /* The group's bit may stand for what an access list allows. */
        if (st.st_mode & S_IRWXO)
                return -EPERM;
        ssize_t n = read(fd, text, sizeof(text));
        int r = n < 0 ? -errno : secret_parse(text, (size_t)n, ret);
        explicit_bzero(text, sizeof(text));
        return r;
}

void proof_write(const uint8_t secret[static SECRET_SIZE], char ret[static PROOF_SIZE]) {
        static const char digits[] = "0123456789abcdef";
        char *p = ret + sizeof(begin) - 1;

        memcpy(ret, begin, sizeof(begin) - 1);
        for (size_t i = 0; i < SECRET_SIZE; i++) {
                *p++ = digits[secret[i] >> 4];
                *p++ = digits[secret[i] & 15];
        }
        memcpy(p, end, sizeof(end) - 1);
}

bool proof_matches(const uint8_t secret[static SECRET_SIZE], const char proof[static PROOF_SIZE]) {
        char expected[PROOF_SIZE];
        unsigned difference = 0;

        proof_write(secret, expected);
        for (size_t i = 0; i < PROOF_SIZE; i++)
                difference |= (unsigned char)expected[i] ^ (unsigned char)proof[i];
        explicit_bzero(expected, sizeof(expected));
        return difference == 0;
}
