/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/libvirt/driver.h"

#include "watchdog/libvirt/domain.h"
#include "watchdog/libvirt/round-trip.h"

typedef struct Driver {
        BackendDriver base;
        sd_event *event;
        LibvirtThread *thread;
        Hypervisor **hypervisors;
        size_t n_hypervisors;
        Hypervisor **retired; /* given up, but not gone yet */
        size_t n_retired;

        RoundTrip *round_trip;
        void (*alive)(void *userdata); /* at its end */
        void *alive_userdata;
} Driver;

/* ---- connections ---- */

static int driver_hypervisor(Driver *driver, const char *uri, Hypervisor **ret) {
        for (size_t i = 0; i < driver->n_hypervisors; i++)
                if (streq(hypervisor_uri(driver->hypervisors[i]), uri)) {
                        *ret = driver->hypervisors[i];
                        return 0;
                }

        Hypervisor **larger =
                reallocarray(driver->hypervisors, driver->n_hypervisors + 1, sizeof(*driver->hypervisors));
        if (!larger)
                return -ENOMEM;
        driver->hypervisors = larger;

        int r = hypervisor_new(driver->event, driver->thread, uri, ret);
        if (r < 0)
                return r;
        driver->hypervisors[driver->n_hypervisors++] = *ret;
        return 0;
}

static void on_hypervisor_gone(Hypervisor *hypervisor, void *userdata) {
        Driver *driver = userdata;
        size_t n = 0;

        for (size_t i = 0; i < driver->n_retired; i++)
                if (driver->retired[i] != hypervisor)
                        driver->retired[n++] = driver->retired[i];
        driver->n_retired = n;
        hypervisor_free(hypervisor);
}

static void retire_hypervisor(Driver *driver, Hypervisor *hypervisor) {
        round_trip_leave_out(driver->round_trip, hypervisor);
        driver->retired[driver->n_retired++] = hypervisor;
        hypervisor_retire(hypervisor, on_hypervisor_gone, driver);
}

static void driver_tidy(BackendDriver *base) {
        Driver *driver = (Driver *)base; /* its first member */
        size_t n = 0, room = driver->n_retired + driver->n_hypervisors;

        Hypervisor **larger = reallocarray(driver->retired, room + 1, sizeof(*driver->retired));
        if (!larger)
                return;
        driver->retired = larger;
        for (size_t i = 0; i < driver->n_hypervisors; i++)
                if (hypervisor_is_used(driver->hypervisors[i]))
                        driver->hypervisors[n++] = driver->hypervisors[i];
                else
                        retire_hypervisor(driver, driver->hypervisors[i]);
        driver->n_hypervisors = n;
}

/* ---- a sign of life ---- */

static void on_round_trip(void *userdata) {
        Driver *driver = userdata;

        driver->round_trip = NULL;
        driver->alive(driver->alive_userdata);
}

static int driver_alive(BackendDriver *base, void (*done)(void *userdata), void *userdata) {
        Driver *driver = (Driver *)base;

        driver->alive = done;
        driver->alive_userdata = userdata;
        return round_trip_new(driver->thread, driver->hypervisors, driver->n_hypervisors, on_round_trip,
                driver, &driver->round_trip);
}

/* ---- the table ---- */

static int driver_open(
        BackendDriver *base, const MachineConfig *config, const BackendHooks *hooks, Backend **ret) {
        Hypervisor *hypervisor = NULL;

        int r = driver_hypervisor((Driver *)base, config->uri, &hypervisor);
        return r < 0 ? r : domain_new(base->verbs, hypervisor, config, hooks, ret);
}

static void driver_end(BackendDriver *base) {
        Driver *driver = (Driver *)base;

        round_trip_forget(driver->round_trip);
        libvirt_thread_stop(driver->thread);
        for (size_t i = 0; i < driver->n_hypervisors; i++)
                hypervisor_free(driver->hypervisors[i]);
        for (size_t i = 0; i < driver->n_retired; i++)
                hypervisor_free(driver->retired[i]);
        libvirt_thread_free(driver->thread);
        sd_event_unref(driver->event);
        free(driver->hypervisors);
        free(driver->retired);
        free(driver);
}

static const char *const obstacles[_WAY_BACK_MAX] = {
        [WAY_UNKNOWN] = "",
        [WAY_OPEN] = "",
        [WAY_AWAY] = "libvirt is away",
        [WAY_REFUSED] = "libvirt does not tell what it does",
        [WAY_NO_MACHINE] = "libvirt knows no such domain",
        [WAY_NO_SNAPSHOT] = "its snapshot is missing",
};

static const BackendVerbs verbs = {
        .obstacles = obstacles,
        .open = driver_open,
        .look = domain_look,
        .revert = domain_revert,
        .boot = domain_boot,
        .take = domain_take,
        .drop = domain_drop,
        .free = domain_free,
        .alive = driver_alive,
        .tidy = driver_tidy,
        .end = driver_end,
};

int libvirt_driver_new(sd_event *event, BackendDriver **ret) {
        Driver *driver = calloc(1, sizeof(*driver));
        if (!driver)
                return -ENOMEM;

        int r = libvirt_thread_new(event, &driver->thread);
        if (r < 0) {
                free(driver);
                return r;
        }
        driver->base.verbs = &verbs;
        driver->event = sd_event_ref(event);
        *ret = &driver->base;
        return 0;
}
