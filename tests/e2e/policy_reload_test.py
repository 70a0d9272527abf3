"""Policies are replaced under load: each request is decided by one set of them, whole (issue 5, done when 5; S0-11)."""
import json
import os
import re
import signal
import threading
import unittest

import mcp
import processes
from gateway import SLOW, Gateway

PARTS = 8  # files of a set
RELOADS = 20
CALLERS = 4

ALLOW = "package tool_access\nimport rego.v1\nallow := true\n"
ADMIN = "package admin_access\nimport rego.v1\nallow if \"admin\" in input.user.roles\n"


def part(number, version):
    """Denies a call (never the list) and says of which set it is; some work, so that compiling takes its time."""
    rules = "".join("r%d_%d if input.arguments.a == %d\n" % (number, i, i + 1000) for i in range(40))
    return "package tool_access\nimport rego.v1\ndeny contains \"set %d part %d\" if input.arguments.a == 2\n%s" % (
        version, number, rules)


class Caller(threading.Thread):
    def __init__(self, gateway, secret):
        super().__init__(daemon=True)
        self.session = mcp.Session(gateway, secret).open()
        self.ended, self.seen, self.mixed = threading.Event(), set(), []

    def run(self):
        while not self.ended.is_set():
            answer = self.session.request("tools/call", {"name": "calc_add", "arguments": {"a": 2, "b": 3}})
            found = re.findall(r"set (\d+) part (\d+)", json.dumps(answer.message))
            versions = {version for version, _ in found}
            if len(versions) != 1 or len(found) != PARTS:
                self.mixed.append(answer.message)
            self.seen |= versions


class PolicyReload(unittest.TestCase):
    def write(self, gateway, version):
        """Each file is replaced, one after the other; the gateway reads them when it is told to."""
        for number in range(PARTS):
            path = os.path.join(gateway.home, "policies", "part%d.rego" % number)
            with open(path + ".new", "w") as file:
                file.write(part(number, version))
            os.chmod(path + ".new", 0o644)
            os.rename(path + ".new", path)

    def reload(self, gateway, word):
        before = gateway.log().count(word)
        gateway.process.send_signal(signal.SIGHUP)
        processes.wait_until(lambda: gateway.log().count(word) > before, 20 * SLOW, word)

    def test_no_request_is_decided_by_half_a_set(self):
        with Gateway("policy-reload", {"listen.workers": 2}) as gateway:
            folder = os.path.join(gateway.home, "policies")
            os.makedirs(folder, exist_ok=True)
            os.chmod(folder, 0o755)
            for name, text in (("allow.rego", ALLOW), ("admin.rego", ADMIN)):
                with open(os.path.join(folder, name), "w") as file:
                    file.write(text)
            gateway.add_calculator()
            key = gateway.key("agent")
            self.write(gateway, 1)
            self.reload(gateway, "reloaded:")
            callers = [Caller(gateway, key.secret) for _ in range(CALLERS)]
            for caller in callers:
                caller.start()
            for version in range(2, RELOADS + 2):
                self.write(gateway, version)
                self.reload(gateway, "reloaded:")
            # What does not compile replaces nothing.
            with open(os.path.join(folder, "part0.rego"), "a") as file:
                file.write("\nallow if {{{\n")
            self.reload(gateway, "reload refused")
            self.assertIn("part0.rego:", gateway.log())
            for caller in callers:
                caller.ended.set()
            for caller in callers:
                caller.join()
            self.assertEqual([text for caller in callers for text in caller.mixed], [])
            seen = set().union(*(caller.seen for caller in callers))
            self.assertGreater(len(seen), RELOADS // 2, "the load met too few of the sets")
            answer = callers[0].session.request("tools/call", {"name": "calc_add", "arguments": {"a": 2, "b": 3}})
            self.assertIn("set %d part 0" % (RELOADS + 1), json.dumps(answer.message))

    def test_a_package_that_is_missing_is_refused(self):
        """Without one of the two packages everything that it is asked about would be denied. Section 8: where somebody wants it so, by
        `force`, /health/detailed tells."""
        with Gateway("policy-missing") as gateway:
            told = lambda: gateway.admin("GET", "/health/detailed")
            self.assertEqual((told()["status"], told()["parts"]["policy"]["status"]), ("healthy", "healthy"))
            folder = os.path.join(gateway.home, "policies")
            os.makedirs(folder, exist_ok=True)
            os.chmod(folder, 0o755)
            with open(os.path.join(folder, "admin.rego"), "w") as file:
                file.write(ADMIN)
            self.reload(gateway, "reload refused")
            self.assertIn("have no package tool_access", gateway.log())
            self.assertEqual((told()["status"], told()["parts"]["policy"]["status"]), ("healthy", "healthy"))
            ran = gateway.run("policy", "activate", folder, "--reason", "nobody calls", "--force")
            self.assertEqual(ran.code, 0, ran.err)
            self.assertEqual((told()["status"], told()["parts"]["policy"]["status"]), ("degraded", "failing"))
            gateway.stop()
            gateway.choose_port()
            ran = gateway.run("serve")
            self.assertNotEqual(ran.code, 0)
            self.assertIn("have no package tool_access", ran.err)
            os.remove(os.path.join(folder, "admin.rego"))
            gateway.start()


if __name__ == "__main__":
    unittest.main()
