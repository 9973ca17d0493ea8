/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qmp/qmp.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/io.h"

#define MESSAGE_SIZE 240
/* As much is read at once, then others have their turn. */
#define PIECE_SIZE ((size_t)64 << 10)

typedef struct Call {
        uint64_t id;
        char *command;
        bool handshake; /* sent before all others */
        Text text;
        size_t sent;
        int fd; /* goes with the first byte */
        uint64_t timeout_usec, deadline_usec;
        QmpDone done; /* NULL: nobody waits for the answer */
        void *userdata;
        struct Call *next;
} Call;

struct Qmp {
        unsigned n_ref; /* the owner's, and one while hooks are called */
        QmpHooks hooks;
        int fd; /* negative: closed */
        sd_event_source *io, *timer;
        char version[32];
        bool greeted, ready;
        uint64_t handshake_usec; /* its deadline */
        bool freed;              /* by the owner */

        Text input;
        size_t scanned; /* bytes of it in which no line ends */
        Call *calls;    /* in the order in which they are sent */
        uint64_t last_id;
};

/* ---- owning ---- */

static Call *call_free(Call *call) {
        if (!call)
                return NULL;
        free(call->command);
        text_done(&call->text);
        fd_close(call->fd);
        free(call);
        return NULL;
}

static void disconnect(Qmp *qmp) {
        qmp->io = sd_event_source_disable_unref(qmp->io);
        qmp->timer = sd_event_source_disable_unref(qmp->timer);
        qmp->fd = fd_close(qmp->fd);
}

static void unref(Qmp *qmp) {
        if (--qmp->n_ref > 0)
                return;
        disconnect(qmp);
        for (Call *call = qmp->calls, *next; call; call = next) {
                next = call->next;
                call_free(call);
        }
        text_done(&qmp->input);
        free(qmp);
}

Qmp *qmp_free(Qmp *qmp) {
        if (!qmp)
                return NULL;
        qmp->freed = true;
        disconnect(qmp);
        unref(qmp);
        return NULL;
}

static bool is_open(const Qmp *qmp) {
        return qmp->fd >= 0;
}

/* ---- what people read ---- */

/* The words of a process that is not trusted. */
static void make_printable(char *to, size_t size, const char *from) {
        size_t n = 0;

        for (const char *p = from; *p && n + 1 < size; p++)
                to[n++] = *p < ' ' || *p == 0x7F ? '?' : *p;
        to[n] = '\0';
}

static void unlink_call(Qmp *qmp, const Call *call) {
        for (Call **at = &qmp->calls; *at; at = &(*at)->next)
                if (*at == call) {
                        *at = call->next;
                        return;
                }
}

/* The end of a call that is in no list any more. */
static void finish(Qmp *qmp, Call *call, int result, const Json *value, const char *message) {
        if (call->done && !qmp->freed)
                call->done(qmp, result, value, message, call->userdata);
        call_free(call);
}

static _printf_(3, 4) void fail(Qmp *qmp, int error, const char *format, ...) {
        char why[MESSAGE_SIZE];
        va_list ap;

        if (!is_open(qmp))
                return;
        va_start(ap, format);
        (void)vsnprintf(why, sizeof(why), format, ap);
        va_end(ap);
        disconnect(qmp);
        while (qmp->calls && !qmp->freed) {
                Call *call = qmp->calls;

                qmp->calls = call->next;
                finish(qmp, call, error, NULL, why);
        }
        if (!qmp->freed)
                qmp->hooks.closed(qmp, error, why, qmp->hooks.userdata);
}

/* ---- deadlines ---- */

static void set_timer(Qmp *qmp) {
        uint64_t at = qmp->ready ? USEC_INFINITY : qmp->handshake_usec;

        if (!is_open(qmp))
                return;
        for (const Call *call = qmp->calls; call; call = call->next)
                if (call->done)
                        at = MIN(at, call->deadline_usec);
        if (at != USEC_INFINITY)
                (void)sd_event_source_set_time(qmp->timer, at);
        (void)sd_event_source_set_enabled(qmp->timer, at == USEC_INFINITY ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static Call *first_late(const Qmp *qmp, uint64_t now) {
        for (Call *call = qmp->calls; call; call = call->next)
                if (call->done && call->deadline_usec <= now)
                        return call;
        return NULL;
}

/* Its line may be half sent, then the rest has to follow. */
static void expire(Qmp *qmp, Call *call) {
        char why[MESSAGE_SIZE];
        QmpDone done = TAKE_PTR(call->done);
        void *userdata = call->userdata;

        (void)snprintf(why, sizeof(why), "QEMU did not answer \"%s\" within %.1f s", call->command,
                (double)call->timeout_usec / USEC_PER_SEC);
        if (call->sent == 0 || call->sent == call->text.size) {
                unlink_call(qmp, call);
                call_free(call);
        }
        done(qmp, -ETIMEDOUT, NULL, why, userdata);
}

static int on_time(sd_event_source *source _unused_, uint64_t usec, void *userdata) {
        Qmp *qmp = userdata;
        Call *late;

        qmp->n_ref++;
        if (!qmp->ready && qmp->handshake_usec <= usec)
                fail(qmp, -ETIMEDOUT, "QEMU did not %s within %.1f s",
                        qmp->greeted ? "take commands" : "greet", (double)QMP_HANDSHAKE_USEC / USEC_PER_SEC);
        while (is_open(qmp) && (late = first_late(qmp, usec)))
                expire(qmp, late);
        set_timer(qmp);
        unref(qmp);
        return 0;
}

/* ---- sending ---- */

/* 1: all of it is out, 0: it does not fit now, or a negative errno. */
static int send_call(Qmp *qmp, Call *call) {
        union {
                struct cmsghdr head;
                char space[CMSG_SPACE(sizeof(int))];
        } control = { .head = { .cmsg_level = SOL_SOCKET,
                              .cmsg_type = SCM_RIGHTS,
                              .cmsg_len = CMSG_LEN(sizeof(int)) } };

        while (call->sent < call->text.size) {
                struct iovec piece = { call->text.data + call->sent, call->text.size - call->sent };
                struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };

                if (call->fd >= 0) {
                        memcpy(CMSG_DATA(&control.head), &call->fd, sizeof(int));
                        message.msg_control = &control;
                        message.msg_controllen = sizeof(control.space);
                }
                ssize_t n = sendmsg(qmp->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN ? 0 : -errno;
                call->fd = fd_close(call->fd);
                call->sent += (size_t)n;
        }
        return 1;
}

/* Sends what may be sent. 0, also if more has to wait, or a negative errno. */
static int flush(Qmp *qmp) {
        int r = 1;

        for (Call *call = qmp->calls, *next; call && r > 0; call = next) {
                next = call->next;
                if (call->sent == call->text.size || (!qmp->ready && !call->handshake))
                        continue;
                r = send_call(qmp, call);
                if (r > 0 && !call->done) {
                        unlink_call(qmp, call);
                        call_free(call);
                }
        }
        if (r < 0)
                return r;
        return sd_event_source_set_io_events(qmp->io, r == 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void add_call(Qmp *qmp, Call *call) {
        Call **at = &qmp->calls;

        while (*at && !call->handshake)
                at = &(*at)->next;
        call->next = *at;
        *at = call;
        set_timer(qmp);
}

static Call *call_new(Qmp *qmp, const char *command, const char *arguments, uint64_t timeout_usec) {
        Call *call = calloc(1, sizeof(*call));
        if (!call)
                return NULL;

        *call = (Call){ .id = ++qmp->last_id,
                .command = strdup(command),
                .fd = -EBADF,
                .timeout_usec = timeout_usec,
                .deadline_usec = usec_add(now_monotonic(), timeout_usec) };
        text_append_printf(&call->text, "{\"execute\":\"%s\"%s%s,\"id\":%" PRIu64 "}\n", command,
                arguments ? ",\"arguments\":" : "", arguments ? arguments : "", call->id);
        return call->command && !text_failed(&call->text) ? call : call_free(call);
}

int qmp_call(Qmp *qmp, const char *command, const char *arguments, int fd, uint64_t timeout_usec,
        QmpDone done, void *userdata) {
        if (!is_open(qmp))
                return -ENOTCONN;

        Call *call = call_new(qmp, command, arguments, timeout_usec);
        if (!call)
                return -ENOMEM;
        call->done = done;
        call->userdata = userdata;
        if (fd >= 0) {
                call->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                if (call->fd < 0) {
                        int r = -errno;
                        call_free(call);
                        return r;
                }
        }
        add_call(qmp, call);
        /* From the loop: what goes wrong is told from there. */
        return qmp->ready ? sd_event_source_set_io_events(qmp->io, EPOLLIN | EPOLLOUT) : 0;
}

/* ---- receiving ---- */

static void on_negotiated(
        Qmp *qmp, int result, const Json *value _unused_, const char *message, void *userdata _unused_) {
        if (result < 0) {
                if (is_open(qmp))
                        fail(qmp, -EPROTO, "the handshake with QEMU failed: %s", message);
                return;
        }
        qmp->ready = true;
        qmp->hooks.ready(qmp, qmp->hooks.userdata);
}

static void take_greeting(Qmp *qmp, const Json *greeting) {
        static const char *const parts[] = { "major", "minor", "micro" };
        const Json *version = json_member(json_member(greeting, "version"), "qemu");
        int64_t n[ELEMENTSOF(parts)];

        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                const Json *part = json_member(version, parts[i]);
                if (!part || json_integer(part, &n[i]) < 0 || n[i] < 0 || n[i] > 9999) {
                        fail(qmp, -EPROTO, "QEMU's greeting has no version");
                        return;
                }
        }
        (void)snprintf(qmp->version, sizeof(qmp->version), "%i.%i.%i", (int)n[0], (int)n[1], (int)n[2]);
        qmp->greeted = true;

        Call *call = call_new(qmp, "qmp_capabilities", NULL, QMP_HANDSHAKE_USEC);
        if (!call) {
                fail(qmp, -ENOMEM, "out of memory");
                return;
        }
        call->handshake = true;
        call->done = on_negotiated;
        add_call(qmp, call);
}

/* The call that was sent under this id; what was not sent cannot be answered. */
static Call *find_call(const Qmp *qmp, const Json *id) {
        int64_t n;

        if (!id || json_integer(id, &n) < 0)
                return NULL;
        for (Call *call = qmp->calls; call; call = call->next)
                if (call->done && call->id == (uint64_t)n && call->sent == call->text.size)
                        return call;
        return NULL;
}

/* An answer without an id is one to a line that QEMU could not read: it is of no call, and of no use. */
static void take_answer(Qmp *qmp, const Json *message) {
        const Json *value = json_member(message, "return"), *error = json_member(message, "error");
        const char *words = json_string(json_member(error, "desc"), NULL);
        Call *call = find_call(qmp, json_member(message, "id"));
        char why[MESSAGE_SIZE] = "";

        if (!call)
                return;
        if (!value)
                make_printable(why, sizeof(why), words ? words : "QEMU does not say why");
        unlink_call(qmp, call);
        finish(qmp, call, value ? 0 : -EREMOTEIO, value, why);
}

static void take_message(Qmp *qmp, const Json *message) {
        const Json *greeting = json_member(message, "QMP");
        const char *event = json_string(json_member(message, "event"), NULL);

        if (!qmp->greeted && greeting)
                take_greeting(qmp, greeting);
        else if (!qmp->greeted)
                fail(qmp, -EPROTO, "what answers is no QEMU monitor");
        else if (event) {
                if (qmp->ready && qmp->hooks.event)
                        qmp->hooks.event(qmp, event, json_member(message, "data"), qmp->hooks.userdata);
        } else
                take_answer(qmp, message);
}

static void take_line(Qmp *qmp, const char *data, size_t size) {
        _cleanup_json_ Json *message = NULL;
        JsonLimits limits = JSON_LIMITS_WIRE;
        JsonError error = {};

        if (size == 0 || (size == 1 && data[0] == '\r'))
                return;
        limits.size = QMP_MESSAGE_MAX;
        int r = json_parse(data, size, limits, &message, &error);
        if (r < 0)
                fail(qmp, r == -EBADMSG ? -EPROTO : r, "QEMU's message cannot be read: %s", error.message);
        else
                take_message(qmp, message);
}

static void take_lines(Qmp *qmp) {
        size_t begin = 0;
        const char *end;

        while (is_open(qmp) && (end = memchr(qmp->input.data + MAX(begin, qmp->scanned), '\n',
                                        qmp->input.size - MAX(begin, qmp->scanned)))) {
                size_t at = (size_t)(end - qmp->input.data);

                take_line(qmp, qmp->input.data + begin, at - begin);
                begin = at + 1;
        }
        text_consume(&qmp->input, begin);
        qmp->scanned = qmp->input.size;
        if (qmp->input.size > QMP_MESSAGE_MAX)
                fail(qmp, -EMSGSIZE, "a message of QEMU's has more than %zu bytes", QMP_MESSAGE_MAX);
}

static void receive(Qmp *qmp) {
        char *to = text_reserve(&qmp->input, PIECE_SIZE);
        if (!to) {
                fail(qmp, -ENOMEM, "out of memory");
                return;
        }

        ssize_t n = recv(qmp->fd, to, PIECE_SIZE, MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
                fail(qmp, -errno, "reading from QEMU failed: %s", strerror(errno));
        else if (n == 0)
                fail(qmp, -ECONNRESET, "QEMU closed its monitor");
        else if (n > 0) {
                qmp->input.size += (size_t)n;
                take_lines(qmp);
        }
}

static int on_io(sd_event_source *source _unused_, int fd _unused_, uint32_t revents, void *userdata) {
        Qmp *qmp = userdata;

        qmp->n_ref++;
        if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR))
                receive(qmp);
        int r = is_open(qmp) ? flush(qmp) : 0;
        if (r == -EPIPE || r == -ECONNRESET)
                fail(qmp, -ECONNRESET, "QEMU closed its monitor");
        else if (r < 0)
                fail(qmp, r, "writing to QEMU failed: %s", strerror(-r));
        set_timer(qmp);
        unref(qmp);
        return 0;
}

/* ---- beginning ---- */

int qmp_new(sd_event *event, int fd, const QmpHooks *hooks, Qmp **ret) {
        _cleanup_(qmp_freep) Qmp *qmp = calloc(1, sizeof(*qmp));
        if (!qmp) {
                fd_close(fd);
                return -ENOMEM;
        }

        *qmp = (Qmp){ .n_ref = 1,
                .hooks = *hooks,
                .fd = fd,
                .handshake_usec = usec_add(now_monotonic(), QMP_HANDSHAKE_USEC) };
        int r = fd_set_nonblocking(fd, true);
        if (r >= 0)
                r = sd_event_add_io(event, &qmp->io, fd, EPOLLIN, on_io, qmp);
        if (r >= 0)
                r = sd_event_add_time(event, &qmp->timer, CLOCK_MONOTONIC, qmp->handshake_usec,
                        USEC_PER_MSEC, on_time, qmp);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(qmp);
        return 0;
}

int qmp_connect(sd_event *event, const char *path, const QmpHooks *hooks, Qmp **ret) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path));
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        return qmp_new(event, TAKE_FD(fd), hooks, ret);
}

const char *qmp_version(const Qmp *qmp) {
        return qmp->version;
}
