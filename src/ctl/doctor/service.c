/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The running service: what it says of itself on the bus. */

#include "ctl/doctor/check.h"
#include "ctl/format.h"

/* A beat this old is none, unless the configuration waits longer: more than any guest's kind is given. */
#define HEARTBEAT_OLD_USEC (10 * USEC_PER_SEC)

static LookResult look_bus(const Patient *patient, Found *found _unused_) {
        return patient->service->bus ? LOOK_OK : LOOK_WRONG;
}

static LookResult look_running(const Patient *patient, Found *found _unused_) {
        return !patient->service->bus ? LOOK_LEFT_OUT : patient->service->running ? LOOK_OK : LOOK_WRONG;
}

static LookResult look_known(const Patient *patient, Found *found _unused_) {
        return patient->info ? LOOK_OK : LOOK_WRONG;
}

static LookResult look_usable(const Patient *patient, Found *found) {
        const MachineInfo *info = patient->info;

        if (!info || streq(info->state, "drained"))
                return LOOK_LEFT_OUT;
        text_append_string(&found->what, info->state);
        if (info->state_reason[0]) {
                text_append_string(&found->what, ": ");
                text_append_string(&found->what, info->state_reason);
        }
        return streq(info->state, "failed") || streq(info->state, "offline") ? LOOK_WRONG : LOOK_OK;
}

static LookResult look_drained(const Patient *patient, Found *found _unused_) {
        return !patient->info                           ? LOOK_LEFT_OUT
               : streq(patient->info->state, "drained") ? LOOK_WRONG
                                                        : LOOK_OK;
}

/* While it starts or is reverted there is none to be expected; one that is in use without has none
 * configured, or comes from a revert a moment ago. */
static LookResult look_heartbeat(const Patient *patient, Found *found) {
        const MachineInfo *info = patient->info;

        if (!info || (!streq(info->state, "ready") && !streq(info->state, "busy")) ||
                info->heartbeat_age_usec == USEC_INFINITY)
                return LOOK_LEFT_OUT;
        format_span(&found->what, info->heartbeat_age_usec);
        return info->heartbeat_age_usec > MAX(HEARTBEAT_OLD_USEC, patient->machine->heartbeat_lost_usec)
                       ? LOOK_WRONG
                       : LOOK_OK;
}

static LookResult look_reverts(const Patient *patient, Found *found) {
        const MachineInfo *info = patient->info;

        if (!info)
                return LOOK_LEFT_OUT;
        text_append_printf(&found->what, "%llu of %llu", (unsigned long long)info->revert_failures,
                (unsigned long long)(info->revert_failures + info->reverts));
        return info->revert_failures > info->reverts ? LOOK_WRONG : LOOK_OK;
}

static const Check checks[] = {
        { "bus", SCOPE_HOST, CHECK_FAULT, "the system bus answers", look_bus,
                "the system bus cannot be reached", "systemctl start dbus.socket" },
        { "watchdog", SCOPE_HOST, CHECK_FAULT, "pbotvm-watchdog is on the bus", look_running,
                "pbotvm-watchdog does not run", "systemctl enable --now pbotvm-watchdog" },
        { "machine-known", SCOPE_SERVICE, CHECK_FAULT, "the service has the machine", look_known,
                "the configuration has machine {machine}, the running service does not",
                "systemctl reload pbotvm-watchdog" },
        { "machine-state", SCOPE_SERVICE, CHECK_FAULT, "the machine takes requests", look_usable,
                "machine {machine} is {what}", "pbotvmctl revert {machine}" },
        { "drained", SCOPE_SERVICE, CHECK_WARNING, "nobody has drained the machine", look_drained,
                "machine {machine} is drained", "pbotvmctl resume {machine}" },
        { "heartbeat", SCOPE_SERVICE, CHECK_FAULT, "the guest's heart beats", look_heartbeat,
                "machine {machine} has no heartbeat: the last is {what} old", "pbotvmctl revert {machine}" },
        { "reverts", SCOPE_SERVICE, CHECK_WARNING, "reverts succeed", look_reverts,
                "{what} reverts of machine {machine} failed",
                "journalctl -u pbotvm-watchdog -x PBOTVM_MACHINE={machine}" },
};
const CheckTable service_checks = { checks, ELEMENTSOF(checks) };
