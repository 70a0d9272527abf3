"""What lies in a home, read by a second implementation of docs/vault.md (support/open_home.mjs: Node's crypto alone): AES-256-GCM
at rest (S2-8), a master key by scrypt (S2-12), a key for each credential (S2-13)."""
import base64
import json
import os
import re
import sqlite3
import unittest

import home_reader
import leaks
import mcp
from gateway import Gateway
from home_reader import file_of

PASSWORD = "correct horse battery staple"
KEY = "tLoYyHD6qB8vM1wQ3kz9nR5uXc7eJ2aG4sF0iVbUdHo="
VALUES = {"by-cli": "value-by-the-cli-0a41c7be", "by-rest": "value-over-rest-77d1e25c", "twin": "value-over-rest-77d1e25c"}
MASTER_KEY, KEYRING = ("keys", "master.key"), ("keys", "keyring")


class Home(unittest.TestCase):
    def gateway(self, **environment):
        gateway = Gateway("vault-formats", environment=environment).__enter__()
        self.addCleanup(gateway.kill)
        gateway.cli("vault", "put", "by-cli", stdin=VALUES["by-cli"])
        gateway.user("boss", "Violet-Tractor-7-Moss", "admin")
        login = mcp.Client(gateway).ask("POST", "/auth/login", {"username": "boss", "password": "Violet-Tractor-7-Moss"})
        self.boss = login.message["access_token"]
        for name in ("by-rest", "twin"):
            put = mcp.Client(gateway, self.boss).ask("PUT", "/api/v1/vault/secrets/" + name, {"value": VALUES[name]})
            self.assertEqual(put.status, 200, put)
        return gateway

    def reveal(self, gateway, name):
        return mcp.Client(gateway, self.boss).ask("POST", "/api/v1/vault/secrets/" + name + "/reveal", {})

    def database(self, gateway, *change):
        database = sqlite3.connect(os.path.join(gateway.home, "sallyport.db"))
        with database:
            for order in change:
                database.execute(*order)
        rows = database.execute("SELECT name, secret, number, wrapped_key, ciphertext FROM vault_versions JOIN vault_secrets ON secret = id "
                                "WHERE owner = '' ORDER BY name").fetchall()
        database.close()
        return {row[0]: dict(zip(("secret", "number", "wrapped_key", "ciphertext"), row[1:])) for row in rows}

    def opened(self, gateway, source, secret):
        """Each value as the second implementation reads it, and that none stands in the home in the clear."""
        gateway.stop()
        rows = self.database(gateway)
        ran = home_reader.run(gateway, source, secret, rows.values())
        self.assertEqual(ran.returncode, 0, ran.stderr)
        found = dict(zip(rows, json.loads(ran.stdout)["rows"]))
        self.assertEqual({name: row["value"] for name, row in found.items()}, VALUES)
        self.assertEqual(len({row["data_key"] for row in found.values()}), len(VALUES), "S2-13: the twin has a key of its own")
        self.assertFalse(leaks.found(VALUES, leaks.written(gateway.home)))
        wrong = home_reader.run(gateway, source, bytes([secret[0] ^ 1]) + secret[1:], rows.values())
        self.assertNotEqual(wrong.returncode, 0, "one bit of what opens the keyring")
        return rows


class Formats(Home):
    def test_by_the_key_file(self):
        """S2-8, S2-13."""
        gateway = self.gateway()
        self.opened(gateway, "file", file_of(gateway, *MASTER_KEY))
        gateway.start()
        gateway.close()

    def test_by_the_password(self):
        """S2-12, S2-10: nothing but the password and the file is needed, and nothing less does."""
        gateway = self.gateway(SECURITY_VAULT_PASSWORD=PASSWORD)
        head = file_of(gateway, *KEYRING).split(b"\n\n")[0].decode()
        cost = re.search(r"\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([\w-]+)", head)
        self.assertGreaterEqual(int(cost.group(1)), 17)
        self.assertEqual((cost.group(2), cost.group(3)), ("8", "1"))
        self.assertEqual(len(base64.urlsafe_b64decode(cost.group(4) + "=")), 32)
        self.opened(gateway, "password", PASSWORD.encode())
        gateway.start()
        gateway.close()

    def test_by_the_environment(self):
        """S0-28: ENCRYPTION_ENABLED=true and ENCRYPTION_KEY."""
        gateway = self.gateway(ENCRYPTION_ENABLED="true", ENCRYPTION_KEY=KEY)
        self.opened(gateway, "environment", base64.b64decode(KEY))
        self.assertNotIn(KEY.encode(), b"".join(text for _, text in leaks.written(gateway.folder)))
        gateway.start()
        gateway.close()

    def test_what_was_changed_or_moved_does_not_open(self):
        """S2-8: it is authenticated, and bound to its place; over REST and by the command line nothing of it is shown."""
        gateway = self.gateway()
        gateway.stop()
        rows = self.database(gateway)
        one, twin = rows["by-cli"], rows["twin"]
        raw = bytearray(base64.urlsafe_b64decode(one["ciphertext"] + "=" * (-len(one["ciphertext"]) % 4)))
        raw[-20] ^= 1
        bent = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        moved = "UPDATE vault_versions SET wrapped_key = ?, ciphertext = ? WHERE secret = ?"
        self.database(gateway, ("UPDATE vault_versions SET ciphertext = ? WHERE secret = ?", (bent, one["secret"])),
                      (moved, (rows["by-rest"]["wrapped_key"], rows["by-rest"]["ciphertext"], twin["secret"])))
        gateway.start()
        for name in ("by-cli", "twin"):
            answer = self.reveal(gateway, name)
            self.assertGreaterEqual(answer.status, 400, answer)
            self.assertNotIn(b"value-", answer.body)
            ran = gateway.run("vault", "get", name)
            self.assertNotEqual(ran.code, 0)
            self.assertNotIn("value-", ran.out)
        self.assertEqual(self.reveal(gateway, "by-rest").message["value"], VALUES["by-rest"])
        gateway.stop()
        self.database(gateway, *((moved, (row["wrapped_key"], row["ciphertext"], row["secret"])) for row in (one, twin)))
        gateway.start()
        for name, value in VALUES.items():
            self.assertEqual(self.reveal(gateway, name).message["value"], value)
        gateway.close()


if __name__ == "__main__":
    unittest.main()
