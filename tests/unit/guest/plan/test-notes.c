/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/text.h"
#include "plan/notes.h"

static void streams_done(Parts streams[_NOTES_MAX]) {
        for (size_t i = 0; i < _NOTES_MAX; i++)
                parts_done(&streams[i]);
}

static void assert_noted(int fd, const char *out, const char *err) {
        Parts streams[_NOTES_MAX] = {};

        assert_int_equal(notes_read(fd, streams), 0);
        for (size_t i = 0; i < _NOTES_MAX; i++) {
                _cleanup_text_ Text text = {};

                for (size_t k = 0; k < streams[i].n; k++)
                        text_append_printf(&text, "%s%s %zu", k > 0 ? ", " : "",
                                who_name(streams[i].list[k].who), streams[i].list[k].size);
                assert_string_equal(text_string(&text), i == NOTES_OUT ? out : err);
        }
        streams_done(streams);
}

static void test_what_is_written_is_read(void **state _unused_) {
        _cleanup_close_ int fd = notes_make();
        NotesWriter writer;

        assert_noted(fd, "", "");
        notes_open(&writer, fd);
        assert_int_equal(writer.fd, fd);
        notes_add(&writer, NOTES_OUT, WHO_PROGRAM, 3);
        notes_add(&writer, NOTES_OUT, WHO_PROGRAM, 4);
        notes_add(&writer, NOTES_ERR, WHO_DEBUGGER, 0);
        notes_add(&writer, NOTES_ERR, WHO_DEBUGGER, 5);
        notes_add(&writer, NOTES_OUT, WHO_DEBUGGER, 1);
        notes_add(&writer, NOTES_ERR, WHO_DEBUGGER, 2);
        assert_noted(fd, "program 7, debugger 1", "debugger 7");
}

/* More than the file holds: what is not noted is nobody's, and the file does not grow. */
static void test_a_full_file(void **state _unused_) {
        _cleanup_close_ int fd = notes_make();
        Parts streams[_NOTES_MAX] = {};
        NotesWriter writer;
        off_t size = lseek(fd, 0, SEEK_END);

        notes_open(&writer, fd);
        for (size_t i = 0; i < 10000; i++)
                notes_add(&writer, NOTES_OUT, i % 2 ? WHO_PROGRAM : WHO_DEBUGGER, 1);
        assert_int_equal(lseek(fd, 0, SEEK_END), size);
        assert_int_equal(notes_read(fd, streams), 0);
        assert_true(streams[NOTES_OUT].n == PARTS_MAX && streams[NOTES_OUT].size <= 10000);
        streams_done(streams);
        assert_true(pwrite(fd, "x", 1, size) < 0);
}

/* The program can write to the file. */
static void test_a_file_of_nonsense(void **state _unused_) {
        static const struct {
                uint32_t key, unused;
                uint64_t size;
        } records[] = { { 1 + 2 * WHO_UNKNOWN, 0, 5 }, { UINT32_MAX, 0, 5 }, { 1, 0, UINT64_MAX } };

        for (size_t i = 0; i < ELEMENTSOF(records); i++) {
                _cleanup_close_ int fd = notes_make();
                NotesWriter writer;

                notes_open(&writer, fd);
                notes_add(&writer, NOTES_ERR, WHO_DEBUGGER, 3);
                assert_int_equal(
                        pwrite(fd, &records[i], sizeof(records[i]), sizeof(records[i])), sizeof(records[i]));
                assert_noted(fd, "", "debugger 3");
        }
}

static void test_no_such_file(void **state _unused_) {
        NotesWriter writer;
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        notes_open(&writer, null);
        assert_int_equal(writer.fd, -EBADF);
        notes_add(&writer, NOTES_OUT, WHO_PROGRAM, 3);
        fd_close(null);
        notes_open(&writer, null);
        assert_int_equal(writer.fd, -EBADF);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_written_is_read),
                cmocka_unit_test(test_a_full_file),
                cmocka_unit_test(test_a_file_of_nonsense),
                cmocka_unit_test(test_no_such_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
