/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job's network: a namespace that holds a loopback, and nothing else.
 *
 * Only who rules a namespace may bring its loopback up. So that the agent needs no power over the machine's
 * own network, a short-lived child makes each namespace below a user namespace of its own, where it may.
 * Making one takes a good part of the time in which a job starts, so the agent keeps one in store. */

#include <systemd/sd-event.h>

#include "common/macro.h"

/* Makes a namespace and waits for it: a descriptor for setns(2), or a negative errno. */
int network_make(void);

typedef struct NetworkStore NetworkStore;

/* Starts to fill the store. 0 or a negative errno. */
int network_store_new(sd_event *event, NetworkStore **ret);
NetworkStore *network_store_free(NetworkStore *store);
DEFINE_CLEANUP(NetworkStore *, network_store_free);

/* The one in store, which is the caller's then; -EAGAIN when there is none: the job makes its own. */
int network_store_take(NetworkStore *store);
/* Makes another one, if it is empty; not waited for. Call it when there is nothing better to do. */
void network_store_fill(NetworkStore *store);
