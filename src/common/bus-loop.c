/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/bus-loop.h"

#include "common/log.h"

int bus_loop_run(sd_event *event) {
        int code = 0, r = sd_event_loop(event);

        /* sd_event_loop() returns the code of an exit as if it were its own: 1 of a lost bus, and since some
         * version after 257 the errno with which it was lost. */
        if (sd_event_get_exit_code(event, &code) < 0)
                return log_error_errno(r, "Failed to run the event loop: %m");
        return code == 0 ? 0 : log_error_errno(-ENOTCONN, "The connection to the bus is lost.");
}
