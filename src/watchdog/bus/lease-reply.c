/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/bus/lease-reply.h"

static int append_info(sd_bus_message *reply, const MachineView *machine, uint64_t timeout_usec) {
        const struct {
                const char *name;
                const char *value;
        } strings[] = {
                { "machine", machine->name },
                { "guest", machine->guest },
                { "transport", machine->transport },
        };
        const struct {
                const char *name;
                uint64_t value;
        } numbers[] = {
                { "generation", machine->generation },
                { "timeout_usec", timeout_usec },
        };

        int r = sd_bus_message_open_container(reply, 'a', "{sv}");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(strings); i++)
                r = sd_bus_message_append(reply, "{sv}", strings[i].name, "s", strings[i].value);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(numbers); i++)
                r = sd_bus_message_append(reply, "{sv}", numbers[i].name, "t", numbers[i].value);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_lease_reply(
        sd_bus_message *call, int fd, const char *id, const MachineView *machine, uint64_t timeout_usec) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        int r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "hs", fd, id);
        if (r >= 0)
                r = append_info(reply, machine, timeout_usec);
        if (r >= 0)
                r = sd_bus_send(sd_bus_message_get_bus(call), reply, NULL);
        return r < 0 ? r : 0;
}
