"""Asks open_home.mjs, a second reader of what lies in a home, by Node's crypto alone."""
import base64
import json
import os
import subprocess

import scratch


def file_of(gateway, *path):
    with open(os.path.join(gateway.home, *path), "rb") as file:
        return file.read()


def run(gateway, source, secret, rows=(), **more):
    """The process that ended; its answer is JSON."""
    order = {"keyring": base64.b64encode(file_of(gateway, "keys", "keyring")).decode(), "source": source,
             "secret": base64.b64encode(secret).decode(), "rows": list(rows), **more}
    return subprocess.run([scratch.node_binary(), os.path.join(scratch.ROOT, "tests", "support", "open_home.mjs")], input=json.dumps(order),
                          capture_output=True, text=True, timeout=120)


def changed(gateway, **wanted):
    """What open_home.mjs makes of the keyring (older=DAYS) or of the index of certificates (index=TEXT), where the key file opens it."""
    ran = run(gateway, "file", file_of(gateway, "keys", "master.key"), **wanted)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)
