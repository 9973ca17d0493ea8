/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/proof.h"

static const char begin[] = "{\"pbotvm\":{\"proof\":\"", end[] = "\"}}\n\n";

_Static_assert(
        sizeof(begin) - 1 + sizeof(end) - 1 + (size_t)2 * SECRET_SIZE == PROOF_SIZE, "size of a proof");

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
