#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an operator does and sees with pbotvmctl on the real host: what PBot's own programs kept is taken over, the last
hour is shown, a guest that hung has told why."""

import json
import struct
import time

from stack import DOMAIN, ask, echo, equal, journal, live, machine, on, run, shell, sysrq, true, wait_ready, wait_until

TOLD = '6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a0d'


def test_import():
    """The history of a PBot is edited by the next request, and the configuration stays unless it is forced."""
    wait_ready()
    shell('''mkdir -p /root/pbot/history /root/pbot/config
printf '{"code":"%s"}\\n' 'echo imported two' 'echo imported one' '' >'/root/pbot/history/#operator-test-sh.hist'
echo '{"machines":{"elsewhere":{"vagrant":1}}}' >/root/pbot/config/vm-exec.json''')
    try:
        before = shell('cat /etc/pbotvm/pbotvm.json')
        said = shell('pbotvmctl import /root/pbot 2>&1; echo $?')
        true('pbotvm.json: is there and stays' in said and 'vagrant: has no counterpart' in said
             and '1 histories with 2 codes taken over' in said and said.endswith('\n1\n'), said)
        equal(shell('cat /etc/pbotvm/pbotvm.json'), before)
        equal(shell("stat -c '%U:%G %a' '/var/lib/pbotvm/#operator-test@sh.hist'").strip(), 'pbotvm:pbotvm 600')
        equal(ask({'nick': 'op', 'channel': '#operator-test', 'lang': 'sh', 'code': 's/two/TWO/'}).strip(), 'imported TWO')
        equal(ask({'nick': 'op', 'channel': '#operator-test', 'lang': 'sh', 'code': 'undo undo'}).strip(), 'echo imported one')
    finally:
        shell("rm -rf /root/pbot '/var/lib/pbotvm/#operator-test@sh.hist' '/var/lib/pbotvm/#operator-test@sh.last-output'")


def hour():
    return {name: sum(counts) for name, counts in machine()['LastHour'].items()}


def test_last_hour():
    """Requests, beats and reverts are there a moment later, and after a restart of the service too."""
    wait_ready()
    before = hour()
    equal(echo('counted'), 'counted')
    on('pbotvmctl', 'revert', DOMAIN, timeout=180)
    wait_ready()
    wait_until('both are counted', lambda: hour()['requests'] > before['requests'] and hour()['reverts'] > before['reverts'], 10)
    counted = hour()
    on('systemctl', 'restart', 'pbotvm-watchdog.service')
    wait_ready()
    after = hour()
    true(after['beats'] >= counted['beats'] > 0 and after['requests'] == counted['requests']
         and after['reverts'] >= counted['reverts'], f'{counted} became {after}')
    shown = json.loads(on('pbotvmctl', '--json', 'status', DOMAIN))['last_hour']
    equal([len(shown[name]) for name in ('beats', 'requests', 'reverts')], [60, 60, 60])
    text = shell(f'COLUMNS=120 LC_ALL=C.UTF-8 pbotvmctl -n 0 status {DOMAIN}')
    true('Last hour: beats ' in text and any(block in text for block in '▁▂▃▄▅▆▇█'), text)


def test_guest_tells_why():
    """The kernel of the guest says something, then stops: the host's journal has what it said."""
    wait_ready()
    # The agent of a reverted guest tells only a host of ours.
    equal(echo('known'), 'known')
    since = time.time()
    # Its memory, in lines of priority warning; the agent sends what comes once a second.
    sysrq('M')
    time.sleep(4)
    generation = machine()['Generation']
    sysrq('C')
    wait_until('it is reverted', lambda: machine()['Generation'] > generation, 120)
    wait_ready(120)
    told = journal(f'MESSAGE_ID={TOLD}', since=since)
    true(all(entry['MESSAGE'].startswith(f'The guest of {DOMAIN} told: ') and entry['PBOTVM_MACHINE'] == DOMAIN
             for entry in told), f'told {told}')
    true(len(told) <= 16, f'{len(told)} lines were told')
    true(any('kernel' in entry['MESSAGE'] for entry in told), f'the kernel said nothing: {[e["MESSAGE"] for e in told]}')


def empty_disk():
    """An image of 64 MiB that nobody has written to, in qcow2 version 2: a cluster each of header, first table, counts'
    table and counts."""
    head = struct.pack('>4sIQIIQIIQQIIQ', b'QFI\xfb', 2, 0, 0, 16, 64 << 20, 0, 1, 65536, 131072, 1, 0, 0)
    return b''.join(part.ljust(65536, b'\0')
                    for part in (head, b'', struct.pack('>Q', 196608), struct.pack('>4H', 1, 1, 1, 1)))


def test_create():
    """A domain of an empty disk is made and found again; one of the guest's own image is refused."""
    image = '/var/lib/libvirt/images/created.qcow2'
    create = 'PBOTVM_CONFIG=/root/created.json pbotvmctl create created'
    with open(live() + image, 'wb') as file:
        file.write(empty_disk())
    shell("""echo '{ "machines": { "created": { "domain": "pbot-created" } } }' >/root/created.json""")
    try:
        said = shell(f'{create} {image} --memory=256')
        true('Domain pbot-created is made and started' in said, said)
        equal(on('virsh', 'domstate', 'pbot-created').strip(), 'running')
        equal(shell('ls /run/pbotvm/channel/created.*').split(),
              ['/run/pbotvm/channel/created.data', '/run/pbotvm/channel/created.heart'])
        on('virsh', '-q', 'destroy', 'pbot-created')
        said = shell(f'{create} {image}')
        true('is there already, of this image' in said, said)
        equal(on('virsh', 'domstate', 'pbot-created').strip(), 'running')
        said = shell(f'{create} /var/lib/libvirt/images/{DOMAIN}.qcow2 2>&1; echo $?')
        true('of another image' in said or f"the image is domain {DOMAIN}'s" in said, said)
        true(said.endswith('\n1\n'), said)
    finally:
        shell(f'virsh -q destroy pbot-created; virsh -q undefine pbot-created; rm -f {image} /root/created.json', check=False)


if __name__ == '__main__':
    run(globals())
