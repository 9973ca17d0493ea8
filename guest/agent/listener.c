/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "listener.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/vm_sockets.h>

#include "common/log.h"

#define BACKLOG 64

struct Listener {
        int fd;
        bool host_only;
        ListenerAccept accept;
        void *userdata;
        sd_event_source *source;
};

static bool peer_allowed(const Listener *listener, const struct sockaddr_vm *peer) {
        if (!listener->host_only)
                return true;
        return peer->svm_family == AF_VSOCK && peer->svm_cid == VMADDR_CID_HOST;
}

static int on_connection(
        _unused_ sd_event_source *source, int fd, _unused_ uint32_t events, void *userdata) {
        Listener *listener = userdata;
        struct sockaddr_vm peer = {};
        socklen_t size = sizeof(peer);

        int connection = accept4(fd, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (connection < 0)
                return 0;
        if (!peer_allowed(listener, &peer)) {
                log_warning("Refused a connection from port %u of CID %u.", peer.svm_port, peer.svm_cid);
                fd_close(connection);
                return 0;
        }
        listener->accept(connection, listener->userdata);
        return 0;
}

/* Takes fd in any case. */
static int listener_make(sd_event *event, int fd, ListenerAccept accept, void *userdata, Listener **ret) {
        _cleanup_(listener_freep) Listener *listener = calloc(1, sizeof(Listener));
        if (!listener) {
                fd_close(fd);
                return -ENOMEM;
        }
        *listener = (Listener){ .fd = fd, .accept = accept, .userdata = userdata };

        if (listen(fd, BACKLOG) < 0)
                return -errno;
        int r = sd_event_add_io(event, &listener->source, fd, EPOLLIN, on_connection, listener);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(listener);
        return 0;
}

int listener_new_vsock(sd_event *event, uint32_t port, bool host_only, ListenerAccept accept, void *userdata,
        Listener **ret) {
        struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = port };

        _cleanup_close_ int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        int r = listener_make(event, TAKE_FD(fd), accept, userdata, ret);
        if (r >= 0)
                (*ret)->host_only = host_only;
        return r;
}

int listener_new(
        sd_event *event, const char *address, ListenerAccept accept, void *userdata, Listener **ret) {
        struct sockaddr_un sun = { .sun_family = AF_UNIX };
        const char *path = startswith(address, "unix:");

        if (!path || *path != '/' || strlen(path) >= sizeof(sun.sun_path))
                return -EINVAL;
        strcpy(sun.sun_path, path);

        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void)unlink(path);
        if (bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0)
                return -errno;
        return listener_make(event, TAKE_FD(fd), accept, userdata, ret);
}

Listener *listener_free(Listener *listener) {
        if (!listener)
                return NULL;
        sd_event_source_disable_unref(listener->source);
        fd_close(listener->fd);
        free(listener);
        return NULL;
}
