/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What libvirt's own test driver says of a domain, and pbotvmctl attach with it. */

#include "patient.h"

#include <libvirt/virterror.h>

#include "ctl/attach-edit.h"

/* A domain of the guide's, without a way to reach it. */
#define BARE                                                                                                \
        "<domain type='test'><name>pbot-vm</name><memory>8192</memory><os><type>hvm</type></os><devices>"   \
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/a.qcow2'/>"       \
        "<target dev='vda' bus='virtio'/></disk></devices></domain>"

static int set_up(void **state) {
        libvirt_silence();
        *state = virConnectOpen("test:///default");
        return *state ? 0 : -1;
}

static int tear_down(void **state) {
        return virConnectClose(*state) < 0 ? -1 : 0;
}

static HypervisorFacts *facts_of(virConnectPtr connection) {
        HypervisorFacts *facts = facts_new("test:///default");

        assert_non_null(facts);
        facts_read(facts, connection);
        assert_null(facts->error);
        return facts;
}

static void test_facts(void **state) {
        _cleanup_(facts_freep) HypervisorFacts *running = NULL, *saved = NULL, *transient = NULL;

        virDomainPtr domain = virDomainDefineXML(*state, BARE);
        assert_non_null(domain);
        assert_int_equal(virDomainCreate(domain), 0);
        virDomainSnapshotPtr snapshot =
                virDomainSnapshotCreateXML(domain, "<domainsnapshot><name>1</name></domainsnapshot>", 0);
        assert_non_null(snapshot);
        running = facts_of(*state);
        const DomainFacts *facts = facts_domain(running, "pbot-vm");
        assert_non_null(facts);
        assert_int_equal(facts->state, VIR_DOMAIN_RUNNING);
        assert_true(facts->persistent);
        assert_false(facts->managed_save);
        assert_true(running->version >= 9000000);
        assert_non_null(facts_snapshot(facts, "1"));
        assert_null(facts_snapshot(facts, "2"));
        assert_null(facts_domain(running, "pbot"));
        assert_int_equal(
                xml_count(facts_snapshot(facts, "1")->xml, "/domainsnapshot/domain/devices/disk"), 1);

        assert_int_equal(virDomainSnapshotDelete(snapshot, 0), 0);
        virDomainSnapshotFree(snapshot);
        assert_int_equal(virDomainManagedSave(domain, 0), 0);
        saved = facts_of(*state);
        assert_true(facts_domain(saved, "pbot-vm")->managed_save);
        assert_int_equal(facts_domain(saved, "pbot-vm")->state, VIR_DOMAIN_SHUTOFF);

        assert_int_equal(virDomainManagedSaveRemove(domain, 0), 0);
        assert_int_equal(virDomainUndefine(domain), 0);
        virDomainFree(domain);
        domain = virDomainCreateXML(*state, BARE, 0);
        assert_non_null(domain);
        transient = facts_of(*state);
        assert_false(facts_domain(transient, "pbot-vm")->persistent);
        assert_int_equal(virDomainDestroy(domain), 0);
        virDomainFree(domain);
}

static void test_away(void **state) {
        _cleanup_(facts_freep) HypervisorFacts *facts = facts_new("test:///nonexistent/node.xml");

        (void)state;
        facts_gather(facts);
        assert_non_null(facts->error);
        assert_int_equal(facts->n_domains, 0);
}

/* Edits the definition, has libvirt take it, and returns what it made of it. */
static xmlDocPtr attach(virConnectPtr connection, const char *xml, TransportKind kind,
        const MachineConfig *machine, const HypervisorFacts *facts, Text *changed) {
        _cleanup_(xml_freep) xmlDocPtr definition = xml_parse(xml);
        _cleanup_free_ char *defined = NULL;
        xmlChar *edited;
        int size;

        assert_int_equal(attach_edit(definition, kind, machine, facts, changed), 0);
        xmlDocDumpMemory(definition, &edited, &size);
        virDomainPtr domain = virDomainDefineXML(connection, (const char *)edited);
        if (!domain)
                fail_msg("%s: %s", virGetLastErrorMessage(), edited);
        defined = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
        assert_int_equal(virDomainUndefine(domain), 0);
        virDomainFree(domain);
        xmlFree(edited);
        return xml_parse(defined);
}

static const struct {
        TransportKind kind;
        const char *devices; /* in place of the closing tag of the bare domain's */
        const char *has;     /* what the result has twice, or once for vsock */
} kinds[] = {
        { TRANSPORT_CHANNEL, "",
                "//channel[source/seclabel/@relabel='no'][starts-with(target/@name,'org.pbot.vm.')]" },
        { TRANSPORT_CHANNEL, "<channel type='unix'><target type='virtio' name='org.pbot.vm.0'/></channel>",
                "//channel[starts-with(source/@path,'/run/x/')]" },
        { TRANSPORT_SERIAL, "", "//serial[@type='tcp']/source[@mode='bind'][@host='127.0.0.1']" },
        { TRANSPORT_SERIAL,
                "<serial type='tcp'><source mode='bind' host='0.0.0.0' service='7000'/><target "
                "port='1'/></serial>",
                "//serial[@type='tcp']/source[@mode='bind'][@host='127.0.0.1'][@service != 5555]" },
        { TRANSPORT_SERIAL,
                "<serial type='tcp'><source mode='connect' host='127.0.0.1' service='7000'/>"
                "<protocol type='telnet'/><target port='1'/></serial>",
                "//serial[@type='tcp'][source/@mode='bind'][protocol/@type='raw']" },
        { TRANSPORT_VSOCK, "", "//vsock/cid[@auto='no'][@address='8']" },
        { TRANSPORT_VSOCK, "<vsock model='virtio'><cid auto='no' address='7'/></vsock>",
                "//vsock/cid[@address='8']" },
        { TRANSPORT_VSOCK, "<vsock model='virtio'><cid auto='no' address='99'/></vsock>",
                "//vsock/cid[@address='99']" },
};

/* Another domain has CID 7 and port 5555; and a second time there is nothing to do. */
static void test_attach(void **state) {
        static char name[] = "pbot-vm", data[] = "/run/x/data", heart[] = "/run/x/heart";
        const MachineConfig machine = {
                .name = name, .domain = name, .channel_data = data, .channel_heart = heart
        };
        _cleanup_(facts_freep) HypervisorFacts *facts = facts_new("test:///default");

        facts->domains = calloc(1, sizeof(DomainFacts));
        assert_non_null(facts->domains);
        facts->n_domains = 1;
        facts->domains[0].name = strdup("other");
        facts->domains[0].xml = xml_parse("<domain><devices><serial><source service='5555'/></serial>"
                                          "<vsock><cid address='7'/></vsock></devices></domain>");

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                _cleanup_text_ Text changed = {}, again = {}, xml = {};
                _cleanup_(xml_freep) xmlDocPtr first = NULL;
                const char *end = strstr(BARE, "</devices>");

                text_append(&xml, BARE, (size_t)(end - BARE));
                text_append_string(&xml, kinds[i].devices);
                text_append_string(&xml, end);
                first = attach(*state, text_string(&xml), kinds[i].kind, &machine, facts, &changed);
                if (xml_count(first, kinds[i].has) != (kinds[i].kind == TRANSPORT_VSOCK ? 1 : 2))
                        fail_msg("case %zu: %zu of %s, changed:\n%s", i, xml_count(first, kinds[i].has),
                                kinds[i].has, text_string(&changed));
                if (i < ELEMENTSOF(kinds) - 1)
                        assert_true(changed.size > 0);

                assert_int_equal(attach_edit(first, kinds[i].kind, &machine, facts, &again), 0);
                assert_string_equal(text_string(&again), "");
        }
}

/* What the configuration names is what the domain gets. */
static void test_attach_named(void **state) {
        static char name[] = "pbot-vm";
        const MachineConfig machine = {
                .name = name, .domain = name, .serial_port = 7777, .heart_port = 7778, .cid = 42
        };
        _cleanup_(facts_freep) HypervisorFacts *facts = facts_new("test:///default");
        _cleanup_(xml_freep) xmlDocPtr serial = NULL, vsock = NULL;
        _cleanup_text_ Text changed = {};

        serial = attach(*state, BARE, TRANSPORT_SERIAL, &machine, facts, &changed);
        assert_int_equal(xml_number(serial, "//serial[@type='tcp']/source/@service", 0), 7777);
        assert_int_equal(xml_number(serial, "//serial[@type='tcp']/source/@service", 1), 7778);
        vsock = attach(*state, BARE, TRANSPORT_VSOCK, &machine, facts, &changed);
        assert_int_equal(xml_number(vsock, "//vsock/cid/@address", 0), 42);
        assert_int_equal(attach_edit(NULL, TRANSPORT_VSOCK, &machine, facts, &changed), -EBADMSG);
        assert_int_equal(attach_edit(vsock, TRANSPORT_AUTO, &machine, NULL, &changed), -EINVAL);
}

/* Which ports and CIDs are free cannot be told; channels have none. */
static void test_attach_unknown(void **state) {
        static char name[] = "pbot-vm", data[] = "/run/x/data", heart[] = "/run/x/heart";
        const MachineConfig machine = {
                .name = name, .domain = name, .channel_data = data, .channel_heart = heart
        };
        _cleanup_(facts_freep) HypervisorFacts *facts = facts_new("test:///default");
        _cleanup_(xml_freep) xmlDocPtr definition = xml_parse(BARE);
        _cleanup_text_ Text changed = {};

        (void)state;
        facts->error = strdup("Connection reset");
        assert_int_equal(attach_edit(definition, TRANSPORT_SERIAL, &machine, facts, &changed), -ENODATA);
        assert_int_equal(attach_edit(definition, TRANSPORT_VSOCK, &machine, facts, &changed), -ENODATA);
        assert_string_equal(text_string(&changed), "");
        assert_int_equal(xml_count(definition, "//serial | //vsock"), 0);
        assert_int_equal(attach_edit(definition, TRANSPORT_CHANNEL, &machine, NULL, &changed), 0);
        assert_int_equal(xml_count(definition, "//channel"), 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_facts),
                cmocka_unit_test(test_away),
                cmocka_unit_test(test_attach),
                cmocka_unit_test(test_attach_named),
                cmocka_unit_test(test_attach_unknown),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
