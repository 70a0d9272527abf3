"""Every route and every method of MCP where an OPA server has the policies (issue 5): whatever is decided was asked beforehand.

decide() does not wait, so a request rehearses what it will ask; what nobody rehearsed is denied, which the log tells. A route
whose handler forgets it works with embedded policies and refuses with OPA: so each is driven here, with things that are there.
"""
import json
import re
import unittest

import document_test
import mcp
import opa_server
import routes_test
from gateway import SLOW, Gateway


PASSWORD = "Correct-Horse-7-Battery"
UNASKED = "not asked beforehand"
APPROVAL = 'obligations contains {"require_approval": true} if input.tool.name == "multiply"\n'
ENDS_THE_CALLER = ("/auth/logout", "/auth/logout-all", "/auth/password", "/auth/mfa", "/auth/me", "/auth/sessions/{id}", "/token-keys/rotate")


class Careful(document_test.Maker):
    """What a schema allows, and no near misses: to get past what is looked at first."""

    def value(self, schema):
        schema = self.resolve(schema)
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type", "string")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object":
            return {name: self.value(schema["properties"][name]) for name in schema.get("required", [])}
        if kind == "array":
            return [self.value(schema.get("items", {}))]
        return {"string": "made-up", "boolean": True, "integer": 1, "null": None}.get(kind, "made-up")


@opa_server.needed
class EveryRoute(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shipped = opa_server.shipped()
        cls.opa = opa_server.Opa("opa-routes", {**shipped, "tool_access.rego": shipped["tool_access.rego"] + APPROVAL})
        cls.opa.start()
        cls.addClassCleanup(cls.opa.stop)
        cls.gateway = Gateway("opa-routes-gateway", {"policy.backend": "opa", "opa.url": cls.opa.url, "opa.allow_private": True,
                                                     "opa.timeout_milliseconds": 2000 * SLOW, "listen.workers": 1})
        cls.gateway.__enter__()
        cls.addClassCleanup(lambda: cls.gateway.__exit__(None, None, None))
        admin = cls.gateway.admin
        cls.gateway.add_calculator()
        admin("POST", "/roles", {"name": "team", "scopes": ["tool:execute@calc/add"]})
        admin("POST", "/groups", {"name": "crew", "scopes": ["tool:execute@calc/add"]})
        admin("POST", "/tools", {"name": "mine", "upstream_tool": "calc/add"})
        admin("POST", "/toolsets", {"name": "set", "tools": [{"tool": "calc/add"}]})
        cls.gateway.user("boss", PASSWORD, "admin")
        cls.gateway.user("ann", PASSWORD, "user")
        cls.gateway.user("spare", PASSWORD, "user")
        login = lambda name: mcp.Client(cls.gateway).ask("POST", "/auth/login", {"username": name, "password": PASSWORD}).message
        cls.boss = mcp.Client(cls.gateway, login("boss")["access_token"])
        cls.ann = mcp.Client(cls.gateway, login("ann")["access_token"])
        cls.key = cls.gateway.key("agent", "tool:execute@calc/*")
        cls.user = [user["id"] for user in admin("GET", "/users")["data"] if user["username"] == "spare"][0]
        spare = admin("POST", "/keys", {"name": "spare", "roles": ["user"]})["id"]
        cls.document = mcp.Client(cls.gateway).ask("GET", "/openapi.json").message
        cls.there = {"users": cls.user, "roles": "team", "keys": spare, "tools": "mine", "servers": "calc", "toolsets": "set",
                     "groups": "crew", "policies": "1"}
        cls.bodies = {
            "POST /tools/search": {"query": "add"}, "POST /tools/{id}/execute": {"arguments": {"a": 1, "b": 2}},
            "PUT /tools/{id}/labels": {"labels": ["external_sink"]}, "PUT /servers/{name}/labels": {"labels": []},
            "POST /tools": {"name": "other", "upstream_tool": "calc/subtract"}, "PUT /tools/{id}": {"title": "Mine"},
            "POST /toolsets": {"name": "two", "tools": [{"tool": "calc/add"}]}, "PUT /toolsets/{name}": {"tools": [{"tool": "calc/add"}]},
            "POST /policies/versions": {"modules": [{"name": "x.rego", "source": "package x"}], "reason": "tried"},
            "POST /policies/evaluate": {"policy_name": "tool_access", "input": {}},
            "POST /policies/explain": {"principal": "ann", "tool": "calc/add"}, "POST /policies/replay": {"version": 1},
            "POST /keys": {"name": "third", "roles": ["user"], "scopes": ["tool:execute@calc/add"]},
            "POST /roles": {"name": "crowd", "scopes": ["tool:execute@calc/add"]}, "PUT /roles/{name}": {"scopes": ["tool:read"]},
            "POST /groups": {"name": "crowd", "scopes": ["tool:read"]}, "PUT /groups/{name}": {"scopes": ["tool:read"]},
            "POST /users": {"username": "third", "roles": ["user"]}, "PUT /users/{id}": {"email": "ann@example.org"},
            "PUT /users/{id}/password": {"generate": True}, "PUT /keys/{id}": {"description": "changed"},
            "POST /labels/clear": {"principal": "user:" + cls.user, "reason": "looked at"}}

    def waiting(self):
        """The id of a call that waits for people."""
        self.ann.ask("POST", "/api/v1/tools/calc_multiply/execute", {"arguments": {"a": len(self.calls), "b": 3}})
        self.calls.append(1)
        found = self.gateway.admin("GET", "/approvals?state=pending")["data"]
        self.assertTrue(found, "no call waits")
        return found[0]["id"]

    def operations(self):
        """Removing comes last."""
        return sorted((tuple(route.split(" ", 1)) for route in routes_test.expected()), key=lambda route: route[0] == "DELETE")

    def drive(self, method, path, clients):
        schema = self.document["paths"][path][method.lower()].get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        body = self.bodies.get(method + " " + path) or (Careful(self.document, 1).value(schema) if schema else None)
        for client in clients:
            there = self.waiting() if path.startswith("/approvals/{") else self.there.get(path.split("/")[1], "nothing")
            target = re.sub(r"\{\w+\}", self.user, re.sub(r"\{\w+\}", there, path, count=1))
            answer = client.ask(method, "/api/v1" + target + ("?query=add" if path == "/tools/search" and method == "GET" else ""), body)
            self.good += answer.status < 300
            self.assertNotIn(UNASKED, self.gateway.log(), (method, path, answer.status, answer.message))

    def test_routes(self):
        self.calls, self.good = [], 0
        for method, path in self.operations():
            if not path.startswith(ENDS_THE_CALLER):
                self.drive(method, path, (self.boss, self.ann))
        self.assertNotIn(UNASKED, json.dumps(self.gateway.audit()))
        self.assertGreater(self.good, 95, "too few got past what is looked at first")

    def test_methods_of_mcp(self):
        for server in ("", "calc", "p/set"):
            for session in (mcp.Session(self.gateway, self.key.secret, server).open(), mcp.Modern(self.gateway, self.key.secret, server)):
                tool = (session.tools() or ["calc_add"])[0]
                for method, params in (
                        ("ping", {}), ("tools/list", {}), ("tools/call", {"name": tool, "arguments": {"a": 1, "b": 2}}),
                        ("resources/list", {}), ("resources/templates/list", {}), ("prompts/list", {}),
                        ("resources/read", {"uri": "calc+calc://constants"}), ("resources/read", {"uri": "calc://constants"}),
                        ("resources/subscribe", {"uri": "calc+calc://constants"}),
                        ("prompts/get", {"name": "calc_explain", "arguments": {"expression": "1+1"}}),
                        ("prompts/get", {"name": "explain", "arguments": {"expression": "1+1"}}),
                        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "calc_explain"}, "argument": {"name": "expression", "value": "1"}}),
                        ("logging/setLevel", {"level": "info"})):
                    answer = session.request(method, params)
                    self.assertNotIn(UNASKED, self.gateway.log(), (server, method, answer.message))
                session.close()
        self.assertNotIn(UNASKED, json.dumps(self.gateway.audit()))


if __name__ == "__main__":
    unittest.main()
