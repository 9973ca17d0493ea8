/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The clients' side of world.h: what a handler and an operator do. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "common/io.h"
#include "common/text.h"
#include "test.h"
#include "world.h"

#define NAME "org.pbot.VM1"
#define MANAGER_PATH "/org/pbot/VM1"
#define MACHINE_PATH "/org/pbot/VM1/machine/vm"

void held_done(Held *held) {
        fd_close(held->fd);
        free(held->id);
        free(held->machine);
        free(held->guest);
        free(held->transport);
        *held = (Held){ .fd = -EBADF };
}

static char error_name[128];

static const char *keep_error(const sd_bus_error *error) {
        snprintf(error_name, sizeof(error_name), "%s", error->name);
        return error_name;
}

static void read_info(sd_bus_message *reply, Held *held) {
        assert_true(sd_bus_message_enter_container(reply, 'a', "{sv}") > 0);
        while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
                const char *name, *string = NULL;

                assert_true(sd_bus_message_read(reply, "s", &name) > 0);
                if (streq(name, "generation"))
                        assert_true(sd_bus_message_read(reply, "v", "t", &held->generation) > 0);
                else if (streq(name, "timeout_usec"))
                        assert_true(sd_bus_message_read(reply, "v", "t", &held->timeout_usec) > 0);
                else
                        assert_true(sd_bus_message_read(reply, "v", "s", &string) > 0);
                if (streq(name, "machine"))
                        held->machine = strdup(string);
                if (streq(name, "guest"))
                        held->guest = strdup(string);
                if (streq(name, "transport"))
                        held->transport = strdup(string);
                assert_true(sd_bus_message_exit_container(reply) >= 0);
        }
}

static const char *read_lease(sd_bus_message *reply, Held *held) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        const char *id;
        int fd;

        *held = (Held){ .fd = -EBADF };
        if (error)
                return keep_error(error);
        assert_true(sd_bus_message_read(reply, "hs", &fd, &id) > 0);
        held->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        held->id = strdup(id);
        read_info(reply, held);
        return NULL;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        ((Pending *)userdata)->reply = sd_bus_message_ref(reply);
        return 0;
}

void client_lease_begin(sd_bus *bus, const char *machine, uint64_t wait_usec, Pending *pending) {
        client_lease_begin_as(bus, machine, "joe", wait_usec, pending);
}

static void lease_begin(sd_bus *bus, const char *machine, const char *nick, bool is_operator,
        uint64_t wait_usec, Pending *pending) {
        sd_bus_message *call = NULL;

        *pending = (Pending){};
        assert_true(sd_bus_message_new_method_call(
                            bus, &call, NAME, MANAGER_PATH, NAME ".Manager", "Lease") >= 0);
        assert_true(sd_bus_message_append(call, "sa{sv}", machine, 5, "wait_usec", "t", wait_usec, "nick",
                            "s", nick, "channel", "s", "#test", "language", "s", "sh", "operator", "b",
                            is_operator) >= 0);
        assert_true(
                sd_bus_call_async(bus, &pending->slot, call, on_reply, pending, WORLD_PATIENCE_USEC) >= 0);
        sd_bus_message_unref(call);
        assert_true(sd_bus_flush(bus) >= 0);
}

void client_lease_begin_as(
        sd_bus *bus, const char *machine, const char *nick, uint64_t wait_usec, Pending *pending) {
        lease_begin(bus, machine, nick, false, wait_usec, pending);
}

void client_snapshot_begin(sd_bus *bus, const char *machine, Pending *pending) {
        _cleanup_text_ Text path = {};

        *pending = (Pending){};
        text_append_printf(&path, MANAGER_PATH "/machine/%s", machine);
        assert_true(sd_bus_call_method_async(bus, &pending->slot, NAME, text_string(&path), NAME ".Machine",
                            "Snapshot", on_reply, pending, NULL) >= 0);
        assert_true(sd_bus_flush(bus) >= 0);
}

void client_revert_begin(sd_bus *bus, const char *machine, Pending *pending) {
        _cleanup_text_ Text path = {};

        *pending = (Pending){};
        text_append_printf(&path, MANAGER_PATH "/machine/%s", machine);
        assert_true(sd_bus_call_method_async(bus, &pending->slot, NAME, text_string(&path), NAME ".Machine",
                            "Revert", on_reply, pending, "s", "because") >= 0);
        assert_true(sd_bus_flush(bus) >= 0);
}

static void wait_for_reply(sd_bus *bus, const Pending *pending) {
        while (!pending->reply) {
                int r = sd_bus_process(bus, NULL);
                assert_true(r >= 0);
                if (r == 0)
                        assert_true(sd_bus_wait(bus, WORLD_PATIENCE_USEC) >= 0);
        }
}

static void pending_done(Pending *pending) {
        sd_bus_message_unref(pending->reply);
        sd_bus_slot_unref(pending->slot);
}

const char *client_wait(sd_bus *bus, Pending *pending, Held *ret) {
        wait_for_reply(bus, pending);
        const char *error = read_lease(pending->reply, ret);
        pending_done(pending);
        return error;
}

const char *client_wait_done(sd_bus *bus, Pending *pending) {
        wait_for_reply(bus, pending);
        const sd_bus_error *e = sd_bus_message_get_error(pending->reply);
        const char *error = e ? keep_error(e) : NULL;
        pending_done(pending);
        return error;
}

const char *client_lease(sd_bus *bus, const char *machine, uint64_t wait_usec, Held *ret) {
        Pending pending;

        client_lease_begin(bus, machine, wait_usec, &pending);
        return client_wait(bus, &pending, ret);
}

const char *client_lease_operator(sd_bus *bus, const char *machine, uint64_t wait_usec, Held *ret) {
        Pending pending;

        lease_begin(bus, machine, "joe", true, wait_usec, &pending);
        return client_wait(bus, &pending, ret);
}

static const char *call_done(int r, sd_bus_error *error) {
        const char *name = r < 0 ? keep_error(error) : NULL;

        assert_true(r >= 0 || sd_bus_error_is_set(error));
        sd_bus_error_free(error);
        return name;
}

const char *client_release(sd_bus *bus, const Held *held, const char *outcome) {
        sd_bus_error error = SD_BUS_ERROR_NULL;

        int r = sd_bus_call_method(
                bus, NAME, MANAGER_PATH, NAME ".Manager", "Release", &error, NULL, "ss", held->id, outcome);
        return call_done(r, &error);
}

const char *client_call(sd_bus *bus, const char *machine, const char *member, const char *argument) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_text_ Text path = {};

        text_append_printf(&path, MANAGER_PATH "%s%s", machine ? "/machine/" : "", machine ? machine : "");
        int r = sd_bus_call_method(bus, NAME, text_string(&path),
                machine ? NAME ".Machine" : NAME ".Manager", member, &error, NULL, argument ? "s" : NULL,
                argument);
        return call_done(r, &error);
}

void held_echo(const Held *held, const char *word) {
        _cleanup_text_ Text question = {}, answer = {}, wanted = {};
        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;
        bool marker = streq(held->guest, "pbot-2023");

        text_append_printf(&question, "{\"code\":\"echo %s\"}\n%s", word, marker ? ":end:\n" : "\n");
        text_append_printf(&wanted,
                "{\"an echo\":\"of the request\"}\r\nresult:{\"result\":\"%s\\n\"}\r\nresult:end\r\n", word);
        assert_int_equal(io_write(held->fd, question.data, question.size, deadline), 0);
        while (answer.size < wanted.size) {
                char *p = text_reserve(&answer, 256);
                ssize_t n = io_read(held->fd, p, 256, deadline);
                assert_true(n > 0);
                answer.size += (size_t)n;
        }
        assert_string_equal(text_string(&answer), text_string(&wanted));
}

bool held_is_over(const Held *held) {
        char buffer[4096];
        ssize_t n;

        while ((n = io_read(held->fd, buffer, sizeof(buffer), now_monotonic() + WORLD_PATIENCE_USEC)) > 0)
                ;
        return n == 0 || n == -ECONNRESET;
}

uint64_t machine_number(sd_bus *bus, const char *property) {
        uint64_t value;

        assert_true(sd_bus_get_property_trivial(
                            bus, NAME, MACHINE_PATH, NAME ".Machine", property, NULL, 't', &value) >= 0);
        return value;
}

uint32_t machine_count(sd_bus *bus, const char *property) {
        uint32_t value;

        assert_true(sd_bus_get_property_trivial(
                            bus, NAME, MACHINE_PATH, NAME ".Machine", property, NULL, 'u', &value) >= 0);
        return value;
}

uint64_t machine_counted(sd_bus *bus, const char *property, const char *name) {
        sd_bus_message *reply = NULL;
        uint64_t count, found = UINT64_MAX;
        const char *at;
        int r;

        assert_true(sd_bus_get_property(
                            bus, NAME, MACHINE_PATH, NAME ".Machine", property, NULL, &reply, "a{st}") >= 0);
        assert_true(sd_bus_message_enter_container(reply, 'a', "{st}") > 0);
        while ((r = sd_bus_message_read(reply, "{st}", &at, &count)) > 0)
                if (streq(at, name))
                        found = count;
        assert_int_equal(r, 0);
        assert_true(found != UINT64_MAX);
        sd_bus_message_unref(reply);
        return found;
}

uint64_t machine_hour(sd_bus *bus, const char *name) {
        sd_bus_message *reply = NULL;
        uint64_t sum = 0;
        const char *at;
        int r;

        assert_true(sd_bus_get_property(bus, NAME, MACHINE_PATH, NAME ".Machine", "LastHour", NULL, &reply,
                            "a{sau}") >= 0);
        assert_true(sd_bus_message_enter_container(reply, 'a', "{sau}") > 0);
        while ((r = sd_bus_message_enter_container(reply, 'e', "sau")) > 0) {
                const void *counts;
                size_t size;
                assert_true(sd_bus_message_read(reply, "s", &at) > 0);
                assert_true(sd_bus_message_read_array(reply, 'u', &counts, &size) >= 0);
                assert_int_equal(size, 60 * sizeof(uint32_t));
                for (size_t i = 0; streq(at, name) && i < 60; i++)
                        sum += ((const uint32_t *)counts)[i];
                assert_true(sd_bus_message_exit_container(reply) >= 0);
        }
        assert_int_equal(r, 0);
        sd_bus_message_unref(reply);
        return sum;
}

const char *machine_string(sd_bus *bus, const char *property) {
        static char copy[512];
        char *value = NULL;

        assert_true(sd_bus_get_property_string(
                            bus, NAME, MACHINE_PATH, NAME ".Machine", property, NULL, &value) >= 0);
        snprintf(copy, sizeof(copy), "%s", value);
        free(value);
        return copy;
}
