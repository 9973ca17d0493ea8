# SPDX-License-Identifier: LGPL-2.1-or-later
"""What everybody may write to where packages let nobody but root. The agent leaves these directories of a guest as they
are (guest/agent/mounts.c has the same list): what a job may not write there it could still touch or name attributes of,
and the next one would see it."""

import os
import subprocess

PACKAGED = ('bin', 'boot', 'etc', 'lib', 'lib32', 'lib64', 'libo32', 'libx32', 'root', 'sbin', 'usr')


def writable(root='/'):
    """The paths, but for symbolic links, and for what lies on other file systems, which the agent makes read only."""
    places = [path for path in (os.path.join(root, name) for name in PACKAGED)
              if os.path.isdir(path) and not os.path.islink(path)]
    if not places:
        return []
    found = subprocess.run(['find', *places, '-xdev', '-perm', '-0002', '!', '-type', 'l', '-print0'], check=False,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return sorted(os.fsdecode(path) for path in found.stdout.split(b'\0') if path)
