"""What the tests of the built-in authority share: one gateway with an authority, and other people's programs as judges."""
import os
import subprocess
import unittest

import scratch
from gateway import SLOW, Gateway


def openssl(*args, stdin=b""):
    return subprocess.run(["openssl", *args], input=stdin, capture_output=True, timeout=60,
                          env={"PATH": "/usr/bin:/bin", "OPENSSL_CONF": "/dev/null"})


class Certs(unittest.TestCase):
    hosts = ("localhost", "127.0.0.1")
    settings, policies = None, None

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("certs", cls.settings, policies=cls.policies).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.cli("certs", "init", *[word for host in cls.hosts for word in ("--host", host)])

    def file(self, name):
        return os.path.join(self.gateway.home, "certs", name)

    def bytes_of(self, name):
        with open(self.file(name), "rb") as file:
            return file.read()

    def issued(self, kind, name, *options):
        """Paths of certificate and key, readable to everyone, since the judges may run as somebody else."""
        prefix = os.path.join(scratch.folder("issued"), name)
        self.gateway.cli("certs", "issue", kind, name, "--out", prefix, *options)
        return prefix + ".crt", prefix + ".key"

    def show(self, which):
        return self.gateway.admin("GET", "/api/v1/certificates/" + which)

    def verified(self, path, *options):
        """Empty where `openssl verify` takes it; else what it says."""
        ran = openssl("verify", "-x509_strict", "-CAfile", self.file("ca.crt"), *options, path)
        return "" if ran.returncode == 0 else (ran.stdout + ran.stderr).decode()
