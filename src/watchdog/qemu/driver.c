/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/qemu/driver.h"

#include <unistd.h>

#include "watchdog/qemu/instance.h"
#include "watchdog/qemu/unit-job.h"

typedef struct Driver {
        BackendDriver base;
        sd_bus *bus;
        QemuFolders folders;
        Turns turns; /* to make a spare: one a processor */
} Driver;

static int driver_open(
        BackendDriver *base, const MachineConfig *config, const BackendHooks *hooks, Backend **ret) {
        Driver *driver = (Driver *)base; /* its first member */

        return instance_new(base->verbs, driver->bus, &driver->folders, &driver->turns, config, hooks, ret);
}

static void driver_end(BackendDriver *base) {
        Driver *driver = (Driver *)base;

        sd_bus_unref(driver->bus);
        free(driver);
}

static const char *const obstacles[_WAY_BACK_MAX] = {
        [WAY_UNKNOWN] = "",
        [WAY_OPEN] = "",
        [WAY_AWAY] = "systemd is away",
        [WAY_REFUSED] = "its definition or its template is refused",
        [WAY_NO_MACHINE] = "it has no definition",
        [WAY_NO_SNAPSHOT] = "it has no template",
};

static const BackendVerbs verbs = {
        .obstacles = obstacles,
        .open = driver_open,
        .look = instance_look,
        .revert = instance_revert,
        .take = instance_take,
        .drop = instance_drop,
        .free = instance_free,
        .recall = instance_recall,
        .guest = instance_guest,
        .stock = instance_stock,
        .end = driver_end,
};

int qemu_driver_new(sd_bus *bus, const QemuFolders *folders, BackendDriver **ret) {
        Driver *driver = calloc(1, sizeof(*driver));
        if (!driver)
                return -ENOMEM;

        *driver = (Driver){
                .base.verbs = &verbs,
                .bus = sd_bus_ref(bus),
                .folders = *folders,
                .turns.left = (unsigned)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L),
        };
        /* Without it nobody is told of the end of jobs. */
        int r = sd_bus_call_method_async(
                bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", NULL, NULL, NULL);
        if (r < 0) {
                driver_end(&driver->base);
                return r;
        }
        *ret = &driver->base;
        return 0;
}
