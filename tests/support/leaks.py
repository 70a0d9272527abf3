"""Looking for secrets in everything that a gateway wrote and said, and in the process list."""
import base64
import json
import os
import threading
import urllib.parse

import processes


def forms(secret):
    """How a secret may be written: as it is, in JSON, in a URL, in base64 at each offset, in hex."""
    raw = secret.encode()
    found = {raw, json.dumps(secret)[1:-1].encode(), urllib.parse.quote(secret, safe="").encode(),
             urllib.parse.quote_plus(secret).encode(), raw.hex().encode(), raw.hex().upper().encode()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            code = encode(b"\0" * offset + raw)
            found.add(code[4 if offset else 0:len(code) - 4])  # without what the neighbours decide
    return {form for form in found if len(form) >= 8}


def found(secrets, places):
    """`secrets`: name -> text; `places`: (where, bytes) pairs. A sentence for each hit."""
    return ["%s is in %s: %r" % (name, where, text[max(0, text.index(form) - 150):text.index(form) + 200])
            for where, text in places for name, secret in secrets.items() for form in forms(secret) if form in text]


def written(folder):
    for folder, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):  # not the admin socket
                with open(path, "rb") as file:
                    yield path, file.read()


class Watch(threading.Thread):
    """Looks at the command lines of the gateway and of all it started, again and again."""

    def __init__(self, gateway):
        super().__init__(daemon=True)
        self.gateway, self.ended, self.seen = gateway, threading.Event(), set()

    def run(self):
        while not self.ended.wait(0.02):
            for pid in [self.gateway.process.pid] + [pid for pid, _ in processes.descendants(self.gateway.process.pid)]:
                self.seen.add(processes.command_line(pid))
