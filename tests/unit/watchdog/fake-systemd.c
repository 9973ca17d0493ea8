/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-systemd.h"

#include <errno.h>
#include <sys/socket.h>

#include "test.h"

void fake_systemd_open(sd_event *event, sd_bus_message_handler_t on_call, void *userdata, sd_bus **ret_ours,
        sd_bus **ret_systemd) {
        sd_bus *ours = NULL, *systemd = NULL;
        sd_id128_t id = {};
        int fds[2];

        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), errno);
        assert_true(sd_bus_new(&systemd) >= 0 && sd_bus_set_fd(systemd, fds[0], fds[0]) >= 0);
        assert_true(sd_bus_set_server(systemd, 1, id) >= 0 && sd_bus_start(systemd) >= 0);
        assert_true(sd_bus_attach_event(systemd, event, 0) >= 0);
        assert_true(sd_bus_add_filter(systemd, NULL, on_call, userdata) >= 0);
        assert_true(sd_bus_new(&ours) >= 0 && sd_bus_set_fd(ours, fds[1], fds[1]) >= 0);
        assert_true(sd_bus_start(ours) >= 0 && sd_bus_attach_event(ours, event, 0) >= 0);
        *ret_ours = ours;
        *ret_systemd = systemd;
}

void fake_systemd_end_job(sd_bus *systemd, const char *job, const char *unit, const char *result) {
        sd_bus_message *signal = NULL;

        assert_true(sd_bus_message_new_signal(systemd, &signal, "/org/freedesktop/systemd1",
                            "org.freedesktop.systemd1.Manager", "JobRemoved") >= 0);
        assert_true(sd_bus_message_set_sender(signal, "org.freedesktop.systemd1") >= 0);
        assert_true(sd_bus_message_append(signal, "uoss", 7, job, unit, result) >= 0);
        assert_true(sd_bus_send(systemd, signal, NULL) >= 0);
        sd_bus_message_unref(signal);
}
