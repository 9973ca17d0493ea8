/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/qemu/spare-plan.h"

#include "common/io.h"

void spare_plan_init(SparePlan *plan, unsigned wanted) {
        *plan = (SparePlan){ .wanted = MIN(wanted, (unsigned)MACHINE_SPARES_MAX) };
}

static unsigned count(const SparePlan *plan, SparePlace what) {
        unsigned n = 0;

        for (unsigned i = 0; i < SPARE_PLACES_MAX; i++)
                n += i != plan->own && plan->places[i] == what;
        return n;
}

unsigned spare_plan_ready(const SparePlan *plan) {
        return count(plan, SPARE_PLACE_READY);
}

bool spare_plan_is_making(const SparePlan *plan) {
        return count(plan, SPARE_PLACE_MAKING) > 0;
}

static bool is_wanting(const SparePlan *plan) {
        return count(plan, SPARE_PLACE_READY) + count(plan, SPARE_PLACE_MAKING) < plan->wanted;
}

int spare_plan_next(const SparePlan *plan, uint64_t now_usec) {
        if (!is_wanting(plan) || now_usec < plan->retry_usec)
                return -1;
        for (unsigned i = 0; i < SPARE_PLACES_MAX; i++)
                if (i != plan->own && plan->places[i] == SPARE_PLACE_EMPTY)
                        return (int)i;
        return -1;
}

uint64_t spare_plan_deadline(const SparePlan *plan, uint64_t now_usec) {
        return is_wanting(plan) && now_usec < plan->retry_usec ? plan->retry_usec : USEC_INFINITY;
}

void spare_plan_making(SparePlan *plan, unsigned place) {
        plan->places[place] = SPARE_PLACE_MAKING;
}

void spare_plan_made(SparePlan *plan, unsigned place, uint64_t now_usec) {
        plan->places[place] = SPARE_PLACE_READY;
        plan->ready_usec[place] = now_usec;
}

bool spare_plan_failed(SparePlan *plan, unsigned place, uint64_t now_usec) {
        if (plan->places[place] == SPARE_PLACE_READY &&
                now_usec >= usec_add(plan->ready_usec[place], SPARE_BACKOFF_MAX_USEC))
                plan->row = 0;
        plan->places[place] = SPARE_PLACE_EMPTY;
        plan->failures++;
        uint64_t pause = plan->row < 6 ? USEC_PER_SEC << plan->row : SPARE_BACKOFF_MAX_USEC;
        plan->retry_usec = usec_add(now_usec, MIN(pause, SPARE_BACKOFF_MAX_USEC));
        return ++plan->row == 1;
}

void spare_plan_void(SparePlan *plan, unsigned place) {
        plan->places[place] = SPARE_PLACE_EMPTY;
}

int spare_plan_first(const SparePlan *plan) {
        int first = -1;

        for (unsigned i = 0; i < SPARE_PLACES_MAX; i++)
                if (i != plan->own && plan->places[i] == SPARE_PLACE_READY &&
                        (first < 0 || plan->ready_usec[i] < plan->ready_usec[first]))
                        first = (int)i;
        return first;
}

void spare_plan_taken(SparePlan *plan, unsigned place) {
        plan->places[plan->own] = plan->places[place] = SPARE_PLACE_EMPTY;
        plan->own = place;
        plan->row = 0;
        plan->retry_usec = 0;
}
