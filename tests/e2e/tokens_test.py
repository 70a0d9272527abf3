"""Access tokens as JWT against a running gateway (S0-3, S1-9, S2-1, S2-59, S4-14): signing keys, rotation, the published
key set, and forgeries that need a key pair of one's own."""
import base64
import glob
import hashlib
import json
import os
import random
import sqlite3
import subprocess
import threading
import unittest

import mcp
from gateway import Gateway

PASSWORD = "Correct-Horse-7-Battery"
JWKS = "/.well-known/jwks.json"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def read(token):
    head, claims, _ = token.split(".")
    return json.loads(unb64(head)), json.loads(unb64(claims))


def thumbprint(jwk):
    """RFC 7638, by the letter of the RFC and without the gateway's help."""
    members = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}[jwk["kty"]]
    text = json.dumps({name: jwk[name] for name in members}, separators=(",", ":"), sort_keys=True)
    return b64(hashlib.sha256(text.encode()).digest())


def openssl(*args, data=b""):
    return subprocess.run(["openssl", *args], input=data, capture_output=True, check=True).stdout


def spki_of_ed25519(jwk):
    return bytes.fromhex("302a300506032b6570032100") + unb64(jwk["x"])


class TokenCase(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(cls.__name__.lower(), cls.settings).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.user("ada", PASSWORD)

    def login(self):
        answer = mcp.Client(self.gateway).ask("POST", "/api/auth/login", {"username": "ada", "password": PASSWORD})
        self.assertEqual(answer.status, 200, answer)
        return answer.message["access_token"]

    def status(self, token):
        return mcp.Client(self.gateway, token).ask("GET", "/api/v1/auth/me").status

    def keys(self):
        answer = mcp.get(self.gateway, JWKS)
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "application/jwk-set+json"))
        return json.loads(answer.body)["keys"]

    def listed(self):
        return json.loads(self.gateway.cli("token", "keys", "--json"))["data"]


class DefaultTokens(TokenCase):
    def test_claims_and_header(self):
        """S0-3, S4-14, C21: HS256, 30 minutes, both subject claims."""
        head, claims = read(self.login())
        self.assertEqual(head["alg"], "HS256")
        self.assertEqual(claims["sub"], "user:" + claims["user_id"])
        self.assertTrue({"roles", "jti", "iat", "nbf", "exp", "iss", "aud", "token_type"} <= claims.keys())
        self.assertLessEqual(claims["exp"] - claims["iat"], 1800)

    def test_a_symmetric_key_is_never_published(self):
        """S2-59."""
        self.login()
        self.assertEqual(self.keys(), [])

    def test_rotation_keeps_old_tokens_and_signs_new_ones_by_the_new_key(self):
        """S0-4."""
        old = self.login()
        said = self.gateway.cli("token", "rotate")
        new = self.login()
        self.assertNotEqual(read(old)[0]["kid"], read(new)[0]["kid"])
        self.assertIn(read(new)[0]["kid"], said)
        self.assertEqual([self.status(old), self.status(new)], [200, 200])
        rows = {row["id"]: row for row in self.listed()}
        self.assertEqual(rows[read(new)[0]["kid"]]["status"], "active")
        self.assertEqual(rows[read(old)[0]["kid"]]["status"], "retiring")
        self.assertIsNotNone(rows[read(old)[0]["kid"]]["verifies_until"])

    def test_a_rotation_by_age_is_in_the_audit(self):
        """S0-4, S2-41: nobody asked for it, so the gateway itself is who did it."""
        self.login()
        self.gateway.stop()
        before = len(self.gateway.audit(action="rotate_token_keys", principal="system"))
        database = sqlite3.connect(os.path.join(self.gateway.home, "sallyport.db"))
        with database:
            database.execute("UPDATE token_keys SET created_at = created_at - ? WHERE retired_at IS NULL", (91 * 86400 * 10**6,))
        database.close()
        self.gateway.start()
        records = self.gateway.audit(action="rotate_token_keys", principal="system")
        self.assertEqual(len(records), before + 1, records)
        last = max(records, key=lambda record: record["timestamp_epoch"])
        self.assertEqual((last["result"], last["event_type"]), ("success", "system"))
        self.assertEqual(last["reason"], "token-key:" + read(self.login())[0]["kid"])

    def test_inspect_reads_stdin_and_says_why(self):
        token = self.login()
        good = json.loads(self.gateway.cli("token", "inspect", "--json", stdin=token + "\n"))
        self.assertTrue(good["accepted"], good)
        self.assertEqual(good["claims"]["token_type"], "access")
        bad = json.loads(self.gateway.cli("token", "inspect", "--json", stdin=token[:-4] + "AAAA"))
        self.assertEqual((bad["accepted"], bad["reason"]), (False, "token.signature"))
        self.assertEqual(self.gateway.run("token", "inspect", stdin="").code, 2)

    def test_what_was_inspected_is_written_nowhere_and_prints_no_escapes(self):
        """Done-when 7: a token that is shown to the gateway for a look is still a secret."""
        token = self.login()
        self.assertTrue(json.loads(self.gateway.cli("token", "inspect", "--json", stdin=token))["accepted"])
        evil = ".".join(b64(json.dumps(part).encode()) for part in ({"alg": "none"}, {"sub": "\x1b[2J\u202e"})) + ".AAAA"
        said = self.gateway.cli("token", "inspect", stdin=evil)
        self.assertNotIn("\x1b", said)
        self.assertIn("none", said)
        for folder, _, files in os.walk(self.gateway.folder):
            for path in (os.path.join(folder, name) for name in files):
                if os.path.isfile(path):  # no socket
                    with open(path, "rb") as file:
                        self.assertNotIn(token.rsplit(".", 1)[1].encode(), file.read(), path)

    def test_only_an_admin_may_see_or_turn_the_keys(self):
        client = mcp.Client(self.gateway, self.login())
        for method, path in (("GET", "/api/v1/token-keys"), ("POST", "/api/v1/token-keys/rotate"),
                             ("POST", "/api/v1/tokens/inspect")):
            self.assertEqual(client.ask(method, path, {} if method == "POST" else None).status, 403, path)
            self.assertEqual(mcp.Client(self.gateway).ask(method, path, {} if method == "POST" else None).status, 401, path)


class RevokedKeys(TokenCase):
    settings = {"listen.workers": 4, "rate.admin.requests": 100_000, "rate.public.requests": 100_000}

    def test_revoking_the_old_key_ends_its_tokens_on_every_worker(self):
        """S2-1: in force when the command returns; each connection may be another worker's."""
        self.gateway.add_calculator()
        token = self.login()
        clients = [mcp.Client(self.gateway, token) for _ in range(16)]
        self.assertEqual({c.ask("GET", "/api/v1/auth/me").status for c in clients}, {200})
        session = mcp.Session(self.gateway, token).open()
        stream = session.listen()
        self.assertEqual(stream.status, 200)
        self.gateway.cli("token", "rotate", "--revoke-old")
        self.assertEqual({c.ask("GET", "/api/v1/auth/me").status for c in clients}, {401})
        stream.held.sock.settimeout(20)
        while stream.readline():  # ends, or the time-out fails the test
            pass
        fresh = self.login()
        self.assertEqual({mcp.Client(self.gateway, fresh).ask("GET", "/api/v1/auth/me").status for _ in range(16)}, {200})

    def test_a_rotated_key_signs_tokens_that_every_worker_knows(self):
        for _ in range(5):
            self.gateway.cli("token", "rotate")
            token = self.login()
            self.assertEqual({self.status(token) for _ in range(12)}, {200})


    def test_tokens_given_while_keys_turn_are_good_on_every_worker(self):
        """A key is known to all workers before the first token under it goes out."""
        first = mcp.Client(self.gateway).ask("POST", "/api/auth/login", {"username": "ada", "password": PASSWORD}).message
        wrong, done, refreshed = [], threading.Event(), []

        def refresh():
            token = first["refresh_token"]
            while not done.is_set() or not refreshed:
                answer = mcp.Client(self.gateway).ask("POST", "/api/auth/refresh", {"refresh_token": token})
                if answer.status != 200:
                    wrong.append(answer)
                    return
                token = answer.message["refresh_token"]
                refreshed.append(read(answer.message["access_token"])[0]["kid"])
                wrong.extend(s for s in (self.status(answer.message["access_token"]) for _ in range(6)) if s != 200)

        thread = threading.Thread(target=refresh)
        thread.start()
        admin = mcp.Client(self.gateway, self.gateway.key("turner", extra=("--role", "admin")).secret)
        turned = []
        while not wrong and thread.is_alive() and len(set(refreshed)) < 8 and len(turned) < 1000:
            turned.append(admin.ask("POST", "/api/v1/token-keys/rotate").status)
        done.set()
        thread.join(60)
        self.assertEqual(wrong, [])
        self.assertEqual(set(turned), {200})
        self.assertGreaterEqual(len(set(refreshed)), 8)


class PublishedKeys(TokenCase):
    settings = {"auth.algorithm": "EdDSA"}

    def test_the_key_set_verifies_a_token_with_another_implementation(self):
        """S2-59; RFC 7517, 7638, 8037: checked by the openssl command."""
        token = self.login()
        head, _ = read(token)
        found = [key for key in self.keys() if key["kid"] == head["kid"]]
        self.assertEqual(len(found), 1)
        self.assertEqual(set(found[0]), {"kty", "crv", "x", "use", "alg", "kid"})  # no private member
        self.assertEqual(found[0]["kid"], thumbprint(found[0]))
        folder = self.gateway.folder
        signed, signature = token.rsplit(".", 1)
        for name, data in (("key.der", spki_of_ed25519(found[0])), ("text", signed.encode()), ("sig", unb64(signature))):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        said = openssl("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", folder + "/key.der", "-rawin", "-in",
                       folder + "/text", "-sigfile", folder + "/sig")
        self.assertIn(b"Verified Successfully", said)

    def test_hs256_under_the_public_key(self):
        """Algorithm confusion, in each form of the public key that an attacker may try."""
        import hmac
        head, claims = read(self.login())
        jwk = self.keys()[0]
        der = spki_of_ed25519(jwk)
        pem = openssl("pkey", "-pubin", "-inform", "DER", data=der)
        for secret in (unb64(jwk["x"]), jwk["x"].encode(), der, pem, pem.strip(), json.dumps(jwk).encode()):
            for forged in ({**head, "alg": "HS256"}, {"alg": "HS256", "typ": "at+jwt"}):
                text = b64(json.dumps(forged, separators=(",", ":")).encode()) + "." + b64(json.dumps(claims).encode())
                self.assertEqual(self.status(text + "." + b64(hmac.new(secret, text.encode(), "sha256").digest())), 401)

    def test_a_key_pair_of_the_attacker_embedded_or_referenced(self):
        folder = self.gateway.folder
        openssl("genpkey", "-algorithm", "ed25519", "-out", folder + "/evil.pem")
        der = openssl("pkey", "-in", folder + "/evil.pem", "-pubout", "-outform", "DER")
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(der[-32:])}
        head, claims = read(self.login())
        heads = [{**head}, {**head, "jwk": jwk}, {**head, "kid": thumbprint(jwk), "jwk": jwk},
                 {**head, "jku": "http://127.0.0.1:1/jwks.json"}, {**head, "x5u": "http://127.0.0.1:1/c.pem"},
                 {**head, "x5c": [base64.b64encode(der).decode()]}, {**head, "kid": "../../../../dev/null"},
                 {**head, "kid": "x' OR '1'='1"}, {**head, "crit": ["exp"]}, {"alg": "EdDSA", "jwk": jwk}]
        for forged in heads:
            text = b64(json.dumps(forged, separators=(",", ":")).encode()) + "." + b64(json.dumps(claims).encode())
            with open(folder + "/evil.txt", "w") as file:
                file.write(text)
            signature = openssl("pkeyutl", "-sign", "-inkey", folder + "/evil.pem", "-rawin", "-in", folder + "/evil.txt")
            self.assertEqual(self.status(text + "." + b64(signature)), 401, forged)

    def test_random_mutations_are_never_accepted(self):
        """Done-when 3 of the identity issue, through the whole door; 10,000 under each algorithm in key_ring_test.cc."""
        token = self.login()
        dice = random.Random(20261121)
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/"
        client = mcp.Client(self.gateway)
        self.assertEqual(self.status(token), 200)
        for _ in range(2_500):
            mutant = list(token)
            for _ in range(dice.randint(1, 3)):
                at = dice.randrange(len(mutant))
                kind = dice.randrange(4)
                if kind == 0:
                    mutant[at] = dice.choice(alphabet)
                elif kind == 1:
                    del mutant[at:at + dice.randint(1, 4)]
                elif kind == 2:
                    mutant.insert(at, dice.choice(alphabet))
                else:
                    other = dice.randrange(len(mutant))
                    mutant[at], mutant[other] = mutant[other], mutant[at]
            text = "".join(mutant)
            if text == token:
                continue
            client.secret = text
            self.assertEqual(client.ask("GET", "/api/v1/auth/me").status, 401, text)
        self.assertEqual(self.status(token), 200)

    def test_a_logged_out_token_is_not_replayed(self):
        token = self.login()
        self.assertEqual(mcp.Client(self.gateway, token).ask("POST", "/api/v1/auth/logout").status, 204)
        self.assertEqual(self.status(token), 401)

    def test_a_restart_keeps_the_keys_and_their_private_half_is_sealed(self):
        token = self.login()
        before = self.keys()
        self.gateway.stop()
        written = b"".join(open(path, "rb").read() for path in glob.glob(self.gateway.home + "/sallyport.db*"))
        self.assertIn(before[0]["kid"].encode(), written)
        self.assertNotIn(bytes.fromhex("302e020100300506032b657004220420"), written)  # head of an Ed25519 PKCS #8
        self.gateway.start()
        self.assertEqual(self.keys(), before)
        self.assertEqual(self.status(token), 200)


class OperatorsSecret(TokenCase):
    def test_the_key_of_the_operator_is_not_rotated(self):
        """S0-3, C3."""
        with open(os.path.join(self.gateway.home, "jwt.secret"), "w") as file:
            file.write(b64(os.urandom(48)))
        os.chmod(file.name, 0o600)
        self.gateway.stop()
        self.gateway.settings["auth.secret_key"] = "${file:jwt.secret}"
        self.gateway.choose_port()
        self.gateway.start()
        token = self.login()
        self.assertEqual(read(token)[0], {"alg": "HS256", "typ": "at+jwt"})
        self.assertEqual(self.status(token), 200)
        ran = self.gateway.run("token", "rotate")
        self.assertEqual(ran.code, 1)
        self.assertIn("auth.secret_key", ran.err)
        self.assertEqual(self.listed()[0]["source"], "auth.secret_key")


class Es256(TokenCase):
    settings = {"auth.algorithm": "ES256"}

    def test_another_spelling_of_a_signature_is_no_other_token(self):
        """Whoever has (r, s) has (r, n - s) too (ECDSA): a token is named by its jti, so what ends one ends both."""
        order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
        token = self.login()
        text, signature = token.rsplit(".", 1)
        raw = unb64(signature)
        twin = text + "." + b64(raw[:32] + (order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big"))
        self.assertEqual([self.status(token), self.status(twin)], [200, 200])
        self.gateway.cli("token", "revoke", read(token)[1]["jti"])
        self.assertEqual([self.status(token), self.status(twin)], [401, 401])

    def test_changing_the_algorithm_keeps_the_tokens_of_the_former_one(self):
        old = self.login()
        self.assertEqual(read(old)[0]["alg"], "ES256")
        self.gateway.stop()
        self.gateway.settings["auth.algorithm"] = "RS256"
        self.gateway.choose_port()
        self.gateway.start()
        new = self.login()
        self.assertEqual(read(new)[0]["alg"], "RS256")
        self.assertEqual([self.status(old), self.status(new)], [200, 200])
        keys = self.keys()
        self.assertEqual({key["alg"] for key in keys}, {"ES256", "RS256"})
        for key in keys:
            self.assertEqual(key["kid"], thumbprint(key))


if __name__ == "__main__":
    unittest.main()
