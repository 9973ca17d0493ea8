/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a domain's XML tells of its lines, and which ways to a guest there are by that and the configuration.
 */

#include "watchdog/libvirt/domain-xml.h"
#include "watchdog/transport/transport.h"

#include "test.h"

#define CHANNEL ((char *)"/run/data")

static const char guide[] =
        "<domain type='kvm' id='1'><devices>"
        "<serial type='pty'><target port='0'/></serial>"
        "<serial type='tcp'><source mode='bind' host='127.0.0.1' service='5555' tls='no'/><protocol "
        "type='raw'/>"
        "<target port='1'/></serial>"
        "<serial type='tcp'><source mode='bind' host='127.0.0.1' service='5556'/><protocol "
        "type='raw'/></serial>"
        "<console type='tcp'><source mode='bind' host='127.0.0.1' service='1'/></console>"
        "<vsock model='virtio'><cid auto='no' address='7'/></vsock></devices></domain>";
static const char other[] =
        "<domain><devices>"
        "<serial type='tcp'><source mode='bind' host='127.0.0.1' service='2'/><protocol "
        "type='telnet'/></serial>"
        "<serial type='tcp'><source mode='connect' host='127.0.0.1' service='3'/><protocol "
        "type='raw'/></serial>"
        "<serial type='tcp'><source mode='bind' host='10.0.0.1' service='4'/><protocol type='raw'/></serial>"
        "<serial type='tcp'><source mode='bind' host='0.0.0.0' service='99999'/><protocol "
        "type='raw'/></serial>"
        "<channel type='unix'><source mode='bind' path='/x'/><target type='virtio' "
        "name='org.pbot.vm.0'/></channel>"
        "<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>"
        "<vsock model='virtio'><cid auto='yes'/></vsock></devices></domain>";

static void test_a_domain_tells_its_lines(void **state _unused_) {
        DomainLines lines = {};

        assert_int_equal(domain_xml_lines(guide, &lines), 0);
        assert_true(lines.known);
        assert_false(lines.channel);
        assert_int_equal(lines.ports[0], 5555);
        assert_int_equal(lines.ports[1], 5556);
        assert_int_equal(lines.ports[2], 0);
        assert_int_equal(lines.cid, 7);
        assert_true(domain_lines_have_port(&lines, 5556));
        assert_false(domain_lines_have_port(&lines, 0));

        assert_int_equal(domain_xml_lines(other, &lines), 0);
        assert_true(lines.channel);
        assert_int_equal(lines.ports[0], 0);
        assert_int_equal(lines.cid, 0);
        assert_int_equal(domain_xml_lines("<domain", &lines), -EBADMSG);
        assert_int_equal(domain_xml_lines("", &lines), -EBADMSG);
}

/* Ports that are 0, and a CID, stand for none. */
static const struct {
        const char *what;
        MachineConfig config;
        DomainLines lines;
        TransportKind data[ENDPOINTS_MAX]; /* ended by TRANSPORT_AUTO */
        uint16_t port;
        uint32_t cid;
        uint16_t heart;
} cases[] = {
        { "nothing is known", { .channel_data = CHANNEL }, {}, { TRANSPORT_CHANNEL }, 0, 0, 0 },
        { "the guide's domain", { .channel_data = CHANNEL }, { true, false, { 5, 6 }, 7 },
                { TRANSPORT_CHANNEL, TRANSPORT_VSOCK, TRANSPORT_SERIAL }, 5, 7, 6 },
        { "a domain with all", { .channel_data = CHANNEL }, { true, true, { 5, 6 }, 7 },
                { TRANSPORT_CHANNEL }, 0, 0, 0 },
        { "asked for",
                { .channel_data = CHANNEL,
                        .serial_port = 5,
                        .serial_named = true,
                        .heart_port = 6,
                        .heart_named = true,
                        .cid = 7,
                        .cid_named = true },
                { true, true, { 5, 6 }, 7 }, { TRANSPORT_CHANNEL, TRANSPORT_VSOCK, TRANSPORT_SERIAL }, 5, 7,
                6 },
        { "ports that the domain does not hold",
                { .channel_data = CHANNEL,
                        .serial_port = 8,
                        .serial_named = true,
                        .heart_port = 9,
                        .heart_named = true },
                { true, true, { 5, 6 }, 0 }, { TRANSPORT_CHANNEL }, 0, 0, 0 },
        { "the file's word", { .serial_port = 8, .serial_named = true }, { .known = true },
                { TRANSPORT_SERIAL }, 8, 0, 0 },
        { "none is meant", { .channel_data = CHANNEL, .serial_named = true, .cid_named = true },
                { true, false, { 5, 6 }, 7 }, { TRANSPORT_CHANNEL }, 0, 0, 6 },
        { "vsock, of which the channel tells the secret",
                { .transport = TRANSPORT_VSOCK, .channel_data = CHANNEL, .cid = 7, .cid_named = true }, {},
                { TRANSPORT_CHANNEL, TRANSPORT_VSOCK }, 0, 7, 0 },
        { "nothing but serial",
                { .transport = TRANSPORT_SERIAL,
                        .channel_data = CHANNEL,
                        .serial_port = 8,
                        .serial_named = true },
                { true, true, { 5, 6 }, 7 }, { TRANSPORT_SERIAL }, 8, 0, 0 },
};

#define THERE .domain = (char *)"vm", .uri = (char *)"qemu+tls://host/system"

/* Whatever of this host would be taken for a machine that is on another one. */
static void test_nothing_here_is_a_guest_there(void **state _unused_) {
        static const DomainLines lines = { true, false, { 5, 6 }, 7 };
        static const struct {
                MachineConfig config;
                size_t n;
        } table[] = {
                { { THERE, .channel_data = CHANNEL, .channel_heart = CHANNEL, .cid = 7, .cid_named = true },
                        0 },
                { { THERE, .serial_port = 5, .serial_named = true, .heart_port = 6, .heart_named = true },
                        0 },
                { { THERE, .addr = (char *)"10.0.0.1", .addr_named = true }, 0 },
                { { THERE, .addr = (char *)"10.0.0.1", .addr_named = true, .serial_port = 5,
                          .serial_named = true, .heart_port = 6, .heart_named = true },
                        1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                for (int known = 0; known < 2; known++) {
                        const DomainLines *l = known ? &lines : &(DomainLines){};
                        Endpoint data[ENDPOINTS_MAX] = {}, heart[ENDPOINTS_MAX] = {};

                        assert_int_equal(transport_data_endpoints(&table[i].config, l, data), table[i].n);
                        assert_int_equal(transport_heart_endpoints(&table[i].config, l, heart), table[i].n);
                        if (table[i].n > 0) {
                                assert_int_equal(data[0].kind, TRANSPORT_SERIAL);
                                assert_string_equal(data[0].addr, "10.0.0.1");
                                assert_int_equal(data[0].port, 5);
                                assert_int_equal(heart[0].port, 6);
                        }
                }
}

/* In place of the sockets, where its domain has the channels; elsewhere where it is asked for. */
static void test_streams(void **state _unused_) {
        static const DomainLines with = { true, true, { 5, 6 }, 7 }, without = { true, false, { 5, 6 }, 7 };
        static const struct {
                MachineConfig config;
                const DomainLines *lines;
                size_t n;
        } table[] = {
                { { THERE, .channel_data = CHANNEL }, &with, 1 },
                { { THERE, .channel_data = CHANNEL }, &without, 0 },
                { { THERE, .addr = (char *)"10.0.0.1", .addr_named = true, .serial_port = 5,
                          .serial_named = true, .heart_port = 6, .heart_named = true },
                        &with, 2 },
                { { THERE, .transport = TRANSPORT_STREAM }, &without, 1 },
                { { .channel_data = CHANNEL, .cid = 7, .transport = TRANSPORT_STREAM }, &with, 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Endpoint data[ENDPOINTS_MAX] = {}, heart[ENDPOINTS_MAX] = {};

                assert_int_equal(
                        transport_data_endpoints(&table[i].config, table[i].lines, data), table[i].n);
                assert_int_equal(
                        transport_heart_endpoints(&table[i].config, table[i].lines, heart), table[i].n);
                if (table[i].n == 0)
                        continue;
                assert_int_equal(data[0].kind, TRANSPORT_STREAM);
                assert_string_equal(data[0].path, "org.pbot.vm.0");
                assert_int_equal(heart[0].kind, TRANSPORT_STREAM);
                assert_string_equal(heart[0].path, "org.pbot.vm.heartbeat");
        }
}

static void test_ways(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Endpoint data[ENDPOINTS_MAX] = {}, heart[ENDPOINTS_MAX] = {};
                size_t n = transport_data_endpoints(&cases[i].config, &cases[i].lines, data),
                       n_heart = transport_heart_endpoints(&cases[i].config, &cases[i].lines, heart), m = 0;

                while (m < ENDPOINTS_MAX && cases[i].data[m] != TRANSPORT_AUTO)
                        m++;
                if (n != m || n_heart != (cases[i].heart > 0))
                        fail_msg("%s: %zu, %zu ways", cases[i].what, n, n_heart);
                for (size_t k = 0; k < n; k++) {
                        assert_int_equal(data[k].kind, cases[i].data[k]);
                        assert_int_equal(
                                data[k].telling, data[k].kind == TRANSPORT_CHANNEL &&
                                                         cases[i].config.transport == TRANSPORT_VSOCK);
                        if (data[k].kind == TRANSPORT_SERIAL)
                                assert_int_equal(data[k].port, cases[i].port);
                        if (data[k].kind == TRANSPORT_VSOCK)
                                assert_int_equal(data[k].cid, cases[i].cid);
                }
                if (n_heart > 0)
                        assert_int_equal(heart[0].port, cases[i].heart);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_domain_tells_its_lines),
                cmocka_unit_test(test_ways),
                cmocka_unit_test(test_streams),
                cmocka_unit_test(test_nothing_here_is_a_guest_there),
        };
        cmocka_set_test_filter(getenv("PBOTVM_TEST_FILTER"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
