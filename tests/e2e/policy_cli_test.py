"""`sallyport policy`: a folder is tried before it is in force, and what is in force is asked (S0-11, S0-12, S0-14)."""
import json
import os
import shutil
import unittest

import mcp
import scratch
from gateway import Gateway

SHIPPED = os.path.join(scratch.ROOT, "policies")
ALL = "package tool_access\nallow := true\n"


class PolicyCommands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("policy-cli").__enter__()
        cls.addClassCleanup(cls.gateway.close)

    def folder(self, name):
        path = os.path.join(self.gateway.folder, name)
        shutil.copytree(SHIPPED, path)
        return path

    def test_what_ships_passes_its_tests(self):
        ran = self.gateway.run("policy", "test", SHIPPED)
        self.assertEqual(ran.code, 0, ran)
        self.assertRegex(ran.out, r"\d\d passed, 0 failed\n$")
        tests = json.loads(self.gateway.cli("policy", "test", SHIPPED, "--json"))["tests"]
        self.assertEqual({test["passed"] for test in tests}, {True})
        self.assertIn("compiles", self.gateway.cli("policy", "check", SHIPPED))

    def test_a_rule_that_lets_too_much_pass_fails_its_test(self):
        folder = self.folder("too-much")
        with open(os.path.join(folder, "more.rego"), "w") as file:
            file.write("package tool_access\nimport rego.v1\nallow if input.user.roles == []\n")
        ran = self.gateway.run("policy", "test", folder)
        self.assertEqual(ran.code, 1, ran)
        self.assertIn("FAIL  tool_access_test.test_no_role\n", ran.out)
        self.assertIn(", 1 failed", ran.out)

    def test_a_fault_says_file_line_and_column(self):
        folder = self.folder("faulty")
        with open(os.path.join(folder, "bad.rego"), "w") as file:
            file.write("package tool_access\n\nallow if {{{\n")
        for command in ("check", "test"):
            ran = self.gateway.run("policy", command, folder)
            self.assertEqual(ran.code, 1, ran)
            self.assertRegex(ran.err, r"bad\.rego:[34]:\d+: ")

    def test_a_call_of_a_builtin_that_is_not_there_is_found_before(self):
        """It would be an error, and a denial of everything, when the rule comes to it: neither check nor activation let it in."""
        folder = self.folder("unknown-builtin")
        with open(os.path.join(folder, "more.rego"), "w") as file:
            file.write("package tool_access\nimport rego.v1\ndeny contains \"x\" if {\n\tinput.arguments.rare\n\tcrypto.sha256(\"x\") == \"\"\n}\n")
        for command in (("check",), ("test",), ("activate", "--reason", "limits")):
            ran = self.gateway.run("policy", command[0], folder, *command[1:])
            self.assertEqual(ran.code, 1, ran)
            self.assertRegex(ran.err, r"more\.rego:5:\d+: could not find function crypto\.sha256.*data\.tool_access\.deny calls it")
        with open(os.path.join(folder, "more.rego")) as file:
            modules = [{"name": "more.rego", "source": file.read()}]
        made = mcp.Client(self.gateway, self.gateway.key("boss", extra=("--role", "admin")).secret).ask(
            "POST", "/api/v1/policies/versions", {"modules": modules, "reason": "limits"})
        self.assertEqual(made.status, 400, made)
        self.assertIn("crypto.sha256", json.dumps(made.message))

    def test_what_is_missing_is_said(self):
        folder = self.folder("half")
        os.remove(os.path.join(folder, "admin_access.rego"))
        os.remove(os.path.join(folder, "admin_access_test.rego"))
        self.assertIn("no package admin_access", self.gateway.cli("policy", "check", folder))
        own = os.path.join(self.gateway.home, "policies")
        shutil.copytree(folder, own)
        try:
            self.assertIn("no package admin_access", self.gateway.run("doctor").out)
        finally:
            shutil.rmtree(own)
        ran = self.gateway.run("policy", "check", os.path.join(folder, "nowhere"))
        self.assertEqual(ran.code, 1)
        self.assertIn("there is no policy in", ran.err)
        self.assertEqual(self.gateway.run("policy", "check").code, 1)  # the home has none of its own

    def test_policies_that_cannot_be_read_are_not_replaced_by_the_shipped_ones(self):
        """A folder that is there and cannot be read stops the check, the doctor and a start: it fails closed."""
        own = os.path.join(self.gateway.home, "policies")
        os.symlink(own, own)  # a circle: its status cannot be had, not even by root
        try:
            for _ in range(2):
                ran = self.gateway.run("policy", "check")
                self.assertEqual(ran.code, 1)
                self.assertIn("cannot read the folder of policies", ran.err)
                self.assertIn("cannot read the folder of policies", self.gateway.run("doctor").out)
                os.remove(own)
                with open(own, "w") as file:  # no folder at all
                    file.write(ALL)
        finally:
            os.remove(own)

    def test_what_is_in_force_is_asked(self):
        listed = self.gateway.cli("policy", "list")
        self.assertIn("tool_access", listed)
        self.assertIn("admin_access.rego", listed)
        document = {"action": "execute", "user": {"roles": ["user"], "permissions": ["tool:execute"]}, "tool": {"security_level": 3}}
        answer = json.loads(self.gateway.cli("policy", "eval", "tool_access", "--input", "-", "--json", stdin=json.dumps(document)))
        self.assertEqual(answer, {"allowed": False, "policy_name": "tool_access",
                                  "reason": "the tool's security level is for administrators"})
        document["tool"]["security_level"] = 2
        self.assertIn("true", self.gateway.cli("policy", "eval", "tool_access", "--input", json.dumps(document)))
        self.assertEqual(self.gateway.run("policy", "eval", "nothing", "--input", "{}").code, 4)
        self.assertEqual(self.gateway.run("policy", "eval", "tool_access", "--input", "[1]").code, 2)


if __name__ == "__main__":
    unittest.main()
