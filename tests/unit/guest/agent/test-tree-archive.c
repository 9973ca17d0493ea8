/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmocka-all.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tree-archive.h"

#define MAX_BYTES (1u << 20)

/* Each test works in an empty directory of its own. */
static int setup(void **state) {
        char *folder = strdup("/tmp/test-tree-archive-XXXXXX");

        if (!folder || !mkdtemp(folder) || chdir(folder) < 0 || mkdir("a", 0700) < 0 || mkdir("b", 0700) < 0)
                return -1;
        *state = folder;
        return chdir("a");
}

static int teardown(void **state) {
        char command[200];

        snprintf(command, sizeof(command), "chmod -R u+rwx %s; rm -rf %s", (char *)*state, (char *)*state);
        int r = chdir("/") < 0 ? -1 : system(command);
        free(*state);
        return r;
}

static void file_make(const char *name, const char *content, mode_t mode) {
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
        assert_int_equal(fchmod(fd, mode), 0);
        close(fd);
}

static bool exists(const char *name) {
        struct stat st;

        return lstat(name, &st) >= 0;
}

static int memory(void) {
        int fd = memfd_create("archive", MFD_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static int unpack(int fd, Text *error) {
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        return tree_unpack(fd, "../tmp", MAX_BYTES, error);
}

static void test_there_and_back(_unused_ void **state) {
        _cleanup_text_ Text error = {};
        _cleanup_close_ int fd = memory();
        char content[10] = {};
        struct stat st;

        file_make("f", "hello", 04755);
        assert_int_equal(mkdir("d", 0755), 0);
        file_make("d/e", "", 0640);
        assert_int_equal(symlink("/etc/passwd", "l"), 0);
        assert_int_equal(mkfifo("p", 0600), 0);
        assert_int_equal(tree_pack(fd, "../tmp", MAX_BYTES, &error), 0);

        assert_int_equal(chdir("../b"), 0);
        assert_int_equal(unpack(fd, &error), 0);
        assert_int_equal(stat("f", &st), 0);
        assert_int_equal(st.st_mode & 07777, 0755);
        int in = open("f", O_RDONLY);
        assert_int_equal(read(in, content, sizeof(content)), 5);
        close(in);
        assert_string_equal(content, "hello");
        assert_true(exists("d/e"));
        assert_int_equal(lstat("l", &st), 0);
        assert_true(S_ISLNK(st.st_mode));
        assert_false(exists("p"));
}

static void content_is(const char *name, const char *expected) {
        char content[100] = {};
        int fd = open(name, O_RDONLY);

        assert_true(fd >= 0);
        assert_true(read(fd, content, sizeof(content) - 1) >= 0);
        close(fd);
        assert_string_equal(content, expected);
}

/* What is in /tmp goes with it, and comes back to wherever that is then. */
static void test_tmp(_unused_ void **state) {
        _cleanup_text_ Text error = {};
        _cleanup_close_ int fd = memory(), nested = memory();

        file_make("f", "storage", 0600);
        assert_int_equal(mkdir("../tmp", 0700), 0);
        assert_int_equal(mkdir("../tmp/d", 0700), 0);
        file_make("../tmp/d/f", "tmp", 0600);
        assert_int_equal(tree_pack(fd, "../tmp", MAX_BYTES, &error), 0);
        assert_true(exists("f"));

        /* As on a disk: below the storage, and no part of it. */
        assert_int_equal(chdir("../b"), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(tree_unpack(fd, ".kept", MAX_BYTES, &error), 0);
        content_is("f", "storage");
        content_is(".kept/d/f", "tmp");
        assert_false(exists("d"));
        assert_int_equal(tree_pack(nested, ".kept", MAX_BYTES, &error), 0);

        assert_int_equal(mkdir("../c", 0700), 0);
        assert_int_equal(chdir("../c"), 0);
        assert_int_equal(lseek(nested, 0, SEEK_SET), 0);
        assert_int_equal(tree_unpack(nested, "../tmp2", MAX_BYTES, &error), 0);
        content_is("f", "storage");
        content_is("../tmp2/d/f", "tmp");
        assert_false(exists(".kept"));
}

/* It has what the storage leaves it, and goes as a whole: the storage is kept in any case. */
static void test_tmp_that_does_not_fit(_unused_ void **state) {
        _cleanup_text_ Text error = {};

        file_make("f", "storage", 0600);
        assert_int_equal(truncate("f", MAX_BYTES - 2), 0);
        assert_int_equal(mkdir("../tmp", 0700), 0);
        file_make("../tmp/a", "x", 0600);
        for (int i = 0; i < 2; i++) {
                _cleanup_close_ int fd = memory();
                if (i == 1)
                        file_make("../tmp/b", "xx", 0600);
                assert_int_equal(tree_pack(fd, "../tmp", MAX_BYTES, &error), 0);
                assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
                char name[20];
                snprintf(name, sizeof(name), "../new%i", i);
                assert_int_equal(mkdir(name, 0700), 0);
                assert_int_equal(chdir(name), 0);
                assert_int_equal(tree_unpack(fd, "tmp", MAX_BYTES, &error), 0);
                assert_true(exists("f"));
                assert_int_equal(exists("tmp/a"), i == 0);
                assert_int_equal(chdir("../a"), 0);
        }
        assert_int_equal(error.size, 0);
}

static void test_nothing_is_an_archive(_unused_ void **state) {
        _cleanup_text_ Text error = {};
        _cleanup_close_ int fd = memory(), empty = memory();

        assert_int_equal(unpack(empty, &error), 0);
        assert_int_equal(tree_pack(fd, "../tmp", MAX_BYTES, &error), 0);
        assert_int_equal(unpack(fd, &error), 0);
        assert_int_equal(rmdir("../a") < 0 ? errno : 0, 0);
        assert_int_equal(chdir(".."), 0);
}

static void test_garbage(_unused_ void **state) {
        _cleanup_text_ Text error = {};
        _cleanup_close_ int fd = memory();
        char block[4096];

        memset(block, 'x', sizeof(block));
        assert_int_equal(write(fd, block, sizeof(block)), (ssize_t)sizeof(block));
        assert_int_equal(unpack(fd, &error), -EBADMSG);
        assert_true(error.size > 0);
}

static void test_too_large_to_pack(_unused_ void **state) {
        _cleanup_text_ Text error = {};
        _cleanup_close_ int fd = memory();

        file_make("sparse", "", 0600);
        assert_int_equal(truncate("sparse", (off_t)10 << 30), 0);
        assert_int_equal(tree_pack(fd, "../tmp", MAX_BYTES, &error), -EFBIG);
}

/* An archive with one entry, made as an attacker would. */
static int hostile(const char *name, mode_t type, const char *link, const char *hardlink, size_t size) {
        struct archive *a = archive_write_new();
        struct archive_entry *entry = archive_entry_new();
        int fd = memory();

        archive_write_set_format_pax(a);
        archive_write_open_fd(a, fd);
        if (strchr(name, '>')) { /* first a link, then something through it */
                struct archive_entry *first = archive_entry_new();
                archive_entry_set_pathname(first, "way");
                archive_entry_set_filetype(first, AE_IFLNK);
                archive_entry_set_symlink(first, "../b");
                archive_write_header(a, first);
                archive_entry_free(first);
                name = "way/evil";
        }
        archive_entry_set_pathname(entry, name);
        archive_entry_set_filetype(entry, type);
        archive_entry_set_perm(entry, 06777);
        if (link)
                archive_entry_set_symlink(entry, link);
        if (hardlink)
                archive_entry_set_hardlink(entry, hardlink);
        archive_entry_set_size(entry, (la_int64_t)size);
        archive_write_header(a, entry);
        char block[4096] = {};
        for (size_t left = size; left > 0; left -= MIN(left, sizeof(block)))
                archive_write_data(a, block, MIN(left, sizeof(block)));
        archive_entry_free(entry);
        archive_write_close(a);
        archive_write_free(a);
        return fd;
}

static void refuse(const char *name, mode_t type, const char *hardlink, size_t size, int expected) {
        _cleanup_text_ Text error = {};
        _cleanup_close_ int fd = hostile(name, type, NULL, hardlink, size);

        assert_int_equal(unpack(fd, &error), expected);
        assert_true(error.size > 0);
}

static void test_hostile_archives(_unused_ void **state) {
        refuse("../b/evil", AE_IFREG, NULL, 1, -EBADMSG);
        refuse("/var/tmp/test-tree-archive-evil", AE_IFREG, NULL, 1, -EBADMSG);
        refuse("/tmp/", AE_IFDIR, NULL, 0, -EBADMSG);
        refuse("/tmp//tmp/test-tree-archive-evil", AE_IFREG, NULL, 1, -EBADMSG);
        refuse("/tmp/../b/evil", AE_IFREG, NULL, 1, -EBADMSG);
        refuse("d/../../b/evil", AE_IFREG, NULL, 1, -EBADMSG);
        refuse("device", AE_IFCHR, NULL, 0, -EBADMSG);
        refuse("disk", AE_IFBLK, NULL, 0, -EBADMSG);
        refuse("pipe", AE_IFIFO, NULL, 0, -EBADMSG);
        refuse("hard", AE_IFREG, "/etc/passwd", 0, -EBADMSG);
        refuse("large", AE_IFREG, NULL, 2 * MAX_BYTES, -EFBIG);
        assert_false(exists("../b/evil"));
        assert_false(exists("/var/tmp/test-tree-archive-evil"));
        assert_false(exists("/tmp/test-tree-archive-evil"));
}

static void test_through_a_link(_unused_ void **state) {
        _cleanup_text_ Text error = {};
        _cleanup_close_ int fd = hostile(">", AE_IFREG, NULL, NULL, 1);

        (void)unpack(fd, &error);
        assert_false(exists("../b/evil"));
}

static void test_modes_are_tamed(_unused_ void **state) {
        _cleanup_text_ Text error = {};
        _cleanup_close_ int fd = hostile("f", AE_IFREG, NULL, NULL, 1);
        struct stat st;

        assert_int_equal(unpack(fd, &error), 0);
        assert_int_equal(stat("f", &st), 0);
        assert_int_equal(st.st_mode & 07000, 0);
}

static void test_clear(_unused_ void **state) {
        _cleanup_text_ Text error = {};

        file_make("f", "x", 0);
        assert_int_equal(mkdir("d", 0700), 0);
        file_make("d/e", "x", 0600);
        assert_int_equal(chmod("d", 0), 0);
        file_make("../b/stays", "x", 0600);
        assert_int_equal(symlink("../b", "l"), 0);
        assert_int_equal(tree_clear(&error), 0);
        assert_int_equal(rmdir("../a") < 0 ? errno : 0, 0);
        assert_int_equal(chdir("../b"), 0);
        assert_true(exists("stays"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_there_and_back, setup, teardown),
                cmocka_unit_test_setup_teardown(test_tmp, setup, teardown),
                cmocka_unit_test_setup_teardown(test_tmp_that_does_not_fit, setup, teardown),
                cmocka_unit_test_setup_teardown(test_nothing_is_an_archive, setup, teardown),
                cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
                cmocka_unit_test_setup_teardown(test_too_large_to_pack, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hostile_archives, setup, teardown),
                cmocka_unit_test_setup_teardown(test_through_a_link, setup, teardown),
                cmocka_unit_test_setup_teardown(test_modes_are_tamed, setup, teardown),
                cmocka_unit_test_setup_teardown(test_clear, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
