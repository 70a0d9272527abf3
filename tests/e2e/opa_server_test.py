"""The policies on a real OPA server (issue 5; S0-11, S0-12; docs/decisions/0011-opa-server.md): asked on each list and call,
and whatever goes wrong denies."""
import json
import time
import unittest

import mcp
import opa_server
import processes
from gateway import SLOW, Gateway

TOOLS = opa_server.shipped()["tool_access.rego"]


def settings(opa, **more):
    return {"policy.backend": "opa", "opa.url": opa.url, "opa.allow_private": True, "opa.timeout_milliseconds": 1000 * SLOW,
            "listen.workers": 2, **more}


@opa_server.needed
class OpaServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.opa = opa_server.Opa("opa")
        cls.opa.start()
        cls.addClassCleanup(cls.opa.stop)
        cls.gateway = Gateway("opa-gateway", settings(cls.opa))
        cls.gateway.__enter__()
        cls.addClassCleanup(lambda: cls.gateway.__exit__(None, None, None))
        cls.gateway.add_calculator()
        cls.key = cls.gateway.key("agent", "tool:execute@calc/*")

    def setUp(self):
        self.session = mcp.Session(self.gateway, self.key.secret).open()
        self.addCleanup(self.opa.put, "tool_access.rego", TOOLS)

    def boss(self):
        return self.gateway.admin("POST", "/api/v1/keys", {"name": "boss", "roles": ["admin"]})["api_key"]

    def add(self, **arguments):
        return self.session.request("tools/call", {"name": "calc_add", "arguments": arguments}).message

    def assert_denied(self, answer, why):
        self.assertIn(why, json.dumps(answer))
        self.assertNotIn('"structuredContent"', json.dumps(answer))

    def test_what_is_listed_can_be_called_and_nothing_else(self):
        """The design's law, and reasons of `deny` that reach the caller."""
        tools = set(self.session.tools())
        self.assertIn("calc_add", tools)
        self.assertIn("result", self.add(a=2, b=3))
        self.opa.put("tool_access.rego", TOOLS + 'deny contains "no add" if { input.tool.name == "add"; input.action == "execute" }\n')
        for session in (self.session, mcp.Modern(self.gateway, self.key.secret),
                        mcp.Session(self.gateway, self.key.secret, "calc").open()):
            names = set(session.tools())
            self.assertTrue(names and not any(name.endswith("add") for name in names), names)
        self.assert_denied(self.add(a=2, b=3), "no add")
        reader = mcp.Client(self.gateway, self.key.secret)
        self.assertIn("calc_add", reader.ask("GET", "/api/v1/tools").body.decode(), "read, not execute, is what REST lists")
        self.opa.put("tool_access.rego", TOOLS + 'deny contains "no add" if { input.tool.name == "add"; input.action == "read" }\n')
        self.assertNotIn("calc_add", reader.ask("GET", "/api/v1/tools").body.decode())
        self.opa.put("tool_access.rego", TOOLS)
        self.assertEqual(set(self.session.tools()), tools, "a policy that changes over there is felt at once")

    def test_arguments_time_and_address_are_in_the_input(self):
        self.opa.put("tool_access.rego", TOOLS + """
deny contains sprintf("not %d from %s", [input.arguments.a, input.address]) if input.arguments.a == 2
deny contains "no time" if not time.parse_rfc3339_ns(input.time)
""")
        self.assertIn("calc_add", self.session.tools())
        self.assertIn("result", self.add(a=1, b=3))
        self.assert_denied(self.add(a=2, b=3), "not 2 from 127.0.0.1")

    def test_reading_a_resource_is_asked_for_as_a_call(self):
        read = lambda client: client.request("resources/read", {"uri": "calc+calc://constants"}).message
        listen = {"notifications": {"resourceSubscriptions": ["calc+calc://constants", "calc+calc://open"]}}
        clients = (self.session, mcp.Modern(self.gateway, self.key.secret))
        for client in clients:
            self.assertIn("contents", read(client)["result"])
        self.opa.put("tool_access.rego", TOOLS + '''
deny contains "not this" if { input.method == "resources/read"; input.arguments.uri == "calc://constants" }
deny contains "not that" if { input.method == "resources/subscribe"; input.arguments.uri == "calc://constants" }
''')
        for client in clients:
            self.assert_denied(read(client), "not this")
            self.assertIn("calc+calc://constants", json.dumps(client.request("resources/list").message["result"]))
        self.assertEqual(mcp.acknowledged(clients[1], listen)["resourceSubscriptions"], ["calc+calc://open"])

    def test_an_error_in_deny_denies(self):
        self.opa.put("tool_access.rego", TOOLS + 'deny contains "x" if to_number(input.arguments.a) > 100\n')
        self.assertIn("result", self.add(a=1, b=3))
        self.opa.put("tool_access.rego", TOOLS + 'deny contains "x" if to_number("abc") > 100\n')
        self.assert_denied(self.add(a=1, b=3), "policy_error")
        self.assertEqual(self.session.tools(), [])
        status, _ = self.opa.ask("DELETE", "/v1/policies/tool_access.rego")
        self.assertEqual(status, 200)
        self.assert_denied(self.add(a=1, b=3), "policy_error")

    def test_killed_it_denies_and_says_so(self):
        self.assertIn("result", self.add(a=1, b=3))
        said = self.gateway.log().count("the OPA server gave no decision")
        self.opa.stop()
        try:
            self.assert_denied(self.add(a=1, b=3), "policy_error")
            self.assertEqual(self.session.tools(), [])
            listed = mcp.Client(self.gateway, self.key.secret).ask("GET", "/api/v1/tools")
            self.assertNotIn("calc", listed.body.decode())
            self.assertGreater(self.gateway.log().count("the OPA server gave no decision"), said)
            denied = [r for r in self.gateway.audit(result="denied", tool="calc_add") if r.get("rule_id") == "policy.error"]
            self.assertTrue(denied, self.gateway.audit(tool="calc_add")[-3:])
            self.assertNotEqual(self.gateway.run("server", "list").code, 0, "administrators are decided about over there too")
        finally:
            self.opa.start()
        self.assertIn("result", self.add(a=1, b=3))

    def test_slow_it_is_cut_at_its_deadline(self):
        self.opa.pause()
        try:
            began = time.monotonic()
            self.assert_denied(self.add(a=1, b=3), "policy_error")
            took = time.monotonic() - began
        finally:
            self.opa.go_on()
        self.assertGreater(took, 0.9 * SLOW)
        self.assertLess(took, 8 * SLOW)
        self.assertIn("upstream_timeout", self.gateway.log())
        self.assertIn("result", self.add(a=1, b=3))

    def test_health_doctor_and_evaluate_ask_it(self):
        """S0-14: what one would answer is asked over there too."""
        part = self.gateway.admin("GET", "/health/detailed")["parts"]["policy"]
        self.assertEqual((part["status"], part["backend"]), ("healthy", "opa"))
        checks = json.loads(self.gateway.run("doctor", "--json").out)["checks"]
        self.assertEqual([c["state"] for c in checks if c["check"] == "opa"], ["ok"], checks)
        ask = lambda **user: self.gateway.admin("POST", "/api/policies/evaluate", {
            "policy_name": "tool_access", "input": {"action": "execute", "tool": {"security_level": 1}, "user": user}})
        self.assertTrue(ask(roles=["user"], permissions=["tool:execute"])["allowed"])
        self.assertFalse(ask(roles=["user"], permissions=["tool:read"])["allowed"])
        self.opa.put("words.rego", "package payroll\nallow := true\ndeny contains \"the salary of ann\"\n")
        for other in ("payroll", "", "system", "tool_access/deny", "../payroll", "tool_access.deny"):
            for route in ("evaluate", "explain"):
                body = {"policy_name": other, "input": {}}
                answer = mcp.Client(self.gateway, self.boss()).ask("POST", "/api/v1/policies/" + route, body)
                self.assertIn(answer.status, (400, 404), (route, other, answer))
                self.assertNotIn("salary", json.dumps(answer.message))
        self.opa.ask("DELETE", "/v1/policies/tool_access.rego")
        part = self.gateway.admin("GET", "/health/detailed")["parts"]["policy"]
        self.assertEqual(part["status"], "failing")
        self.assertIn("tool_access", part["why"])

    def test_explain_and_scaffold_ask_it(self):
        """What is explained is what this gateway decides by; which rules were reached is known over there alone."""
        words = ("policy", "explain", "--as", self.key.id, "--tool", "calc/add", "--json")
        found = json.loads(self.gateway.cli(*words))
        self.assertTrue(found["allowed"])
        self.assertEqual(found["policies"], [])
        self.assertIn("OPA server", found["notes"][0])
        self.opa.put("tool_access.rego", TOOLS + 'deny contains "no add" if { input.tool.name == "add"; input.action == "execute" }\n')
        found = json.loads(self.gateway.cli(*words))
        self.assertEqual((found["allowed"], found["reason"]), (False, "no add"))
        case = {"action": "execute", "tool": {"name": "add"}, "user": {"roles": ["admin"]}}
        found = json.loads(self.gateway.cli("policy", "explain", "tool_access", "--input", json.dumps(case), "--json"))
        self.assertEqual((found["allowed"], found["reason"]), (False, "no add"))
        self.assertIn("calc/add", self.gateway.cli("policy", "scaffold", "--server", "calc"))


@opa_server.needed
class OpaSettings(unittest.TestCase):
    def test_what_is_unsafe_or_missing_does_not_start(self):
        with Gateway("opa-settings") as gateway:
            for given, why in (({"policy.backend": "opa"}, "opa.url"),
                               ({"policy.backend": "opa", "opa.url": "http://127.0.0.1:1"}, "opa.allow_private"),
                               ({"policy.backend": "opa", "opa.url": "http://192.0.2.1", "opa.token": "${env:PATH}"}, "https")):
                gateway.stop()
                kept, gateway.settings = gateway.settings, {**gateway.settings, **given}
                gateway.choose_port()
                ran = gateway.run("serve")
                gateway.settings = kept
                gateway.choose_port()
                gateway.start()
                self.assertEqual(ran.code != 0 and why in ran.err, True, ran)


if __name__ == "__main__":
    unittest.main()
