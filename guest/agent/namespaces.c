/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "namespaces.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/log.h"

/* Numbers that no user of a machine has, and no container by default. More than jobs at once, so that one of
 * which the kernel still counts something is not used again soon. */
#define OUTSIDE_FIRST ((uid_t)1900000000)
#define OUTSIDE_COUNT ((uid_t)65536)

struct NamespaceStore {
        sd_event *event;
        sd_event_source *source;
        JobUser user;
        bool rules; /* this machine allows user namespaces */
        uid_t last; /* of the numbers outside, from OUTSIDE_FIRST */
        Namespaces stored;
        int link; /* to the child that makes some */
        pid_t pid;
};

void namespaces_done(Namespaces *namespaces) {
        fd_close(namespaces->user_fd);
        fd_close(namespaces->network_fd);
        *namespaces = NAMESPACES_INIT;
}

/* --- The child, which lives in them until its parent has taken hold of them. */

/* Programs talk to themselves over 127.0.0.1. */
static int loopback_up(void) {
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

        if (fd < 0)
                return -errno;
        return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

static int fds_send(int link, const int *fds, size_t n) {
        char byte = 0, control[CMSG_SPACE(2 * sizeof(int))] = {};
        struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = CMSG_SPACE(n * sizeof(int)),
        };
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);

        *header = (struct cmsghdr){
                .cmsg_level = SOL_SOCKET,
                .cmsg_type = SCM_RIGHTS,
                .cmsg_len = CMSG_LEN(n * sizeof(int)),
        };
        memcpy(CMSG_DATA(header), fds, n * sizeof(int));
        return sendmsg(link, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Where a guest allows no user namespaces, there is a network without a loopback. */
static _noreturn_ void child(int link) {
        bool ruler = unshare(CLONE_NEWUSER | CLONE_NEWNET) >= 0;
        char byte;

        if (!ruler && unshare(CLONE_NEWNET) < 0)
                _exit(1);
        if (ruler)
                (void)loopback_up();
        const int fds[] = {
                open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC),
                ruler ? open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC) : -EBADF,
        };
        if (fds[0] < 0 || (ruler && fds[1] < 0) || fds_send(link, fds, ruler ? 2 : 1) < 0)
                _exit(1);
        /* Its numbers are mapped by way of this process. */
        (void)read(link, &byte, 1);
        _exit(0);
}

/* --- The parent. */

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

static void child_end(pid_t pid) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
}

/* -EAGAIN: not yet, -EPIPE: there will be none. */
static int fds_receive(int link, int flags, Namespaces *namespaces) {
        char byte, control[CMSG_SPACE(2 * sizeof(int))];
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
        if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
                return -EPIPE;

        memcpy(&namespaces->network_fd, CMSG_DATA(header), sizeof(int));
        if (header->cmsg_len == CMSG_LEN(2 * sizeof(int)))
                memcpy(&namespaces->user_fd, CMSG_DATA(header) + sizeof(int), sizeof(int));
        return 0;
}

static bool user_is_mapped(const Namespaces *namespaces) {
        return namespaces->outside.uid != namespaces->inside.uid;
}

/* Each number as it is outside, root's too, so that files are seen to belong to whom they do; only inside is
 * outside there, whose own neighbours are nobody in here. */
static int map_write(pid_t pid, const char *name, uint32_t inside, uint32_t outside) {
        const uint32_t beyond = OUTSIDE_FIRST + OUTSIDE_COUNT;
        char path[64], map[192];

        if (inside == outside)
                (void)snprintf(map, sizeof(map), "0 0 %u\n", UINT32_MAX);
        else
                (void)snprintf(map, sizeof(map), "0 0 %u\n%u %u 1\n%u %u %u\n%u %u %u\n", inside, inside,
                        outside, inside + 1, inside + 1, OUTSIDE_FIRST - inside - 1, beyond, beyond,
                        UINT32_MAX - beyond);
        (void)snprintf(path, sizeof(path), "/proc/%i/%s", (int)pid, name);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return write(fd, map, strlen(map)) < 0 ? -errno : 0;
}

/* Nobody can be in a user namespace without numbers. */
static int user_prepare(pid_t pid, Namespaces *namespaces) {
        const JobUser *in = &namespaces->inside, *out = &namespaces->outside;

        if (namespaces->user_fd < 0)
                return -EUSERS;
        int r = map_write(pid, "uid_map", in->uid, out->uid);
        if (r >= 0)
                r = map_write(pid, "gid_map", in->gid, out->gid);
        if (r < 0)
                namespaces->user_fd = fd_close(namespaces->user_fd);
        return r;
}

int namespaces_make(Namespaces *namespaces) {
        pid_t pid;
        _cleanup_close_ int link = child_start(&pid);
        if (link < 0)
                return link;

        int r;
        do
                r = fds_receive(link, 0, namespaces);
        while (r == -EAGAIN);
        if (r >= 0) {
                r = user_prepare(pid, namespaces);
                if (r < 0 && !user_is_mapped(namespaces))
                        r = 0;
        }
        child_end(pid);
        return r;
}

/* What the kernel counts in the namespace it counts as root's too, who made it: the jobs together shall
 * leave most of what root may have (128 and some thousands by default). */
static const struct {
        const char *path;
        unsigned all;
} quotas[] = {
        { "/proc/sys/user/max_inotify_instances", 64 },
        { "/proc/sys/user/max_inotify_watches", 4096 },
};

int namespaces_enter_user(int user_fd, unsigned jobs) {
        if (setns(user_fd, CLONE_NEWUSER) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(quotas); i++) {
                _cleanup_close_ int fd = open(quotas[i].path, O_WRONLY | O_CLOEXEC);
                /* A kernel without such a count charges root with nothing. */
                if (fd >= 0)
                        (void)dprintf(fd, "%u", MAX(quotas[i].all / MAX(jobs, 1U), 1U));
        }
        return 0;
}

/* --- The store. */

static void making_end(NamespaceStore *store) {
        store->source = sd_event_source_disable_unref(store->source);
        store->link = fd_close(store->link);
        if (store->pid > 0)
                child_end(store->pid);
        store->pid = 0;
}

static int on_made(_unused_ sd_event_source *source, int link, _unused_ uint32_t events, void *userdata) {
        NamespaceStore *store = userdata;

        int r = fds_receive(link, MSG_DONTWAIT, &store->stored);
        if (r == -EAGAIN)
                return 0;
        if (r >= 0 && store->rules)
                r = user_prepare(store->pid, &store->stored);
        if (r < 0) {
                log_warning_errno(r, "Failed to make namespaces for jobs ahead of time: %m");
                namespaces_done(&store->stored);
        }
        making_end(store);
        return 0;
}

/* Those of the next job, but for the descriptors. */
static Namespaces next_users(NamespaceStore *store) {
        Namespaces namespaces = namespace_store_plain(store);
        uid_t inside = MAX(store->user.uid, store->user.gid);

        /* A user whose number is among those outside would be mapped twice. */
        if (!store->rules || inside >= OUTSIDE_FIRST)
                return namespaces;
        uid_t outside = OUTSIDE_FIRST + store->last++ % OUTSIDE_COUNT;
        namespaces.outside = (JobUser){ outside, outside };
        return namespaces;
}

void namespace_store_fill(NamespaceStore *store) {
        if (store->stored.network_fd >= 0 || store->pid > 0)
                return;

        store->stored = next_users(store);
        store->link = child_start(&store->pid);
        if (store->link < 0 ||
                sd_event_add_io(store->event, &store->source, store->link, EPOLLIN, on_made, store) < 0)
                making_end(store);
}

Namespaces namespace_store_take(NamespaceStore *store) {
        if (store->stored.network_fd < 0)
                return next_users(store);
        Namespaces taken = store->stored;
        store->stored = NAMESPACES_INIT;
        return taken;
}

Namespaces namespace_store_plain(const NamespaceStore *store) {
        Namespaces namespaces = NAMESPACES_INIT;

        namespaces.inside = namespaces.outside = store->user;
        return namespaces;
}

int namespace_store_new(sd_event *event, JobUser user, NamespaceStore **ret) {
        _cleanup_(namespace_store_freep) NamespaceStore *store = calloc(1, sizeof(NamespaceStore));
        if (!store)
                return -ENOMEM;

        *store = (NamespaceStore){
                .event = sd_event_ref(event),
                .user = user,
                .rules = true,
                .stored = NAMESPACES_INIT,
                .link = -EBADF,
        };
        store->stored = next_users(store);
        int r = namespaces_make(&store->stored);
        if (r < 0 && store->stored.network_fd >= 0) {
                store->rules = false;
                log_warning_errno(r, "Jobs get no user namespaces of their own: %m");
                store->stored.inside = store->stored.outside = user;
                r = 0;
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(store);
        return 0;
}

NamespaceStore *namespace_store_free(NamespaceStore *store) {
        if (!store)
                return NULL;
        making_end(store);
        namespaces_done(&store->stored);
        sd_event_unref(store->event);
        free(store);
        return NULL;
}
