"""The seven production steps of S1-23 on a running gateway: each has something that refuses, or gives nothing away."""
import os
import shutil
import socket
import sqlite3
import subprocess
import unittest

import leaks
import mcp
import scratch
from gateway import Gateway

PASSWORD = "Violet-Tractor-7-Moss"
PUBLISHED = "mcp_-tn1XqqtdGub5NAzzn_qSoLrvJv9gmMwB0y-kfLDsak"


def log_in(gateway, name, password):
    return mcp.Client(gateway).ask("POST", "/auth/login", {"username": name, "password": password})


class Production(unittest.TestCase):
    """S1-23, its seven steps."""

    def refused(self, gateway, text, **environment):
        ran = subprocess.run([gateway.binary, "--home", gateway.home, "serve"], capture_output=True, text=True, timeout=120,
                             env={**gateway.environment(), **environment}, cwd=gateway.folder)
        self.assertEqual(ran.returncode, 1, ran.stderr)
        self.assertIn(text, ran.stderr)
        self.assertIn("fix", ran.stderr)

    def test_the_default_password_has_to_be_changed(self):
        """S1-23 step 1; C8: admin/admin and the published key open nothing."""
        with Gateway("s1-23-password") as gateway:
            self.assertEqual(log_in(gateway, "admin", "admin").status, 401)
            self.assertEqual(mcp.Client(gateway, PUBLISHED).ask("GET", "/auth/me").status, 401)
            first = gateway.first["one_time_password"]
            token = log_in(gateway, "admin", first).message["access_token"]
            self.assertEqual(mcp.Client(gateway, token).ask("GET", "/admin/users").status, 403, "before it is changed")
            for weak in ("admin", "Password123!", first):
                changed = mcp.Client(gateway, token).ask("POST", "/auth/password", {"old_password": first, "new_password": weak})
                self.assertEqual(changed.status, 400, weak)
            changed = mcp.Client(gateway, token).ask("POST", "/auth/password", {"old_password": first, "new_password": PASSWORD})
            self.assertLess(changed.status, 300, changed)
            self.assertEqual(log_in(gateway, "admin", first).status, 401)
            token = log_in(gateway, "admin", PASSWORD).message["access_token"]
            self.assertEqual(mcp.Client(gateway, token).ask("GET", "/admin/users").status, 200)

    def test_a_weak_secret_key_is_refused(self):
        """S1-23 step 2, S0-37: short, regular, published; a literal in the file (S0-36)."""
        with Gateway("s1-23-key") as gateway:
            gateway.stop()
            self.refused(gateway, "shorter than 32 bytes", SECRET_KEY="k3J9")
            self.refused(gateway, "SECRET_KEY", SECRET_KEY="a" * 48)
            self.refused(gateway, "SECRET_KEY", SECRET_KEY="your-secret-key-change-this-in-production")
            gateway.start()

    def test_https_origins_and_firewall(self):
        """S1-23 steps 3 to 5: nobody outside is served in the clear, strangers' pages are not answered, one address listens."""
        with Gateway("s1-23-net", {"listen.origins": ["https://console.example"]}) as gateway:
            for origin, allowed in (("https://console.example", "https://console.example"), ("https://evil.example", None)):
                answer = mcp.Client(gateway).ask("GET", "/health", headers={"Origin": origin})
                self.assertEqual(answer.headers.get("access-control-allow-origin"), allowed, origin)
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.2", gateway.port), timeout=5).close()
            gateway.stop()
            self.refused(gateway, "there is no TLS (C16)", SALLYPORT_LISTEN_ADDRESS="0.0.0.0")
            self.refused(gateway, "cannot be combined with credentials", ALLOWED_ORIGINS="*")
            gateway.start()

    def test_the_database_gives_nothing_away(self):
        """S1-23 step 6, database encryption: no secret is in the file, and its copy opens nothing without the home's keys."""
        with Gateway("s1-23-database") as gateway:
            value = "value-of-the-database-5b2e9c71d0"
            gateway.cli("vault", "put", "token", stdin=value)
            gateway.user("ann", PASSWORD)
            self.assertEqual(log_in(gateway, "ann", PASSWORD).status, 200)
            key = gateway.key("agent").secret
            secrets = {"value": value, "password": PASSWORD, "key": key, "first": gateway.first["one_time_password"]}
            places = [(where, text) for where, text in leaks.written(gateway.home) if "sallyport.db" in where]
            self.assertTrue(places)
            self.assertFalse(leaks.found(secrets, places))
            gateway.stop()
            thief = os.path.join(gateway.folder, "thief")
            os.makedirs(thief, mode=0o700)
            for name in os.listdir(gateway.home):
                if name.startswith("sallyport.") and os.path.isfile(os.path.join(gateway.home, name)):
                    shutil.copy(os.path.join(gateway.home, name), thief)
            if scratch.service_user():
                for path in [thief] + [os.path.join(thief, name) for name in os.listdir(thief)]:
                    shutil.chown(path, scratch.service_user())
            for command in (("serve",), ("init",), ("vault", "get", "token"), ("vault", "list")):
                ran = gateway.run(*command, home=thief)
                self.assertNotEqual(ran.code, 0, command)
                self.assertNotIn(value, ran.out + ran.err)
                self.assertRegex(ran.err, "is gone; fix: restore" if command == ("init",) else "fix: ")
            gateway.start()

    def test_an_update_keeps_what_there_is(self):
        """S1-23 step 7: the version is told, and a database of a later version than the program's is not touched."""
        with Gateway("s1-23-update") as gateway:
            self.assertRegex(gateway.cli("version"), r"\d+\.\d+")
            gateway.stop()
            path = os.path.join(gateway.home, "sallyport.db")
            database = sqlite3.connect(path)
            version = database.execute("SELECT max(version) FROM migrations").fetchone()[0]
            database.execute("INSERT INTO migrations VALUES (?, 0)", (version + 1,))
            database.commit()
            ran = gateway.run("serve")
            self.assertEqual(ran.code, 1, ran.err)
            self.assertIn("use the newer program that wrote it", ran.err)
            database.execute("DELETE FROM migrations WHERE version = ?", (version + 1,))
            database.commit()
            database.close()
            gateway.start()

if __name__ == "__main__":
    unittest.main()
