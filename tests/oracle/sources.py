# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of others: the test suites of gcc and tcc, as Debian's packages bring them. Nothing of them is kept in this
source; they are unpacked in a cache."""

import collections
import glob
import os
import re
import shutil
import subprocess
import tempfile

GCC_SUITES = {'torture': ('gcc/testsuite/gcc.c-torture/execute', '.c'),
              'g++.dg/torture': ('gcc/testsuite/g++.dg/torture', '.C'),
              'g++.dg/cpp0x': ('gcc/testsuite/g++.dg/cpp0x', '.C')}
KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
MAIN = re.compile(r'\bmain\s*\(|\(\s*main\s*\)')


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=600, check=False)
    text = done.stdout.decode('utf-8', 'replace')
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(command)}: {text[-500:]}')
    return text


def unpacked(cache, name, unpack):
    """The folder in which unpack(folder) left it, the first time."""
    folder = os.path.join(cache, 'sources', name)
    if not os.path.exists(folder):
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        made = tempfile.mkdtemp(dir=os.path.dirname(folder))
        try:
            unpack(made)
            os.rename(made, folder)
        except BaseException:
            shutil.rmtree(made)
            raise
    return folder


def read(paths):
    """Name and text of each complete program, and how many files are none, by reason."""
    programs, skipped = {}, collections.Counter()
    for path in sorted(paths):
        try:
            with open(path, encoding='utf-8') as file:
                text = file.read()
        except UnicodeDecodeError:
            skipped['not UTF-8, which a client has to send'] += 1
            continue
        if not MAIN.search(text):
            skipped['no main()'] += 1
        elif 'dg-error' in text:
            skipped['an error is wanted'] += 1
        else:
            programs[os.path.basename(path)] = text
    return programs, skipped


def gcc_suites(cache, *suites):
    """Suites of the package gcc-12-source, as read() tells."""
    [archive] = glob.glob('/usr/src/gcc-12/gcc-12*.tar.xz')
    folder = unpacked(cache, os.path.basename(archive).removesuffix('.tar.xz'), lambda made: run(
        'tar', 'xf', archive, '-C', made, '--strip-components=1', '--wildcards',
        *(f'*/{path}/*{ending}' for path, ending in GCC_SUITES.values())))
    return read([path for suite in suites for path in glob.glob('{}/{}/*{}'.format(folder, *GCC_SUITES[suite]))])


def apt_source(package, made):
    """Debian's source of a package into the folder, whether or not the machine's list names sources."""
    targets = run('apt-get', 'indextargets', '--format', '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)',
                  'Created-By: Packages')
    lines = set()
    for origin, uri, release, component in (line.split('|') for line in targets.splitlines()):
        if origin == 'Debian' and component == 'main':
            lines.add(f'deb-src [signed-by={KEYRING}] {uri} {release} {component}\n')
    with tempfile.TemporaryDirectory() as folder:
        with open(f'{folder}/list', 'w', encoding='utf-8') as file:
            file.writelines(sorted(lines))
        os.makedirs(f'{folder}/lists/partial')
        options = ['-q', '-o', f'Dir::Etc::SourceList={folder}/list', '-o', 'Dir::Etc::SourceParts=/dev/null', '-o',
                   f'Dir::State::Lists={folder}/lists', '-o', 'APT::Sandbox::User=root']
        run('apt-get', *options, 'update')
        run('apt-get', *options, 'source', '--download-only', package, cwd=folder)
        [archive] = glob.glob(f'{folder}/{package}_*.orig.tar.*')
        run('tar', 'xf', archive, '-C', made)


def tcc_suite(cache):
    """tests/tests2 of tcc's source package, as read() tells."""
    folder = unpacked(cache, 'tcc', lambda made: apt_source('tcc', made))
    return read(glob.glob(f'{folder}/**/tests/tests2/*.c', recursive=True))
