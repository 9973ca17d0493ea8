/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmocka-all.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
/* Needs the C library's requests. */
#include <linux/sockios.h>

#include <seccomp.h>

#include "syscall-filter.h"
#include "syscall-table.h"

static SeccompFilter filter;

static int setup(_unused_ void **state) {
        return seccomp_filter_make(&filter);
}

static int teardown(_unused_ void **state) {
        seccomp_filter_done(&filter);
        return 0;
}

/* The errno of attempt() in a process with the filter; 0: it went through, 255: no filter. */
static int confined(long (*attempt)(void)) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_filter_apply(&filter) < 0)
                        _exit(255);
                errno = 0;
                _exit(attempt() < 0 ? errno : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

#define ATTEMPT(name, expression)                                                                           \
        static long name(void) {                                                                            \
                return (long)(expression);                                                                  \
        }                                                                                                   \
        struct name##_needs_a_semicolon

ATTEMPT(try_vsock, socket(AF_VSOCK, SOCK_STREAM, 0));
ATTEMPT(try_packet, socket(AF_PACKET, SOCK_RAW, 0));
ATTEMPT(try_route, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
ATTEMPT(try_route_datagram, socket(AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE));
ATTEMPT(try_route_high, syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0x100000000L | NETLINK_GENERIC));
ATTEMPT(try_xfrm, socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM));
ATTEMPT(try_usersock, socket(AF_NETLINK, SOCK_DGRAM, NETLINK_USERSOCK));
ATTEMPT(try_uevent, socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT));
ATTEMPT(try_audit, socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT));
ATTEMPT(try_netfilter, socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
ATTEMPT(try_generic, socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC));
ATTEMPT(try_below_netlink, socket(AF_NETLINK - 1, SOCK_RAW, 0));
ATTEMPT(try_family_with_high_bits, syscall(SYS_socket, 0x100000000L | AF_VSOCK, SOCK_STREAM, 0));
ATTEMPT(try_far_family, socket(200, SOCK_STREAM, 0));
ATTEMPT(try_unix, socket(AF_UNIX, SOCK_STREAM, 0));
ATTEMPT(try_inet, socket(AF_INET, SOCK_STREAM, 0));
ATTEMPT(try_inet6, socket(AF_INET6, SOCK_DGRAM, 0));
ATTEMPT(try_pair, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, (int[2]){}));
ATTEMPT(try_no_pair, socketpair(AF_UNSPEC, SOCK_STREAM, 0, (int[2]){}));
ATTEMPT(try_inet_pair, socketpair(AF_INET, SOCK_STREAM, IPPROTO_SCTP, (int[2]){}));
ATTEMPT(try_tipc_pair, socketpair(30 /* AF_TIPC */, SOCK_SEQPACKET, 0, (int[2]){}));
ATTEMPT(try_pair_high, syscall(SYS_socketpair, 0x100000000L | AF_VSOCK, SOCK_STREAM, 0, (int[2]){}));
ATTEMPT(try_bpf, syscall(SYS_bpf, 0, NULL, 0));
ATTEMPT(try_io_uring, syscall(SYS_io_uring_setup, 1, NULL));
ATTEMPT(try_keyctl, syscall(SYS_keyctl, 0, -3, 0));
ATTEMPT(try_mount, mount("x", "/", "tmpfs", 0, NULL));
ATTEMPT(try_fsopen, syscall(SYS_fsopen, "tmpfs", 0));
ATTEMPT(try_unshare_user, unshare(CLONE_NEWUSER));
ATTEMPT(try_unshare_files, unshare(CLONE_FILES));
ATTEMPT(try_unshare_time, unshare(0x80));
ATTEMPT(try_clone_user, syscall(SYS_clone, CLONE_NEWUSER | 17, 0, 0, 0, 0));
ATTEMPT(try_clone3, syscall(SYS_clone3, NULL, 0));
ATTEMPT(try_settime, syscall(SYS_clock_settime, 0, NULL));
ATTEMPT(try_sti, ioctl(0, 0x5412, "x"));
ATTEMPT(try_sti_high, syscall(SYS_ioctl, 0, 0x100005412L, "x"));
/* The kernel itself would say that there is no such descriptor. */
ATTEMPT(try_discipline, ioctl(-1, TIOCSETD, &(int){ 21 }));
ATTEMPT(try_bridge, ioctl(-1, SIOCGIFBR, (unsigned long[3]){}));
ATTEMPT(try_add_bridge, ioctl(-1, SIOCBRADDBR, "x"));
ATTEMPT(try_vlan, ioctl(-1, SIOCGIFVLAN, (char[64]){}));
ATTEMPT(try_frame_relay, ioctl(-1, SIOCADDDLCI, (char[64]){}));
ATTEMPT(try_no_frame_relay, ioctl(-1, SIOCDELDLCI, (char[64]){}));
ATTEMPT(try_md5, setsockopt(-1, IPPROTO_TCP, TCP_MD5SIG, "", 0));
ATTEMPT(try_md5_prefix, setsockopt(-1, IPPROTO_TCP, TCP_MD5SIG_EXT, "", 0));
ATTEMPT(try_tls, setsockopt(-1, IPPROTO_TCP, TCP_ULP, "tls", 3));
ATTEMPT(try_key, setsockopt(-1, IPPROTO_TCP, 38 /* TCP_AO_ADD_KEY */, "", 0));
ATTEMPT(try_no_delay, setsockopt(-1, IPPROTO_TCP, TCP_NODELAY, "", 0));
ATTEMPT(try_other_level, setsockopt(-1, SOL_SOCKET, TCP_MD5SIG, "", 0));
ATTEMPT(try_interface, ioctl(-1, SIOCGIFCONF, (char[64]){}));
ATTEMPT(try_ptrace, ptrace(PTRACE_TRACEME, 0, NULL, NULL));
ATTEMPT(try_personality, personality(ADDR_NO_RANDOMIZE));
ATTEMPT(try_fork, fork());
ATTEMPT(try_seqpacket, socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
ATTEMPT(try_tcp, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP));
ATTEMPT(try_udp, socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP));
ATTEMPT(try_sctp, socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP));
ATTEMPT(try_dccp, socket(AF_INET6, SOCK_STREAM, IPPROTO_DCCP));
ATTEMPT(try_mptcp, socket(AF_INET, SOCK_STREAM, 262));
ATTEMPT(try_no_protocol, socket(AF_INET, SOCK_STREAM, 77));
ATTEMPT(try_stream_udp, socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
ATTEMPT(try_stream_icmp, socket(AF_INET6, SOCK_STREAM, IPPROTO_ICMP));
ATTEMPT(try_datagram_tcp, socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
ATTEMPT(try_datagram_raw, socket(AF_INET6, SOCK_DGRAM, IPPROTO_RAW));
ATTEMPT(try_no_type, socket(AF_INET, 0, 0));
ATTEMPT(try_raw_nothing, socket(AF_INET, SOCK_RAW, 0));
/* Of these the kernel would think otherwise: this is root. */
ATTEMPT(try_raw_icmp, socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP));
ATTEMPT(try_raw_raw, socket(AF_INET6, SOCK_RAW, IPPROTO_RAW));
ATTEMPT(try_raw_dccp, socket(AF_INET, SOCK_RAW, IPPROTO_DCCP));
ATTEMPT(try_raw_sctp, socket(AF_INET6, SOCK_RAW, IPPROTO_SCTP));
ATTEMPT(try_raw_ipip, socket(AF_INET, SOCK_RAW, IPPROTO_IPIP));
ATTEMPT(try_raw_egp, socket(AF_INET, SOCK_RAW, IPPROTO_EGP));
ATTEMPT(try_protocol_high, syscall(SYS_socket, AF_INET, SOCK_STREAM, 0x100000084L));
ATTEMPT(try_inet_seqpacket, socket(AF_INET, SOCK_SEQPACKET, 0));
ATTEMPT(try_inet6_seqpacket, socket(AF_INET6, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
ATTEMPT(try_sock_packet, socket(AF_INET, 10 /* SOCK_PACKET */, 0));
ATTEMPT(try_nice, nice(3) == -1 ? -1 : 0);
ATTEMPT(try_priority, setpriority(PRIO_PROCESS, 0, 5));
ATTEMPT(try_set_group_id, chmod("/tmp/.no such file", 02755));
ATTEMPT(try_newest, syscall(1023));
ATTEMPT(try_beyond, syscall(5000));
ATTEMPT(try_x32, syscall(0x40000000 + SYS_getpid));
ATTEMPT(try_fchmodat2, syscall(452, AT_FDCWD, ".", 0755, 0));
ATTEMPT(try_aio, syscall(SYS_io_setup, 1, &(unsigned long){ 0 }));
ATTEMPT(try_uselib, syscall(SYS_uselib, "x"));

static long try_affinity(void) {
        cpu_set_t set;

        return sched_getaffinity(0, sizeof(set), &set) < 0 ? -1 : sched_setaffinity(0, sizeof(set), &set);
}

static long try_openat2(void) {
        struct open_how how = { .flags = O_RDONLY };

        return syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));
}

static void test_refused(_unused_ void **state) {
        assert_int_equal(confined(try_vsock), EAFNOSUPPORT);
        assert_int_equal(confined(try_packet), EAFNOSUPPORT);
        assert_int_equal(confined(try_below_netlink), EAFNOSUPPORT);
        assert_int_equal(confined(try_far_family), EAFNOSUPPORT);
        assert_int_equal(confined(try_bpf), EPERM);
        assert_int_equal(confined(try_io_uring), EPERM);
        assert_int_equal(confined(try_keyctl), EPERM);
        assert_int_equal(confined(try_mount), EPERM);
        assert_int_equal(confined(try_fsopen), EPERM);
        assert_int_equal(confined(try_unshare_user), EPERM);
        assert_int_equal(confined(try_unshare_time), EPERM);
        assert_int_equal(confined(try_clone_user), EPERM);
        assert_int_equal(confined(try_settime), EPERM);
        assert_int_equal(confined(try_sti), EPERM);
}

/* The kernel looks at 32 bits of these arguments, so the filter has to as well. */
static void test_high_bits_are_no_way_round(_unused_ void **state) {
        assert_int_equal(confined(try_family_with_high_bits), EAFNOSUPPORT);
        assert_int_equal(confined(try_sti_high), EPERM);
}

/* Else the C library takes the refusal for its own. */
static void test_clone3_seems_not_to_exist(_unused_ void **state) {
        assert_int_equal(confined(try_clone3), ENOSYS);
}

/* The kernel would look for a module of that name. */
static void test_protocols(_unused_ void **state) {
        assert_int_equal(confined(try_seqpacket), 0);
        assert_int_equal(confined(try_tcp), 0);
        assert_int_equal(confined(try_udp), 0);
        assert_int_equal(confined(try_sctp), EPROTONOSUPPORT);
        assert_int_equal(confined(try_dccp), EPROTONOSUPPORT);
        assert_int_equal(confined(try_stream_udp), EPROTONOSUPPORT);
        assert_int_equal(confined(try_stream_icmp), EPROTONOSUPPORT);
        assert_int_equal(confined(try_datagram_tcp), EPROTONOSUPPORT);
        assert_int_equal(confined(try_datagram_raw), EPROTONOSUPPORT);
        assert_int_equal(confined(try_no_type), ESOCKTNOSUPPORT);
        assert_int_equal(confined(try_raw_nothing), EPROTONOSUPPORT);
        assert_int_equal(confined(try_raw_icmp), EPERM);
        assert_int_equal(confined(try_raw_raw), EPERM);
        assert_int_equal(confined(try_raw_dccp), EPERM);
        assert_int_equal(confined(try_raw_sctp), EPERM);
        assert_int_equal(confined(try_raw_ipip), EPERM);
        assert_int_equal(confined(try_raw_egp), EPERM);
        assert_int_equal(confined(try_mptcp), EPROTONOSUPPORT);
        assert_int_equal(confined(try_no_protocol), EPROTONOSUPPORT);
        assert_int_equal(confined(try_protocol_high), EPROTONOSUPPORT);
        assert_int_equal(confined(try_inet_seqpacket), ESOCKTNOSUPPORT);
        assert_int_equal(confined(try_inet6_seqpacket), ESOCKTNOSUPPORT);
        assert_int_equal(confined(try_sock_packet), ESOCKTNOSUPPORT);
}

/* Netlink tells of the job's own network, and of nothing else. */
static void test_netlink(_unused_ void **state) {
        assert_int_equal(confined(try_route), 0);
        assert_int_equal(confined(try_route_datagram), 0);
        assert_int_equal(confined(try_route_high), EPROTONOSUPPORT);
        assert_int_equal(confined(try_xfrm), EPROTONOSUPPORT);
        assert_int_equal(confined(try_usersock), EPROTONOSUPPORT);
        assert_int_equal(confined(try_uevent), EPROTONOSUPPORT);
        assert_int_equal(confined(try_audit), EPROTONOSUPPORT);
        assert_int_equal(confined(try_netfilter), EPROTONOSUPPORT);
        assert_int_equal(confined(try_generic), EPROTONOSUPPORT);
}

/* The kernel makes both sockets, and looks for their module, before it finds that they make no pair. */
static void test_pairs(_unused_ void **state) {
        assert_int_equal(confined(try_pair), 0);
        assert_int_equal(confined(try_no_pair), EAFNOSUPPORT);
        assert_int_equal(confined(try_inet_pair), EOPNOTSUPP);
        assert_int_equal(confined(try_tipc_pair), EOPNOTSUPP);
        assert_int_equal(confined(try_pair_high), EOPNOTSUPP);
}

/* The kernel would look for a module before it asks who asks. */
static void test_requests_for_modules(_unused_ void **state) {
        assert_int_equal(confined(try_discipline), EPERM);
        assert_int_equal(confined(try_bridge), EPERM);
        assert_int_equal(confined(try_add_bridge), EPERM);
        assert_int_equal(confined(try_vlan), EPERM);
        assert_int_equal(confined(try_frame_relay), EPERM);
        assert_int_equal(confined(try_no_frame_relay), EPERM);
        assert_int_equal(confined(try_interface), EBADF);
        assert_int_equal(confined(try_md5), ENOPROTOOPT);
        assert_int_equal(confined(try_md5_prefix), ENOPROTOOPT);
        assert_int_equal(confined(try_tls), ENOPROTOOPT);
        assert_int_equal(confined(try_key), ENOPROTOOPT);
        assert_int_equal(confined(try_no_delay), EBADF);
        assert_int_equal(confined(try_other_level), EBADF);
}

/* The kernel counts its events for all jobs together. */
static void test_shared_counts(_unused_ void **state) {
        assert_int_equal(confined(try_aio), ENOSYS);
}

/* What is newer than the table, and what nobody has used for long. */
static void test_unknown_calls_do_not_exist(_unused_ void **state) {
        assert_int_equal(confined(try_newest), ENOSYS);
        assert_int_equal(confined(try_beyond), ENOSYS);
        assert_int_equal(confined(try_x32), ENOSYS);
        assert_int_equal(confined(try_fchmodat2), ENOSYS);
        assert_int_equal(confined(try_uselib), ENOSYS);
}

/* A name that is spelled wrongly would be passed over. */
static void test_names_are_known(_unused_ void **state) {
        for (size_t i = 0; i < n_syscalls_allowed; i++)
                if (seccomp_syscall_resolve_name(syscalls_allowed[i]) == __NR_SCMP_ERROR)
                        fail_msg("%s", syscalls_allowed[i]);
        for (size_t i = 0; i < n_syscalls_refused; i++)
                if (seccomp_syscall_resolve_name(syscalls_refused[i]) == __NR_SCMP_ERROR)
                        fail_msg("%s", syscalls_refused[i]);
}

static void test_allowed(_unused_ void **state) {
        assert_int_equal(confined(try_unix), 0);
        assert_int_equal(confined(try_inet), 0);
        assert_int_equal(confined(try_inet6), 0);
        assert_int_equal(confined(try_unshare_files), 0);
        assert_int_equal(confined(try_ptrace), 0);
        assert_int_equal(confined(try_personality), 0);
        assert_int_equal(confined(try_fork), 0);
        assert_int_equal(confined(try_nice), 0);
        assert_int_equal(confined(try_priority), 0);
        assert_int_equal(confined(try_affinity), 0);
        assert_int_equal(confined(try_openat2), 0);
        assert_int_equal(confined(try_set_group_id), ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_high_bits_are_no_way_round),
                cmocka_unit_test(test_clone3_seems_not_to_exist),
                cmocka_unit_test(test_protocols),
                cmocka_unit_test(test_netlink),
                cmocka_unit_test(test_pairs),
                cmocka_unit_test(test_requests_for_modules),
                cmocka_unit_test(test_shared_counts),
                cmocka_unit_test(test_unknown_calls_do_not_exist),
                cmocka_unit_test(test_names_are_known),
                cmocka_unit_test(test_allowed),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
