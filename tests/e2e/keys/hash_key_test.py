"""The hash key of API keys turns on a running gateway (S2-11, C9): no key ends, a revoked one stays revoked, over kill -9, restart
and a restored backup."""
import json
import os
import sqlite3
import time
import unittest

import mcp
from gateway import SLOW, Gateway

ROTATE = "/api/v1/vault/hash-keys/rotate"


class HashKeyTurns(unittest.TestCase):
    def setUp(self):
        self.gateway = Gateway("hash-keys", {"listen.workers": 4})
        self.addCleanup(self.gateway.kill)
        self.gateway.__enter__()
        self.gateway.admin("DELETE", "/admin/api-keys/" + self.gateway.first["api_key"][4:16])

    def status(self, key, gateway=None):
        client = mcp.Client(gateway or self.gateway, key.secret)
        try:
            return client.ask("GET", "/api/v1/tools").status
        finally:
            client.close()

    def generations(self):
        """{number: how many API keys need it}"""
        shown = self.gateway.admin("GET", "/api/v1/vault/keys")["hash_keys"]["keys"]
        self.assertEqual([key["status"] for key in shown], ["active"] + ["retired"] * (len(shown) - 1))
        return {key["id"]: key["api_keys"] for key in shown}

    def stored(self, key):
        database = sqlite3.connect("file:%s?mode=ro" % os.path.join(self.gateway.home, "sallyport.db"), uri=True)
        try:
            return database.execute("SELECT hash FROM api_keys WHERE id = ?", (key.id,)).fetchone()[0]
        finally:
            database.close()

    def goes_over(self, key, prefix):
        """Used until its stored hash is of that generation: written within 5 s of a use."""
        deadline = time.monotonic() + 30 * SLOW
        while not self.stored(key).startswith(prefix):
            self.assertLess(time.monotonic(), deadline, "never hashed anew")
            self.assertEqual(self.status(key), 200)
            time.sleep(0.25)

    def test_a_key_is_good_before_during_and_after_and_over_a_kill(self):
        """S2-11, and C9: the look-up stays one."""
        used, unused, revoked = (self.gateway.key(name) for name in ("used", "unused", "revoked"))
        clients = [mcp.Client(self.gateway, used.secret) for _ in range(8)]
        self.addCleanup(lambda: [client.close() for client in clients])
        ask = lambda: {client.ask("GET", "/api/v1/tools").status for client in clients}
        self.assertEqual(ask(), {200})
        self.assertEqual(len(self.stored(used)), 64)
        self.assertEqual(self.gateway.admin("POST", ROTATE), {"id": 2, "status": "active"})
        self.gateway.kill()  # at once: the turn is durable, nobody has gone over
        self.gateway.start()
        self.assertEqual(self.generations()[1], 3)
        clients[:] = [mcp.Client(self.gateway, used.secret) for _ in range(8)]
        self.assertEqual(self.status(revoked), 200)
        self.gateway.admin("DELETE", "/admin/api-keys/" + revoked.id)  # what its use left must not bring it back
        self.assertEqual(ask(), {200})
        self.goes_over(used, "2.")
        self.assertEqual(self.status(revoked), 401)
        self.assertEqual(self.generations(), {2: 1, 1: 1})
        self.assertIn("hash key 2: active", self.gateway.cli("vault", "keys"))
        self.assertIn("hash key 3: API keys go over", self.gateway.cli("vault", "rotate", "api-keys"))
        self.assertEqual(self.generations(), {3: 0, 2: 1, 1: 1}, "no key is lost that was not used")
        self.assertEqual({self.status(used), self.status(unused)}, {200})
        self.goes_over(unused, "3.")
        self.goes_over(used, "3.")
        self.gateway.admin("POST", ROTATE)
        self.assertEqual(self.generations(), {4: 0, 3: 2}, "what no key needs is destroyed")
        self.gateway.stop()
        self.gateway.start()
        self.assertEqual({self.status(used), self.status(unused)}, {200})
        self.assertEqual(self.status(revoked), 401)
        self.assertEqual(len(self.gateway.audit(reason="hash-key:2")), 1)
        self.assertFalse([r for r in self.gateway.audit() if used.secret in json.dumps(r)])
        self.gateway.close()

    def test_calls_go_on_while_it_turns(self):
        """No downtime: every answer between is 200."""
        key = self.gateway.key("busy")
        clients = [mcp.Client(self.gateway, key.secret) for _ in range(8)]
        self.addCleanup(lambda: [client.close() for client in clients])
        for turn in range(5):
            self.gateway.admin("POST", ROTATE)
            for client in clients * 5:
                self.assertEqual(client.ask("GET", "/api/v1/tools").status, 200, turn)
        self.gateway.close()

    def test_a_restored_backup_has_the_hash_keys_of_its_time(self):
        """Turned before and after the backup; restored, the keys of then are good, whichever they were hashed under."""
        before = self.gateway.key("before")
        self.gateway.admin("POST", ROTATE)
        between = self.gateway.key("between")
        made = json.loads(self.gateway.cli("backup", "create", "--json"))
        self.gateway.admin("POST", ROTATE)
        after = self.gateway.key("after")
        self.goes_over(between, "3.")
        self.gateway.stop()
        self.assertEqual(self.gateway.run("backup", "restore", os.path.join(self.gateway.home, "backups", made["name"]), "--force").code, 0)
        self.gateway.start()
        self.assertEqual([self.status(key) for key in (before, between, after)], [200, 200, 401])
        self.assertTrue(self.stored(between).startswith("2."))
        self.gateway.close()


if __name__ == "__main__":
    unittest.main()
