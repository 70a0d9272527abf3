"""Objects of others on every route, by callers who may not, and ways to more than one holds (issue 5; S4-4 BOLA and BFLA, S1-2).

routes_test.py asks with names that stand for nothing; here they are there. Whoever may not use a route hears the same of both, and
nothing is changed. Where a policy lets people without the role admin manage others, nobody gets more than they hold by it.
"""
import json
import os
import re
import signal
import unittest

import mcp
import processes
import routes_test
from gateway import SLOW, Gateway

PASSWORD = "Correct-Horse-7-Battery"
CALLERS = ("user", "agent", "readonly", "auditor", "clerk", "keeper", "both")
SCOPES = {"clerk": ["user:read", "user:write"], "keeper": ["key:read", "key:write"],
          "both": ["user:read", "user:write", "key:read", "key:write", "tool:read"]}
# Of policies, the audit, and both: who may see what other people's calls were (arguments, reasons that quote them).
PARTS = {"policies": ["policy:read", "policy:write"], "audit": ["audit:read"],
         "whole": ["policy:read", "policy:write", "audit:read"]}
READERS = ("user", "readonly", "auditor", "both")  # of tools
VARYING = re.compile(rb'"(?:timestamp|request_id)":"[^"]*"')
BY_GRANT = "package admin_access\nimport rego.v1\nallow if input.granted\n"


def claims(token):
    import base64
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def filled(path, name):
    """The object, and in a place behind it nobody."""
    return re.sub(r"\{\w+\}", "nobody", re.sub(r"\{\w+\}", name, path, count=1))


class Objects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("objects", {"listen.workers": 2}).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.gateway.admin("POST", "/roles", {"name": "team", "scopes": ["tool:execute@calc/add"]})
        for role, scopes in SCOPES.items():
            cls.gateway.admin("POST", "/roles", {"name": role, "scopes": scopes})
        cls.gateway.admin("POST", "/groups", {"name": "chiefs", "scopes": ["server:write", "tool:execute@calc/*"]})
        cls.gateway.admin("POST", "/tools", {"name": "mine", "upstream_tool": "calc/add"})
        cls.gateway.admin("POST", "/toolsets", {"name": "set", "tools": [{"tool": "calc/add"}]})
        cls.tokens, cls.ids = {}, {}
        for name, role in [("boss", "admin"), ("owner", "admin")] + [(role, role) for role in CALLERS]:
            cls.gateway.user("who-" + name, PASSWORD, role)
            login = mcp.Client(cls.gateway).ask("POST", "/auth/login", {"username": "who-" + name, "password": PASSWORD}).message
            cls.tokens[name] = login["access_token"]
        cls.ids = {user["username"][4:]: user["id"] for user in cls.gateway.admin("GET", "/users?limit=100")["data"]}
        made = cls.client("owner").ask("POST", "/keys", {"name": "of-owner", "can_read": True, "can_execute": True, "roles": ["admin"]}).message
        cls.key = made["id"]
        session = claims(cls.tokens["owner"])
        cls.objects = {"users": cls.ids["owner"], "roles": "team", "keys": cls.key, "sessions": session["sid"], "tokens": session["jti"],
                       "tools": "mine", "servers": "calc", "toolsets": "set", "auth": session["sid"], "groups": "chiefs"}

    @classmethod
    def client(cls, who):
        return mcp.Client(cls.gateway, cls.tokens[who])

    def state(self):
        """What there is, as the operator sees it, without its use."""
        seen = {}
        for path in ("/users", "/roles", "/keys", "/servers", "/tools", "/toolsets", "/sessions", "/groups"):
            items = self.gateway.admin("GET", "/api/v1" + path + "?limit=1000")["data"]
            seen[path] = sorted(json.dumps({name: value for name, value in item.items() if not name.startswith(("last_", "use_", "execution_"))},
                                           sort_keys=True) for item in items)
        return seen

    def operations(self):
        """Routes about one object, and who may use them."""
        document = mcp.Client(self.gateway).ask("GET", "/openapi.json").message
        table = routes_test.expected()
        for path, methods in document["paths"].items():
            there = self.objects.get(path.split("/")[1])
            for method in methods:
                if "{" in path and there is not None:
                    yield method.upper(), path, there, table.get("%s %s" % (method.upper(), path), set())

    def test_what_is_there_is_answered_as_what_is_not(self):
        before, wrong, asked = self.state(), [], 0
        for method, path, there, may in self.operations():
            for who in CALLERS:
                if who in may and not path.startswith("/auth/"):
                    continue  # theirs to use; what they may do with it is the law's (tests/e2e/law)
                if who in READERS and method in ("GET", "POST") and path.startswith(("/tools/", "/toolsets/")):
                    continue
                told = []
                for name in (there, "no-such-object"):
                    answer = self.client(who).ask(method, "/api/v1" + filled(path, name), {} if method in ("POST", "PUT") else None)
                    told.append((answer.status, VARYING.sub(b"", answer.body).replace(name.encode(), b"NAME")))
                asked += 1
                if told[0] != told[1] or told[0][0] not in (403, 404):
                    wrong.append("%s %s as %s: %s" % (method, path, who, told))
        self.assertEqual(wrong, [], "\n".join(wrong))
        self.assertGreater(asked, 100)
        self.assertEqual(self.state(), before)

    def put_in_force(self, admin_access):
        folder = os.path.join(self.gateway.home, "policies")
        os.makedirs(folder, mode=0o755, exist_ok=True)
        for name, text in (("admin.rego", admin_access), ("tools.rego", "package tool_access\nimport rego.v1\nallow := true\n")):
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
            os.chmod(os.path.join(folder, name), 0o644)
        before = self.gateway.log().count("reloaded:")
        self.gateway.process.send_signal(signal.SIGHUP)
        processes.wait_until(lambda: self.gateway.log().count("reloaded:") > before, 20 * SLOW, "reloaded:")

    def attempts(self, who):
        """Each would give `who` more than it holds, or the secret of somebody who holds more."""
        admin, me = self.ids["owner"], self.ids[who]
        yield "POST", "/users", {"username": "new-" + who, "password": PASSWORD, "roles": ["admin"]}
        yield "POST", "/users", {"username": "new2-" + who, "password": PASSWORD, "is_admin": True}
        yield "PUT", "/users/" + me, {"roles": ["admin"]}
        yield "PUT", "/users/" + me, {"is_admin": True}
        yield "PUT", "/users/" + me, {"roles": ["user", "auditor"]}
        yield "PUT", "/users/" + admin, {"roles": [who]}
        yield "PUT", "/users/%s/password" % admin, {"generate": True}
        yield "PUT", "/users/%s/password" % self.ids["user"], {"password": "Another-Horse-8-Battery"}
        yield "DELETE", "/users/" + admin, None
        yield "POST", "/users/%s/disable" % admin, {}
        yield "DELETE", "/users/%s/mfa" % admin, None
        yield "POST", "/users/%s/mfa/enroll" % admin, {}
        yield "PUT", "/users/" + me, {"scopes": ["system:admin"]}
        yield "PUT", "/groups/chiefs/members/" + me, {}
        yield "PUT", "/groups/chiefs", {"scopes": ["server:write", "policy:write"]}
        yield "POST", "/groups", {"name": "up-" + who, "scopes": ["audit:read"]}
        yield "DELETE", "/users/%s/sessions" % admin, None
        yield "DELETE", "/sessions/" + self.objects["sessions"], None
        yield "DELETE", "/tokens/" + self.objects["tokens"], None
        yield "POST", "/roles", {"name": "up-" + who, "scopes": ["system:admin", "tool:execute"]}
        yield "PUT", "/roles/" + who, {"scopes": ["policy:write"]}
        yield "PUT", "/roles/" + who, {"scopes": SCOPES[who], "inherits": ["user"]}
        yield "PUT", "/roles/team", {"scopes": ["server:write"]}
        yield "POST", "/keys", {"name": "up-" + who, "roles": ["admin"]}
        yield "POST", "/keys", {"name": "up2-" + who, "can_execute": True, "scopes": ["audit:read"]}
        yield "PUT", "/keys/" + self.key, {"description": "mine now", "addresses": ["203.0.113.1"]}
        yield "POST", "/keys/%s/rotate" % self.key, {"grace_seconds": 0}

    def test_managing_others_is_no_way_to_more(self):
        """S1-2: under a policy that goes by grants alone."""
        self.put_in_force(BY_GRANT)
        self.addCleanup(self.put_in_force, "package admin_access\nimport rego.v1\nallow if \"admin\" in input.user.roles\n")
        self.assertEqual(self.client("clerk").ask("GET", "/users").status, 200, "the policy lets those in who are granted it")
        before, got = self.state(), []
        for who in SCOPES:
            for method, path, body in self.attempts(who):
                answer = self.client(who).ask(method, "/api/v1" + path, body)
                if answer.status not in (400, 403, 404, 409):
                    got.append("%s %s %s as %s: %d %s" % (method, path, body, who, answer.status, answer.message))
        self.assertEqual(got, [], "\n".join(got))
        self.assertEqual(self.state(), before)

    def test_what_others_called_asks_for_the_audit_too(self):
        """Issue 5: replay, the recorded decisions and the shadow report are told to nobody by the rights over policies alone."""
        self.put_in_force(BY_GRANT)
        self.addCleanup(self.put_in_force, "package admin_access\nimport rego.v1\nallow if \"admin\" in input.user.roles\n")
        keys = {name: self.gateway.admin("POST", "/keys", {"name": "part-" + name, "roles": [], "scopes": scopes})["api_key"]
                for name, scopes in PARTS.items()}
        version = self.gateway.admin("GET", "/policies/versions")["data"][0]["version"]
        modules = [{"name": "x.rego", "source": BY_GRANT}]
        for method, path, body, good in (("POST", "/policies/replay", {"version": version}, 200),
                                         ("POST", "/policies/replay", {"modules": modules}, 200),
                                         ("GET", "/policies/recorded", None, 200),
                                         ("GET", "/policies/shadow", None, 404)):
            status = {name: mcp.Client(self.gateway, secret).ask(method, "/api/v1" + path, body).status for name, secret in keys.items()}
            self.assertEqual(status, {"policies": 403, "audit": 403, "whole": good}, path)
        self.assertEqual(mcp.Client(self.gateway, keys["policies"]).ask("GET", "/api/v1/policies").status, 200)


if __name__ == "__main__":
    unittest.main()
