#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""./quickstart where systemd is PID 1: on a fresh Debian host, without a network, that is made for it
(tests/lib/fresh-host). The tests follow each other; what is left after --remove is compared with what was there."""

import os
import re
import subprocess
import time

from stack import TOP, equal, lab, machine, on, reboot, root, run, shell, true, wait_ready, wait_until

os.environ['LAB_HOST'] = os.path.join(TOP, 'tests/lib/fresh-host')
SOURCE = '/root/pbotvm'
UNITS = ('pbotvm.socket', 'pbotvm-watchdog.service', 'pbotvm-off@pbot-vm.service')

# Kept between the tests.
kept = {}


def quickstart(*options, timeout=600):
    return on(f'{SOURCE}/quickstart', '--profile', 'small', *options, timeout=timeout)


def echo(word):
    """A request from a shell of that host: its loopback is its own."""
    return on('bash', '-c', f'exec 3<>/dev/tcp/127.0.0.1/9000; echo "-lang=sh echo {word}" >&3; cat <&3',
              timeout=90).strip()


# --- What a host looks like.

# What changes by itself or with any package, and the source.
UNTOLD = re.compile(r'/(proc|sys|dev|run|tmp|var/tmp|var/log|var/cache|root/pbotvm|var/lib/(apt|dpkg|systemd|polkit-1))'
                    r'(/|$)')
# What some packages leave when they are purged.
PACKAGES_OWN = re.compile(r'polkit|/(etc|var/lib)/(libvirt|xml|apparmor\.d|machines|portables)(/|$)|'
                          r'^(user|group) (rdma|kvm|polkitd)$')


def files():
    """Files and folders with owner and mode, but for those of packages that are there."""
    listed = shell("find / -xdev \\( -path /proc -o -path /sys \\) -prune -o -printf '%y %m %u:%g %p\\n'")
    packages = set(shell('cat /var/lib/dpkg/info/*.list').splitlines())
    found = set()
    for line in listed.splitlines():
        path = line.split(' ', 3)[3]
        if not UNTOLD.match(path) and path not in packages and path.replace('/usr/', '/', 1) not in packages:
            found.add(line)
    return found


def look():
    """All of a host that --remove must bring back."""
    return {'files': files(),
            'users': {f'user {line.split(":")[0]}' for line in shell('cat /etc/passwd').splitlines()},
            'groups': {f'group {line.split(":")[0]}' for line in shell('cat /etc/group').splitlines()},
            'units': set(shell("systemctl list-unit-files --no-legend '*pbot*'; "
                               "systemctl list-units --plain --no-legend --state=active,failed '*pbot*'; "
                               "systemctl list-units --plain --no-legend --state=active,failed | "
                               "awk '$2 == \"not-found\" || $3 == \"failed\"'").splitlines()),
            'packages': set(shell("dpkg-query -W -f '${db:Status-Abbrev} ${Package}\\n'").splitlines()),
            'logs': set(shell("ls -d /var/log/*pbot* /var/log/libvirt/qemu/*pbot* /var/cache/*pbot* "
                              "/var/lib/*pbot* /run/*pbot* 2>/dev/null || true").splitlines())}


# --- The host.

def put_source():
    """The source as it is here, and the guest's image, which a host without a network could not make."""
    made = subprocess.run([f'{TOP}/guest/image/build', '--profile', 'small'], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.split()[-1].removesuffix('.qcow2')
    script = '''set -e
        mkdir -p "$2$3" "$2/var/cache/pbotvm/guest"
        tar -C "$1" --exclude=./.git --exclude=./build --exclude=__pycache__ -c . | tar -C "$2$3" -x
        cp --sparse=always -p "$4".* "$2/var/cache/pbotvm/guest/"'''
    subprocess.run(['sh', '-c', script, 'sh', TOP, root(), SOURCE, made], check=True)


def test_a_fresh_host_boots():
    lab('remove')
    lab('start')
    equal(shell('cat /proc/1/comm').strip(), 'systemd')
    equal(shell('ls /sys/class/net').split(), ['lo'], 'interfaces')
    # Somebody's own settings, which stay.
    shell('mkdir -p /etc/pbotvm/languages.d; echo "// mine" >/etc/pbotvm/languages.d/mine.txt')
    kept['before'] = look()
    put_source()


def test_nothing_is_undone_where_nothing_was_done():
    shell('mv /var/cache/pbotvm /var/cache/aside')
    before = look()
    on(f'{SOURCE}/quickstart', '--remove', timeout=300)
    after = look()
    shell('mv /var/cache/aside /var/cache/pbotvm')
    equal(after, before)


def test_everything_up_to_hello():
    said = quickstart()
    true('\nhello world\n' in said, f'hello world in: {said[-900:]}')
    print(re.sub(r'^', '    ', said[:said.index('\nhello world')].strip(), flags=re.M), flush=True)
    for unit in UNITS:
        equal(shell(f'systemctl is-active {unit}; systemctl is-enabled {unit}').split(), ['active', 'enabled'], unit)


def test_the_units_are_right():
    equal(shell('systemctl --failed --plain --no-legend').strip(), '', 'failed units')
    equal(shell('systemd-analyze verify --man=no /lib/systemd/system/pbotvm* 2>&1').strip(), '', 'verify')
    wait_ready()
    true('/org/pbot/VM1/machine/pbot_2dvm' in on('busctl', '--list', 'tree', 'org.pbot.VM1'), 'the bus has the machine')
    true('ready' in on('pbotvmctl', 'status'), 'pbotvmctl status')
    # The bus must not read rules of users that are still to come.
    equal(shell("journalctl -q -o cat -u dbus.service | grep pbotvm | grep -i unknown || true").strip(), '', 'dbus')


def test_a_request():
    equal(echo('one'), 'one')


def test_a_second_run_changes_nothing():
    generation, started = machine()['Generation'], time.monotonic()
    said = quickstart()
    true(time.monotonic() - started < 30, f'{time.monotonic() - started:.1f} s, should be below 30')
    for word in ('all there', 'nothing new', 'as it was'):
        true(word in said, f'"{word}" in: {said[:1200]}')
    equal(machine()['Generation'], generation, 'generation')


def test_serial_lines():
    """A domain with the guide's lines too; the channel stays what is used, unless the configuration says else."""
    quickstart('--serial')
    ports = shell("ss -ltnH | awk '{ print $4 }'").split()
    true({'127.0.0.1:5555', '127.0.0.1:5556', '127.0.0.1:9000'} <= set(ports), f'listeners: {ports}')
    equal(echo('auto'), 'auto')
    equal(machine()['Transport'], 'channel')
    config = f'{root()}/etc/pbotvm/pbotvm.json'
    with open(config, encoding='utf-8') as file:
        before = file.read()
    try:
        with open(config, 'w', encoding='utf-8') as file:
            file.write(before.replace('"addr":', '"transport": "serial", "serial": 5555, "health": 5556, "addr":', 1))
        on('systemctl', 'reload', 'pbotvm-watchdog.service')
        wait_until('it is reached by its lines', lambda: machine()['Transport'] == 'serial')
        equal(echo('serial'), 'serial')
    finally:
        with open(config, 'w', encoding='utf-8') as file:
            file.write(before)
        on('systemctl', 'reload', 'pbotvm-watchdog.service')
    wait_until('it is reached by its channel', lambda: machine()['Transport'] == 'channel')


def test_a_reboot_brings_it_back():
    """The second time with libvirt-guests, which is started by the first boot after its installation."""
    for word in ('once', 'twice'):
        started = time.monotonic()
        down = reboot()
        equal(echo(word), word)
        print(f'    down after {down:.1f} s, an answer after {time.monotonic() - started:.1f} s', flush=True)
        equal(shell('systemctl --failed --plain --no-legend').strip(), '', 'failed units')


def test_it_is_undone():
    said = on(f'{SOURCE}/quickstart', '--remove', timeout=300)
    print(re.sub(r'^', '    ', said.strip(), flags=re.M), flush=True)
    after, wrong = look(), []
    for kind, before in kept['before'].items():
        wrong += [f'left: {line}' for line in sorted(after[kind] - before)]
        wrong += [f'lost: {line}' for line in sorted(before - after[kind])]
    wrong = [line for line in wrong if 'pbot' in line or not PACKAGES_OWN.search(line[6:])]
    equal(wrong, [])


if __name__ == '__main__':
    try:
        run(globals())
    finally:
        lab('remove', check=False)
