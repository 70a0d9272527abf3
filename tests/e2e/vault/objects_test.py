"""The vault over REST: who may what (S4-4 BOLA), versions, expiry, one-time tokens, the seal; what the audit says (S2-10, S3-13)."""
import datetime
import json
import os
import sqlite3
import unittest

import mcp
import processes
import vault_case
from gateway import SLOW
from vault_case import Vault


def setUpModule():
    vault_case.start("vault-objects")


class Objects(Vault):
    def test_a_secret_lives_and_every_step_is_audited_without_its_value(self):
        """S2-10, S3-13, S2-40"""
        first, second = "first-value-91c4e0aa", "second-value-5d0be7f1"
        made = self.put("team/mail", first, labels=["env=prod"], description="the mailer's")
        self.assertEqual((made["version"], made["labels"], made["owner"]), (1, ["env=prod"], ""))
        self.assertEqual(self.put("team/mail", second)["version"], 2)
        self.assertEqual(self.value("team/mail").message["value"], second)
        self.assertEqual(self.value("team/mail", version=1).message["value"], first)
        self.assertEqual(self.value("team/mail").headers["cache-control"], "no-store")
        shown = self.ask("boss", "GET", self.path_of("team/mail"))
        self.assertEqual([v["version"] for v in shown.message["versions"]], [1, 2])
        self.assertEqual(self.ask("boss", "POST", self.path_of("team/mail", action="/rollback"), {"version": 1}).message["version"], 1)
        self.assertEqual(self.value("team/mail").message["value"], first)
        self.assertEqual(self.ask("boss", "POST", self.path_of("team/mail", action="/destroy"), {"version": 1}).status, 409)
        self.assertEqual(self.ask("boss", "POST", self.path_of("team/mail", action="/destroy"), {"version": 2}).status, 200)
        self.assertEqual(self.value("team/mail", version=2).status, 410)
        listed = self.ask("boss", "GET", "/secrets")
        self.assertIn("team/mail", [one["name"] for one in listed.message["data"]])
        for answer in (shown, listed):
            self.assertNotIn(first.encode(), answer.body)
        self.assertEqual(self.ask("boss", "DELETE", self.path_of("team/mail")).status, 204)
        self.assertEqual(self.value("team/mail").status, 404)
        reveals = [r["reason"] for r in self.gateway.audit(action="reveal_secret", result="success")]
        self.assertEqual({r for r in reveals if "team/mail" in r}, {"secret=team/mail version=2", "secret=team/mail version=1"})
        self.assertTrue(self.gateway.audit(action="DELETE /vault/secrets/{name}", reason="secret=team/mail"))
        self.assertNotIn(first, json.dumps(self.gateway.audit()))

    def test_what_is_not_yours_is_answered_as_what_is_not_there(self):
        """S4-4, S1-2"""
        self.put("gateway-one", "x1")
        self.put("own-one", "of ada", who="ada", own=True)
        for who in ("ada", "bob", "eve"):
            for method, path, body in (("GET", "", None), ("PUT", "", {"value": "y"}), ("DELETE", "", None), ("POST", "/reveal", {}),
                                       ("POST", "/one-time", {}), ("POST", "/rollback", {"version": 1}),
                                       ("POST", "/destroy", {"version": 1})):
                told = [self.ask(who, method, self.path_of(name, action=path), body) for name in ("gateway-one", "no-such")]
                self.assertEqual([answer.status for answer in told], [403, 403], (who, method, path))
        for who in ("bob", "boss"):
            for method, path, body in (("GET", "", None), ("DELETE", "", None), ("POST", "/reveal", {}), ("POST", "/rollback", {"version": 1})):
                self.assertEqual(self.ask(who, method, self.path_of("own-one", True, path), body).status, 404, (who, method, path))
        ada = json.loads(self.gateway.cli("user", "show", "ada", "--json"))["id"]
        for owner in ("user:ada", "user:" + ada):
            self.assertEqual(self.ask("boss", "GET", "/secrets/own-one?owner=" + owner).status, 200)
            self.assertEqual(self.ask("boss", "POST", "/secrets/own-one/reveal?owner=" + owner, {}).status, 403, "a person's own")
            self.assertEqual(self.ask("bob", "GET", "/secrets/own-one?owner=" + owner).status, 403)
        self.assertEqual(self.value("own-one", "ada", True).message["value"], "of ada")
        self.assertEqual(self.value("gateway-one").message["value"], "x1")
        self.assertEqual(self.ask("anonymous", "GET", "/secrets").status, 401)

    def test_a_persons_key_reads_none_of_their_own(self):
        """An agent's key is in the hands of what it reads; its rights are those of its person here, and their own is not for it."""
        self.put("own-two", "of boss", own=True)
        self.put("gateway-two", "of all")
        made = mcp.Client(self.gateway, self.tokens["boss"]).ask("POST", "/api/v1/keys", {"name": "boss-agent", "roles": ["admin"]})
        self.assertEqual((made.status, "user:" + made.message["owner"]), (201, self.id_of("boss")), made)
        agent = made.message["api_key"]
        self.assertEqual(self.value("gateway-two", agent).message["value"], "of all")
        mine = self.path_of("own-two", True)
        by_name = self.path_of("own-two") + "{}?owner=" + self.id_of("boss")
        for method, path, body in (("GET", mine, None), ("PUT", mine, {"value": "x"}), ("DELETE", mine, None),
                                   ("POST", self.path_of("own-two", True, "/reveal"), {}), ("POST", by_name.format("/reveal"), {})):
            self.assertEqual(self.ask(agent, method, path, body).status, 403, (method, path))
        self.assertEqual(self.value("own-two", own=True).message["value"], "of boss")

    def test_limits_and_names(self):
        for name in ("UPPER", "a b", "a//b", "../x", "principal/x", "x" * 129):
            self.assertEqual(self.ask("boss", "PUT", self.path_of(name), {"value": "1"}).status, 400, name)
        self.assertEqual(self.ask("boss", "PUT", self.path_of("big"), {"value": "x" * (64 * 1024 + 1)}).status, 400)
        self.assertEqual(self.ask("boss", "PUT", self.path_of("none"), {"description": "no value"}).status, 404)
        self.assertEqual(self.ask("boss", "PUT", self.path_of("two"), {"value": "1", "generate": 32}).status, 400)
        self.put("bytes", None, value_base64url="AP-A")
        self.assertEqual(self.value("bytes").message["value_base64url"], "AP-A")
        made = self.ask("boss", "PUT", self.path_of("made"), {"generate": 32})
        self.assertEqual(made.status, 200)
        self.assertEqual(len(self.value("made").message["value"]), 43)

    def test_a_one_time_token_shows_once(self):
        self.put("once", "look once 3c1b")
        offered = self.ask("boss", "POST", self.path_of("once", action="/one-time"), {"expires_in": 60})
        self.assertEqual(offered.status, 201)
        token = offered.message["token"]
        self.assertEqual(self.ask("eve", "POST", "/one-time", {"token": token + "x"}).status, 404)
        self.assertEqual(self.ask("eve", "POST", "/one-time", {"token": token}).message["value"], "look once 3c1b")
        self.assertEqual(self.ask("eve", "POST", "/one-time", {"token": token}).status, 404)
        self.assertEqual(self.ask("eve", "POST", self.path_of("once", action="/one-time"), {}).status, 403)
        record = self.gateway.audit(action="reveal_secret", reason="secret=once version=1 offered_by=" + self.id_of("boss"))
        self.assertEqual(record[0]["principal"], self.id_of("eve"))
        self.assertNotIn(token, json.dumps(self.gateway.audit()))

    def id_of(self, who):
        return "user:" + json.loads(self.gateway.cli("user", "show", who, "--json"))["id"]

    def test_an_expired_one_says_so(self):
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
        self.put("brief", "soon over", expires_at=until.strftime("%Y-%m-%dT%H:%M:%SZ"))
        processes.wait_until(lambda: self.ask("boss", "GET", self.path_of("brief")).message["expired"], 10 * SLOW, "its end")
        again = self.ask("boss", "PUT", self.path_of("brief"), {"expires_at": None})
        self.assertEqual((again.status, again.message["expired"]), (200, False))

    def test_sealed_it_gives_nothing_until_it_is_unsealed(self):
        """S2-10: over a restart too."""
        self.put("shut", "behind the seal")
        self.assertEqual(self.ask("ada", "POST", "/seal", {}).status, 403)
        self.addCleanup(lambda: self.gateway.cli("vault", "unseal"))
        self.assertTrue(self.ask("boss", "POST", "/seal", {}).message["sealed"])
        refused = self.value("shut")
        self.assertEqual((refused.status, refused.message["error"]["message"]),
                         (409, "the vault is sealed; fix: sallyport vault unseal"))
        self.assertEqual(self.ask("boss", "PUT", self.path_of("shut"), {"value": "x"}).status, 409)
        self.assertIn("shut", [one["name"] for one in self.ask("boss", "GET", "/secrets?limit=1000").message["data"]])
        self.gateway.stop()
        self.gateway.start()
        self.assertTrue(self.ask("boss", "GET", "/status").message["sealed"])
        self.assertFalse(json.loads(self.gateway.cli("vault", "unseal", "--json"))["sealed"])
        self.assertEqual(self.value("shut").message["value"], "behind the seal")
        self.assertTrue(self.gateway.audit(action="seal_vault", result="success"))
        self.assertTrue(self.gateway.audit(action="unseal_vault", result="success"))

    def test_a_locked_database_does_not_hold_up_an_emergency(self):
        """S2-10: sealed in memory at once, and the answer says that a restart would not find it so."""
        self.put("locked", "behind the seal")
        self.addCleanup(lambda: self.gateway.cli("vault", "unseal"))
        other = sqlite3.connect(os.path.join(self.gateway.home, "sallyport.db"), isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        ran = self.gateway.run("vault", "seal")
        self.assertNotEqual(ran.code, 0)
        self.assertIn("sealed in memory until the next start; not durable", ran.err)
        other.execute("ROLLBACK")
        self.assertTrue(self.ask("boss", "GET", "/status").message["sealed"])
        self.assertEqual(self.value("locked").status, 409)
        told = self.gateway.audit(action="seal_vault")[-1]
        self.assertEqual(told["result"], "error", told)
        self.assertIn("not durable", told["reason"])
        self.assertTrue(self.ask("boss", "POST", "/seal", {}).message["sealed"])

    def test_the_command_line(self):
        """Values through stdin, files and stdout alone."""
        gateway = self.gateway
        self.assertEqual(json.loads(gateway.cli("vault", "put", "cli/one", "--json", stdin="from stdin\n"))["version"], 1)
        self.assertEqual(gateway.cli("vault", "get", "cli/one"), "from stdin\n")
        gateway.cli("vault", "put", "cli/one", "--generate")
        self.assertEqual(len(gateway.cli("vault", "get", "cli/one").strip()), 43)
        self.assertEqual(gateway.cli("vault", "get", "cli/one", "--version", "1"), "from stdin\n")
        gateway.cli("vault", "rollback", "cli/one", "--version", "1")
        self.assertEqual(gateway.cli("vault", "get", "cli/one"), "from stdin\n")
        self.assertIn("cli/one", gateway.cli("vault", "list"))
        token = json.loads(gateway.cli("vault", "offer", "cli/one", "--json"))["token"]
        self.assertEqual(gateway.cli("vault", "reveal", stdin=token), "from stdin\n")
        gateway.cli("vault", "delete", "cli/one")
        self.assertEqual(gateway.run("vault", "get", "cli/one").code, 4)
        self.assertEqual(gateway.run("vault", "put", "cli/two", "a value").code, 2, "no argument takes a value")


if __name__ == "__main__":
    unittest.main()
