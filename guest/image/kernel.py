# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the hypervisor loads: the kernel out of its compressed image, and an archive for the first process."""

import gzip
import lzma
import os
import struct
import subprocess

UNPACK = {b'\x02\x21\x4c\x18': ['lz4', '-dc'], b'\x28\xb5\x2f\xfd': ['zstd', '-dc'],
          b'\xfd7zX': ['xz', '-dc'], b'\x1f\x8b\x08\0': ['gzip', '-dc']}


def uncompressed(image):
    """The ELF file inside a bzImage (bytes): it starts two seconds sooner under emulation, and has the entry of
    PVH that the hypervisor needs for it. Raises ValueError or OSError when it cannot be had. The fields are those
    of the kernel's Documentation/x86/boot.rst."""
    if image[0x202:0x206] != b'HdrS':
        raise ValueError('the kernel is no bzImage')

    start = (image[0x1f1] + 1) * 512
    offset, length = struct.unpack_from('<II', image, 0x248)
    payload = image[start + offset:start + offset + length]

    command = UNPACK.get(payload[:4])
    if not command:
        raise ValueError('the kernel is compressed in an unknown way')

    # The size of what is unpacked follows the payload; in gzip's case it is part of it.
    if command[0] != 'gzip':
        payload = payload[:-4]
    data = subprocess.run(command, input=payload, stdout=subprocess.PIPE, check=False).stdout
    if not data.startswith(b'\x7fELF'):
        raise ValueError(f'{command[0]} could not unpack the kernel')

    return data


def load_order(folder, names):
    """Paths below folder of the modules and of all that they need, each after what it needs. A name that the
    kernel does not have as a module is left out: it may be built in."""
    needs, paths = {}, {}
    with open(os.path.join(folder, 'modules.dep'), encoding='ascii') as dep:
        for line in dep:
            path, _, others = line.partition(':')
            needs[path] = others.split()
            paths[os.path.basename(path).split('.ko')[0].replace('-', '_')] = path

    order = []

    def visit(path):
        if path in order:
            return
        for other in sorted(needs[path]):
            visit(other)
        if path not in order:
            order.append(path)

    for name in names:
        if name in paths:
            visit(paths[name])

    return order


class Archive:
    """A cpio archive of the form that the kernel unpacks ("newc")."""

    def __init__(self):
        self.data = b''
        self.count = 0

    def add(self, name, content=b'', mode=0o100644, device=(0, 0)):
        self.count += 1
        fields = (self.count, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name) + 1, 0)
        entry = b'070701' + b''.join(b'%08X' % field for field in fields) + name.encode() + b'\0'
        entry += b'\0' * (-len(entry) % 4) + content
        self.data += entry + b'\0' * (-len(entry) % 4)

    def finish(self):
        self.add('TRAILER!!!', mode=0)
        return self.data


def initrd(init, folder, names):
    """The archive: the program init (bytes) and the modules of the folder that it is to load."""
    archive = Archive()
    archive.add('dev', mode=0o40755)
    archive.add('dev/console', mode=0o20600, device=(5, 1))
    archive.add('init', init, mode=0o100755)

    listed = []
    for path in load_order(folder, names):
        with open(os.path.join(folder, path), 'rb') as file:
            content = file.read()
        if path.endswith('.gz'):
            content = gzip.decompress(content)
        elif path.endswith('.xz'):
            content = lzma.decompress(content)
        name = os.path.basename(path).partition('.ko')[0] + '.ko'
        archive.add(name, content)
        listed.append('/' + name)

    archive.add('modules', ('\n'.join(listed) + '\n').encode())
    return archive.finish()
