/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The thread that runs libvirt's own default event loop, and the way from other threads back to sd-event: a
 * queue and an eventfd. libvirt's client calls its event loop from whatever thread makes a call; its default
 * loop locks, sd-event does not. One for the process, as libvirt has it. */

#include <systemd/sd-event.h>

#include "common/macro.h"

typedef struct LibvirtThread LibvirtThread;
int libvirt_thread_new(sd_event *event, LibvirtThread **ret);
/* Ends the thread: afterwards no callback of libvirt's runs any more. */
void libvirt_thread_stop(LibvirtThread *thread);
/* What is still in the queue is dropped. */
LibvirtThread *libvirt_thread_free(LibvirtThread *thread);
DEFINE_CLEANUP(LibvirtThread *, libvirt_thread_free);

/* Something to be done on the sd-event loop; part of a larger structure. call() frees it; live is false when
 * the loop has ended and nothing else may be touched. */
typedef struct Completion Completion;
struct Completion {
        void (*call)(Completion *completion, bool live);
        Completion *next;
};
/* From any thread. */
void libvirt_thread_post(LibvirtThread *thread, Completion *completion);
/* Has libvirt's thread post it. 0, or -ENOMEM (it was not posted). */
int libvirt_thread_bounce(LibvirtThread *thread, Completion *completion);
