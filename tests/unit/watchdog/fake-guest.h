/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A guest on two local sockets (data and heartbeat), on a thread of its own, that can be told to misbehave.
 * It answers each request with what stands behind "echo " in it. */

#include "common/macro.h"

typedef struct FakeGuest FakeGuest;

typedef enum FakeTrait {
        FAKE_UP,         /* accepts connections; else they are refused, and those that were are closed */
        FAKE_BEATS,      /* a line on each heartbeat connection every 0.1 s */
        FAKE_ASKED,      /* echoes a newline there, and answers it in the way of 2026 */
        FAKE_ANSWERS,    /* on the data connection */
        FAKE_HANGS_UP,   /* closes the data connection when a request has come, in place of an answer */
        FAKE_PROOF,      /* says to whoever probes that it understands a proof */
        FAKE_LANES,      /* and lanes */
        FAKE_ENDS_LANES, /* gives a lane back that was taken back */
        FAKE_SHUTS,      /* closes each data connection as soon as it is there */
        _FAKE_TRAIT_MAX,
} FakeTrait;

/* directory: for unix sockets data and heart in it; NULL: TCP on 127.0.0.1, ports from the kernel. It is up,
 * beats, answers and ends lanes. Fails the test if that cannot be. */
FakeGuest *fake_guest_new(const char *directory);
/* The same with its data on that port of AF_VSOCK. */
FakeGuest *fake_guest_new_vsock(uint32_t port);
void fake_guest_free(FakeGuest *guest);
uint16_t fake_guest_data_port(const FakeGuest *guest);
uint16_t fake_guest_heart_port(const FakeGuest *guest);

void fake_guest_set(FakeGuest *guest, FakeTrait trait, bool value);
/* The beat, "pbotvm 1" at first. Not copied. */
void fake_guest_set_beat(FakeGuest *guest, const char *line);
/* Sends something unasked on every data connection, now. */
void fake_guest_say(FakeGuest *guest, const char *text, size_t times);
/* How many requests came, probes included, and how many of them in the framing of 2023. */
unsigned fake_guest_requests(FakeGuest *guest);
unsigned fake_guest_end_markers(FakeGuest *guest);
/* How many connections began with a proof. */
unsigned fake_guest_proofs(FakeGuest *guest);
/* The member "secret" of the last request that had one, as it was written; the caller's. */
char *fake_guest_secret(FakeGuest *guest);
