"""API keys made, shown, stored and counted, over REST and the command line (S1-11 to S1-18, S1-24, S4-13; C7, C8, C27)."""
import hashlib
import json
import os
import sqlite3
import unittest

import mcp
import processes
from gateway import SLOW, Gateway
from keys_case import FORM, PUBLISHED, Keys, checksum, rows, utc


class Making(Keys):
    def test_a_key_as_the_guide_makes_one(self):
        """S1-11, S1-14: the guide's body, a time without zone; shown once, in a form that a scanner knows offline."""
        made = self.made("guide", description="of the guide", can_create=False, can_update=False, can_delete=False,
                         expires_at="2199-12-31T23:59:59")
        self.assertRegex(made["api_key"], FORM)
        self.assertEqual(made["api_key"][-6:], checksum(made["api_key"][:-6]))
        self.assertEqual(made["expires_at"][:19], "2199-12-31T23:59:59")
        shown = self.shown(made)
        self.assertNotIn("api_key", shown)
        self.assertEqual({k: v for k, v in made.items() if k not in ("api_key", "use_count", "last_used_at")},
                         {k: v for k, v in shown.items() if k not in ("use_count", "last_used_at")})
        listed = self.gateway.admin("GET", "/admin/api-keys?name=guide")["api_keys"]
        self.assertEqual(listed, [shown])

    def test_every_way_to_show_a_key(self):
        """S1-12, S1-13: Bearer, X-API-Key, and tokens for it."""
        secret = self.made("ways")["api_key"]
        self.assertEqual(self.status(secret), 200)
        self.assertEqual(self.status(None, {"X-API-Key": secret}), 200)
        self.assertEqual(self.status(self.login(secret).message["access_token"]), 200)
        self.assertEqual(self.status(None), 401)

    def test_a_name_shows_what_it_is(self):
        """S4-4, S1-24: no key is named with characters that are not seen."""
        for name in (" ", "ci ", "ci\u200b", "\u202eic", "ci\u00a0", "c\u00adi", "ci\x7f", "..", "n" * 256):
            with self.subTest(name):
                refused = self.gateway.run("key", "create", name)
                self.assertNotEqual(refused.code, 0)
                self.assertIn("1 to 255 printable characters", refused.err)

    def test_a_key_that_never_was_is_refused_before_it_is_looked_up(self):
        """C8: the published key, in its form and dressed up; a wrong checksum; another length. One answer for all."""
        secret = self.made("real")["api_key"]
        wrong = [PUBLISHED, PUBLISHED + checksum(PUBLISHED), secret[:-1] + ("A" if secret[-1] != "A" else "B"), secret[:-6],
                 secret + "A", "mcp_" + "a" * 49]
        said = []
        for text in wrong:
            for answer in (mcp.Client(self.gateway, text).ask("GET", "/auth/me"), self.login(text)):
                self.assertEqual((answer.status, answer.message["error"]["code"]), (401, "authentication_failed"), text)
                said.append(json.dumps(self.gateway.audit(request_id=answer.headers["x-request-id"])))
        self.assertEqual([text for text in said if "identity.credential_form" not in text], [])

    def test_the_store_keeps_a_keyed_hash(self):
        """S4-13, C9: what is stored proves a key and is none; plain SHA-256 would let a stolen database be searched."""
        made = self.rotate(self.made("stored"), grace_seconds=600)
        database = sqlite3.connect("file:%s?mode=ro" % os.path.join(self.gateway.home, "sallyport.db"), uri=True)
        row = database.execute("SELECT hash, previous_hash FROM api_keys WHERE id = ?", (made["id"],)).fetchone()
        database.close()
        self.assertEqual([len(text) for text in row], [64, 64])
        self.assertNotEqual(row[0], hashlib.sha256(made["api_key"].encode()).hexdigest())
        for folder, _, names in os.walk(self.gateway.folder):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        self.assertNotIn(made["api_key"][16:].encode(), file.read(), path)

    def test_flags_are_off_unless_set(self):
        """S1-15, C7: can_delete is false by default and is granted only explicitly."""
        plain = self.gateway.admin("POST", "/admin/api-keys", {"name": "plain"})
        flags = ("can_read", "can_create", "can_update", "can_delete", "can_execute")
        self.assertEqual({plain[flag] for flag in flags}, {False})
        self.assertTrue(self.made("deleter", can_delete=True)["can_delete"])

    def test_a_time_without_zone_is_utc(self):
        """C27."""
        made = self.made("soon", expires_at=utc(2))
        self.assertEqual(self.status(made["api_key"]), 200)
        processes.wait_until(lambda: self.status(made["api_key"]) == 401, 10, "the end of the key")


class Using(Keys):
    def test_each_use_is_counted_and_survives_a_crash(self):
        """S1-24, S1-25: usage is monitored. Written behind by 5 s at most."""
        gateway = Gateway("keys-used").__enter__()
        self.addCleanup(gateway.close)
        key = gateway.admin("POST", "/api/v1/keys", {"name": "used", "can_read": True})
        shown = lambda: gateway.admin("GET", "/api/v1/keys/" + key["id"])
        self.assertEqual((shown()["use_count"], shown()["last_used_at"]), (0, None))
        client = mcp.Client(gateway, key["api_key"])
        for _ in range(5):
            client.ask("GET", "/auth/me")
        token = client.ask("POST", "/auth/api-key-login", {"api_key": key["api_key"]}).message["access_token"]
        mcp.Client(gateway, token).ask("GET", "/auth/me")
        mcp.Client(gateway, key["api_key"][:-1] + "!").ask("GET", "/auth/me")  # refused: no use
        used = shown()["use_count"]
        self.assertGreaterEqual(used, 7)
        self.assertTrue(shown()["last_used_at"])
        stored = lambda: rows(gateway, "SELECT use_count FROM api_keys WHERE id = ?", key["id"])[0][0]
        processes.wait_until(lambda: stored() == used, 30 * SLOW, "the count in the database")
        gateway.kill()
        gateway.start()
        self.assertEqual(shown()["use_count"], used)
        mcp.Client(gateway, key["api_key"]).ask("GET", "/auth/me")
        self.assertEqual(shown()["use_count"], used + 1)


class CommandLine(Keys):
    def test_the_command_line_does_what_rest_does(self):
        """key create, list, show, update, rotate, disable, enable, toggle, revoke; --json."""
        cli = lambda *words: json.loads(self.gateway.cli("key", *words, "--json"))
        key = cli("create", "shell", "--can-read", "--address", "127.0.0.0/8", "--scope", "tool:execute@calc")
        self.assertEqual((key["can_read"], key["can_delete"], key["addresses"]), (True, False, ["127.0.0.0/8"]))
        self.assertEqual(self.status(key["api_key"]), 200)
        self.assertEqual(cli("show", key["id"])["name"], "shell")
        self.assertIn("use_count", self.gateway.cli("key", "show", key["id"]))
        changed = cli("update", key["id"], "--no-can-read", "--can-execute", "--any-address", "--name", "shell 2", "--no-scopes")
        self.assertEqual([changed[name] for name in ("can_read", "can_execute", "addresses", "name", "scopes")],
                         [False, True, [], "shell 2", []])
        fresh = cli("rotate", key["id"], "--grace", "1h")
        self.assertEqual((self.status(key["api_key"]), self.status(fresh["api_key"])), (200, 200))
        self.assertIn("not shown again", self.gateway.cli("key", "rotate", key["id"], "--grace", "0"))
        self.assertEqual((self.status(key["api_key"]), self.status(fresh["api_key"])), (401, 401))
        last = cli("rotate", key["id"], "--grace", "0")
        self.gateway.cli("key", "disable", key["id"])
        self.assertEqual(self.status(last["api_key"]), 401)
        self.gateway.cli("key", "enable", key["id"])
        self.assertEqual(self.status(last["api_key"]), 200)
        self.assertFalse(cli("toggle", key["id"])["enabled"])
        self.assertIn("LAST USED", self.gateway.cli("key", "list"))
        self.gateway.cli("key", "revoke", key["id"])
        self.assertEqual(self.gateway.run("key", "show", key["id"]).code, 4)
        self.assertEqual(self.gateway.run("key", "update", last["id"]).code, 2)


if __name__ == "__main__":
    unittest.main()
