"""What the tests about eras share: SDK scenarios as programs."""
import os
import subprocess
import unittest

import scratch
from gateway import SLOW

FORWARD = (  # roots are left out: what the default is, is what the tests are about
    "--forward", "elicitation", "--forward", "sampling")



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
        self.assertTrue(passed, why)

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
