"""The decision table of S0-12 and S0-13 (C20), whose answers are not made by the program, on a gateway whose policies are on a
real OPA server: every mixture of roles, granted or not, at each security level. The same table on the embedded engine:
src/engines/decide/decision_table_test.cc."""
import unittest

import decision_table
import mcp
import opa_server
from gateway import Gateway

ROUTES = {"user:read": ("GET", "/api/v1/users"), "audit:read": ("GET", "/api/v1/audit?limit=1"),
          "policy:write": None, "user:write": None, "key:write": None, "server:write": None, "system:admin": ("GET", "/health/detailed")}


class Table(unittest.TestCase):
    def test_the_file_is_the_one_of_the_table(self):
        with open(decision_table.PATH) as file:
            self.assertEqual(file.read(), decision_table.text(), "fix: python3 tests/support/decision_table.py")

    @opa_server.needed
    def test_on_an_opa_server(self):
        with opa_server.Opa("opa-table") as opa, Gateway("opa-table-gateway", {
                "policy.backend": "opa", "opa.url": opa.url, "opa.allow_private": True,
                "opa.timeout_milliseconds": 10_000}) as gateway:
            gateway.admin("POST", "/api/v1/roles", {"name": "operator", "scopes": ["tool:read", "tool:execute"]})
            for level in decision_table.LEVELS:
                gateway.admin("POST", "/api/v1/tools", {"name": "level%d" % level, "security_level": level,
                                                        "endpoint": "http://127.0.0.1:9/", "allow_private": True})
            wrong = []
            for roles in decision_table.mixtures():
                if not roles or list(roles) != sorted(roles):
                    continue  # a key has a role always; the order of two is the unit test's
                for granted in (False, True):
                    wrong += self.ask(gateway, roles, granted)
            self.assertEqual(wrong, [])
            for action in ("execute", "read"):  # no role: deny, whatever is granted
                said = gateway.admin("POST", "/api/policies/evaluate", {"policy_name": "tool_access", "input": {
                    "action": action, "granted": True, "tool": {"security_level": 0},
                    "user": {"roles": [], "permissions": ["tool:read", "tool:execute"]}}})
                self.assertFalse(said["allowed"], action)

    def ask(self, gateway, roles, granted):
        """What differs from the table for a key of these roles."""
        made = gateway.admin("POST", "/api/v1/keys", {"name": "%s %s" % ("-".join(roles), granted), "roles": list(roles),
                                                      "scopes": ["tool:execute@registry/*"] if granted else []})
        secret = made["api_key"]
        listed = set(mcp.Modern(gateway, secret).tools())
        rest = mcp.Client(gateway, secret)
        answer = rest.ask("GET", "/api/v1/tools?limit=100")
        read = {tool["name"] for tool in answer.message["data"]} if answer.status == 200 else set()
        wrong = []
        for row_roles, row_granted, permission, level, expected in decision_table.rows():
            if row_roles != roles or (level is not None and row_granted != granted):
                continue
            if level is None:
                if not ROUTES[permission]:
                    continue
                got = rest.ask(*ROUTES[permission]).status == 200
            else:
                got = "level%d" % level in (listed if permission == "tool:execute" else read)
            if got != expected:
                wrong.append((roles, granted, permission, level, "expected %s" % expected))
        rest.close()
        return wrong


if __name__ == "__main__":
    unittest.main()
