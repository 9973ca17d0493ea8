/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A client of QEMU's monitor protocol (QMP) on an event loop: the handshake, commands and their answers in
 * any order, events, descriptors that go with a command.
 *
 * What comes from QEMU is not trusted: a guest may have taken its process over. A message is at most
 * QMP_MESSAGE_MAX bytes, every command has a deadline, an answer to nothing that was asked is passed over,
 * and words for people are printable and short.
 *
 * Hooks and done functions are called from the loop, never from a call of the functions below, and any of
 * them may free the client. */

#include <systemd/sd-event.h>

#include "common/json.h"

/* The longest answer of 11.1 to what is asked here, the list of machine types, has 60 KiB. */
#define QMP_MESSAGE_MAX ((size_t)1 << 20)
/* From the connection until commands are taken; a busy host starts QEMU in seconds. */
#define QMP_HANDSHAKE_USEC (20 * USEC_PER_SEC)

typedef struct Qmp Qmp;

typedef struct QmpHooks {
        /* The handshake is done. */
        void (*ready)(Qmp *qmp, void *userdata);
        /* data: an object, or NULL; only as long as the call lasts. NULL: events do not matter. */
        void (*event)(Qmp *qmp, const char *name, const Json *data, void *userdata);
        /* The connection is of no use any more, after all commands under way have been told so. error:
         * -ECONNRESET (QEMU closed it), -EPROTO, -EMSGSIZE, -ETIMEDOUT (no handshake) or another one. why:
         * for people. */
        void (*closed)(Qmp *qmp, int error, const char *why, void *userdata);
        void *userdata;
} QmpHooks;

/* Takes over the descriptor of a connected stream socket, in any case. 0 or negative errno. */
int qmp_new(sd_event *event, int fd, const QmpHooks *hooks, Qmp **ret);
/* The same, of a unix socket's path; -EAGAIN: another client holds the monitor and one more waits. */
int qmp_connect(sd_event *event, const char *path, const QmpHooks *hooks, Qmp **ret);
/* Closes it; commands under way are not told. */
Qmp *qmp_free(Qmp *qmp);
DEFINE_CLEANUP(Qmp *, qmp_free);

/* "7.2.22"; "" before the greeting. */
const char *qmp_version(const Qmp *qmp);

/* The end of a command. result: 0; -EREMOTEIO: QEMU refused, message has its words; -ETIMEDOUT; or what
 * closed() is called with. value: what it returned, NULL unless result is 0; only as long as the call
 * lasts. message: for people, "" on success. */
typedef void (*QmpDone)(Qmp *qmp, int result, const Json *value, const char *message, void *userdata);

/* Sends a command, once the handshake is done. command: its name; arguments: the JSON of an object, or NULL;
 * fd: a descriptor that goes with it (a copy is taken), or -1; timeout_usec: from now on. done is called
 * once unless the client is freed before. 0, -ENOTCONN (it is closed) or another negative errno: then done
 * is not called. */
int qmp_call(Qmp *qmp, const char *command, const char *arguments, int fd, uint64_t timeout_usec,
        QmpDone done, void *userdata);
