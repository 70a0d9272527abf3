"""Groups of people and rights of one's own: what they give, who may give it, what taking it away ends, and that nobody manages
whoever may more than they do (S0-8, S1-2, S1-17, S2-2, S2-38, S4-4)."""
import os
import signal
import unittest

import mcp
import processes
from gateway import SLOW, Gateway

PASSWORD = "Correct-Horse-7-Battery"

# A policy that lets administrate whoever holds the permission: what the roles say is then all there is.
OPEN_ADMIN = """package admin_access
import rego.v1
allow if input.granted
"""


class Case(unittest.TestCase):
    def client(self, name):
        client = mcp.Client(self.gateway)
        login = client.ask("POST", "/auth/login", {"username": name, "password": PASSWORD})
        assert login.status == 200, login.message
        client.secret = login.message["access_token"]
        return client

    def person(self, name, *roles):
        self.gateway.admin("POST", "/users", {"username": name, "password": PASSWORD, "roles": list(roles)})
        return self.client(name)

    def group(self, name, scopes=(), roles=()):
        return self.gateway.admin("POST", "/groups", {"name": name, "scopes": list(scopes), "roles": list(roles)})

    def refused(self, client, status, text, method, path, body=None):
        answer = client.ask(method, path, body)
        self.assertEqual(answer.status, status, (method, path, answer.message))
        self.assertIn(text, answer.message["error"]["message"])


class Groups(Case):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("groups", {"listen.workers": 2}).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.gateway.user("boss", PASSWORD, "admin")
        cls.gateway.cli("role", "add", "plain", "--scope", "tool:read")  # the shipped policy keeps `readonly` to reading

    def setUp(self):
        self.boss = self.client("boss")

    def tools(self, client):
        return sorted(tool["exposed_name"] for tool in client.ask("GET", "/api/v1/tools").message.get("data", []))

    def execute(self, client, tool="calc_add"):
        return client.ask("POST", "/tools/%s/execute" % tool, {"arguments": {"a": 2, "b": 3}}).status

    def test_a_group_gives_its_members_what_it_says(self):
        """S2-2, S2-38: from the next request on, over REST and MCP, and no more; so does leaving."""
        self.group("adders", ["tool:execute@calc/add"])
        ann = self.person("ann", "agent")
        self.assertEqual(self.tools(ann), [])
        joined = self.boss.ask("PUT", "/groups/adders/members/ann")
        self.assertEqual((joined.status, joined.message["members"]), (200, ["ann"]))
        self.assertEqual(self.tools(ann), ["calc_add"])
        session = mcp.Session(self.gateway, ann.secret).open()
        self.assertEqual(session.tools(), ["calc_add"])
        self.assertEqual(self.boss.ask("GET", "/users/ann").message["groups"], ["adders"])
        self.assertEqual(ann.ask("GET", "/auth/me").message["groups"], ["adders"])
        self.assertEqual(self.boss.ask("DELETE", "/groups/adders/members/ann").status, 204)
        self.assertEqual(self.tools(ann), [])
        self.assertEqual(self.boss.ask("GET", "/users/ann").message["groups"], [])
        self.refused(self.boss, 404, "is not in", "DELETE", "/groups/adders/members/ann")

    def test_roles_come_with_a_group_and_go_with_it(self):
        self.group("workers", roles=["user"])
        bea = self.person("bea", "plain")
        self.assertEqual(self.execute(bea), 403)
        self.boss.ask("PUT", "/groups/workers/members/bea")
        self.assertEqual(self.execute(bea), 200)
        self.assertEqual(bea.ask("GET", "/auth/me").message["roles"], ["plain", "user"])
        self.boss.ask("PUT", "/groups/workers", {"roles": []})
        self.assertEqual(self.execute(bea), 403)
        self.boss.ask("PUT", "/groups/workers", {"scopes": ["tool:execute"]})
        self.assertEqual(self.execute(bea), 200)

    def test_people_have_rights_of_their_own(self):
        cid = self.person("cid", "plain")
        changed = self.boss.ask("PUT", "/users/cid", {"scopes": ["tool:execute@calc/add", "gmail.send", "audit:read"]})
        self.assertEqual(changed.message["scopes"], ["audit:read", "tool:execute@calc/add", "gmail.send"])
        self.assertEqual((self.execute(cid), self.execute(cid, "calc_multiply")), (200, 403))
        self.boss.ask("PUT", "/users/cid", {"email": "cid@example.com"})
        self.assertEqual(self.execute(cid), 200)
        self.assertEqual(self.boss.ask("PUT", "/users/cid", {"scopes": []}).message["scopes"], [])
        self.assertEqual(self.execute(cid), 403)
        self.refused(self.boss, 400, "write tool:execute@server/tool", "PUT", "/users/cid", {"scopes": ["everything"]})
        self.assertEqual(cid.ask("PUT", "/auth/me", {"scopes": ["tool:execute"]}).status, 400)

    def test_what_is_wrong_is_said(self):
        self.group("first", roles=["user"])
        for name, body, text in (("admins", {"roles": ["admin"]}, "not given by a group"),
                                 ("agents", {"roles": ["agent"]}, "not given by a group"),
                                 ("x1", {"roles": ["nobody"]}, "no role"), ("a@b", {}, "none of"),
                                 ("x2", {"scopes": ["everything"]}, "write tool:execute@server/tool")):
            self.refused(self.boss, 400, text, "POST", "/groups", {"name": name, **body})
        self.refused(self.boss, 409, "is there", "POST", "/groups", {"name": "first"})
        self.refused(self.boss, 404, "no group", "PUT", "/groups/nobody", {"roles": []})
        self.refused(self.boss, 404, "no group", "PUT", "/groups/nobody/members/boss")
        self.refused(self.boss, 404, "no user", "PUT", "/groups/first/members/nobody")
        self.person("dan", "readonly")
        self.boss.ask("PUT", "/groups/first/members/dan")
        self.refused(self.boss, 409, "has 1 members", "DELETE", "/groups/first")
        self.gateway.admin("POST", "/roles", {"name": "of-a-group"})
        self.boss.ask("PUT", "/groups/first", {"roles": ["of-a-group"]})
        self.refused(self.boss, 409, "1 groups", "DELETE", "/roles/of-a-group")
        self.assertEqual(self.boss.ask("DELETE", "/users/dan").status, 204)
        self.assertEqual(self.boss.ask("DELETE", "/groups/first").status, 204)

    def test_a_key_does_not_outlive_the_group_of_its_owner(self):
        """S2-38: leaving, and what the group loses, ends what the member's keys have by it."""
        self.group("keyed", ["key:write", "key:read", "tool:read", "tool:execute"])
        self.gateway.user("fay", PASSWORD, "admin")
        made = self.client("fay").ask("POST", "/keys", {"name": "of-fay", "can_read": True, "can_execute": True}).message
        path = "/keys/" + made["id"]
        enabled = lambda: self.gateway.admin("GET", path)["enabled"]
        self.boss.ask("PUT", "/groups/keyed/members/fay")
        self.boss.ask("PUT", "/users/fay", {"roles": ["readonly"]})
        self.assertTrue(enabled())
        self.boss.ask("PUT", "/groups/keyed", {"scopes": ["tool:read"]})
        self.assertFalse(enabled())
        self.assertEqual(mcp.Client(self.gateway, made["api_key"]).ask("GET", "/tools").status, 401)
        self.refused(self.boss, 403, "owner of the key does not hold: tool:execute", "POST", path + "/enable")
        self.boss.ask("PUT", "/groups/keyed", {"scopes": ["tool:read", "tool:execute"]})
        self.assertEqual(self.boss.ask("POST", path + "/enable").status, 200)
        self.boss.ask("DELETE", "/groups/keyed/members/fay")
        self.assertFalse(enabled())

    def test_the_command_line_does_what_rest_does(self):
        run, cli = self.gateway.run, self.gateway.cli
        self.gateway.user("gus", PASSWORD, "readonly")
        cli("group", "add", "cli-group", "--role", "user", "--scope", "tool:execute@calc/*", "--description", "of the command line")
        cli("group", "join", "cli-group", "gus")
        self.assertIn("gus", cli("group", "show", "cli-group"))
        self.assertIn("cli-group", cli("group", "list"))
        self.assertNotEqual(run("group", "remove", "cli-group").code, 0)
        cli("group", "set", "cli-group", "--no-scopes")
        self.assertNotIn("calc", cli("group", "show", "cli-group"))
        self.assertEqual(run("group", "set", "cli-group").code, 2)
        cli("group", "leave", "cli-group", "gus")
        self.assertIn("removed cli-group", cli("group", "remove", "cli-group"))
        self.assertIn("tool:execute@calc", cli("user", "update", "gus", "--scope", "tool:execute@calc"))
        self.assertNotIn("tool:execute", cli("user", "update", "gus", "--no-scopes"))

    def test_groups_are_there_after_kill_9(self):
        self.group("lasting", ["tool:read", "tool:execute@calc/add", "gmail.send"], ["user"])
        self.person("hal", "readonly")
        self.boss.ask("PUT", "/groups/lasting/members/hal")
        self.boss.ask("PUT", "/users/hal", {"scopes": ["tool:execute@calc/add"]})
        read = lambda: (self.gateway.admin("GET", "/groups/lasting"), self.gateway.admin("GET", "/users/hal"))
        before = read()
        self.gateway.process.kill()
        self.gateway.process.wait()
        self.gateway.start()
        self.assertEqual(read(), before)

    def test_a_role_of_a_group_asks_for_a_second_factor(self):
        """The rule by role counts the roles that come with a group."""
        self.gateway.stop()
        self.gateway.settings["second_factor.required_roles"] = ["auditor"]
        self.gateway.choose_port()
        self.gateway.start()
        self.boss = self.client("boss")
        self.group("checked", roles=["auditor"])
        self.person("ida", "readonly")
        self.boss.ask("PUT", "/groups/checked/members/ida")
        ida = self.client("ida")
        self.assertEqual(ida.ask("GET", "/tools").message["error"]["code"], "second_factor_enrollment")
        self.assertTrue(ida.ask("GET", "/auth/mfa").message["required"])


class NoWayToMore(Case):
    """S1-2, S4-4 (BOLA, BFLA): under a policy that lets in whoever holds user:write, nobody makes, changes, locks out or
    takes over anybody who may more than they do."""

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("groups-weak", {"listen.workers": 2}).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.user("boss", PASSWORD, "admin")
        path = os.path.join(cls.gateway.home, "policies", "admin_access.rego")
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        with open(os.path.join(os.path.dirname(path), "tool_access.rego"), "w") as file:
            file.write("package tool_access\nimport rego.v1\nallow if input.granted\n")
        with open(path, "w") as file:
            file.write(OPEN_ADMIN)
        before = cls.gateway.log().count("reloaded")
        cls.gateway.process.send_signal(signal.SIGHUP)
        processes.wait_until(lambda: cls.gateway.log().count("reloaded") > before, 20 * SLOW, "reload")
        cls.gateway.admin("POST", "/roles", {"name": "clerk", "inherits": ["user"],
                                             "scopes": ["user:read", "user:write", "key:read", "key:write"]})
        cls.gateway.user("carl", PASSWORD, "clerk")

    def setUp(self):
        self.carl = self.client("carl")

    def test_who_may_no_more_is_managed(self):
        made = self.carl.ask("POST", "/users", {"username": "low", "password": PASSWORD, "roles": ["user"]})
        self.assertEqual(made.status, 201, made.message)
        for method, path, body in (("PUT", "/users/low", {"roles": ["readonly"], "scopes": ["tool:execute@calc"]}),
                                   ("PUT", "/users/low/password", {"generate": True}),
                                   ("POST", "/users/low/toggle", None), ("POST", "/users/low/enable", None),
                                   ("DELETE", "/users/low/sessions", None), ("DELETE", "/users/low/mfa", None),
                                   ("POST", "/groups", {"name": "lows", "roles": ["user"]}),
                                   ("PUT", "/groups/lows/members/low", None), ("PUT", "/groups/lows", {"description": "x"}),
                                   ("DELETE", "/groups/lows/members/low", None), ("DELETE", "/groups/lows", None),
                                   ("DELETE", "/users/low", None)):
            answer = self.carl.ask(method, path, body)
            self.assertIn(answer.status, (200, 201, 204), (method, path, answer.message))

    def test_nobody_makes_who_may_more(self):
        for name, body, text in (("a1", {"roles": ["admin"]}, "the role admin"), ("a2", {"is_admin": True}, "the role admin"),
                                 ("a3", {"roles": ["auditor"]}, "audit:read"), ("a4", {"scopes": ["system:admin"]}, "system:admin"),
                                 ("a5", {"scopes": ["gmail.send"]}, "gmail.send"),
                                 ("a6", {"scopes": ["tool:delete@calc"]}, "tool:delete@calc")):
            self.refused(self.carl, 403, text, "POST", "/users", {"username": name, "password": PASSWORD, **body})
            self.refused(self.carl, 404, "no user", "GET", "/users/" + name)
        self.refused(self.carl, 403, "audit:read", "POST", "/groups", {"name": "spies", "roles": ["auditor"]})

    def test_nobody_gives_a_name_that_they_do_not_have(self):
        """A policy may say more of a role than it grants: who may write users gives no role of the gateway but their own."""
        self.gateway.admin("POST", "/roles", {"name": "payers"})
        self.gateway.admin("POST", "/groups", {"name": "tellers", "roles": ["payers"]})
        self.refused(self.carl, 403, "the role payers", "POST", "/users", {"username": "b1", "password": PASSWORD, "roles": ["payers"]})
        self.refused(self.carl, 403, "the role payers", "PUT", "/users/carl", {"roles": ["clerk", "payers"]})
        self.refused(self.carl, 403, "the role payers", "PUT", "/groups/tellers/members/carl")
        self.refused(self.carl, 403, "the role payers", "POST", "/keys", {"name": "b2", "roles": ["payers"]})
        made = self.carl.ask("POST", "/users", {"username": "b3", "password": PASSWORD, "roles": ["clerk"]})
        self.assertEqual(made.status, 201, made.message)

    def test_nobody_gives_themselves_more(self):
        for body, text in (({"roles": ["admin"]}, "the role admin"), ({"is_admin": True}, "the role admin"),
                           ({"scopes": ["policy:write"]}, "policy:write")):
            self.refused(self.carl, 403, text, "PUT", "/users/carl", body)
        self.gateway.admin("POST", "/groups", {"name": "seers", "scopes": ["audit:read"]})
        self.refused(self.carl, 403, "audit:read", "PUT", "/groups/seers/members/carl")
        self.refused(self.carl, 403, "audit:read", "PUT", "/groups/seers", {"scopes": []})
        self.refused(self.carl, 403, "audit:read", "DELETE", "/groups/seers")
        self.assertEqual(self.carl.ask("PUT", "/auth/me", {"email": "carl@example.com"}).status, 200)

    def test_nobody_takes_over_or_locks_out_who_may_more(self):
        """A password set, a second factor reset, a session ended: each of the admin, and of a member of a group that gives more."""
        self.gateway.admin("POST", "/groups", {"name": "eyes", "scopes": ["audit:read"]})
        self.gateway.user("eva", PASSWORD, "user")
        self.gateway.admin("PUT", "/groups/eyes/members/eva")
        for who, text in (("boss", "the role admin"), ("eva", "audit:read")):
            other = self.client(who)
            for method, path, body in (("PUT", "/users/%s/password", {"password": "Another-Horse-8-Battery"}),
                                       ("PUT", "/users/%s/password", {"generate": True}),
                                       ("PUT", "/users/%s", {"email": "carl@example.com"}),
                                       ("PUT", "/users/%s", {"roles": ["readonly"]}),
                                       ("POST", "/users/%s/disable", None), ("POST", "/users/%s/enable", None),
                                       ("POST", "/users/%s/toggle", None), ("DELETE", "/users/%s", None),
                                       ("DELETE", "/users/%s/mfa", None), ("DELETE", "/users/%s/sessions", None)):
                self.refused(self.carl, 403, text, method, path % who, body)
            session = other.ask("GET", "/auth/sessions").message["data"][0]["id"]
            self.refused(self.carl, 403, text, "DELETE", "/sessions/" + session)
            self.assertEqual(other.ask("GET", "/auth/me").status, 200)
        self.refused(self.carl, 403, "Only an admin", "DELETE", "/tokens/0123456789abcdef")
        self.refused(self.carl, 403, "audit:read", "DELETE", "/groups/eyes/members/eva")

    def test_keys_that_may_more_are_not_ended_nor_put_in_force(self):
        made = self.gateway.admin("POST", "/keys", {"name": "strong", "can_read": True, "scopes": ["audit:read"]})
        for method, what, body in (("POST", "/disable", None), ("POST", "/toggle", None), ("POST", "/rotate", {}),
                                   ("PUT", "", {"name": "mine"}), ("PUT", "", {"scopes": [], "can_read": False}), ("DELETE", "", None)):
            self.refused(self.carl, 403, "audit:read", method, "/keys/" + made["id"] + what, body)
        self.gateway.admin("POST", "/keys/%s/disable" % made["id"])
        self.refused(self.carl, 403, "audit:read", "POST", "/keys/%s/enable" % made["id"])

    def test_a_role_that_gives_more_stays_as_it_is(self):
        self.gateway.admin("POST", "/roles", {"name": "watch", "scopes": ["audit:read"]})
        self.refused(self.carl, 403, "audit:read", "PUT", "/roles/watch", {"scopes": []})
        self.refused(self.carl, 403, "audit:read", "DELETE", "/roles/watch")

    def test_an_admin_does_all_of_it(self):
        boss = self.client("boss")
        boss.ask("POST", "/users", {"username": "more", "password": PASSWORD, "roles": ["auditor", "admin"]})
        for method, path, body in (("PUT", "/users/more", {"scopes": ["policy:write", "a.b"]}),
                                   ("PUT", "/users/more/password", {"generate": True}), ("POST", "/users/more/toggle", None),
                                   ("DELETE", "/users/more/mfa", None), ("DELETE", "/users/more/sessions", None),
                                   ("DELETE", "/users/more", None)):
            answer = boss.ask(method, path, body)
            self.assertIn(answer.status, (200, 204), (method, path, answer.message))


if __name__ == "__main__":
    unittest.main()
