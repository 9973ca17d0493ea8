# SPDX-License-Identifier: LGPL-2.1-or-later
"""How packages are called and handled here: guest/setup/install.json and guest/packages.json."""

import os

from common import GUEST, HERE, Failure, load, run, say


def release():
    """What os-release says."""
    found = {}
    path = next((path for path in ('/etc/os-release', '/usr/lib/os-release') if os.path.exists(path)), None)
    if path:
        with open(path, encoding='utf-8') as file:
            for line in file:
                name, _, value = line.strip().partition('=')
                found[name] = value.strip('"\'')
    return found


class Distribution:
    def __init__(self):
        this = release()
        ids = [this.get('ID', '')] + this.get('ID_LIKE', '').split()
        for self.name, self.table in load(f'{HERE}/install.json').items():
            if any(i == like or i.startswith(like + '-') for i in ids for like in self.table['like']):
                break
        else:
            raise Failure(f'{this.get("PRETTY_NAME") or this.get("ID") or "this distribution"} is not known: add it to '
                          f'guest/setup/install.json and guest/packages.json')
        self.environment = {**os.environ, **self.table['environment']}

    def languages(self, wanted):
        """The chosen ones, and the packages that they need."""
        table = load(f'{GUEST}/packages.json')[self.name]
        able = sorted(name for name, packages in table.items() if packages is not None)
        chosen = able if wanted == 'all' else [name for name in wanted.split(',') if name]
        unknown = [name for name in chosen if name not in table]
        if unknown:
            raise Failure(f'{", ".join(unknown)}: no such language; there are {", ".join(able)}')
        unable = [name for name in chosen if table[name] is None]
        if unable:
            raise Failure(f'{", ".join(unable)}: no package of {self.name} is known for it')
        if wanted == 'all' and len(able) < len(table):
            say(f'{self.name} has no package for {", ".join(sorted(set(table) - set(able)))}')
        return chosen, [package for name in chosen for package in table[name]]

    def installed(self):
        """The names of all packages that are here."""
        names = (line.split() for line in run(*self.table['installed']).stdout.splitlines())
        return {words[0] for words in names if words and words[1:] in ([], ['installed'])}

    def install(self, packages):
        command = [*self.table['install'], *packages]
        if self.table['refresh'] and run(*command, check=False, env=self.environment).returncode == 0:
            return
        if self.table['refresh']:
            say('asking for newer lists of packages')
            run(*self.table['refresh'], env=self.environment)
        run(*command, env=self.environment)

    def remove(self, packages):
        """Never takes away what others have come to need, unlike the commands that install; returns what stays."""
        if packages:
            run(*self.table['remove'], *packages, check=False, env=self.environment)
        return sorted(set(packages) & self.installed()) if packages else []
