/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What was installed of ours: users, folders, units, the configuration, the ports. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "ctl/doctor/check.h"
#include "ctl/doctor/tree.h"
#include "paths.h"

#define ACTIVATION_FILE "/usr/share/dbus-1/system-services/org.pbot.VM1.service"
#define ACTIVATION_LINK "/etc/systemd/system/dbus-org.pbot.VM1.service"

/* The first line of a text. */
static void append_line(Text *to, const Text *from) {
        const char *string = text_string(from);

        text_append(to, string, strcspn(string, "\n"));
}

static LookResult look_configuration(const Patient *patient, Found *found) {
        if (patient->config)
                return LOOK_OK;
        append_line(&found->what, patient->config_errors);
        return LOOK_WRONG;
}

static LookResult look_patience(const Patient *patient, Found *found) {
        if (!patient->config)
                return LOOK_LEFT_OUT;
        append_line(&found->what, patient->config_warnings);
        return patient->config_warnings->size > 0 ? LOOK_WRONG : LOOK_OK;
}

static LookResult look_users(const Patient *patient, Found *found) {
        static const char *const users[] = { "pbotvm", "pbotvm-watchdog", "pbotvm-paste", "pbotvm-qemu",
                "pbotvm-template" };
        uid_t uid;

        for (size_t i = 0; i < ELEMENTSOF(users); i++)
                if (tree_user(patient->root, users[i], &uid) < 0) {
                        text_append_string(&found->what, users[i]);
                        return LOOK_WRONG;
                }
        return LOOK_OK;
}

static LookResult look_state_folder(const Patient *patient, Found *found) {
        struct stat st;
        uid_t uid;

        if (tree_user(patient->root, "pbotvm", &uid) < 0)
                return LOOK_LEFT_OUT; /* told by another row */
        int r = tree_stat(patient->root, PBOTVM_STATE_DIR, &st);
        if (r < 0)
                text_append_printf(&found->what, "cannot be read (%s)", strerror(-r));
        else if (st.st_uid != uid)
                text_append_printf(&found->what, "belongs to user %u, not to pbotvm", st.st_uid);
        else if ((st.st_mode & 07777) != 0700)
                text_append_printf(&found->what, "has mode %04o, not 0700", st.st_mode & 07777);
        return found->what.size > 0 ? LOOK_WRONG : LOOK_OK;
}

static LookResult look_channel_folder(const Patient *patient, Found *found) {
        struct stat st;
        gid_t gid;

        if (tree_group(patient->root, "pbotvm-watchdog", &gid) < 0)
                return LOOK_LEFT_OUT;
        int r = tree_stat(patient->root, PBOTVM_CHANNEL_DIR, &st);
        if (r < 0)
                text_append_printf(&found->what, "cannot be read (%s)", strerror(-r));
        else if (st.st_gid != gid)
                text_append_printf(&found->what, "belongs to group %u, not to pbotvm-watchdog", st.st_gid);
        else if ((st.st_mode & 07777) != 02750)
                text_append_printf(&found->what, "has mode %04o, not 2750", st.st_mode & 07777);
        return found->what.size > 0 ? LOOK_WRONG : LOOK_OK;
}

/* What history and storage may grow to must fit. What they hold already is asked for again: to count it
 * would be to read all of it. */
static LookResult look_state_space(const Patient *patient, Found *found) {
        _cleanup_close_ int fd =
                openat(patient->root, &PBOTVM_STATE_DIR[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct statvfs st;

        if (!patient->config || fd < 0 || fstatvfs(fd, &st) < 0)
                return LOOK_LEFT_OUT;
        uint64_t there = (uint64_t)st.f_bavail * st.f_frsize;
        uint64_t wanted = patient->config->history_total_bytes + patient->config->storage_total_bytes;
        text_append_printf(
                &found->what, "%" PRIu64 " MiB, and %" PRIu64 " MiB are free", wanted >> 20, there >> 20);
        return there < wanted ? LOOK_WRONG : LOOK_OK;
}

static LookResult look_enabled(const Patient *patient, const char *link) {
        return !tree_has(patient->root, "/etc/systemd/system") ? LOOK_LEFT_OUT
               : tree_has(patient->root, link)                 ? LOOK_OK
                                                               : LOOK_WRONG;
}

static LookResult look_socket_enabled(const Patient *patient, Found *found _unused_) {
        return look_enabled(patient, "/etc/systemd/system/sockets.target.wants/pbotvm.socket");
}

static LookResult look_watchdog_enabled(const Patient *patient, Found *found _unused_) {
        return look_enabled(patient, "/etc/systemd/system/multi-user.target.wants/pbotvm-watchdog.service");
}

/* Versions before this one installed it, and an installation takes nothing away. */
static LookResult look_activation(const Patient *patient, Found *found _unused_) {
        return tree_has(patient->root, ACTIVATION_FILE) ? LOOK_WRONG : LOOK_OK;
}

static LookResult look_off(const Patient *patient, Found *found) {
        _cleanup_text_ Text link = {};
        const char *domain = patient->machine->domain;

        if (!patient_is_local(patient) ||
                !tree_has(
                        patient->root, "/etc/systemd/system/multi-user.target.wants/libvirt-guests.service"))
                return LOOK_LEFT_OUT;
        text_append_printf(&found->what, "pbotvm-off@%s.service", domain);
        text_append_printf(
                &link, "/etc/systemd/system/multi-user.target.wants/pbotvm-off@%s.service", domain);
        return text_failed(&link) ? LOOK_LEFT_OUT : look_enabled(patient, text_string(&link));
}

/* ---- who listens ---- */

/* The user who listens on a TCP port of an address, or of all: 1 with *ret, 0 if nobody. The kernel prints
 * an address as the words of it that lie in memory. */
static int listener_of(const Text *table, const char *host, uint16_t port, uid_t *ret) {
        for (const char *line = text_string(table); *line;
                line += strcspn(line, "\n"), line += *line == '\n') {
                unsigned words[4], at, state, uid;
                char address[33], text[INET6_ADDRSTRLEN];

                if (sscanf(line, " %*u: %32[0-9A-F]:%X %*[0-9A-F]:%*X %X %*X:%*X %*X:%*X %*X %u", address,
                            &at, &state, &uid) != 4 ||
                        at != port || state != 0x0A)
                        continue;
                int n = sscanf(address, "%8X%8X%8X%8X", &words[0], &words[1], &words[2], &words[3]);
                if ((n != 1 && n != 4) || !inet_ntop(n == 1 ? AF_INET : AF_INET6, words, text, sizeof(text)))
                        continue;
                if (streq(text, host) || streq(text, "0.0.0.0") || streq(text, "::")) {
                        *ret = uid;
                        return 1;
                }
        }
        return 0;
}

static int find_listener(const Patient *patient, const char *host, uint16_t port, uid_t *ret) {
        static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };

        for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
                _cleanup_text_ Text table = {};
                if (tree_read(patient->root, tables[i], &table) < 0)
                        continue;
                int r = listener_of(&table, host, port, ret);
                if (r != 0)
                        return r;
        }
        return 0;
}

/* Asks is_wrong() for each TCP address of the configuration until one is wrong. */
static LookResult each_address(
        const Patient *patient, Found *found, bool (*is_wrong)(bool listens, uid_t uid)) {
        const Config *config = patient->config;
        uid_t uid = 0;

        if (!config || !tree_has(patient->root, "/proc/net/tcp"))
                return LOOK_LEFT_OUT;
        for (size_t i = 0; i <= config->n_listeners; i++) {
                bool is_default = i == config->n_listeners;
                const char *host = is_default ? config->listen_address : config->listeners[i].host;
                uint16_t port = is_default ? config->listen_port : config->listeners[i].port;

                if (!host || (is_default && !config->listen_default))
                        continue;
                bool listens = find_listener(patient, host, port, &uid) > 0;
                if (is_wrong(listens, uid)) {
                        text_append_printf(&found->what, "%s port %u", host, port);
                        text_append_printf(&found->mend, "ss -Hltnp 'sport = :%u'", port);
                        return LOOK_WRONG;
                }
        }
        return LOOK_OK;
}

static bool is_silent(bool listens, uid_t uid _unused_) {
        return !listens;
}

/* systemd listens for us, and is root. */
static bool is_stranger(bool listens, uid_t uid) {
        return listens && uid != 0;
}

static LookResult look_listening(const Patient *patient, Found *found) {
        return each_address(patient, found, is_silent);
}

static LookResult look_stranger(const Patient *patient, Found *found) {
        return each_address(patient, found, is_stranger);
}

static const Check checks[] = {
        { "configuration", SCOPE_HOST, CHECK_FAULT, "the configuration has no mistake", look_configuration,
                "the configuration has a mistake: {what}",
                "sudoedit {config} && systemctl reload pbotvm-watchdog" },
        { "patience", SCOPE_HOST, CHECK_WARNING, "waiting and time limit end before PBot's 30 s",
                look_patience, "{what}", "sudoedit {config} && systemctl reload pbotvm-watchdog" },
        { "users", SCOPE_HOST, CHECK_FAULT, "the services' users are there", look_users,
                "there is no user {what}", "systemd-sysusers" },
        { "state-folder", SCOPE_HOST, CHECK_FAULT, PBOTVM_STATE_DIR " is the handlers' alone",
                look_state_folder, PBOTVM_STATE_DIR " {what}", "systemd-tmpfiles --create pbotvm.conf" },
        { "channel-folder", SCOPE_HOST, CHECK_FAULT, PBOTVM_CHANNEL_DIR " is the watchdog's",
                look_channel_folder, PBOTVM_CHANNEL_DIR " {what}", "systemd-tmpfiles --create pbotvm.conf" },
        { "state-space", SCOPE_HOST, CHECK_WARNING, "history and storage have room to grow",
                look_state_space, "history and storage below " PBOTVM_STATE_DIR " may grow to {what}",
                "du -xh --max-depth=2 \"$(findmnt -no TARGET -T " PBOTVM_STATE_DIR ")\" | sort -h | tail" },
        { "socket-enabled", SCOPE_HOST, CHECK_WARNING, "pbotvm.socket starts with the host",
                look_socket_enabled, "pbotvm.socket does not start with the host",
                "systemctl enable --now pbotvm.socket" },
        { "watchdog-enabled", SCOPE_HOST, CHECK_WARNING, "pbotvm-watchdog starts with the host",
                look_watchdog_enabled, "pbotvm-watchdog does not start with the host",
                "systemctl enable --now pbotvm-watchdog" },
        { "watchdog-activation", SCOPE_HOST, CHECK_WARNING, "a stopped pbotvm-watchdog stays stopped",
                look_activation,
                "a file of an older version lets D-Bus start pbotvm-watchdog that was "
                "stopped: " ACTIVATION_FILE,
                "rm -f " ACTIVATION_FILE " " ACTIVATION_LINK
                " && systemctl daemon-reload && systemctl reload dbus" },
        { "listening", SCOPE_HOST, CHECK_FAULT, "somebody listens for clients", look_listening,
                "nobody listens on {what}", "systemctl daemon-reload && systemctl restart pbotvm.socket" },
        { "stranger", SCOPE_HOST, CHECK_FAULT, "nobody else holds the clients' ports", look_stranger,
                "{what} is held by a process that is not systemd's, such as PBot's own vm-server: end it, "
                "then start pbotvm.socket",
                "{mend}" },
        { "off-with-host", SCOPE_MACHINE, CHECK_WARNING, "the domain goes off before the host", look_off,
                "libvirt-guests waits minutes for the guest when the host goes down: {what} is not enabled",
                "systemctl enable --now {what}" },
};
const CheckTable install_checks = { checks, ELEMENTSOF(checks) };
