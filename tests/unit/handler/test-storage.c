/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a key keeps: whole or not at all, bounded, one request at a time, whatever the key's text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>

#include "common/io.h"
#include "handler/storage.h"

static char the_dir[40];

static int make_dir(void **state) {
        (void)state;
        strcpy(the_dir, "/tmp/test-storage-XXXXXX");
        return mkdtemp(the_dir) ? 0 : -1;
}

static int remove_dir(void **state) {
        char command[80];

        (void)state;
        snprintf(command, sizeof(command), "rm -rf %s", the_dir);
        return system(command);
}

static size_t count_files(void) {
        char path[80];
        size_t n = 0;

        snprintf(path, sizeof(path), "%s/storage", the_dir);
        DIR *dir = opendir(path);
        assert_non_null(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n - 2;
}

static Storage *open_key(const char *key) {
        Storage *s = NULL;
        assert_int_equal(storage_open(the_dir, key, 1000, 2500, &s), 0);
        return s;
}

static uint64_t soon(void) {
        return now_monotonic() + USEC_PER_SEC;
}

static int replace(const char *key, size_t size) {
        _cleanup_(storage_freep) Storage *s = open_key(key);
        _cleanup_text_ Text old = {}, content = {};

        assert_int_equal(storage_lock(s, -EBADF, soon(), &old), 0);
        for (size_t i = 0; i < size; i++)
                text_append_char(&content, 'x');
        return storage_replace(s, &content);
}

static size_t kept(const char *key) {
        _cleanup_(storage_freep) Storage *s = open_key(key);
        _cleanup_text_ Text content = {};

        assert_int_equal(storage_lock(s, -EBADF, soon(), &content), 0);
        return content.size;
}

static void test_what_is_kept_comes_back(void **state) {
        (void)state;
        assert_int_equal(kept("a"), 0);
        assert_int_equal(replace("a", 700), 0);
        assert_int_equal(kept("a"), 700);
        assert_int_equal(replace("a", 30), 0);
        assert_int_equal(kept("a"), 30);
        assert_int_equal(replace("a", 0), 0);
        assert_int_equal(kept("a"), 0);
}

static void test_a_key_without_content_leaves_no_file(void **state) {
        (void)state;
        size_t before = count_files();
        for (int i = 0; i < 20; i++) {
                char key[16];
                snprintf(key, sizeof(key), "none-%i", i);
                assert_int_equal(kept(key), 0);
        }
        assert_int_equal(count_files(), before);
}

static void test_caps(void **state) {
        (void)state;
        assert_int_equal(replace("b", 1000), 0);
        assert_int_equal(replace("b", 1001), -EFBIG);
        assert_int_equal(kept("b"), 1000);
        assert_int_equal(replace("c", 1000), 0);
        assert_int_equal(replace("d", 500), 0);
        /* Its own old content does not count against it. */
        assert_int_equal(replace("b", 900), 0);
        assert_int_equal(replace("b", 0), 0);
        assert_int_equal(replace("c", 0), 0);
        assert_int_equal(replace("d", 0), 0);
}

/* Without room what was longest unused goes, but never what somebody has locked. */
static void test_the_oldest_unused_goes(void **state) {
        (void)state;
        assert_int_equal(replace("old", 1000), 0);
        usleep(20000);
        assert_int_equal(replace("older-but-used", 900), 0);
        usleep(20000);
        assert_int_equal(replace("new", 500), 0);
        usleep(20000);
        assert_int_equal(kept("older-but-used"), 900);
        assert_int_equal(replace("newest", 600), 0);
        assert_int_equal(kept("old"), 0);
        assert_int_equal(replace("newest", 1000), 0);
        usleep(20000);
        assert_int_equal(replace("more", 200), 0);
        assert_int_equal(kept("new"), 0);

        _cleanup_(storage_freep) Storage *in_use = open_key("older-but-used");
        _cleanup_text_ Text content = {};
        assert_int_equal(storage_lock(in_use, -EBADF, soon(), &content), 0);
        assert_int_equal(replace("x", 1000), 0);
        assert_int_equal(replace("y", 1000), 0);
        assert_int_equal(kept("newest"), 0);
        assert_int_equal(kept("more"), 0);
        in_use = storage_free(in_use);
        assert_int_equal(kept("older-but-used"), 900);

        static const char *const keys[] = { "older-but-used", "x", "y" };
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                assert_int_equal(replace(keys[i], 0), 0);
        assert_int_equal(count_files(), 0);
}

static void test_no_room_at_all(void **state) {
        (void)state;
        Storage *s = NULL;
        _cleanup_text_ Text content = {};

        assert_int_equal(storage_open(the_dir, "large", 1000, 10, &s), 0);
        assert_int_equal(storage_lock(s, -EBADF, soon(), &content), 0);
        text_append_string(&content, "eleven byte");
        assert_int_equal(storage_replace(s, &content), -EDQUOT);
        storage_free(s);
        assert_int_equal(count_files(), 0);
}

/* No key's text gets out of the directory, and no two keys share a file. */
static void test_any_key(void **state) {
        (void)state;
        static const char *const keys[] = { "..", ".", "../../etc/passwd", "/", "a/b", "a%2Fb", "A", "\n",
                "-", "\xff", "\xc3\xa9", "storage", " ", "x.tar", "x.tar.new", "*" };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                assert_int_equal(replace(keys[i], i + 1), 0);
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                assert_int_equal(kept(keys[i]), i + 1);
        assert_int_equal(count_files(), ELEMENTSOF(keys));
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                assert_int_equal(replace(keys[i], 0), 0);
        assert_int_equal(count_files(), 0);
}

static void test_long_and_empty_keys_are_refused(void **state) {
        (void)state;
        char key[400];
        Storage *s = NULL;

        memset(key, 'k', sizeof(key));
        key[sizeof(key) - 1] = 0;
        assert_int_equal(storage_open(the_dir, key, 1, 1, &s), -ENAMETOOLONG);
        assert_int_equal(storage_open(the_dir, "", 1, 1, &s), -ENAMETOOLONG);
        key[240] = 0;
        assert_int_equal(storage_open(the_dir, key, 1, 1, &s), 0);
        storage_free(s);
}

static void test_a_locked_key_is_waited_for(void **state) {
        (void)state;
        _cleanup_(storage_freep) Storage *first = open_key("lock"), *second = open_key("lock"),
                                         *other = open_key("o");
        _cleanup_text_ Text content = {};

        assert_int_equal(storage_lock(first, -EBADF, soon(), &content), 0);
        uint64_t began = now_monotonic();
        assert_int_equal(storage_lock(second, -EBADF, began + 100 * USEC_PER_MSEC, &content), -ETIMEDOUT);
        assert_true(now_monotonic() - began >= 100 * USEC_PER_MSEC);
        assert_int_equal(storage_lock(other, -EBADF, soon(), &content), 0);
}

/* The client's reset ends the waiting; its half-close does not. */
static void test_a_client_that_leaves_is_not_waited_for(void **state) {
        (void)state;
        _cleanup_(storage_freep) Storage *first = open_key("gone"), *second = open_key("gone");
        _cleanup_text_ Text content = {};
        int pair[2];

        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), errno);
        assert_int_equal(storage_lock(first, -EBADF, soon(), &content), 0);
        shutdown(pair[1], SHUT_WR);
        assert_int_equal(
                storage_lock(second, pair[0], now_monotonic() + 50 * USEC_PER_MSEC, &content), -ETIMEDOUT);
        close(pair[1]);
        assert_int_equal(
                storage_lock(second, pair[0], now_monotonic() + 5 * USEC_PER_SEC, &content), -ECANCELED);
        close(pair[0]);
}

/* Many processes that each add a byte: none is lost. */
static void test_one_after_the_other(void **state) {
        (void)state;
        pid_t children[8];

        for (size_t i = 0; i < ELEMENTSOF(children); i++) {
                children[i] = fork();
                if (children[i] != 0)
                        continue;
                for (int n = 0; n < 5; n++) {
                        _cleanup_(storage_freep) Storage *s = NULL;
                        _cleanup_text_ Text content = {};
                        if (storage_open(the_dir, "count", 1000, 5000, &s) < 0 ||
                                storage_lock(s, -EBADF, now_monotonic() + 20 * USEC_PER_SEC, &content) < 0)
                                _exit(1);
                        text_append_char(&content, 'x');
                        if (storage_replace(s, &content) < 0)
                                _exit(1);
                }
                _exit(0);
        }
        for (size_t i = 0; i < ELEMENTSOF(children); i++) {
                int status;
                assert_int_equal(waitpid(children[i], &status, 0), children[i]);
                assert_int_equal(status, 0);
        }
        assert_int_equal(kept("count"), 40);
}

/* A write that fails half-way, as on a full disk, leaves the old content. */
static void test_a_failed_write_keeps_the_old(void **state) {
        (void)state;
        assert_int_equal(replace("full", 50), 0);
        pid_t pid = fork();
        if (pid == 0) {
                const struct rlimit limit = { 100, 100 };
                signal(SIGXFSZ, SIG_IGN);
                setrlimit(RLIMIT_FSIZE, &limit);
                _exit(replace("full", 900) == -EFBIG ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(kept("full"), 50);
        assert_int_equal(replace("full", 0), 0);
}

/* A symlink in the directory is not followed, whoever made it. */
static void test_a_symlink_is_not_followed(void **state) {
        (void)state;
        _cleanup_(storage_freep) Storage *s = open_key("link");
        _cleanup_text_ Text content = {};
        char path[80];

        snprintf(path, sizeof(path), "%s/storage/link.tar", the_dir);
        assert_return_code(symlink("/etc/passwd", path), errno);
        assert_int_equal(storage_lock(s, -EBADF, soon(), &content), -ELOOP);
        unlink(path);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_kept_comes_back),
                cmocka_unit_test(test_a_key_without_content_leaves_no_file),
                cmocka_unit_test(test_caps),
                cmocka_unit_test(test_the_oldest_unused_goes),
                cmocka_unit_test(test_no_room_at_all),
                cmocka_unit_test(test_any_key),
                cmocka_unit_test(test_long_and_empty_keys_are_refused),
                cmocka_unit_test(test_a_locked_key_is_waited_for),
                cmocka_unit_test(test_a_client_that_leaves_is_not_waited_for),
                cmocka_unit_test(test_one_after_the_other),
                cmocka_unit_test(test_a_failed_write_keeps_the_old),
                cmocka_unit_test(test_a_symlink_is_not_followed),
        };
        return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
