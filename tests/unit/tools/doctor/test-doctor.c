/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* pbotvmctl doctor: each planted fault is found, and the command that mends it is named. */

#include "patient.h"

#include <fcntl.h>

#include "ctl/doctor/words.h"

/* The result of a check that must be there. */
static const Result *must(const World *world, const char *check) {
        const Result *result = world_result(world, check);

        if (!result)
                fail_msg("%s: no result", check);
        return result;
}

static void expect(const World *world, const char *check, CheckLevel level, const char *mend) {
        const Result *result = must(world, check);

        if (result->level != level)
                fail_msg("%s: %s in place of %s", check, check_level_to_string(result->level),
                        check_level_to_string(level));
        assert_non_null(result->wrong);
        assert_null(strchr(result->wrong, '{'));
        if (!strstr(result->mend, mend))
                fail_msg("%s: no '%s' in '%s'", check, mend, result->mend);
}

static void expect_all_well(World *world) {
        world_examine(world);
        for (size_t i = 0; i < world->results.n; i++)
                if (world->results.results[i].level != CHECK_OK)
                        fail_msg("%s: %s", world->results.results[i].check, world->results.results[i].wrong);
}

static void test_nothing(void **state) {
        _cleanup_(world_freep) World *world = world_new();

        (void)state;
        expect_all_well(world);
        assert_true(world->results.n > 40);
}

/* ---- the host's folder ---- */

static const struct {
        const char *check;
        CheckLevel level;
        const char *path;
        const char *content; /* NULL: it is removed, or gets the mode */
        mode_t mode;
        const char *mend;
} host_faults[] = {
        { "cpu-flags", CHECK_WARNING, "/proc/cpuinfo", "processor: 0\nflags\t\t: fpu vmx2 sse\nbugs: vmx\n",
                0, "systemctl reboot --firmware-setup" },
        { "cpu-nested", CHECK_WARNING, "/proc/cpuinfo", "processor: 0\nflags\t\t: fpu hypervisor sse\n", 0,
                "--cpu host-passthrough" },
        { "kvm", CHECK_WARNING, "/dev/kvm", NULL, 0, "modprobe kvm_intel" },
        { "domain-kvm", CHECK_FAULT, "/dev/kvm", NULL, 0, "modprobe kvm_intel || modprobe kvm_amd" },
        { "kvm-access", CHECK_WARNING, "/dev/kvm", NULL, 0600, "chmod 0660 /dev/kvm" },
        { "qemu", CHECK_FAULT, "/usr/bin/qemu-system-x86_64", NULL, 0, "apt-get install qemu-system-x86" },
        { "libvirt-installed", CHECK_FAULT, "/usr/sbin/libvirtd", NULL, 0,
                "apt-get install libvirt-daemon-system" },
        { "polkit", CHECK_FAULT, "/usr/lib/polkit-1/polkitd", NULL, 0, "apt-get install polkitd" },
        { "libvirt-daemons", CHECK_FAULT, "/etc/systemd/system/sockets.target.wants/virtqemud.socket", "", 0,
                "systemctl disable --now libvirtd.service libvirtd.socket" },
        { "memory", CHECK_WARNING, "/proc/meminfo", "MemTotal: 1048575 kB\n", 0, "setmaxmem" },
        { "users", CHECK_FAULT, "/etc/passwd", "root:x:0:0::/root:/bin/sh\n", 0, "systemd-sysusers" },
        { "state-folder", CHECK_FAULT, "/var/lib/pbotvm", NULL, 0, "systemd-tmpfiles --create" },
        { "state-folder", CHECK_FAULT, "/var/lib/pbotvm", NULL, 0755, "systemd-tmpfiles --create" },
        { "channel-folder", CHECK_FAULT, "/run/pbotvm/channel", NULL, 0, "systemd-tmpfiles --create" },
        { "channel-folder", CHECK_FAULT, "/run/pbotvm/channel", NULL, 0755, "systemd-tmpfiles --create" },
        { "socket-enabled", CHECK_WARNING, "/etc/systemd/system/sockets.target.wants/pbotvm.socket", NULL, 0,
                "systemctl enable --now pbotvm.socket" },
        { "watchdog-enabled", CHECK_WARNING,
                "/etc/systemd/system/multi-user.target.wants/pbotvm-watchdog.service", NULL, 0,
                "systemctl enable --now pbotvm-watchdog" },
        { "watchdog-activation", CHECK_WARNING, "/usr/share/dbus-1/system-services/org.pbot.VM1.service",
                "[D-BUS Service]\n", 0, "rm -f /usr/share/dbus-1/system-services/org.pbot.VM1.service" },
        { "off-with-host", CHECK_WARNING,
                "/etc/systemd/system/multi-user.target.wants/pbotvm-off@pbot-vm.service", NULL, 0,
                "systemctl enable --now pbotvm-off@pbot-vm.service" },
        { "listening", CHECK_FAULT, "/proc/net/tcp", "  sl  local_address\n", 0,
                "systemctl restart pbotvm.socket" },
        { "stranger", CHECK_FAULT, "/proc/net/tcp",
                "   0: 00000000:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 1\n", 0,
                "ss -Hltnp 'sport = :9000'" },
        { "listening", CHECK_FAULT, "/proc/net/tcp", /* a connection, and another address */
                "   0: 0100007F:2328 0100007F:0001 01 00000000:00000000 00:00000000 00000000  0 0 1\n"
                "   1: 0200007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 1\n",
                0, "systemctl restart pbotvm.socket" },
};

static void test_host(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(host_faults); i++) {
                _cleanup_(world_freep) World *world = world_new();
                if (host_faults[i].content)
                        world_write(world, host_faults[i].path, host_faults[i].content);
                else if (host_faults[i].mode != 0)
                        world_mode(world, host_faults[i].path, host_faults[i].mode);
                else
                        world_remove(world, host_faults[i].path);
                world_examine(world);
                expect(world, host_faults[i].check, host_faults[i].level, host_faults[i].mend);
        }
}

/* Runs the command that mends it, with the world's folder in place of the host's root, but for what asks
 * systemd. */
static void run_mend(const World *world, const char *check) {
        static const char *const folders[] = { "/etc/", "/usr/share/", "/var/lib/" };
        const char *rest = must(world, check)->mend;
        _cleanup_text_ Text command = {};

        text_append_string(&command, "set -e; ");
        while (*rest && !startswith(rest, " && systemctl")) {
                bool is_path = false;
                for (size_t i = 0; i < ELEMENTSOF(folders); i++)
                        is_path = is_path || (startswith(rest, folders[i]) && strchr(" >'", rest[-1]));
                if (is_path)
                        text_append_string(&command, world->root_path);
                text_append_char(&command, *rest++);
        }
        if (system(text_string(&command)) != 0)
                fail_msg("'%s' failed", text_string(&command));
}

/* What the doctor names mends it, and it is content then. */
static void test_mends_of_files(void **state) {
        static const struct {
                const char *check, *path, *content;
        } table[] = {
                { "watchdog-activation", "/usr/share/dbus-1/system-services/org.pbot.VM1.service", "x\n" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(world_freep) World *world = world_new();
                world_write(world, table[i].path, table[i].content);
                world_examine(world);
                run_mend(world, table[i].check);
                world_examine(world);
                assert_int_equal(must(world, table[i].check)->level, CHECK_OK);
        }
}

/* ---- the domain and its snapshot ---- */

static const char shipped_rules[] = "/usr/share/polkit-1/rules.d/50-pbotvm-libvirt.rules";
static const char own_rules[] = "/etc/polkit-1/rules.d/40-pbotvm-libvirt.rules";
#define RULES(domains, networks)                                                                            \
        "        var domains = [" domains "];\n        var networks = [" networks "];\n"
#define INTERFACE(network) "<interface type='network'><source network='" network "'/></interface>"

/* Where libvirt asks polkit, the rules have to name the domain and its networks. */
static void test_rights(void **state) {
        static const char with[] = "<panic model='isa'/>" INTERFACE("default") INTERFACE("net 2");
        _cleanup_(world_freep) World *world = world_new();

        (void)state;
        world_domain(world, "<panic model='isa'/>", with, "<panic model='isa'/>", with);
        world_write(world, shipped_rules, RULES("\"pbot-*\"", ""));
        world_write(world, "/etc/libvirt/libvirtd.conf", "#access_drivers = [ \"polkit\" ]\n");
        world_examine(world);
        assert_null(world_result(world, "libvirt-networks"));
        assert_null(world_result(world, "libvirt-domains"));

        world_write(world, "/etc/libvirt/libvirtd.conf", "x = 1\n access_drivers = [\n  \"polkit\"\n]\n");
        world_write(world, "/etc/polkit-1/rules.d/00-another.rules", "");
        world_examine(world);
        assert_int_equal(must(world, "libvirt-domains")->level, CHECK_OK);
        expect(world, "libvirt-networks", CHECK_WARNING, own_rules);
        /* One after the other, and the shipped file stays as it is. */
        run_mend(world, "libvirt-networks");
        world_examine(world);
        expect(world, "libvirt-networks", CHECK_WARNING, "sudoedit /etc/polkit-1/rules.d/40-pbotvm");
        assert_non_null(strstr(must(world, "libvirt-networks")->wrong, "net 2"));
        world_write(world, own_rules, RULES("\"other-*\", \"b\"", "\"default\", \"net*\""));
        world_examine(world);
        assert_int_equal(must(world, "libvirt-networks")->level, CHECK_OK);
        expect(world, "libvirt-domains", CHECK_FAULT, own_rules);
        run_mend(world, "libvirt-domains");
        world_examine(world);
        assert_int_equal(must(world, "libvirt-domains")->level, CHECK_OK);
        /* Somebody's own rules, of which nothing is known. */
        world_write(world, own_rules, "polkit.addRule(function() {});\n");
        world_examine(world);
        assert_null(world_result(world, "libvirt-networks"));
}

#define TCP(port) "<serial type='tcp'><source mode='bind' host='127.0.0.1' service='" port "'/></serial>"
#define TELNET(port, host)                                                                                  \
        "<serial type='tcp'><source mode='bind' host='" host "' service='" port "'/>"                       \
        "<protocol type='telnet'/></serial>"
#define VSOCK(cid) "<vsock model='virtio'><cid auto='no' address='" cid "'/></vsock>"
#define PANIC "<panic model='isa'/>"

static const struct {
        const char *check;
        CheckLevel level;
        const char *from, *to;                   /* in the domain */
        const char *snapshot_from, *snapshot_to; /* in the snapshot and its domain */
        const char *mend;
} domain_faults[] = {
        { "cpu-model", CHECK_WARNING, "<cpu mode='host-passthrough'/>", "", NULL, NULL,
                "snapshot-delete pbot-vm 1; virt-xml --connect qemu:///system pbot-vm --edit --cpu "
                "host-passthrough && virsh -c qemu:///system shutdown pbot-vm  # " },
        { "emulated", CHECK_WARNING, "type='kvm'", "type='qemu'", NULL, NULL, "<domain type='kvm'/\" | " },
        { "machine-type", CHECK_WARNING, "pc-i440fx-7.2", "q35", NULL, NULL,
                "virsh -c qemu:///system edit" },
        { "uefi", CHECK_FAULT, "</type></os>", "</type><loader type='pflash'>x</loader></os>", NULL, NULL,
                "nvram format='qcow2'" },
        { "uefi", CHECK_FAULT, "<os>", "<os firmware='efi'>", NULL, NULL, "virsh -c qemu:///system edit" },
        { "emulated", CHECK_WARNING, "type='kvm'", "type='qemu'", NULL, NULL,
                "virsh -c qemu:///system dumpxml --inactive --security-info pbot-vm" },
        { "panic", CHECK_WARNING, PANIC, "", NULL, NULL, "--add-device --panic isa && virsh" },
        { "disk-format", CHECK_FAULT, "type='qcow2'", "type='raw'", NULL, NULL,
                "qemu-img convert -O qcow2" },
        { "disk-excluded", CHECK_FAULT, "device='disk'", "device='disk' snapshot='no'", NULL, NULL,
                "--edit target=vda" },
        { "filesystem", CHECK_FAULT, PANIC,
                PANIC "<filesystem type='mount'><source dir='/srv'/><target dir='srv'/></filesystem>", NULL,
                NULL, "--remove-device --filesystem all" },
        { "hostdev", CHECK_FAULT, PANIC, PANIC "<hostdev mode='subsystem' type='pci'/>", NULL, NULL,
                "--remove-device --hostdev all" },
        { "heartbeat-channel", CHECK_FAULT, "org.pbot.vm.heartbeat", "org.example.0", NULL, NULL,
                "pbotvmctl attach channel pbot-vm" },
        { "line", CHECK_FAULT, "org.pbot.vm.0", "org.example.0", NULL, NULL,
                "pbotvmctl attach channel pbot-vm" },
        { "serial-pair", CHECK_FAULT, "org.pbot.vm.heartbeat'/></channel>",
                "org.example.0'/></channel>" TCP("5555"), NULL, NULL, "pbotvmctl attach serial pbot-vm" },
        { "serial-pair", CHECK_FAULT, "org.pbot.vm.heartbeat'/></channel>",
                "org.example.0'/></channel>" TCP("5555") TELNET("5557", "127.0.0.1"), NULL, NULL,
                "pbotvmctl attach serial pbot-vm" },
        { "serial-open", CHECK_FAULT, PANIC, PANIC TELNET("5555", "0.0.0.0"), NULL, NULL,
                "pbotvmctl attach serial pbot-vm" },
        { "port-clash", CHECK_FAULT, PANIC, PANIC TELNET("5556", "127.0.0.1"), NULL, NULL,
                "pbotvmctl attach serial pbot-vm" },
        { "serial-open", CHECK_FAULT, PANIC,
                PANIC "<serial type='tcp'><source mode='bind' host='0.0.0.0' service='5555'/></serial>",
                NULL, NULL, "pbotvmctl attach serial pbot-vm" },
        { "channel-path", CHECK_FAULT, " path='/run/pbotvm/channel/pbot-vm.heart'", "", NULL, NULL,
                "pbotvmctl attach channel pbot-vm" },
        { "channel-owner", CHECK_FAULT, "<seclabel model='dac' relabel='no'/>", "", NULL, NULL,
                "pbotvmctl attach channel pbot-vm" },
        { "cid-clash", CHECK_FAULT, PANIC, PANIC VSOCK("7"), NULL, NULL, "pbotvmctl attach vsock pbot-vm" },
        { "port-clash", CHECK_FAULT, PANIC, PANIC TCP("5556"), NULL, NULL,
                "pbotvmctl attach serial pbot-vm" },
        { "snapshot-definition", CHECK_FAULT, PANIC, PANIC VSOCK("9"), NULL, NULL,
                "snapshot-delete pbot-vm 1 && virsh -c qemu:///system shutdown pbot-vm  # " },
        { "snapshot-definition", CHECK_FAULT, NULL, NULL, "org.pbot.vm.heartbeat", "other",
                "then pbotvmctl snapshot pbot-vm" },
        { "snapshot-state", CHECK_FAULT, NULL, NULL, "running", "shutoff",
                "virsh -c qemu:///system start pbot-vm  # unless it runs; once it has booted: pbotvmctl "
                "snapshot" },
        { "snapshot-internal", CHECK_FAULT, NULL, NULL, "memory snapshot='internal'",
                "memory snapshot='external'", "snapshot-delete pbot-vm 1" },
        { "snapshot-machine", CHECK_FAULT, "1048576", "2097152", NULL, NULL,
                "then pbotvmctl snapshot pbot-vm" },
        { "snapshot-machine", CHECK_FAULT, NULL, NULL, "pc-i440fx-7.2", "pc-i440fx-10.0",
                "snapshot-delete pbot-vm 1 && virsh -c qemu:///system shutdown pbot-vm  # " },
        { "snapshot-qemu", CHECK_WARNING, NULL, NULL, "4102444800", "1000", "pbotvmctl revert pbot-vm" },
};

static void test_domain(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(domain_faults); i++) {
                _cleanup_(world_freep) World *world = world_new();
                world_domain(world, domain_faults[i].from, domain_faults[i].to,
                        domain_faults[i].snapshot_from, domain_faults[i].snapshot_to);
                world_add_domain(
                        world, "other", "<domain><devices>" TCP("5556") VSOCK("7") "</devices></domain>");
                world_examine(world);
                expect(world, domain_faults[i].check, domain_faults[i].level, domain_faults[i].mend);
        }
}

/* A domain that lacks a channel is told so once. */
static void test_channel(void **state) {
        _cleanup_(world_freep) World *world = world_new();

        (void)state;
        world_domain(world, "org.pbot.vm.heartbeat", "org.example.0", NULL, NULL);
        world_examine(world);
        expect(world, "heartbeat-channel", CHECK_FAULT, "pbotvmctl attach channel pbot-vm");
        assert_int_equal(must(world, "channel-path")->level, CHECK_OK);
}

/* What speaks telnet is no line to the guest. */
static void test_telnet(void **state) {
        _cleanup_(world_freep) World *world = world_new();

        (void)state;
        world_domain(world, "org.pbot.vm.0", "org.example.0", NULL, NULL);
        world_examine(world);
        assert_int_equal(must(world, "line")->level, CHECK_FAULT);
        world_domain(world, "org.pbot.vm.0'/></channel>",
                "org.example.0'/></channel>" TELNET("5555", "127.0.0.1"), NULL, NULL);
        world_examine(world);
        assert_int_equal(must(world, "line")->level, CHECK_FAULT);
        world_domain(
                world, "org.pbot.vm.0'/></channel>", "org.example.0'/></channel>" TCP("5555"), NULL, NULL);
        world_examine(world);
        assert_int_equal(must(world, "line")->level, CHECK_OK);
}

/* A vsock device, and no module for it. */
static void test_vhost(void **state) {
        _cleanup_(world_freep) World *world = world_new();

        (void)state;
        world_domain(world, PANIC, PANIC VSOCK("7"), PANIC, PANIC VSOCK("7"));
        expect_all_well(world);
        world_remove(world, "/dev/vhost-vsock");
        world_examine(world);
        expect(world, "vhost-vsock", CHECK_FAULT, "modprobe vhost_vsock");
}

/* A snapshot of another QEMU or, where the domain's CPU is the host's, of another host; one without a
 * passport says nothing. */
static void test_passport(void **state) {
        static const struct {
                const char *line;
                bool follows; /* the host's CPU */
                const char *wrong;
        } table[] = {
                { "Taken by pbotvm: qemu=10.0.13 libvirt=9.0.0 cpu=EPYC", true, NULL },
                { "Taken by pbotvm: qemu=7.2.22 libvirt=9.0.0 cpu=EPYC", true,
                        "with QEMU 7.2.22 (now 10.0.13): " },
                { "Taken by pbotvm: qemu=10.0.13 cpu=Nehalem", true,
                        "with the host's CPU Nehalem (now EPYC): " },
                { "Taken by pbotvm: qemu=7.2.22 cpu=Nehalem", true,
                        "(now 10.0.13) and the host's CPU Nehalem" },
                { "Taken by pbotvm: qemu=10.0.13 cpu=Nehalem", false, NULL },
                { "Taken by pbotvm:", true, NULL },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(world_freep) World *world = world_new();
                char description[200];

                world->hypervisors.facts[0]->passport = (Passport){ "10.0.13", "11.3.0", "EPYC" };
                world_examine(world);
                assert_null(world_result(world, "snapshot-passport"));
                (void)snprintf(description, sizeof(description),
                        "<name>1</name><description>%s</description>", table[i].line);
                world_domain(world, table[i].follows ? NULL : "mode='host-passthrough'", "mode='custom'",
                        "<name>1</name>", description);
                world_examine(world);
                if (!table[i].wrong) {
                        assert_int_equal(must(world, "snapshot-passport")->level, CHECK_OK);
                        continue;
                }
                expect(world, "snapshot-passport", CHECK_WARNING, "pbotvmctl snapshot pbot-vm");
                assert_non_null(strstr(must(world, "snapshot-passport")->wrong, table[i].wrong));
        }
}

/* libvirt 9.9 and 10.10 can what older ones cannot; a snapshot that was loaded since may be old. */
static void test_versions(void **state) {
        _cleanup_(world_freep) World *world = world_new();

        (void)state;
        world_domain(world, "<os>", "<os firmware='efi'><nvram format='qcow2'>x</nvram>",
                "memory snapshot='internal'", "memory snapshot='external'");
        world->hypervisors.facts[0]->version = 10010000;
        world_examine(world);
        assert_int_equal(must(world, "uefi")->level, CHECK_OK);
        assert_null(world_result(world, "snapshot-internal"));
        expect(world, "snapshot-external", CHECK_WARNING, "pbotvmctl snapshot pbot-vm");

        world->hypervisors.facts[0]->version = 8009000;
        world_domain(world, NULL, NULL, "4102444800", "1000");
        world->service.machines.machines[0].last_revert_usec = 4102444800 * USEC_PER_SEC;
        world_examine(world);
        expect(world, "libvirt-version", CHECK_FAULT, "libvirt-daemon-system");
        assert_int_equal(must(world, "snapshot-qemu")->level, CHECK_OK);
}

static void test_console(void **state) {
        _cleanup_(world_freep) World *world = world_new();

        (void)state;
        world_domain(
                world, "serial type='pty'>", "serial type='pty'><log file='/var/log/guest'/>", NULL, NULL);
        expect_all_well(world);
        world_write(world, "/etc/libvirt/virtlogd.conf", "#max_size = 1\nmax_size = 0 # none\n");
        world_examine(world);
        expect(world, "console-log", CHECK_FAULT, "systemctl try-reload-or-restart virtlogd");
        world_write(world, "/etc/libvirt/qemu.conf", "stdio_handler = \"file\"\n");
        world_examine(world);
        expect(world, "console-log", CHECK_FAULT, "/etc/libvirt/qemu.conf");
        expect(world, "console-log", CHECK_FAULT, "libvirtd virtqemud  # then a cold boot");
        run_mend(world, "console-log");
        world_examine(world);
        expect(world, "console-log", CHECK_FAULT, "virtlogd");
        run_mend(world, "console-log");
        world_examine(world);
        assert_int_equal(must(world, "console-log")->level, CHECK_OK);
}

/* What is known of a domain beside its XML. */
static void test_domain_state(void **state) {
        _cleanup_(world_freep) World *world = world_new();
        DomainFacts *domain = &world->hypervisors.facts[0]->domains[0];

        (void)state;
        domain->persistent = false;
        domain->managed_save = true;
        domain->state = VIR_DOMAIN_SHUTOFF;
        domain->growth_bytes = (uint64_t)1 << 60;
        domain->snapshots[1].name = strdup("1.new");
        domain->n_snapshots = 2;
        world_examine(world);
        expect(world, "persistent", CHECK_FAULT,
                "dumpxml --security-info pbot-vm | virsh -c qemu:///system define");
        expect(world, "managed-save", CHECK_WARNING, "managedsave-remove pbot-vm");
        expect(world, "running", CHECK_WARNING, "pbotvmctl revert pbot-vm");
        expect(world, "image-growth", CHECK_WARNING,
                "du -xh --max-depth=2 \"$(findmnt -no TARGET -T /var/lib/libvirt/images)\"");
        expect(world, "snapshot-spare", CHECK_WARNING, "snapshot-delete pbot-vm 1.new");

        free(domain->snapshots[0].name);
        domain->snapshots[0].name = strdup("other");
        world_examine(world);
        expect(world, "snapshot", CHECK_FAULT, "pbotvmctl snapshot pbot-vm");

        free(domain->name);
        domain->name = strdup("other");
        world_examine(world);
        expect(world, "domain", CHECK_FAULT, "virsh -c qemu:///system list --all");
        assert_null(world_result(world, "snapshot"));
}

/* ---- the configuration and the service ---- */

static void test_configuration(void **state) {
        _cleanup_(world_freep) World *world = world_new();

        (void)state;
        world_configure(world, "{\"machines\": {\"pbot-vm\": {\"timeout\": 20}}, \"wait\": 15,"
                               "\"listeners\": {\"127.0.0.1:9000\": \"pbot-vm\"}, \"storage-total\": 1}");
        assert_null(world->config);
        world_examine(world);
        expect(world, "configuration", CHECK_FAULT, "systemctl reload pbotvm-watchdog");
        assert_non_null(strstr(must(world, "configuration")->wrong, "storage-total"));

        world_configure(world, "{\"machines\": {\"pbot-vm\": {\"timeout\": 20, \"transport\": \"vsock\", "
                               "\"cid\": 8}}, \"wait\": 15}");
        assert_non_null(world->config);
        world->config->storage_total_bytes = (uint64_t)1 << 60;
        world_domain(world, PANIC, PANIC VSOCK("9"), PANIC, PANIC VSOCK("9"));
        world_examine(world);
        expect(world, "patience", CHECK_WARNING, "systemctl reload pbotvm-watchdog");
        expect(world, "state-space", CHECK_WARNING, "$(findmnt -no TARGET -T /var/lib/pbotvm)");
        expect(world, "cid-named", CHECK_FAULT, "pbotvmctl attach vsock pbot-vm");

        world_configure(
                world, "{\"machines\": {\"pbot-vm\": {\"serial\": 5557, \"transport\": \"serial\"}}}");
        assert_non_null(world->config);
        world_examine(world);
        expect(world, "port-named", CHECK_FAULT, "pbotvmctl attach serial pbot-vm");
}

static void set_string(char **to, const char *from) {
        free(*to);
        *to = strdup(from);
}

static void test_service(void **state) {
        _cleanup_(world_freep) World *world = world_new();
        MachineInfo *info = &world->service.machines.machines[0];

        (void)state;
        info->heartbeat_age_usec = 60 * USEC_PER_SEC;
        info->revert_failures = 3;
        world_examine(world);
        expect(world, "heartbeat", CHECK_FAULT, "pbotvmctl revert pbot-vm");
        expect(world, "reverts", CHECK_WARNING, "journalctl -u pbotvm-watchdog");
        assert_non_null(strstr(must(world, "heartbeat")->wrong, "60 s"));

        /* The configuration waits longer; and a machine may have no heartbeat. */
        world->config->machines[0].heartbeat_lost_usec = 90 * USEC_PER_SEC;
        world_examine(world);
        assert_int_equal(must(world, "heartbeat")->level, CHECK_OK);
        info->heartbeat_age_usec = 91 * USEC_PER_SEC;
        world_examine(world);
        expect(world, "heartbeat", CHECK_FAULT, "pbotvmctl revert pbot-vm");
        info->heartbeat_age_usec = USEC_INFINITY;
        world_examine(world);
        assert_null(world_result(world, "heartbeat"));
        info->heartbeat_age_usec = 60 * USEC_PER_SEC;

        set_string(&info->state, "failed");
        set_string(&info->state_reason, "no\x1B[2J such");
        world_examine(world);
        expect(world, "machine-state", CHECK_FAULT, "pbotvmctl revert pbot-vm");
        assert_null(strchr(must(world, "machine-state")->wrong, '\x1B'));
        assert_null(world_result(world, "heartbeat"));

        set_string(&info->state, "drained");
        world_examine(world);
        expect(world, "drained", CHECK_WARNING, "pbotvmctl resume pbot-vm");

        set_string(&info->name, "other");
        world_examine(world);
        expect(world, "machine-known", CHECK_FAULT, "systemctl reload pbotvm-watchdog");

        world->service.running = false;
        world_examine(world);
        expect(world, "watchdog", CHECK_FAULT, "systemctl enable --now pbotvm-watchdog");
        assert_null(world_result(world, "machine-known"));
        world->service.bus = false;
        world_examine(world);
        expect(world, "bus", CHECK_FAULT, "systemctl start dbus.socket");
}

static void test_libvirt_away(void **state) {
        _cleanup_(world_freep) World *world = world_new();

        (void)state;
        world->hypervisors.facts[0]->error = strdup("Connection refused");
        world_examine(world);
        expect(world, "libvirt", CHECK_FAULT, "systemctl enable --now libvirtd.socket");
        assert_null(world_result(world, "domain"));
        world_remove(world, "/usr/sbin/libvirtd");
        world_write(world, "/usr/sbin/virtqemud", "");
        world_examine(world);
        expect(world, "libvirt", CHECK_FAULT, "systemctl enable --now virtqemud.socket");
        assert_int_equal(must(world, "libvirt-installed")->level, CHECK_OK);
}

/* What goes to a shell is one word. */
static void test_quote(void **state) {
        _cleanup_text_ Text text = {};

        (void)state;
        words_quote(&text, "a-b");
        text_append_char(&text, ' ');
        words_quote(&text, "it's; rm");
        text_append_char(&text, ' ');
        words_quote(&text, "");
        assert_string_equal(text_string(&text), "a-b 'it'\\''s; rm' ''");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing),
                cmocka_unit_test(test_host),
                cmocka_unit_test(test_mends_of_files),
                cmocka_unit_test(test_rights),
                cmocka_unit_test(test_domain),
                cmocka_unit_test(test_channel),
                cmocka_unit_test(test_telnet),
                cmocka_unit_test(test_vhost),
                cmocka_unit_test(test_passport),
                cmocka_unit_test(test_versions),
                cmocka_unit_test(test_console),
                cmocka_unit_test(test_domain_state),
                cmocka_unit_test(test_configuration),
                cmocka_unit_test(test_service),
                cmocka_unit_test(test_libvirt_away),
                cmocka_unit_test(test_quote),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
