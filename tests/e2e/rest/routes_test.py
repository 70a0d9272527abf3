"""Every route of the table for every kind of caller, against one table of who may (issue 4, done when 2)."""
import datetime
import json
import os
import time
import unittest

import mcp
from gateway import Gateway

PASSWORD = "Correct-Horse-7-Battery"
ROLES = ("admin", "user", "agent", "readonly", "auditor")
FLAGS = ("read", "create", "update", "delete", "execute")
HERE = os.path.dirname(os.path.abspath(__file__))
EVERYONE = {"anonymous", *ROLES, *("key:" + flag for flag in FLAGS)}
DEAD = ("disabled", "expired", "revoked")


def expected():
    """routes.json: "METHOD path" -> who may, of EVERYONE; "public", "identified" stand for all and for all but anonymous."""
    with open(os.path.join(HERE, "routes.json")) as file:
        table = json.load(file)
    groups = {"public": EVERYONE, "identified": EVERYONE - {"anonymous"}}
    return {route: set().union(*(groups.get(who, {who}) for who in may)) for route, may in table.items()}


class Routes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rates = {"rate.%s.requests" % name: 10_000_000
                 for name in ("address", "mcp", "tool", "default", "public", "login", "read", "write", "admin", "delete", "execute")}
        cls.gateway = Gateway("routes", rates).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.document = mcp.Client(cls.gateway).ask("GET", "/openapi.json").message
        cls.secrets = {"anonymous": None}
        for role in (*ROLES, "disabled"):
            cls.gateway.user("who-" + role, PASSWORD, role if role in ROLES else "admin")
            cls.secrets[role] = cls.login("who-" + role)
        cls.gateway.cli("user", "disable", "who-disabled")
        for flag in FLAGS:
            cls.secrets["key:" + flag] = cls.made_key("key-" + flag, **{"can_" + flag: True})["api_key"]
        revoked = cls.made_key("revoked", can_read=True, roles=["admin"])
        cls.gateway.cli("key", "revoke", revoked["id"])
        cls.secrets["revoked"] = revoked["api_key"]
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
        expiring = cls.made_key("expired", can_read=True, roles=["admin"], expires_at=until.strftime("%Y-%m-%dT%H:%M:%SZ"))
        cls.secrets["expired"] = expiring["api_key"]
        while mcp.Client(cls.gateway, expiring["api_key"]).ask("GET", "/auth/me").status == 200:
            time.sleep(0.1)

    @classmethod
    def login(cls, name):
        return mcp.Client(cls.gateway).ask("POST", "/auth/login", {"username": name, "password": PASSWORD}).message["access_token"]

    @classmethod
    def made_key(cls, name, **fields):
        return cls.gateway.admin("POST", "/api/v1/keys", {"name": name, "roles": [], **fields})

    def operations(self):
        for path, methods in self.document["paths"].items():
            for method in methods:
                yield method.upper(), path

    def test_every_route_has_its_line_and_no_line_is_of_a_route_that_is_gone(self):
        self.assertEqual(sorted("%s %s" % route for route in self.operations()), sorted(expected()))

    def test_routes_by_callers(self):
        """S0-9, S1-2, S1-15, S1-16, S2-2: who may not hears 401 or 403, and nothing of what was asked for."""
        table, wrong = expected(), []
        for method, path in self.operations():
            may = table["%s %s" % (method, path)]
            for who in (*sorted(EVERYONE), *DEAD):
                # Names that stand for nothing: who may hears 404 or what is wrong with the body, and nothing is changed.
                target = "/api/v1" + path.replace("{id}", "no-such-id").replace("{name}", "no-such-name").replace("{jti}", "no-such")
                if path in ("/auth/logout", "/auth/logout-all") and who not in (*DEAD, "anonymous"):
                    continue  # it would end the caller; tests/e2e/sessions_test.py has it
                answer = mcp.Client(self.gateway, self.secrets[who]).ask(method, target, self.body(method, path))
                refused = answer.status in (401, 403)
                allowed = who in may or (who in DEAD and "anonymous" in may)
                if refused == allowed and not self.explained(answer, who, allowed, path):
                    wrong.append("%s %s as %s: %d %s" % (method, path, who, answer.status, answer.message))
                if refused and (who == "anonymous" or who in DEAD):
                    self.assertEqual(answer.status, 401, (method, path, who))
        self.assertEqual(wrong, [])

    def body(self, method, path):
        """None where the route takes none; a code where one is needed, since a missing one is told before whose it is."""
        schema = self.document["paths"][path][method.lower()].get("requestBody", {}).get("content", {}).get("application/json", {})
        needs_code = schema.get("schema", {}).get("$ref", "").endswith("/FactorCode")
        return {"code": "000000"} if needs_code else {} if method in ("POST", "PUT") else None

    def explained(self, answer, who, allowed, path):
        """A refusal after access was granted: a wrong password at the login, a tool that is none of the caller's."""
        return allowed and answer.status == 401 and path.startswith("/auth/")


if __name__ == "__main__":
    unittest.main()
