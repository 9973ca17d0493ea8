/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/log.h"

struct NetworkStore {
        sd_event *event;
        sd_event_source *source;
        int fd;   /* of the namespace in store */
        int link; /* to the child that makes one */
        pid_t pid;
};

/* Programs talk to themselves over 127.0.0.1. */
static int loopback_up(void) {
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

        if (fd < 0)
                return -errno;
        return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

static int fd_send(int link, int fd) {
        char byte = 0, control[CMSG_SPACE(sizeof(int))] = {};
        struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof(control),
        };
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);

        *header = (struct cmsghdr){
                .cmsg_level = SOL_SOCKET,
                .cmsg_type = SCM_RIGHTS,
                .cmsg_len = CMSG_LEN(sizeof(int)),
        };
        memcpy(CMSG_DATA(header), &fd, sizeof(int));
        return sendmsg(link, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* -EAGAIN: not yet, -EPIPE: there will be none. */
static int fd_receive(int link, int flags) {
        char byte, control[CMSG_SPACE(sizeof(int))];
        struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof(control),
        };

        ssize_t n = recvmsg(link, &message, flags | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        const struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
        if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
                header->cmsg_len != CMSG_LEN(sizeof(int)))
                return -EPIPE;

        int fd;
        memcpy(&fd, CMSG_DATA(header), sizeof(int));
        return fd;
}

/* Where a guest allows no user namespaces, there is no loopback. */
static _noreturn_ void child(int link) {
        bool ruler = unshare(CLONE_NEWUSER | CLONE_NEWNET) >= 0;

        if (!ruler && unshare(CLONE_NEWNET) < 0)
                _exit(1);
        if (ruler)
                (void)loopback_up();
        int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        _exit(fd < 0 || fd_send(link, fd) < 0);
}

static int child_start(pid_t *ret_pid) {
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
                return -errno;
        pid_t pid = fork();
        if (pid == 0) {
                /* Nothing of the agent's is kept open beyond its time. */
                if (fds[1] != STDERR_FILENO + 1 && dup2(fds[1], STDERR_FILENO + 1) < 0)
                        _exit(1);
                (void)close_range(STDERR_FILENO + 2, ~0U, 0);
                child(STDERR_FILENO + 1);
        }
        int r = pid < 0 ? -errno : fds[0];
        fd_close(fds[1]);
        if (r < 0)
                fd_close(fds[0]);
        else
                *ret_pid = pid;
        return r;
}

int network_make(void) {
        pid_t pid;
        _cleanup_close_ int link = child_start(&pid);
        if (link < 0)
                return link;

        int fd;
        do
                fd = fd_receive(link, 0);
        while (fd == -EAGAIN);
        (void)waitpid(pid, NULL, 0);
        return fd;
}

static void making_end(NetworkStore *store) {
        store->source = sd_event_source_disable_unref(store->source);
        store->link = fd_close(store->link);
        if (store->pid > 0) {
                /* It ends after it has sent; a kill does no harm to what was sent, and lets nobody wait. */
                (void)kill(store->pid, SIGKILL);
                (void)waitpid(store->pid, NULL, 0);
                store->pid = 0;
        }
}

static int on_made(_unused_ sd_event_source *source, int link, _unused_ uint32_t events, void *userdata) {
        NetworkStore *store = userdata;
        int fd = fd_receive(link, MSG_DONTWAIT);

        if (fd == -EAGAIN)
                return 0;
        if (fd >= 0)
                store->fd = fd;
        else
                log_warning_errno(fd, "Failed to make a network for jobs ahead of time: %m");
        making_end(store);
        return 0;
}

void network_store_fill(NetworkStore *store) {
        if (store->fd >= 0 || store->pid > 0)
                return;

        store->link = child_start(&store->pid);
        if (store->link < 0 ||
                sd_event_add_io(store->event, &store->source, store->link, EPOLLIN, on_made, store) < 0)
                making_end(store);
}

int network_store_take(NetworkStore *store) {
        return store->fd >= 0 ? TAKE_FD(store->fd) : -EAGAIN;
}

int network_store_new(sd_event *event, NetworkStore **ret) {
        NetworkStore *store = calloc(1, sizeof(NetworkStore));
        if (!store)
                return -ENOMEM;

        *store = (NetworkStore){ .event = sd_event_ref(event), .fd = -EBADF, .link = -EBADF };
        network_store_fill(store);
        *ret = store;
        return 0;
}

NetworkStore *network_store_free(NetworkStore *store) {
        if (!store)
                return NULL;
        making_end(store);
        fd_close(store->fd);
        sd_event_unref(store->event);
        free(store);
        return NULL;
}
