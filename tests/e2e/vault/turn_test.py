"""A turn of the key-encryption keys that nobody asked for (S2-11): the keyring is as old as a clock would make it in a month, written so by a
second reader of it (support/open_home.mjs)."""
import base64
import os
import unittest

import formats_test
import home_reader
import processes
from gateway import SLOW
from home_reader import file_of


class Turn(formats_test.Home):
    def test_an_old_key_is_turned_without_anybody_asking(self):
        """S2-11: its age is over encryption.rotate_days (30); what was sealed is wrapped anew, opens, and the old key goes."""
        gateway = self.gateway()
        gateway.stop()
        before = self.database(gateway)
        older = base64.b64decode(home_reader.changed(gateway, older=31)["keyring"])
        with open(os.path.join(gateway.home, *formats_test.KEYRING), "r+b") as file:
            file.write(older)
        gateway.start()
        processes.wait_until(lambda: [key["id"] for key in gateway.admin("GET", "/api/v1/vault/keys")["keys"]] == [2], 100 * SLOW,
                             "the second key alone")
        turned = gateway.audit(action="rotate_wrapping_key")
        self.assertTrue(turned)
        self.assertEqual({record["principal"] for record in turned}, {"system"})
        for name, value in formats_test.VALUES.items():
            self.assertEqual(self.reveal(gateway, name).message["value"], value)
        after = self.opened(gateway, "file", file_of(gateway, *formats_test.MASTER_KEY))
        for name in formats_test.VALUES:
            self.assertNotEqual(after[name]["wrapped_key"], before[name]["wrapped_key"])
            self.assertEqual(after[name]["ciphertext"], before[name]["ciphertext"])
        gateway.start()
        gateway.close()


if __name__ == "__main__":
    unittest.main()
