"""S2-14: the transit engine of a real HashiCorp Vault opens the keyring. `make vault-test`."""
import os
import unittest

import scratch
import tls
import vault_server
from transit_cases import TransitCases

TIME_LIMIT = 600


class Transit(TransitCases, unittest.TestCase):
    make = staticmethod(vault_server.Transit)

    def test_a_derived_key_opens_by_its_context(self):
        transit = self.transit(type="aes256-gcm96", derived=True)
        gateway = self.made_with(transit)
        gateway.stop()
        gateway.start()
        self.opens(gateway)
        gateway.close()

    def test_a_key_that_binds_nothing_is_refused(self):
        """RSA takes no associated data."""
        transit = self.transit(type="rsa-2048")
        gateway = self.gateway({})
        gateway.stop()
        self.change(gateway, self.settings(transit), TRANSIT_TOKEN=transit.token())
        self.refused(gateway, "transit engine")

    def test_a_key_that_is_not_there_is_not_made(self):
        """With the policy of docs/vault.md: update alone."""
        transit = self.transit()
        gateway = self.gateway({})
        gateway.stop()
        self.change(gateway, self.settings(transit, **{"encryption.transit_key": "typing-error"}), TRANSIT_TOKEN=transit.token())
        self.refused(gateway, "HTTP status 403")
        self.assertEqual(transit.answer("GET", "transit/keys/typing-error")[0], 404)

    def test_over_tls_it_proves_who_it_is(self):
        authority = tls.Authority(os.path.join(scratch.folder("vault-tls"), "ours"))
        os.chmod(authority.certificate, 0o644)
        transit = self.transit(pair=authority.issue("vault"))
        gateway = self.made_with(transit, **{"encryption.transit_ca": authority.certificate})
        gateway.stop()
        self.change(gateway, self.settings(transit), **gateway.more_environment)
        self.refused(gateway, "encryption.transit_url, transit_ca")


if __name__ == "__main__":
    unittest.main()
