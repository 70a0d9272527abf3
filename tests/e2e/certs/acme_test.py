"""A certificate of a public authority by ACME (RFC 8555): Debian's lego as the gateway's child, Debian's pebble as the authority,
which looks up the names, comes for the answers, and signs nothing that it has not seen (issue 6, Certificates)."""
import glob
import json
import os
import shutil
import socket
import ssl
import stat
import subprocess
import unittest
import urllib.request

import mcp
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


class Acme(unittest.TestCase):
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
