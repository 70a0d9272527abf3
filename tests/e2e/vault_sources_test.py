"""What opens the keyring: a change of it that leaves something to do, and two at once (S2-10, S2-31, C26). The rest: vault_keys_test.py."""
import json
import os
import shutil
import unittest

import vault_keys_test
from vault_keys_test import KEY, PASSWORD, KeyedGateway


class VaultSources(unittest.TestCase):
    def keyed(self):
        gateway = KeyedGateway("vault-sources")
        self.addCleanup(gateway.kill)
        return gateway.__enter__()

    def key_file(self, gateway):
        return os.path.join(gateway.home, "keys", "master.key")

    def refused(self, gateway, text):
        """It does not start, says why and how to mend it, and the keyring is as it was."""
        before = vault_keys_test.bytes_of(gateway)
        ran = gateway.run("serve")
        self.assertEqual(ran.code, 1, ran.err)
        self.assertIn(text, ran.err)
        self.assertIn("fix: ", ran.err)
        self.assertEqual(vault_keys_test.bytes_of(gateway), before)

    def test_a_key_file_that_stays_is_told(self):
        """S2-10: the password holds, answer and audit say what is left to do, and the next start waits for it."""
        gateway = self.keyed()
        os.remove(self.key_file(gateway))
        os.makedirs(os.path.join(self.key_file(gateway), "in the way"))  # what no unlink removes
        answer = gateway.admin("PUT", "/api/v1/vault/keys/source", {"source": "password", "secret": PASSWORD})
        self.assertEqual((answer["source"], answer["sealed"]), ("password", False))
        self.assertIn("master.key", answer["notice"])
        self.assertNotIn(PASSWORD, json.dumps(answer))
        told = gateway.audit(action="PUT /vault/keys/source", result="success")
        self.assertIn("master.key", json.dumps(told))
        self.assertNotIn(PASSWORD, json.dumps(told))
        self.assertIn("unseal password ", vault_keys_test.head_of(gateway))
        gateway.stop()
        gateway.extra = {"SECURITY_VAULT_PASSWORD": PASSWORD}
        self.refused(gateway, "master.key")
        shutil.rmtree(self.key_file(gateway))
        gateway.start()
        again = gateway.admin("PUT", "/api/v1/vault/keys/source", {"source": "password", "secret": PASSWORD})
        self.assertNotIn("notice", again)
        gateway.close()

    def test_one_source_alone_unseals(self):
        """C26, S2-31: the key beside the password is refused, and neither is repeated."""
        gateway = self.keyed()
        gateway.stop()
        gateway.extra = {"ENCRYPTION_KEY": KEY, "SECURITY_VAULT_PASSWORD": PASSWORD}
        self.refused(gateway, "one unseals, not two (C26)")
        for text in ("c2hvcnQ=", KEY[:-4], "not base64 at all, but as long as one"):
            gateway.extra = {"ENCRYPTION_KEY": text}
            self.refused(gateway, "is not 32 bytes in base64 (C26)")
            self.assertNotIn(text, gateway.run("serve").err)
        gateway.extra = {}
        gateway.start()
        gateway.close()


if __name__ == "__main__":
    unittest.main()
