"""API keys changed, bound to addresses, switched off and on, rotated (S1-16, S1-18, S1-24). Four workers: what is answered is in
force on each of them."""
import datetime
import json
import unittest

import mcp
import processes
import totp
from gateway import SLOW
from keys_case import FORM, PASSWORD, Keys, ends, person


class Changing(Keys):
    def test_a_change_leaves_what_it_does_not_name(self):
        """S1-24: least privilege, after the fact. Requirements, line 124: GET and PUT of one key."""
        key = self.made("changing", scopes=["tool:execute@calc/add", "gmail.send", "audit:read"], expires_at="2199-01-01T00:00:00")
        before = self.shown(key)
        self.assertEqual(before["scopes"], ["audit:read", "tool:execute@calc/add", "gmail.send"])
        after = self.change(key, name="changed", can_read=False, expires_at=None)
        self.assertEqual(after, {**before, "name": "changed", "can_read": False, "expires_at": None})
        after = self.change(key, scopes=["tool:read@calc"], addresses=["127.0.0.0/8", "::ffff:10.0.0.0/104"])
        self.assertEqual((after["scopes"], after["addresses"]), (["tool:read@calc/*"], ["127.0.0.0/8", "10.0.0.0/8"]))
        self.assertTrue(after["can_execute"])

    def test_a_right_taken_away_is_gone_everywhere(self):
        key = self.made("narrowed")
        call = lambda client: client.ask("GET", "/api/v1/audit").status
        self.change(key, roles=["auditor"])
        clients = self.everywhere(key["api_key"])
        self.assertEqual({call(client) for client in clients}, {200})
        self.change(key, roles=["agent"])
        self.assertEqual({call(client) for client in clients}, {403})

    def test_a_stream_opened_under_other_rights_ends(self):
        key = self.made("streaming")
        session = mcp.Session(self.gateway, key["api_key"]).open()
        stream = session.listen()
        self.assertEqual(stream.status, 200)
        self.change(key, description="nothing else")
        self.assertEqual(session.request("ping").status, 200)
        self.change(key, can_read=False)
        ends(stream)
        self.assertEqual(session.request("ping").status, 404, "it begins anew")

    def test_a_change_under_if_match(self):
        """Its use changes what a reader is told, and not what If-Match compares: a busy key can be changed."""
        self.gateway.user("matcher", PASSWORD, "admin")
        admin = person(self.gateway, "matcher")
        key = self.made("matched")
        path = "/api/v1/keys/" + key["id"]
        tag = admin.ask("GET", path).headers["etag"]
        self.assertEqual(self.status(key["api_key"]), 200)
        self.assertEqual(admin.ask("GET", path, headers={"If-None-Match": tag}).status, 200)
        self.assertEqual(admin.ask("PUT", path, {"name": "one"}, {"If-Match": tag}).status, 200)
        self.assertEqual(admin.ask("PUT", path, {"name": "two"}, {"If-Match": tag}).status, 412)
        self.assertEqual(self.shown(key)["name"], "one")

    def test_what_is_wrong_is_named(self):
        admin = mcp.Client(self.gateway, self.made("root", roles=["admin"])["api_key"])
        key = self.made("unchanged")
        path = "/api/v1/keys/" + key["id"]
        for body, word in (({}, "body"), ({"nmae": "x"}, "nmae"), ({"name": ""}, "name"), ({"addresses": ["10.0.0.1/8"]}, "10.0.0.1/8"),
                           ({"addresses": ["here"]}, "here"), ({"addresses": ["10.0.0.0/8"] * 65}, "64"), ({"roles": ["nope"]}, "nope"),
                           ({"expires_at": "2020-01-01T00:00:00"}, "past"), ({"expires_at": "tomorrow"}, "expires_at"),
                           ({"scopes": ["tool:fly"]}, "tool:fly"), ({"can_read": "yes"}, "can_read")):
            answer = admin.ask("PUT", path, body)
            self.assertEqual(answer.status, 400, (body, answer))
            self.assertIn(word, answer.message["error"]["message"], body)
        for body in ({"grace_seconds": -1}, {"grace_seconds": 2592001}, {"grace_seconds": "1h"}, {"grace": 1}):
            self.assertEqual(admin.ask("POST", path + "/rotate", body).status, 400, body)
        self.assertEqual(self.shown(key)["name"], "unchanged")
        self.assertEqual(self.status(key["api_key"]), 200)
        for method, rest in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/toggle"), ("POST", "/rotate")):
            body = {"name": "x"} if method == "PUT" else {} if method == "POST" else None
            self.assertEqual(admin.ask(method, "/api/v1/keys/none" + rest, body).status, 404, method + rest)

    def test_nobody_gives_a_key_more_than_its_owner_holds(self):
        """S1-16. Not by rotating it either: whoever sees the secret holds what the key may. Givers: key_changes_test.cc."""
        self.gateway.user("demoted", PASSWORD, "admin")
        key = person(self.gateway, "demoted").ask("POST", "/api/v1/keys", {"name": "kept", "roles": ["admin"]}).message
        self.gateway.cli("user", "update", "demoted", "--role", "user")
        admin = mcp.Client(self.gateway, self.made("giver", roles=["admin"])["api_key"])
        path = "/api/v1/keys/" + key["id"]
        for method, where, body in (("PUT", path, {"name": "x"}), ("POST", path + "/rotate", {})):
            answer = admin.ask(method, where, body)
            self.assertEqual(answer.status, 403, answer)
            self.assertIn("owner of the key does not hold: the role admin", answer.message["error"]["message"])
        narrowed = {"roles": ["agent"], "can_read": True, "scopes": ["tool:execute@calc"]}
        self.assertEqual(admin.ask("PUT", path, narrowed).status, 200)
        for body in ({"can_delete": True}, {"scopes": ["user:write"]}, {"scopes": ["gmail.send"]}, {"roles": ["auditor"]}):
            self.assertEqual(admin.ask("PUT", path, body).status, 403, body)

    def test_people_with_a_second_factor_show_a_code_first(self):
        """Step-up, as for users; taking a key's power away asks for none."""
        self.gateway.user("careful", PASSWORD, "admin")
        admin = person(self.gateway, "careful")
        secret = admin.ask("POST", "/auth/mfa/enroll", {}).message["secret"]
        self.assertEqual(admin.ask("POST", "/auth/mfa/confirm", {"code": totp.code(secret, -1)}).status, 200)
        self.gateway.stop()  # the session stays, that a code was shown does not
        self.gateway.start()
        admin = mcp.Client(self.gateway, admin.secret)
        key = self.made("guarded")
        path = "/api/v1/keys/" + key["id"]
        writes = (("POST", "/api/v1/keys", {"name": "new"}), ("PUT", path, {"name": "x"}), ("POST", path + "/rotate", {}),
                  ("POST", path + "/toggle", {}), ("POST", path + "/enable", {}))
        for write in writes:
            answer = admin.ask(*write)
            self.assertEqual((answer.status, answer.message["error"]["code"]), (401, "second_factor_required"), write)
        self.assertEqual(admin.ask("POST", path + "/disable", {}).status, 200)
        self.assertEqual(admin.ask("POST", "/auth/step-up", {"code": totp.code(secret)}).status, 204)
        self.assertEqual([admin.ask(*write).status for write in writes], [201, 200, 200, 200, 200])


class Switching(Keys):
    def test_off_and_on_everywhere(self):
        """S1-18: toggle; with it the tokens it bought, its streams and its refresh tokens; on again it is good again."""
        key = self.made("toggled")
        tokens = self.login(key["api_key"]).message
        session = mcp.Session(self.gateway, key["api_key"]).open()
        stream = session.listen()
        clients, minted = self.everywhere(key["api_key"]), self.everywhere(tokens["access_token"])
        self.assertFalse(self.gateway.admin("POST", "/admin/api-keys/%s/toggle" % key["id"])["enabled"])
        self.assertEqual(self.statuses(clients) | self.statuses(minted), {401})
        self.assertEqual((self.login(key["api_key"]).status, self.refresh(tokens).status), (401, 401))
        ends(stream)
        self.assertTrue(self.gateway.admin("POST", "/admin/api-keys/%s/toggle" % key["id"])["enabled"])
        self.assertEqual(self.statuses(clients), {200})
        self.assertEqual(self.statuses(minted), {401}, "what was ended stays ended")
        self.assertEqual(self.refresh(tokens).status, 401)
        self.assertEqual(self.status(self.login(key["api_key"]).message["access_token"]), 200)

    def test_an_owner_ends_with_all_keys_it_made(self):
        self.gateway.user("maker", PASSWORD, "admin")
        made = person(self.gateway, "maker").ask("POST", "/api/v1/keys", {"name": "of maker", "roles": ["admin"]}).message
        child = mcp.Client(self.gateway, made["api_key"]).ask("POST", "/api/v1/keys", {"name": "child"}).message
        clients = self.everywhere(made["api_key"]) + self.everywhere(child["api_key"])
        self.gateway.cli("user", "disable", "maker")
        self.assertEqual(self.statuses(clients), {401})


class Addresses(Keys):
    FAR, NEAR, MAPPED, SIX = ({"X-Forwarded-For": text} for text in
                              ("198.51.100.7", "192.0.2.7", "::ffff:192.0.2.9", "2001:db8::7"))

    def test_a_key_is_good_from_its_addresses_alone(self):
        """At each use: itself, at the login, its tokens, their refreshing. Who is refused hears no reason."""
        key = self.made("bound", addresses=["192.0.2.0/24", "2001:db8::/32"])
        self.assertEqual(key["addresses"], ["192.0.2.0/24", "2001:db8::/32"])
        secret = key["api_key"]
        for where in (self.NEAR, self.MAPPED, self.SIX):
            self.assertEqual(self.status(secret, where), 200, where)
        for where in (self.FAR, {}):
            self.assertEqual(self.status(secret, where), 401, where)
            self.assertEqual(self.login(secret, where).status, 401)
        tokens = self.login(secret, self.NEAR).message
        self.assertEqual(self.status(tokens["access_token"], self.SIX), 200)
        self.assertEqual(self.status(tokens["access_token"], self.FAR), 401)
        self.assertEqual(self.refresh(tokens, self.FAR).status, 401)
        self.assertEqual(self.refresh(tokens, self.NEAR).status, 200, "a refusal for its address does not use it up")
        refused = mcp.Client(self.gateway, secret).ask("GET", "/auth/me", headers=self.FAR)
        self.assertNotIn("address", json.dumps(refused.message))
        record = self.gateway.audit(request_id=refused.headers["x-request-id"])[0]
        self.assertIn("identity.key_address key=" + key["id"], json.dumps(record))

    def test_a_change_of_the_list_is_in_force_everywhere(self):
        key = self.made("moving")
        clients = self.everywhere(key["api_key"])
        stream = mcp.Session(self.gateway, key["api_key"]).open().listen()
        self.change(key, addresses=["192.0.2.7"])
        self.assertEqual(self.statuses(clients), {401})
        ends(stream)
        self.change(key, addresses=[])
        self.assertEqual(self.statuses(clients), {200})


class Rotating(Keys):
    def test_both_secrets_are_good_until_the_grace_is_over(self):
        """S1-24: rotation. The same id and grants; shown once."""
        key = self.made("rotated", can_update=True)
        clients = self.everywhere(key["api_key"])
        session = mcp.Session(self.gateway, key["api_key"]).open()
        tokens = self.login(key["api_key"]).message
        fresh = self.rotate(key, grace_seconds=3)
        self.assertEqual((fresh["id"], fresh["can_update"]), (key["id"], True))
        self.assertRegex(fresh["api_key"], FORM)
        self.assertNotEqual(fresh["api_key"], key["api_key"])
        self.assertTrue(fresh["previous_secret_until"] and fresh["rotated_at"])
        self.assertNotIn("api_key", self.shown(key))
        self.assertEqual(self.statuses(clients), {200}, "nobody is disturbed")
        self.assertEqual(session.request("ping").status, 200)
        self.assertEqual(self.status(tokens["access_token"]), 200)
        others = self.everywhere(fresh["api_key"])
        processes.wait_until(lambda: 401 in self.statuses(clients[:1]), 20 * SLOW, "the end of the grace")
        self.assertEqual(self.statuses(clients), {401})
        self.assertEqual((self.status(tokens["access_token"]), self.refresh(tokens).status), (401, 401))
        self.assertEqual(self.statuses(others), {200})
        self.assertIsNone(self.shown(key)["previous_secret_until"])

    def test_without_grace_the_old_secret_ends_everywhere_at_once(self):
        """With its streams and the tokens that it bought."""
        key = self.made("leaked")
        clients, tokens = self.everywhere(key["api_key"]), self.login(key["api_key"]).message
        minted = self.everywhere(tokens["access_token"])
        stream = mcp.Session(self.gateway, key["api_key"]).open().listen()
        fresh = self.rotate(key, grace_seconds=0)
        self.assertEqual(self.statuses(clients) | self.statuses(minted), {401})
        self.assertEqual(self.refresh(tokens).status, 401)
        ends(stream)
        self.everywhere(fresh["api_key"])
        self.assertIsNone(fresh["previous_secret_until"])

    def test_a_second_rotation_ends_the_eldest_and_revoking_ends_all(self):
        first = self.made("twice")
        token = self.login(first["api_key"]).message["access_token"]
        second = self.rotate(first)
        third = self.rotate(first)
        self.assertEqual([self.status(one["api_key"]) for one in (first, second, third)], [401, 200, 200])
        self.assertEqual(self.status(token), 401, "bought by the eldest")
        clients = self.everywhere(second["api_key"]) + self.everywhere(third["api_key"])
        self.gateway.admin("DELETE", "/admin/api-keys/" + first["id"])
        self.assertEqual(self.statuses(clients), {401})

    def test_the_default_grace_is_a_setting(self):
        until = self.rotate(self.made("default"))["previous_secret_until"]
        left = datetime.datetime.fromisoformat(until.replace("Z", "+00:00")) - datetime.datetime.now(datetime.timezone.utc)
        self.assertTrue(datetime.timedelta(hours=23, minutes=50) < left <= datetime.timedelta(hours=24), left)


if __name__ == "__main__":
    unittest.main()
