/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whose requests bring reverts about, and who is refused for a while since he brought about too many of them
 * in too short a time. No I/O and no clock; times are CLOCK_MONOTONIC in usec. A nick is the client's word;
 * one that is not said is nobody's. */

#include "config/config.h"

/* So many nicks are remembered; beyond that whoever brought about none for the longest time is forgotten. */
#define OFFENDERS_MAX 256

typedef struct Offender Offender;
typedef struct Offenders {
        Offender *all[OFFENDERS_MAX];
        size_t n;
} Offenders;
/* Of a zeroed one, too. */
void offenders_done(Offenders *offenders);

/* He brought one about now; channel: where. Both may be NULL or "": not said. 0 or -ENOMEM. */
int offenders_add(Offenders *offenders, const char *nick, const char *channel, uint64_t now_usec);

/* One who is refused. */
typedef struct OffenderView {
        const char *nick; /* borrowed */
        const char *channel;
        uint32_t reverts; /* in the time that counts */
        uint64_t left_usec;
} OffenderView;

/* He asks for something: true, with *ret, if he is refused. *ret_first: for the first time since he was
 * not. */
bool offenders_refuse(Offenders *offenders, const NickLimit *limit, const char *nick, uint64_t now_usec,
        OffenderView *ret, bool *ret_first);
/* Those who would be refused now, one after another; *at is 0 at first. False: there are no more. */
bool offenders_next(const Offenders *offenders, const NickLimit *limit, uint64_t now_usec, size_t *at,
        OffenderView *ret);
