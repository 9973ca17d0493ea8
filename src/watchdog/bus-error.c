/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/bus-error.h"

#include "common/macro.h"

static const struct {
        const char *name;
        const char *text;
} table[] = {
        { VM1_ERROR_OFFLINE, "Virtual machine is offline." },
        { VM1_ERROR_RESETTING, "Virtual machine is resetting, try again soon." },
        { VM1_ERROR_BUSY, "Virtual machine is busy, try again soon." },
        { VM1_ERROR_REFUSED, "Virtual machine service is not running." },
};

int bus_error_reply(sd_bus_message *call, const char *name) {
        const char *text = "";

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (streq(table[i].name, name))
                        text = table[i].text;
        return sd_bus_reply_method_errorf(call, name, "%s", text);
}
