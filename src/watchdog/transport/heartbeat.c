/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/transport/heartbeat.h"

#include "common/io.h"

void heartbeat_init(Heartbeat *heartbeat, GuestKind kind, uint64_t lost_usec) {
        *heartbeat = (Heartbeat){
                .kind = kind,
                .configured = kind != GUEST_UNKNOWN,
                .lost_usec = lost_usec,
        };
}

void heartbeat_recall(Heartbeat *heartbeat, GuestKind kind) {
        if (!heartbeat->configured)
                heartbeat->kind = kind;
}

void heartbeat_reset(Heartbeat *heartbeat) {
        bool configured = heartbeat->configured;
        uint64_t beats = heartbeat->beats;

        heartbeat_init(heartbeat, heartbeat->kind, heartbeat->lost_usec);
        heartbeat->configured = configured;
        heartbeat->beats = beats;
}

void heartbeat_connected(Heartbeat *heartbeat, uint64_t now_usec) {
        heartbeat->connected_usec = now_usec;
        heartbeat->asked_usec = 0;
        heartbeat->line_size = 0;
        heartbeat->line_too_long = false;
        heartbeat->second_bytes = 0;
}

void heartbeat_disconnected(Heartbeat *heartbeat) {
        heartbeat->connected_usec = 0;
}

/* The sign of our own agent. */
#define OWN "pbotvm"
static bool is_own(const char *line) {
        return startswith(line, OWN);
}

/* Our agent counts its beats from 1 on. One that died and came back within the time of a lost beat would
 * pass unseen otherwise, and with it the end of the jobs that it ran. */
static void sequence_follow(Heartbeat *heartbeat, const char *line, uint64_t now_usec) {
        const char *digits = line + strlen(OWN);
        char *end;

        if (*digits++ != ' ' || *digits < '0' || *digits > '9')
                return;
        uint64_t sequence = strtoull(digits, &end, 10);
        if (*end != ' ' && *end != '\0')
                return;
        if (sequence < heartbeat->sequence) {
                /* Right after connecting, beats of long ago may come that lay on this way. */
                if (now_usec < usec_add(heartbeat->connected_usec, BEAT_STALE_USEC))
                        return;
                heartbeat->restarted = true;
        }
        heartbeat->sequence = sequence;
}

/* PBot's agents say nothing of the kind, and any line of theirs is a beat. */
static bool line_is_journal(Heartbeat *heartbeat, const char *line) {
        const char *text = startswith(line, OWN " journal ");

        if (!text || (heartbeat->kind != GUEST_PBOTVM && heartbeat->kind != GUEST_UNKNOWN))
                return false;
        last_words_add(&heartbeat->words, text);
        return true;
}

/* Whether a line is a beat, of a guest of this kind; what it tells about the kind is kept. */
static bool line_is_beat(Heartbeat *heartbeat, const char *line, uint64_t now_usec) {
        if (is_own(line)) {
                heartbeat_recall(heartbeat, GUEST_PBOTVM);
                sequence_follow(heartbeat, line, now_usec);
                return true;
        }
        /* Somebody has put PBot's agent in the place of ours. */
        if (heartbeat->kind == GUEST_PBOTVM && *line == '\0')
                heartbeat_recall(heartbeat, GUEST_UNKNOWN);

        switch (heartbeat->kind) {
        case GUEST_PBOT_2026:
                /* The tty of a dead agent echoes the question, so that proves nothing. */
                return streq(line, ":END");
        case GUEST_UNKNOWN:
                if (streq(line, ":END"))
                        heartbeat->kind = GUEST_PBOT_2026;
                else if (heartbeat->asked_usec > 0 &&
                         now_usec < usec_add(heartbeat->asked_usec, BEAT_ECHO_USEC))
                        return false; /* the rest of an answer, or an echo */
                else
                        heartbeat->kind = GUEST_PBOT_2023;
                return true;
        default:
                return true;
        }
}

static bool line_ended(Heartbeat *heartbeat, uint64_t now_usec) {
        bool too_long = heartbeat->line_too_long;
        char line[BEAT_SIZE_MAX + 1];
        size_t n = heartbeat->line_size;

        if (n > 0 && heartbeat->line[n - 1] == '\r')
                n--;
        for (size_t i = 0; i < n; i++)
                line[i] = heartbeat->line[i] >= ' ' && heartbeat->line[i] <= '~' ? heartbeat->line[i] : '?';
        line[n] = '\0';
        heartbeat->line_size = 0;
        heartbeat->line_too_long = false;

        if (too_long || heartbeat->second_bytes > BEAT_FLOOD_BYTES || line_is_journal(heartbeat, line) ||
                !line_is_beat(heartbeat, line, now_usec))
                return false;
        heartbeat->beat_usec = now_usec;
        heartbeat->beats++;
        memcpy(heartbeat->last, line, n + 1);
        return true;
}

bool heartbeat_feed(Heartbeat *heartbeat, const char *data, size_t size, uint64_t now_usec) {
        bool beat = false;

        if (now_usec >= usec_add(heartbeat->second_usec, USEC_PER_SEC)) {
                heartbeat->second_usec = now_usec;
                heartbeat->second_bytes = 0;
        }
        heartbeat->second_bytes += size;

        for (size_t i = 0; i < size; i++)
                if (data[i] == '\n')
                        beat = line_ended(heartbeat, now_usec) || beat;
                else if (heartbeat->line_size < sizeof(heartbeat->line))
                        heartbeat->line[heartbeat->line_size++] = data[i];
                else
                        heartbeat->line_too_long = true;
        return beat;
}

/* When the next question is due; USEC_INFINITY: guests of this kind are not asked. */
static uint64_t ask_usec(const Heartbeat *heartbeat) {
        if (heartbeat->connected_usec == 0)
                return USEC_INFINITY;
        if (heartbeat->asked_usec > 0)
                return usec_add(heartbeat->asked_usec, heartbeat->kind == GUEST_UNKNOWN
                                                               ? BEAT_DETECT_USEC + BEAT_ECHO_USEC
                                                               : BEAT_ASK_USEC);
        if (heartbeat->kind == GUEST_PBOT_2026)
                return heartbeat->connected_usec;
        if (heartbeat->kind == GUEST_UNKNOWN)
                return usec_add(heartbeat->connected_usec, BEAT_DETECT_USEC);
        return USEC_INFINITY;
}

bool heartbeat_ask(Heartbeat *heartbeat, uint64_t now_usec) {
        /* What was found out since: a guest that beats by itself is not asked. */
        if (heartbeat->kind != GUEST_UNKNOWN && heartbeat->kind != GUEST_PBOT_2026)
                heartbeat->asked_usec = 0;
        if (now_usec < ask_usec(heartbeat))
                return false;
        heartbeat->asked_usec = now_usec;
        return true;
}

static uint64_t lost_usec(const Heartbeat *heartbeat) {
        uint64_t limit = heartbeat->lost_usec;

        if (limit == 0)
                limit = heartbeat->kind == GUEST_PBOTVM ? BEAT_LOST_PBOTVM_USEC : BEAT_LOST_PBOT_USEC;
        return usec_add(heartbeat->beat_usec, limit);
}

bool heartbeat_is_beating(const Heartbeat *heartbeat, uint64_t now_usec) {
        return heartbeat->beat_usec > 0 && now_usec < lost_usec(heartbeat);
}

bool heartbeat_is_lost(const Heartbeat *heartbeat, uint64_t now_usec) {
        return heartbeat->beat_usec > 0 && now_usec >= lost_usec(heartbeat);
}

uint64_t heartbeat_deadline(const Heartbeat *heartbeat, uint64_t now_usec) {
        uint64_t deadline = ask_usec(heartbeat);

        if (heartbeat_is_beating(heartbeat, now_usec))
                deadline = MIN(deadline, lost_usec(heartbeat));
        return deadline;
}
