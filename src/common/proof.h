/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a guest knows its host on a way that anybody may connect to: by a secret that it was told on one that
 * only the host has, a channel or a credential. The host says it first on each connection, as a request that
 * has nothing else in it. It is the secret itself: between the two kernels nobody listens, and a guest that
 * others have taken over learns nothing by it, since every generation has another one; but for a credential,
 * which lasts as long as the domain. */

#include "common/macro.h"

#define SECRET_SIZE 32
#define PROOF_SIZE 89

/* Reads one from a file that says it in 64 hexadecimal digits, and maybe ends the line. 0, -EBADMSG if it
 * does not, -EPERM if everybody may read it, or another negative errno. */
int secret_read(const char *path, uint8_t ret[static SECRET_SIZE]);

/* {"pbotvm":{"proof":"HEX"}} and what ends a request; not ended by NUL. */
void proof_write(const uint8_t secret[static SECRET_SIZE], char ret[static PROOF_SIZE]);
/* Takes as long for any bytes. */
bool proof_matches(const uint8_t secret[static SECRET_SIZE], const char proof[static PROOF_SIZE]);
