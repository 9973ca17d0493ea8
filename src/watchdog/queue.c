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

Waiter *waiter_new(const char *sender, const char *wanted, const char *const *machines,
        uint64_t deadline_usec, void *userdata) {
        _cleanup_(waiter_freep) Waiter *waiter = calloc(1, sizeof(*waiter));
        if (!waiter)
                return NULL;

        waiter->sender = strdup(sender);
        waiter->wanted = strdup(wanted);
        waiter->machines = names_copy(machines);
        waiter->deadline_usec = deadline_usec;
        waiter->userdata = userdata;
        if (!waiter->sender || !waiter->wanted || !waiter->machines)
                return NULL;
        return TAKE_PTR(waiter);
}

Waiter *waiter_free(Waiter *waiter) {
        if (!waiter)
                return NULL;
        names_free(waiter->machines);
        free(waiter->wanted);
        free(waiter->sender);
        free(waiter);
        return NULL;
}

bool waiter_wants(const Waiter *waiter, const char *machine) {
        for (char **n = waiter->machines; *n; n++)
                if (streq(*n, machine))
                        return true;
        return false;
}

static bool has_room(const Queue *queue, const Waiter *waiter, size_t max) {
        for (char **n = waiter->machines; *n; n++)
                if (queue_count(queue, *n) < max)
                        return true;
        return false;
}

int queue_add(Queue *queue, Waiter *waiter, size_t max) {
        if (!has_room(queue, waiter, max))
                return -EBUSY;

        waiter->previous = queue->last;
        waiter->next = NULL;
        if (queue->last)
                queue->last->next = waiter;
        else
                queue->first = waiter;
        queue->last = waiter;
        return 0;
}

void queue_add_first(Queue *queue, Waiter *waiter) {
        waiter->previous = NULL;
        waiter->next = queue->first;
        if (queue->first)
                queue->first->previous = waiter;
        else
                queue->last = waiter;
        queue->first = waiter;
}

Waiter *queue_remove(Queue *queue, Waiter *waiter) {
        if (waiter->previous)
                waiter->previous->next = waiter->next;
        else
                queue->first = waiter->next;
        if (waiter->next)
                waiter->next->previous = waiter->previous;
        else
                queue->last = waiter->previous;
        waiter->previous = waiter->next = NULL;
        return waiter;
}

Waiter *queue_first(const Queue *queue, const char *machine) {
        for (Waiter *w = queue->first; w; w = w->next)
                if (waiter_wants(w, machine))
                        return w;
        return NULL;
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
