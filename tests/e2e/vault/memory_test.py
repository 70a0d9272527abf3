"""The memory of a running gateway, as a core would hold it, is searched for every secret of a run (done when 3 of issue 6; S2-40, S3-13,
S0-28). That no core is written: cores_test.py."""
import base64
import hashlib
import hmac
import json
import os
import shutil
import unittest

import mcp
import memory
import processes
import scratch
import totp
from gateway import SLOW, Gateway

PASSWORD = "Violet-Tractor-7-Moss-Q"
NEXT = "Amber-Kettle-9-Ferry-Zz"
VAULT_PASSWORD = "correct horse battery staple 7"
# As src/wiping_delete.cc does it in a build without a sanitizer; and no stack frames that outlive their call.
WIPES = {"ASAN_OPTIONS": "detect_leaks=1:exitcode=97:strict_string_checks=1:max_free_fill_size=1073741824:free_fill_byte=0:"
                         "detect_stack_use_after_return=0:quarantine_size_mb=1"}


# Purpose keys that are at work in ordinary memory as long as the gateway runs: the audit's signing key is OpenSSL's object, the
# redaction key its redactor's. What the kernel would write of them is nothing all the same (coredump_filter).
AT_WORK = {"audit-signing", "audit-redaction"}


def hkdf(key, label, size=32):
    """RFC 5869 without a salt."""
    prk = hmac.digest(bytes(32), key, hashlib.sha256)
    return hmac.digest(prk, label + b"\x01", hashlib.sha256)[:size]


@unittest.skipUnless(os.geteuid() == 0 and processes.may(processes.SYS_PTRACE), "root alone looks into another's memory")
class Memory(unittest.TestCase):
    def setUp(self):
        self.secrets, self.wrapping = {}, []
        settings = {"limits.idle_timeout_seconds": 1, "listen.workers": 2, "log.level": "debug"}
        self.gateway = Gateway("memory", settings, environment={**WIPES, **self.given})
        self.addCleanup(self.gateway.kill)
        self.gateway.__enter__()

    given = {}

    def keep(self, name, text):
        self.secrets[name] = [text if isinstance(text, bytes) else text.encode()]
        return text

    def ask(self, method, path, body=None, token=None):
        client = mcp.Client(self.gateway, token)
        try:
            answer = client.ask(method, path, body)
            self.assertLess(answer.status, 300, answer)
            return answer.message
        finally:
            client.close()

    def log_in(self, name, password):
        tokens = self.ask("POST", "/auth/login", {"username": name, "password": password})
        self.keep("access token %d" % len(self.secrets), tokens["access_token"])
        self.keep("refresh token %d" % len(self.secrets), tokens["refresh_token"])
        return tokens["access_token"]

    def people(self):
        self.keep("one-time password", self.gateway.first["one_time_password"])
        self.gateway.user("boss", self.keep("password", PASSWORD), "admin")
        token = self.log_in("boss", PASSWORD)
        self.ask("POST", "/auth/password", {"old_password": PASSWORD, "new_password": self.keep("new password", NEXT)}, token)
        token = self.log_in("boss", NEXT)
        made = self.ask("POST", "/auth/mfa/enroll", {}, token)
        self.keep("seed of codes, as it is typed", made["secret"])
        self.keep("seed of codes", base64.b32decode(made["secret"] + "=" * (-len(made["secret"]) % 8)))
        done = self.ask("POST", "/auth/mfa/confirm", {"code": totp.code(made["secret"], -1)}, token)
        for number, code in enumerate(done["recovery_codes"]):
            self.keep("recovery code %d" % number, code)
        key = self.ask("POST", "/admin/api-keys", {"name": "robot", "can_read": True, "can_execute": True}, token)["api_key"]
        self.ask("GET", "/auth/me", token=self.keep("API key", key))
        return token

    def vault(self, token):
        """In, out, and in use by a server that is gone afterwards."""
        for number in range(4):
            value = self.keep("vault value %d" % number, "value-%d-of-the-vault-91c4e0aa77d2b3" % number)
            self.ask("PUT", "/api/v1/vault/secrets/m%d" % number, {"value": value}, token)
        self.assertIn("value-1", self.ask("POST", "/api/v1/vault/secrets/m1/reveal", {}, token)["value"])
        offered = self.ask("POST", "/api/v1/vault/secrets/m2/one-time", {"expires_in": 60}, token)
        self.keep("one-time token", offered["token"])
        self.ask("POST", "/api/v1/vault/one-time", {"token": offered["token"]}, token)
        self.gateway.cli("vault", "put", "m/cli", stdin=self.keep("typed value", "typed-into-stdin-a90b11f2c7"))
        self.gateway.cli("vault", "put", "m/sealed", "--sealed", stdin=self.keep("sealed value", "sealed-by-the-client-77ab0c19d4"))
        self.assertIn("sealed-by", self.gateway.cli("vault", "get", "m/sealed"))
        self.gateway.add("leaky", "/usr/bin/python3", scratch.support_script("secret_server.py"), env=["A=${vault:m0}"],
                         options=["--secret-file", "PEM=${vault:m3}"])
        session = mcp.Session(self.gateway, self.gateway.key("agent").secret, "leaky").open()
        self.assertEqual(json.loads(session.text("seen"))["env"]["A"], hashlib.sha256(self.secrets["vault value 0"][0]).hexdigest())
        session.close()
        self.gateway.cli("server", "remove", "leaky")

    def hierarchy(self):
        """The keys above all others, as their source gives them; where the key file does, the unseal key too."""
        path = os.path.join(self.gateway.home, "keys", "master.key")
        if os.path.exists(path):
            with open(path, "rb") as file:
                source = file.read()
            self.keep("key file", source)
            self.keep("unseal key", hkdf(source, b"sallyport/1/unseal-file"))
            self.body(hkdf(source, b"sallyport/1/unseal-file"))

    def body(self, unseal):
        """Root, purposes and key-encryption keys, by docs/vault.md; where this Python has AES-GCM."""
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError:
            return
        with open(os.path.join(self.gateway.home, "keys", "keyring"), "rb") as file:
            document = file.read()
        head = document[:document.index(b"\n\n") + 2]
        body = document[len(head):]
        plain = AESGCM(unseal).decrypt(body[:12], body[12:], head)
        self.keep("root", plain[:32])
        for label in {"key-hashing", "cursors", "request-state", "audit-signing", "audit-redaction", "session-ids", "second-factor",
                      "token-keys", "approvals", "audit-encryption", "certificates", "hash-keys"} - AT_WORK:
            self.keep("purpose key " + label, hkdf(plain[:32], b"sallyport/1/" + label.encode()))
        self.wrapping = [plain[at + 24:at + 56] for at in range(40, len(plain), 56)]
        for number, key in enumerate(self.wrapping):
            self.keep("key-encryption key %d" % number, key)

    def private_keys(self):
        """Of a certificate that was issued: shown once, kept nowhere. The authority's own is sealed and opened for the moment."""
        prefix = os.path.join(scratch.folder("issued"), "robot")
        self.gateway.cli("certs", "init")
        self.gateway.cli("certs", "issue", "client", "robot", "--out", prefix)
        with open(prefix + ".key") as file:
            text = "".join(line for line in file.read().splitlines() if not line.startswith("-"))
        self.keep("client's key, as text", text[40:80])
        self.keep("client's key", base64.b64decode(text)[36:68])  # PKCS #8 of P-256: the private number

    def hits(self):
        found = memory.holds(self.gateway.process.pid, self.secrets)
        for pid in processes.children(self.gateway.process.pid):  # the launcher, which secrets of servers pass through
            found.update({"launcher: " + name: where for name, where in memory.holds(pid, self.secrets).items()})
        return found

    def test_nothing_at_rest_is_found(self):
        """What nobody uses at that moment, and the keys of the hierarchy, which are in pages that no core holds."""
        token = self.people()
        self.vault(token)
        self.private_keys()
        self.hierarchy()
        self.assertGreater(len(self.secrets), 25)
        processes.wait_until(lambda: not self.hits(), 30 * SLOW,
                             lambda: "memory without " + "\n".join("%s: %s" % (n, w[0]) for n, w in sorted(self.hits().items())))
        self.sealed_too()
        self.gateway.close()

    def sealed_too(self):
        """Sealed, the key-encryption keys and what opens them are nowhere, locked pages included; unsealed, there they are."""
        if not self.wrapping:
            return
        keys = {"key-encryption key": self.wrapping, "unseal key": self.secrets["unseal key"]}
        look = lambda: set(memory.holds(self.gateway.process.pid, keys, locked_too=True))
        self.assertEqual(look(), set(keys))
        self.gateway.cli("vault", "seal")
        self.assertEqual(look(), set())
        self.gateway.cli("vault", "unseal")
        self.assertEqual(look(), set(keys))

    def test_the_search_finds_what_is_there(self):
        """A secret that is in use is found by it: the name of the home, which every process of ours holds."""
        self.secrets = {"home": [self.gateway.home.encode()]}
        self.assertTrue(memory.holds(self.gateway.process.pid, self.secrets))
        self.gateway.close()


class ByPassword(Memory):
    """The password of the vault in a file: read at the start, and nowhere afterwards."""
    test_the_search_finds_what_is_there = None  # once is enough

    def test_nothing_at_rest_is_found(self):
        self.gateway.stop()
        path = os.path.join(self.gateway.home, "vault.password")
        with open(path, "w") as file:
            file.write(self.keep("vault password", VAULT_PASSWORD))
        os.chmod(path, 0o600)
        if scratch.service_user():
            shutil.chown(path, scratch.service_user())
        self.gateway.settings["encryption.password"] = "${file:vault.password}"
        self.gateway.choose_port()
        self.gateway.start()
        self.gateway.cli("vault", "put", "m/cli", stdin=self.keep("typed value", "typed-into-stdin-a90b11f2c7"))
        processes.wait_until(lambda: not self.hits(), 30 * SLOW, lambda: "memory without %s" % self.hits())
        self.gateway.close()


if __name__ == "__main__":
    unittest.main()
