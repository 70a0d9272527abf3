"""S2-14: a transit engine opens the keyring, here a server of ours; the real one is asked by `make vault-test`."""
import json
import os
import threading
import time
import unittest

import processes
import scratch
import tls
import transit_server
from gateway import SLOW
from transit_cases import TransitCases

TIME_LIMIT = 400  # each case makes a home and starts it several times


class Transit(TransitCases, unittest.TestCase):
    make = staticmethod(transit_server.Transit)

    def test_namespace_context_and_place_are_said(self):
        transit = self.transit(mount="teams/kms")
        gateway = self.made_with(transit, **{"encryption.transit_namespace": "team"})
        self.assertEqual({headers.get("X-Vault-Namespace") for _, _, headers, _ in transit.asked}, {"team"})
        self.assertIn("/v1/teams/kms/decrypt/sallyport", {path for _, path, _, _ in transit.asked})
        gateway.close()

    def test_an_engine_that_binds_nothing_is_refused(self):
        transit = self.transit()
        gateway = self.gateway({})
        gateway.stop()
        transit.binds = False
        self.change(gateway, self.settings(transit), TRANSIT_TOKEN=transit.token())
        self.refused(gateway, "does not bind what it wraps to its place")

    def test_over_tls_it_proves_who_it_is(self):
        authority = tls.Authority(os.path.join(scratch.folder("transit-tls"), "ours"))
        other = tls.Authority(os.path.join(scratch.folder("transit-tls"), "other"), "another authority")
        for path in (authority.certificate, other.certificate):
            os.chmod(path, 0o644)
        transit = self.transit(pair=authority.issue("engine"))
        gateway = self.made_with(transit, **{"encryption.transit_ca": authority.certificate})
        gateway.stop()
        self.change(gateway, self.settings(transit, **{"encryption.transit_ca": other.certificate}), **gateway.more_environment)
        before = len(transit.asked)
        self.refused(gateway, "encryption.transit_url, transit_ca")
        self.assertEqual(len(transit.asked), before, "the token went to a server that proved nothing")

    def test_what_is_set_wrong_is_told_before_anything_is_asked(self):
        gateway = self.gateway({})
        gateway.stop()
        here = {"encryption.transit_url": "http://127.0.0.1:1", "encryption.transit_key": "k", "encryption.transit_allow_private": True}
        token = {"encryption.transit_token": "${env:TRANSIT_TOKEN}"}
        for settings, why in (({**here}, "the server asks for a token"),
                              ({**token, "encryption.transit_url": "http://127.0.0.1:1"}, "there is no key to ask for"),
                              ({**here, **token, "encryption.transit_url": "http://vault.example:8200"}, "is not encrypted"),
                              ({**here, **token, "encryption.transit_key": "../sys"}, "is no name"),
                              ({**here, **token, "encryption.transit_mount": "/transit"}, "has an empty part"),
                              ({**here, "encryption.transit_token": "hvs.in-the-clear"}, "encryption.transit_token"),
                              ({**here, **token, "encryption.password": "${env:TRANSIT_TOKEN}"}, "one unseals, not two")):
            with self.subTest(why):
                self.change(gateway, settings, TRANSIT_TOKEN="hvs.this-is-long-enough")
                ran = gateway.run("serve")
                self.assertNotEqual(ran.code, 0)
                self.assertIn(why, ran.err)

    def test_while_it_does_not_answer_the_gateway_does(self):
        """What opens the keyring is asked beside the control plane; an order ends within its time, and can be given again."""
        transit = self.transit()
        gateway = self.made_with(transit)
        gateway.cli("vault", "seal")
        transit.pause()
        self.addCleanup(transit.go_on)
        ended, before = [], len(transit.asked)
        asking = threading.Thread(target=lambda: ended.append(gateway.run("vault", "unseal")))
        asking.start()
        processes.wait_until(lambda: len(transit.asked) > before, 10 * SLOW, "the question")
        for name in ("one", "two"):
            gateway.admin("POST", "/api/v1/keys", {"name": name})  # the control executor writes it
        self.assertEqual(ended, [], "the order was over first")
        self.assertIn("asked for another order", gateway.run("vault", "unseal").err)
        asking.join(60 * SLOW)
        self.assertIn("start and unseal that server", ended[0].err)
        transit.go_on()
        gateway.cli("vault", "unseal")
        self.opens(gateway)
        gateway.close()

    def test_it_ends_without_waiting_for_an_engine_that_does_not_answer(self):
        """SIGTERM gives the question up: it is neither drained for nor joined for its 10 s."""
        transit = self.transit()
        gateway = self.made_with(transit)
        gateway.cli("vault", "seal")
        transit.pause()
        self.addCleanup(transit.go_on)
        ended, before = [], len(transit.asked)
        asking = threading.Thread(target=lambda: ended.append(gateway.run("vault", "unseal")))
        asking.start()
        processes.wait_until(lambda: len(transit.asked) > before, 10 * SLOW, "the question")
        began = time.monotonic()
        gateway.stop()
        self.assertLess(time.monotonic() - began, 7, "it waited for the engine")
        asking.join(60 * SLOW)
        self.assertNotEqual(ended[0].code, 0)
        transit.go_on()
        gateway.start()
        self.assertTrue(json.loads(gateway.cli("vault", "status", "--json"))["sealed"])
        gateway.cli("vault", "unseal")
        self.opens(gateway)
        gateway.close()


if __name__ == "__main__":
    unittest.main()
