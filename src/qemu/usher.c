/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/usher.h"

#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include <systemd/sd-daemon.h>

#include "common/log.h"
#include "qemu/errand.h"

/* A load takes 0.3 s on an idle machine without KVM. */
#define READY_USEC (30 * USEC_PER_SEC)
#define NOTIFY_USEC (10 * USEC_PER_SEC)

/* For the journal, and as the unit's status for whoever started it. */
static void complain(const UsherOrder *order, const QemuIdentity *identity, int error, const Text *why) {
        _cleanup_text_ Text text = {};

        text_append_printf(&text, "QEMU%s%s of %s is not ready: %s", *identity->version ? " " : "",
                identity->version, order->name, text_string(why));
        if (order->devices)
                text_append_printf(&text,
                        "; its template was made by QEMU %s; if it does not fit any more: systemctl start "
                        "pbotvm-template@%s",
                        order->template->passport.emulator, order->name);
        (void)log_error_errno(error, "%s", text_string(&text));
        (void)sd_notifyf(0, "STATUS=%s", text_string(&text));
}

static void usher(const UsherOrder *order, int pidfd) {
        QemuIdentity identity = {};
        _cleanup_text_ Text why = {};
        const QemuErrand errand = {
                .monitor = order->monitor,
                .pidfd = pidfd,
                .devices = order->devices,
                .kind = QEMU_TRANSFER_LOAD,
                .limit_usec = READY_USEC,
        };

        int r = qemu_errand_run(&errand, &identity, &why);
        if (r >= 0) {
                (void)sd_notifyf(0, "READY=1\nSTATUS=QEMU %s, %s%s", identity.version, identity.machine,
                        order->devices ? ", from its template" : ", booted");
                /* systemd looks up whose the sender is, and may not get to that before it has ended. */
                (void)sd_notify_barrier(0, NOTIFY_USEC);
                return;
        }
        complain(order, &identity, r, &why);
        (void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
}

int usher_start(const UsherOrder *order) {
        /* It goes with execution, but not with a fork. */
        _cleanup_close_ int pidfd = pidfd_open(getpid(), 0);
        if (pidfd < 0)
                return -errno;

        pid_t pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                pid = fork();
                if (pid == 0)
                        usher(order, pidfd);
                _exit(pid < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
        }
        siginfo_t info = {};
        if (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0)
                return -errno;
        return info.si_code == CLD_EXITED && info.si_status == EXIT_SUCCESS ? 0 : -EAGAIN;
}
