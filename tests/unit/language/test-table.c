/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "examples.h"

#include <sys/stat.h>

#include "language/table.h"

#define DATA_DIR SOURCE_DIR "/src/language/data"

static const char *const shipped[] = { DATA_DIR, NULL };

static const char listed[] =
        "bash, bc, bf, c11, c2x, c89, c99, clang, clang11, clang2x, clang89, clang99, clang++, clisp, c++, "
        "freebasic, go, haskell, java, javascript, ksh, lua, perl, php, python, python3, qbasic, ruby, "
        "scheme, sh, tcl, tendra, zsh";

/* Every reading of a file, counted: the linker sends the library's calls here. */
static unsigned n_reads;
int __real_io_read_file(int dir_fd, const char *path, size_t max, Text *text);
int __wrap_io_read_file(int dir_fd, const char *path, size_t max, Text *text);
int __wrap_io_read_file(int dir_fd, const char *path, size_t max, Text *text) {
        int r = __real_io_read_file(dir_fd, path, max, text);
        n_reads += r >= 0;
        return r;
}

static Language *open_shipped(const char *name) {
        _cleanup_text_ Text errors = {};
        Language *language = NULL;
        int r = language_open(shipped, name, &language, &errors);
        if (r < 0)
                print_error("%s: %s", name, text_string(&errors));
        assert_int_equal(r, 0);
        return language;
}

static void test_all_are_listed(void **state) {
        _cleanup_(language_freep) Language *language = NULL;
        _cleanup_text_ Text list = {};
        (void)state;

        assert_int_equal(language_search(shipped, "?", &language, &list), 0);
        assert_text(&list, listed);
}

/* By the shown name too, each with as few readings as can be. */
static void test_all_open_by_shown_name(void **state) {
        _cleanup_free_ char *names = strdup(listed);
        unsigned n = 0;
        (void)state;

        for (char *save, *name = strtok_r(names, ", ", &save); name;
                name = strtok_r(NULL, ", ", &save), n++) {
                n_reads = 0;
                _cleanup_(language_freep) Language *language = open_shipped(name);
                assert_string_equal(language->name, name);
                assert_true(n_reads >= 1 && n_reads <= 3);
                assert_true(*language->source_file && *language->exec_file);
                assert_non_null(strstr(language->command, "$sourcefile"));
                assert_non_null(strstr(language->command, "$options"));
        }
        assert_int_equal(n, 33);
}

static void test_sh_opens_two_files(void **state) {
        (void)state;
        n_reads = 0;
        _cleanup_(language_freep) Language *language = open_shipped("sh");
        assert_int_equal(n_reads, 2);
        assert_null(language->rewrites);
        assert_int_equal(language->snippet, SNIPPET_NONE);
        assert_string_equal(language->comments.command_open, ": <<'CMDLINE'\n");
}

static void test_like_takes_the_rest(void **state) {
        _cleanup_(language_freep) Language *clang = open_shipped("clang");
        _cleanup_(language_freep) Language *clang2x = open_shipped("clang2x");
        _cleanup_(language_freep) Language *cpp = open_shipped("cpp");
        _cleanup_(language_freep) Language *clangpp = open_shipped("clangpp");
        (void)state;

        assert_string_equal(clang->name, "clang");
        assert_string_equal(clang->command, clang2x->command);
        assert_string_equal(clang->prelude, clang2x->prelude);
        assert_string_equal(clang->rewrites[0], "c-family");
        assert_string_equal(clangpp->prelude, cpp->prelude);
        assert_string_not_equal(clangpp->command, cpp->command);
}

static void test_specials(void **state) {
        (void)state;
        _cleanup_(language_freep) Language *bc = open_shipped("bc"), *clisp = open_shipped("clisp"),
                                           *c89 = open_shipped("c89"), *tendra = open_shipped("tendra"),
                                           *java = open_shipped("java");
        assert_false(bc->escapes);
        assert_string_equal(bc->append, "\nquit\n");
        assert_string_equal(clisp->option, "--?[A-Za-z]\\S*");
        assert_false(c89->line_comments);
        assert_true(c89->show_last_statement);
        assert_false(tendra->show_last_statement);
        assert_string_equal(tendra->rewrites[1], "tendra");
        assert_int_equal(java->snippet, SNIPPET_JAVA);
        assert_string_equal(java->prelude, "import java.lang.*;\nimport java.util.*;\n\n");
        assert_string_equal(java->comments.output_close, "************** OUTPUT *************/\n");
}

static void test_names_that_are_no_file_names(void **state) {
        static const char *const names[] = { "", ".", "..", "_default", "../data/sh", "/etc/passwd", ".sh",
                "sh/", "SH", " sh ", "sh.json",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_text_ Text errors = {};
                Language *language = NULL;
                assert_int_equal(language_open(shipped, names[i], &language, &errors), -ENOENT);
                assert_int_equal(errors.size, 0);
        }
}

/* An operator's folder before the shipped one. */
typedef struct Local {
        char path[32];
        const char *directories[3];
} Local;

static void local_init(Local *local) {
        strcpy(local->path, "/tmp/languages.XXXXXX");
        assert_non_null(mkdtemp(local->path));
        local->directories[0] = local->path;
        local->directories[1] = DATA_DIR;
        local->directories[2] = NULL;
}

static void local_done(Local *local) {
        static const char *const files[] = { "sh.json", "c17.json", "python3.json", "fsharp.json", "py.json",
                "_x.json", "notes.txt", "lua.json", "a.json", "b.json" };
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_free_ char *path = NULL;
                assert_true(asprintf(&path, "%s/%s", local->path, files[i]) > 0);
                (void)unlink(path);
        }
        assert_int_equal(rmdir(local->path), 0);
}

static void local_write(const Local *local, const char *file, const char *content) {
        _cleanup_free_ char *path = NULL;
        assert_true(asprintf(&path, "%s/%s", local->path, file) > 0);
        FILE *f = fopen(path, "we");
        assert_non_null(f);
        assert_true(fputs(content, f) >= 0);
        assert_int_equal(fclose(f), 0);
}

static void test_an_override_says_only_what_differs(void **state) {
        _cleanup_(local_done) Local local;
        _cleanup_(language_freep) Language *sh = NULL, *c17 = NULL;
        _cleanup_text_ Text errors = {};
        (void)state;

        local_init(&local);
        local_write(&local, "sh.json", "// ours\n{ \"like\": \"sh\", \"options\": \"-e\" }\n");
        local_write(
                &local, "c17.json", "{ \"like\": \"c11\", \"name\": \"c17\", \"options\": \"-std=c17\" }");
        assert_int_equal(language_open(local.directories, "sh", &sh, &errors), 0);
        assert_string_equal(sh->options, "-e");
        assert_string_equal(sh->command, "sh $options $sourcefile");
        assert_int_equal(language_open(local.directories, "c17", &c17, &errors), 0);
        assert_string_equal(c17->name, "c17");
        assert_non_null(strstr(c17->prelude, "#include <uchar.h>\n"));
}

static void test_new_names_are_found(void **state) {
        static const char fsharp[] =
                "{ \"name\": \"f#\", \"aliases\": [\"fs\"], \"source\": \"prog.fs\","
                " \"executable\": \"prog\", \"command\": \"fsi $options $sourcefile\" }";
        static const char *const words[] = { "f#", "fs" };
        _cleanup_(local_done) Local local;
        (void)state;

        local_init(&local);
        local_write(&local, "fsharp.json", fsharp);
        local_write(&local, "_x.json", "{ \"like\": \"sh\" }");
        local_write(&local, "notes.txt", "broken");
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                _cleanup_(language_freep) Language *language = NULL;
                _cleanup_text_ Text list = {}, errors = {};
                assert_int_equal(language_open(local.directories, words[i], &language, &errors), -ENOENT);
                assert_int_equal(language_search(local.directories, words[i], &language, &list), 1);
                assert_string_equal(language->source_file, "prog.fs");
        }

        _cleanup_(language_freep) Language *none = NULL;
        _cleanup_text_ Text list = {}, errors = {};
        assert_int_equal(language_open(local.directories, "_x", &none, &errors), -ENOENT);
        assert_int_equal(language_search(local.directories, "?", &none, &list), 0);
        assert_non_null(strstr(text_string(&list), "freebasic, f#, go"));
}

static void test_likes_end(void **state) {
        _cleanup_(local_done) Local local;
        _cleanup_text_ Text errors = {};
        Language *none = NULL;
        (void)state;

        local_init(&local);
        local_write(&local, "a.json", "{ \"like\": \"b\" }");
        local_write(&local, "b.json", "{ \"like\": \"a\" }");
        assert_int_equal(language_open(local.directories, "a", &none, &errors), -EINVAL);
        assert_non_null(strstr(text_string(&errors), "b.json:1: like: more than 6 files"));
}

static void test_a_link_is_another_name(void **state) {
        _cleanup_(local_done) Local local;
        _cleanup_(language_freep) Language *language = NULL, *none = NULL;
        _cleanup_text_ Text list = {}, errors = {};
        _cleanup_free_ char *link = NULL;
        (void)state;

        local_init(&local);
        local_write(&local, "python3.json", "{ \"like\": \"python3\", \"options\": \"-B\" }");
        assert_true(asprintf(&link, "%s/py.json", local.path) > 0);
        assert_int_equal(symlink("python3.json", link), 0);
        assert_int_equal(language_open(local.directories, "py", &language, &errors), 0);
        assert_string_equal(language->options, "-B");
        assert_string_equal(language->command, "python3 $options $sourcefile");
        language = language_free(language);
        local_write(&local, "python3.json",
                "{ \"name\": \"python3\", \"source\": \"a\", \"executable\": \"a\", \"command\": \"x\" }");
        assert_int_equal(language_open(local.directories, "py", &language, &errors), 0);
        assert_string_equal(language->command, "x");
        assert_int_equal(language_search(local.directories, "?", &none, &list), 0);
        assert_text(&list, listed);
}

static void assert_mistakes(const char *content, const char *wanted) {
        _cleanup_(local_done) Local local;
        _cleanup_text_ Text errors = {}, list = {}, line = {};
        _cleanup_(language_freep) Language *language = NULL;

        local_init(&local);
        local_write(&local, "lua.json", content);
        assert_int_equal(language_open(local.directories, "lua", &language, &errors), -EINVAL);
        text_append_printf(&line, "%s/lua.json%s", local.path, wanted);
        if (!strstr(text_string(&errors), text_string(&line)))
                print_error("wanted %s\ngot %s", text_string(&line), text_string(&errors));
        assert_non_null(strstr(text_string(&errors), text_string(&line)));

        /* The others work, and are listed. */
        assert_int_equal(language_open(local.directories, "sh", &language, &errors), 0);
        _cleanup_(language_freep) Language *none = NULL;
        assert_int_equal(language_search(local.directories, "?", &none, &list), 0);
        assert_null(strstr(text_string(&list), "lua"));
        assert_non_null(strstr(text_string(&list), "ksh, perl"));
}

static void test_mistakes_name_file_line_and_member(void **state) {
        (void)setenv("PBOTVM_LOG", "stderr", 1);
        (void)state;
        assert_mistakes("{", ":1: ");
        assert_mistakes("[]", ":1: expected an object");
        assert_mistakes("{}", ":1: name: is missing\n");
        assert_mistakes("{\"like\": \"sh\",\n\"name\": 5}", ":2: name: expected a string, found a number\n");
        assert_mistakes("{\"like\": \"sh\",\n\n\"nane\": \"x\"}", ":3: nane: unknown member\n");
        assert_mistakes("{\"like\": \"nothere\"}", ":1: like: there is no language file nothere.json\n");
        assert_mistakes("{\"like\": \"../sh\"}", ":1: like: there is no language file ../sh.json\n");
        assert_mistakes("{\"like\": \"../_c\"}", ":1: like: there is no language file ../_c.json\n");
        assert_mistakes(
                "{\"like\": \"sh\", \"environment\": [\"=a\"]}", ":1: environment: expected NAME=value");
        assert_mistakes("{\"like\": \"sh\", \"syntax\": {}}", ":1: syntax: expected an array of at most 32");
        assert_mistakes(
                "{\"like\": \"sh\", \"syntax\": [{\"close\": \"a\"}]}", ":1: syntax: \"open\" is missing");
        assert_mistakes(
                "{\"like\": \"sh\", \"syntax\": [{\"open\": \"\"}]}", ":1: syntax: expected a string of");
        assert_mistakes("{\"like\": \"sh\", \"syntax\": [{\"open\": \"a\", \"escape\": \"bc\"}]}",
                ":1: syntax: expected one character");
        assert_mistakes("{\"like\": \"sh\", \"syntax\": [\n{\"open\": \"a\", \"at\": \"b\"}]}",
                ":2: syntax: expected \"line\"");
        assert_mistakes(
                "{\"like\": \"sh\", \"syntax\": [{\"open\": \"a\", \"form\": \"raw\", \"close\": \"b\"}]}",
                ":1: syntax: \"form\" has a \"close\" of its own");
        assert_mistakes(
                "{\"like\": \"sh\", \"syntax\": [{\"open\": \"a\", \"close\": \"b\", \"fill\": \"c\"}]}",
                ":1: syntax: \"fill\" needs two");
        assert_mistakes("{\"like\": \"sh\", \"syntax\": [{\"open\": \"a\", \"x\": 1}]}",
                ":1: syntax: has an unknown member");
        assert_mistakes("{\"like\": \"sh\", \"source\": \"a/b\"}", ":1: source: expected a file name");
        assert_mistakes("{\"like\": \"sh\", \"snippet\": \"d\"}", ":1: snippet: expected \"none\", \"c\"");
        assert_mistakes("{\"like\": \"sh\", \"prelude\": \"x\"}", ":1: prelude: expected an array of lines");
        assert_mistakes("{\"like\": \"sh\", \"rewrites\": [\"../x\"]}", ":1: rewrites: expected a name\n");
        assert_mistakes("{\"like\": \"sh\", \"escapes\": 1}", ":1: escapes: expected true or false");
        assert_mistakes("{\"like\": \"sh\", \"comments\": {\"a\": 1}}", ":1: comments.a: unknown member");
        assert_mistakes("{\"like\": \"sh\", \"append\": \"a\\u0000b\"}", ":1: append: may not hold a NUL");
        assert_mistakes("{\"name\": 1,\n\"command\": 2}", ":2: command: expected a string");
        assert_mistakes("{\"name\": 1,\n\"command\": 2}", ":1: name: expected a string");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_are_listed),
                cmocka_unit_test(test_all_open_by_shown_name),
                cmocka_unit_test(test_sh_opens_two_files),
                cmocka_unit_test(test_like_takes_the_rest),
                cmocka_unit_test(test_specials),
                cmocka_unit_test(test_names_that_are_no_file_names),
                cmocka_unit_test(test_an_override_says_only_what_differs),
                cmocka_unit_test(test_new_names_are_found),
                cmocka_unit_test(test_likes_end),
                cmocka_unit_test(test_a_link_is_another_name),
                cmocka_unit_test(test_mistakes_name_file_line_and_member),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
