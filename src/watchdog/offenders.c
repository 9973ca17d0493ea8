/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/offenders.h"

#include "common/io.h"

struct Offender {
        char *nick;
        char *channel;                   /* the last one; "": not said */
        uint64_t usec[NICK_REVERTS_MAX]; /* when he brought them about, the last ones, the oldest first */
        size_t n;
        bool told;
};

static Offender *offender_free(Offender *offender) {
        if (!offender)
                return NULL;
        free(offender->nick);
        free(offender->channel);
        free(offender);
        return NULL;
}
DEFINE_CLEANUP(Offender *, offender_free);

void offenders_done(Offenders *offenders) {
        for (size_t i = 0; i < offenders->n; i++)
                offender_free(offenders->all[i]);
        *offenders = (Offenders){};
}

static Offender *find(const Offenders *offenders, const char *nick) {
        for (size_t i = 0; !isempty(nick) && i < offenders->n; i++)
                if (streq(offenders->all[i]->nick, nick))
                        return offenders->all[i];
        return NULL;
}

static uint64_t last_usec(const Offender *offender) {
        return offender->usec[offender->n - 1];
}

/* Where a new one goes: behind the others, or in the place of the one whose last revert is the oldest. */
static Offender **place(Offenders *offenders) {
        size_t oldest = 0;

        if (offenders->n < OFFENDERS_MAX)
                return &offenders->all[offenders->n++];
        for (size_t i = 1; i < OFFENDERS_MAX; i++)
                if (last_usec(offenders->all[i]) < last_usec(offenders->all[oldest]))
                        oldest = i;
        offender_free(offenders->all[oldest]);
        return &offenders->all[oldest];
}

static Offender *add(Offenders *offenders, const char *nick) {
        _cleanup_(offender_freep) Offender *offender = calloc(1, sizeof(*offender));
        if (!offender)
                return NULL;
        offender->nick = strdup(nick);
        offender->channel = strdup("");
        if (!offender->nick || !offender->channel)
                return NULL;
        return *place(offenders) = TAKE_PTR(offender);
}

int offenders_add(Offenders *offenders, const char *nick, const char *channel, uint64_t now_usec) {
        if (isempty(nick))
                return 0;

        _cleanup_free_ char *where = strdup(isempty(channel) ? "" : channel);
        Offender *offender = find(offenders, nick);
        if (where && !offender)
                offender = add(offenders, nick);
        if (!where || !offender)
                return -ENOMEM;

        free(offender->channel);
        offender->channel = TAKE_PTR(where);
        if (offender->n == NICK_REVERTS_MAX)
                memmove(offender->usec, &offender->usec[1], --offender->n * sizeof(offender->usec[0]));
        offender->usec[offender->n++] = now_usec;
        return 0;
}

/* How many count. */
static size_t count(const Offender *offender, const NickLimit *limit, uint64_t now_usec) {
        size_t n = 0;

        while (n < offender->n && usec_add(offender->usec[offender->n - 1 - n], limit->usec) > now_usec)
                n++;
        return n;
}

/* True if he is refused. */
static bool view(const Offender *offender, const NickLimit *limit, uint64_t now_usec, OffenderView *ret) {
        size_t n = count(offender, limit, now_usec);
        if (limit->count == 0 || n < limit->count)
                return false;

        /* Until the one falls out of the time with which there were too many. */
        *ret = (OffenderView){
                .nick = offender->nick,
                .channel = offender->channel,
                .reverts = (uint32_t)n,
                .left_usec = usec_add(offender->usec[offender->n - limit->count], limit->usec) - now_usec,
        };
        return true;
}

bool offenders_refuse(Offenders *offenders, const NickLimit *limit, const char *nick, uint64_t now_usec,
        OffenderView *ret, bool *ret_first) {
        Offender *offender = find(offenders, nick);
        if (!offender)
                return false;

        bool refused = view(offender, limit, now_usec, ret);
        *ret_first = refused && !offender->told;
        offender->told = refused;
        return refused;
}

bool offenders_next(const Offenders *offenders, const NickLimit *limit, uint64_t now_usec, size_t *at,
        OffenderView *ret) {
        while (*at < offenders->n)
                if (view(offenders->all[(*at)++], limit, now_usec, ret))
                        return true;
        return false;
}
