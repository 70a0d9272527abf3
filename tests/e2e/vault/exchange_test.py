"""The key exchange (S2-9): secrets sealed by the command line and by JavaScript with WebCrypto, taken once, for one name alone."""
import concurrent.futures
import json
import os
import subprocess
import unittest

import scratch
import vault_case
from vault_case import Vault

SEAL = os.path.join(scratch.ROOT, "examples", "seal.mjs")


def setUpModule():
    vault_case.start("vault-exchange", {"vault.exchange_key_bits": "2048"})


class Exchange(Vault):
    def by_node(self, name, value, owner=""):
        """What a client without our code sends: only the public key and WebCrypto."""
        key = self.ask("anonymous", "GET", "/exchange-key").message
        subject = "vault:" + (owner + "/" if owner else "") + name
        ran = subprocess.run([scratch.node_binary(), scratch.readable(SEAL), subject], input=json.dumps({"key": key, "value": value}),
                             capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return ran.stdout.strip()

    def test_the_command_line_seals_before_it_sends(self):
        self.gateway.cli("vault", "put", "sealed/cli", "--sealed", stdin="closed on the way\n")
        self.assertEqual(self.value("sealed/cli").message["value"], "closed on the way")

    def test_a_browser_seals_and_an_envelope_is_taken_once(self):
        envelope = self.by_node("sealed/js", "from webcrypto \N{SNOWMAN}")
        sealed = {"sealed": envelope}
        self.assertEqual(self.ask("boss", "PUT", self.path_of("other/name"), sealed).status, 400, "for another name")
        self.assertEqual(self.ask("ada", "PUT", self.path_of("sealed/js", True), sealed).status, 400, "as one's own")
        self.assertEqual(self.ask("boss", "PUT", self.path_of("sealed/js"), sealed).status, 200)
        self.assertEqual(self.value("sealed/js").message["value"], "from webcrypto \N{SNOWMAN}")
        self.put("sealed/js", "a later one")
        again = self.ask("boss", "PUT", self.path_of("sealed/js"), sealed)
        self.assertEqual((again.status, again.message["error"]["message"]), (409, "this envelope was taken already"))
        self.assertEqual(self.value("sealed/js").message["value"], "a later one")

    def test_a_put_that_is_refused_does_not_use_its_envelope_up(self):
        envelope = self.by_node("sealed/labels", "kept closed")
        for more in ({"labels": ["l"] * 17}, {"description": "two\nlines"}):
            self.assertEqual(self.ask("boss", "PUT", self.path_of("sealed/labels"), {"sealed": envelope, **more}).status, 400, more)
        self.assertEqual(self.ask("boss", "PUT", self.path_of("sealed/labels"), {"sealed": envelope}).status, 200)
        self.assertEqual(self.value("sealed/labels").message["value"], "kept closed")

    def test_of_two_puts_at_once_with_one_envelope_one_is_taken(self):
        for turn in range(4):
            sealed = {"sealed": self.by_node("sealed/race", "of turn %d" % turn)}
            with concurrent.futures.ThreadPoolExecutor(3) as pool:
                asked = [pool.submit(self.ask, "boss", "PUT", self.path_of("sealed/race"), sealed) for _ in range(3)]
                self.assertEqual(sorted(one.result().status for one in asked), [200, 409, 409])

    def test_ones_own_is_sealed_with_ones_own_name(self):
        me = vault_case.mcp.Client(self.gateway, self.tokens["ada"]).ask("GET", "/auth/me").message
        envelope = self.by_node("mine", "hers", "user:" + me["id"].removeprefix("user:"))
        self.assertEqual(self.ask("ada", "PUT", self.path_of("mine", True), {"sealed": envelope}).status, 200)
        self.assertEqual(self.value("mine", "ada", True).message["value"], "hers")

    def test_a_new_key_takes_the_place_of_the_old_which_opens_on(self):
        envelope = self.by_node("sealed/turn", "before the turn")
        before = self.ask("anonymous", "GET", "/exchange-key").message
        self.assertEqual((before["alg"], before["enc"], before["bits"]), ("RSA-OAEP-256", "A256GCM", 2048))
        self.gateway.cli("vault", "exchange-key", "--rotate")
        after = self.ask("anonymous", "GET", "/exchange-key").message
        self.assertNotEqual(after["kid"], before["kid"])
        self.assertEqual(self.ask("boss", "PUT", self.path_of("sealed/turn"), {"sealed": envelope}).status, 200)
        self.assertTrue(self.gateway.audit(action="rotate_exchange_key"))

    def test_what_was_changed_on_the_way_does_not_open(self):
        envelope = self.by_node("sealed/bent", "straight")
        for at in (10, len(envelope) // 3, len(envelope) - 2):
            bent = envelope[:at] + ("A" if envelope[at] != "A" else "B") + envelope[at + 1:]
            self.assertEqual(self.ask("boss", "PUT", self.path_of("sealed/bent"), {"sealed": bent}).status, 400, at)
        self.assertEqual(self.ask("boss", "PUT", self.path_of("sealed/bent"), {"sealed": envelope}).status, 200)


if __name__ == "__main__":
    unittest.main()
