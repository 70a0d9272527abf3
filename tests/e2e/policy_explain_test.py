"""`policy test --coverage` and `policy explain`: what tests reach, and why a call is allowed or refused (S0-12, S0-14, S1-2)."""
import json
import os
import select
import shutil
import threading
import time
import unittest

import mcp
import processes
import scratch
from gateway import SLOW, Gateway

SHIPPED = os.path.join(scratch.ROOT, "policies")
LIMIT = """package tool_access
import rego.v1

deny contains "a sum of more than 100" if {
	input.arguments.a + input.arguments.b > 100
}
"""


class Explained(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("policy-explain").__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator("calculator")
        cls.gateway.user("ada", "Correct-Horse-7-Battery", "user")
        cls.gateway.user("rob", "Correct-Horse-7-Battery", "readonly")
        cls.key = cls.gateway.admin("POST", "/api/v1/keys", {"name": "bot", "roles": [], "scopes": ["tool:execute@calculator/add"]})

    def folder(self, name, **more):
        path = os.path.join(self.gateway.folder, name)
        shutil.copytree(SHIPPED, path)
        for file, text in more.items():
            with open(os.path.join(path, file + ".rego"), "w") as out:
                out.write(text)
        return path

    def explained(self, *words):
        return json.loads(self.gateway.cli("policy", "explain", *words, "--json"))

    def test_the_tests_that_ship_reach_their_rules(self):
        found = json.loads(self.gateway.cli("policy", "test", SHIPPED, "--coverage", "--json"))["coverage"]
        self.assertEqual({file["file"] for file in found["files"]}, {"admin_access.rego", "tool_access.rego"})
        self.assertGreater(found["percent"], 90)
        self.assertEqual(self.gateway.run("policy", "test", SHIPPED, "--threshold", "90").code, 0)

    def test_lines_that_no_test_reaches_are_named_and_a_threshold_fails(self):
        folder = self.folder("limited", limit=LIMIT)
        ran = self.gateway.run("policy", "test", folder, "--coverage")
        self.assertEqual(ran.code, 0, ran)
        self.assertRegex(ran.out, r"50\.0 %  limit\.rego  not reached: 4\n")
        ran = self.gateway.run("policy", "test", folder, "--threshold", "99")
        self.assertEqual(ran.code, 1, ran)
        self.assertIn("less than 99.0", ran.err)

    def test_a_call_of_a_user_names_role_rule_and_line(self):
        found = self.explained("--as", "ada", "--tool", "calculator/add", "--arguments", '{"a": 1, "b": 2}')
        self.assertTrue(found["allowed"])
        self.assertEqual(found["roles"]["granted_by"], ["tool:execute by role user"])
        rules = found["policies"][-1]["answer"]["rules"]
        holding = [rule for rule in rules if rule["rule"] == "tool_access.allow" and rule["holds"]]
        self.assertEqual(len(holding), 1)
        with open(os.path.join(SHIPPED, holding[0]["file"])) as file:
            line = file.read().split("\n")[holding[0]["line"] - 1]
        self.assertTrue(holding[0]["text"].startswith(line))
        self.assertIn('"user" in input.user.roles', holding[0]["text"])
        text = self.gateway.cli("policy", "explain", "--as", "ada", "--tool", "calculator/add")
        self.assertTrue(text.startswith("allowed (policy.tool_access.allow)\n"), text)
        self.assertRegex(text, r'(?m)^  tool_access\.rego:\d+  tool_access\.allow  holds\n.*\n  > \d+  .*input\.action == "execute"')

    def test_what_is_missing_is_named(self):
        found = self.explained("--as", "rob", "--tool", "calculator/add")
        self.assertEqual((found["allowed"], found["rule"]), (False, "rbac.no_grant"))
        self.assertEqual(found["roles"]["missing"], ["tool:execute@calculator/add"])
        self.assertEqual(found["policies"], [])
        self.assertTrue(self.explained("--as", "rob", "--tool", "calculator/add", "--phase", "list")["allowed"] is False)

    def test_a_key_by_each_door(self):
        """Ruling C6: an agent executes over MCP only."""
        over_mcp = self.explained("--as", self.key["id"], "--tool", "calculator/add")
        self.assertTrue(over_mcp["allowed"])
        self.assertEqual(over_mcp["roles"]["granted_by"], ["tool:execute@calculator/add of its own"])
        self.assertFalse(self.explained("--as", self.key["id"], "--tool", "calculator/add", "--door", "rest")["allowed"])
        self.assertFalse(self.explained("--as", self.key["id"], "--tool", "calculator/divide")["allowed"])

    def test_explain_says_what_a_call_meets_and_does_nothing(self):
        before = self.gateway.admin("GET", "/api/v1/tools/calculator%2Fadd")["execution_count"]
        client = mcp.Client(self.gateway, self.key["api_key"])
        for tool in ("add", "divide"):
            explained = self.explained("--as", "key:" + self.key["id"], "--tool", "calculator/" + tool)["allowed"]
            self.assertEqual(explained, tool == "add")
        self.assertEqual(self.gateway.admin("GET", "/api/v1/tools/calculator%2Fadd")["execution_count"], before)
        self.assertEqual(client.ask("POST", "/api/v1/policies/explain", {"principal": "ada", "tool": "calculator/add"}).status, 403)
        evidence = self.gateway.cli("audit", "tail", "--limit", "30", "--json")
        self.assertIn("POST /policies/explain", evidence)
        self.assertIn("of key:%s on calculator/divide" % self.key["id"], evidence)

    def test_bad_questions_name_the_fix(self):
        run = self.gateway.run
        self.assertEqual(run("policy", "explain", "--as", "nobody", "--tool", "calculator/add").code, 4)
        self.assertEqual(run("policy", "explain", "--as", "ada", "--tool", "calculator/nothing").code, 4)
        self.assertEqual(run("policy", "explain", "nothing", "--input", "{}").code, 4)
        for words in ((), ("tool_access",), ("--as", "ada"), ("--as", "ada", "--tool", "x", "--input", "{}"),
                      ("tool_access", "--input", "[1]"), ("--tool", "x")):
            ran = run("policy", "explain", *words)
            self.assertEqual(ran.code, 2, (words, ran))
        self.gateway.user("chief", "Correct-Horse-7-Battery", "admin")
        token = mcp.Client(self.gateway).ask("POST", "/auth/login", {"username": "chief", "password": "Correct-Horse-7-Battery"})
        client = mcp.Client(self.gateway, token.message["access_token"])
        for body in ({}, {"principal": "ada"}, {"policy_name": "tool_access", "input": {}, "principal": "ada", "tool": "x"}):
            answer = client.ask("POST", "/api/v1/policies/explain", body)
            self.assertEqual(answer.status, 400, answer)
            self.assertIn("policy_name and input, or principal and tool", json.dumps(answer.message))

    def test_a_folder_is_explained_before_it_is_in_force(self):
        folder = self.folder("candidate", limit=LIMIT)
        case = {"action": "execute", "user": {"roles": ["user"], "permissions": ["tool:execute"]},
                "tool": {"security_level": 1}, "arguments": {"a": 99, "b": 2}}
        found = self.explained("tool_access", "--input", json.dumps(case), "--folder", folder)
        self.assertEqual((found["allowed"], found["reason"]), (False, "a sum of more than 100"))
        rules = [rule for rule in found["policies"][0]["answer"]["rules"] if rule["file"] == "limit.rego"]
        self.assertEqual([(rule["line"], rule["holds"]) for rule in rules], [(4, True)])
        self.assertTrue(self.explained("tool_access", "--input", json.dumps(case))["allowed"])  # in force is another
        self.assertEqual(self.gateway.run("policy", "explain", "nothing", "--input", "{}", "--folder", folder).code, 4)

    def test_a_scaffold_passes_its_check_and_its_tests_and_writes_over_nothing(self):
        folder = os.path.join(self.gateway.folder, "scaffold")
        os.mkdir(folder)
        target = os.path.join(folder, "tool_access.rego")
        self.gateway.cli("policy", "scaffold", "--server", "calculator", "-o", target)
        self.assertEqual(sorted(os.listdir(folder)), ["admin_access.rego", "tool_access.rego", "tool_access_test.rego"])
        self.assertEqual(self.gateway.cli("policy", "check", folder), "compiles\n")
        ran = self.gateway.run("policy", "test", folder)
        self.assertEqual(ran.code, 0, ran)
        with open(target) as file:
            text = file.read()
        self.assertIn("# ---- calculator/add ----\n", text)
        self.assertIn("# argument (untrusted): a  number, required\n", text)
        ran = self.gateway.run("policy", "scaffold", "-o", target)
        self.assertEqual(ran.code, 1, ran)
        self.assertIn("is there already", ran.err)
        self.assertEqual(self.gateway.run("policy", "scaffold", "-o", os.path.join(folder, "x_test.rego")).code, 2)
        self.assertEqual(self.gateway.run("policy", "scaffold", "--server", "nothing").code, 4)
        self.assertEqual(self.gateway.cli("policy", "scaffold", "--server", "calculator"), text)


SLOW_RULE = """package tool_access
import rego.v1

deny contains "too slow" if {
	input.arguments.slow
	some i in numbers.range(1, 100000)
	some j in numbers.range(1, 100000)
	i * j < 0
}
"""


SLOW_CASE = {"policy_name": "tool_access", "input": {"action": "execute", "user": {"roles": ["admin"]}, "tool": {"security_level": 1},
                                                     "arguments": {"slow": True}}}


class SlowPolicy(unittest.TestCase):
    def gateway(self, name):
        gateway = Gateway(name, {"listen.workers": 1}).__enter__()
        self.addCleanup(gateway.close)
        folder = os.path.join(gateway.home, "policies")
        shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("*_test.rego", "examples"), dirs_exist_ok=True)
        with open(os.path.join(folder, "slow.rego"), "w") as file:
            file.write(SLOW_RULE)
        gateway.stop()
        gateway.start()
        return gateway

    def boss(self, gateway, name="boss"):
        return gateway.admin("POST", "/api/v1/keys", {"name": name, "roles": ["admin"]})["api_key"]

    def refused(self, gateway, secrets):
        """Asks with each of them at once; the answers that came while not one of the others could be there."""
        clients = [mcp.Client(gateway, secret) for secret in secrets]
        for client in clients:
            self.addCleanup(client.close)
            client.connection.connect()
        for client in clients:
            client.connection.request("POST", "/api/v1/policies/explain", json.dumps(SLOW_CASE),
                                      client.headers({"Content-Type": "application/json"}))
        there = lambda: [client for client in clients if select.select([client.connection.sock], [], [], 0)[0]]
        processes.wait_until(there, 30 * SLOW, "an answer")
        mcp.get(gateway, "/health/live")  # by the only worker, after all that it had to refuse
        return [mcp.read_answer(client.connection.getresponse()) for client in there()]

    def test_a_person_has_four_places(self):
        """All keys of a person are one; who asks for more hears so at once, and others are not kept out."""
        gateway = self.gateway("policy-explain-person")
        gateway.user("ada", "Correct-Horse-7-Battery", "admin")
        ada = mcp.Client(gateway)
        self.addCleanup(ada.close)
        ada.secret = ada.ask("POST", "/auth/login", {"username": "ada", "password": "Correct-Horse-7-Battery"}).message["access_token"]
        hers = [ada.ask("POST", "/keys", {"name": "of-ada-%d" % n, "roles": ["admin"]}).message["api_key"] for n in range(2)]
        answers = self.refused(gateway, hers * 4 + [self.boss(gateway, "of-nobody")])
        over = [answer for answer in answers if answer.status == 429]
        self.assertTrue(over)
        self.assertLessEqual(len(over), 4)
        for answer in over:
            self.assertEqual(answer.message["error"]["message"], "4 questions of yours are asked already; fix: wait for an answer")
            self.assertEqual(answer.headers["retry-after"], "1")
        self.assertEqual({answer.status for answer in answers} - {200}, {429})

    def test_there_are_sixteen_places(self):
        gateway = self.gateway("policy-explain-places")
        people = [self.boss(gateway, "boss-%d" % n) for n in range(8)]
        over = [answer for answer in self.refused(gateway, people * 4) if answer.status == 429]
        self.assertTrue(over)
        self.assertLessEqual(len(over), 16)
        for answer in over:
            self.assertEqual(answer.message["error"]["message"], "16 questions are asked already; fix: ask again in a moment")
            self.assertEqual(answer.headers["retry-after"], "1")

    def test_others_are_answered_while_a_slow_policy_is_explained(self):
        """Explaining a policy that runs into its budget takes half a second: not of the only worker."""
        gateway = self.gateway("policy-explain-slow")
        boss = self.boss(gateway)
        for route in ("explain", "evaluate"):
            found = []
            asking = threading.Thread(target=lambda: found.append(mcp.Client(gateway, boss).ask(
                "POST", "/api/v1/policies/" + route, SLOW_CASE)))
            answered = 0
            asking.start()
            while asking.is_alive():
                self.assertEqual(mcp.get(gateway, "/health/live").status, 200)
                answered += 1
            asking.join()
            self.assertEqual(found[0].status, 200, found)
            self.assertFalse(found[0].message["allowed"])
            self.assertIn("the policy fails", found[0].message["reason"])
            if route == "explain":  # half a second; evaluate ends sooner, and shows its answer alone
                self.assertGreater(answered, 5, "the worker was held")


if __name__ == "__main__":
    unittest.main()
