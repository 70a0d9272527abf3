"""Which handshakes the listener takes, one suite and one version at a time (S2-25, S2-28), and the names of files that the guides use
(S0-29, S2-32). What strangers' scanners say: scanners_test.py."""
import os
import shutil
import socket
import ssl
import threading
import unittest

import mcp
from gateway import Gateway
from tls import Authority, TlsGateway

FORWARD_SECRET = ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305")
# Keys of RSA for the exchange, finite-field DHE, CBC, and no certificate at all.
OTHERS = ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "DHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES128-SHA256",
          "AECDH-AES128-SHA")


def shaken(context, port, name="127.0.0.1"):
    """Version and suite that were agreed on, or why not."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=name) as s:
                s.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                return (s.version(), s.cipher()[0]) if s.recv(1000).startswith(b"HTTP/1.1 200 ") else (None, "no answer")
        except ssl.SSLError as error:
            return None, error.reason
        except ConnectionError:
            return None, "reset"


def only(context, suites, version):
    context.set_ciphers(suites + ":@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    return context


class Willing:
    """A server that takes any version and any suite: what a client that the gateway refused really offered."""

    def __init__(self, certificate, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.context.set_ciphers("ALL:@SECLEVEL=0")
        self.context.minimum_version = ssl.TLSVersion.TLSv1
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            try:
                with self.context.wrap_socket(peer, server_side=True) as s:
                    s.recv(1000)
                    s.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            except (ssl.SSLError, OSError):
                pass


class Suites(unittest.TestCase):
    def test_versions_below_1_2_and_suites_without_ecdhe_are_refused(self):
        """S2-25, S2-28: what is refused was offered in earnest; another server takes it."""
        with TlsGateway("tls-suites") as gateway:
            certificate = gateway.renew("rsa", kind="rsa2048")
            gateway.stop()
            gateway.start()
            willing = Willing(certificate, gateway.authority.path("rsa.key"))
            self.addCleanup(willing.listener.close)
            for suite in FORWARD_SECRET:
                context = only(gateway.client_context(), suite, ssl.TLSVersion.TLSv1_2)
                self.assertEqual(shaken(context, gateway.port), ("TLSv1.2", suite))
            offered = 0
            for suite in OTHERS:
                context = only(gateway.client_context(), suite, ssl.TLSVersion.TLSv1_2)
                self.assertIsNone(shaken(context, gateway.port)[0], suite)
                offered += shaken(context, willing.port)[0] == "TLSv1.2"
            self.assertGreaterEqual(offered, 4)
            for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
                context = only(gateway.client_context(), "ALL", version)
                self.assertIsNone(shaken(context, gateway.port)[0], version)
                self.assertIsNotNone(shaken(context, willing.port)[0], "%s: it was not offered" % version)
            self.assertEqual(shaken(gateway.client_context(), gateway.port)[0], "TLSv1.3")


class Names(unittest.TestCase):
    def put(self, gateway, folder, names):
        """Copies of files of an authority into a folder of the home, as its owner."""
        to = os.path.join(gateway.home, folder)
        os.makedirs(to, mode=0o700, exist_ok=True)
        for source, name in names.items():
            shutil.copyfile(source, os.path.join(to, name))
            os.chmod(os.path.join(to, name), 0o600)
        if os.geteuid() == 0:
            owner = os.stat(gateway.home)
            for path in (os.path.join(gateway.home, folder.split("/")[0]), to, *(os.path.join(to, name) for name in names.values())):
                os.chown(path, owner.st_uid, owner.st_gid)

    def with_files(self, name, folder, names, environment):
        """A gateway of plain HTTP that is given certificates and told of them."""
        gateway = Gateway(name).__enter__()
        self.addCleanup(gateway.kill)
        gateway.stop()
        self.authority = Authority(os.path.join(gateway.folder, "authority"))
        certificate, key = self.authority.issue("server")
        self.put(gateway, folder, dict(zip((certificate, key, self.authority.certificate), names)))
        plain = gateway.environment
        gateway.environment = lambda: {**plain(), **environment}
        return gateway

    def context(self, *pair):
        context = ssl.create_default_context(cafile=self.authority.certificate)
        if pair:
            context.load_cert_chain(*pair)
        return context

    def test_cert_pem_and_key_pem(self):
        """S0-29."""
        gateway = self.with_files("tls-pem", "certs", ("cert.pem", "key.pem", "ca.crt"),
                                  {"SALLYPORT_TLS_CERTIFICATE": "certs/cert.pem", "SALLYPORT_TLS_KEY": "certs/key.pem"})
        gateway.tls = self.context()
        gateway.start()
        self.assertEqual(mcp.get(gateway, "/health").status, 200)
        gateway.close()

    def test_the_second_guides_paths(self):
        """S2-32: all three; the authority of TLS_CA_PATH is the one that clients need."""
        gateway = self.with_files("tls-paths", "security/certs", ("server.crt", "server.key", "ca.crt"),
                                  {"TLS_CERT_PATH": "./security/certs/server.crt", "TLS_KEY_PATH": "./security/certs/server.key",
                                   "TLS_CA_PATH": "./security/certs/ca.crt", "SALLYPORT_TLS_CLIENT_CERTIFICATES": "required"})
        stranger = Authority(os.path.join(gateway.folder, "stranger"), "somebody else")
        gateway.tls = self.context(*self.authority.issue("client", names="DNS:client", usage="clientAuth"))
        gateway.start()
        self.assertEqual(mcp.get(gateway, "/health").status, 200)
        self.assertIsNone(shaken(self.context(), gateway.port)[0], "no certificate")
        foreign = stranger.issue("client", names="DNS:client", usage="clientAuth")
        self.assertIsNone(shaken(self.context(*foreign), gateway.port)[0], "one of another authority")
        gateway.close()


if __name__ == "__main__":
    unittest.main()
