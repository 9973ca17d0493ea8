/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "patient.h"

#include <fcntl.h>
#include <ftw.h>

const char good_domain[] =
        "<domain type='kvm'><name>pbot-vm</name><memory unit='KiB'>1048576</memory>"
        "<os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type></os>"
        "<cpu mode='host-passthrough'/><devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
        "<source file='/var/lib/libvirt/images/pbot-vm.qcow2'/><target dev='vda' bus='virtio'/></disk>"
        "<serial type='pty'><target port='0'/></serial>"
        "<channel type='unix'><source mode='bind' path='/run/pbotvm/channel/pbot-vm.data'>"
        "<seclabel model='dac' relabel='no'/></source><target type='virtio' name='org.pbot.vm.0'/></channel>"
        "<channel type='unix'><source mode='bind' path='/run/pbotvm/channel/pbot-vm.heart'>"
        "<seclabel model='dac' relabel='no'/></source>"
        "<target type='virtio' name='org.pbot.vm.heartbeat'/></channel>"
        "<panic model='isa'/></devices></domain>";

/* Made long after every file. */
const char good_snapshot[] = "<name>1</name><state>running</state><creationTime>4102444800</creationTime>"
                             "<memory snapshot='internal'/>"
                             "<disks><disk name='vda' snapshot='internal'/></disks>";

static const char good_configuration[] =
        "{\"machines\": {\"pbot-vm\": {}}, \"default-machine\": \"pbot-vm\","
        "\"listeners\": {\"127.0.0.1:9000\": \"pbot-vm\"}}";

#define TCP_HEAD                                                                                            \
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "       \
        "inode\n"

static const struct {
        const char *path, *content;
} good_files[] = {
        { "/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme vmx sse\n" },
        { "/proc/meminfo", "MemTotal:       16000000 kB\n" },
        { "/proc/net/tcp",
                TCP_HEAD "   0: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0 "
                         "       0 1\n" },
        { "/dev/kvm", "" },
        { "/dev/vhost-vsock", "" },
        { "/usr/bin/apt-get", "" },
        { "/usr/bin/qemu-system-x86_64", "" },
        { "/usr/sbin/libvirtd", "" },
        { "/usr/lib/polkit-1/polkitd", "" },
        { "/etc/systemd/system/sockets.target.wants/libvirtd.socket", "" },
        { "/etc/systemd/system/sockets.target.wants/pbotvm.socket", "" },
        { "/etc/systemd/system/multi-user.target.wants/pbotvm-watchdog.service", "" },
        { "/etc/systemd/system/multi-user.target.wants/libvirt-guests.service", "" },
        { "/etc/systemd/system/multi-user.target.wants/pbotvm-off@pbot-vm.service", "" },
        { "/var/lib/libvirt/images/pbot-vm.qcow2", "" },
        { "/var/lib/pbotvm/", NULL },
        { "/run/pbotvm/channel/", NULL },
};

static void below(const World *world, const char *path, char *ret, size_t size) {
        assert_in_range(snprintf(ret, size, "%s%s", world->root_path, path), 1, size - 1);
}

void world_write(World *world, const char *path, const char *content) {
        char full[300];

        below(world, path, full, sizeof(full));
        for (char *slash = full + strlen(world->root_path); (slash = strchr(slash + 1, '/'));) {
                *slash = '\0';
                assert_true(mkdir(full, 0755) >= 0 || errno == EEXIST);
                *slash = '/';
        }
        if (!content)
                return;
        FILE *file = fopen(full, "we");
        assert_non_null(file);
        assert_true(fputs(content, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

void world_remove(World *world, const char *path) {
        char full[300];

        below(world, path, full, sizeof(full));
        assert_int_equal(nftw(full, remove_one, 10, FTW_DEPTH | FTW_PHYS), 0);
}

void world_mode(World *world, const char *path, mode_t mode) {
        char full[300];

        below(world, path, full, sizeof(full));
        assert_int_equal(chmod(full, mode), 0);
}

void world_configure(World *world, const char *json) {
        char full[300];

        world_write(world, "/etc/pbotvm/pbotvm.json", json);
        below(world, "/etc/pbotvm/pbotvm.json", full, sizeof(full));
        config_free(world->config);
        world->config = NULL;
        text_clear(&world->errors);
        text_clear(&world->warnings);
        (void)config_load(full, NULL, &world->config, &world->errors);
        if (world->config)
                config_warn(world->config, &world->warnings);
}

/* All of text, with the first "from" in it become "to"; from must be there. */
static char *replaced(const char *text, const char *from, const char *to) {
        const char *at = from ? strstr(text, from) : text;
        char *result;

        assert_non_null(at);
        assert_true(asprintf(&result, "%.*s%s%s", (int)(at - text), text, from ? to : "",
                            at + (from ? strlen(from) : 0)) >= 0);
        return result;
}

void world_domain(
        World *world, const char *from, const char *to, const char *snapshot_from, const char *snapshot_to) {
        DomainFacts *domain = &world->hypervisors.facts[0]->domains[0];
        _cleanup_free_ char *xml = replaced(good_domain, from, to), *all = NULL, *snapshot = NULL;

        xml_free(domain->xml);
        domain->xml = xml_parse(xml);
        assert_non_null(domain->xml);
        assert_true(
                asprintf(&all, "<domainsnapshot>%s%s</domainsnapshot>", good_snapshot, good_domain) >= 0);
        snapshot = replaced(all, snapshot_from, snapshot_to);
        xml_free(domain->snapshots[0].xml);
        domain->snapshots[0].xml = xml_parse(snapshot);
        assert_non_null(domain->snapshots[0].xml);
}

void world_add_domain(World *world, const char *name, const char *xml) {
        HypervisorFacts *facts = world->hypervisors.facts[0];

        facts->domains = reallocarray(facts->domains, facts->n_domains + 1, sizeof(DomainFacts));
        assert_non_null(facts->domains);
        facts->domains[facts->n_domains++] = (DomainFacts){
                .name = strdup(name), .persistent = true, .state = VIR_DOMAIN_RUNNING, .xml = xml_parse(xml)
        };
}

static void make_accounts(World *world) {
        char line[300];

        (void)snprintf(line, sizeof(line),
                "pbotvm:x:%u:%u::/:/bin/false\npbotvm-watchdog:x:990:990::/:/bin/false\n"
                "pbotvm-paste:x:991:991::/:/bin/false\npbotvm-qemu:x:992:992::/:/bin/false\n"
                "pbotvm-template:x:993:993::/:/bin/false\n",
                getuid(), getgid());
        world_write(world, "/etc/passwd", line);
        (void)snprintf(line, sizeof(line), "pbotvm-watchdog:x:%u:\n", getgid());
        world_write(world, "/etc/group", line);
}

static void make_service(World *world) {
        MachineInfo *info = calloc(1, sizeof(*info));

        assert_non_null(info);
        *info = (MachineInfo){ .name = strdup("pbot-vm"),
                .path = strdup(""),
                .domain = strdup(""),
                .policy = strdup(""),
                .state = strdup("ready"),
                .state_reason = strdup(""),
                .guest = strdup(""),
                .transport = strdup(""),
                .last_revert_reason = strdup(""),
                .last_beat = strdup(""),
                .heartbeat_age_usec = USEC_PER_SEC };
        world->service = (ServiceFacts){ .bus = true, .running = true, .machines = { info, 1 } };
}

static void make_libvirt(World *world) {
        world->hypervisors.facts = calloc(1, sizeof(HypervisorFacts *));
        assert_non_null(world->hypervisors.facts);
        HypervisorFacts *facts = world->hypervisors.facts[0] = facts_new("qemu:///system");
        world->hypervisors.n = 1;
        facts->version = 9000000;
        world_add_domain(world, "pbot-vm", good_domain);
        DomainFacts *domain = &facts->domains[0];
        domain->snapshots = calloc(2, sizeof(SnapshotFacts));
        assert_non_null(domain->snapshots);
        domain->snapshots[0].name = strdup("1");
        domain->n_snapshots = 1;
        world_domain(world, NULL, NULL, NULL, NULL);
}

World *world_new(void) {
        World *world = calloc(1, sizeof(*world));

        assert_non_null(world);
        (void)strcpy(world->root_path, "/tmp/test-doctor-XXXXXX");
        assert_non_null(mkdtemp(world->root_path));
        for (size_t i = 0; i < ELEMENTSOF(good_files); i++)
                world_write(world, good_files[i].path, good_files[i].content);
        world_mode(world, "/dev/kvm", 0660);
        world_mode(world, "/var/lib/pbotvm", 0700);
        world_mode(world, "/run/pbotvm/channel", 02750);
        make_accounts(world);
        world->root = open(world->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(world->root >= 0);
        world_configure(world, good_configuration);
        make_service(world);
        make_libvirt(world);
        return world;
}

World *world_free(World *world) {
        world_remove(world, "");
        fd_close(world->root);
        config_free(world->config);
        text_done(&world->errors);
        text_done(&world->warnings);
        machines_done(&world->service.machines);
        hypervisors_done(&world->hypervisors);
        results_done(&world->results);
        free(world);
        return NULL;
}

void world_examine(World *world) {
        const Patient patient = { .root = world->root,
                .config = world->config,
                .config_file = "/etc/pbotvm/pbotvm.json",
                .config_errors = &world->errors,
                .config_warnings = &world->warnings,
                .service = &world->service };

        results_done(&world->results);
        assert_int_equal(examine(&patient, &world->hypervisors, &world->results), 0);
        assert_false(world->results.given_up);
}

const Result *world_result(const World *world, const char *check) {
        for (size_t i = 0; i < world->results.n; i++)
                if (streq(world->results.results[i].check, check))
                        return &world->results.results[i];
        return NULL;
}
