# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was done to the guest, kept in it, so that it can be undone: also if it was not done to its end."""

import json
import os

from common import Failure, load

PATH = '/etc/pbotvm/guest-install.json'


class Record:
    def __init__(self, known=None):
        self.known = known or {'packages': [], 'files': [], 'made_user': False}

    @classmethod
    def read(cls, needed=False):
        if os.path.exists(PATH):
            return cls(load(PATH))
        if needed:
            raise Failure(f'{PATH} is not there: nothing was installed by this program')
        return cls()

    def add(self, files=(), packages=(), made_user=False):
        self.known['files'] = sorted(set(self.known['files']) | set(files))
        self.known['packages'] = sorted(set(self.known['packages']) | set(packages))
        self.known['made_user'] = self.known['made_user'] or made_user
        self.write()

    def write(self):
        os.makedirs(os.path.dirname(PATH), exist_ok=True)
        with open(f'{PATH}.new', 'w', encoding='utf-8') as file:
            json.dump(self.known, file, indent=2)
            file.write('\n')
        os.rename(f'{PATH}.new', PATH)

    def forget_files(self):
        """Removes the files, then the folders, deepest first, of which other people's may be left."""
        known = self.known['files']
        for path in known:
            if os.path.islink(path) or os.path.isfile(path):
                os.unlink(path)
        for path in sorted({*known, *(os.path.dirname(path) for path in known)}, key=len, reverse=True):
            if os.path.isdir(path) and ('pbotvm' in os.path.basename(path) or path in known):
                remove_if_empty(path)

    def forget(self):
        os.unlink(PATH)
        remove_if_empty(os.path.dirname(PATH))


def remove_if_empty(folder):
    try:
        os.rmdir(folder)
    except OSError:
        pass
