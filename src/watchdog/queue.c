/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/queue.h"

static char **names_free(char **names) {
        for (char **n = names; n && *n; n++)
                free(*n);
        free(names);
        return NULL;
}
DEFINE_CLEANUP(char **, names_free);

static char **names_copy(const char *const *names) {
        size_t n = 0;
        while (names[n])
                n++;

        _cleanup_(names_freep) char **copy = calloc(n + 1, sizeof(*copy));
        if (!copy)
                return NULL;
        for (size_t i = 0; i < n; i++)
                if (!(copy[i] = strdup(names[i])))
                        return NULL;
        return TAKE_PTR(copy);
}

Waiter *waiter_new(const char *sender, const char *wanted, const char *const *machines, const char *nick,
        const char *channel, uint64_t deadline_usec, void *userdata) {
        _cleanup_(waiter_freep) Waiter *waiter = calloc(1, sizeof(*waiter));
        if (!waiter)
                return NULL;

        waiter->sender = strdup(sender);
        waiter->wanted = strdup(wanted);
        waiter->machines = names_copy(machines);
        waiter->nick = isempty(nick) ? NULL : strdup(nick);
        waiter->channel = isempty(channel) ? NULL : strdup(channel);
        waiter->deadline_usec = deadline_usec;
        waiter->userdata = userdata;
        if (!waiter->sender || !waiter->wanted || !waiter->machines || (!isempty(nick) && !waiter->nick) ||
                (!isempty(channel) && !waiter->channel))
                return NULL;
        return TAKE_PTR(waiter);
}

Waiter *waiter_free(Waiter *waiter) {
        if (!waiter)
                return NULL;
        names_free(waiter->machines);
        free(waiter->wanted);
        free(waiter->sender);
        free(waiter->nick);
        free(waiter->channel);
        free(waiter);
        return NULL;
}

static bool waiter_wants(const Waiter *waiter, const char *machine) {
        for (char **n = waiter->machines; *n; n++)
                if (streq(*n, machine))
                        return true;
        return false;
}

/* ---- who stands behind whom ---- */

static bool same(const char *a, const char *b) {
        return a && b && streq(a, b);
}

static void count_served(const Queue *queue, Waiter *waiter) {
        for (const Waiter *w = queue->served; w; w = w->next) {
                waiter->nick_rank += same(w->nick, waiter->nick);
                waiter->channel_rank += same(w->channel, waiter->channel);
        }
}

/* A lease that ends later does not count less: on a machine that serves one at a time it always has ended
 * when the next one has his turn. */
static void rank(const Queue *queue, Waiter *waiter) {
        waiter->nick_rank = waiter->channel_rank = 0;
        count_served(queue, waiter);
        for (const Waiter *w = queue->first; w; w = w->next) {
                if (same(w->nick, waiter->nick))
                        waiter->nick_rank = w->nick_rank + 1;
                if (same(w->channel, waiter->channel))
                        waiter->channel_rank = w->channel_rank + 1;
        }
}

static bool comes_before(const Waiter *a, const Waiter *b) {
        if (a->nick_rank != b->nick_rank)
                return a->nick_rank < b->nick_rank;
        return a->channel_rank < b->channel_rank;
}

/* ---- the lists ---- */

static bool has_room(const Queue *queue, const Waiter *waiter, size_t max) {
        size_t of_nick = 0;

        for (const Waiter *w = queue->first; w; w = w->next)
                of_nick += same(w->nick, waiter->nick);
        if (of_nick >= QUEUE_NICK_MAX)
                return false;
        for (char **n = waiter->machines; *n; n++)
                if (queue_count(queue, *n) < max)
                        return true;
        return false;
}

static void insert(Queue *queue, Waiter *waiter, Waiter *previous) {
        Waiter *next = previous ? previous->next : queue->first;

        waiter->previous = previous;
        waiter->next = next;
        *(previous ? &previous->next : &queue->first) = waiter;
        *(next ? &next->previous : &queue->last) = waiter;
}

static void take_out(Queue *queue, Waiter *waiter) {
        Waiter **head = waiter->served ? &queue->served : &queue->first;

        *(waiter->previous ? &waiter->previous->next : head) = waiter->next;
        if (waiter->next)
                waiter->next->previous = waiter->previous;
        else if (!waiter->served)
                queue->last = waiter->previous;
        waiter->previous = waiter->next = NULL;
}

int queue_add(Queue *queue, Waiter *waiter, size_t max) {
        if (!has_room(queue, waiter, max))
                return -EBUSY;

        rank(queue, waiter);
        insert(queue, waiter, queue->last);
        return 0;
}

void queue_serve(Queue *queue, Waiter *waiter) {
        take_out(queue, waiter);
        waiter->served = true;
        waiter->next = queue->served;
        if (waiter->next)
                waiter->next->previous = waiter;
        queue->served = waiter;
}

void queue_put_back(Queue *queue, Waiter *waiter) {
        take_out(queue, waiter);
        waiter->served = false;
        waiter->nick_rank = waiter->channel_rank = 0;
        insert(queue, waiter, NULL);
}

Waiter *queue_remove(Queue *queue, Waiter *waiter) {
        /* Who leaves without having been served gives his place to those behind. */
        for (Waiter *w = waiter->next; w && !waiter->served; w = w->next) {
                w->nick_rank -= same(w->nick, waiter->nick) && w->nick_rank > 0;
                w->channel_rank -= same(w->channel, waiter->channel) && w->channel_rank > 0;
        }
        take_out(queue, waiter);
        waiter->served = false;
        return waiter;
}

Waiter *queue_first(const Queue *queue, const char *machine, bool operators) {
        Waiter *first = NULL;

        for (Waiter *w = queue->first; w; w = w->next)
                if (waiter_wants(w, machine) && (!operators || w->is_operator) &&
                        (!first || comes_before(w, first)))
                        first = w;
        return first;
}

Waiter *queue_of_sender(const Queue *queue, const char *sender) {
        for (Waiter *w = queue->first; w; w = w->next)
                if (streq(w->sender, sender))
                        return w;
        return NULL;
}

size_t queue_count(const Queue *queue, const char *machine) {
        size_t n = 0;
        for (const Waiter *w = queue->first; w; w = w->next)
                n += waiter_wants(w, machine);
        return n;
}

uint64_t queue_deadline(const Queue *queue) {
        uint64_t deadline = USEC_INFINITY;
        for (const Waiter *w = queue->first; w; w = w->next)
                deadline = MIN(deadline, w->deadline_usec);
        return deadline;
}
