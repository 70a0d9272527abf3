"""Client certificates as a proof of who calls (S2-26): whom they open the doors for, the alert of each bad one, and that what is
taken away ends at the next request of a connection that is open."""
import json
import os
import signal
import socket
import ssl
import subprocess
import unittest

import authority
import mcp
import processes
from gateway import SLOW
from tls import TlsGateway

TIME_LIMIT = 300
PASSWORD = "Violet-Tractor-7-Moss"
URI = "spiffe://prod.example/ada"
OPEN_ADMIN = "package admin_access\nimport rego.v1\nallow if input.granted\n"  # whoever holds the permission, not admins alone


class Case(unittest.TestCase):
    USE = "beside"

    @classmethod
    def setUpClass(cls):
        cls.gateway = TlsGateway("client-certificates-" + cls.USE, {
            "tls.client_certificates": "optional", "auth.client_certificates": cls.USE}, policies={"admin_access.rego": OPEN_ADMIN})
        cls.clients = authority.Authority(cls.gateway.folder, "clients")
        cls.strangers = authority.Authority(cls.gateway.folder, "strangers")
        cls.gateway.settings["tls.client_ca"] = cls.clients.pem
        cls.gateway.settings["tls.crl"] = os.path.join(cls.gateway.certs, "crl.pem")
        cls.place_first_list()
        cls.gateway.__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.gateway.user("ada", PASSWORD)
        cls.ada = cls.clients.issue("ada", "URI:%s,DNS:ada.example" % URI)
        cls.other = cls.clients.issue("other", "URI:spiffe://prod.example/other")
        cls.key = cls.gateway.key("agent")
        cls.agent = cls.clients.issue("agent", "DNS:agent.example")
        cls.mapping = cls.identity("uri:" + URI, "--user", "ada")
        cls.identity("dns:agent.example", "--key", cls.key.id)

    @classmethod
    def place_first_list(cls):
        """Beside the files that TlsGateway makes before the first start."""
        choose = cls.gateway.choose_port

        def choose_port():
            choose()
            cls.gateway.place(cls.clients.crl(), "crl.pem")
        cls.gateway.choose_port = choose_port

    @classmethod
    def identity(cls, *args):
        return json.loads(cls.gateway.cli("identity", "add", *args, "--json"))

    def client(self, pair=None, secret=None):
        client = mcp.Client(self.gateway, secret)
        if pair:
            client.connection._context = self.context(pair)
        self.addCleanup(client.close)
        return client

    def context(self, pair=None, version=None):
        context = self.gateway.client_context(*(pair or ()))
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def me(self, *args):
        return self.client(*args).ask("GET", "/api/v1/auth/me")

    def assert_audited(self, *texts):
        found = lambda: any(all(text in json.dumps(record) for text in texts) for record in self.gateway.audit())
        processes.wait_until(found, 10 * SLOW, "a record with " + ", ".join(texts))


class Beside(Case):
    def test_a_mapped_certificate_is_who_it_stands_for(self):
        answer = self.me(self.ada)
        self.assertEqual((200, "ada", "client_certificate"),
                         (answer.status, answer.message["name"], answer.message["auth_type"]))
        session = mcp.Session(self.gateway, None)
        session.connection._context = self.context(self.agent)
        session.open()
        self.assertEqual("5", session.text("calc_add", {"a": 2, "b": 3}))
        session.close()
        self.assert_audited('"auth_type": "client_certificate"', '"principal": "key:%s"' % self.key.id)
        self.assertEqual(200, self.me(None, self.key.secret).status, "keys open the door as before")

    def test_one_that_stands_for_nobody_is_nobody(self):
        self.assertEqual(401, self.me(self.other).status)
        self.assert_audited("identity.certificate_unknown", authority.fingerprint(self.other.certificate))
        self.assertEqual(200, self.me(self.other, self.key.secret).status)
        self.assertEqual(401, self.me(self.ada, "nonsense").status, "a bad key is not made good")
        self.assertEqual(401, self.me().status)

    def test_no_header_speaks_of_certificates(self):
        with open(self.ada.certificate) as file:
            pem = file.read().replace("\n", " ")
        hexed = authority.fingerprint(self.ada.certificate)
        forged = {"X-SSL-Client-Cert": pem, "X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-S-DN": "CN=ada",
                  "X-Forwarded-Client-Cert": "Hash=%s;URI=%s" % (hexed, URI), "Client-Cert": ":%s:" % hexed,
                  "X-Client-Cert": pem, "X-Forwarded-For": "127.0.0.1", "X-Sallyport-Principal": "user:ada"}
        for pair in (None, self.other):
            self.assertEqual(401, self.client(pair).ask("GET", "/api/v1/auth/me", headers=forged).status)

    def test_a_mapping_that_is_taken_away_ends_open_connections(self):
        pair = self.clients.issue("gone", "email:gone@example.com")
        made = self.identity("email:gone@example.com", "--key", self.key.id)
        client = self.client(pair)
        session = mcp.Session(self.gateway, None)
        session.connection._context = self.context(pair)
        session.open()
        self.assertEqual(200, client.ask("GET", "/api/v1/auth/me").status)
        local = client.connection.sock.getsockname()
        self.gateway.cli("identity", "remove", made["id"])
        self.assertEqual(401, client.ask("GET", "/api/v1/auth/me").status)
        self.assertEqual(local, client.connection.sock.getsockname(), "the very same connection")
        self.assertEqual(401, session.call("calc_add", {"a": 1, "b": 1}).status)
        session.connection.close()
        self.assert_audited("identity.certificate_unknown", authority.fingerprint(pair.certificate))
        self.assert_audited('"action": "DELETE /client-certificates/{id}"')

    def test_a_user_who_is_disabled_is_nobody(self):
        self.gateway.user("bob", PASSWORD)
        pair = self.clients.issue("bob")
        made = self.identity("--certificate", pair.certificate, "--user", "bob")
        self.assertEqual("sha256:" + authority.fingerprint(pair.certificate), made["name"])
        client = self.client(pair)
        self.assertEqual(200, client.ask("GET", "/api/v1/auth/me").status)
        self.gateway.cli("user", "disable", "bob")
        self.assertEqual(401, client.ask("GET", "/api/v1/auth/me").status)
        self.gateway.cli("user", "enable", "bob")
        self.assertEqual(200, client.ask("GET", "/api/v1/auth/me").status)

    def test_a_certificate_that_is_revoked_meanwhile_ends_its_open_connection(self):
        pair = self.clients.issue("revoked later", "DNS:later.example")
        self.identity("dns:later.example", "--key", self.key.id)
        client, beside = self.client(pair), self.client(pair, self.key.secret)
        for one in (client, beside):
            self.assertEqual(200, one.ask("GET", "/api/v1/auth/me").status)
        self.clients.revoke(pair)
        self.gateway.place(self.clients.crl(), "crl.pem")
        self.gateway.process.send_signal(signal.SIGHUP)
        for one in (client, beside):  # a good key does not pass over it either; the workers learn of the list one after the other
            processes.wait_until(lambda one=one: one.ask("GET", "/api/v1/auth/me").status == 401, 20 * SLOW, "the end of it")
        self.assert_audited("identity.certificate_revoked", authority.fingerprint(pair.certificate))
        self.assertEqual(200, self.me(self.ada).status, "others go on")
        self.alert(pair, 44, "certificate revoked")

    def alert(self, pair, number, words):
        """OpenSSL's client and Python's are told the same, in both versions."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with socket.create_connection(("127.0.0.1", self.gateway.port), timeout=20) as plain:
                with self.assertRaises(ssl.SSLError) as raised:
                    with self.context(pair, version).wrap_socket(plain, server_hostname="127.0.0.1") as s:
                        s.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                        s.recv(100)
                self.assertIn(words, str(raised.exception).lower().replace("_", " "))
        ran = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % self.gateway.port, "-cert", pair.certificate,
                              "-key", pair.key, "-CAfile", self.gateway.authority.certificate, "-ign_eof"],
                             input="GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", capture_output=True, text=True, timeout=60)
        self.assertIn("alert number %d" % number, ran.stderr + ran.stdout)
        self.assertNotIn("healthy", ran.stdout)

    def test_a_certificate_that_has_expired(self):
        pair = self.clients.issue("old", "URI:" + URI, expired=True)
        self.alert(pair, 45, "certificate expired")
        self.assert_audited("connection.certificate", "expired", authority.fingerprint(pair.certificate))

    def test_a_certificate_that_was_revoked(self):
        pair = self.clients.issue("revoked", "DNS:revoked.example")
        self.clients.revoke(pair)
        self.gateway.place(self.clients.crl(), "crl.pem")
        self.gateway.process.send_signal(signal.SIGHUP)
        refused = lambda: self.hello(pair) is None
        processes.wait_until(refused, 20 * SLOW, "the list being read")
        self.alert(pair, 44, "certificate revoked")
        self.assert_audited("connection.certificate", "revoked", authority.fingerprint(pair.certificate))

    def hello(self, pair):
        try:
            return self.me(pair).status
        except (ssl.SSLError, ConnectionError):
            return None

    def test_a_certificate_of_another_authority(self):
        pair = self.strangers.issue("stranger", "URI:" + URI)
        self.alert(pair, 48, "unknown ca")
        self.assert_audited("connection.certificate", authority.fingerprint(pair.certificate))

    def test_a_certificate_of_another_name_is_told_by_401(self):
        pair = self.clients.issue("almost", "URI:%s/x,DNS:ada.example.evil.example,email:ada@example.com" % URI)
        self.assertEqual(401, self.me(pair).status)
        self.assert_audited("identity.certificate_unknown", authority.fingerprint(pair.certificate))

    def test_nobody_maps_one_to_who_may_more(self):
        self.gateway.user("clerk", PASSWORD)
        self.gateway.cli("role", "add", "people", "--scope", "user:read", "--scope", "user:write")
        self.gateway.cli("user", "update", "clerk", "--role", "people")
        self.gateway.user("boss", PASSWORD, "admin")
        clerk = self.client()
        clerk.secret = clerk.ask("POST", "/auth/login", {"username": "clerk", "password": PASSWORD}).message["access_token"]
        answer = clerk.ask("POST", "/api/v1/client-certificates", {"name": "dns:mine.example", "user": "boss"})
        self.assertEqual(403, answer.status, answer)
        self.assertIn("who may what you do not hold", answer.message["error"]["message"])
        answer = clerk.ask("DELETE", "/api/v1/client-certificates/" + self.mapping["id"])
        self.assertEqual(403, answer.status, answer)
        answer = clerk.ask("POST", "/api/v1/client-certificates", {"name": "dns:mine.example", "key": self.key.id})
        self.assertEqual(403, answer.status, answer)
        for wrong in ({"name": "dns:*.example", "user": "ada"}, {"name": "cn:ada", "user": "ada"}, {"name": "dns:a.example"},
                      {"user": "ada"}, {"name": "dns:a.example", "user": "ada", "key": "x"}, {"certificate": "x", "user": "ada"}):
            self.assertEqual(400, clerk.ask("POST", "/api/v1/client-certificates", wrong).status, wrong)


class Required(Case):
    USE = "required"

    def test_both_proofs_of_one_principal(self):
        self.assertEqual(200, self.me(self.agent, self.key.secret).status)
        self.assertEqual(401, self.me(None, self.key.secret).status)
        self.assertEqual(401, self.me(self.agent).status)
        self.assertEqual(401, self.me(self.ada, self.key.secret).status)
        self.assertEqual(401, self.me(self.other, self.key.secret).status)
        self.assert_audited("identity.no_certificate")
        self.assert_audited("identity.certificate_of_another", authority.fingerprint(self.ada.certificate))
        token = self.client().ask("POST", "/auth/login", {"username": "ada", "password": PASSWORD}).message["access_token"]
        self.assertEqual(200, self.me(self.ada, token).status)
        self.assertEqual(401, self.me(None, token).status)
        self.assertEqual(401, self.me(self.agent, token).status)
        self.assertIn("ada", self.gateway.cli("user", "list"), "the admin socket asks for nothing")


class Only(Case):
    USE = "only"

    def test_certificates_alone(self):
        self.assertEqual(200, self.me(self.agent).status)
        self.assertEqual(401, self.me(None, self.key.secret).status)
        self.assertEqual(401, self.me(self.agent, self.key.secret).status)
        self.assert_audited("identity.certificate_only")
        self.assertIn("ada", self.gateway.cli("user", "list"), "the admin socket asks for nothing")


del Case

if __name__ == "__main__":
    unittest.main()
