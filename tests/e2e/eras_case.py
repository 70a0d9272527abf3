"""What the tests about eras share: SDK scenarios as programs, and the list of what the product cannot do yet.

`eras_not_yet.json` names tests that may still fail; it only shrinks, and issue 3 ends with it gone.
"""
import json
import os
import subprocess
import unittest

import scratch
from gateway import SLOW

NOT_YET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "eras_not_yet.json")
UPDATE = os.environ.get("SALLYPORT_ERAS_UPDATE")
FORWARD = ("--forward", "elicitation", "--forward", "sampling")


def read_not_yet():
    if not os.path.exists(NOT_YET):
        return []
    with open(NOT_YET) as file:
        return json.load(file)


def write_not_yet(names):
    with open(NOT_YET, "w") as file:
        file.write(json.dumps(sorted(names), indent=1) + "\n")


def forward(gateway):
    """Roots are left out: what the default is, is what the tests are about."""
    return FORWARD if "--forward" in gateway.cli("server", "add", "--help") else ()


class EraCase(unittest.TestCase):
    """A test case whose tests run programs against `cls.gateway`."""

    def environment(self, name, server, **more):
        key = self.gateway.key(name)
        return {"PATH": os.path.dirname(scratch.node_binary()) + ":/usr/bin:/bin", "HOME": self.gateway.folder,
                "BASE": "http://127.0.0.1:%d" % self.gateway.port, "SERVER": server, "TOKEN": key.secret,
                "SALLYPORT": self.gateway.binary, "HOME_DIR": self.gateway.home, **more}

    def node(self, script, *args, env):
        return subprocess.run([scratch.node_binary(), os.path.join(scratch.node_folder(), script), *args], env=env,
                              capture_output=True, text=True, timeout=60 * SLOW)

    def judge(self, passed, why):
        """Fails unless it passed or stands in the list."""
        name, listed = self.id().split(".", 1)[-1], read_not_yet()
        if UPDATE:
            write_not_yet(set(listed) - {name} if passed else {*listed, name})
        elif passed and name in listed:
            print("      %s passes: take it out of eras_not_yet.json" % name, flush=True)
        elif not passed and name not in listed:
            self.fail(why)

    def scenario(self, kind, transport, scenario, server, **more):
        env = self.environment("%s-%s-%s" % (kind, transport, server), server, **more)
        try:
            ran = self.node("eras.mjs", kind, transport, scenario, env=env)
        except subprocess.TimeoutExpired as late:
            self.judge(False, "%s over %s, %s: not done in time\n%s" % (kind, transport, scenario, late.stderr))
            return
        passed = (ran.returncode, ran.stdout.strip()) == (0, "done")
        self.judge(passed, "%s over %s, %s\n%s\n--- end of the gateway's log\n%s" % (
            kind, transport, scenario, ran.stderr[-4000:], self.gateway.log()[-1500:]))
