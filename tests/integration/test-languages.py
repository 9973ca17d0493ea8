#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every language of the full guest says hello, through port 9000."""

import json
import os

from stack import TOP, ask, run, true, wait_ready

with open(os.path.join(TOP, 'guest/hello.json'), encoding='utf-8') as _file:
    PROGRAMS = json.load(_file)
with open(os.path.join(TOP, 'guest/image/image.json'), encoding='utf-8') as _file:
    LANGUAGES = json.load(_file)['profiles']['full']['languages']


def says_hello(language):
    wait_ready()
    text = ask({'nick': 'n', 'channel': f'#{language}', 'lang': language, 'code': PROGRAMS[language]['code']})
    true(text.strip() == 'hello', f'got {text!r}')


# Each is a test with its own line; plus and the like do not go into a function's name.
TESTS = {f'test_{language}': lambda language=language: says_hello(language) for language in LANGUAGES}

if __name__ == '__main__':
    run(TESTS)
