/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmocka-all.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "write-rules.h"

static char inside[] = "/tmp/test-write-rules-XXXXXX";
static char outside[] = "./test-write-rules-XXXXXX";

/* The build folder may itself lie where writing is allowed; then there is no place to test with. */
static bool outside_is_outside(void) {
        char *cwd = getcwd(NULL, 0);
        bool is = cwd && !startswith(cwd, "/tmp") && !startswith(cwd, "/home") &&
                  !startswith(cwd, "/var/tmp") && !startswith(cwd, "/dev");

        free(cwd);
        return is;
}

static int create(const char *folder) {
        char path[100];

        snprintf(path, sizeof(path), "%s/new", folder);
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        return fd < 0 ? errno : 0;
}

static int move(void) {
        char from[100], to[100];

        snprintf(from, sizeof(from), "%s/new", inside);
        snprintf(to, sizeof(to), "%s/d/moved", inside);
        return rename(from, to) < 0 ? errno : 0;
}

static void test_only_private_places(_unused_ void **state) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || write_rules_apply() < 0)
                        _exit(1);
                if (outside_is_outside() && create(outside) != EACCES)
                        _exit(2);
                if (create("/usr") != EACCES)
                        _exit(3);
                if (create(inside) != 0)
                        _exit(4);
                if (move() != 0)
                        _exit(5);
                if (open("/dev/null", O_WRONLY) < 0 || open("/etc/passwd", O_RDONLY) < 0)
                        _exit(6);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static int setup(_unused_ void **state) {
        char path[100];

        if (!mkdtemp(inside) || !mkdtemp(outside))
                return -1;
        snprintf(path, sizeof(path), "%s/d", inside);
        return mkdir(path, 0700);
}

static int teardown(_unused_ void **state) {
        char command[200];

        snprintf(command, sizeof(command), "rm -rf %s %s", inside, outside);
        return system(command);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_only_private_places) };

        /* Without Landlock the agent mounts the root read only instead. */
        if (!write_rules_available()) {
                puts("This kernel has no Landlock: nothing to test here.");
                return 0;
        }
        return cmocka_run_group_tests(tests, setup, teardown);
}
