"""S4-17: secrets that another store keeps, KV version 2 of a server of ours after its reference pages; the real one is asked by
`make vault-test` (tests/vault/kv_real.py), AWS Secrets Manager by aws_test.py."""
import concurrent.futures
import os
import threading
import time
import unittest

import authority
import kv_server
import leaks
import mcp
import processes
import scratch
from gateway import SLOW, Gateway
from remote_case import add, refused, seen_by
from vault_case import digest

TOKEN = "hvs.kv-token-of-this-test"


def written(path, text):
    with open(path, "w") as file:
        file.write(text)
    authority.for_the_gateway(path)


class KeyValue(unittest.TestCase):
    def gateway(self, kv, **more):
        settings = {"vault.kv.url": "http://127.0.0.1:%d/" % kv.server_address[1], "vault.kv.token": "${env:KV_TOKEN}",
                    "vault.kv.allow_private": True, "vault.kv.namespace": "team", **more}
        gateway = Gateway("kv", settings, environment={"KV_TOKEN": TOKEN}).__enter__()
        self.addCleanup(gateway.close)
        return gateway

    def kv(self, **more):
        server = kv_server.start(TOKEN, **more)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def test_a_server_gets_the_field_of_the_newest_and_of_a_named_version(self):
        kv = self.kv()
        kv.secrets[("/v1/secret/data/mail/prod", 0)] = {"password": "kv-new-41", "port": 25}
        kv.secrets[("/v1/secret/data/mail/prod", 3)] = {"password": "kv-old-40"}
        gateway = self.gateway(kv)
        add(gateway, "mail", "${kv:secret/mail/prod#password}:${kv:secret/mail/prod#port}")
        add(gateway, "mail3", "${kv:secret/mail/prod#password@3}")
        self.assertEqual(seen_by(self, gateway, "mail")["TOKEN"], digest("kv-new-41:25"))
        self.assertEqual(seen_by(self, gateway, "mail3")["TOKEN"], digest("kv-old-40"))
        reads = [headers for method, path, headers in kv.asked if path.startswith("/v1/secret/")]
        self.assertEqual({headers["X-Vault-Namespace"] for headers in reads}, {"team"})
        gateway.stop()
        self.assertEqual(leaks.found({"token": TOKEN, "new": "kv-new-41", "old": "kv-old-40"}, leaks.written(gateway.folder)), [])

    def test_what_it_does_not_give_keeps_a_server_shut(self):
        kv = self.kv()
        gateway = self.gateway(kv)
        refused(self, gateway, "${kv:secret/nothing#password}", "${kv:secret/nothing#password}: there is no such secret")
        refused(self, gateway, "${kv:secret/../sys#x}", "write ${kv:MOUNT/PATH#FIELD}")
        kv.sealed = True
        refused(self, gateway, "${kv:secret/sealed#x}", "it is sealed or in maintenance")

    def test_a_call_ends_by_its_own_time_however_many_references_wait(self):
        kv = self.kv()
        for name in ("a", "b"):
            kv.secrets[("/v1/secret/data/" + name, 0)] = {"x": "kv-" + name}
        gateway = self.gateway(kv, **{"vault.kept_seconds": 1, "upstream.call_timeout_seconds": 2, "upstream.start_timeout_seconds": 60})
        add(gateway, "slow", "${kv:secret/a#x}${kv:secret/b#x}")
        key = gateway.key("agent").secret
        kv.answering.clear()
        self.addCleanup(kv.answering.set)
        time.sleep(1)  # what is kept of the probe's has ended
        session = mcp.Session(gateway, key, "slow").open()
        began = time.monotonic()
        answer = session.call("seen").message
        self.assertIn("error", answer)
        self.assertLess(time.monotonic() - began, 9, "one reference alone may take 10 s")
        kv.answering.set()

    def test_its_token_is_renewed_before_it_ends(self):
        kv = self.kv(token_seconds=10)
        kv.secrets[("/v1/secret/data/mail", 0)] = {"password": "kv-mail-1"}
        gateway = self.gateway(kv)
        kv.token_ends = time.monotonic() + kv.token_seconds  # its time begins when the gateway is up
        add(gateway, "mail", "${kv:secret/mail#password}")
        self.assertEqual(seen_by(self, gateway, "mail")["TOKEN"], digest("kv-mail-1"))
        self.assertTrue(kv.renewed.wait(9 * SLOW))

    def test_its_token_is_renewed_before_anything_is_asked_for(self):
        """A gateway that nobody asks for a while finds its token alive."""
        kv = self.kv(token_seconds=10)
        kv.secrets[("/v1/secret/data/mail", 0)] = {"password": "kv-mail-4"}
        gateway = self.gateway(kv)
        kv.token_ends = time.monotonic() + kv.token_seconds
        self.assertTrue(kv.renewed.wait(9 * SLOW))
        add(gateway, "mail", "${kv:secret/mail#password}")
        self.assertEqual(seen_by(self, gateway, "mail")["TOKEN"], digest("kv-mail-4"))

    def test_a_server_that_does_not_answer_delays_no_start_and_no_stop(self):
        kv = self.kv()
        kv.answering.clear()
        self.addCleanup(kv.answering.set)
        gateway = self.gateway(kv)
        processes.wait_until(lambda: kv.asked, 9 * SLOW, "the question for the token's life")
        gateway.stop()

    def test_a_token_in_the_place_of_another_is_renewed_by_its_own_life(self):
        kv = self.kv(token_seconds=3600)
        path = os.path.join(scratch.folder("kv-token"), "token")
        written(path, TOKEN)
        gateway = self.gateway(kv, **{"vault.kv.token": "${file:%s}" % path, "vault.kept_seconds": 1})
        kv.secrets[("/v1/secret/data/mail", 0)] = {"password": "kv-mail-5"}
        add(gateway, "mail", "${kv:secret/mail#password}")
        kv.token, kv.token_seconds, kv.token_ends = TOKEN + "-2", 10, float("inf")
        written(path, kv.token)
        time.sleep(1)  # what is kept of the probe's has ended
        self.assertEqual(seen_by(self, gateway, "mail")["TOKEN"], digest("kv-mail-5"))
        self.assertTrue(kv.renewed.wait(9 * SLOW), "half of 3600 s would be its end")

    def test_a_token_written_anew_is_taken_once_the_old_one_is_refused(self):
        kv = self.kv()
        kv.secrets[("/v1/secret/data/mail", 0)] = {"password": "kv-mail-2"}
        path = os.path.join(scratch.folder("kv-token"), "token")
        written(path, TOKEN)
        gateway = self.gateway(kv, **{"vault.kv.token": "${file:%s}" % path, "vault.kept_seconds": 1})
        add(gateway, "mail", "${kv:secret/mail#password}")
        kv.token = TOKEN + "-2"
        time.sleep(1)  # what is kept of the probe's has ended
        refused(self, gateway, "${kv:secret/mail#password}", "the token may not do this (HTTP status 403)")
        written(path, kv.token)
        self.assertEqual(seen_by(self, gateway, "mail")["TOKEN"], digest("kv-mail-2"))

    def test_two_that_were_refused_at_once_both_take_the_new_token(self):
        kv = self.kv()
        path = os.path.join(scratch.folder("kv-token"), "token")
        written(path, TOKEN)
        gateway = self.gateway(kv, **{"vault.kv.token": "${file:%s}" % path, "vault.kept_seconds": 1})
        for name in ("one", "two"):
            kv.secrets[("/v1/secret/data/" + name, 0)] = {"password": "kv-" + name}
            add(gateway, name, "${kv:secret/%s#password}" % name)
        kv.token = TOKEN + "-2"
        written(path, kv.token)
        time.sleep(1)  # what is kept of the probes' has ended
        kv.refused_together = threading.Barrier(2)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(seen_by, self, gateway, name) for name in ("one", "two")]
            self.assertEqual([one.result()["TOKEN"] for one in asked], [digest("kv-one"), digest("kv-two")])

    def test_a_life_of_the_token_beyond_counting_asks_no_more_often(self):
        """A server may say of it what it likes: half of 2**31 times 2**64 ns once was a moment."""
        for seconds in (36893488149, 40423014371506394, -1, 2 ** 63 - 1):
            kv = self.kv(token_seconds=seconds)
            kv.token_ends = float("inf")
            kv.secrets[("/v1/secret/data/mail", 0)] = {"password": "kv-mail-3"}
            gateway = self.gateway(kv)
            add(gateway, "mail", "${kv:secret/mail#password}")
            self.assertEqual(seen_by(self, gateway, "mail")["TOKEN"], digest("kv-mail-3"))
            time.sleep(0.5)
            self.assertEqual([path for _, path, _ in kv.asked if path.endswith("renew-self")], [])
            gateway.close()

    def test_a_token_that_is_missing_stops_the_start(self):
        with self.assertRaises(AssertionError) as raised:
            Gateway("kv-no-token", {"vault.kv.url": "http://127.0.0.1:1/", "vault.kv.allow_private": True}).__enter__()
        self.assertIn("vault.kv.token", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
