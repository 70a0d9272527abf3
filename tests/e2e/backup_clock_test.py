"""A backup that nobody asked for, and none while the vault is sealed (S2-11). The rest: backup_test.py."""
import json
import unittest

import processes
from gateway import SLOW, Gateway


class Backups(unittest.TestCase):
    settings = {}

    def setUp(self):
        self.gateway = Gateway("backup-clock", self.settings).__enter__()
        self.addCleanup(self.gateway.kill)


class Sealed(Backups):
    def test_a_sealed_vault_gives_none_and_says_what_to_do(self):
        made = json.loads(self.gateway.cli("backup", "create", "--json"))
        self.gateway.cli("vault", "seal")
        for order in (("create",), ("verify", made["name"])):
            said = self.gateway.run("backup", *order)
            self.assertNotEqual(said.code, 0)
            self.assertIn("the vault is sealed; fix: sallyport vault unseal [409]", said.err)
        self.assertIn("warn vault: sealed", self.gateway.run("doctor").out)
        self.gateway.cli("vault", "unseal")
        self.gateway.cli("backup", "verify", made["name"])
        self.gateway.close()


class Unasked(Backups):
    settings = {"backup.every_hours": 1}

    def test_one_is_made_by_the_clock(self):
        """S2-11: nobody asks for it; it opens, and the audit says whose it is."""
        listed = lambda: json.loads(self.gateway.cli("backup", "list", "--json"))["data"]
        processes.wait_until(listed, 100 * SLOW, "a backup")
        made = listed()[0]
        self.assertTrue(made["authentic"])
        processes.wait_until(lambda: [one for one in self.gateway.audit(action="backup", principal="system") if made["name"] in one["reason"]], 20 * SLOW, "its record")
        self.assertTrue(json.loads(self.gateway.cli("backup", "verify", made["name"], "--json"))["verified"])
        self.gateway.close()


if __name__ == "__main__":
    unittest.main()
