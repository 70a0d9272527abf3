"""Roles of one's own: what they grant, what they inherit, who may make them, and what a change ends (S0-8, S1-2, S2-2, S2-38, S4-4)."""
import unittest

import mcp
from gateway import Gateway

PASSWORD = "Correct-Horse-7-Battery"


class Roles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("roles", {"listen.workers": 2}).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.gateway.user("boss", PASSWORD, "admin")
        cls.boss = cls.client("boss")

    @classmethod
    def client(cls, name):
        client = mcp.Client(cls.gateway)
        login = client.ask("POST", "/auth/login", {"username": name, "password": PASSWORD})
        assert login.status == 200, login.message
        client.secret = login.message["access_token"]
        return client

    def role(self, name, scopes=(), inherits=()):
        return self.gateway.admin("POST", "/roles", {"name": name, "scopes": list(scopes), "inherits": list(inherits)})

    def tools(self, client):
        return sorted(tool["exposed_name"] for tool in client.ask("GET", "/api/v1/tools").message["data"])

    def execute(self, client, tool="calc_add"):
        answer = client.ask("POST", "/tools/%s/execute" % tool, {"arguments": {"a": 2, "b": 3}})
        return answer.status, answer.message

    def refused(self, status, body, text, path="/roles", method="POST"):
        answer = self.boss.ask(method, path, body)
        self.assertEqual(answer.status, status, answer.message)
        self.assertIn(text, answer.message["error"]["message"])

    def test_a_role_grants_what_it_says(self):
        """S2-2, S2-38: one tool and no other, listed and callable alike."""
        made = self.role("adder", ["tool:execute@calc/add"])
        self.assertEqual((made["permissions"], made["scopes"], made["inherits"]), ([], ["tool:execute@calc/add"], []))
        self.gateway.user("ann", PASSWORD, "adder")
        ann = self.client("ann")
        self.assertEqual(self.tools(ann), ["calc_add"])
        self.assertEqual(self.execute(ann)[0], 200)
        self.assertEqual(self.execute(ann, "calc_multiply")[0], 404)
        session = mcp.Session(self.gateway, ann.secret).open()
        self.assertEqual(session.tools(), ["calc_add"])

    def test_a_change_holds_from_the_next_request_on(self):
        self.role("changing", ["tool:read"])
        self.gateway.user("bea", PASSWORD, "changing")
        bea = self.client("bea")
        self.assertEqual(self.execute(bea)[0], 403)
        for scopes, status in ((["tool:read", "tool:execute"], 200), (["tool:read"], 403), ([], 404)):
            changed = self.boss.ask("PUT", "/roles/changing", {"scopes": scopes})
            self.assertEqual((changed.status, changed.message["permissions"]), (200, scopes))
            self.assertEqual(self.execute(bea)[0], status, scopes)
        self.assertEqual(bea.ask("GET", "/api/v1/tools").status, 403)

    def test_a_role_has_what_it_inherits(self):
        """S0-8: through two of one's own, down to one that is built in; the policy sees all of their names."""
        self.role("team", inherits=["user"])
        self.role("lead", ["gmail.send"], ["team"])
        self.gateway.user("cid", PASSWORD, "lead")
        cid = self.client("cid")
        self.assertEqual(self.execute(cid)[0], 200)
        self.boss.ask("PUT", "/roles/team", {"inherits": ["readonly"]})
        self.assertEqual(self.execute(cid)[0], 403)
        self.assertIn("calc_add", self.tools(cid))
        self.boss.ask("PUT", "/roles/team", {"inherits": []})
        self.assertEqual(cid.ask("GET", "/api/v1/tools").status, 403)

    def test_what_is_wrong_is_said(self):
        self.role("first")
        self.role("second", inherits=["first"])
        self.refused(400, {"inherits": ["second"]}, "inherits itself", "/roles/first", "PUT")
        self.refused(400, {"name": "x1", "inherits": ["nobody"]}, "nobody, which is not there")
        self.refused(400, {"name": "x2", "inherits": ["admin"]}, "cannot be inherited")
        self.refused(400, {"name": "x3", "inherits": ["agent"]}, "cannot be inherited")
        self.refused(400, {"name": "admin"}, "built in")
        self.refused(400, {"name": "a b\u200b"}, "printable")
        self.refused(400, {"name": "a@b"}, "none of")
        self.refused(400, {"name": "x4", "scopes": ["everything"]}, "write tool:execute@server/tool")
        self.refused(409, {"name": "first"}, "is there")
        self.refused(409, {"scopes": []}, "stays as it is", "/roles/user", "PUT")
        self.refused(409, None, "stays", "/roles/admin", "DELETE")
        self.refused(409, None, "held by 0 users, 0 keys and 1 roles", "/roles/first", "DELETE")
        self.refused(404, None, "no role", "/roles/nobody", "DELETE")
        self.gateway.user("dan", PASSWORD, "second")
        self.refused(409, None, "held by 1 users", "/roles/second", "DELETE")

    def test_a_role_is_no_way_to_more(self):
        """S1-2, S4-4 (BFLA): permissions to manage users do not open administration; the policy keeps it for admins."""
        self.role("clerk", ["user:write", "user:read"])
        self.gateway.user("eve", PASSWORD, "clerk")
        eve = self.client("eve")
        answer = eve.ask("POST", "/roles", {"name": "mine", "scopes": ["system:admin"]})
        self.assertEqual(answer.status, 403, answer.message)
        self.assertEqual(eve.ask("PUT", "/roles/clerk", {"inherits": ["auditor"]}).status, 403)

    def test_a_key_does_not_outlive_the_role_of_its_owner(self):
        """S2-38: what a role loses, the keys of its holders lose with it."""
        self.role("keyed", ["tool:read", "tool:execute"])
        self.gateway.user("fay", PASSWORD, "admin")
        made = self.client("fay").ask("POST", "/keys", {"name": "of-fay", "can_read": True, "can_execute": True}).message
        fay = [user["id"] for user in self.gateway.admin("GET", "/users")["data"] if user["username"] == "fay"][0]
        self.assertEqual(self.boss.ask("PUT", "/users/" + fay, {"roles": ["keyed"]}).status, 200)
        shown = lambda: self.gateway.admin("GET", "/keys/" + made["id"])["enabled"]
        self.assertTrue(shown())
        self.boss.ask("PUT", "/roles/keyed", {"scopes": ["tool:read"]})
        self.assertFalse(shown())
        self.assertEqual(mcp.Client(self.gateway, made["api_key"]).ask("GET", "/tools").status, 401)
        noted = self.gateway.audit(action="disable_key", principal="system")
        said = "key:%s (of-fay): The owner of the key does not hold: tool:execute" % made["id"]
        self.assertIn(said, [record["reason"] for record in noted])
        warned = [line for line in self.gateway.log().splitlines() if "disable_key" in line and made["id"] in line]
        self.assertEqual(len(warned), 1, warned)
        self.assertIn("warn", warned[0].lower())

    def test_a_key_that_goes_off_for_a_role_says_which(self):
        """S2-38: a rule may go by the name of a role, so it counts where another role gives the same."""
        for name in ("twin-one", "twin-two"):
            self.role(name, ["tool:read"])
        self.gateway.user("gus", PASSWORD, "admin")
        made = self.client("gus").ask("POST", "/keys", {"name": "of-gus", "roles": ["twin-one"]}).message
        gus = [user["id"] for user in self.gateway.admin("GET", "/users")["data"] if user["username"] == "gus"][0]
        shown = lambda: self.gateway.admin("GET", "/keys/" + made["id"])["enabled"]
        self.assertEqual(self.boss.ask("PUT", "/users/" + gus, {"roles": ["twin-one", "twin-two"]}).status, 200)
        self.assertTrue(shown())
        self.assertEqual(self.boss.ask("PUT", "/users/" + gus, {"roles": ["twin-two"]}).status, 200)
        self.assertFalse(shown())
        said = "key:%s (of-gus): The owner of the key does not hold: the role twin-one" % made["id"]
        self.assertIn(said, [record["reason"] for record in self.gateway.audit(action="disable_key", principal="system")])
        warned = [line for line in self.gateway.log().splitlines() if "disable_key" in line and made["id"] in line]
        self.assertEqual(len(warned), 1, warned)
        self.assertIn("the role twin-one", warned[0])

    def test_the_command_line_does_what_rest_does(self):
        run = self.gateway.run
        self.assertIn("auditor", self.gateway.cli("role", "add", "cli-role", "--inherit", "auditor", "--scope", "tool:execute@calc/*"))
        self.assertIn("cli-role", self.gateway.cli("role", "list"))
        self.assertIn("tool:execute@calc/*", self.gateway.cli("role", "show", "cli-role"))
        self.gateway.cli("role", "update", "cli-role", "--no-scopes")
        self.assertNotIn("calc", self.gateway.cli("role", "show", "cli-role"))
        self.assertEqual(run("role", "update", "cli-role").code, 2)
        self.assertIn("removed cli-role", self.gateway.cli("role", "delete", "cli-role"))
        self.assertNotEqual(run("role", "delete", "cli-role").code, 0)

    def test_roles_are_there_after_kill_9(self):
        self.role("lasting", ["tool:read", "tool:execute@calc/add", "gmail.send"], ["user"])
        before = self.gateway.admin("GET", "/roles/lasting")
        self.gateway.process.kill()
        self.gateway.process.wait()
        self.gateway.start()
        self.assertEqual(self.gateway.admin("GET", "/roles/lasting"), before)
        type(self).boss = self.client("boss")


if __name__ == "__main__":
    unittest.main()
