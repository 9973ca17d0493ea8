/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/maker.h"

#include <stdio.h>

#include <systemd/sd-daemon.h>

#include "common/log.h"
#include "qemu/arguments.h"
#include "qemu/confine.h"
#include "qemu/errand.h"
#include "qemu/memory.h"
#include "qemu/template.h"
#include "template/ask.h"
#include "template/child.h"
#include "template/folder.h"

/* Without KVM a guest boots in 12 to 40 s; on a busy machine in minutes. */
#define BOOT_USEC (300 * USEC_PER_SEC)
#define START_USEC (30 * USEC_PER_SEC)
#define IMAGE_USEC (60 * USEC_PER_SEC)
/* A memory of 2 GiB, to a slow disk. */
#define SAVE_USEC (120 * USEC_PER_SEC)
#define PROOF_USEC (60 * USEC_PER_SEC)
/* After so many answers all that an answer needs is in memory. */
#define WARM_ANSWERS 5

typedef struct Maker {
        const MakerOrder *order;
        Text folder;  /* of the template that is made */
        Text name;    /* of the one in force */
        Text devices; /* files and sockets */
        Text disk;
        Text ram;
        Text monitor;
        Text data;
        Passport passport;
        Text *why;
} Maker;

static void maker_done(Maker *maker) {
        text_done(&maker->folder);
        text_done(&maker->name);
        text_done(&maker->devices);
        text_done(&maker->disk);
        text_done(&maker->ram);
        text_done(&maker->monitor);
        text_done(&maker->data);
}

static int maker_init(Maker *maker) {
        const MakerOrder *order = maker->order;

        text_append_printf(&maker->name, "%s/%s", order->templates, order->definition->name);
        /* No machine's name has this at its beginning. */
        text_append_printf(&maker->folder, "%s/.%s", order->templates, order->definition->name);
        text_append_printf(&maker->devices, "%s/devices", text_string(&maker->folder));
        text_append_printf(&maker->disk, "%s/disk.qcow2", text_string(&maker->folder));
        text_append_printf(&maker->ram, "%s/ram", text_string(&maker->folder));
        text_append_printf(&maker->monitor, "%s/monitor", order->run);
        text_append_printf(&maker->data, "%s/data", order->run);
        return text_failed(&maker->devices) || text_failed(&maker->disk) || text_failed(&maker->ram) ||
                               text_failed(&maker->data)
                       ? -ENOMEM
                       : 0;
}

/* What it does now, and how it failed, are the unit's status. */
static void say(const Maker *maker, const char *what) {
        log_info("%s: %s.", maker->order->definition->name, what);
        (void)sd_notifyf(0, "STATUS=%s", what);
}

static _printf_(3, 4) int fail(Maker *maker, int error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        text_append_vprintf(maker->why, format, ap);
        va_end(ap);
        return error;
}

static int make_disk(Maker *maker) {
        const QemuDefinition *d = maker->order->definition;
        const char *const arguments[] = { "qemu-img", "create", "-q", "-f", "qcow2", "-b", d->disk, "-F",
                d->disk_format == QEMU_FORMAT_RAW ? "raw" : "qcow2", text_string(&maker->disk), NULL };
        _cleanup_child_ Child child = CHILD_NONE;

        int r = child_start((char *const *)arguments, NULL, NULL, &child);
        if (r >= 0)
                r = child_wait(&child, IMAGE_USEC);
        if (r != 0)
                return fail(
                        maker, r < 0 ? r : -EIO, "qemu-img made no overlay on %s; its log has why", d->disk);
        return 0;
}

static int confine(const void *userdata) {
        return qemu_confine(userdata);
}

static int start_qemu(Maker *maker, QemuRun run, Child *ret) {
        const QemuDefinition *d = maker->order->definition;
        bool loads = run == QEMU_RUN_PROOF;
        _cleanup_(qemu_arguments_freep) char **arguments = NULL;

        int memory = loads ? qemu_memory_open(text_string(&maker->ram), maker->passport.emulator) : 0;
        if (memory < 0)
                return fail(maker, memory, "%s cannot be copied: %s", text_string(&maker->ram),
                        strerror(-memory));
        arguments = qemu_arguments(d, run, loads ? maker->passport.machine : NULL,
                &(QemuPaths){ maker->order->run, text_string(&maker->folder), memory });
        int r = arguments ? child_start(arguments, confine, d, ret) : -ENOMEM;
        if (memory > 0)
                fd_close(memory);
        return r < 0 ? fail(maker, r, "%s could not be started: %s", d->emulator, strerror(-r)) : 0;
}

/* At the monitor of a QEMU that starts, or runs. kind is of no matter without devices. */
static int visit(Maker *maker, const Child *qemu, QemuTransferKind kind, bool transfers, uint64_t limit_usec,
        QemuIdentity *ret) {
        const QemuErrand errand = {
                .monitor = text_string(&maker->monitor),
                .pidfd = qemu->pidfd,
                .devices = transfers ? text_string(&maker->devices) : NULL,
                .kind = kind,
                .limit_usec = limit_usec,
        };
        return qemu_errand_run(&errand, ret, maker->why);
}

static int boot_and_save(Maker *maker) {
        _cleanup_child_ Child qemu = CHILD_NONE;
        QemuIdentity identity = {};

        say(maker, "the guest boots");
        int r = start_qemu(maker, QEMU_RUN_TEMPLATE, &qemu);
        if (r >= 0)
                r = visit(maker, &qemu, QEMU_TRANSFER_SAVE, false, START_USEC, &identity);
        if (r >= 0)
                r = ask_agent(text_string(&maker->data), qemu.pidfd, WARM_ANSWERS, BOOT_USEC, maker->why);
        if (r < 0)
                return r;

        say(maker, "its memory is saved");
        r = visit(maker, &qemu, QEMU_TRANSFER_SAVE, true, SAVE_USEC, &identity);
        if (r < 0)
                return r;
        if (child_wait(&qemu, START_USEC) != 0)
                return fail(maker, -EIO, "QEMU did not end well after its state was saved");
        passport_set_word(maker->passport.emulator, sizeof(maker->passport.emulator), identity.version);
        passport_set_word(maker->passport.machine, sizeof(maker->passport.machine), identity.machine);
        passport_set_word(maker->passport.cpu, sizeof(maker->passport.cpu), maker->order->definition->cpu);
        r = qemu_template_sign(text_string(&maker->folder), maker->order->definition, &maker->passport);
        return r < 0 ? fail(maker, r, "the passport could not be written: %s", strerror(-r)) : 0;
}

static int prove(Maker *maker) {
        _cleanup_child_ Child qemu = CHILD_NONE;
        QemuIdentity identity = {};

        say(maker, "what was saved is tried");
        int r = start_qemu(maker, QEMU_RUN_PROOF, &qemu);
        if (r >= 0)
                r = visit(maker, &qemu, QEMU_TRANSFER_LOAD, true, START_USEC, &identity);
        if (r >= 0)
                r = ask_agent(text_string(&maker->data), qemu.pidfd, 1, PROOF_USEC, maker->why);
        return r;
}

static int make(Maker *maker) {
        int r = folder_make(text_string(&maker->folder));
        if (r < 0)
                return fail(maker, r, "%s cannot be made: %s", text_string(&maker->folder), strerror(-r));
        r = make_disk(maker);
        if (r >= 0)
                r = boot_and_save(maker);
        if (r >= 0)
                r = prove(maker);
        if (r < 0)
                return r;
        r = folder_put_in_force(text_string(&maker->folder), text_string(&maker->name));
        return r < 0 ? fail(maker, r, "it cannot be put in force: %s", strerror(-r)) : 0;
}

int maker_run(const MakerOrder *order, Text *why) {
        _cleanup_(maker_done) Maker maker = { .order = order, .why = why };

        int r = maker_init(&maker);
        if (r >= 0)
                r = make(&maker);
        if (r < 0 && maker.folder.size > 0)
                (void)folder_remove(text_string(&maker.folder));
        return r;
}
