/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The program becomes a QEMU that has what the definition says. Usage: test-qemu-run PBOTVM-QEMU QEMU */

#include "../qmp/loop.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/io.h"
#include "qemu/template.h"

#define SECOND USEC_PER_SEC

static const char *program, *emulator;

typedef struct Machine {
        Told told;
        pid_t pid;
        char folder[40], definitions[60], templates[70], run[60], sockets[70], monitor[80];
} Machine;

static void write_file(Machine *m, const char *name, const char *text) {
        char path[100];

        snprintf(path, sizeof(path), "%s/%s", m->folder, name);
        assert_int_equal(io_write_file(path, text, strlen(text), 0600), 0);
}

/* members: more of the definition, with a comma behind. */
static void machine_define(Machine *m, const char *members) {
        _cleanup_text_ Text text = {};

        *m = (Machine){ .folder = "/tmp/pbotvm-run-XXXXXX" };
        told_setup(&m->told);
        assert_non_null(mkdtemp(m->folder));
        snprintf(m->definitions, sizeof(m->definitions), "--definitions=%s", m->folder);
        snprintf(m->templates, sizeof(m->templates), "--templates=%s/none", m->folder);
        snprintf(m->run, sizeof(m->run), "--run=%s", m->folder);
        snprintf(m->sockets, sizeof(m->sockets), "%s/vm", m->folder);
        snprintf(m->monitor, sizeof(m->monitor), "%s/monitor", m->sockets);
        assert_return_code(mkdir(m->sockets, 0700), errno);
        write_file(m, "disk", "nothing that boots");
        text_append_printf(&text,
                "{ \"emulator\": \"%s\", \"accelerator\": \"tcg\", \"memory\": 67108864, %s\n"
                "\"disk\": { \"file\": \"%s/disk\", \"format\": \"raw\" } }",
                emulator, members, m->folder);
        write_file(m, "vm.json", text_string(&text));
}

static void machine_execute(Machine *m) {
        m->pid = fork();
        if (m->pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                execl(program, program, m->definitions, m->templates, m->run, "vm", NULL);
                _exit(127);
        }
        assert_true(m->pid > 0);
}

static void machine_start(Machine *m, const char *members) {
        machine_define(m, members);
        machine_execute(m);
}

static void machine_connect(Machine *m) {
        QmpHooks hooks = told_hooks;
        int r = -ENOENT;

        hooks.userdata = &m->told;
        told_until(&m->told, (r = qmp_connect(m->told.event, m->monitor, &hooks, &m->told.qmp)) >= 0 ||
                                     waitpid(m->pid, NULL, WNOHANG) != 0);
        assert_int_equal(r, 0);
        told_until(&m->told, m->told.ready == 1);
}

static void machine_done(Machine *m) {
        char command[80];

        kill(m->pid, SIGKILL);
        (void)waitpid(m->pid, NULL, 0);
        told_done(&m->told);
        snprintf(command, sizeof(command), "rm -rf %s", m->folder);
        assert_int_equal(system(command), 0);
}

static unsigned status_number(pid_t pid, const char *key) {
        _cleanup_text_ Text text = {};
        char path[40];

        snprintf(path, sizeof(path), "/proc/%i/status", (int)pid);
        assert_int_equal(io_read_file(AT_FDCWD, path, 1 << 16, &text), 0);
        const char *line = strstr(text_string(&text), key);
        assert_non_null(line);
        return (unsigned)atoi(line + strlen(key));
}

static void test_least(void **state) {
        (void)state;
        static const char *const sockets[] = { "data", "heart", "console" };
        _cleanup_(machine_done) Machine m;
        struct stat st;

        machine_start(&m, "");
        machine_connect(&m);
        assert_int_equal(told_call(&m.told, 'a', "query-status", NULL, -1, 10 * SECOND), 0);
        told_until(&m.told, m.told.ends.size > 0);
        assert_string_equal(m.told.value, "running");
        for (size_t i = 0; i < ELEMENTSOF(sockets); i++) {
                char path[100];
                snprintf(path, sizeof(path), "%s/%s", m.sockets, sockets[i]);
                assert_return_code(stat(path, &st), errno);
                assert_true(S_ISSOCK(st.st_mode));
        }
        assert_int_equal(status_number(m.pid, "\nNoNewPrivs:\t"), 1);
        /* Ours and QEMU's own. */
        assert_in_range(status_number(m.pid, "\nSeccomp_filters:\t"), 2, 100);
}

static void test_all(void **state) {
        (void)state;
        _cleanup_(machine_done) Machine m;

        machine_start(&m,
                "\"machine\": \"q35\", \"processors\": 2, \"cpu\": \"qemu64\", \"network\": \"user\", "
                "\"random-bytes-per-second\": 0,");
        machine_connect(&m);
        assert_int_equal(told_call(&m.told, 'a', "qom-get", "{\"path\":\"/machine\",\"property\":\"type\"}",
                                 -1, 10 * SECOND),
                0);
        told_until(&m.told, m.told.ends.size > 0);
        assert_non_null(startswith(m.told.value, "pc-q35-"));
}

static int ended(Machine *m) {
        int status;

        assert_int_equal(waitpid(m->pid, &status, 0), m->pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void test_mistake(void **state) {
        (void)state;
        _cleanup_(machine_done) Machine m;

        machine_start(&m, "\"processors\": 0,");
        assert_int_equal(ended(&m), EXIT_FAILURE);
}

static void test_no_emulator(void **state) {
        (void)state;
        _cleanup_(machine_done) Machine m;
        const char *before = emulator;

        emulator = "/nowhere/qemu";
        machine_start(&m, "");
        emulator = before;
        assert_int_equal(ended(&m), EXIT_FAILURE);
}

static void make_template(Machine *m, const char *disk) {
        const Passport passport = { .emulator = "9.0.0", .machine = "pc-i440fx-9.0" };
        _cleanup_(qemu_definition_freep) QemuDefinition *definition = NULL;
        _cleanup_text_ Text errors = {};
        char path[100];

        snprintf(path, sizeof(path), "%s/none", m->folder);
        assert_return_code(mkdir(path, 0700), errno);
        snprintf(path, sizeof(path), "%s/none/vm", m->folder);
        assert_return_code(mkdir(path, 0700), errno);
        assert_int_equal(qemu_definition_load(m->folder, "vm", &definition, &errors), 0);
        assert_int_equal(qemu_template_sign(path, definition, &passport), 0);
        write_file(m, "none/vm/disk.qcow2", disk);
}

/* A new template takes the place of the one that was looked at before QEMU has opened it. */
static void test_exchange(void **state) {
        (void)state;
        static const char script[] =
                "#!/bin/sh\n"
                "cd \"${0%/*}/none\" && mv vm old && mkdir vm && echo new >vm/disk.qcow2\n"
                "for a; do case $a in *disk.qcow2*) a=${a#*file=}; read -r disk <\"${a%%,*}\"; esac; done\n"
                "echo \"$disk\" >../opened\n";
        _cleanup_(machine_done) Machine m;
        _cleanup_text_ Text opened = {};
        _cleanup_text_ Text text = {};
        char path[100];

        machine_define(&m, "");
        snprintf(path, sizeof(path), "%s/qemu", m.folder);
        write_file(&m, "qemu", script);
        assert_return_code(chmod(path, 0700), errno);
        text_append_printf(&text, "{ \"emulator\": \"%s\", \"disk\": { \"file\": \"/d\" } }", path);
        write_file(&m, "vm.json", text_string(&text));
        make_template(&m, "looked at\n");
        machine_execute(&m);
        assert_int_equal(ended(&m), EXIT_SUCCESS);
        snprintf(path, sizeof(path), "%s/opened", m.folder);
        assert_int_equal(io_read_file(AT_FDCWD, path, 100, &opened), 0);
        assert_string_equal(text_string(&opened), "looked at\n");
}

int main(int argc, char *argv[]) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_least),
                cmocka_unit_test(test_all),
                cmocka_unit_test(test_mistake),
                cmocka_unit_test(test_no_emulator),
                cmocka_unit_test(test_exchange),
        };

        if (argc != 3)
                return EXIT_FAILURE;
        program = argv[1];
        emulator = argv[2];
        return cmocka_run_group_tests(tests, NULL, NULL);
}
