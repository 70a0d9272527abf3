"""What the guides tell operators to do, done on a running gateway with what it offers for it: S0-36 and S0-37 (practices), S2-34 (one
file of settings), and the environment of the second guide (S2-29, S2-30, S2-31, S2-33)."""
import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import socket
import ssl
import unittest

import leaks
import mcp
import scratch
from gateway import Gateway, yaml_text
from tls import TlsGateway

PASSWORD = "Violet-Tractor-7-Moss"
SECRET_KEY = "k3J9vQ2mX8rT5wZ1bN7cL4hD6gF0sA3eYpU9iOqWzRtM"


def log_in(gateway, name, password):
    return mcp.Client(gateway).ask("POST", "/auth/login", {"username": name, "password": password})


class Practices(unittest.TestCase):
    def test_no_secret_setting_takes_a_literal(self):
        """S0-36, S3-10: every one of them, as the reference lists them; each takes a reference."""
        with open(os.path.join(scratch.ROOT, "docs", "reference", "config.md")) as file:
            names = re.findall(r"^\| `([a-z_.]+)` \| secret reference", file.read(), re.M)
        self.assertGreaterEqual(len(names), 10)
        with Gateway("s0-36") as gateway:
            path = os.path.join(gateway.folder, "literal.yaml")
            for name in names:
                with open(path, "w") as file:
                    file.write(yaml_text({name: "Zq8-literal-" + "x7K" * 9}))
                os.chmod(path, 0o644)
                ran = gateway.run("--config", path, "config", "check")
                self.assertNotEqual(ran.code, 0, name)
                self.assertIn(name, ran.err + ran.out)
                self.assertNotIn("Zq8-literal", ran.err + ran.out, "and it is not repeated")

    def test_secrets_turn_are_watched_kept_and_can_be_ended(self):
        """S0-37: strong secrets; rotation of secrets and API keys; monitoring; secure backups; what an incident needs."""
        with Gateway("s0-37") as gateway:
            gateway.cli("vault", "put", "strong", "--generate")
            made = gateway.cli("vault", "get", "strong").strip()
            self.assertEqual(len(base64.urlsafe_b64decode(made + "=")), 32)
            # By themselves: the next turn of each is planned.
            keys = gateway.admin("GET", "/api/v1/vault/keys")
            for planned in (keys["rotates_at"], keys["hash_keys"]["rotates_at"],
                            gateway.admin("GET", "/api/v1/token-keys")["data"][0]["rotates_at"]):
                self.assertRegex(planned, r"^20\d\d-")
            # By hand: a secret, an API key (the old secret good for a while, or not at all).
            gateway.cli("vault", "put", "strong", "--generate")
            self.assertNotEqual(gateway.cli("vault", "get", "strong").strip(), made)
            key = gateway.key("robot")
            fresh = json.loads(gateway.cli("key", "rotate", key.id, "--grace", "0", "--json"))["api_key"]
            self.assertEqual([mcp.Client(gateway, secret).ask("GET", "/api/v1/tools").status for secret in (key.secret, fresh)], [401, 200])
            # Monitoring.
            metrics = mcp.get(gateway, "/metrics").body.decode()
            for name in ("sallyport_backup_last_success_timestamp_seconds", "sallyport_requests_total"):
                self.assertIn(name, metrics)
            # A backup holds nothing in the clear, and is tried.
            backup = json.loads(gateway.cli("backup", "create", "--json"))
            self.assertTrue(backup["verified"])
            with open(os.path.join(gateway.home, "backups", backup["name"]), "rb") as file:
                text = file.read()
            self.assertNotIn(made.encode(), text)
            self.assertNotIn(b"SQLite format 3", text)
            # An incident: who is in goes out, keys end, the vault is shut, the evidence is whole.
            gateway.user("ann", PASSWORD)
            token = log_in(gateway, "ann", PASSWORD).message["access_token"]
            gateway.cli("token", "rotate", "--revoke-old")
            gateway.cli("key", "revoke", key.id)
            gateway.cli("vault", "seal")
            self.assertEqual([mcp.Client(gateway, secret).ask("GET", "/auth/me").status for secret in (token, fresh)], [401, 401])
            self.assertNotEqual(gateway.run("vault", "get", "strong").code, 0)
            self.assertEqual(gateway.run("audit", "verify").code, 0)


class SecurityFolder(TlsGateway):
    """Its one file of settings is security/config.yaml."""

    def choose_port(self):
        super().choose_port()
        os.makedirs(os.path.dirname(self.path()), exist_ok=True)
        shutil.move(os.path.join(self.home, "sallyport.yaml"), self.path())
        os.chmod(self.path(), 0o644)
        with open(os.path.join(self.home, "sallyport.yaml"), "w") as file:  # by which a folder is known as a home; not read
            file.write("passwords:\n  profile: guide\n")

    def path(self):
        return os.path.join(self.folder, "security", "config.yaml")

    def environment(self):
        return {**super().environment(), "SALLYPORT_CONFIG": self.path()}

    def assert_audit_intact(self):
        assert self.run("audit", "verify").code == 0


class OneFile(unittest.TestCase):
    def test_security_config_yaml_is_in_force(self):
        """S2-34: password policy, rate rules, TLS, audit and what compliance asks (retention, sealed evidence), from security/config.yaml."""
        settings = {"passwords.profile": "nist", "rate.default.requests": 37, "tls.profile": "modern", "audit.path": "evidence",
                    "audit.retention_days": 400, "audit.encryption": True}
        with SecurityFolder("s2-34", settings) as gateway:
            path = gateway.path()
            # TLS: 1.3 alone.
            old = gateway.client_context()
            old.maximum_version = ssl.TLSVersion.TLSv1_2
            with self.assertRaises(ssl.SSLError):
                with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as raw:
                    old.wrap_socket(raw, server_hostname="127.0.0.1")
            # Rates.
            client = mcp.Client(gateway, gateway.key("agent").secret)
            self.assertEqual(client.ask("GET", "/auth/me").headers["x-ratelimit-limit"], "37")
            # Passwords: length alone counts; 14 characters of every kind are too few.
            self.assertNotEqual(gateway.run("user", "add", "ann", "--password-stdin", stdin="Viole7-Tracto!\n").code, 0)
            gateway.cli("user", "add", "ann", "--password-stdin", stdin="all in small letters and long\n")
            # Audit: there, sealed, kept for so long.
            segments = os.listdir(os.path.join(gateway.home, "evidence"))
            self.assertTrue(segments)
            text = b"".join(data for _, data in leaks.written(os.path.join(gateway.home, "evidence")))
            self.assertIn(b'"sealed":', text)
            self.assertNotIn(b'"action":"GET /auth/me"', text)
            said = gateway.cli("config", "explain")
            self.assertRegex(said, r"audit\.retention_days\s+400\s+" + re.escape(path))
            gateway.stop()
            with open(path, "a") as file:
                file.write("passwordz:\n  profile: nist\n")
            ran = gateway.run("serve")
            self.assertEqual(ran.code, 1)
            self.assertIn("passwordz", ran.err)
            with open(path) as file:
                text = file.read()
            with open(path, "w") as file:
                file.write(text.replace("passwordz:\n  profile: nist\n", ""))
            gateway.start()


class Environment(unittest.TestCase):
    def test_the_second_guides_names(self):
        """S2-29 (JWT_SECRET_KEY, JWT_EXPIRATION_HOURS=1), S2-30 (1000 in 3600 s), S2-31 (SECURITY_VAULT_PASSWORD), S2-33 (./logs/audit.log)."""
        environment = {"JWT_SECRET_KEY": SECRET_KEY, "JWT_EXPIRATION_HOURS": "1", "RATE_LIMIT_REQUESTS": "1000", "RATE_LIMIT_WINDOW": "3600",
                       "SECURITY_VAULT_PASSWORD": "correct horse battery staple", "AUDIT_LOG_ENABLED": "true",
                       "AUDIT_LOG_PATH": "./logs/audit.log"}
        with Gateway("second-guide", environment=environment) as gateway:
            gateway.user("ann", PASSWORD)
            answer = log_in(gateway, "ann", PASSWORD).message
            self.assertEqual(answer["expires_in"], 3600)
            text, signature = answer["access_token"].rsplit(".", 1)
            expected = hmac.digest(SECRET_KEY.encode(), text.encode(), hashlib.sha256)
            self.assertEqual(base64.urlsafe_b64decode(signature + "="), expected, "signed under JWT_SECRET_KEY")
            me = mcp.Client(gateway, answer["access_token"]).ask("GET", "/auth/me")
            self.assertEqual((me.status, me.headers["x-ratelimit-limit"]), (200, "1000"))
            self.assertEqual(gateway.admin("GET", "/api/v1/vault/keys")["source"], "password")
            self.assertTrue(os.listdir(os.path.join(gateway.home, "logs", "audit.log")))
            gateway.assert_audit_intact = lambda: self.assertEqual(gateway.run("audit", "verify").code, 0)

    def test_two_names_of_one_key_that_differ(self):
        """C3: refused; the same under both is one."""
        with Gateway("c3") as gateway:
            gateway.stop()
            plain = gateway.environment
            gateway.environment = lambda: {**plain(), "SECRET_KEY": SECRET_KEY, "JWT_SECRET_KEY": SECRET_KEY[::-1]}
            ran = gateway.run("serve")
            self.assertEqual(ran.code, 1)
            self.assertIn("differ", ran.err)
            gateway.environment = lambda: {**plain(), "SECRET_KEY": SECRET_KEY, "JWT_SECRET_KEY": SECRET_KEY}
            gateway.start()


if __name__ == "__main__":
    unittest.main()
