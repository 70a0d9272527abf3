#!/usr/bin/env python3
"""The command of the suite's client mode: a gateway whose only upstream is the suite's server, driven by an SDK client.

    drive.py CLIENT URL      CLIENT is v1, v2-legacy or v2-modern (tests/e2e/node/kit.mjs)

Exit code 0 when the client behind the gateway got what it should. What went wrong goes to stderr, with the gateway's log.
"""
import os
import subprocess
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True
import scratch  # noqa: E402
from gateway import SLOW, Gateway  # noqa: E402

SERVER = "suite"


def drive(gateway, client):
    environment = {**os.environ, "BASE": "http://127.0.0.1:%d" % gateway.port, "SERVER": SERVER,
                   "TOKEN": gateway.key("drive").secret}
    ran = subprocess.run([scratch.node_binary(), os.path.join(scratch.node_folder(), "drive.mjs"), client],
                         env=environment, capture_output=True, text=True, timeout=25 * SLOW)
    sys.stdout.write(ran.stdout)
    sys.stderr.write(ran.stderr)
    if ran.returncode != 0:
        raise AssertionError("the client behind the gateway failed")


def main(client, url):
    # The suite listens on 127.0.0.1 (loopback.mjs); a name would let the resolver choose.
    url = urllib.parse.urlsplit(url)
    url = url._replace(netloc="127.0.0.1:%d" % url.port).geturl()
    try:
        with Gateway("client-mode") as gateway:
            gateway.add_http(SERVER, url, "--forward", "elicitation", "--forward", "sampling")
            drive(gateway, client)
    except AssertionError as error:
        sys.stderr.write("%s\n" % error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
