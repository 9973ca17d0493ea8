# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the parts of guest/install share."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
GUEST = os.path.dirname(HERE)


class Failure(Exception):
    """What failed and what to do."""


def say(text):
    print(f'guest/install: {text}', flush=True)


def load(path):
    try:
        with open(path, encoding='utf-8') as file:
            return {name: value for name, value in json.load(file).items() if name != 'about'}
    except (OSError, ValueError) as error:
        raise Failure(f'{path}: {error}') from None


def run(*command, check=True, **options):
    """Runs a command; what it says is of interest only if it fails."""
    try:
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors='replace', **options)
    except FileNotFoundError:
        raise Failure(f'{command[0]} is not there') from None
    if check and done.returncode != 0:
        sys.stderr.write(done.stdout[-3000:])
        raise Failure(f'{" ".join(command[:4])} failed with status {done.returncode}')
    return done
