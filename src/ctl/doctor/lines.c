/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How host and guest reach each other: virtio channels, serial lines over TCP, vsock. */

#include <inttypes.h>

#include "ctl/doctor/check.h"
#include "ctl/doctor/tree.h"

#define CHANNEL(name) "/domain/devices/channel[target/@type='virtio' and target/@name='" name "']"
#define DATA CHANNEL("org.pbot.vm.0")
#define HEART CHANNEL("org.pbot.vm.heartbeat")
#define TCP "/domain/devices/serial[@type='tcp'][source/@mode='bind']"
/* Whatever it speaks, it listens. */
#define PORTS TCP "/source/@service"
/* Without telnet's escapes: on others no guest is looked for. */
#define LINES TCP "[not(protocol) or protocol/@type='raw']/source/@service"
#define CID "/domain/devices/vsock/cid/@address"

static size_t count(const Patient *patient, const char *path) {
        return xml_count(patient->domain->xml, path);
}

static LookResult look_line(const Patient *patient, Found *found _unused_) {
        return count(patient, DATA) > 0 || count(patient, LINES) > 0 ||
                               count(patient, "/domain/devices/vsock") > 0
                       ? LOOK_OK
                       : LOOK_WRONG;
}

static LookResult look_heart(const Patient *patient, Found *found _unused_) {
        return count(patient, DATA) == 0 ? LOOK_LEFT_OUT : count(patient, HEART) > 0 ? LOOK_OK : LOOK_WRONG;
}

/* The heartbeat of a guest that has no channel is the second serial line. */
static LookResult look_serial_pair(const Patient *patient, Found *found) {
        size_t n = count(patient, LINES);

        if (count(patient, HEART) > 0 || (n == 0 && count(patient, "/domain/devices/vsock") == 0))
                return LOOK_LEFT_OUT;
        text_append_printf(&found->what, "%zu", n);
        return n < 2 ? LOOK_WRONG : LOOK_OK;
}

/* Where libvirt chooses the path it has the domain's number in it, and is another one after each revert. A
 * channel that is missing is told by another row. */
static LookResult look_channel_path(const Patient *patient, Found *found) {
        const struct {
                const char *channel, *path, *wanted;
        } channels[] = {
                { DATA, DATA "/source/@path", patient->machine->channel_data },
                { HEART, HEART "/source/@path", patient->machine->channel_heart },
        };

        if (!patient_is_local(patient) || count(patient, DATA) == 0)
                return LOOK_LEFT_OUT;
        for (size_t i = 0; i < ELEMENTSOF(channels); i++) {
                _cleanup_free_ char *path = xml_string(patient->domain->xml, channels[i].path, 0);
                if (count(patient, channels[i].channel) > 0 && channels[i].wanted &&
                        !streq(path ?: "", channels[i].wanted)) {
                        text_append_printf(&found->what, "%s in place of %s",
                                path ?: "libvirt's own, which changes", channels[i].wanted);
                        return LOOK_WRONG;
                }
        }
        return LOOK_OK;
}

static LookResult look_channel_owner(const Patient *patient, Found *found _unused_) {
        if (!patient_is_local(patient) || count(patient, DATA "/source/@path") == 0)
                return LOOK_LEFT_OUT;
        return count(patient, DATA "/source[seclabel[@model='dac' and @relabel='no']]") > 0 ? LOOK_OK
                                                                                            : LOOK_WRONG;
}

static LookResult look_serial_open(const Patient *patient, Found *found) {
        static const char open[] =
                TCP "/source[not(@host='127.0.0.1' or @host='localhost' or @host='::1')]/@host";
        _cleanup_free_ char *host = xml_string(patient->domain->xml, open, 0);

        if (count(patient, PORTS) == 0)
                return LOOK_LEFT_OUT;
        text_append_string(&found->what, host ?: "");
        return host ? LOOK_WRONG : LOOK_OK;
}

/* What may be there once on a host and is there in another domain too. */
static LookResult look_clash(const Patient *patient, const char *path, Found *found) {
        size_t n = count(patient, path);

        for (size_t i = 0; i < n; i++) {
                uint64_t number = xml_number(patient->domain->xml, path, i);
                for (size_t k = 0; number > 0 && k < patient->hypervisor->n_domains; k++) {
                        const DomainFacts *other = &patient->hypervisor->domains[k];
                        if (other == patient->domain || !xml_has_number(other->xml, path, number))
                                continue;
                        text_append_printf(
                                &found->what, "%" PRIu64 ", as domain %s has", number, other->name);
                        return LOOK_WRONG;
                }
        }
        return n > 0 ? LOOK_OK : LOOK_LEFT_OUT;
}

static LookResult look_port_clash(const Patient *patient, Found *found) {
        return look_clash(patient, PORTS, found);
}

static LookResult look_cid_clash(const Patient *patient, Found *found) {
        return look_clash(patient, CID, found);
}

/* A domain that has a channel is reached by that, unless another way is demanded. */
static bool has_better(const Patient *patient, TransportKind kind) {
        return count(patient, DATA) > 0 && patient->machine->transport != kind;
}

static LookResult look_port_named(const Patient *patient, Found *found) {
        const MachineConfig *machine = patient->machine;
        const uint16_t ports[] = { machine->serial_port, machine->heart_port };

        if (has_better(patient, TRANSPORT_SERIAL))
                return LOOK_LEFT_OUT;
        for (size_t i = 0; i < ELEMENTSOF(ports); i++)
                if (ports[i] > 0 && !xml_has_number(patient->domain->xml, LINES, ports[i])) {
                        text_append_printf(&found->what, "%u", ports[i]);
                        return LOOK_WRONG;
                }
        return ports[0] > 0 || ports[1] > 0 ? LOOK_OK : LOOK_LEFT_OUT;
}

static LookResult look_cid_named(const Patient *patient, Found *found) {
        uint64_t cid = xml_number(patient->domain->xml, CID, 0);

        if (patient->machine->cid == 0 || has_better(patient, TRANSPORT_VSOCK))
                return LOOK_LEFT_OUT;
        if (cid == 0)
                text_append_string(&found->what, "none");
        else
                text_append_printf(&found->what, "%" PRIu64, cid);
        text_append_printf(&found->what, ", the configuration %" PRIu32, patient->machine->cid);
        return cid != patient->machine->cid ? LOOK_WRONG : LOOK_OK;
}

static LookResult look_vhost(const Patient *patient, Found *found _unused_) {
        if (!patient_is_local(patient) || count(patient, "/domain/devices/vsock") == 0)
                return LOOK_LEFT_OUT;
        return tree_has(patient->root, "/dev/vhost-vsock") ? LOOK_OK : LOOK_WRONG;
}

static const Check checks[] = {
        { "line", SCOPE_DOMAIN, CHECK_FAULT, "host and guest have a line", look_line,
                "domain {domain} has neither our virtio channel nor a serial line over TCP nor a vsock "
                "device",
                "pbotvmctl attach channel {machine}" },
        { "heartbeat-channel", SCOPE_DOMAIN, CHECK_FAULT, "there is a channel for the heartbeat", look_heart,
                "domain {domain} has channel org.pbot.vm.0 but not org.pbot.vm.heartbeat",
                "pbotvmctl attach channel {machine}" },
        { "serial-pair", SCOPE_DOMAIN, CHECK_FAULT, "there is a serial line for the heartbeat",
                look_serial_pair,
                "domain {domain} has {what} serial lines over TCP and no channel for the heartbeat, which "
                "would be the second of two",
                "pbotvmctl attach serial {machine}" },
        { "channel-path", SCOPE_DOMAIN, CHECK_FAULT, "the channels' sockets are where the watchdog looks",
                look_channel_path, "a channel of domain {domain} has its socket at {what}",
                "pbotvmctl attach channel {machine}" },
        { "channel-owner", SCOPE_DOMAIN, CHECK_FAULT, "the channels' sockets are left to the watchdog",
                look_channel_owner,
                "libvirt gives the socket of {domain}'s channel to QEMU's user (no <seclabel model='dac' "
                "relabel='no'/>), and the watchdog may not connect",
                "pbotvmctl attach channel {machine}" },
        { "serial-open", SCOPE_DOMAIN, CHECK_FAULT, "serial lines listen on this host alone",
                look_serial_open,
                "a serial line of domain {domain} listens on {what}: other hosts can speak with the guest",
                "pbotvmctl attach serial {machine}" },
        { "port-clash", SCOPE_DOMAIN, CHECK_FAULT, "no other domain has the serial lines' ports",
                look_port_clash, "domain {domain} has serial port {what}",
                "pbotvmctl attach serial {machine}" },
        { "port-named", SCOPE_DOMAIN, CHECK_FAULT, "the domain has the ports of the configuration",
                look_port_named, "domain {domain} has no serial line on port {what} of the configuration",
                "pbotvmctl attach serial {machine}" },
        { "cid-clash", SCOPE_DOMAIN, CHECK_FAULT, "no other domain has the CID", look_cid_clash,
                "domain {domain} has vsock CID {what}", "pbotvmctl attach vsock {machine}" },
        { "cid-named", SCOPE_DOMAIN, CHECK_FAULT, "the domain has the CID of the configuration",
                look_cid_named, "domain {domain} has another vsock CID than the configuration: {what}",
                "pbotvmctl attach vsock {machine}" },
        { "vhost-vsock", SCOPE_DOMAIN, CHECK_FAULT, "vhost_vsock is loaded", look_vhost,
                "domain {domain} has a vsock device, and there is no /dev/vhost-vsock: it cannot start",
                "modprobe vhost_vsock && echo vhost_vsock >/etc/modules-load.d/vhost_vsock.conf" },
};
const CheckTable line_checks = { checks, ELEMENTSOF(checks) };
