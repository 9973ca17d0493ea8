#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A paste service on the loopback interface, which does by path what such services do. Prints its port; ends when
its stdin does."""
import http.server
import re
import sys
import threading
import time

FORM = re.compile(
    rb'--(?P<boundary>[^\r\n]+)\r\n'
    rb'Content-Disposition: form-data; name="file"; filename="filename"\r\n'
    rb'Content-Type: text/plain; charset=utf-8\r\n'
    rb'\r\n'
    rb'(?P<document>.*)\r\n'
    rb'--(?P=boundary)--\r\n', re.DOTALL)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def answer(self, code, body=b'', **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def endless(self):
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(b'x' * 4096)
        except OSError:
            pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        form = FORM.fullmatch(body)
        if not form or not self.headers['Content-Type'].startswith('multipart/form-data') or self.headers['Expect']:
            return self.answer(400)
        document = form['document']
        what = self.path[1:]
        if what == 'ok':
            self.answer(200, b' \n\xc2\xa0http://127.0.0.1/%d \n\r\n' % len(document))
        elif what == 'echo':
            self.answer(201, document)
        elif what == 'error':
            self.answer(500)
        elif what == 'moved':
            self.answer(302, Location='/ok')
        elif what == 'slow':
            time.sleep(3)
            self.answer(200, b'late')
        elif what == 'hang-up':
            self.close_connection = True
        elif what == 'huge':
            self.answer(200, b'x' * 1000000)
        elif what == 'endless':
            self.endless()
        elif what == 'empty':
            self.answer(200, b' \n')
        elif what == 'binary':
            self.answer(200, b'a\xffb\0c')
        else:
            self.answer(404)


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A client that goes away in the middle is part of the test."""


server = Server(('127.0.0.1', 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
