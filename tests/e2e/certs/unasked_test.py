"""The server's certificate of the built-in authority is renewed without anybody asking (S2-27). Its time has come, as a second reader of
certs/index.sealed writes it there (support/open_home.mjs): what a clock would do after eight months."""
import os
import socket
import ssl
import unittest

import home_reader
import mcp
import processes
from gateway import SLOW, Gateway


class Unasked(unittest.TestCase):
    def served(self):
        """What a client that trusts the authority meets."""
        with socket.create_connection(("127.0.0.1", self.gateway.port), timeout=20) as plain:
            with self.gateway.tls.wrap_socket(plain, server_hostname="localhost") as s:
                return int(s.getpeercert()["serialNumber"], 16)

    def in_use(self):
        return self.gateway.admin("GET", "/api/v1/certificates/server")

    def test_the_servers_certificate(self):
        """S2-27."""
        gateway = self.gateway = Gateway("certs-unasked").__enter__()
        self.addCleanup(gateway.kill)
        gateway.cli("certs", "init", "--host", "localhost", "--host", "127.0.0.1")
        gateway.stop()
        plain = gateway.environment
        gateway.environment = lambda: {**plain(), "SALLYPORT_TLS_ENABLED": "true"}
        gateway.tls = ssl.create_default_context(cafile=os.path.join(gateway.home, "certs", "ca.crt"))
        gateway.start()
        before = self.in_use()
        self.assertEqual(self.served(), int(before["serial"], 16))
        gateway.stop()
        path = os.path.join(gateway.home, "certs", "index.sealed")
        index = home_reader.changed(gateway, index=home_reader.file_of(gateway, "certs", "index.sealed").decode())["index"]
        with open(path, "w") as file:
            file.write(index)
        gateway.start()
        processes.wait_until(lambda: self.in_use()["serial"] != before["serial"], 100 * SLOW, "another certificate")
        after = self.in_use()
        processes.wait_until(lambda: self.served() == int(after["serial"], 16), 30 * SLOW, "that one served")
        self.assertEqual((after["alt_names"], after["status"]), (before["alt_names"], "valid"))
        self.assertGreater(after["renews_at"], before["issued_at"])
        self.assertNotEqual(after["spki_sha256"], before["spki_sha256"], "its key is another one too")
        self.assertTrue([record for record in gateway.audit(action="certificate_renew", principal="system") if after["serial"] in repr(record)])
        self.assertEqual(mcp.get(gateway, "/health").status, 200)
        gateway.close()


if __name__ == "__main__":
    unittest.main()
