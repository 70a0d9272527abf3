"""A certificate of a public authority by ACME (RFC 8555): Debian's lego as the gateway's child, Debian's pebble as the authority
(issue 6, Certificates)."""
import glob
import os
import socket
import stat
import unittest

import mcp
import processes
from acme_case import HOST, OTHER, AcmeCase, TlsGateway
from gateway import SLOW, Gateway


class Acme(AcmeCase):
    def test_http_01(self):
        """S2-27: beside the built-in authority, whose certificate serves until then; once more when the names change."""
        with TlsGateway("acme", self.settings(), self.pebble.http) as gateway:
            got = self.wait_for_it(gateway)
            self.assertEqual(got["alt_names"], ["dns:" + HOST])
            self.assertTrue(got["in_use"] and got["renews_at"] < got["not_after"])
            self.check(gateway, [HOST])
            processes.wait_until(lambda: gateway.served(self.pebble.root(), HOST), 30 * SLOW, "the new certificate served")
            noted = gateway.audit(action="certificate_adopt")
            self.assertEqual([got["serial"] in one["evidence"] for one in noted], [True])
            self.assertEqual(gateway.run("certs", "renew", "server").code, 1)  # not ours to renew or to revoke
            self.assertEqual(gateway.run("certs", "revoke", got["serial"]).code, 1)
            lego = os.path.join(gateway.home, "certs", "lego")
            self.assertFalse(os.path.exists(os.path.join(lego, "certificates")))
            accounts = glob.glob(os.path.join(lego, "accounts", "**", "*.key"), recursive=True)
            self.assertEqual([stat.S_IMODE(os.stat(path).st_mode) for path in accounts], [0o600])
            gateway.stop()
            gateway.settings["acme.hosts"] = [HOST, OTHER]
            gateway.choose_port()
            gateway.start()
            self.wait_for_it(gateway, got["serial"])
            self.check(gateway, [HOST, OTHER])
            self.assertEqual(glob.glob(os.path.join(lego, "accounts", "**", "*.key"), recursive=True), accounts)

    def test_tls_alpn_01(self):
        """S2-27: without an authority of our own."""
        with Gateway("alpn", self.settings(acme__challenge="tls-alpn-01", acme__port=self.pebble.tls)) as gateway:
            self.wait_for_it(gateway)
            self.check(gateway, [HOST])
            gateway.stop()
            gateway.start()
            self.assertEqual(self.shown(gateway)["issued_by"], "acme")
            gateway.cli("certs", "init", "--host", "localhost")

    def test_what_fails_is_said_and_tried_again_later(self):
        """Nobody answers the challenge: the certificate of before stays, and not a second is asked for at once."""
        with Gateway("silent", self.settings()) as gateway:
            gateway.cli("certs", "init", "--host", "localhost")
            before = self.shown(gateway)
            processes.wait_until(lambda: "no certificate from the ACME authority" in gateway.log(), 120 * SLOW, "the failure")
            self.assertEqual(self.shown(gateway), before)
            self.assertEqual(len(gateway.audit(action="certificate_renew_failed", result="error")), 1)
            metrics = mcp.Client(gateway).ask("GET", "/metrics").body.decode()
            self.assertRegex(metrics, r"(?m)^sallyport_certificate_renewal_failures_total 1$")

    def test_without_the_program_it_is_said_which_package_has_it(self):
        with Gateway("nolego", self.settings(acme__program="/usr/bin/no-such-lego")) as gateway:
            processes.wait_until(lambda: "apt-get install lego" in gateway.log(), 20 * SLOW, "the advice")


class Settings(unittest.TestCase):
    def test_at_a_port_that_does_not_speak_tls_nobody_answers(self):
        gateway = Gateway("refused", {"acme.enabled": True, "acme.directory": "https://127.0.0.1:9/dir", "acme.email": "a@b.example",
                                      "acme.hosts": [HOST], "acme.challenge": "tls-alpn-01"})
        os.makedirs(gateway.home, mode=0o700)
        gateway.choose_port()
        ran = gateway.run("init")
        self.assertEqual(ran.code, 1)
        self.assertIn("acme.port", ran.err)

    def test_a_port_that_the_client_could_not_have_is_refused_at_the_start(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            gateway = Gateway("taken", {"acme.enabled": True, "acme.directory": "https://127.0.0.1:9/dir", "acme.email": "a@b.example",
                                        "acme.hosts": [HOST], "acme.challenge": "tls-alpn-01", "acme.port": port})
            os.makedirs(gateway.home, mode=0o700)
            gateway.choose_port()
            gateway.cli("init")
            ran = gateway.run("serve")
            self.assertEqual(ran.code, 1, ran)
            self.assertIn("acme.port: port %d is in use" % port, ran.err)
            self.assertIn("fix: stop the other server, or name a free one", ran.err)

    def test_what_could_not_work_is_refused_at_the_start(self):
        good = {"acme.enabled": True, "acme.directory": "https://127.0.0.1:9/dir", "acme.email": "a@b.example", "acme.hosts": [HOST]}
        for name, value in (("acme.directory", "http://127.0.0.1:9/dir"), ("acme.email", "nobody"), ("acme.hosts", []),
                            ("acme.hosts", ["*.example"]), ("acme.hosts", ["10.0.0.1"]), ("acme.program", "lego"),
                            ("acme.eab_kid", "kid"), ("acme.eab_hmac", "${env:EAB_HMAC}")):
            gateway = Gateway("refused", {**good, name: value})
            os.makedirs(gateway.home, mode=0o700)
            gateway.choose_port()
            ran = gateway.run("init")
            self.assertEqual(ran.code, 1, (name, value))
            self.assertIn(name, ran.err)


if __name__ == "__main__":
    unittest.main()
