#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The installed services: who they run as, where they listen, what they are made of."""

import contextlib
import os
import re
import socket
import subprocess
import time

from stack import (DOMAIN, TOP, ask, ask_timed, echo, equal, escaped, journal, live, machine, main_pid, on, root, run, shell,
                   true, wait_ready, wait_until)

UNITS = ('pbotvm.socket', 'pbotvm-watchdog.service')


def test_units_are_well():
    for unit in UNITS:
        equal(on('systemctl', 'is-active', unit).strip(), 'active', unit)
        equal(on('systemctl', 'is-enabled', unit).strip(), 'enabled', unit)
    equal(shell("systemctl list-units --failed --no-legend --plain 'pbotvm*'").strip(), '', 'failed units')
    said = shell('systemd-analyze verify --man=no pbotvm.socket pbotvm@x.service pbotvm-watchdog.service pbotvm-paste.service '
                 'pbotvm-metrics.timer pbotvm-qemu@x.service pbotvm-template@x.service 2>&1',
                 check=False)
    equal([line for line in said.splitlines() if 'pbotvm' in line], [], 'systemd-analyze verify')


def test_first_snapshot_has_a_passport():
    """Also the one that ./quickstart takes, without the watchdog."""
    wait_ready()
    made = machine()['SnapshotMadeBy']
    true(made.startswith('QEMU ') and 'libvirt ' in made, f'made by {made!r}')


def test_nobody_is_root():
    status = shell(f'cat /proc/{main_pid("pbotvm-watchdog.service")}/status')
    true(not re.search(r'^Uid:\s+0\b', status, re.M), 'the watchdog runs as root')
    equal(re.search(r'^CapEff:\s+(\w+)', status, re.M).group(1).strip('0'), '', 'capabilities of the watchdog')
    equal(re.search(r'^NoNewPrivs:\s+(\d)', status, re.M).group(1), '1', 'new privileges')
    equal(on('systemctl', 'show', '-P', 'User', 'pbotvm@x.service').strip(), 'pbotvm', 'user of the handlers')


def test_handler_links_only_what_it_needs():
    said = shell('ldd /usr/libexec/pbotvm/pbotvm-handler')
    for library in ('libvirt', 'libcurl', 'libstdc++'):
        true(library not in said, f'it links {library}')


def test_service_account_cannot_be_used_to_command_libvirt():
    said = shell('runuser -u pbotvm -- virsh -c qemu:///system list 2>&1', check=False)
    true('authentication' in said.lower() or 'denied' in said.lower() or 'authoriz' in said.lower(), f'got {said!r}')
    said = shell('runuser -u nobody -- busctl call org.pbot.VM1 /org/pbot/VM1/machine/'
                 f'{escaped("pbot-vm")} org.pbot.VM1.Machine Revert s x 2>&1', check=False)
    true('org.pbot.VM1.revert: interactive authentication required' in said, f'got {said!r}')


def test_operators_need_not_be_root():
    """polkit itself decides: members of pbotvm-admin may manage the machine, but not replace its snapshot."""
    wait_ready()
    shell('useradd -G pbotvm-admin pbot-operator && useradd pbot-other')
    try:
        on('runuser', '-u', 'pbot-operator', '--', 'pbotvmctl', 'drain', DOMAIN)
        equal(machine()['State'], 'drained')
        on('runuser', '-u', 'pbot-operator', '--', 'pbotvmctl', 'resume', DOMAIN)
        wait_ready()
        for user, call in (('pbot-other', f'pbotvmctl drain {DOMAIN}'),
                           ('pbot-operator', f'busctl call org.pbot.VM1 /org/pbot/VM1/machine/{escaped(DOMAIN)} '
                            'org.pbot.VM1.Machine Snapshot')):
            said = shell(f'runuser -u {user} -- {call} 2>&1 && echo DONE', check=False)
            true('DONE' not in said and re.search('authenti|permission', said), f'{user}: {call}: {said!r}')
        equal(machine()['State'], 'ready')
    finally:
        on('pbotvmctl', 'resume', DOMAIN, check=False)
        shell('userdel pbot-operator; userdel pbot-other')


def test_client_programs():
    equal(shell('pbotvm-client -lang=sh echo from-client').strip(), 'from-client')
    equal(shell("pbotvm-exec -lang=sh 'echo from-exec'").strip(), 'from-exec')
    true('pbot-vm' in on('pbotvmctl', 'status'), 'pbotvmctl status')
    true('pbot-vm' in on('pbotvmctl', 'list'), 'pbotvmctl list')


def test_nobody_starts_a_stopped_watchdog():
    """Neither a client nor who asks on the bus, whatever it asks; it is said in words, and without a wait."""
    on('systemctl', 'stop', 'pbotvm-watchdog.service')
    try:
        said, took = ask_timed('-lang=sh echo x')
        equal(said.strip(), 'Virtual machine service is not running.')
        true(took < 3, f'it was said after {took:.1f} s')
        said = shell('pbotvmctl status 2>&1; echo status $?')
        true('start it with: systemctl start pbotvm-watchdog' in said and 'status 3' in said, f'got {said!r}')
        said = shell('busctl call org.pbot.VM1 /org/pbot/VM1 org.pbot.VM1.Manager ListMachines 2>&1 && echo DONE', check=False)
        true('DONE' not in said, f'busctl got {said!r}')
        equal(on('systemctl', 'is-active', 'pbotvm-watchdog.service', check=False).strip(), 'inactive')
        equal(on('systemctl', 'is-active', 'pbotvm.socket').strip(), 'active')
    finally:
        on('systemctl', 'start', 'pbotvm-watchdog.service')
    wait_ready()


def test_a_starting_watchdog_is_waited_for():
    """At boot it comes after something that takes time: systemd has its start in the queue, and it is inactive."""
    wait_ready()
    on('systemctl', 'stop', 'pbotvm-watchdog.service')
    shell('systemd-run -q --no-block --unit=pbotvm-test-first --property=Type=oneshot '
          '--property=Before=pbotvm-watchdog.service sleep 3; systemctl start --no-block pbotvm-watchdog.service')
    equal(on('systemctl', 'is-active', 'pbotvm-watchdog.service', check=False).strip(), 'inactive')
    equal(echo('waited'), 'waited')
    wait_ready()


def test_reload_waits_and_fails():
    """systemctl returns when the configuration counts, and fails with the reason in the unit's journal."""
    path = f'{live()}/etc/pbotvm/pbotvm.json'
    with open(path, encoding='utf-8') as file:
        before = file.read()
    pid = main_pid('pbotvm-watchdog.service')
    started = time.time()
    try:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(before.replace('"machines": {', '"machines": {"reloaded": {"domain": null},', 1))
        on('systemctl', 'reload', 'pbotvm-watchdog.service')
        true('reloaded' in on('pbotvmctl', 'list'), 'the new machine is not there when reload returns')
        with open(path, 'w', encoding='utf-8') as file:
            file.write('{\n"machines": 5}')
        true('REFUSED' in shell('systemctl reload pbotvm-watchdog.service 2>&1 || echo REFUSED'), 'a mistake is no failure')
        said = wait_until('the reason', lambda: '\n'.join(
            entry['MESSAGE'] for entry in journal('-u', 'pbotvm-watchdog.service', since=started)
            if entry.get('SYSLOG_IDENTIFIER') == 'pbotvmctl'))
        true('/etc/pbotvm/pbotvm.json:2: machines' in said, f'got {said!r}')
    finally:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(before)
        on('systemctl', 'reload', 'pbotvm-watchdog.service')
    equal((on('systemctl', 'is-active', 'pbotvm-watchdog.service').strip(), main_pid('pbotvm-watchdog.service')),
          ('active', pid))
    wait_ready()


def test_metrics_for_prometheus():
    """The unit by itself, off by default, into the file that the variable names; parsed by the unit test's reader."""
    equal(on('systemctl', 'is-enabled', 'pbotvm-metrics.timer', check=False).strip(), 'disabled')
    wait_ready()
    folder, defaults = '/var/lib/pbotvm-metrics-test', f'{live()}/etc/default/pbotvm'
    with open(defaults, encoding='utf-8') as file:
        before = file.read()
    try:
        shell(f'install -d -o nobody {folder}')
        with open(defaults, 'a', encoding='utf-8') as file:
            file.write(f'PBOTVM_METRICS_FILE={folder}/pbotvm.prom\n')
        on('systemctl', 'start', 'pbotvm-metrics.service')
        said = subprocess.run([f'{TOP}/tests/unit/tools/check-metrics', 'pbotvm_up=1',
                               f'pbotvm_machine_state{{machine="{DOMAIN}",state="ready"}}=1'],
                              input=shell(f'cat {folder}/pbotvm.prom'), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        equal(said.returncode, 0, said.stdout)
        on('systemctl', 'start', 'pbotvm-metrics.timer')
        equal(shell(f'ls {folder}').split(), ['pbotvm.prom'])
    finally:
        on('systemctl', 'stop', 'pbotvm-metrics.timer')
        with open(defaults, 'w', encoding='utf-8') as file:
            file.write(before)
        shell(f'rm -rf {folder}')


def refused(port):
    try:
        socket.create_connection(('127.0.0.1', port), 2).close()
    except OSError:
        return True
    return False


def restart_socket():
    on('systemctl', 'daemon-reload')
    on('systemctl', 'restart', 'pbotvm.socket')


def test_port_moves_by_the_variable():
    path = f'{live()}/etc/default/pbotvm'
    with open(path, encoding='utf-8') as file:
        before = file.read()
    try:
        with open(path, 'a', encoding='utf-8') as file:
            file.write('PBOTVM_PORT=9471\n')
        restart_socket()
        equal(echo('moved', port=9471), 'moved')
        true(refused(9000), 'the old port still answers')
    finally:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(before)
        restart_socket()
    equal(echo('back'), 'back')
    true(refused(9471), 'the other port still answers')


def test_listeners_of_the_configuration():
    path = f'{live()}/etc/pbotvm/pbotvm.json'
    with open(path, encoding='utf-8') as file:
        before = file.read()
    try:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(before.replace('"aliases": {', '"listeners": {"127.0.0.1:9000": "main", "127.0.0.1:9472": '
                                      '"pbot-vm"},\n        "aliases": {', 1))
        restart_socket()
        equal((echo('first'), echo('second', port=9472)), ('first', 'second'))
    finally:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(before)
        restart_socket()
    equal(echo('again'), 'again')


def test_a_unix_socket_as_listener():
    """Its mode and group keep others out, and a fixed machine is the only one."""
    path = f'{live()}/etc/pbotvm/pbotvm.json'
    with open(path, encoding='utf-8') as file:
        before = file.read()
    try:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(before.replace('"aliases": {', '"listeners": {"/run/pbotvm/test-socket": {"machine": "pbot-vm", "mode": '
                                      '"0660", "group": "pbotvm-admin", "fixed": true}},\n        "aliases": {', 1))
        restart_socket()
        equal(shell('stat -c "%a %U:%G" /run/pbotvm/test-socket').strip(), '660 root:pbotvm-admin')
        client = 'env PBOTVM_ADDR=/run/pbotvm/test-socket pbotvm-client'
        equal(shell(f'{client} -vm=no-such -lang=sh echo over-unix').strip(), 'over-unix')
        true(refused(9000), 'the port still answers')
        said = shell(f'runuser -u nobody -- {client} x', check=False)
        true('Permission denied' in said, f'got {said!r}')
        # One user may hold so many connections; from systemd 256 on that is said of this kind of socket too.
        equal(on('systemctl', 'show', '-P', 'MaxConnectionsPerSource', 'pbotvm.socket').strip(), '96')
        with contextlib.ExitStack() as stack:
            for _ in range(150):
                link = stack.enter_context(socket.socket(socket.AF_UNIX))
                link.connect(f'{live()}/run/pbotvm/test-socket')
            said = shell(f'runuser -u nobody -g pbotvm-admin -- {client} -lang=sh echo of-another')
        equal(said.strip(), 'of-another')
    finally:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(before)
        restart_socket()
    equal(echo('a-port-again'), 'a-port-again')


def is_closed(link):
    """Whether the other end has let go of a client that sent nothing."""
    link.setblocking(False)
    try:
        return not link.recv(1)
    except BlockingIOError:
        return False
    except OSError:
        return True


def silence_of_one(seconds):
    """For how long a client that says nothing is kept, seconds at most."""
    started = time.monotonic()
    with socket.create_connection(('127.0.0.1', 9000), 5) as link:
        wait_until('the end of a silent client', lambda: is_closed(link), seconds)
    return time.monotonic() - started


def test_silent_clients_do_not_shut_others_out():
    """In a crowd they are let go before one alone would be, after 5 s. It is counted by the handlers' cgroups: those of
    this test stand for handlers that a slow machine would not have started in time."""
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(socket.create_connection(('127.0.0.1', 9000), 5))
        find = 'find /sys/fs/cgroup -path "*/pbotvm.slice/pbotvm@*" -name cgroup.controllers | xargs -rn1 dirname'
        folder = os.path.dirname(wait_until('the cgroup of a handler', lambda: shell(find).split(), 30)[0])
    try:
        shell(f'cd {folder} && mkdir $(seq -f test-%g 150)')
        true(silence_of_one(30) < 4.5, 'in a crowd a silent client is waited for as long as alone')
    finally:
        shell(f'cd {folder} && rmdir test-*')
    with contextlib.ExitStack() as stack:
        for _ in range(180):
            stack.enter_context(socket.create_connection(('127.0.0.1', 9000), 5))
        equal(echo('heard'), 'heard')


def test_status_shows_what_is_ours():
    shell('printf "MESSAGE=forged words\\nPBOTVM_MACHINE=pbot-vm\\n" | runuser -u nobody -- logger --journald')
    time.sleep(0.5)
    true('forged words' in shell('journalctl -q -n 50 PBOTVM_MACHINE=pbot-vm'), 'the journal has no such entry')
    true('forged words' not in on('pbotvmctl', 'status'), 'pbotvmctl status shows it')


def test_a_burst_does_not_stop_the_socket():
    """systemd's own limit, 200 activations in 2 s, would put it out of service for good."""
    for _ in range(260):
        try:
            socket.create_connection(('127.0.0.1', 9000), 5).close()
        except OSError:
            time.sleep(0.05)
    wait_until('an answer', lambda: echo('still-here') == 'still-here', 60)
    equal(on('systemctl', 'is-active', 'pbotvm.socket').strip(), 'active')


def test_language_file_of_an_operator():
    folder = f'{live()}/etc/pbotvm/languages.d'
    text = shell('cat /usr/share/pbotvm/languages/sh.json')
    path = os.path.join(folder, 'myshell.json')
    try:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(re.sub(r'"name":\s*"sh"', '"name": "myshell"', text))
        os.chmod(path, 0o644)
        equal(ask('-lang=myshell echo own').strip(), 'own')
        said = on('pbotvmctl', '--no-legend', 'languages')
        true(re.search(r'^myshell +- +sh ', said, re.M) and re.search(r'^python3 ', said, re.M), f'got {said!r}')
    finally:
        os.unlink(path)


def test_files_are_where_they_belong():
    for path in ('usr/share/polkit-1/rules.d/50-pbotvm.rules', 'usr/share/polkit-1/rules.d/50-pbotvm-libvirt.rules',
                 'usr/share/polkit-1/actions/org.pbot.VM1.policy',
                 'usr/share/dbus-1/system.d/org.pbot.VM1.conf', 'usr/lib/sysusers.d/pbotvm.conf',
                 'usr/lib/tmpfiles.d/pbotvm.conf', 'etc/pbotvm/pbotvm.json'):
        true(os.path.exists(os.path.join(root(), path)), f'/{path} is missing')
    equal(shell('stat -c "%a %U:%G" /var/lib/pbotvm').strip(), '700 pbotvm:pbotvm')
    equal(shell('stat -c "%a %U:%G" /run/pbotvm/channel').strip(), '2750 root:pbotvm-watchdog')


if __name__ == '__main__':
    run(globals())
