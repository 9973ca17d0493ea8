# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was done to the guest, kept in it, so that it can be undone: also if it was not done to its end."""

import json
import os
import shutil

from common import Failure, load

PATH = '/etc/pbotvm/guest-install.json'
# Files of somebody else's in whose places ours are, with their whole paths.
ASIDE = '/etc/pbotvm/guest-install.aside'


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

    def put_aside(self, paths):
        """Before ours come into these places: what is there and not ours comes back by forget_files()."""
        for path in paths:
            if path not in self.known['files'] and (os.path.isfile(path) or os.path.islink(path)):
                os.makedirs(os.path.dirname(ASIDE + path), exist_ok=True)
                shutil.copy2(path, ASIDE + path, follow_symlinks=False)

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
        self.put_back()

    def put_back(self):
        for folder, _, names in os.walk(ASIDE):
            for name in names:
                path = os.path.join(folder, name)
                os.makedirs(os.path.dirname(path[len(ASIDE):]), exist_ok=True)
                shutil.move(path, path[len(ASIDE):])
        shutil.rmtree(ASIDE, ignore_errors=True)

    def forget(self):
        os.unlink(PATH)
        remove_if_empty(os.path.dirname(PATH))


def remove_if_empty(folder):
    try:
        os.rmdir(folder)
    except OSError:
        pass
