"""S4-17: ${kv:...} against KV version 2 of a real HashiCorp Vault. `make vault-test`; tests/e2e/vault/remote_test.py has the same cases
against a server of ours."""
import hashlib
import http.client
import http.server
import json
import threading
import unittest

import leaks
import mcp
import processes
import scratch
import vault_server
from gateway import SLOW, Gateway

POLICY = {"secret/data/mail/*": ["read"], "secret/data/nothing": ["read"]}


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Passing(http.server.BaseHTTPRequestHandler):
    """Passes each question on to Vault; `server.said` has its path and namespace, which Vault does not tell."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.said.append((self.path, self.headers.get("X-Vault-Namespace")))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.to, timeout=30)
        try:
            connection.request(self.command, self.path, body, {name: value for name, value in self.headers.items() if name != "Host"})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET

    def log_message(self, *args):
        pass


class KeyValue(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.vault = vault_server.Vault("vault-kv")
        cls.addClassCleanup(cls.vault.stop)
        cls.vault.ask("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        processes.wait_until(lambda: cls.vault.status("GET", "secret/config") == 200, 30, "the upgrade of the mount to version 2")
        cls.vault.policy("reader", POLICY)

    def gateway(self, token, **more):
        settings = {"vault.kv.url": self.vault.url, "vault.kv.token": "${env:KV_TOKEN}", "vault.kv.allow_private": True, **more}
        gateway = Gateway("kv-real", settings, environment={"KV_TOKEN": token}).__enter__()
        self.addCleanup(gateway.close)
        return gateway

    def put(self, path, **fields):
        return self.vault.ask("POST", "secret/data/" + path, {"data": fields})["data"]["version"]

    def reader(self, **more):
        return self.vault.token(["reader"], **more)

    @staticmethod
    def add(gateway, name, value):
        gateway.add(name, "/usr/bin/python3", scratch.support_script("secret_server.py"), env=["TOKEN=" + value])

    @staticmethod
    def seen_by(gateway, server):
        session = mcp.Session(gateway, gateway.key(server + "-agent").secret, server).open()
        return json.loads(session.text("seen"))["env"]["TOKEN"]

    def refused(self, gateway, value, why):
        ran = gateway.run("server", "add", "shut", "--env", "TOKEN=" + value, "--", "/usr/bin/python3", scratch.support_script("secret_server.py"))
        self.assertNotEqual(ran.code, 0, ran)
        self.assertIn(why, ran.out + ran.err)

    def test_field_newest_and_named_version(self):
        old = self.put("mail/prod", password="kv-old-40")
        self.put("mail/prod", password="kv-new-41", port=25, on=True)
        token = self.reader()
        gateway = self.gateway(token)
        self.add(gateway, "mail", "${kv:secret/mail/prod#password}:${kv:secret/mail/prod#port}:${kv:secret/mail/prod#on}")
        self.add(gateway, "before", "${kv:secret/mail/prod#password@%d}" % old)
        self.assertEqual(self.seen_by(gateway, "mail"), digest("kv-new-41:25:true"))
        self.assertEqual(self.seen_by(gateway, "before"), digest("kv-old-40"))
        gateway.stop()
        self.assertEqual(leaks.found({"token": token, "new": "kv-new-41", "old": "kv-old-40"}, leaks.written(gateway.folder)), [])

    def test_what_is_deleted_destroyed_or_not_there_is_refused(self):
        for _ in range(3):
            self.put("mail/gone", password="kv-gone")
        self.vault.ask("POST", "secret/delete/mail/gone", {"versions": [2]})
        self.vault.ask("POST", "secret/destroy/mail/gone", {"versions": [3]})
        gateway = self.gateway(self.reader())
        self.add(gateway, "first", "${kv:secret/mail/gone#password@1}")
        for name, why in (("mail/gone#password@2", "it was deleted"), ("mail/gone#password@3", "it was deleted"), ("mail/gone#password", "it was deleted"),
                          ("mail/gone#password@9", "there is no such secret"), ("nothing#password", "there is no such secret"),
                          ("mail/gone#user@1", "the secret has no field 'user'")):
            with self.subTest(name):
                self.refused(gateway, "${kv:secret/%s}" % name, why)

    def test_a_wrong_token_and_a_path_that_no_policy_gives_are_refused(self):
        self.put("other/place", password="kv-denied")
        gateway = self.gateway(self.reader())
        self.refused(gateway, "${kv:secret/other/place#password}", "the token may not do this (HTTP status 403)")
        self.refused(gateway, "${kv:elsewhere/other#password}", "HTTP status 403")
        gateway = self.gateway("hvs.no-such-token")
        self.refused(gateway, "${kv:secret/mail/prod#password}", "HTTP status 403")

    def test_its_token_is_renewed_before_it_ends(self):
        self.put("mail/renewed", password="kv-renewed")
        token = self.reader(ttl="12s", renewable=True)
        gateway = self.gateway(token, **{"vault.kept_seconds": 1})
        self.add(gateway, "mail", "${kv:secret/mail/renewed#password}")
        processes.wait_until(lambda: self.vault.was_renewed(token), 11 * SLOW, "a renewal")
        self.assertEqual(self.seen_by(gateway, "mail"), digest("kv-renewed"))

    def test_a_sealed_server_gives_nothing_and_one_that_is_unsealed_gives_it_again(self):
        self.put("mail/sealed", password="kv-sealed")
        gateway = self.gateway(self.reader())
        self.vault.seal()
        try:
            self.refused(gateway, "${kv:secret/mail/sealed#password}", "it is sealed or in maintenance (HTTP status 503)")
        finally:
            self.vault.unseal()
        self.add(gateway, "mail", "${kv:secret/mail/sealed#password}")
        self.assertEqual(self.seen_by(gateway, "mail"), digest("kv-sealed"))

    def test_a_namespace_is_said_and_without_the_edition_that_has_them_changes_nothing(self):
        """Namespaces are of Vault's Enterprise edition; this one reads the header and serves its only one."""
        self.put("mail/space", password="kv-space")
        said = []
        passing = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Passing)
        passing.to, passing.said = self.vault.port, said
        threading.Thread(target=passing.serve_forever, daemon=True).start()
        self.addCleanup(passing.server_close)
        self.addCleanup(passing.shutdown)
        gateway = self.gateway(self.reader(), **{"vault.kv.url": "http://127.0.0.1:%d" % passing.server_address[1], "vault.kv.namespace": "team"})
        self.add(gateway, "mail", "${kv:secret/mail/space#password}")
        self.assertEqual(self.seen_by(gateway, "mail"), digest("kv-space"))
        self.assertIn(("/v1/secret/data/mail/space", "team"), said)
        self.assertEqual({space for _, space in said}, {"team"}, "of each question")


if __name__ == "__main__":
    unittest.main()
