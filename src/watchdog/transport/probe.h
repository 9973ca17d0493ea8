/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asks through the whole agent whether it works: an ordinary sh request, echo of a nonce. It counts when a
 * result: line with the nonce and result:end came within a total deadline; replies to earlier requests that
 * were left on the line are skipped. Nothing of the guest's answer is parsed. */

#include <systemd/sd-event.h>

#include "common/frame.h"

/* More than this without an answer is a flood, not a guest that is slow. */
#define PROBE_SIZE_MAX ((size_t)1 << 20)

/* Called once, from the loop: 0 when the guest answered, -ETIMEDOUT, -ECONNRESET (it closed), -EMSGSIZE (a
 * flood) or another negative errno. The probe may be freed in it. */
typedef void (*ProbeDone)(int result, void *userdata);

typedef struct Probe Probe;
/* fd: a connected non-blocking socket, borrowed. secret: told to the agent with the question; NULL: none is.
 */
int probe_new(sd_event *event, int fd, Framing framing, const uint8_t *secret, uint64_t limit_usec,
        ProbeDone done, void *userdata, Probe **ret);
/* Whether the answer has that word in it (reply.h), by which an agent says what it understands. */
bool probe_speaks(const Probe *probe, const char *word);
Probe *probe_free(Probe *probe);
DEFINE_CLEANUP(Probe *, probe_free);
