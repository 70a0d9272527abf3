"""Who may have the built-in authority do what, and whom a mapping of a client certificate lets in (S2-26, S2-27, S4-4): with a
policy that lets whoever holds a permission administer, not admins alone."""
import json
import ssl
import unittest

import authority
import mcp
import scratch
from certs_case import Certs
from gateway import Gateway

PASSWORD = "Violet-Tractor-7-Moss"
OPEN_ADMIN = {"admin_access.rego": "package admin_access\nimport rego.v1\nallow if input.granted\n"}


def login(gateway, name, *scopes, client=None):
    """Somebody of that name who holds these permissions and no role admin."""
    gateway.user(name, PASSWORD)
    gateway.cli("role", "add", "role-" + name, *[word for scope in scopes for word in ("--scope", scope)])
    gateway.cli("user", "update", name, "--role", "role-" + name)
    client = client or mcp.Client(gateway)
    client.secret = client.ask("POST", "/auth/login", {"username": name, "password": PASSWORD}).message["access_token"]
    return client


class Power(Certs):
    policies = OPEN_ADMIN

    def test_who_administers_without_being_an_admin_is_no_server(self):
        """The gateway's own name in another's hands would be the gateway, to all who trust its authority."""
        keeper = login(self.gateway, "keeper", "system:admin")
        server = self.show("server")["serial"]
        notes = self.gateway.admin("POST", "/api/v1/certificates", {"kind": "server", "name": "notes", "hosts": ["notes.internal"]})["serial"]
        for path, body in (("", {"kind": "server", "name": "localhost", "hosts": ["localhost"]}),
                           ("", {"kind": "server", "name": "elsewhere", "hosts": ["elsewhere.example"]}),
                           ("/authority", {"hosts": ["localhost"]}), ("/server/renew", {}), ("/ca/renew", {}), ("/%s/renew" % notes, {}),
                           ("/%s/revoke" % server, {}), ("/%s/revoke" % notes, {})):
            answer = keeper.ask("POST", "/api/v1/certificates" + path, body)
            self.assertEqual(403, answer.status, (path, body, answer.body))
            self.assertIn("Only an admin", answer.message["error"]["message"])
        self.assertEqual(server, self.show("server")["serial"])
        self.assertEqual("valid", self.show(notes)["status"])
        made = keeper.ask("POST", "/api/v1/certificates", {"kind": "client", "name": "robot"})
        self.assertEqual(201, made.status, made.body)
        self.assertEqual(200, keeper.ask("POST", "/api/v1/certificates/%s/revoke" % made.message["serial"], {}).status)

    def test_a_certificate_that_stands_for_an_admin_by_its_fingerprint_is_not_taken_away(self):
        keeper = login(self.gateway, "keeper2", "system:admin")
        self.gateway.user("boss", PASSWORD, "admin")
        path, _ = self.issued("client", "laptop")
        self.gateway.cli("identity", "add", "--certificate", path, "--user", "boss")
        serial = self.show("laptop")["serial"]
        for what in ("revoke", "renew"):
            answer = keeper.ask("POST", "/api/v1/certificates/%s/%s" % (serial, what), {"revoke_old": True} if what == "renew" else {})
            self.assertEqual(403, answer.status, (what, answer.body))
        self.assertEqual("valid", self.show(serial)["status"])


class Mapping(Certs):
    policies = OPEN_ADMIN

    def add(self, client, **body):
        return client.ask("POST", "/api/v1/client-certificates", body)

    def test_a_certificate_that_was_issued_before_is_let_in_only_where_it_is_named(self):
        """Whoever had one issued in a name that nobody had yet would have the rights of whom it is mapped to later."""
        self.gateway.user("late", PASSWORD)
        self.issued("client", "early", "--email", "late@mail.example")
        serial = self.show("early")["serial"]
        refused = self.gateway.run("identity", "add", "email:late@mail.example", "--user", "late")
        self.assertEqual(1, refused.code, refused.out)
        self.assertIn(serial, refused.err)
        self.assertIn("--including", refused.err)
        self.assertNotIn("late@mail.example", self.gateway.cli("identity", "list"))
        made = json.loads(self.gateway.cli("identity", "add", "email:late@mail.example", "--user", "late", "--including", serial, "--json"))
        self.gateway.cli("identity", "remove", made["id"])
        self.gateway.cli("certs", "revoke", serial)
        made = json.loads(self.gateway.cli("identity", "add", "email:late@mail.example", "--user", "late", "--json"))
        self.gateway.cli("identity", "remove", made["id"])

    def test_nobody_who_manages_people_makes_an_admins_certificate_ambiguous(self):
        clerk = login(self.gateway, "clerk", "user:read", "user:write")
        self.gateway.user("chief", PASSWORD, "admin")
        others = authority.Authority(scratch.folder("others"), "others")
        pair = others.issue("chief", "email:chief@mail.example,DNS:laptop7.example")
        with open(pair.certificate) as file:
            pem = file.read()
        made = json.loads(self.gateway.cli("identity", "add", "email:chief@mail.example", "--user", "chief", "--json"))
        self.assertEqual(403, self.add(clerk, name="dns:laptop7.example", user="clerk").status)
        self.assertEqual(403, self.add(clerk, name="sha256:" + authority.fingerprint(pair.certificate), user="clerk").status)
        answer = self.add(clerk, certificate=pem, user="clerk")
        self.assertEqual(409, answer.status, answer.body)
        self.assertIn(made["id"], answer.message["error"]["message"])
        own = others.issue("clerk", "DNS:laptop8.example")
        with open(own.certificate) as file:
            self.assertEqual(201, self.add(clerk, certificate=file.read(), user="clerk").status)


class Handshake(unittest.TestCase):
    def test_what_is_included_opens_the_door_and_what_comes_later_too(self):
        """The whole way: the authority issues, the mapping names, the handshake and the request believe."""
        settings = {"tls.enabled": True, "tls.client_certificates": "optional", "auth.client_certificates": "beside"}
        gateway = Gateway("mapped", settings)
        gateway.tls = ssl.create_default_context()
        gateway.tls.check_hostname, gateway.tls.verify_mode = False, ssl.CERT_NONE
        start = gateway.start

        def begin():
            gateway.cli("certs", "init", "--host", "localhost")
            start()
        gateway.start = begin
        with gateway:
            gateway.user("ada", PASSWORD)
            pairs = {}
            for name in ("before", "after"):
                if name == "after":
                    serial = json.loads(gateway.cli("certs", "show", "before", "--json"))["serial"]
                    gateway.cli("identity", "add", "email:ada@mail.example", "--user", "ada", "--including", serial)
                prefix = scratch.folder("pair") + "/" + name
                gateway.cli("certs", "issue", "client", name, "--email", "ada@mail.example", "--out", prefix)
                pairs[name] = prefix + ".crt", prefix + ".key"
            for name, pair in pairs.items():
                client = mcp.Client(gateway)
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                context.load_cert_chain(*pair)
                client.connection._context = context
                self.assertEqual("ada", client.ask("GET", "/api/v1/auth/me").message["name"], name)
                client.close()


if __name__ == "__main__":
    unittest.main()
