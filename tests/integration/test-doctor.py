#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults are planted on the host of the services; pbotvmctl doctor finds each, and the command that it names is run as it
stands there: then it is content."""

import json

from stack import DOMAIN, echo, equal, on, run, scale, shell, true, wait_ready, wait_until

CONFIG = '/etc/pbotvm/pbotvm.json'
ACTIVATION = '/usr/share/dbus-1/system-services/org.pbot.VM1.service'
STOPPED = 'systemctl stop pbotvm-watchdog.service'
STARTED = 'systemctl start pbotvm-watchdog.service'

# Name, what plants it, and what is undone after its mend.
PLANTED = (
    ('socket-enabled', 'systemctl disable pbotvm.socket', ''),
    ('watchdog-enabled', 'systemctl disable pbotvm-watchdog.service', ''),
    ('off-with-host', f'systemctl disable --now pbotvm-off@{DOMAIN}.service', ''),
    ('watchdog', STOPPED, ''),
    ('listening', 'systemctl stop pbotvm.socket', ''),
    ('drained', f'pbotvmctl drain {DOMAIN}', ''),
    ('state-folder', 'chmod 0755 /var/lib/pbotvm', ''),
    ('channel-folder', 'chmod 0755 /run/pbotvm/channel', ''),
    ('users', 'systemctl stop pbotvm-paste.service; userdel pbotvm-paste', ''),
    ('watchdog-activation', f'echo "[D-BUS Service]" >{ACTIVATION}', ''),
    ('libvirt', 'systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd.service', ''),
    ('managed-save', f'{STOPPED}; virsh managedsave {DOMAIN}', STARTED),
    ('running', f'{STOPPED}; virsh destroy {DOMAIN}; {STARTED}', ''),
    ('snapshot-spare', f'{STOPPED}; virsh snapshot-create-as {DOMAIN} 1.new; virsh snapshot-current {DOMAIN} 1', STARTED),
    ('machine-known', f'cp -p {CONFIG} {CONFIG}.kept; sed -i \'s/"machines": *{{/&"more": {{"domain": null}},/\' {CONFIG}',
     f'mv {CONFIG}.kept {CONFIG}; systemctl reload pbotvm-watchdog.service'),
)
# These have the snapshot taken anew.
PLANTED_IN_FULL = (
    ('snapshot', f'virsh snapshot-delete {DOMAIN} 1', ''),
)


def wrong():
    """What is not well, by the checks' names: the first command of each."""
    found = {}
    for result in json.loads(on('pbotvmctl', '--json', 'doctor', check=False, timeout=120)):
        if result['result'] != 'ok':
            found.setdefault(result['check'], result['mend'])
    return found


def mend_one(name, plant, undo):
    true(name not in wrong(), f'{name} is wrong before')
    shell(f'set -e; {plant}', timeout=120)
    try:
        command = wait_until(f'{name} is found', lambda: wrong().get(name), 15)
        shell(command.split('  #')[0], timeout=900)
        wait_until(f'{name} is well after "{command}"', lambda: name not in wrong(), 60)
    finally:
        if undo:
            shell(undo)


def planted(name, plant, undo):
    def test():
        wait_ready()
        mend_one(name, plant, undo)
        wait_ready(180)
        equal(echo('mended'), 'mended')
    return f'test_{name.replace("-", "_")}', test


globals().update(planted(*row) for row in PLANTED + scale((), PLANTED_IN_FULL))


if __name__ == '__main__':
    run(globals())
