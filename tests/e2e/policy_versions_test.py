"""The life of the policies: versions, activation, the way back, what a restart and a reload keep (issue 5; S0-11, S0-13, S0-15)."""
import json
import os
import shutil
import signal
import threading
import unittest

import mcp
import processes
import scratch
from gateway import SLOW, Gateway

SHIPPED = os.path.join(scratch.ROOT, "policies")
ADMIN = 'package admin_access\nimport rego.v1\ndefault allow := false\nallow if "admin" in input.user.roles\n'
ALL = "package tool_access\nallow := true\n"
PASSWORD = "Correct-Horse-7-Battery"


def refusing(word):
    return 'package tool_access\nimport rego.v1\nallow := true\ndeny contains "%s" if input.arguments.a == 2\n' % word


def modules(tools, admin=ADMIN):
    return [{"name": "admin.rego", "source": admin}, {"name": "tools.rego", "source": tools}]


class Versions(unittest.TestCase):
    def open(self, name):
        gateway = Gateway(name, {"listen.workers": 2}).__enter__()
        self.addCleanup(lambda: gateway.process.poll() is None and gateway.kill())
        gateway.add_calculator()
        gateway.caller = gateway.key("agent").secret
        return gateway

    def candidate(self, gateway, tools, admin=ADMIN, reason="try"):
        return gateway.admin("POST", "/policies/versions", {"modules": modules(tools, admin), "reason": reason})["version"]

    def activate(self, gateway, version, **more):
        return gateway.admin("POST", "/policies/versions/%d/activate" % version, {"reason": "now", **more})

    def active(self, gateway):
        return gateway.admin("GET", "/policies/versions/active")["version"]

    def told(self, gateway):
        """What a call of calc_add with a = 2 hears."""
        return json.dumps(mcp.Session(gateway, gateway.caller).open().request(
            "tools/call", {"name": "calc_add", "arguments": {"a": 2, "b": 3}}).message)

    def folder(self, gateway, tools):
        path = os.path.join(gateway.home, "policies")
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o755)
        for module in modules(tools):
            with open(os.path.join(path, module["name"]), "w") as file:
                file.write(module["source"])
            os.chmod(os.path.join(path, module["name"]), 0o644)

    def reload(self, gateway, word="reloaded:"):
        before = gateway.log().count(word)
        gateway.process.send_signal(signal.SIGHUP)
        processes.wait_until(lambda: gateway.log().count(word) > before, 20 * SLOW, word)

    def test_activation_and_the_way_back(self):
        gateway = self.open("policy-versions")
        first = gateway.admin("GET", "/policies/versions")["data"]
        self.assertEqual([(one["version"], one["state"], one["source"]) for one in first], [(1, "active", "shipped")])
        self.assertIn('"text": "5', self.told(gateway))
        strict = self.candidate(gateway, refusing("strict"), reason="we try this")
        self.assertIn('"text": "5', self.told(gateway))
        moved = self.activate(gateway, strict)
        self.assertEqual((moved["former"], moved["state"], moved["author"][:6]), (1, "active", "local:"))
        self.assertIn("strict", self.told(gateway))
        back = gateway.admin("POST", "/policies/rollback", {"reason": "too strict"})
        self.assertEqual((back["version"], back["former"]), (1, strict))
        self.assertIn('"text": "5', self.told(gateway))
        records = gateway.audit(action="POST /policies/rollback", kind="outcome")
        self.assertEqual([one["reason"] for one in records], ["policy-version=1 former=%d reason=too strict" % strict])
        self.assertTrue(records[0]["principal"].startswith("local:"), records)
        started = gateway.audit(action="read_policies", principal="system")
        self.assertTrue(started[0]["reason"].startswith("policy-version:1 source=shipped"), started)
        gateway.close()

    def test_a_restart_and_a_reload_keep_what_was_activated(self):
        gateway = self.open("policy-restart")
        self.activate(gateway, self.candidate(gateway, refusing("by hand")))
        self.reload(gateway)
        self.assertIn("by hand", self.told(gateway))
        gateway.stop()
        gateway.start()
        self.assertIn("by hand", self.told(gateway))
        # A folder that changed is put in force, once.
        self.folder(gateway, refusing("folder one"))
        self.reload(gateway)
        self.assertIn("folder one", self.told(gateway))
        gateway.admin("POST", "/policies/rollback", {"reason": "not yet"})
        self.reload(gateway)
        self.assertIn("by hand", self.told(gateway))
        self.folder(gateway, refusing("folder two"))
        self.reload(gateway)
        self.assertIn("folder two", self.told(gateway))
        read = gateway.audit(action="read_policies", principal="system")
        self.assertEqual(len(read), 3, "one for each change, none for a reload that changed nothing")
        gateway.close()

    def test_a_broken_or_locking_policy_replaces_nothing(self):
        gateway = self.open("policy-broken")
        gateway.user("boss", PASSWORD, "admin")
        boss = mcp.Client(gateway)
        boss.secret = boss.ask("POST", "/auth/login", {"username": "boss", "password": PASSWORD}).message["access_token"]
        answer = boss.ask("POST", "/policies/versions", {"modules": modules("package tool_access\nallow if {{{\n"), "reason": "x"})
        self.assertEqual(answer.status, 400)
        self.assertRegex(answer.message["error"]["message"], r"tools\.rego:[23]:\d+: ")
        half = boss.ask("POST", "/policies/versions", {"modules": modules(ALL)[1:], "reason": "x"}).message["version"]
        answer = boss.ask("POST", "/policies/versions/%d/activate" % half, {"reason": "x"})
        self.assertEqual(answer.status, 409)
        self.assertIn("no package admin_access", answer.message["error"]["message"])
        self.assertEqual(self.active(gateway), 1)
        # Said with force it is done: then nobody may administer, but for whoever owns the home.
        answer = boss.ask("POST", "/policies/versions/%d/activate" % half, {"reason": "x", "force": True})
        self.assertEqual(answer.status, 200, answer.message)
        self.assertEqual(boss.ask("POST", "/policies/rollback", {"reason": "x"}).status, 403)
        self.assertEqual(boss.ask("GET", "/policies/versions").status, 403)
        self.assertEqual(gateway.run("user", "list").code, 3)
        self.assertIn("active", gateway.cli("policy", "versions"))
        gateway.stop()
        gateway.cli("policy", "rollback", "--reason", "locked out")  # no server runs
        gateway.start()
        again = mcp.Client(gateway, boss.secret)
        self.assertEqual(again.ask("GET", "/policies/versions/active").message["version"], 1)
        gateway.close()

    def test_activations_at_once_come_one_after_the_other(self):
        gateway = self.open("policy-at-once")
        versions = [self.candidate(gateway, refusing("set %d" % i)) for i in range(8)]
        moves, threads = [], []
        for version in versions:
            threads.append(threading.Thread(target=lambda v=version: moves.append(self.activate(gateway, v)), daemon=True))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        followed = {move["former"]: move["version"] for move in moves}
        chain, at = [], 1
        while at in followed:
            at = followed[at]
            chain.append(at)
        self.assertEqual(sorted(chain), sorted(versions), "each followed exactly one other")
        self.assertEqual(self.active(gateway), chain[-1])
        self.assertIn("set %d" % versions.index(chain[-1]), self.told(gateway))
        gateway.close()

    def test_a_candidate_beside_changes_no_answer(self):
        gateway = self.open("policy-shadow")
        version = self.candidate(gateway, refusing("candidate"))
        gateway.admin("POST", "/policies/versions/%d/shadow" % version)
        wrong = []

        def work():
            session = mcp.Session(gateway, gateway.caller).open()
            for i in range(60):
                answer = session.request("tools/call", {"name": "calc_add", "arguments": {"a": i % 3, "b": 3}})
                if '"text": "%d' % (i % 3 + 3) not in json.dumps(answer.message):
                    wrong.append(answer.message)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        report = gateway.admin("GET", "/policies/shadow")
        self.assertEqual((report["version"], report["against"], report["would_allow"], report["errors"]), (version, 1, 0, 0))
        self.assertGreater(report["would_deny"], 0)
        if report["skipped"] == 0:  # a busy machine may have no time for it
            self.assertGreaterEqual(report["would_deny"], 80, report)
        self.assertEqual({(one["kind"], one["tool"], one["phase"]) for one in report["differences"]}, {("would_deny", "add", "call")})
        self.assertIn("candidate", report["differences"][0]["candidate"])
        self.assertIn("would deny %d" % report["would_deny"], gateway.cli("policy", "shadow", "--report"))
        processes.wait_until(lambda: "the tried policy differs" in gateway.log(), 20 * SLOW, "line in the log")
        processes.wait_until(lambda: "sallyport_policy_shadow_would_deny_total %d" % report["would_deny"] in str(mcp.get(gateway, "/metrics").body),
                             20 * SLOW, "metric")
        self.assertIn(" shadow ", gateway.cli("policy", "versions"))
        gateway.cli("policy", "shadow", "--stop")
        self.assertEqual(gateway.run("policy", "shadow", "--report").code, 4)
        gateway.close()

    def test_a_replay_finds_what_a_change_changes(self):
        gateway = self.open("policy-replay")
        session = mcp.Session(gateway, gateway.caller).open()
        for a in (1, 2, 3, 2):
            session.request("tools/call", {"name": "calc_add", "arguments": {"a": a, "b": 3}})
        session.request("tools/call", {"name": "calc_add", "arguments": {"a": 5, "b": 3, "password": "hunter2hunter2"}})
        version = self.candidate(gateway, refusing("two"))
        report = gateway.admin("POST", "/policies/replay", {"version": version})
        calls = [one for one in report["differences"] if one["permission"] == "tool:execute"]
        self.assertEqual([(one["kind"], one["server"], one["tool"], one["candidate"]) for one in calls],
                         [("would_deny", "calc", "add", "policy.tool_access.deny: two")])
        self.assertNotIn("arguments", json.dumps(report))
        active = gateway.admin("POST", "/policies/replay", {"version": 1})
        self.assertEqual((active["differences"], active["left"]), ([], 0))
        # By command, and without the gateway from a file that nobody else may read.
        folder = os.path.join(gateway.folder, "candidate")
        os.makedirs(folder)
        for module in modules(refusing("two")):
            with open(os.path.join(folder, module["name"]), "w") as file:
                file.write(module["source"])
        ran = gateway.run("policy", "replay", folder)
        self.assertEqual(ran.code, 1, ran)
        self.assertRegex(ran.out, r"would_deny .* calc +add ")
        self.assertEqual(gateway.run("policy", "replay", "active").code, 0)
        kept = os.path.join(gateway.folder, "calls.json")
        gateway.cli("policy", "replay", "--export", kept)
        self.assertEqual(os.stat(kept).st_mode & 0o777, 0o600)
        with open(kept) as file:
            text = file.read()
        self.assertNotIn("hunter2", text, "secrets are not kept")
        self.assertIn('"password":"[redacted:', text)
        self.assertIn(" (arguments redacted)", text)
        self.assertEqual(gateway.run("policy", "replay", "--export", kept).code, 1, "it is there already")
        self.assertEqual(len(gateway.audit(action="GET /policies/recorded")), 2)
        gateway.stop()
        ran = gateway.run("policy", "replay", folder, "--from", kept, "--json")
        self.assertEqual(ran.code, 1, ran)
        self.assertEqual([one for one in json.loads(ran.out)["differences"] if one["permission"] == "tool:execute"], calls)
        gateway.assert_clean()

    def test_commands(self):
        gateway = self.open("policy-commands")
        folder = os.path.join(gateway.folder, "mine")
        shutil.copytree(SHIPPED, folder)
        with open(os.path.join(folder, "tool_access.rego"), "a") as file:
            file.write("\n# one line more\n")
        ran = gateway.run("policy", "diff", "active", folder)
        self.assertEqual(ran.code, 1, ran)
        self.assertIn("+# one line more\n", ran.out)
        said = gateway.cli("policy", "activate", folder, "--reason", "a line more")
        self.assertIn("policy version 2 is in force; before it was 1", said)
        self.assertEqual(gateway.run("policy", "diff", "2", folder).code, 0)
        self.assertRegex(gateway.cli("policy", "versions"), r"2 +active +activated .*a line more")
        self.assertIn("# one line more\n", gateway.cli("policy", "show", "active"))
        with open(os.path.join(folder, "tool_access.rego"), "a") as file:
            file.write("allow if input.user.roles == []\n")
        ran = gateway.run("policy", "activate", folder, "--reason", "too much")
        self.assertEqual(ran.code, 1, ran)
        self.assertIn("FAIL  tool_access_test.test_no_role", ran.err)
        self.assertEqual(self.active(gateway), 2)
        gateway.cli("policy", "activate", folder, "--reason", "all the same", "--force")
        self.assertEqual(self.active(gateway), 3)
        gateway.cli("policy", "rollback", "--to", "1", "--reason", "back")
        gateway.cli("policy", "activate", "--version", "2", "--reason", "forth")
        self.assertEqual(self.active(gateway), 2)
        self.assertEqual(gateway.run("policy", "activate", "--version", "2", "--reason", "twice").code, 1)
        self.assertEqual(gateway.run("policy", "rollback", "--to", "9", "--reason", "x").code, 4)
        self.assertEqual(gateway.run("policy", "forget", "1").code, 1)
        spare = self.candidate(gateway, ALL)
        gateway.cli("policy", "forget", str(spare))
        self.assertEqual(gateway.run("policy", "show", str(spare)).code, 4)
        gateway.close()


if __name__ == "__main__":
    unittest.main()
