/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/epoll.h>

#include "paste/multi.h"

struct Multi {
        sd_event *event;
        sd_event_source *timer;
        CURLM *curl;
        MultiDone done;
};

Multi *multi_free(Multi *multi) {
        if (multi) {
                if (multi->curl)
                        (void)curl_multi_cleanup(multi->curl);
                sd_event_source_disable_unref(multi->timer);
                sd_event_unref(multi->event);
                free(multi);
        }
        return NULL;
}

static void collect_ended(Multi *multi) {
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(multi->curl, &left))) {
                CURL *handle = message->easy_handle;
                CURLcode result = message->data.result;

                if (message->msg != CURLMSG_DONE)
                        continue;
                (void)curl_multi_remove_handle(multi->curl, handle);
                multi->done(handle, result);
        }
}

static void act(Multi *multi, curl_socket_t fd, int events) {
        int running;

        (void)curl_multi_socket_action(multi->curl, fd, events, &running);
        collect_ended(multi);
}

static int on_timer(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        act(userdata, CURL_SOCKET_TIMEOUT, 0);
        return 0;
}

static int on_socket(_unused_ sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        int events = 0;

        if (revents & EPOLLIN)
                events |= CURL_CSELECT_IN;
        if (revents & EPOLLOUT)
                events |= CURL_CSELECT_OUT;
        if (revents & (EPOLLERR | EPOLLHUP))
                events |= CURL_CSELECT_ERR;
        act(userdata, fd, events);
        return 0;
}

/* libcurl: call curl_multi_socket_action() in so many milliseconds; -1: not at all. */
static int timer_wanted(_unused_ CURLM *curl, long milliseconds, void *userdata) {
        Multi *multi = userdata;

        if (milliseconds < 0)
                return sd_event_source_set_enabled(multi->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
        if (sd_event_source_set_time_relative(multi->timer, (uint64_t)milliseconds * USEC_PER_MSEC) < 0)
                return -1;
        return sd_event_source_set_enabled(multi->timer, SD_EVENT_ONESHOT) < 0 ? -1 : 0;
}

/* libcurl: watch this socket. The event source is kept with the socket. */
static int socket_wanted(
        _unused_ CURL *handle, curl_socket_t fd, int what, void *userdata, void *of_socket) {
        Multi *multi = userdata;
        sd_event_source *source = of_socket;
        uint32_t events = 0;

        if (what == CURL_POLL_REMOVE) {
                sd_event_source_disable_unref(source);
                return 0;
        }
        if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
                events |= EPOLLIN;
        if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
                events |= EPOLLOUT;

        if (source)
                return sd_event_source_set_io_events(source, events) < 0 ? -1 : 0;
        if (sd_event_add_io(multi->event, &source, fd, events, on_socket, multi) < 0)
                return -1;
        return curl_multi_assign(multi->curl, fd, source) == CURLM_OK ? 0 : -1;
}

int multi_new(sd_event *event, MultiDone done, Multi **ret) {
        _cleanup_(multi_freep) Multi *multi = calloc(1, sizeof(*multi));
        int r;

        if (!multi)
                return -ENOMEM;
        *multi = (Multi){ .event = sd_event_ref(event), .done = done, .curl = curl_multi_init() };
        if (!multi->curl)
                return -ENOMEM;
        r = sd_event_add_time_relative(event, &multi->timer, CLOCK_MONOTONIC, 0, 0, on_timer, multi);
        if (r >= 0)
                r = sd_event_source_set_enabled(multi->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;

        (void)curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, socket_wanted);
        (void)curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
        (void)curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, timer_wanted);
        (void)curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);
        *ret = TAKE_PTR(multi);
        return 0;
}

int multi_add(Multi *multi, CURL *handle) {
        return curl_multi_add_handle(multi->curl, handle) == CURLM_OK ? 0 : -ENOMEM;
}

void multi_remove(Multi *multi, CURL *handle) {
        (void)curl_multi_remove_handle(multi->curl, handle);
}
