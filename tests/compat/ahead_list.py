# SPDX-License-Identifier: LGPL-2.1-or-later
"""The list of what is made ahead for the compilers (guest/gdb/ahead-list.h)."""


def entries(path):
    """Each with its lines, the first of which begins with "= "; the list of some is these joined."""
    with open(path, encoding='utf-8') as file:
        return ['= ' + entry.rstrip('\n') + '\n' for entry in ('\n' + file.read()).split('\n= ')[1:]]
