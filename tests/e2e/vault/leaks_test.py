"""Every secret of a run of the vault, looked for in everything that was written and said and in the process list; and what is
deleted is gone from the database (done when 3 of issue 6; S2-40, S2-43, S3-13, S0-28)."""
import base64
import json
import os
import sqlite3
import unittest

import leaks
import mcp
import vault_case
from vault_case import Vault, digest


def setUpModule():
    vault_case.start("vault-leaks", {"log.level": "debug"})


class Leaks(Vault):
    def setUp(self):
        self.secrets, self.said = {}, []

    def keep(self, name, text):
        self.secrets[name] = text
        return text

    def said_by(self, where, answer):
        self.said.append((where, answer.body + repr(answer.headers.all).encode()))
        return answer

    def in_use(self):
        """Every way by which a secret goes to a server."""
        env, file, header, query = (self.keep(kind, "%s-of-a-server-7f3a9c21" % kind) for kind in ("env", "file", "header", "query"))
        own = self.keep("ada's own", "own-of-ada-55d2c8e0")
        for name, value in (("l/env", env), ("l/file", file), ("l/header", header), ("l/query", query), ("probe/own", "of-the-probe-1")):
            self.said_by("put", self.ask("boss", "PUT", self.path_of(name), {"value": value}))
        self.said_by("put own", self.ask("ada", "PUT", self.path_of("own", True), {"value": own}))
        self.add_secret_server("leaky", "--secret-file", "PEM=${vault:l/file}", env=["A=${vault:l/env}", "B=${vault:principal/own}"])
        seen = self.seen_by("leaky", self.tokens["ada"])
        self.assertEqual((seen["env"]["A"], seen["env"]["B"], seen["files"]["PEM"][0]), (digest(env), digest(own), digest(file)))
        self.gateway.add_http("weblike", "http://127.0.0.1:%d/mcp" % self.upstream.server_address[1],
                              "--header", "X-K=${vault:l/header}", "--query", "q=${vault:l/query}")
        session = mcp.Session(self.gateway, self.gateway.key("weblike-agent").secret, "weblike").open()
        self.assertEqual(session.text("ping"), "pong")
        self.assertIn(query, self.upstream.seen[-1][0])
        self.upstream.shutdown()  # what is told of a server that is gone
        self.upstream.server_close()
        self.said_by("a dead server", session.call("ping"))

    def out_of_the_vault(self):
        typed = self.keep("typed", "typed-into-stdin-a90b11f2")
        said = [self.gateway.run("vault", "put", "l/cli", stdin=typed), self.gateway.run("vault", "list"),
                self.gateway.run("vault", "show", "l/cli"),
                self.gateway.run("vault", "put", "l/cli", "--sealed", stdin=self.keep("sealed", "sealed-by-the-cli-77ab0c19"))]
        self.said += [("cli", (ran.out + ran.err).encode()) for ran in said]
        self.assertEqual(self.gateway.cli("vault", "get", "l/cli").strip(), self.secrets["sealed"])
        token = json.loads(self.gateway.cli("vault", "offer", "l/cli", "--json"))["token"]
        self.keep("one-time token", token)
        self.assertEqual(self.gateway.cli("vault", "reveal", stdin=token).strip(), self.secrets["sealed"])

    def mistakes(self):
        """What refuses a secret in a wrong place does not repeat it."""
        lost = self.keep("in a wrong place", "in-a-wrong-place-c0ffee42")
        for body in ({"value": lost, "values": lost}, {"value": [lost]}, {"value": lost, "labels": [lost] * 20},
                     {"value": lost, "generate": 32}, {"sealed": lost}, {"value_base64url": lost + "!"}):
            self.assertEqual(self.said_by("refused", self.ask("boss", "PUT", self.path_of("l/wrong"), body)).status, 400)
        self.said_by("denied", self.ask("eve", "PUT", self.path_of("l/wrong"), {"value": lost}))
        self.said_by("one-time", self.ask("eve", "POST", "/one-time", {"token": lost}))

    def looks(self):
        for who, path in (("boss", "/secrets"), ("boss", "/secrets/l%2Fenv"), ("ada", "/secrets?owner=me"), ("boss", "/status")):
            self.said_by(path, self.ask(who, "GET", path))
        for path in ("/api/v1/audit?limit=1000", "/api/v1/servers", "/api/v1/servers/leaky", "/api/v1/servers/weblike", "/metrics"):
            self.said_by(path, mcp.Client(self.gateway, self.tokens["boss"]).ask("GET", path))

    def test_no_secret_is_written_or_said(self):
        watch = leaks.Watch(self.gateway)
        watch.start()
        self.in_use()
        self.out_of_the_vault()
        self.mistakes()
        self.looks()
        watch.ended.set()
        watch.join()
        self.assertGreater(len(watch.seen), 2)
        self.assertGreater(len(self.secrets), 8)
        places = self.said + [("command line", line.encode()) for line in watch.seen] + list(leaks.written(self.gateway.folder))
        self.assertTrue(any(where.endswith("sallyport.db-wal") for where, _ in places) or
                        any(where.endswith("sallyport.db") for where, _ in places))
        self.assertFalse(leaks.found(self.secrets, places))

    def test_what_is_deleted_is_in_the_database_no_more(self):
        """S2-43: neither wrapped key nor ciphertext, in the file or in its log."""
        self.put("doomed", "one")
        self.put("doomed", "two")
        rows = self.rows()
        self.assertEqual(len(rows), 2)
        self.assertTrue(all(self.stored(part) for row in rows for part in row))
        self.assertEqual(self.ask("boss", "DELETE", self.path_of("doomed")).status, 204)
        self.assertFalse([part for row in rows for part in row if self.stored(part)])

    def rows(self):
        path = os.path.join(self.gateway.home, "sallyport.db")
        db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
        try:
            return db.execute("SELECT wrapped_key, ciphertext FROM vault_versions JOIN vault_secrets ON secret = id "
                              "WHERE name = 'doomed' AND owner = ''").fetchall()
        finally:
            db.close()

    def stored(self, text):
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return any(text.encode() in data or raw in data for path, data in leaks.written(self.gateway.home) if "sallyport.db" in path)


if __name__ == "__main__":
    unittest.main()
