"""What the tests of ACME share: Debian's pebble as the authority, which looks up the names, comes for the answers, and signs nothing
that it has not seen; a gateway that serves TLS."""
import json
import os
import shutil
import socket
import ssl
import stat
import subprocess
import unittest
import urllib.request

import processes
import scratch
from certs_case import openssl
from gateway import SLOW, Gateway

HOST, OTHER = "gateway.example", "other.example"


class Pebble:
    """The authority, and a name server for which every name is 127.0.0.1."""

    KID, HMAC = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"

    def __init__(self, binding=False):
        self.folder = scratch.folder("pebble")
        self.acme, self.management, self.dns, self.http, self.tls, self.lookups = (processes.free_port() for _ in range(6))
        self.ca = os.path.join(self.folder, "pebble.crt")
        key = os.path.join(self.folder, "pebble.key")
        made = openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", self.ca,
                       "-days", "2", "-subj", "/CN=pebble", "-addext", "subjectAltName=IP:127.0.0.1")
        assert made.returncode == 0, made.stderr
        os.chmod(self.ca, 0o644)
        config = {"pebble": {"listenAddress": "127.0.0.1:%d" % self.acme, "managementListenAddress": "127.0.0.1:%d" % self.management,
                             "certificate": self.ca, "privateKey": key, "httpPort": self.http, "tlsPort": self.tls,
                             "ocspResponderURL": "", "externalAccountBindingRequired": binding,
                             "externalAccountMACKeys": {self.KID: self.HMAC}}}
        path = os.path.join(self.folder, "config.json")
        with open(path, "w") as file:
            json.dump(config, file)
        self.log = os.path.join(self.folder, "log")
        self.running = []
        self.start("pebble-challtestsrv", "-dns01", "127.0.0.1:%d" % self.dns, "-http01", "", "-https01", "", "-tlsalpn01", "",
                   "-management", "127.0.0.1:%d" % self.lookups, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "")
        self.start("pebble", "-strict", "-config", path, "-dnsserver", "127.0.0.1:%d" % self.dns)
        processes.wait_until(lambda: processes.answers(self.acme) and processes.answers(self.management), 30 * SLOW, "pebble")
        self.directory = "https://127.0.0.1:%d/dir" % self.acme

    def start(self, *command):
        with open(self.log, "ab") as log:
            self.running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                                 env={"PATH": "/usr/bin:/bin", "PEBBLE_VA_NOSLEEP": "1"}))

    def close(self):
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(20)

    def root(self):
        """Of what it issues, into a file."""
        context = ssl.create_default_context(cafile=self.ca)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        path = os.path.join(self.folder, "root.pem")
        with opener.open("https://127.0.0.1:%d/roots/0" % self.management, timeout=20) as answer, open(path, "wb") as file:
            file.write(answer.read())
        return path


class TlsGateway(Gateway):
    """With the built-in authority's certificate to begin with, and the plain listener where pebble comes for the answers."""

    def __init__(self, name, settings, plain_port, port=None, environment=None):
        super().__init__(name, {"tls.enabled": True, "listen.redirect_port": plain_port, "listen.hosts": ["localhost", "127.0.0.1", HOST, OTHER],
                                **settings}, environment=environment)
        self.fixed_port = port
        self.tls = ssl.create_default_context()
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE  # what is served is looked at by `served`

    def choose_port(self):
        super().choose_port()
        if self.fixed_port:  # the authority comes to this one
            self.port, chosen = self.fixed_port, self.port
            path = os.path.join(self.home, "sallyport.yaml")
            with open(path) as file:
                text = file.read()
            with open(path, "w") as file:
                file.write(text.replace(str(chosen), str(self.port)))

    def start(self):
        if not os.path.exists(os.path.join(self.home, "certs", "server.crt")):
            self.cli("certs", "init", "--host", "localhost")
        super().start()

    def served(self, root, name):
        """Is the certificate that a new connection meets good for `name`, for whoever trusts `root`?"""
        context = ssl.create_default_context(cafile=root)
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=20 * SLOW) as plain:
                with context.wrap_socket(plain, server_hostname=name):
                    return True
        except ssl.SSLCertVerificationError:
            return False


class AcmeCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for program in ("pebble", "pebble-challtestsrv", "lego"):
            assert shutil.which(program), "%s is missing; fix: scripts/setup --tests" % program
        cls.pebble = Pebble()
        cls.addClassCleanup(cls.pebble.close)

    def settings(self, **more):
        return {"acme.enabled": True, "acme.directory": self.pebble.directory, "acme.email": "ops@mail.example", "acme.hosts": [HOST],
                "acme.ca": self.pebble.ca, **{name.replace("__", "."): value for name, value in more.items()}}

    def shown(self, gateway):
        ran = gateway.run("certs", "show", "server", "--json")
        return json.loads(ran.out) if ran.code == 0 else {}

    def wait_for_it(self, gateway, before=""):
        def there():
            now = self.shown(gateway)
            return now.get("issued_by") == "acme" and now["serial"] != before
        processes.wait_until(there, 60 * SLOW, lambda: "the certificate: " + gateway.log()[-2000:])
        return self.shown(gateway)

    def check(self, gateway, names):
        path, key = (os.path.join(gateway.home, "certs", name) for name in ("server.crt", "server.key"))
        for name in names:
            ran = openssl("verify", "-CAfile", self.pebble.root(), "-untrusted", path, "-purpose", "sslserver", "-verify_hostname", name, path)
            self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertEqual(openssl("pkey", "-in", key, "-pubout").stdout, openssl("x509", "-in", path, "-noout", "-pubkey").stdout)
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
