/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmocka-all.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <termios.h>

#include "device.h"

static char folder[] = "/tmp/test-device-XXXXXX";

static void file_make(const char *name, const char *content) {
        char path[200];

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        if (!content) {
                assert_int_equal(mkdir(path, 0700), 0);
                return;
        }
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
        close(fd);
}

static int setup(_unused_ void **state) {
        assert_non_null(mkdtemp(folder));
        file_make("dev", NULL);
        file_make("sys", NULL);
        file_make("sys/vport0p1", NULL);
        file_make("sys/vport0p1/name", "org.qemu.guest_agent.0\n");
        file_make("sys/vport0p2", NULL);
        file_make("sys/vport0p2/name", "org.pbot.vm.0\n");
        file_make("sys/vport1p1", NULL);
        return 0;
}

static int teardown(_unused_ void **state) {
        char command[200];

        snprintf(command, sizeof(command), "rm -rf %s", folder);
        return system(command);
}

static int find(const char *name, Text *path) {
        char dev[100], sys[100];

        snprintf(dev, sizeof(dev), "%s/dev", folder);
        snprintf(sys, sizeof(sys), "%s/sys", folder);
        return device_find_port(dev, sys, name, path);
}

static void test_port_without_udev(_unused_ void **state) {
        _cleanup_text_ Text path = {};
        char expected[100];

        assert_int_equal(find("org.pbot.vm.0", &path), 0);
        snprintf(expected, sizeof(expected), "%s/dev/vport0p2", folder);
        assert_string_equal(text_string(&path), expected);
        assert_int_equal(find("org.pbot.vm", &path), -ENOENT);
        assert_int_equal(find("../x", &path), -EINVAL);
}

static void test_port_with_udev(_unused_ void **state) {
        _cleanup_text_ Text path = {};
        char expected[100];

        file_make("dev/virtio-ports", NULL);
        file_make("dev/virtio-ports/org.pbot.vm.0", "");
        assert_int_equal(find("org.pbot.vm.0", &path), 0);
        snprintf(expected, sizeof(expected), "%s/dev/virtio-ports/org.pbot.vm.0", folder);
        assert_string_equal(text_string(&path), expected);
}

static void test_tty_is_raw(_unused_ void **state) {
        int master = posix_openpt(O_RDWR | O_NOCTTY);
        struct termios t;
        StreamKind kind;
        char byte;

        assert_true(master >= 0);
        assert_int_equal(grantpt(master), 0);
        assert_int_equal(unlockpt(master), 0);
        int fd = device_open(ptsname(master), &kind);
        assert_true(fd >= 0);
        assert_int_equal(kind, STREAM_TTY);
        assert_int_equal(tcgetattr(fd, &t), 0);
        assert_int_equal(t.c_lflag & (ICANON | ECHO | ISIG), 0);
        assert_int_equal(t.c_iflag & (ICRNL | IXON), 0);
        assert_int_equal(t.c_oflag & OPOST, 0);
        /* The erase character arrives as any other byte. */
        assert_int_equal(write(master, "\x7f", 1), 1);
        assert_int_equal(read(fd, &byte, 1), 1);
        assert_int_equal(byte, 0x7f);
        close(fd);
        close(master);
}

static void test_absent_and_wrong(_unused_ void **state) {
        StreamKind kind;

        assert_int_equal(device_open("/dev/no-such-device", &kind), -ENOENT);
        assert_int_equal(device_open("/etc/passwd", &kind), -ENOTTY);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_port_without_udev),
                cmocka_unit_test(test_port_with_udev),
                cmocka_unit_test(test_tty_is_raw),
                cmocka_unit_test(test_absent_and_wrong),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
