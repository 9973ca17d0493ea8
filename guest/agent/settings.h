/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the operator of the guest may set: /etc/pbotvm/guest.json, JSON with comments, and environment
 * variables named PBOTVM_GUEST_*, which win. Without either everything is found out. */

#include "common/json.h"
#include "common/request.h"

/* A list of devices and the like, in the order in which they were named. */
typedef struct NameList {
        char **names;
        size_t n;
} NameList;

typedef struct Settings {
        char *user;             /* jobs run as this user */
        NameList data;          /* devices: paths, or names of virtio-serial ports */
        NameList heartbeat;     /* likewise */
        NameList listen;        /* sockets for requests besides vsock: unix:PATH */
        NameList listen_heart;  /* the same for the heartbeat */
        uint32_t vsock_port;    /* 0: none */
        bool vsock_host_only;   /* only CID 2 */
        bool vsock_proof_named; /* else proof is asked for where the host can give a secret */
        bool vsock_proof;       /* whoever comes over vsock has to prove to be the host */
        unsigned slots;         /* jobs that may run at once */
        char *storage;          /* a directory or a block device that keeps storage; NULL: none */
        uint64_t storage_bytes; /* the largest storage of one key */
        JobLimits limits;
} Settings;

#define SETTINGS_INIT ((Settings){})
void settings_done(Settings *settings);
#define _cleanup_settings_ _cleanup_(settings_done)

/* Reads the file (PBOTVM_GUEST_CONFIG, else the installed place; a file that is not there is no error) and
 * the environment. 0, or -EBADMSG with *error saying what is wrong, where (file, line, member) and what was
 * expected, or another negative errno. */
int settings_load(Settings *ret, Text *error);

/* The same from text, for tests. path is only named in errors. */
int settings_parse(const char *path, const char *json, size_t size, Settings *settings, Text *error);
