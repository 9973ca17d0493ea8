#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Debian packages under systemd: installed, upgraded while the services run, removed, purged, on a fresh host that
is made for it (tests/lib/fresh-host). The tests follow each other."""

import os
import subprocess

from stack import TOP, equal, lab, main_pid, on, root, run, shell, true, wait_until

os.environ['LAB_HOST'] = os.path.join(TOP, 'tests/lib/fresh-host')
HOST_UNITS = ('pbotvm.socket', 'pbotvm-watchdog.service', 'pbotvm-metrics.timer')
APT = 'DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends'


def apt(command):
    return shell(f'{APT} {command} >/root/apt.log 2>&1 || {{ tail -n 5 /root/apt.log >&2; exit 1; }}', timeout=600)


def states(what):
    return shell(f'systemctl {what} {" ".join(HOST_UNITS)}', check=False).split()


def echo(word):
    """A request from a shell of that host: its loopback is its own."""
    return on('bash', '-c', f'exec 3<>/dev/tcp/127.0.0.1/9000; echo "-lang=sh echo {word}" >&3; cat <&3',
              timeout=90).strip()


def test_a_fresh_host_boots():
    lab('remove')
    lab('start')
    packages = f'{root()}/root/packages'
    os.mkdir(packages)
    subprocess.run([f'{TOP}/tests/debian-packages', packages], check=True, timeout=900)
    shell('cd /root/packages && rm -f *-dbgsym_*.deb')
    apt('update')


def test_an_installation_starts_nothing():
    apt('install /root/packages/pbotvm_*.deb')
    equal(states('is-active'), ['inactive'] * 3, 'active')
    equal(states('is-enabled'), ['disabled'] * 3, 'enabled')
    equal(shell('stat -c "%a %U:%G" /var/lib/pbotvm').strip(), '700 pbotvm:pbotvm')
    equal(shell('stat -c "%a %U:%G" /run/pbotvm/channel').strip(), '2750 root:pbotvm-watchdog')
    equal(shell('systemctl --failed --plain --no-legend').strip(), '', 'failed units')


def test_it_is_started():
    on('systemctl', 'enable', '--now', 'pbotvm-watchdog.service', 'pbotvm.socket')
    # There is no domain; that it is said means that socket, handler, bus and watchdog are there.
    wait_until('it answers', lambda: echo('x') == 'Virtual machine is offline.', 60)


def test_an_upgrade_keeps_the_socket():
    """The same version again is for dpkg what a newer one is."""
    watchdog = main_pid('pbotvm-watchdog.service')
    socket = on('systemctl', 'show', '-P', 'InvocationID', 'pbotvm.socket')
    shell('echo "// mine" >> /etc/pbotvm/pbotvm.json')
    apt('install --reinstall /root/packages/pbotvm_*.deb')
    equal(on('systemctl', 'show', '-P', 'InvocationID', 'pbotvm.socket'), socket, 'the socket')
    wait_until('the watchdog is another one', lambda: main_pid('pbotvm-watchdog.service') not in (0, watchdog), 60)
    wait_until('it answers', lambda: echo('x') == 'Virtual machine is offline.', 60)
    true('// mine' in shell('cat /etc/pbotvm/pbotvm.json'), 'his configuration stays')


def test_an_upgrade_leaves_stopped_what_is_stopped():
    on('systemctl', 'stop', 'pbotvm-watchdog.service')
    apt('install --reinstall /root/packages/pbotvm_*.deb')
    equal(states('is-active')[:2], ['active', 'inactive'], 'socket and watchdog')
    on('systemctl', 'start', 'pbotvm-watchdog.service')


def test_the_guest_package_beside_it():
    """They share no file; the agent is not for a host, so it is taken away at once."""
    apt('install /root/packages/pbotvm-guest_*.deb')
    true('vm:' in shell('getent passwd vm'), 'the user vm')
    apt('purge pbotvm-guest')
    equal(shell('systemctl is-active pbotvm-guest.service', check=False).strip(), 'inactive')


def test_removed_it_is_stopped():
    apt('remove pbotvm')
    equal(states('is-active'), ['inactive'] * 3, 'active')
    equal(shell("pgrep -x 'pbotvm-.*' || true").strip(), '', 'processes')
    true(os.path.exists(f'{root()}/etc/pbotvm/pbotvm.json'), 'the configuration stays')


def test_purged_it_leaves_what_was_kept():
    apt('purge pbotvm')
    equal(shell('ls -d /etc/pbotvm /etc/default/pbotvm /usr/libexec/pbotvm /etc/systemd/system/*/pbotvm* 2>/dev/null || true')
          .strip(), '', 'files')
    equal(shell('systemctl --failed --plain --no-legend').strip(), '', 'failed units')


if __name__ == '__main__':
    try:
        run(globals(), settle=lambda: None)
    finally:
        lab('remove', check=False)
