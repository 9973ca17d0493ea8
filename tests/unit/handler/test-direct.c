/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where pbotvm-exec goes by the variables of PBot's vm-exec. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "client/direct.h"
#include "common/io.h"

/* As PBot's vm-exec.json. */
static const char vm_exec[] =
        "{\"machines\": {\"pbot-vm\": {\"serial\": 5555, \"health\": 5556, \"cid\": 7},"
        "\"pbot-test-vm\": {\"serial\": 7777, \"health\": 7778, \"cid\": 42}}, \"default-machine\": "
        "\"pbot-vm\"}";

static const struct {
        const char *variables[3];
        int result;
        const char *machine; /* NULL: not looked at */
        unsigned serial_port;
} cases[] = {
        { {}, DIRECT_NONE, NULL, 0 },
        { { "PBOTVM_TIMEOUT=5" }, DIRECT_NONE, NULL, 0 },
        { { "PBOTVM_CID=0" }, DIRECT_NONE, NULL, 0 },
        { { "PBOTVM_SERIAL=5555" }, DIRECT_MACHINE, "pbot-vm", 5555 },
        { { "PBOTVM_SERIAL=7777" }, DIRECT_MACHINE, "pbot-test-vm", 7777 },
        { { "PBOTVM_CID=42" }, DIRECT_MACHINE, "pbot-test-vm", 7777 },
        { { "PBOTVM_DOMAIN=pbot-test-vm" }, DIRECT_MACHINE, "pbot-test-vm", 7777 },
        { { "PBOTVM_DOMAIN=nobody" }, -ENOENT, NULL, 0 },
        { { "PBOTVM_SERIAL=9999" }, DIRECT_CONNECT, "pbot-vm", 9999 },
        { { "PBOTVM_SERIAL=7777", "PBOTVM_CID=7" }, DIRECT_CONNECT, "pbot-vm", 7777 },
        { { "PBOTVM_CID=7", "PBOTVM_VPORT=1" }, DIRECT_CONNECT, "pbot-vm", 5555 },
};

static void test_variables_choose(void **state) {
        (void)state;
        char path[] = "/tmp/test-direct-XXXXXX";
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, vm_exec, strlen(vm_exec)), strlen(vm_exec));
        close(fd);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(config_freep) Config *configured = NULL, *effective = NULL;
                char *const *environment = (char *const *)cases[i].variables;
                const MachineConfig *machine = NULL;

                assert_int_equal(config_load(path, NULL, &configured, NULL), 0);
                assert_int_equal(config_load(path, environment, &effective, NULL), 0);
                int r = direct_decide(configured, effective, environment, &machine);
                if (r != cases[i].result)
                        fail_msg("case %zu: %i", i, r);
                if (!cases[i].machine)
                        continue;
                assert_string_equal(machine->name, cases[i].machine);
                assert_int_equal(machine->serial_port, cases[i].serial_port);
        }
        unlink(path);
}

static void test_connect(void **state) {
        (void)state;
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        MachineConfig machine = { .addr = (char *)"127.0.0.1" };

        assert_return_code(bind(listener, (struct sockaddr *)&address, size), errno);
        assert_return_code(getsockname(listener, (struct sockaddr *)&address, &size), errno);
        machine.serial_port = ntohs(address.sin_port);
        assert_int_equal(direct_connect(&machine, now_monotonic() + USEC_PER_SEC), -ECONNREFUSED);

        assert_return_code(listen(listener, 1), errno);
        int fd = direct_connect(&machine, now_monotonic() + USEC_PER_SEC);
        assert_true(fd >= 0);
        close(fd);
        /* A guest that vsock does not lead to is reached by its serial line. */
        machine.cid = 4000000000;
        machine.vport = 1;
        fd = direct_connect(&machine, now_monotonic() + USEC_PER_SEC);
        assert_true(fd >= 0);
        close(fd);
        close(listener);
        machine = (MachineConfig){};
        assert_int_equal(direct_connect(&machine, 0), -EADDRNOTAVAIL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_variables_choose),
                cmocka_unit_test(test_connect),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
