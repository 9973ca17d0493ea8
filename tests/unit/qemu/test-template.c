/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/io.h"
#include "qemu/memory.h"
#include "qemu/template.h"
#include "template/child.h"
#include "template/folder.h"

static char folder[] = "/tmp/pbotvm-template-XXXXXX";

static const char *path(const char *name) {
        static char text[200];

        snprintf(text, sizeof(text), "%s/%s", folder, name);
        return text;
}

static void put(const char *name, const char *text) {
        assert_int_equal(io_write_file(path(name), text, strlen(text), 0600), 0);
}

static QemuDefinition definition(void) {
        return (QemuDefinition){
                .name = (char *)"vm",
                .machine = (char *)"pc",
                .cpu = (char *)"max",
                .processors = 1,
                .memory_bytes = 64 << 20,
        };
}

static void expect(const QemuDefinition *d, int result, const char *words) {
        _cleanup_text_ Text why = {};
        QemuTemplate found = {};

        assert_int_equal(qemu_template_look(path("t"), d, &found, &why), result);
        assert_string_equal(text_string(&why), words);
}

static void test_fit(void **state) {
        (void)state;
        const Passport passport = { .emulator = "7.2.22", .machine = "pc-i440fx-7.2", .cpu = "max" };
        QemuDefinition d = definition();
        QemuTemplate found = {};
        _cleanup_text_ Text why = {};

        expect(&d, -ENOENT, "vm has no template; make one with: systemctl start pbotvm-template@vm");
        assert_int_equal(folder_make(path("t")), 0);
        assert_int_equal(qemu_template_sign(path("t"), &d, &passport), 0);
        assert_int_equal(qemu_template_look(path("t"), &d, &found, &why), 0);
        assert_string_equal(text_string(&why), "");
        assert_string_equal(found.passport.emulator, "7.2.22");
        assert_string_equal(found.passport.machine, "pc-i440fx-7.2");
        assert_in_range(now_realtime() - found.made_usec, 0, 60 * USEC_PER_SEC);

        /* What is not of the hardware may change: ports and rates of the disk, the accelerator. */
        d.disk_bytes_per_second = 1;
        d.accelerator = QEMU_ACCELERATOR_TCG;
        expect(&d, 0, "");
        d.processors = 2;
        expect(&d, -ESTALE,
                "the template of vm was made of another definition: \"-smp 2\" is new; make one with: "
                "systemctl "
                "start pbotvm-template@vm");
        d.processors = 1;
        d.serial_data = 5555;
        expect(&d, -ESTALE,
                "the template of vm was made of another definition: \"-device "
                "isa-serial,chardev=serial-data,index=2\" is new; make one with: systemctl start "
                "pbotvm-template@vm");
        assert_int_equal(qemu_template_sign(path("t"), &d, &passport), 0);
        d.serial_data = 0;
        expect(&d, -ESTALE,
                "the template of vm was made of another definition: \"-device "
                "isa-serial,chardev=serial-data,index=2\" is no more; make one with: systemctl start "
                "pbotvm-template@vm");
        d.serial_data = 5555;
        put("t/passport", "Taken by pbotvm: qemu=7.2.22\n");
        expect(&d, -ESTALE,
                "the template of vm has no passport; make one with: systemctl start pbotvm-template@vm");
        assert_int_equal(folder_remove(path("t")), 0);
}

static void test_folders(void **state) {
        (void)state;
        _cleanup_text_ Text text = {};
        char made[200];

        snprintf(made, sizeof(made), "%s", path(".vm"));
        assert_int_equal(folder_remove(made), 0);
        assert_int_equal(folder_make(made), 0);
        put(".vm/ram", "old");
        /* What was left goes. */
        assert_int_equal(folder_make(made), 0);
        assert_int_equal(access(path(".vm/ram"), F_OK), -1);
        put(".vm/ram", "first");
        assert_int_equal(folder_put_in_force(made, path("vm")), 0);
        assert_int_equal(folder_make(made), 0);
        put(".vm/ram", "second");
        assert_int_equal(folder_put_in_force(made, path("vm")), 0);
        assert_int_equal(io_read_file(AT_FDCWD, path("vm/ram"), 100, &text), 0);
        assert_string_equal(text_string(&text), "second");
        assert_int_equal(access(made, F_OK), -1);
        /* What nobody of us has put there is not removed. */
        put("vm/mine", "x");
        assert_int_equal(folder_remove(path("vm")), -ENOTEMPTY);
        assert_int_equal(folder_make(made), 0);
        put(".vm/ram", "third");
        assert_int_equal(folder_put_in_force(made, path("vm")), 0);
        assert_int_equal(access(path("vm/ram"), F_OK), 0);
        assert_int_equal(folder_make(made), -ENOTEMPTY);
        assert_int_equal(unlink(path(".vm/mine")), 0);
        assert_int_equal(folder_remove(made), 0);
        assert_int_equal(folder_remove(path("vm")), 0);
}

static void test_memory(void **state) {
        (void)state;
        const off_t size = 64 << 20, at = 32 << 20;
        char text[8] = "";
        struct stat st;

        put("ram", "begin");
        assert_int_equal(truncate(path("ram"), size), 0);
        _cleanup_close_ int fd = open(path("ram"), O_WRONLY | O_CLOEXEC);
        assert_true(pwrite(fd, "middle", 6, at) == 6);

        assert_int_equal(qemu_memory_open(path("ram"), "8.2.0"), 0);
        assert_int_equal(qemu_memory_open(path("ram"), "11.1.3"), 0);
        _cleanup_close_ int copy = qemu_memory_open(path("ram"), "8.1.9");
        assert_true(copy > 0);
        assert_int_equal(fcntl(copy, F_GETFD), 0); /* inherited */
        assert_return_code(fstat(copy, &st), errno);
        assert_int_equal(st.st_size, size);
        assert_in_range(st.st_blocks * 512, 1, 1 << 20); /* holes stay holes */
        assert_true(pread(copy, text, 5, 0) == 5);
        assert_string_equal(text, "begin");
        assert_true(pread(copy, text, 6, at) == 6);
        assert_string_equal(text, "middle");
        assert_int_equal(qemu_memory_open(path("none"), "7.2.22"), -ENOENT);
        assert_int_equal(unlink(path("ram")), 0);
}

static int refuse(const void *userdata) {
        return *(const int *)userdata;
}

static void test_children(void **state) {
        (void)state;
        const char *const three[] = { "sh", "-c", "exit 3", NULL },
                          *const sleeps[] = { "sleep", "100", NULL },
                          *const dies[] = { "sh", "-c", "kill -9 $$", NULL },
                          *const none[] = { "/none", NULL };
        Child child = CHILD_NONE;
        int error = -EPERM;

        assert_int_equal(child_start((char *const *)three, NULL, NULL, &child), 0);
        assert_int_equal(child_wait(&child, 20 * USEC_PER_SEC), 3);
        assert_int_equal(child_start((char *const *)dies, NULL, NULL, &child), 0);
        assert_int_equal(child_wait(&child, 20 * USEC_PER_SEC), -EINTR);
        assert_int_equal(child_start((char *const *)none, NULL, NULL, &child), 0);
        assert_int_equal(child_wait(&child, 20 * USEC_PER_SEC), 127);
        assert_int_equal(child_start((char *const *)three, refuse, &error, &child), 0);
        assert_int_equal(child_wait(&child, 20 * USEC_PER_SEC), 127);
        assert_int_equal(child_start((char *const *)sleeps, NULL, NULL, &child), 0);
        assert_int_equal(child_wait(&child, USEC_PER_SEC / 10), -ETIMEDOUT);
        child_kill(&child);
        assert_int_equal(child.pid, 0);
        child_kill(&child);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fit),
                cmocka_unit_test(test_folders),
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_children),
        };

        if (!mkdtemp(folder))
                return EXIT_FAILURE;
        int r = cmocka_run_group_tests(tests, NULL, NULL);
        (void)rmdir(folder);
        return r;
}
