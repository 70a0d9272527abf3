"""Step-up on the vault: what reads, hands out, destroys, deletes, seals or turns a key asks people with a second factor for a recent
code, changes nothing without, and is audited (issue 6: read is a permission with step-up and audit; S2-10, S3-13)."""
import json
import unittest

import mcp
import totp
from gateway import Gateway
from vault_case import PASSWORD

SECRET = "/vault/secrets/asked-for"
OWN = "?owner=me"


class StepUp(unittest.TestCase):
    def setUp(self):
        self.gateway = Gateway("vault-step-up")
        self.addCleanup(self.gateway.kill)
        self.gateway.__enter__()

    def token(self, name):
        return mcp.Client(self.gateway).ask("POST", "/auth/login", {"username": name, "password": PASSWORD}).message["access_token"]

    def enrolled(self, name, role):
        """Seed, recovery codes and a token of somebody with a second factor; what was shown is forgotten by the restart."""
        self.gateway.user(name, PASSWORD, role)
        token = self.token(name)
        made = self.ask(token, "POST", "/auth/mfa/enroll", {}).message
        codes = self.ask(token, "POST", "/auth/mfa/confirm", {"code": totp.code(made["secret"], -1)}).message["recovery_codes"]
        return made["secret"], codes, token

    def ask(self, token, method, path, body=None):
        client = mcp.Client(self.gateway, token)
        try:
            return client.ask(method, "/api/v1" + path, body)
        finally:
            client.close()

    def restart(self):
        self.gateway.stop()
        self.gateway.start()

    def asked(self, token, *calls):
        for method, path, body in calls:
            refused = self.ask(token, method, path, body)
            self.assertEqual((refused.status, refused.message["error"]["code"]), (401, "second_factor_required"), (method, path))
            self.assertNotIn("value-of", refused.body.decode())

    def not_asked(self, token, *calls):
        for method, path, body in calls:
            self.assertLess(self.ask(token, method, path, body).status, 300, (method, path))

    def test_what_gives_away_or_takes_away_asks_for_a_recent_code(self):
        seed, codes, token = self.enrolled("judy", "admin")
        for value in ("value-of-1", "value-of-2"):
            self.not_asked(token, ("PUT", SECRET, {"value": value}))
        self.restart()
        before = self.ask(token, "GET", "/vault/keys").message
        self.asked(token, ("POST", SECRET + "/reveal", {}), ("POST", SECRET + "/one-time", {"expires_in": 60}),
                   ("POST", SECRET + "/destroy", {"version": 1}), ("DELETE", SECRET, None), ("POST", "/vault/seal", {}),
                   ("POST", "/vault/unseal", {}), ("POST", "/vault/exchange-key/rotate", {}), ("POST", "/vault/keys/rotate", {}),
                   ("POST", "/vault/hash-keys/rotate", {}), ("PUT", "/vault/keys/source", {"source": "file"}))
        self.assertEqual(self.ask(token, "GET", "/vault/keys").message, before, "nothing was turned, and it is not sealed")
        shown = self.ask(token, "GET", SECRET)  # looking without a value asks for none
        self.assertEqual([v["version"] for v in shown.message["versions"]], [1, 2])
        self.not_asked(token, ("GET", "/vault/secrets", None), ("GET", "/vault/status", None), ("PUT", SECRET, {"value": "value-of-3"}),
                       ("POST", SECRET + "/rollback", {"version": 1}))
        self.assertFalse(self.gateway.audit(action="reveal_secret", result="success"))
        self.assertEqual(self.ask(token, "POST", "/auth/step-up", {"code": "000000"}).status, 401)
        self.asked(token, ("POST", SECRET + "/reveal", {}))
        self.assertEqual(self.ask(token, "POST", "/auth/step-up", {"code": totp.code(seed)}).status, 204)
        self.assertEqual(self.ask(token, "POST", SECRET + "/reveal", {}).message["value"], "value-of-1")
        self.not_asked(token, ("POST", SECRET + "/one-time", {"expires_in": 60}), ("POST", SECRET + "/destroy", {"version": 2}),
                       ("POST", "/vault/keys/rotate", {}), ("POST", "/vault/hash-keys/rotate", {}), ("POST", "/vault/exchange-key/rotate", {}),
                       ("POST", "/vault/seal", {}), ("POST", "/vault/unseal", {}), ("DELETE", SECRET, None))
        self.assertEqual(self.ask(token, "GET", SECRET).status, 404)
        who = "user:" + json.loads(self.gateway.cli("user", "show", "judy", "--json"))["id"]
        revealed = self.gateway.audit(action="reveal_secret", result="success")
        self.assertEqual([(r["principal"], r["reason"]) for r in revealed], [(who, "secret=asked-for version=1")])
        self.assertGreaterEqual(len([r for r in self.gateway.audit(principal=who) if r.get("result", "success") != "success"]), 10, "refusals are audited")
        self.gateway.close()

    def test_a_code_counts_for_the_login_that_showed_it(self):
        """Not for another login of the same person, and not after a restart."""
        seed, codes, token = self.enrolled("judy", "admin")
        self.not_asked(token, ("PUT", SECRET, {"value": "value-of-1"}))
        self.restart()
        half = mcp.Client(self.gateway).ask("POST", "/auth/login", {"username": "judy", "password": PASSWORD}).message
        whole = mcp.Client(self.gateway).ask("POST", "/auth/mfa/verify", {"mfa_token": half["error"]["details"]["mfa_token"], "code": codes[0]})
        other = whole.message["access_token"]
        self.not_asked(other, ("POST", SECRET + "/reveal", {}))  # the login itself showed a code
        self.asked(token, ("POST", SECRET + "/reveal", {}))
        self.restart()
        self.asked(other, ("POST", SECRET + "/reveal", {}))
        self.gateway.close()

    def test_of_ones_own_too_and_not_of_who_has_no_second_factor(self):
        """A person's own secret; an admin without one, and the machine's administrator, are asked for nothing."""
        seed, _, token = self.enrolled("ann", "user")
        self.not_asked(token, ("PUT", SECRET + OWN, {"value": "value-of-ann"}))
        self.gateway.user("boss", PASSWORD, "admin")
        boss = self.token("boss")
        self.not_asked(boss, ("PUT", SECRET, {"value": "value-of-all"}))
        self.restart()
        self.asked(token, ("POST", SECRET + "/reveal" + OWN, {}), ("POST", SECRET + "/one-time" + OWN, {"expires_in": 60}),
                   ("DELETE", SECRET + OWN, None))
        self.not_asked(boss, ("POST", SECRET + "/reveal", {}))
        self.assertEqual(self.gateway.cli("vault", "get", "asked-for").strip(), "value-of-all")
        self.assertEqual(self.ask(token, "POST", "/auth/step-up", {"code": totp.code(seed)}).status, 204)
        self.assertEqual(self.ask(token, "POST", SECRET + "/reveal" + OWN, {}).message["value"], "value-of-ann")
        self.not_asked(token, ("DELETE", SECRET + OWN, None))
        self.gateway.close()


if __name__ == "__main__":
    unittest.main()
