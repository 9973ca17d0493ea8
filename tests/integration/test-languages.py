#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every language of the full guest says hello, through port 9000."""

import json
import os

from stack import TOP, ask, equal, on, run, true, wait_ready

with open(os.path.join(TOP, 'guest/hello.json'), encoding='utf-8') as _file:
    PROGRAMS = json.load(_file)
with open(os.path.join(TOP, 'guest/image/image.json'), encoding='utf-8') as _file:
    LANGUAGES = json.load(_file)['profiles']['full']['languages']


def says_hello(language):
    wait_ready()
    text = ask({'nick': 'n', 'channel': f'#{language}', 'lang': language, 'code': PROGRAMS[language]['code']})
    true(text.strip() == 'hello', f'got {text!r}')


# One program a language: what it does with its first argument, with a line of input, and with what it printed before
# the time limit came. None: the language has no such thing.
ARGUMENT = {
    'sh': 'echo "[$1]"', 'bash': 'echo "[$1]"', 'zsh': 'echo "[$1]"', 'ksh': 'echo "[$1]"',
    'perl': 'print "[$ARGV[0]]"', 'python': 'import sys; print("[" + sys.argv[1] + "]")',
    'python3': 'import sys; print("[" + sys.argv[1] + "]")', 'tcl': 'puts \\[[lindex $argv 0]\\]',
    'lua': 'print("[" .. arg[1] .. "]")', 'ruby': 'puts "[#{ARGV[0]}]"', 'php': 'echo "[$argv[1]]";',
    'javascript': 'console.log(`[${process.argv[2]}]`)',
    'go': 'package main; import ("fmt"; "os"); func main() { fmt.Println("[" + os.Args[1] + "]") }',
    'clisp': '(format t "[~A]" (first *args*))', 'scheme': '(display (string-append "[" (cadr (command-line)) "]"))',
    'haskell': 'import System.Environment\nmain = getArgs >>= \\a -> putStrLn ("[" ++ head a ++ "]")',
    'java': 'class prog { public static void main(String[] a) { System.out.println("[" + a[0] + "]"); } }',
    'c11': 'printf("[%s]\\n", argv[1]);', 'c++': 'cout << "[" << argv[1] << "]" << endl;', 'clang': 'printf("[%s]\\n", argv[1]);',
}
INPUT = {
    'sh': 'read x; echo "[$x]"', 'bash': 'read x; echo "[$x]"', 'zsh': 'read x; echo "[$x]"', 'ksh': 'read x; echo "[$x]"',
    'perl': '$_ = <STDIN> // ""; chomp; print "[$_]"', 'python': 'import sys; print("[" + sys.stdin.readline().strip() + "]")',
    'python3': 'import sys; print("[" + sys.stdin.readline().strip() + "]")', 'tcl': 'puts \\[[gets stdin]\\]',
    'lua': 'print("[" .. (io.read() or "") .. "]")', 'ruby': 'puts "[#{STDIN.gets.to_s.chomp}]"',
    'php': 'echo "[" . trim(fgets(STDIN)) . "]";', 'javascript': 'console.log(`[${require("fs").readFileSync(0, "utf8").trim()}]`)',
    'go': 'package main; import "fmt"; func main() { var s string; fmt.Scan(&s); fmt.Println("[" + s + "]") }',
    'clisp': '(format t "[~A]" (read-line *standard-input* nil ""))',
    'scheme': '(use-modules (ice-9 rdelim)) (let ((l (read-line))) (display (string-append "[" (if (eof-object? l) "" l) "]")))',
    'haskell': 'main = getContents >>= \\a -> putStrLn ("[" ++ concat (lines a) ++ "]")',
    'java': 'Scanner s = new Scanner(System.in); System.out.println("[" + (s.hasNextLine() ? s.nextLine() : "") + "]");',
    'c11': 'char s[9] = ""; scanf("%8s", s); printf("[%s]\\n", s);',
    'c++': 'string s; getline(cin, s); cout << "[" << s << "]" << endl;', 'clang': 'char s[9] = ""; scanf("%8s", s); printf("[%s]\\n", s);',
}
LATE = {
    'sh': 'echo before; sleep 100', 'zsh': 'echo before; sleep 100', 'ksh': 'print before; sleep 100',
    'perl': 'print "before\\n"; sleep 100', 'python3': 'import time; print("before"); time.sleep(100)',
    'tcl': 'puts before; after 100000', 'lua': 'io.write("before\\n") os.execute("sleep 100")', 'ruby': 'puts "before"; sleep 100',
    'php': 'echo "before"; sleep(100);', 'javascript': 'console.log("before"); setTimeout(() => 0, 100000); 0',
    'scheme': '(display "before") (newline) (sleep 100)', 'clisp': '(progn (princ "before") (terpri) (sleep 100))',
    'haskell': 'import Control.Concurrent\nmain = putStrLn "before" >> threadDelay 100000000',
    'go': 'package main; import ("fmt"; "time"); func main() { fmt.Println("before"); time.Sleep(100 * time.Second) }',
    'java': 'System.out.println("before"); Thread.sleep(100000);',
}


def reaches(language, code, more, wanted):
    wait_ready()
    text = ask({'nick': 'n', 'channel': f'#{language}', 'lang': language, 'code': code + more})
    true(text.startswith(wanted), f'{code}{more}: got {text!r}')


def argument(language):
    reaches(language, ARGUMENT[language], ' -args "\'a b\'"', '[a b]')


def standard_input(language):
    """A program without input reads the end of file at once."""
    reaches(language, INPUT[language], ' -stdin line', '[line]')
    reaches(language, INPUT[language], '', '[]')


def time_limit(language):
    reaches(language, LATE[language], '', 'before')


def all_are_tried():
    wait_ready()
    said = json.loads(on('pbotvmctl', '-q', '--json', 'languages', '--try', timeout=900))
    runs = {entry['name']: entry['runs'] for entry in said}
    equal(runs['sh'], True, f'sh, {runs}')
    true(all(entry['wrong'] for entry in said if entry['runs'] is False), 'it is not said what is wrong')


# Each is a test with its own line; plus and the like do not go into a function's name.
TESTS = {f'test_{language}': lambda language=language: says_hello(language) for language in LANGUAGES}
for _name, _programs, _test in (('argument', ARGUMENT, argument), ('input', INPUT, standard_input), ('limit', LATE, time_limit)):
    TESTS.update({f'test_{_name}_{language}': lambda language=language, test=_test: test(language) for language in _programs})

TESTS['test_all_are_tried'] = all_are_tried

if __name__ == '__main__':
    run(TESTS)
