/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/transport/mux.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/frame.h"

/* What a guest may say in one lane: a reply, and what a terminal adds. */
#define LANE_BYTES_MAX (FRAME_SIZE_MAX + ((size_t)64 << 10))

struct Lane {
        Mux *mux; /* NULL: gone */
        unsigned number;
        int client_fd; /* our end of the pair; -EBADF once the client is gone */
        sd_event_source *io;
        Text in;  /* for the client */
        bool eof; /* of the client */
};

/* A number of a lane. */
typedef struct Slot {
        Lane *lane;   /* NULL: nobody has it */
        bool ending;  /* until the guest has said so too, what comes in it is of the one before */
        size_t total; /* bytes that came in it */
} Slot;

struct Mux {
        sd_event *event;
        MuxBroken broken;
        void *userdata;
        int guest_fd; /* borrowed */
        sd_event_source *io;
        LaneReader reader;
        Text out; /* for the guest */
        Slot slots[LANES_MAX];
};

static void drop_client(Lane *lane) {
        lane->io = sd_event_source_disable_unref(lane->io);
        lane->client_fd = fd_close(lane->client_fd);
        text_done(&lane->in);
}

/* A client is read only while nothing waits for the guest, so that all have their turn. */
static void arm(Lane *lane) {
        uint32_t events = 0;

        if (!lane->io)
                return;
        if (!lane->eof && lane->mux->out.size == 0)
                events |= EPOLLIN;
        if (lane->in.size > 0)
                events |= EPOLLOUT;
        /* A source without events would still report a hang-up, for ever. */
        (void)sd_event_source_set_io_events(lane->io, events);
        (void)sd_event_source_set_enabled(lane->io, events > 0 ? SD_EVENT_ON : SD_EVENT_OFF);
}

static void arm_all(Mux *mux) {
        (void)sd_event_source_set_io_events(mux->io, mux->out.size > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
        for (size_t i = 0; i < LANES_MAX; i++)
                if (mux->slots[i].lane)
                        arm(mux->slots[i].lane);
}

/* Sends what goes and keeps the rest. 0 or a negative errno. */
static int flush(Text *text, int fd) {
        while (text->size > 0) {
                ssize_t n = send(fd, text->data, text->size, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (n < 0)
                        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
                text_consume(text, (size_t)n);
        }
        return 0;
}

/* What could not be written to the guest is seen when it is read from. */
static void write_out(Mux *mux) {
        (void)flush(&mux->out, mux->guest_fd);
        arm_all(mux);
}

static int on_client(sd_event_source *source _unused_, int fd, uint32_t revents, void *userdata) {
        Lane *lane = userdata;
        Mux *mux = lane->mux;
        char buffer[LANE_PIECE_MAX];

        if (revents & (EPOLLOUT | EPOLLERR) && flush(&lane->in, fd) < 0) {
                drop_client(lane);
                return 0;
        }
        if (revents & (EPOLLIN | EPOLLHUP) && mux->out.size == 0) {
                ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
                if (n > 0)
                        lane_append(&mux->out, lane->number, buffer, (size_t)n);
                else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                        lane->eof = true;
        }
        if (lane->eof && revents & EPOLLHUP)
                drop_client(lane);
        write_out(mux);
        return 0;
}

/* A piece came from the guest. 0 or -EBADMSG, -ENOMEM. */
static int deliver(Mux *mux, const LanePiece *piece) {
        Slot *slot = &mux->slots[piece->lane];
        Lane *lane = slot->lane;

        if (piece->size == 0) {
                bool expected = slot->ending;
                *slot = (Slot){ .lane = lane };
                return expected ? 0 : -EBADMSG;
        }
        slot->total += piece->size;
        if ((!lane && !slot->ending) || slot->total > LANE_BYTES_MAX)
                return -EBADMSG;
        if (!lane || lane->client_fd < 0)
                return 0;
        text_append(&lane->in, piece->data, piece->size);
        if (text_failed(&lane->in))
                return -ENOMEM;
        if (flush(&lane->in, lane->client_fd) < 0)
                drop_client(lane);
        arm(lane);
        return 0;
}

static int take(Mux *mux, const char *data, size_t size) {
        while (size > 0) {
                LanePiece piece;
                size_t used;
                int r = lane_reader_feed(&mux->reader, data, size, &used, &piece);
                if (r > 0)
                        r = deliver(mux, &piece);
                if (r < 0)
                        return r;
                data += used;
                size -= used;
        }
        return 0;
}

static int on_guest(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Mux *mux = userdata;
        char buffer[65536];
        int r = 0;

        if (revents & EPOLLOUT)
                write_out(mux);
        if (!(revents & ~(uint32_t)EPOLLOUT))
                return 0;
        ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (n > 0)
                r = take(mux, buffer, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                r = -ECONNRESET;
        if (r < 0) {
                (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
                mux->broken(mux, r, mux->userdata);
        }
        return 0;
}

int mux_new(sd_event *event, int guest_fd, MuxBroken broken, void *userdata, Mux **ret) {
        _cleanup_(mux_freep) Mux *mux = calloc(1, sizeof(*mux));
        if (!mux)
                return -ENOMEM;
        mux->event = sd_event_ref(event);
        mux->broken = broken;
        mux->userdata = userdata;
        mux->guest_fd = guest_fd;

        int r = sd_event_add_io(event, &mux->io, guest_fd, EPOLLIN, on_guest, mux);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(mux);
        return 0;
}

Mux *mux_free(Mux *mux) {
        if (!mux)
                return NULL;
        for (size_t i = 0; i < LANES_MAX; i++) {
                Lane *lane = mux->slots[i].lane;
                if (!lane)
                        continue;
                lane->mux = NULL;
                drop_client(lane);
        }
        sd_event_source_disable_unref(mux->io);
        sd_event_unref(mux->event);
        text_done(&mux->out);
        free(mux);
        return NULL;
}

bool mux_is_used(const Mux *mux) {
        for (size_t i = 0; i < LANES_MAX; i++)
                if (mux->slots[i].lane)
                        return true;
        return false;
}

static Slot *free_slot(Mux *mux) {
        for (size_t i = 0; i < LANES_MAX; i++)
                if (!mux->slots[i].lane && !mux->slots[i].ending)
                        return &mux->slots[i];
        return NULL;
}

int lane_new(Mux *mux, Lane **ret, int *ret_client_fd) {
        Slot *slot = free_slot(mux);
        int pair[2];

        if (!slot)
                return -EBUSY;
        Lane *lane = calloc(1, sizeof(*lane));
        if (!lane)
                return -ENOMEM;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
                int r = -errno;
                free(lane);
                return r;
        }
        *lane = (Lane){ .number = (unsigned)(slot - mux->slots), .client_fd = pair[0] };
        int r = sd_event_add_io(mux->event, &lane->io, pair[0], EPOLLIN, on_client, lane);
        if (r < 0) {
                drop_client(lane);
                fd_close(pair[1]);
                free(lane);
                return r;
        }
        lane->mux = mux;
        slot->lane = lane;
        slot->total = 0;
        arm(lane);
        *ret = lane;
        *ret_client_fd = pair[1];
        return 0;
}

Lane *lane_free(Lane *lane) {
        if (!lane)
                return NULL;
        Mux *mux = lane->mux;

        drop_client(lane);
        if (mux) {
                mux->slots[lane->number] = (Slot){ .ending = true };
                lane_append(&mux->out, lane->number, "", 0);
                write_out(mux);
        }
        free(lane);
        return NULL;
}
