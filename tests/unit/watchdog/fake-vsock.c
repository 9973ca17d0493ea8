/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* AF_VSOCK for machines whose kernel has no loopback of it: sockets of that family are abstract unix sockets
 * in truth. Linked with --wrap for socket, bind and connect. PBOTVM_TEST_REAL_VSOCK turns it off: so the
 * same tests run on a real AF_VSOCK, inside a guest. */

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
/* Needs struct sockaddr. */
#include <linux/vm_sockets.h>

#include "common/macro.h"

int __real_socket(int family, int type, int protocol);
int __real_bind(int fd, const struct sockaddr *address, socklen_t size);
int __real_connect(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_socket(int family, int type, int protocol);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size);

static bool is_fake(int family) {
        return family == AF_VSOCK && !getenv("PBOTVM_TEST_REAL_VSOCK");
}

static socklen_t fake_address(const struct sockaddr *address, struct sockaddr_un *ret) {
        const struct sockaddr_vm *vm = (const struct sockaddr_vm *)(const void *)address;

        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        int n = snprintf(
                ret->sun_path + 1, sizeof(ret->sun_path) - 1, "pbotvm-vsock-%i-%u", getpid(), vm->svm_port);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

int __wrap_socket(int family, int type, int protocol) {
        return __real_socket(is_fake(family) ? AF_UNIX : family, type, protocol);
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size) {
        struct sockaddr_un un;

        if (!is_fake(address->sa_family))
                return __real_bind(fd, address, size);
        size = fake_address(address, &un);
        return __real_bind(fd, (const struct sockaddr *)&un, size);
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size) {
        struct sockaddr_un un;

        if (!is_fake(address->sa_family))
                return __real_connect(fd, address, size);
        size = fake_address(address, &un);
        return __real_connect(fd, (const struct sockaddr *)&un, size);
}
