/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "door.h"

#include <sys/epoll.h>
#include <sys/socket.h>

/* Who has not said it yet. */
typedef struct Caller Caller;
struct Caller {
        Door *door;
        int fd;
        char said[PROOF_SIZE];
        size_t n;
        sd_event_source *io, *timer;
        Caller *next; /* who came before */
};

struct Door {
        sd_event *event;
        DoorPassed passed;
        void *userdata;
        bool has_secret;
        uint8_t secret[SECRET_SIZE];
        Caller *callers;
        size_t n_callers;
};

static void caller_free(Caller *caller) {
        Door *door = caller->door;

        for (Caller **c = &door->callers; *c; c = &(*c)->next)
                if (*c == caller) {
                        *c = caller->next;
                        door->n_callers--;
                        break;
                }
        sd_event_source_disable_unref(caller->io);
        sd_event_source_disable_unref(caller->timer);
        fd_close(caller->fd);
        free(caller);
}

static int on_timer(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        caller_free(userdata);
        return 0;
}

static int on_io(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events, void *userdata) {
        Caller *caller = userdata;
        Door *door = caller->door;

        ssize_t n = recv(fd, caller->said + caller->n, PROOF_SIZE - caller->n, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n > 0)
                caller->n += (size_t)n;
        if (n > 0 && caller->n < PROOF_SIZE)
                return 0;
        int passed = n > 0 && door->has_secret && proof_matches(door->secret, caller->said)
                             ? TAKE_FD(caller->fd)
                             : -EBADF;
        caller_free(caller);
        if (passed >= 0)
                door->passed(passed, door->userdata);
        return 0;
}

int door_new(sd_event *event, DoorPassed passed, void *userdata, Door **ret) {
        Door *door = calloc(1, sizeof(Door));
        if (!door)
                return -ENOMEM;
        *door = (Door){ .event = sd_event_ref(event), .passed = passed, .userdata = userdata };
        *ret = door;
        return 0;
}

Door *door_free(Door *door) {
        if (!door)
                return NULL;
        while (door->callers)
                caller_free(door->callers);
        sd_event_unref(door->event);
        explicit_bzero(door->secret, sizeof(door->secret));
        free(door);
        return NULL;
}

void door_set_secret(Door *door, const uint8_t secret[static SECRET_SIZE]) {
        memcpy(door->secret, secret, SECRET_SIZE);
        door->has_secret = true;
}

bool door_has_secret(const Door *door) {
        return door->has_secret;
}

void door_admit(Door *door, int fd) {
        Caller *caller = door->has_secret ? calloc(1, sizeof(Caller)) : NULL;
        if (!caller) {
                fd_close(fd);
                return;
        }
        *caller = (Caller){ .door = door, .fd = fd, .next = door->callers };
        door->callers = caller;
        door->n_callers++;

        if (sd_event_add_io(door->event, &caller->io, fd, EPOLLIN, on_io, caller) < 0 ||
                sd_event_add_time_relative(door->event, &caller->timer, CLOCK_MONOTONIC, DOOR_PATIENCE_USEC,
                        100 * USEC_PER_MSEC, on_timer, caller) < 0) {
                caller_free(caller);
                return;
        }
        if (door->n_callers > DOOR_WAITING_MAX) {
                Caller *oldest = door->callers;
                while (oldest->next)
                        oldest = oldest->next;
                caller_free(oldest);
        }
}
