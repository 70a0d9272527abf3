"""ACME where the authority asks for more, or comes another way (issue 6, Certificates): tls-alpn-01 at the gateway's own port, and
external account binding."""
import os
import socket
import ssl
import stat
import unittest

import mcp
import processes
from acme_case import HOST, AcmeCase, Pebble, TlsGateway
from gateway import SLOW


class AcmeDoor(AcmeCase):
    def test_tls_alpn_01_at_the_gateways_own_port(self):
        """S2-27 (RFC 8737): the authority comes to where clients come, who are served meanwhile; afterwards that way is closed."""
        settings = self.settings(acme__challenge="tls-alpn-01")
        with TlsGateway("own-port", settings, processes.free_port(), port=self.pebble.tls) as gateway:
            self.wait_for_it(gateway)
            self.check(gateway, [HOST])
            processes.wait_until(lambda: gateway.served(self.pebble.root(), HOST), 30 * SLOW, "the new certificate served")
            metrics = mcp.Client(gateway).ask("GET", "/metrics").body.decode()
            self.assertRegex(metrics, r'(?m)^sallyport_acme_challenges_total\{outcome="passed"\} [1-9]')
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["acme-tls/1"])
            with socket.create_connection(("127.0.0.1", gateway.port), timeout=20 * SLOW) as plain, self.assertRaises(ssl.SSLError):
                context.wrap_socket(plain, server_hostname=HOST)

    def test_an_external_account_is_bound(self):
        """RFC 8555 7.3.4: an authority that asks for it gets it, from a file; the key is nowhere else, and not needed again."""
        pebble = Pebble(binding=True)
        self.addCleanup(pebble.close)
        settings = {**self.settings(), "acme.directory": pebble.directory, "acme.ca": pebble.ca, "acme.eab_kid": pebble.KID,
                    "acme.eab_hmac": "${env:EAB_HMAC}"}
        with TlsGateway("bound", settings, pebble.http, environment={"EAB_HMAC": pebble.HMAC}) as gateway:
            self.wait_for_it(gateway)
            self.assertNotIn(pebble.HMAC, gateway.log())
            for folder, _, names in os.walk(gateway.home):
                for name in names:
                    path = os.path.join(folder, name)
                    if stat.S_ISREG(os.lstat(path).st_mode):
                        with open(path, "rb") as file:
                            self.assertNotIn(pebble.HMAC.encode(), file.read(), name)
        settings.pop("acme.eab_kid"), settings.pop("acme.eab_hmac")
        with TlsGateway("unbound", settings, pebble.http) as gateway:
            processes.wait_until(lambda: "no certificate from the ACME authority" in gateway.log(), 120 * SLOW, "the refusal")


if __name__ == "__main__":
    unittest.main()
