/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A bus of one's own with the real watchdog on it, in a directory of its own, as an ordinary user. What it
 * tells systemd is how a test knows that something has happened. All of it fails the test where it fails. */

#include <pthread.h>

#include <systemd/sd-bus.h>

#include "fake-guest.h"

/* Longer than anything here takes; a test that waits so long has failed. */
#define WORLD_PATIENCE_USEC (30 * USEC_PER_SEC)

typedef struct World {
        char directory[64];
        char *address; /* of the bus */
        pid_t bus_pid;
        pid_t watchdog_pid; /* 0: not running */
        int notify_fd;
        pthread_t listener; /* reads what the watchdog tells systemd, into what follows */
        pthread_mutex_t lock;
        pthread_cond_t told;
        char status[8192]; /* the last STATUS= */
        unsigned readies, reloads, pings, stops;
        FakeGuest *guest;
        char *variables[8]; /* NAME=value, for the watchdog */
        size_t n_variables;
} World;

/* The bus and a guest on TCP ports; no watchdog yet. For cmocka's setup and teardown: *state is a World. */
int world_setup(void **state);
int world_teardown(void **state);

/* Writes the configuration: the members of the machine "vm" besides its ports, and more members of the whole
 * ("", or beginning with a comma). */
void world_configure(World *world, const char *machine, const char *more);
/* The same with the whole text given. */
void world_configure_whole(World *world, const char *text);
/* Sets a variable of the watchdog's environment for the next start. */
void world_set(World *world, const char *name, const char *value);
void world_unset_all(World *world);
/* Starts the watchdog, and waits until it is ready. */
void world_start(World *world);
/* Starts one that will not live to be ready. */
void world_start_dying(World *world);
/* Configures, starts, and waits until the machine is ready. */
void world_start_ready(World *world, const char *machine);
/* Kills it with the signal and returns how it ended, as waitpid() tells. */
int world_end(World *world, int signal);
/* Waits for its end. */
int world_wait_end(World *world);

/* Waits until the status contains the text. */
void world_wait_status(World *world, const char *text);
/* How often the text stands in the log so far. */
size_t world_log_count(World *world, const char *text);
/* Waits until it stands there, once. */
void world_wait_log(World *world, const char *text);
/* Whether the two stand in one line of it, in that order. */
bool world_log_has_line(World *world, const char *first, const char *then);
/* What a counter (readies ...) is. */
unsigned world_count(World *world, const unsigned *counter);
/* Waits until one is at least that high. */
void world_wait_count(World *world, const unsigned *counter, unsigned value);

/* A connection of a client's. */
sd_bus *world_connect(World *world);

/* One lease. */
typedef struct Held {
        int fd;
        char *id;
        char *machine;
        char *guest;
        char *transport;
        uint64_t generation;
        uint64_t timeout_usec;
} Held;
void held_done(Held *held);
#define _cleanup_held_ _cleanup_(held_done)

/* Calls Lease(): NULL on success, or the error's name (valid until the next call). */
const char *client_lease(sd_bus *bus, const char *machine, uint64_t wait_usec, Held *ret);
/* The same as an operator. */
const char *client_lease_operator(sd_bus *bus, const char *machine, uint64_t wait_usec, Held *ret);
/* The same without waiting for the answer, which goes to *pending; client_wait() waits for it. */
typedef struct Pending {
        sd_bus_slot *slot;
        sd_bus_message *reply;
} Pending;
void client_lease_begin(sd_bus *bus, const char *machine, uint64_t wait_usec, Pending *pending);
/* The same for somebody else than joe. */
void client_lease_begin_as(
        sd_bus *bus, const char *machine, const char *nick, uint64_t wait_usec, Pending *pending);
/* Calls Revert() and Snapshot() in the same way. */
void client_revert_begin(sd_bus *bus, const char *machine, Pending *pending);
void client_snapshot_begin(sd_bus *bus, const char *machine, Pending *pending);
const char *client_wait(sd_bus *bus, Pending *pending, Held *ret);
/* The same for calls that return nothing. */
const char *client_wait_done(sd_bus *bus, Pending *pending);
const char *client_release(sd_bus *bus, const Held *held, const char *outcome);
/* Calls a method of the machine "vm" or, with a NULL interface, of the manager. */
const char *client_call(sd_bus *bus, const char *machine, const char *member, const char *argument);
/* Sends an echo over the lease, and checks that the answer is its own. */
void held_echo(const Held *held, const char *word);
/* True if the descriptor is at its end within the test's patience. */
bool held_is_over(const Held *held);

uint64_t machine_number(sd_bus *bus, const char *property);
uint32_t machine_count(sd_bus *bus, const char *property);
/* What a property that counts things by their names says of one; it has to be there. */
uint64_t machine_counted(sd_bus *bus, const char *property, const char *name);
/* The sum of what LastHour says of it. */
uint64_t machine_hour(sd_bus *bus, const char *name);
/* Valid until the next call. */
const char *machine_string(sd_bus *bus, const char *property);
