/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Beats in, age out. No I/O and no clock: bytes of the guest's heartbeat line come in with the time
 * (CLOCK_MONOTONIC, usec). A guest is not trusted: a beat is a line of at most 200 bytes, of which the last
 * one is kept, printable bytes alone; nothing in it is parsed but the number with which our agent counts.
 * A line of our agent's that tells of the guest's journal is kept and is no beat. */

#include "common/macro.h"
#include "config/config.h"
#include "watchdog/transport/last-words.h"

#define BEAT_SIZE_MAX 200
/* Our agent beats every second, PBot's of 2023 every 5 s. */
#define BEAT_LOST_PBOTVM_USEC (3 * USEC_PER_SEC)
#define BEAT_LOST_PBOT_USEC (6500 * USEC_PER_MSEC)
/* How often PBot's agent of 2026 is asked. */
#define BEAT_ASK_USEC (2 * USEC_PER_SEC)
/* A guest of unknown kind that has not beaten for so long after connecting is asked too. */
#define BEAT_DETECT_USEC (6 * USEC_PER_SEC)
/* After a question, lines other than :END may be its echo for so long; whoever beats by itself is seen in
 * the pause that follows. */
#define BEAT_ECHO_USEC (1 * USEC_PER_SEC)
/* Beats that were written before a connection are all read so long after it. */
#define BEAT_STALE_USEC (500 * USEC_PER_MSEC)
/* More than this in a second is a flood and no sign of life: a question's answer is under 400 bytes. */
#define BEAT_FLOOD_BYTES 16384

typedef struct Heartbeat {
        GuestKind kind;          /* as configured, or as found out */
        bool configured;         /* then what beats say of it is not heard */
        uint64_t lost_usec;      /* configured; 0: by the kind */
        uint64_t connected_usec; /* 0: not connected */
        uint64_t beat_usec;      /* the last beat of this generation; 0: none */
        uint64_t asked_usec;     /* the last question; 0: none */
        char last[BEAT_SIZE_MAX + 1];
        uint64_t beats;    /* how many came, of all generations */
        LastWords words;   /* of this generation */
        uint64_t sequence; /* of our agent's last beat in this generation; 0: none */
        bool restarted;    /* that number fell: the agent, or its whole guest, was started again */

        char line[BEAT_SIZE_MAX];
        size_t line_size;
        bool line_too_long;
        uint64_t second_usec; /* when the second began in which bytes are counted */
        size_t second_bytes;
} Heartbeat;

void heartbeat_init(Heartbeat *heartbeat, GuestKind kind, uint64_t lost_usec);
/* Takes a kind that was found out before, unless one is configured; a beat may show another. */
void heartbeat_recall(Heartbeat *heartbeat, GuestKind kind);
/* A new generation: old beats do not count; the kind is kept. */
void heartbeat_reset(Heartbeat *heartbeat);
void heartbeat_connected(Heartbeat *heartbeat, uint64_t now_usec);
void heartbeat_disconnected(Heartbeat *heartbeat);
/* True if a beat came. */
bool heartbeat_feed(Heartbeat *heartbeat, const char *data, size_t size, uint64_t now_usec);

/* True if the guest is to be asked now, by a newline; asking is then noted as done. */
bool heartbeat_ask(Heartbeat *heartbeat, uint64_t now_usec);
/* True if a beat came, and the last one is not too old. */
bool heartbeat_is_beating(const Heartbeat *heartbeat, uint64_t now_usec);
/* True if beats came and stopped. */
bool heartbeat_is_lost(const Heartbeat *heartbeat, uint64_t now_usec);
/* When asking is due, or the beat will be lost; USEC_INFINITY: never. */
uint64_t heartbeat_deadline(const Heartbeat *heartbeat, uint64_t now_usec);
