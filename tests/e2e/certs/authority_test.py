"""The built-in certificate authority (issue 6, Certificates), judged by OpenSSL's program, Python's ssl, curl and Node."""
import json
import os
import re
import socket
import ssl
import stat
import subprocess
import threading
import time
import unittest

import mcp
import scratch
from certs_case import Certs, openssl
from gateway import SLOW, Gateway


class Judged(Certs):
    def text(self, name):
        return openssl("x509", "-in", self.file(name), "-noout", "-text").stdout.decode()

    def test_the_authority_is_what_rfc_5280_asks_for(self):
        """S2-27"""
        text = self.text("ca.crt")
        self.assertRegex(text, r"X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:0")
        self.assertRegex(text, r"X509v3 Key Usage: critical\s+Certificate Sign, CRL Sign")
        self.assertIn("X509v3 Subject Key Identifier", text)
        self.assertEqual(self.verified(self.file("ca.crt")), "")
        made, ends = (openssl("x509", "-in", self.file("ca.crt"), "-noout", "-" + which).stdout.decode().split("=")[1].strip()
                      for which in ("startdate", "enddate"))
        days = (time.mktime(time.strptime(ends, "%b %d %H:%M:%S %Y %Z")) - time.mktime(time.strptime(made, "%b %d %H:%M:%S %Y %Z"))) / 86400
        self.assertAlmostEqual(days, 3650, delta=0.1)

    def test_the_servers_certificate_is_good_for_its_hosts_and_for_serving_alone(self):
        """S2-25, S2-27"""
        path = self.file("server.crt")
        text = self.text("server.crt")
        self.assertRegex(text, r"X509v3 Basic Constraints: critical\s+CA:FALSE")
        self.assertRegex(text, r"X509v3 Key Usage: critical\s+Digital Signature\n")
        self.assertRegex(text, r"X509v3 Extended Key Usage:\s+TLS Web Server Authentication\n")
        self.assertRegex(text, r"DNS:localhost, IP Address:127\.0\.0\.1")
        self.assertIn("X509v3 Authority Key Identifier", text)
        self.assertEqual(self.verified(path, "-purpose", "sslserver", "-verify_hostname", "localhost"), "")
        self.assertEqual(self.verified(path, "-purpose", "sslserver", "-verify_ip", "127.0.0.1"), "")
        self.assertIn("hostname mismatch", self.verified(path, "-verify_hostname", "example.org"))
        self.assertIn("unsuitable certificate purpose", self.verified(path, "-purpose", "sslclient"))
        self.assertEqual(openssl("pkey", "-in", self.file("server.key"), "-pubout").stdout,
                         openssl("x509", "-in", path, "-noout", "-pubkey").stdout)

    def test_a_clients_certificate_is_good_for_nothing_else(self):
        """S2-26"""
        path, key = self.issued("client", "robot", "--user", "admin", "--email", "robot@mail.example", "--days", "30")
        self.assertEqual(self.verified(path, "-purpose", "sslclient"), "")
        self.assertIn("unsuitable certificate purpose", self.verified(path, "-purpose", "sslserver"))
        text = openssl("x509", "-in", path, "-noout", "-text").stdout.decode()
        who = [user["id"] for user in self.gateway.admin("GET", "/api/v1/users")["data"] if user["username"] == "admin"][0]
        self.assertIn("URI:urn:sallyport:user:%s, email:robot@mail.example" % who, text)
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
        self.assertEqual(openssl("pkey", "-in", key, "-pubout").stdout, openssl("x509", "-in", path, "-noout", "-pubkey").stdout)
        late = str(int(time.time()) + 31 * 86400)
        self.assertIn("certificate has expired", self.verified(path, "-attime", late))
        early = str(int(time.time()) - 3600)
        self.assertIn("certificate is not yet valid", self.verified(path, "-attime", early))

    def test_rsa_and_another_authority(self):
        path, _ = self.issued("server", "notes", "--host", "notes.internal", "--key-type", "rsa-3072")
        self.assertIn("Public-Key: (3072 bit)", openssl("x509", "-in", path, "-noout", "-text").stdout.decode())
        self.assertEqual(self.verified(path, "-purpose", "sslserver", "-verify_hostname", "notes.internal"), "")
        other = os.path.join(scratch.folder("other"), "ca")
        made = openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", other + ".key",
                       "-out", other + ".crt", "-days", "2", "-subj", openssl("x509", "-in", self.file("ca.crt"), "-noout", "-subject",
                       "-nameopt", "compat").stdout.decode().strip().split("subject=")[1].replace("CN = ", "/CN="))
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertNotEqual(openssl("verify", "-CAfile", other + ".crt", path).returncode, 0)

    def test_a_revoked_certificate_is_on_a_list_that_openssl_believes(self):
        """S2-27"""
        path, _ = self.issued("client", "leaver")
        crl = ("-crl_check", "-CRLfile", self.file("crl.pem"))
        self.assertEqual(self.verified(path, *crl), "")
        before = int(re.search(r"X509v3 CRL Number:\s+(\d+)", self.crl_text()).group(1))
        serial = openssl("x509", "-in", path, "-noout", "-serial").stdout.decode().strip().split("=")[1]
        self.gateway.cli("certs", "revoke", serial, "--reason", "keyCompromise")
        self.assertIn("certificate revoked", self.verified(path, *crl))
        text = self.crl_text()
        self.assertIn("Version 2", text)
        self.assertRegex(text, "Serial Number: %s(.|\n)*?Key Compromise" % serial)
        self.assertEqual(int(re.search(r"X509v3 CRL Number:\s+(\d+)", text).group(1)), before + 1)
        checked = openssl("crl", "-in", self.file("crl.pem"), "-noout", "-CAfile", self.file("ca.crt"))
        self.assertIn(b"verify OK", checked.stdout + checked.stderr)
        self.assertEqual(self.gateway.run("certs", "revoke", serial).code, 1)
        self.assertEqual(self.show(serial)["status"], "revoked")

    def crl_text(self):
        return openssl("crl", "-in", self.file("crl.pem"), "-noout", "-text").stdout.decode()

    def test_pkcs12_opens_with_its_password_alone(self):
        folder = scratch.folder("p12")
        path = os.path.join(folder, "phone.p12")
        self.gateway.cli("certs", "issue", "client", "phone", "--p12", path, stdin="a long password\n")
        opened = openssl("pkcs12", "-in", path, "-nodes", "-passin", "stdin", stdin=b"a long password\n")
        self.assertEqual(opened.returncode, 0, opened.stderr)
        self.assertEqual(opened.stdout.count(b"BEGIN CERTIFICATE"), 2)
        self.assertEqual(opened.stdout.count(b"BEGIN PRIVATE KEY"), 1)
        self.assertNotEqual(openssl("pkcs12", "-in", path, "-nodes", "-passin", "stdin", stdin=b"another one\n").returncode, 0)
        self.assertEqual(self.gateway.run("certs", "issue", "client", "p", "--p12", path + "2", stdin="short\n").code, 2)
        self.assertFalse(os.path.exists(path + "2"))


class Handshakes(Certs):
    """Python's ssl on both sides, with what the gateway issued and nothing else."""

    def serve(self, context, connections=1):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def work():
            for _ in range(connections):
                peer, _ = listener.accept()
                peer.settimeout(20 * SLOW)
                try:
                    with context.wrap_socket(peer, server_side=True) as secure:
                        secure.recv(4096)
                        secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
                except (ssl.SSLError, OSError) as error:
                    self.refusals.append(str(error))
        self.refusals = []
        thread = threading.Thread(target=work)
        thread.start()
        self.addCleanup(thread.join, 30 * SLOW)
        self.thread = thread
        return listener.getsockname()[1]

    def server_context(self, demand=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file("server.crt"), self.file("server.key"))
        if demand:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.file("ca.crt"))
            context.load_verify_locations(self.file("crl.pem"))
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        return context

    def shake(self, port, name="localhost", certificate=None):
        context = ssl.create_default_context(cafile=self.file("ca.crt"))
        if certificate:
            context.load_cert_chain(*certificate)
        with socket.create_connection(("127.0.0.1", port), timeout=20 * SLOW) as plain:
            with context.wrap_socket(plain, server_hostname=name) as secure:
                secure.sendall(b"GET / HTTP/1.1\r\n\r\n")
                return secure.recv(4096).endswith(b"ok")

    def test_the_servers_certificate_serves_its_names(self):
        """S2-25"""
        self.assertTrue(self.shake(self.serve(self.server_context())))
        self.assertTrue(self.shake(self.serve(self.server_context()), "127.0.0.1"))
        with self.assertRaisesRegex(ssl.SSLCertVerificationError, "Hostname mismatch"):
            self.shake(self.serve(self.server_context()), "example.org")

    def test_clients_are_let_in_until_they_are_revoked(self):
        """S2-26: a client of another authority and one without a certificate are refused too."""
        pair = self.issued("client", "visitor")
        self.assertTrue(self.shake(self.serve(self.server_context(True)), certificate=pair))
        self.gateway.cli("certs", "revoke", self.show("visitor")["serial"])
        folder = scratch.folder("stranger")
        stranger = os.path.join(folder, "c.crt"), os.path.join(folder, "c.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", stranger[1],
                "-out", stranger[0], "-days", "2", "-subj", "/CN=visitor")
        for certificate in (pair, stranger, None):
            port = self.serve(self.server_context(True))
            with self.assertRaises((ssl.SSLError, OSError)):
                if not self.shake(port, certificate=certificate):
                    raise OSError("closed")
            self.thread.join(30 * SLOW)
            self.assertEqual(len(self.refusals), 1, certificate)

    def test_trust_says_what_curl_and_node_need(self):
        """S2-27: the commands that `certs trust` prints, run."""
        path = os.path.join(scratch.folder("trust"), "sallyport-ca.crt")
        said = self.gateway.cli("certs", "trust", "--out", path)
        fingerprint = openssl("x509", "-in", path, "-noout", "-fingerprint", "-sha256").stdout.decode().split("=")[1].strip()
        self.assertIn(fingerprint.replace(":", "").lower(), said)
        for word in ("curl --cacert " + path, "NODE_EXTRA_CA_CERTS=" + path, "update-ca-certificates", "SSL_CERT_FILE=" + path):
            self.assertIn(word, said)
        port = self.serve(self.server_context(), connections=2)
        url = "https://localhost:%d/" % port
        curl = subprocess.run(["curl", "-s", "--noproxy", "*", "--cacert", path, url], capture_output=True, timeout=60)
        self.assertEqual((curl.returncode, curl.stdout), (0, b"ok"), curl.stderr)
        node = subprocess.run([scratch.node_binary(), "-e", "fetch(process.argv[1]).then(r => r.text()).then(t => console.log(t))", url],
                              capture_output=True, timeout=60, env={"PATH": "/usr/bin:/bin", "NODE_EXTRA_CA_CERTS": path})
        self.assertEqual(node.stdout.strip(), b"ok", node.stderr)
        self.assertEqual(self.gateway.run("certs", "trust", "--out", path).code, 1)  # what is there is not overwritten


class Managed(Certs):
    def ask(self, client, method, path, body=None):
        return client.ask(method, "/api/v1/certificates" + path, body)

    def test_list_renew_and_init_again(self):
        """S2-27"""
        old = self.show("server")
        self.gateway.cli("certs", "renew")
        now = self.show("server")
        self.assertNotEqual(now["serial"], old["serial"])
        self.assertEqual(now["alt_names"], old["alt_names"])
        self.assertEqual(self.show(old["serial"])["replaced_by"], now["serial"])
        self.assertEqual(self.verified(self.file("server.crt")), "")
        again = json.loads(self.gateway.cli("certs", "init", "--host", "gate.example", "--json"))
        self.assertEqual(again["alt_names"], ["dns:gate.example"])
        listed = json.loads(self.gateway.cli("certs", "list", "--json"))["data"]
        self.assertEqual([one["kind"] for one in listed if one["in_use"]], ["authority", "server"])
        self.assertIn("gate.example", self.gateway.cli("certs", "list"))
        self.gateway.cli("certs", "init", "--host", "localhost", "--host", "127.0.0.1")

    def test_keys_are_shown_once_and_found_nowhere_else(self):
        """S2-40, S0-28: not in the audit, the log, the database; the authority's own key is sealed."""
        made = self.gateway.admin("POST", "/api/v1/certificates", {"kind": "client", "name": "secretive"})
        self.assertIn("PRIVATE KEY", made["private_key"])
        body = "".join(made["private_key"].split("\n")[1:-2])
        server = "".join(self.bytes_of("server.key").decode().split("\n")[1:-2])
        for folder, _, names in os.walk(self.gateway.home):
            for name in names:
                if not stat.S_ISREG(os.lstat(os.path.join(folder, name)).st_mode):
                    continue
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read().replace(b"\n", b"").replace(b"\\n", b"")
                self.assertNotIn(body[30:60].encode(), content, name)
                if name != "server.key":
                    self.assertNotIn(server[30:60].encode(), content, name)
        self.assertNotIn(body[30:60], self.gateway.log())
        self.assertNotIn(b"PRIVATE KEY", self.bytes_of("ca.key"))
        self.assertNotIn("private_key", self.show("secretive"))
        for name in ("ca.key", "server.key", "index.sealed"):
            self.assertEqual(stat.S_IMODE(os.stat(self.file(name)).st_mode), 0o600)

    def test_what_is_done_is_noted_before_it_is_done(self):
        """S0-15, S2-20"""
        made = self.gateway.admin("POST", "/api/v1/certificates", {"kind": "client", "name": "noted", "user": "admin"})
        self.gateway.admin("POST", "/api/v1/certificates/%s/revoke" % made["serial"], {"reason": "superseded"})
        for what in ("certificate_issue", "certificate_revoke"):
            found = [one for one in self.gateway.audit(action=what) if made["serial"] in one["evidence"]]
            self.assertEqual(len(found), 1, what)
            self.assertTrue(found[0]["principal"].startswith("local:"))

    def test_orders_are_read_strictly(self):
        for body in ({"kind": "authority", "name": "x"}, {"kind": "client", "name": ""}, {"kind": "client", "name": "x" * 65},
                     {"kind": "client", "name": "x", "uris": ["urn:sallyport:user:admin"]}, {"kind": "client", "name": "x", "days": 826},
                     {"kind": "server", "name": "x"}, {"kind": "server", "name": "x", "hosts": ["a b"]},
                     {"kind": "server", "name": "x", "hosts": ["a.example"], "user": "admin"},
                     {"kind": "server", "name": "x", "hosts": ["a.example"], "emails": ["a@b.example"]},
                     {"kind": "client", "name": "x", "password": "short"}, {"kind": "client", "name": "x", "misspelt": 1}):
            with self.assertRaisesRegex(AssertionError, "validation", msg=body):
                self.gateway.admin("POST", "/api/v1/certificates", body)

    def test_expiry_is_a_metric(self):
        """S2-52"""
        text = mcp.Client(self.gateway).ask("GET", "/metrics").body.decode()
        for what in ("authority", "server", "revocations"):
            found = re.search(r'sallyport_certificate_expiry_timestamp_seconds\{certificate="%s"\} (\d+)' % what, text)
            self.assertGreater(int(found.group(1)), time.time() + 20 * 86400, what)
        self.assertRegex(text, r"(?m)^sallyport_certificate_renewal_failures_total 0$")


class Apart(unittest.TestCase):
    def test_without_a_server_and_after_kill_9(self):
        """The command line makes the authority by itself; what it made is there after a crash of the gateway."""
        with Gateway("apart") as gateway:
            self.assertEqual(gateway.run("certs", "trust").code, 4)
            gateway.stop()
            gateway.cli("certs", "init", "--host", "localhost")
            before = json.loads(gateway.cli("certs", "list", "--json"))["data"]
            self.assertEqual(len(before), 2)
            gateway.start()
            gateway.cli("certs", "issue", "client", "one")
            gateway.kill()
            gateway.start()
            after = json.loads(gateway.cli("certs", "list", "--json"))["data"]
            self.assertEqual([one["name"] for one in after[2:]], ["one"])
            self.assertEqual(after[:2], before)

    def test_a_damaged_folder_is_said_and_replaced_by_nothing(self):
        with Gateway("damaged") as gateway:
            gateway.cli("certs", "init")
            index = os.path.join(gateway.home, "certs", "index.sealed")
            gateway.stop()
            with open(index, "r+b") as file:
                file.seek(60)
                byte = file.read(1)
                file.seek(60)
                file.write(b"B" if byte == b"A" else b"A")
            gateway.start()
            self.assertIn("the certificate authority cannot be used", gateway.log())
            self.assertNotEqual(gateway.run("certs", "init").code, 0)
            self.assertNotEqual(gateway.run("certs", "list").code, 0)


if __name__ == "__main__":
    unittest.main()
