/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The configuration: /etc/pbotvm/pbotvm.json, with PBot's own vm-exec.json as a subset, and the PBOTVM_
 * variables, which override the default machine. pbotvm.json(5) has all members. */

#include "common/request.h"

typedef enum GuestKind {
        GUEST_UNKNOWN, /* found out from its heartbeat */
        GUEST_PBOTVM,
        GUEST_PBOT_2023,
        GUEST_PBOT_2026,
} GuestKind;
const char *guest_kind_to_string(GuestKind kind); /* "", "pbotvm", "pbot-2023", "pbot-2026" */
int guest_kind_from_string(const char *string);   /* a GuestKind or -EINVAL */

typedef enum TransportKind {
        TRANSPORT_AUTO, /* channel, then vsock, then serial; of another host: stream, then serial */
        TRANSPORT_VSOCK,
        TRANSPORT_CHANNEL,
        TRANSPORT_SERIAL,
        TRANSPORT_STREAM, /* the channel, through libvirt */
} TransportKind;
const char *transport_kind_to_string(TransportKind kind); /* "auto", "vsock" ... "stream" */
int transport_kind_from_string(const char *string);

typedef enum RevertPolicy {
        POLICY_ON_FAILURE, /* the default: a timeout or a kill reverts */
        POLICY_ALWAYS,     /* a fresh guest for every request */
        POLICY_ON_HANG,    /* only when the guest, not the job, failed */
        POLICY_NEVER,
} RevertPolicy;
const char *revert_policy_to_string(RevertPolicy policy); /* "on-failure", "always", "on-hang", "never" */
int revert_policy_from_string(const char *string);

/* What is done about a snapshot that another QEMU, libvirt or CPU has made. */
typedef enum StalePolicy {
        STALE_RENEW, /* the default: tried, and made anew by a cold boot if it does not work */
        STALE_TRY,
        STALE_KEEP,
} StalePolicy;
int stale_policy_from_string(const char *string); /* "renew", "try", "keep" */

typedef enum BackendKind {
        BACKEND_LIBVIRT, /* the default; without a domain, none */
        BACKEND_QEMU,    /* pbotvm-qemu(8) */
} BackendKind;
int backend_kind_from_string(const char *string); /* "libvirt", "qemu" */

/* What becomes of a machine that waits ahead, once it is ready. */
typedef enum SpareState {
        SPARE_STOPPED, /* the default: it takes no time of a processor, and none passes for it */
        SPARE_RUNNING,
} SpareState;
int spare_state_from_string(const char *string); /* "stopped", "running" */

/* So many may wait ahead for one machine. */
#define MACHINE_SPARES_MAX 8

/* The largest file of the history that may be asked for: a file is read whole. */
#define HISTORY_FILE_BYTES_MAX ((size_t)64 << 20)

/* How many reverts one nick may bring about in a time; count 0: any number. */
#define NICK_REVERTS_MAX 32
typedef struct NickLimit {
        uint64_t count; /* NICK_REVERTS_MAX at most */
        uint64_t usec;
} NickLimit;

typedef struct MachineConfig {
        char *name;
        BackendKind backend;
        char *uri;      /* libvirt's; "qemu:///system" */
        char *domain;   /* libvirt's name of it, by default the machine's; NULL: channels only, no
                           revert, or another backend */
        char *snapshot; /* "1" */
        GuestKind guest;
        TransportKind transport;
        RevertPolicy policy;
        StalePolicy stale_snapshot;
        char *addr;           /* of the serial lines, "127.0.0.1" */
        uint16_t serial_port; /* data; 0: none */
        uint16_t heart_port;  /* heartbeat, PBot's "health" or "heart"; 0: none */
        uint32_t cid;         /* 0: no vsock */
        bool serial_named; /* these were said, if only that there is none; else the domain may have them */
        bool heart_named;
        bool addr_named;
        bool cid_named;
        uint32_t vport;     /* 5555 */
        char *channel_data; /* unix socket of the virtio-serial channel; NULL: none */
        char *channel_heart;
        char *secret; /* the file of what the guest knows this host by over vsock; NULL: the channel tells */
        unsigned slots;               /* leases at once where that can be; 0: by the guest's kind */
        uint64_t timeout_usec;        /* of a request, from the lease */
        uint64_t heartbeat_lost_usec; /* 0: by the guest's kind */
        uint64_t max_age_usec;        /* of a guest, before it is reverted; 0: any */
        uint64_t max_requests;        /* likewise, of what it has served */
        unsigned spares;              /* that wait ahead where the backend can; MACHINE_SPARES_MAX at most */
        SpareState spare_state;
        JobLimits limits; /* sent with a request */
} MachineConfig;

typedef struct AliasConfig {
        char *name;
        char **machines; /* NULL-terminated; more than one: a pool */
} AliasConfig;

typedef struct ListenerConfig {
        char *address; /* as written: "127.0.0.1:9000", "[::1]:9001", "/run/pbotvm/pbot" */
        char *machine; /* a machine or an alias */
        bool fixed;    /* requests cannot name another */
        char *host;    /* the address alone, as inet_ntop(3) writes it: "::1"; NULL: a unix socket */
        uint16_t port;
        unsigned mode; /* of a unix socket, and its group; 0600, NULL: root's */
        char *group;
} ListenerConfig;

typedef struct Config {
        MachineConfig *machines;
        size_t n_machines;
        AliasConfig *aliases;
        size_t n_aliases;
        ListenerConfig *listeners;
        size_t n_listeners;
        bool listen_default;    /* listen_address:listen_port serves the default machine (config_load()) */
        char *default_machine;  /* a machine's name or an alias */
        char *default_language; /* "clang2x" */
        bool wait_given;        /* wait_usec is the operator's: config_wait() */
        uint64_t wait_usec;     /* bound of a request's waiting in all, 15 s */
        uint64_t queue_max;     /* waiting leases a machine, 64 */
        NickLimit nick_reverts; /* off; of 10 minutes */
        char *fortune_file;     /* NULL: no saying */
        char *paste_url;        /* NULL: pasting is off */
        bool show_usage;        /* answers end with what the job took */
        char *listen_address;   /* PBOTVM_ADDR, "127.0.0.1" */
        uint16_t listen_port;   /* PBOTVM_PORT, 9000 */
        uint64_t history_file_bytes;  /* cap of one history file, 1 MiB */
        uint64_t history_total_bytes; /* 64 MiB */
        uint64_t storage_key_bytes;   /* cap of what one persist-key keeps, 1 MiB */
        uint64_t storage_total_bytes; /* 256 MiB */
} Config;

Config *config_free(Config *config);
DEFINE_CLEANUP(Config *, config_free);

/* Reads the file at path (NULL: the environment's PBOTVM_CONFIG, else PBOTVM_CONFIG_FILE; a file that does
 * not exist is PBot's shipped default: pbot-vm, and pbot-test-vm beside it) and the PBOTVM_ variables of
 * environment (a NULL-terminated list of NAME=value; NULL: none). They override the default machine;
 * PBOTVM_TIMEOUT and PBOTVM_NOREVERT, which in PBot are of the whole server, also hold for machines that say
 * nothing themselves. Returns 0, or -EINVAL, or another negative errno. *errors has a line "FILE:LINE:
 * MEMBER: what was expected" for each mistake (a variable's name stands for file, line and member), also
 * when the file could not be read; it may be NULL.
 *
 * The socket listens on the addresses of all listeners; on listen_address:listen_port too if there are none,
 * or if PBOTVM_ADDR, PBOTVM_PORT or PBOTVM_SERVER is set (listen_default). */
int config_load(const char *path, char *const *environment, Config **ret, Text *errors);

/* The value of a variable that is set and not empty, or NULL. environment may be NULL. */
const char *environment_get(char *const *environment, const char *name);

/* The machine of that name, or NULL. */
const MachineConfig *config_machine(const Config *config, const char *name);
/* The alias of that name, or NULL. */
const AliasConfig *config_alias(const Config *config, const char *name);
/* The machine that requests go to which name none; of a pool the first. NULL only while the configuration is
 * read and has no machine yet. */
const MachineConfig *config_default_machine(const Config *config);
/* PBot gives up a request after 30 s, and what comes later is lost: waiting and time limit fit into this. */
#define CONFIG_PATIENCE_USEC (28 * USEC_PER_SEC)

/* How long a request to this machine, or alias, waits at most: what the configuration says, else 15 s, less
 * where the time limit of the slowest machine leaves less of CONFIG_PATIENCE_USEC, but not under 3 s. */
uint64_t config_wait(const Config *config, const char *machine);

/* What is allowed but hardly meant, a line for each: *warnings. -ENOMEM shows in the text. */
void config_warn(const Config *config, Text *warnings);

/* The listener for a socket's own address (numeric, "127.0.0.1", "::1", "::ffff:127.0.0.1"), or NULL: the
 * default machine. An exact address comes before a wildcard (0.0.0.0, ::). */
const ListenerConfig *config_listener(const Config *config, const char *address, uint16_t port);
/* The listener for a unix socket's path, or NULL. */
const ListenerConfig *config_listener_unix(const Config *config, const char *path);

/* Takes "127.0.0.1:9000" or "[::1]:9000" apart: 0 with *ret_host (freed by the caller) as inet_ntop(3)
 * writes it, or -EINVAL (no numeric address and port from 1 to 65535) or -ENOMEM. */
int listen_address_parse(const char *address, char **ret_host, uint16_t *ret_port);
