# SPDX-License-Identifier: LGPL-2.1-or-later
"""A cable between the network of a process and another one that is there for nothing else: sockets at both ends, and
nothing of it in the machine's own network."""

import ctypes
import os
import socket
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000
ENDS = (('10.9.0.1/24', 'fd09::1/64'), ('10.9.0.2/24', 'fd09::2/64'))
LINKS = tuple((near.split('/')[0], far.split('/')[0]) for near, far in zip(*ENDS))
PORT = 7000


class Cable:
    def __init__(self):
        self.far = subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', 'infinity'],
                                    stdin=subprocess.DEVNULL)
        while os.readlink(f'/proc/{self.far.pid}/ns/net') == os.readlink('/proc/self/ns/net'):
            time.sleep(0.02)
        self.near = None

    def plug(self, near):
        """Into the network of a process; anew after a reboot, which has torn it off."""
        self.near = near
        ip(self.far.pid, 'link', 'delete', 'lan', check=False)
        ip(near, 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'lan', 'netns', str(self.far.pid))
        for pid, addresses in zip((near, self.far.pid), ENDS):
            for address in addresses:
                ip(pid, 'address', 'add', address, 'dev', 'lan', *(['nodad'] if ':' in address else []))
            ip(pid, 'link', 'set', 'lan', 'up')

    def forget_neighbours(self):
        ip(self.near, 'neigh', 'flush', 'dev', 'lan')

    def remove(self):
        self.far.kill()
        self.far.wait()


def ip(pid, *words, check=True):
    subprocess.run(['nsenter', '--target', str(pid), '--net', 'ip', *words], check=check,
                   stderr=None if check else subprocess.DEVNULL)


def in_network(pid, function):
    """Calls it in the network of a process: sockets that it makes there stay there."""
    result = []

    def body():
        try:
            with open(f'/proc/{pid}/ns/net', 'rb') as network:
                if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), 'setns')
            result.append((function(), None))
        except Exception as error:  # pylint: disable=broad-except
            result.append((None, error))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    value, error = result[0]
    if error:
        raise error
    return value


def listen(pid, address):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    return in_network(pid, lambda: socket.create_server((address, PORT), family=family))


def connect(pid, address):
    return in_network(pid, lambda: socket.create_connection((address, PORT), 1.5))


def connected(pid, other, address):
    """Both ends of a connection from one to the other, which listens for it only."""
    with listen(other, address) as server:
        server.settimeout(3)
        one = connect(pid, address)
        return one, server.accept()[0]


def refused(pid, other, address):
    try:
        for end in connected(pid, other, address):
            end.close()
    except OSError:
        return True
    return False
