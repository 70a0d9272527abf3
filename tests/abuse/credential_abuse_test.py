"""Credentials that are none: forged, expired, of another key, without a signature, in the wrong place (RFC 8725; S1, S2)."""
import base64
import hashlib
import hmac
import json
import time
import unittest

import mcp
from abuse_case import AbuseCase

PASSWORD = "Correct-Horse-7-Battery"
PUBLISHED_KEY = "mcp_-tn1XqqtdGub5NAzzn_qSoLrvJv9gmMwB0y-kfLDsak"  # the one that the guide printed (C8)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parts(token):
    def decode(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    head, claims, signature = token.split(".")
    return json.loads(decode(head)), json.loads(decode(claims)), signature


def sign(head, claims, key, digest=hashlib.sha256):
    text = b64(json.dumps(head).encode()) + "." + b64(json.dumps(claims).encode())
    return text + "." + b64(hmac.new(key, text.encode(), digest).digest())


class Credentials(AbuseCase):
    name = "credentials"

    @classmethod
    def prepare(cls):
        cls.gateway.user("ada", PASSWORD)
        answer = mcp.Client(cls.gateway).ask("POST", "/api/auth/login", {"username": "ada", "password": PASSWORD})
        cls.token = answer.message["access_token"]

    def refused(self, secret, headers=None):
        client = mcp.Client(self.gateway, secret)
        answer, fresh = self.records_of(lambda: client.ask("GET", "/api/v1/tools", headers=headers))
        self.assertEqual(answer.status, 401, (secret, answer))
        self.assertIn("www-authenticate", answer.headers)
        record = self.assert_refusal_recorded(fresh, answer)
        self.assertEqual(record["stage"], "identity", record)
        self.assertNotIn("principal", record)
        if secret and len(secret) > 20:
            self.assertNotIn(secret, json.dumps(record))
        return answer

    def test_the_real_token_works(self):
        self.assertEqual(mcp.Client(self.gateway, self.token).ask("GET", "/api/v1/tools").status, 200)

    def test_no_credential(self):
        self.refused(None)

    def test_alg_none(self):
        head, claims, _ = parts(self.token)
        for alg in ("none", "None", "NONE", "nOnE", ""):
            forged = b64(json.dumps({**head, "alg": alg}).encode()) + "." + b64(json.dumps(claims).encode()) + "."
            self.refused(forged)
            self.refused(forged + self.token.split(".")[2])

    def test_other_algorithms(self):
        head, claims, signature = parts(self.token)
        for alg in ("HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA"):
            self.refused(b64(json.dumps({**head, "alg": alg}).encode()) + "." + b64(json.dumps(claims).encode()) + "." + signature)

    def test_wrong_keys(self):
        head, claims, _ = parts(self.token)
        for key in (b"", b"secret", b"your-secret-key", b"\0" * 32, b"sallyport", hashlib.sha256(b"x").digest()):
            self.refused(sign(head, claims, key))

    def test_changed_claims_under_the_old_signature(self):
        head, claims, signature = parts(self.token)
        for change in ({"sub": "admin"}, {"roles": ["admin"]}, {"exp": 4102444800}, {"iss": "other"}):
            self.refused(b64(json.dumps(head).encode()) + "." + b64(json.dumps({**claims, **change}).encode()) + "." + signature)

    def test_every_flipped_character(self):
        whole = self.token
        step = max(1, len(whole) // 60)
        for at in range(0, len(whole), step):
            if whole[at] == ".":
                continue
            other = "A" if whole[at] != "A" else "B"
            forged = whole[:at] + other + whole[at + 1:]
            if at == len(whole) - 1:
                continue  # the last character's low bits are padding: covered by the next test
            self.assertEqual(mcp.Client(self.gateway, forged).ask("GET", "/api/v1/tools").status, 401, at)

    def test_non_canonical_signature_encoding(self):
        """The same bytes written otherwise are another token."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        at = alphabet.index(self.token[-1])
        for twin in {alphabet[(at & ~3) | low] for low in range(4)} - {self.token[-1]}:
            self.refused(self.token[:-1] + twin)
        self.refused(self.token + "=")

    def test_shapes_that_are_no_token(self):
        for text in ("x", ".", "..", "...", "a.b.c", "a.b.c.d.e", self.token + ".", "." + self.token, self.token.replace(".", "..", 1),
                     self.token[:-5], "e30.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.", "A" * 9000):
            self.refused(text)

    def test_keys_that_are_none_of_ours(self):
        own = self.key.secret
        for text in ("mcp_", "mcp_" + "A" * 43, own[:-1], own + "A", own.upper(), own.replace("mcp_", "MCP_"), own[4:], "sk-" + own,
                     PUBLISHED_KEY, own[:10] + "*", own[:-1] + ("A" if own[-1] != "A" else "B")):
            self.refused(text)

    def test_a_credential_in_the_query_is_not_taken(self):
        """S1 logged raw query strings: tokens leak."""
        for query in ("api_key=" + self.key.secret, "access_token=" + self.token, "token=" + self.token):
            answer = mcp.Client(self.gateway).ask("GET", "/api/v1/tools?" + query)
            self.assertEqual(answer.status, 401, query[:12])
        for path in ("audit",):
            import glob
            import os
            for name in glob.glob(os.path.join(self.gateway.home, path, "*")):
                with open(name, "rb") as file:
                    data = file.read()
                self.assertNotIn(self.key.secret.encode(), data)
                self.assertNotIn(self.token.encode(), data)

    def test_other_schemes_and_doubled_headers(self):
        for value in ("Basic " + base64.b64encode(b"admin:admin").decode(), "Bearer", "Bearer ", "bearer  " + self.key.secret,
                      "Token " + self.key.secret, self.key.secret, "Bearer " + self.key.secret + ", Bearer x", "Bearer\t" + self.key.secret):
            answer = mcp.Client(self.gateway).ask("GET", "/api/v1/tools", headers={"Authorization": value})
            self.assertEqual(answer.status, 401, value[:20])

    def test_two_credentials_that_disagree(self):
        answer = mcp.Client(self.gateway, self.key.secret).ask("GET", "/api/v1/tools", headers={"X-API-Key": "mcp_" + "A" * 43})
        self.assertIn(answer.status, (400, 401), answer)

    def test_an_expired_token(self):
        from gateway import Gateway  # noqa: F401  (minutes are the smallest life: a stale one is made from an old clock below)
        head, claims, _ = parts(self.token)
        self.assertGreater(claims["exp"], time.time())
        self.assertLessEqual(claims["exp"] - claims["iat"], 1800)  # C2
        stale = {**claims, "iat": int(time.time()) - 7200, "exp": int(time.time()) - 3600}
        answer = self.refused(sign(head, stale, b"whatever"))
        self.assertNotIn("expired", json.dumps(answer.message).lower())  # a forged one is told nothing of its claims

    def test_guessed_passwords_and_default_accounts(self):
        """S1-7, C8: admin/admin does not exist; S2-39: the account locks."""
        first = mcp.Client(self.gateway).ask("POST", "/auth/login", {"username": "admin", "password": "admin"})
        self.assertEqual(first.status, 401, first)
        unknown = mcp.Client(self.gateway).ask("POST", "/auth/login", {"username": "nobody-here", "password": "x" * 20})
        self.assertEqual((unknown.status, unknown.message["error"]["message"]), (401, first.message["error"]["message"]))
        self.gateway.user("victim", PASSWORD)
        statuses = [mcp.Client(self.gateway).ask("POST", "/auth/login", {"username": "victim", "password": "Wrong-Pass-%d-x" % n}).status
                    for n in range(12)]
        self.assertEqual(statuses[0], 401)
        self.assertIn(429, statuses)  # locked for a while, whoever guesses


if __name__ == "__main__":
    unittest.main()
