/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What one real QEMU saves another one loads; there is no guest in it. Usage: test-qemu-transfer QEMU */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/io.h"
#include "qemu/arguments.h"
#include "qemu/errand.h"
#include "qemu/memory.h"
#include "template/child.h"
#include "template/folder.h"

#define SECOND USEC_PER_SEC

static char folder[] = "/tmp/pbotvm-transfer-XXXXXX";
static QemuDefinition definition = {
        .name = (char *)"vm",
        .machine = (char *)"pc",
        .cpu = (char *)"qemu64",
        .accelerator = QEMU_ACCELERATOR_TCG,
        .processors = 1,
        .memory_bytes = 64 << 20,
};

static const char *path(const char *name) {
        static char texts[4][200];
        static unsigned n;
        char *text = texts[n++ % ELEMENTSOF(texts)];

        snprintf(text, sizeof(texts[0]), "%s/%s", folder, name);
        return text;
}

static Child start(QemuRun run, const char *machine, int memory) {
        _cleanup_(qemu_arguments_freep) char **arguments =
                qemu_arguments(&definition, run, machine, &(QemuPaths){ folder, path("t"), memory });
        Child child = CHILD_NONE;

        assert_non_null(arguments);
        assert_int_equal(child_start(arguments, NULL, NULL, &child), 0);
        return child;
}

/* The result of an errand at its monitor; devices: NULL, or the file. */
static int visit(
        const Child *child, QemuTransferKind kind, const char *devices, QemuIdentity *ret, Text *why) {
        const QemuErrand errand = { path("monitor"), child->pidfd, devices, kind, 60 * SECOND };

        return qemu_errand_run(&errand, ret, why);
}

static void make_disk(void) {
        const char *const arguments[] = { "qemu-img", "create", "-q", "-f", "qcow2", path("t/disk.qcow2"),
                "16M", NULL };
        Child child = CHILD_NONE;

        assert_int_equal(child_start((char *const *)arguments, NULL, NULL, &child), 0);
        assert_int_equal(child_wait(&child, 60 * SECOND), 0);
}

static void test_save_and_load(void **state) {
        (void)state;
        QemuIdentity saver = {}, loader = {};
        _cleanup_text_ Text why = {};
        struct stat st;

        Child child = start(QEMU_RUN_TEMPLATE, NULL, 0);
        assert_int_equal(visit(&child, QEMU_TRANSFER_SAVE, path("t/devices"), &saver, &why), 0);
        assert_string_equal(text_string(&why), "");
        assert_non_null(startswith(saver.machine, "pc-i440fx-"));
        assert_null(strstr(saver.machine, "-machine"));
        assert_int_equal(child_wait(&child, 60 * SECOND), 0);
        /* The memory is not in it. */
        assert_return_code(stat(path("t/devices"), &st), errno);
        assert_in_range(st.st_size, 1000, 8 << 20);
        (void)unlink(path("monitor")); /* which QEMU has done, too */

        int memory = qemu_memory_open(path("t/ram"), saver.version);
        assert_true(memory >= 0);
        child = start(QEMU_RUN_LOAD, saver.machine, memory);
        if (memory > 0)
                fd_close(memory);
        assert_int_equal(visit(&child, QEMU_TRANSFER_LOAD, path("t/devices"), &loader, &why), 0);
        assert_string_equal(loader.version, saver.version);
        assert_string_equal(loader.machine, saver.machine);
        /* It goes on, and the monitor is free for the next one. */
        assert_int_equal(visit(&child, QEMU_TRANSFER_LOAD, NULL, &loader, &why), 0);
        child_kill(&child);
        assert_int_equal(unlink(path("monitor")), 0);
}

/* Of another machine type: QEMU ends, and says why in its log alone. */
static void test_what_does_not_fit(void **state) {
        (void)state;
        QemuIdentity loader = {};
        _cleanup_text_ Text why = {};

        int memory = qemu_memory_open(path("t/ram"), "7.2.22");
        assert_true(memory > 0);
        Child child = start(QEMU_RUN_LOAD, "q35", memory);
        fd_close(memory);
        assert_true(visit(&child, QEMU_TRANSFER_LOAD, path("t/devices"), &loader, &why) < 0);
        assert_true(why.size > 0);
        child_kill(&child);
        (void)unlink(path("monitor"));
}

static void test_no_qemu(void **state) {
        (void)state;
        const char *const arguments[] = { "true", NULL };
        QemuIdentity identity = {};
        _cleanup_text_ Text why = {};
        Child child = CHILD_NONE;

        assert_int_equal(child_start((char *const *)arguments, NULL, NULL, &child), 0);
        assert_int_equal(visit(&child, QEMU_TRANSFER_LOAD, path("t/devices"), &identity, &why), -ESRCH);
        assert_string_equal(text_string(&why), "QEMU ended; its log has why");
        child_kill(&child);
}

static void test_never_there(void **state) {
        (void)state;
        const char *const arguments[] = { "sleep", "100", NULL };
        QemuIdentity identity = {};
        _cleanup_text_ Text why = {};
        Child child = CHILD_NONE;

        assert_int_equal(child_start((char *const *)arguments, NULL, NULL, &child), 0);
        const QemuErrand errand = { path("monitor"), child.pidfd, NULL, QEMU_TRANSFER_LOAD, SECOND / 2 };
        assert_int_equal(qemu_errand_run(&errand, &identity, &why), -ETIMEDOUT);
        assert_string_equal(text_string(&why), "QEMU did not get ready in time");
        child_kill(&child);
}

/* What it would load never ends. */
static void test_late(void **state) {
        (void)state;
        QemuIdentity identity = {};
        _cleanup_text_ Text why = {};

        assert_return_code(mkfifo(path("pipe"), 0600), errno);
        _cleanup_close_ int pipe = open(path("pipe"), O_RDWR | O_CLOEXEC);
        assert_return_code(pipe, errno);
        int memory = qemu_memory_open(path("t/ram"), "7.2.22");
        assert_true(memory > 0);
        Child child = start(QEMU_RUN_LOAD, NULL, memory);
        fd_close(memory);
        const QemuErrand errand = { path("monitor"), child.pidfd, path("pipe"), QEMU_TRANSFER_LOAD,
                5 * SECOND };
        assert_int_equal(qemu_errand_run(&errand, &identity, &why), -ETIMEDOUT);
        assert_string_equal(text_string(&why), "QEMU did not load its state in time");
        child_kill(&child);
        (void)unlink(path("pipe"));
        (void)unlink(path("monitor"));
}

int main(int argc, char *argv[]) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_save_and_load),
                cmocka_unit_test(test_what_does_not_fit),
                cmocka_unit_test(test_no_qemu),
                cmocka_unit_test(test_never_there),
                cmocka_unit_test(test_late),
        };
        static const char *const sockets[] = { "data", "heart", "console", "monitor" };

        if (argc != 2 || !mkdtemp(folder) || folder_make(path("t")) < 0)
                return EXIT_FAILURE;
        definition.emulator = argv[1];
        make_disk();
        int r = cmocka_run_group_tests(tests, NULL, NULL);
        for (size_t i = 0; i < ELEMENTSOF(sockets); i++)
                (void)unlink(path(sockets[i]));
        (void)folder_remove(path("t"));
        (void)rmdir(folder);
        return r;
}
