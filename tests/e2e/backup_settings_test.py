"""Backups and what the settings say: where a restored database belongs, and settings that are refused (S0-40)."""
import json
import os
import unittest

from gateway import Gateway

PASSWORD = "a Password of the vault of 2026 7"
VALUE = "vault-value-91d04b7cc2e84f15"


class RestoringElsewhere(unittest.TestCase):
    def test_the_database_goes_where_storage_url_has_it_and_no_old_log_is_replayed_over_it(self):
        """S0-40: whoever starts the restored home has what was restored."""
        gateway = Gateway("backup-elsewhere", {"storage.url": "sqlite:///far.db"}).__enter__()
        self.addCleanup(gateway.kill)
        gateway.cli("vault", "put", "token", stdin=VALUE)
        made = json.loads(gateway.cli("backup", "create", "--json"))
        gateway.cli("vault", "put", "token", stdin="another value, of later")
        gateway.kill()
        place = os.path.join(gateway.home, "far.db")
        self.assertGreater(os.path.getsize(place + "-wal"), 0)
        done = gateway.run("backup", "restore", os.path.join(gateway.home, "backups", made["name"]), "--force", "--json")
        self.assertEqual(done.code, 0, done.err)
        notices = json.loads(done.out)["notices"]
        self.assertTrue(any("the database was put at %s, where storage.url has it" % place in one for one in notices), notices)
        self.assertFalse(os.path.exists(place + "-wal"))
        kept = sorted(name for name in os.listdir(gateway.home) if name.startswith("far.db.before-restore-"))
        self.assertIn("-wal", "".join(kept))
        self.assertFalse(os.path.exists(os.path.join(gateway.home, "sallyport.db")))
        gateway.start()
        self.assertEqual(json.loads(gateway.cli("vault", "get", "token", "--json"))["value"], VALUE)
        gateway.close()


class RefusedSettings(unittest.TestCase):
    def test_what_does_not_open_for_them_says_that_they_are_refused(self):
        """The fix that is named is the one that helps: the environment's password is not asked for while they are not read."""
        gateway = Gateway("backup-refused", environment={"SECURITY_VAULT_PASSWORD": PASSWORD}).__enter__()
        self.addCleanup(gateway.kill)
        made = json.loads(gateway.cli("backup", "create", "--json"))
        gateway.stop()
        path = os.path.join(gateway.home, "backups", made["name"])
        settings = os.path.join(gateway.home, "sallyport.yaml")
        with open(settings) as file:
            good = file.read()
        with open(settings, "a") as file:
            file.write("\nlisten_to: 1\n")
        refused = gateway.run("backup", "verify", path)
        self.assertEqual(refused.code, 1)
        self.assertIn("the settings of this home are not accepted", refused.err)
        self.assertIn("listen_to", refused.err)
        with open(settings, "w") as file:
            file.write(good)
        self.assertEqual(gateway.run("backup", "verify", path).code, 0)


if __name__ == "__main__":
    unittest.main()
