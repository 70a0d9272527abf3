"""TLS to an upstream of its own kind (S2-26, S2-25): authority, pins, client certificate; each refusal by its name for the
operator, and nothing of it for the caller."""
import json
import os
import sqlite3
import unittest

import authority
import mcp
from gateway import Gateway
from tls_mcp_server import Server


class UpstreamTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("upstream-tls").__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.ca = authority.Authority(cls.gateway.folder, "ca")
        cls.other = authority.Authority(cls.gateway.folder, "other")
        cls.pair = cls.ca.issue("server", "IP:127.0.0.1")
        cls.client = cls.ca.issue("gateway-client")
        cls.stranger = cls.other.issue("stranger")
        for pair in (cls.client, cls.stranger):
            authority.for_the_gateway(pair.key)
        cls.server = cls.serve(cls.pair, cls.ca.pem)

    @classmethod
    def serve(cls, pair, client_ca=None):
        server = Server(pair, client_ca)
        cls.addClassCleanup(server.close)
        return server

    def shown(self, pair):
        return ("--client-cert", pair.certificate, "--client-key", "${file:%s}" % pair.key)

    def refused(self, server, *options, host="127.0.0.1"):
        ran = self.gateway.run("server", "add", "bad", "--url", server.url(host), "--allow-private", *options)
        self.assertNotEqual(0, ran.code)
        self.assertNotIn("bad", self.gateway.cli("server", "list"))
        return ran.err

    def test_a_client_certificate_is_shown_and_a_pin_kept_over_a_restart(self):
        self.gateway.add_http("kept", self.server.url(), "--ca", self.ca.pem, "--pin", authority.pin(self.pair.certificate),
                              *self.shown(self.client))
        secret = self.gateway.key("kept").secret
        session = mcp.Session(self.gateway, secret, "kept").open()
        self.assertEqual("gateway-client", session.text("whoami"))
        session.close()
        self.gateway.stop()
        self.gateway.start()
        session = mcp.Session(self.gateway, secret, "kept").open()
        self.assertEqual("gateway-client", session.text("whoami"))
        session.close()
        shown = json.loads(self.gateway.cli("server", "show", "kept", "--json"))
        self.assertEqual({"ca": self.ca.pem, "pins": [authority.pin(self.pair.certificate)],
                          "client_certificate": self.client.certificate}, shown["tls"])

    def test_each_refusal_has_its_name(self):
        plain = self.serve(self.pair)
        expired = self.serve(self.ca.issue("old", "IP:127.0.0.1", expired=True))
        ca = ("--ca", self.ca.pem)
        self.assertIn("unknown CA", self.refused(plain))
        self.assertIn("unknown CA", self.refused(plain, "--ca", self.other.pem))
        self.assertIn("name mismatch", self.refused(plain, *ca, host="localhost"))
        self.assertIn("expired", self.refused(expired, *ca))
        self.assertIn("pin mismatch", self.refused(plain, *ca, "--pin", authority.pin(self.client.certificate)))
        self.assertIn("client certificate refused", self.refused(self.server, *ca))
        self.assertIn("client certificate refused", self.refused(self.server, *ca, *self.shown(self.stranger)))
        self.assertEqual([], plain.callers, "nothing was asked of a server that had not proven itself")

    def test_callers_learn_nothing_of_the_reason(self):
        plain = self.serve(self.pair)
        self.gateway.add_http("turned", plain.url(), "--ca", self.ca.pem)
        session = mcp.Session(self.gateway, self.gateway.key("turned").secret, "turned").open()
        self.assertEqual("nobody", session.text("whoami"))
        self.gateway.cli("server", "tls", "turned", "--ca", self.ca.pem, "--pin", authority.pin(self.client.certificate))
        answer = session.call("whoami")
        session.close()
        said = answer.body.decode().lower()
        self.assertNotIn('"nobody"', said)
        for word in ("pin", "certificate", "tls", "127.0.0.1:"):
            self.assertNotIn(word, said)
        self.assertIn("pin mismatch", json.dumps(self.gateway.audit()))
        self.gateway.cli("server", "tls", "turned", "--ca", self.ca.pem, "--pin", authority.pin(self.pair.certificate))
        self.assertTrue(self.gateway.audit(method="PUT", path="/api/v1/servers/turned/tls"))

    def test_a_renewed_pair_is_taken_up(self):
        pair = self.ca.issue("before")
        authority.for_the_gateway(pair.key)
        self.gateway.add_http("renewed", self.server.url(), "--ca", self.ca.pem, *self.shown(pair))
        secret = self.gateway.key("renewed").secret
        fresh = self.ca.issue("after")
        for new, old in ((fresh.key, pair.key), (fresh.certificate, pair.certificate)):
            os.replace(new, old)
        authority.for_the_gateway(pair.key)
        self.gateway.cli("server", "restart", "renewed")
        session = mcp.Session(self.gateway, secret, "renewed").open()
        self.assertEqual("after", session.text("whoami"))
        session.close()

    def test_what_is_no_way_to_name_a_key_is_refused(self):
        with open(self.client.key) as file:
            key = file.read()
        add = ("server", "add", "bad", "--url", self.server.url(), "--allow-private", "--ca", self.ca.pem)
        for wrong in (key, self.client.key, "${env:KEY}"):
            ran = self.gateway.run(*add, "--client-cert", self.client.certificate, "--client-key", wrong)
            self.assertEqual(2, ran.code, ran.err)
            self.assertNotIn(key.split("\n")[1], ran.out + ran.err)
        with open(self.client.certificate) as file:
            both = file.read() + key
        ran = self.gateway.run(*add, "--client-cert", both, "--client-key", "${file:%s}" % self.client.key)
        self.assertNotEqual(0, ran.code)
        self.assertIn("private key", ran.err)
        for option in (("--pin", "sha256/nothing"), ("--client-cert", self.client.certificate),
                       ("--ca", os.path.join(self.gateway.folder, "absent.pem")), ("--ca", "/dev/zero")):
            self.assertNotEqual(0, self.gateway.run(*add, *option).code, option)
        with sqlite3.connect("file:%s/sallyport.db?mode=ro" % self.gateway.home, uri=True) as database:
            dump = "\n".join(database.iterdump())
        self.assertNotIn(key.split("\n")[1], dump + self.gateway.log())

    def test_over_http_no_file_of_this_machine_is_named(self):
        admin = mcp.Client(self.gateway)
        login = admin.ask("POST", "/auth/login", {"username": "anna", "password": self.password()})
        admin.secret = login.message["access_token"]
        body = {"name": "far", "url": "https://tools.example/mcp", "probe": False}
        for tls in ({"ca": "/etc/passwd"}, {"client_certificate": "/etc/passwd", "client_key": "${file:/etc/passwd}"},
                    {"client_key": "${vault:key}"}):
            for answer in (admin.ask("POST", "/api/v1/servers", {**body, "tls": tls}),
                           admin.ask("PUT", "/api/v1/servers/kept/tls", tls)):
                self.assertEqual(403, answer.status, answer)
        with open(self.ca.pem) as file:
            answer = admin.ask("POST", "/api/v1/servers", {**body, "tls": {"ca": file.read()}})
        self.assertEqual(201, answer.status, answer)
        self.assertEqual("PEM", admin.ask("GET", "/api/v1/servers/far").message["tls"]["ca"])
        self.gateway.add_http("named", "https://tools.example/mcp", "--header", "X-Key=${file:%s}" % self.client.key, "--no-probe")
        with open(self.other.pem) as file:
            theirs = file.read()
        for server in ("far", "named"):  # what keeps a server's credentials from others is not a token's to take away
            for tls in ({}, {"ca": theirs}, {"pins": []}):
                answer = admin.ask("PUT", "/api/v1/servers/%s/tls" % server, tls)
                self.assertEqual(403, answer.status, (server, tls, answer))
        admin.close()

    def password(self):
        """Of an administrator who has a password of their own."""
        password = "Violet-Tractor-7-Moss"
        if "anna" not in self.gateway.cli("user", "list"):
            self.gateway.user("anna", password, "admin")
        return password


if __name__ == "__main__":
    unittest.main()
