/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job has of its own besides what clone3(2) makes: user and network.
 *
 * The user namespace counts the processes of the jobs' user anew, so that RLIMIT_NPROC holds for each job
 * and not for all of them together. All numbers in it are those outside but the one of that user, which is
 * another outside for each job: what the kernel counts by user (pages in pipes, descriptors that are
 * underway) no job takes from another, and none owns a file that it has not made. The network holds a
 * loopback, and nothing else. Only who rules a network may bring its loopback up, so each belongs to such a
 * user namespace, and the agent needs no power over the machine's own.
 *
 * Making them takes a good part of the time in which a job starts, so the agent keeps some in store. */

#include <systemd/sd-event.h>

#include "common/macro.h"

/* Numbers of a user and its group. */
typedef struct JobUser {
        uid_t uid;
        gid_t gid;
} JobUser;

typedef struct Namespaces {
        /* Descriptors for setns(2). */
        int user_fd; /* -EBADF where the machine allows none */
        int network_fd;
        JobUser inside, outside; /* who the jobs' user is; the same where there is no user namespace */
} Namespaces;

#define NAMESPACES_INIT ((Namespaces){ .user_fd = -EBADF, .network_fd = -EBADF })
void namespaces_done(Namespaces *namespaces);
#define _cleanup_namespaces_ _cleanup_(namespaces_done)

/* Makes those that *namespaces has only the users of, and waits for it. /proc must show the caller's own
 * process numbers. 0 or a negative errno; -EUSERS: no user namespace, though the users differ. */
int namespaces_make(Namespaces *namespaces);

/* Enters a user namespace with all powers in it, and takes so much of root's quotas that as many jobs at
 * once leave it most. /proc must be whole. 0 or a negative errno. */
int namespaces_enter_user(int user_fd, unsigned jobs);

typedef struct NamespaceStore NamespaceStore;

/* Makes a store for jobs of that user, with the first namespaces in it. 0 or a negative errno. */
int namespace_store_new(sd_event *event, JobUser user, NamespaceStore **ret);
NamespaceStore *namespace_store_free(NamespaceStore *store);
DEFINE_CLEANUP(NamespaceStore *, namespace_store_free);

/* Those in store, which are the caller's then; only the users when it is empty: the job makes its own. */
Namespaces namespace_store_take(NamespaceStore *store);
/* For a job whose files others' jobs are to read: the user is the same outside, and it makes its own. */
Namespaces namespace_store_plain(const NamespaceStore *store);
/* Makes others, if it is empty; not waited for. Call it when there is nothing better to do. */
void namespace_store_fill(NamespaceStore *store);
