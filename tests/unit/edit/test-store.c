/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is on the disk: names, caps, torn files, a full disk, many at once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/io.h"
#include "common/utf8.h"
#include "edit/code-list.h"
#include "edit/sha256.h"

static char directory[] = "/tmp/test-store-XXXXXX";

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

static int set_up(void **state) {
        (void)state;
        (void)strcpy(directory, "/tmp/test-store-XXXXXX");
        return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state) {
        (void)state;
        return nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static History *open_history(uint64_t max_file, uint64_t max_total) {
        History *history;

        assert_int_equal(history_open(directory, max_file, max_total, &history), 0);
        return history;
}

static void apply(History *history, const char *channel, const char *code, const char *expected) {
        _cleanup_(edit_done) Edit edit = {};

        assert_int_equal(edit_apply(history, channel, "sh", code, strlen(code), true, &edit), 0);
        assert_string_equal(text_string(&edit.text), expected);
}

static void write_file(const char *name, const char *content, size_t size) {
        _cleanup_free_ char *path = NULL;

        assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, content, size), size);
}

static size_t read_file(const char *name, Text *content) {
        _cleanup_free_ char *path = NULL;

        text_clear(content);
        assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
        assert_int_equal(io_read_file(AT_FDCWD, path, 64 << 20, content), 0);
        return content->size;
}

static void test_sha256(void **state) {
        static const char *const texts[] = { "", "abc",
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq" };
        static const char *const digests[] = {
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                uint8_t digest[SHA256_SIZE];
                char hex[2 * SHA256_SIZE + 1];
                Sha256 hash;

                sha256_begin(&hash);
                for (const char *p = texts[i]; *p; p++)
                        sha256_add(&hash, p, 1);
                sha256_end(&hash, digest);
                for (size_t j = 0; j < SHA256_SIZE; j++)
                        (void)sprintf(hex + 2 * j, "%02x", (unsigned)digest[j]);
                assert_string_equal(hex, digests[i]);
        }
}

static void test_names(void **state) {
        char long_a[301], long_b[301], name[NAME_MAX + 1];
        const struct {
                const char *channel, *language, *wanted; /* what the name begins with */
        } pairs[] = {
                { "#c", "sh", "#c@sh" },
                { "#c", "sh.hist" },
                { "#c@sh", "" },
                { "#c-sh", "" },
                { "", "#c-sh" },
                { "#c/../x", "sh" },
                { "..", "sh", "%2E.@sh" },
                { "/", "/" },
                { ".new-a", "sh" },
                { "#c%40sh", "" },
                { "a\xC3\xA9\n\x01", "c++", "a%C3%A9%0A%01@c++" },
                { "#C", "sh" },
                { long_a, "sh" },
                { long_b, "sh" },
                { long_a, "s", "%" },
                { "sh", long_a },
                { "a", "b@c" },
                { "a@b", "c" },
        };
        _cleanup_text_ Text seen = {};

        (void)state;
        memset(long_a, 'a', sizeof(long_a));
        long_a[300] = '\0';
        memcpy(long_b, long_a, sizeof(long_b));
        long_b[299] = 'b';
        for (size_t i = 0; i < ELEMENTSOF(pairs); i++) {
                _cleanup_free_ char *line = NULL;
                store_name(pairs[i].channel, pairs[i].language, STORE_OUTPUT, name);
                assert_true(strlen(name) + strlen(".new-") <= NAME_MAX);
                assert_null(strchr(name, '/'));
                assert_int_not_equal(name[0], '.');
                if (pairs[i].wanted)
                        assert_memory_equal(name, pairs[i].wanted, strlen(pairs[i].wanted));
                assert_true(asprintf(&line, "\n%s\n", name) > 0);
                assert_null(strstr(text_string(&seen), line));
                text_append_string(&seen, line);
        }
}

/* No path gets out of the directory, whatever names say. */
static void test_no_escape(void **state) {
        _cleanup_(history_freep) History *history = open_history(1 << 20, 16 << 20);
        struct stat before, after;
        _cleanup_free_ char *parent = NULL;

        (void)state;
        assert_true(asprintf(&parent, "%s/..", directory) > 0);
        apply(history, "../../x", "echo a", "echo a");
        apply(history, "../../x", "show", "echo a");
        apply(history, "#other", "copy ../../x", "echo a");
        apply(history, "#other", "show /etc/passwd", "No recent code to show.");
        apply(history, "#other", "copy ../../../../../etc/passwd",
                "No history for ../../../../../etc/passwd.");
        assert_int_equal(history_output(history, "../../x", "../y", "a", 1, true, 1), 0);
        assert_int_equal(stat(directory, &before), 0);
        assert_int_equal(stat(parent, &after), 0);
        assert_int_not_equal(access("/tmp/x@sh.hist", F_OK), 0);
}

static void test_lines(void **state) {
        static const char content[] =
                "plain one\n\n{\"code\":\"a\\nb\"}\n{\"other\":1}\n\0\0\0\n{\"code\":\"\\u00e9\"}\n"
                "bad \xFF utf\n{\"code\":\"torn";
        static const char *const codes[] = { "bad \xEF\xBF\xBD utf", "\xC3\xA9", "{\"other\":1}", "a\nb",
                "plain one" };
        _cleanup_(history_freep) History *history = open_history(1 << 20, 16 << 20);
        _cleanup_code_list_ CodeList list = CODE_LIST_INIT;
        _cleanup_text_ Text code = {}, after = {};

        (void)state;
        write_file("#c@sh.hist", content, sizeof(content) - 1);
        assert_int_equal(code_list_open(history, "#c", "sh", true, &list), 0);
        assert_int_equal(list.n, ELEMENTSOF(codes));
        for (size_t i = 0; i < ELEMENTSOF(codes); i++) {
                assert_int_equal(code_list_get(&list, i, &code), 1);
                assert_string_equal(text_string(&code), codes[i]);
        }
        assert_int_equal(code_list_get(&list, ELEMENTSOF(codes), &code), 0);
        code_list_done(&list);

        /* what is appended does not run into the torn line */
        apply(history, "#c", "echo new", "echo new");
        apply(history, "#c", "show", "echo new");
        apply(history, "#c", "undo", "bad \xEF\xBF\xBD utf");
        read_file("#c@sh.hist", &after);
        assert_null(strstr(after.data, "torn"));
}

static void test_plain_last_line(void **state) {
        _cleanup_(history_freep) History *history = open_history(1 << 20, 16 << 20);
        static const char content[] = "no newline";

        (void)state;
        write_file("#c@sh.hist", content, strlen(content));
        apply(history, "#c", "append 'x'", "no newline x");
        apply(history, "#c", "undo", "no newline");
}

static void test_file_cap(void **state) {
        _cleanup_(history_freep) History *history = open_history(1000, 16 << 20);
        _cleanup_text_ Text content = {};
        char code[32];

        (void)state;
        for (unsigned i = 0; i < 200; i++) {
                (void)snprintf(code, sizeof(code), "echo %u", i);
                apply(history, "#c", code, code);
                assert_true(read_file("#c@sh.hist", &content) <= 1000);
        }
        apply(history, "#c", "show", "echo 199");
        apply(history, "#c", "undo undo undo undo undo", "echo 194");
        apply(history, "#c", "s/194/x/", "echo x");

        _cleanup_text_ Text large = {};
        for (unsigned i = 0; i < 2000; i++)
                text_append_char(&large, 'a');
        apply(history, "#c", text_string(&large), text_string(&large)); /* runs, but is not kept */
        apply(history, "#c", "show", "echo x");
}

static uint64_t directory_size(unsigned *ret_files) {
        uint64_t total = 0;
        DIR *dir = opendir(directory);

        *ret_files = 0;
        assert_non_null(dir);
        for (struct dirent *d; (d = readdir(dir));) {
                struct stat st;
                if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode)) {
                        total += (uint64_t)st.st_blocks * 512;
                        ++*ret_files;
                }
        }
        closedir(dir);
        return total;
}

static void test_total_cap(void **state) {
        _cleanup_(history_freep) History *history = open_history(1 << 20, 256 << 10);
        _cleanup_text_ Text content = {};
        char channel[32];
        unsigned files;

        (void)state;
        write_file("others", "x", 1);
        for (unsigned i = 0; i < 300; i++) {
                (void)snprintf(channel, sizeof(channel), "#c%u", i);
                apply(history, channel, "echo a", "echo a");
                assert_int_equal(history_output(history, channel, "sh", "output", 6, true, 1), 0);
                assert_true(directory_size(&files) <= (256 << 10) + (8 << 10));
        }
        assert_true(files > 10);
        read_file("others", &content); /* is left alone */
        apply(history, "#c299", "show", "echo a");
        apply(history, "#c0", "show", "No recent code to show.");
}

/* Those that were emptied count too: there may be as many as names of channels. */
static void test_emptied_files_are_capped(void **state) {
        _cleanup_(history_freep) History *history = open_history(1 << 20, 256 << 10);
        char channel[32];
        unsigned files;

        (void)state;
        for (unsigned i = 0; i < 300; i++) {
                (void)snprintf(channel, sizeof(channel), "#c%u", i);
                apply(history, channel, "echo a", "echo a");
                apply(history, channel, "undo", "No recent code to show.");
        }
        (void)directory_size(&files);
        assert_true(files < 100);
}

/* A limit on the size of files stands for the full disk: a write takes a part and then fails. */
static void test_full_disk(void **state) {
        _cleanup_(history_freep) History *history = open_history(1 << 20, 16 << 20);
        _cleanup_text_ Text code = {}, content = {};
        struct rlimit old, limit;

        (void)state;
        apply(history, "#c", "echo a", "echo a");
        size_t size = read_file("#c@sh.hist", &content);
        for (unsigned i = 0; i < 1000; i++)
                text_append_char(&code, 'x');

        (void)signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
        limit = old;
        limit.rlim_cur = 100;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        apply(history, "#c", code.data, code.data);
        apply(history, "#c", "s/a/b/", "echo b");
        apply(history, "#c",
                "append 'a text that is far too long for the little room that is left on this disk'",
                "echo b a text that is far too long for the little room that is left on this disk");
        assert_int_equal(history_output(history, "#c", "sh", code.data, code.size, true, 1), 0);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);

        assert_true(read_file("#c@sh.hist", &content) > size);
        assert_int_equal(content.data[content.size - 1], '\n');
        apply(history, "#c", "show", "echo b");
        assert_int_equal(read_file("#c@sh.last-output", &content), 0);
}

static void test_no_directory(void **state) {
        _cleanup_(history_freep) History *history = NULL;

        (void)state;
        assert_true(history_open("/dev/null/history", 1 << 20, 16 << 20, &history) < 0);
        assert_true(history_fd(history) < 0);
        apply(history, "#c", "echo a", "echo a");
        apply(history, "#c", "show", "No recent code to show.");
        apply(history, "#c", "copy x", "No history for x.");
        assert_int_equal(history_output(history, "#c", "sh", "a", 1, true, 1), 0);
        history = history_free(history);

        assert_int_equal(history_open(NULL, 0, 0, &history), 0);
        apply(history, "#c", "echo a", "echo a");
        apply(history, "#c", "run", "No recent code to run.");
        assert_int_equal(history_output(history, "#c", "sh", "a", 1, true, 1), 0);
}

static void test_lock_is_not_waited_for_for_ever(void **state) {
        _cleanup_(history_freep) History *history = open_history(1 << 20, 16 << 20);
        _cleanup_free_ char *path = NULL;

        (void)state;
        apply(history, "#c", "echo a", "echo a");
        assert_true(asprintf(&path, "%s/#c@sh.hist", directory) > 0);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(flock(fd, LOCK_EX), 0);
        uint64_t start = now_monotonic();
        apply(history, "#c", "echo b", "echo b");
        assert_true(now_monotonic() - start < 3 * USEC_PER_SEC);
        assert_int_equal(flock(fd, LOCK_UN), 0);
        apply(history, "#c", "show", "echo a");
}

static void push_many(unsigned writer, unsigned n, uint64_t max_file) {
        _cleanup_(history_freep) History *history = open_history(max_file, 16 << 20);
        char code[64];

        for (unsigned i = 0; i < n; i++) {
                (void)snprintf(code, sizeof(code), "echo %u-%u", writer, i);
                apply(history, "#c", code, code);
        }
}

static unsigned count_after_many(unsigned writers, unsigned n, uint64_t max_file) {
        _cleanup_code_list_ CodeList list = CODE_LIST_INIT;
        _cleanup_text_ Text code = {};

        for (unsigned i = 0; i < writers; i++) {
                pid_t pid = fork();
                assert_true(pid >= 0);
                if (pid == 0) {
                        push_many(i, n, max_file);
                        _exit(0);
                }
        }
        for (unsigned i = 0; i < writers; i++) {
                int status;
                assert_true(wait(&status) > 0);
                assert_int_equal(status, 0);
        }

        _cleanup_(history_freep) History *history = open_history(max_file, 16 << 20);
        assert_int_equal(code_list_open(history, "#c", "sh", true, &list), 0);
        assert_true(list.content.size <= max_file);
        for (size_t i = 0; i < list.n; i++) {
                assert_int_equal(code_list_get(&list, i, &code), 1);
                assert_non_null(startswith(text_string(&code), "echo "));
        }
        return (unsigned)list.n;
}

static void test_many_at_once(void **state) {
        (void)state;
        assert_int_equal(count_after_many(6, 50, 1 << 20), 300);
}

/* The same while the file is replaced by its successor again and again. */
static void test_many_at_once_at_the_cap(void **state) {
        (void)state;
        assert_true(count_after_many(6, 200, 2000) > 40);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sha256),
                cmocka_unit_test(test_names),
                cmocka_unit_test_setup_teardown(test_no_escape, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_lines, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_plain_last_line, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_file_cap, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_total_cap, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_emptied_files_are_capped, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
                cmocka_unit_test(test_no_directory),
                cmocka_unit_test_setup_teardown(test_lock_is_not_waited_for_for_ever, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_many_at_once, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_many_at_once_at_the_cap, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
