/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/bus/error.h"

#include <inttypes.h>

#include "common/macro.h"
#include "common/vm1.h"

static const struct {
        const char *name;
        const char *text;
} table[] = {
        { VM1_ERROR_OFFLINE, VM1_TEXT_OFFLINE },
        { VM1_ERROR_RESETTING, VM1_TEXT_RESETTING },
        { VM1_ERROR_BUSY, VM1_TEXT_BUSY },
        { VM1_ERROR_REFUSED, VM1_TEXT_NOT_RUNNING },
};

int bus_error_reply(sd_bus_message *call, const char *name) {
        const char *text = "";

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (streq(table[i].name, name))
                        text = table[i].text;
        return sd_bus_reply_method_errorf(call, name, "%s", text);
}

int bus_error_reply_too_many_reverts(sd_bus_message *call, uint64_t left_usec) {
        uint64_t seconds = (left_usec + USEC_PER_SEC - 1) / USEC_PER_SEC, minutes = (seconds + 59) / 60;
        bool few = seconds <= 90;

        return sd_bus_reply_method_errorf(call, VM1_ERROR_TOO_MANY_REVERTS, VM1_TEXT_TOO_MANY_REVERTS,
                few ? seconds : minutes,
                seconds == 1 ? "second"
                : few        ? "seconds"
                             : "minutes");
}
