/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "common/io.h"
#include "qemu/arguments.h"

static char folder[] = "/tmp/pbotvm-definition-XXXXXX";

static int load(const char *json, QemuDefinition **ret, Text *errors) {
        char path[100];

        snprintf(path, sizeof(path), "%s/vm.json", folder);
        assert_int_equal(io_write_file(path, json, strlen(json), 0600), 0);
        return qemu_definition_load(folder, "vm", ret, errors);
}

/* What has to stand behind "FOLDER/vm.json:". */
static void expect_mistake(const char *json, const char *mistake) {
        _cleanup_(qemu_definition_freep) QemuDefinition *d = NULL;
        _cleanup_text_ Text errors = {}, expected = {};

        assert_int_equal(load(json, &d, &errors), -EINVAL);
        assert_null(d);
        text_append_printf(&expected, "%s/vm.json:%s", folder, mistake);
        assert_string_equal(text_string(&errors), text_string(&expected));
}

static bool has(char *const *arguments, const char *option, const char *value) {
        for (; *arguments; arguments++)
                if (streq(*arguments, option) && (!value || (arguments[1] && streq(arguments[1], value))))
                        return true;
        return false;
}

static void test_defaults(void **state) {
        (void)state;
        _cleanup_(qemu_definition_freep) QemuDefinition *d = NULL;
        _cleanup_(qemu_arguments_freep) char **arguments = NULL;
        _cleanup_text_ Text errors = {};

        assert_int_equal(load("{ /* the least */ \"disk\": { \"file\": \"/x,y.qcow2\" } }", &d, &errors), 0);
        assert_string_equal(text_string(&errors), "");
        arguments = qemu_arguments(d, QEMU_RUN_BOOT, NULL, &(QemuPaths){ "/run/vm", NULL, 0 });
        assert_non_null(arguments);
        assert_string_equal(arguments[0], "/usr/bin/qemu-system-x86_64");
        assert_true(has(arguments, "-m", "2048M"));
        assert_true(has(arguments, "-machine", "pc,accel=kvm:tcg,memory-backend=ram,usb=off,hpet=off"));
        /* A comma in a list is two. */
        assert_true(has(arguments, "-drive",
                "if=none,id=disk,file=/x,,y.qcow2,format=qcow2,snapshot=on,discard=unmap,"
                "throttling.bps-total=104857600,throttling.iops-total=5000"));
        assert_true(has(arguments, "-device", "virtio-rng-pci,rng=random,max-bytes=65536,period=1000"));
        assert_true(has(arguments, "-chardev", "socket,id=data,path=/run/vm/data,server=on,wait=off"));
        /* What is not asked for is not there. */
        assert_false(has(arguments, "-netdev", NULL));
        assert_false(has(arguments, "-kernel", NULL));
        assert_false(has(arguments, "-device", "isa-serial,chardev=serial-data,index=2"));
}

static void test_all_members(void **state) {
        (void)state;
        _cleanup_(qemu_definition_freep) QemuDefinition *d = NULL;
        _cleanup_(qemu_arguments_freep) char **arguments = NULL;
        _cleanup_text_ Text errors = {};

        assert_int_equal(
                load("{ \"emulator\": \"/q\", \"machine\": \"q35\", \"accelerator\": \"tcg\",\n"
                     "\"cpu\": \"max,-avx\", \"processors\": 2, \"memory\": 67108864, \"kernel\": "
                     "\"/k,1\",\n"
                     "\"initrd\": \"/i\", \"append\": \"a=b,c {d}\", \"random-bytes-per-second\": 0,\n"
                     "\"disk\": { \"file\": \"/d\", \"format\": \"raw\", \"bytes-per-second\": 0,\n"
                     "\"requests-per-second\": 7 }, \"serial\": { \"data\": 5555, \"heart\": \"5556\" },\n"
                     "\"network\": \"user\" }",
                        &d, &errors),
                0);
        arguments = qemu_arguments(d, QEMU_RUN_BOOT, NULL, &(QemuPaths){ "/r", NULL, 0 });
        assert_non_null(arguments);
        assert_string_equal(arguments[0], "/q");
        assert_true(has(arguments, "-machine", "q35,accel=tcg,memory-backend=ram,usb=off,hpet=off"));
        assert_true(has(arguments, "-cpu", "max,-avx"));
        assert_true(has(arguments, "-smp", "2"));
        assert_true(has(arguments, "-m", "64M"));
        assert_true(has(arguments, "-object", "memory-backend-ram,id=ram,size=64M"));
        assert_true(has(arguments, "-kernel", "/k,1"));
        assert_true(has(arguments, "-initrd", "/i"));
        assert_true(has(arguments, "-append", "a=b,c {d}"));
        assert_true(has(arguments, "-device", "virtio-rng-pci,rng=random"));
        assert_true(has(arguments, "-drive",
                "if=none,id=disk,file=/d,format=raw,snapshot=on,discard=unmap,throttling.iops-total=7"));
        assert_true(has(
                arguments, "-chardev", "socket,id=serial-data,host=127.0.0.1,port=5555,server=on,wait=off"));
        assert_true(has(arguments, "-chardev",
                "socket,id=serial-heart,host=127.0.0.1,port=5556,server=on,wait=off"));
        assert_true(has(arguments, "-device", "isa-serial,chardev=serial-heart,index=3"));
        assert_true(has(arguments, "-netdev", "user,id=network"));
        assert_true(has(arguments, "-device", "virtio-net-pci,netdev=network"));
}

/* Argument by argument, but for those that are of the run. */
static void test_runs(void **state) {
        (void)state;
        const QemuPaths mapped = { "/r", "/t,", 0 }, copied = { "/r", "/t,", 7 };
        const struct {
                QemuRun run;
                const QemuPaths *paths;
                const char *memory, *disk, *line;
                bool waits;
        } table[] = {
                { QEMU_RUN_BOOT, &mapped, "memory-backend-ram,id=ram,size=64M",
                        "if=none,id=disk,file=/d,format=qcow2,snapshot=on,discard=unmap",
                        "socket,id=serial-data,host=127.0.0.1,port=5,server=on,wait=off", false },
                { QEMU_RUN_TEMPLATE, &mapped,
                        "memory-backend-file,id=ram,size=64M,mem-path=/t,,/ram,share=on",
                        "if=none,id=disk,file=/t,,/disk.qcow2,format=qcow2,discard=unmap",
                        "null,id=serial-data", false },
                { QEMU_RUN_LOAD, &mapped,
                        "memory-backend-file,id=ram,size=64M,mem-path=/t,,/ram,share=off,readonly=on,"
                        "rom=off",
                        "if=none,id=disk,file=/t,,/disk.qcow2,format=qcow2,snapshot=on,discard=unmap",
                        "socket,id=serial-data,host=127.0.0.1,port=5,server=on,wait=off", true },
                { QEMU_RUN_LOAD, &copied,
                        "memory-backend-file,id=ram,size=64M,mem-path=/proc/self/fd/7,share=on",
                        "if=none,id=disk,file=/t,,/disk.qcow2,format=qcow2,snapshot=on,discard=unmap",
                        "socket,id=serial-data,host=127.0.0.1,port=5,server=on,wait=off", true },
                /* The run beside which it is tried has the port. */
                { QEMU_RUN_PROOF, &copied,
                        "memory-backend-file,id=ram,size=64M,mem-path=/proc/self/fd/7,share=on",
                        "if=none,id=disk,file=/t,,/disk.qcow2,format=qcow2,snapshot=on,discard=unmap",
                        "null,id=serial-data", true },
        };
        _cleanup_(qemu_definition_freep) QemuDefinition *d = NULL;
        _cleanup_text_ Text errors = {};

        assert_int_equal(
                load("{ \"memory\": 67108864, \"disk\": { \"file\": \"/d\", \"bytes-per-second\": 0, "
                     "\"requests-per-second\": 0 }, \"serial\": { \"data\": 5 } }",
                        &d, &errors),
                0);
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(qemu_arguments_freep) char **arguments =
                        qemu_arguments(d, table[i].run, "pc-1", table[i].paths);

                assert_non_null(arguments);
                assert_true(has(
                        arguments, "-machine", "pc-1,accel=kvm:tcg,memory-backend=ram,usb=off,hpet=off"));
                assert_true(has(arguments, "-object", table[i].memory));
                assert_true(has(arguments, "-drive", table[i].disk));
                assert_true(has(arguments, "-chardev", table[i].line));
                assert_int_equal(has(arguments, "-incoming", "defer"), table[i].waits);
                assert_int_equal(has(arguments, "-S", NULL), table[i].waits);
        }
}

static void test_mistakes(void **state) {
        (void)state;
#define WITH(member) "{ \"disk\": { \"file\": \"/d\" },\n" member " }"
        static const struct {
                const char *json, *mistake;
        } cases[] = {
                { "{", "1: expected JSON: premature EOF" },
                { "[]", "1: expected an object, found an array" },
                { "{ }", "1: disk.file: expected this member" },
                { "{ \"disk\": \"/d\" }", "1: disk: expected an object, found a string, \"/d\"" },
                { "{ \"disk\": { \"file\": \"d\" } }",
                        "1: disk.file: expected the absolute path of an image, found a string, \"d\"" },
                { WITH("\"memory\": 100000000"), "2: memory: expected a multiple of 1048576 (1 MiB)" },
                { WITH("\"memory\": 1048576"),
                        "2: memory: expected a number of bytes from 67108864 (64 MiB), found a number, "
                        "1048576" },
                { WITH("\"processors\": 0"),
                        "2: processors: expected a number from 1 to 64, found a number, 0" },
                { WITH("\"accelerator\": \"hvf\""), "2: accelerator: expected \"auto\", \"kvm\" or \"tcg\", "
                                                    "found a string, \"hvf\"" },
                { WITH("\"initrd\": \"/i\""), "2: initrd: expected a kernel too" },
                { WITH("\"append\": \"x\""), "2: append: expected a kernel too" },
                { WITH("\"serial\": {\n\"data\": 1, \"heart\": 1 }"),
                        "3: serial.heart: expected another port than that of serial.data" },
                { WITH("\"serial\": { \"port\": 1 }"),
                        "2: serial.port: unknown member, expected data or heart" },
                { WITH("\"network\": \"bridge\""),
                        "2: network: expected \"none\" or \"user\", found a string, \"bridge\"" },
                { WITH("\"cpu\": \"a\",\n\"cpu\": \"b\""),
                        "3: cpu: expected one such member, there is one in line 2 already" },
                { WITH("\"disc\": 1"),
                        "2: disc: unknown member, expected emulator, machine, accelerator, cpu, processors, "
                        "memory, kernel, initrd, append, disk, random-bytes-per-second, serial or network" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                expect_mistake(cases[i].json, cases[i].mistake);
}

static void test_names(void **state) {
        (void)state;
        static const char *const bad[] = { "", ".", "..", "../etc", "-x", "a/b", "a b", "a+b", "a@b",
                "\xc3\xa4" };
        _cleanup_(qemu_definition_freep) QemuDefinition *d = NULL;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_text_ Text errors = {};
                assert_int_equal(qemu_definition_load(folder, bad[i], &d, &errors), -EINVAL);
                assert_non_null(strstr(text_string(&errors), "is no name of a machine"));
        }
        _cleanup_text_ Text errors = {};
        assert_int_equal(qemu_definition_load(folder, "none-here", &d, &errors), -ENOENT);
        assert_non_null(strstr(text_string(&errors), "none-here.json: cannot be read: No such file"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_all_members),
                cmocka_unit_test(test_runs),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_names),
        };
        char path[100];

        if (!mkdtemp(folder))
                return EXIT_FAILURE;
        int r = cmocka_run_group_tests(tests, NULL, NULL);
        snprintf(path, sizeof(path), "%s/vm.json", folder);
        (void)unlink(path);
        (void)rmdir(folder);
        return r;
}
