"""TLSConfig as a library: the example of examples/tls_config, run, and its files judged by OpenSSL's program (S2-45)."""
import os
import subprocess
import unittest

import scratch
from certs_case import openssl


class Library(unittest.TestCase):
    def run_example(self, *words):
        ran = subprocess.run([scratch.binary("sallyport-tls-config"), *words], capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return ran.stdout

    def test_setup_certificates_makes_what_a_server_loads(self):
        """S2-45"""
        folder = os.path.join(scratch.folder("library"), "certs")
        files = dict(line.split(" ", 1) for line in self.run_example(folder, "gateway.example").splitlines())
        ca = files["authority"]
        checked = openssl("verify", "-x509_strict", "-CAfile", ca, "-purpose", "sslserver", "-verify_hostname", "gateway.example",
                          files["certificate"])
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertEqual(openssl("pkey", "-in", files["key"], "-pubout").stdout,
                         openssl("x509", "-in", files["certificate"], "-noout", "-pubkey").stdout)
        with open(files["certificate"], "rb") as file:
            before = file.read()
        pems = self.run_example(folder, "gateway.example", "robot").split("revocations ")[1].split("\n", 1)[1]
        with open(files["certificate"], "rb") as file:
            self.assertEqual(file.read(), before)
        client = openssl("verify", "-CAfile", ca, "-crl_check", "-CRLfile", files["revocations"], "-purpose", "sslclient",
                         stdin=pems.encode())
        self.assertEqual(client.returncode, 0, client.stdout + client.stderr)


if __name__ == "__main__":
    unittest.main()
