"""A home whose keyring a token opens, restored on a machine that has another token, or none (S0-40, S2-11, S2-14)."""
import json
import os
import shutil
import unittest

import scratch
import softhsm
from gateway import Gateway, yaml_text

PASSWORD = "a Recovery password of the backups 7"
VALUE = "vault-value-91c0de5a7b"


class TokenGateway(Gateway):
    extra = {}

    def environment(self):
        return {**super().environment(), **self.extra}


class Elsewhere(unittest.TestCase):
    def restore(self, settings, environment):
        """Into a new home that has these settings; how it ended."""
        home = os.path.join(self.gateway.folder, "elsewhere")
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(home, mode=0o700)
        settings = {**settings, **({"sandbox.run_as": scratch.service_user()} if scratch.service_user() else {})}
        with open(os.path.join(home, "sallyport.yaml"), "w") as file:
            file.write(yaml_text(settings))
        self.gateway.extra = environment
        ran = self.gateway.run("backup", "restore", self.backup, "--password-stdin", "--force", stdin=PASSWORD + "\n", home=home)
        return home, ran

    def refused(self, words, settings, environment):
        home, ran = self.restore(settings, environment)
        self.assertEqual(ran.code, 1, ran.out)
        for word in words:
            self.assertIn(word, ran.err)
        self.assertEqual([name for name in os.listdir(home) if name not in ("sallyport.yaml", "lock")], [], "nothing was touched")

    def test_only_a_token_with_the_same_key_opens_it(self):
        key = os.urandom(32)
        first = softhsm.Token("softhsm", key)
        self.gateway = TokenGateway("backup-hsm", softhsm.SETTINGS)
        self.gateway.extra = first.environment
        self.addCleanup(self.gateway.kill)
        self.gateway.__enter__()
        self.gateway.cli("vault", "put", "token", stdin=VALUE)
        made = json.loads(self.gateway.cli("backup", "create", "--with-audit", "--json", "--password-stdin", stdin=PASSWORD + "\n"))
        self.assertTrue(made["verified"])
        self.gateway.stop()
        self.backup = shutil.copy(os.path.join(self.gateway.home, "backups", made["name"]), self.gateway.folder)
        if scratch.service_user():
            shutil.chown(self.backup, scratch.service_user())
        # No word of a token in the settings: which source it was, and what to set.
        self.refused(["keys/", "(hsm)", "encryption.hsm_module", "docs/backup.md"], {}, {})
        self.refused(["no token 'sallyport'", "docs/backup.md"], softhsm.SETTINGS, softhsm.Token("softhsm-none", empty=True).environment)
        self.refused(["the token's key does not open", "docs/backup.md"], softhsm.SETTINGS, softhsm.Token("softhsm-other").environment)
        second = softhsm.Token("softhsm-second", key)
        home, ran = self.restore(softhsm.SETTINGS, second.environment)
        self.assertEqual(ran.code, 0, ran.err)
        shutil.rmtree(self.gateway.home)
        os.rename(home, self.gateway.home)
        self.gateway.start()
        self.assertEqual(json.loads(self.gateway.cli("vault", "get", "token", "--json"))["value"], VALUE)
        self.assertEqual(self.gateway.admin("GET", "/api/v1/vault/keys")["source"], "hsm")
        self.gateway.close()

    def test_another_source_is_chosen_while_the_token_is_still_there(self):
        """The way out where a token cannot be copied: the next backup needs the password, and no token."""
        first = softhsm.Token()
        self.gateway = TokenGateway("backup-hsm-out", softhsm.SETTINGS)
        self.gateway.extra = first.environment
        self.addCleanup(self.gateway.kill)
        self.gateway.__enter__()
        self.gateway.cli("vault", "put", "token", stdin=VALUE)
        self.gateway.cli("vault", "password", stdin="a sentence in a safe, of 2026\n")
        self.gateway.stop()
        self.gateway.settings = {}
        self.gateway.choose_port()
        given = {"SECURITY_VAULT_PASSWORD": "a sentence in a safe, of 2026"}
        self.gateway.extra = given
        self.gateway.start()
        made = json.loads(self.gateway.cli("backup", "create", "--with-audit", "--json", "--password-stdin", stdin=PASSWORD + "\n"))
        self.assertTrue(made["verified"])
        self.gateway.stop()
        self.backup = shutil.copy(os.path.join(self.gateway.home, "backups", made["name"]), self.gateway.folder)
        if scratch.service_user():
            shutil.chown(self.backup, scratch.service_user())
        home, ran = self.restore({}, given)
        self.assertEqual(ran.code, 0, ran.err)
        shutil.rmtree(self.gateway.home)
        os.rename(home, self.gateway.home)
        self.gateway.start()
        self.assertEqual(json.loads(self.gateway.cli("vault", "get", "token", "--json"))["value"], VALUE)
        self.gateway.close()


if __name__ == "__main__":
    unittest.main()
