/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA-256 (FIPS 180-4), for file names of any length; no secret depends on it. */

#include "common/macro.h"

#define SHA256_SIZE 32

typedef struct Sha256 {
        uint32_t state[8];
        uint8_t block[64];
        uint64_t size; /* bytes so far */
} Sha256;

void sha256_begin(Sha256 *hash);
void sha256_add(Sha256 *hash, const void *data, size_t size);
void sha256_end(Sha256 *hash, uint8_t ret[static SHA256_SIZE]);
