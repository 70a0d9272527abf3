"""Secrets in use: as environment, file, header and query, by server and by caller; what is missing keeps a server shut (C19, S2-13)."""
import json
import unittest

import mcp
import processes
import vault_case
from gateway import SLOW
from vault_case import Vault, digest


def setUpModule():
    vault_case.start("vault-injection")


class Injection(Vault):
    def test_a_stdio_server_gets_environment_and_file(self):
        self.put("svc/token", "token-4711")
        self.put("svc/pem", "line one\nline two\n")
        self.add_secret_server("files", "--secret-file", "PEM=${vault:svc/pem}", env=["TOKEN=Bearer ${vault:svc/token}"])
        seen = self.seen_by("files", self.gateway.key("files-agent").secret)
        self.assertEqual(seen["env"]["TOKEN"], digest("Bearer token-4711"))
        self.assertEqual(seen["files"]["PEM"], [digest("line one\nline two\n")] * 2)
        used = self.gateway.audit(action="use_secret", server="files", result="success")
        self.assertIn("${vault:svc/token}", [record["reason"] for record in used])
        self.assertGreaterEqual(self.shown("svc/token")["use_count"], 2)

    def test_each_use_is_audited_from_whichever_source(self):
        """S4-17: a reference of another source leaves the same record as one of the vault."""
        self.add_secret_server("outside", env=["TOKEN=${env:SALLYPORT_TEST_SECRET}"])
        used = self.gateway.audit(action="use_secret", server="outside", result="success")
        self.assertEqual({record["reason"] for record in used}, {"${env:SALLYPORT_TEST_SECRET}"})

    def shown(self, name):
        return self.ask("boss", "GET", self.path_of(name)).message

    def test_an_http_server_gets_header_and_query(self):
        self.put("web/key", "header & more=1")
        self.put("web/query", "a+b/c d&e")
        self.gateway.add_http("web", "http://127.0.0.1:%d/mcp?x=1" % self.upstream.server_address[1],
                              "--header", "X-Api-Key=${vault:web/key}", "--query", "key=${vault:web/query}")
        self.upstream.seen.clear()
        session = mcp.Session(self.gateway, self.gateway.key("web-agent").secret, "web").open()
        self.assertEqual(session.text("ping"), "pong")
        self.assertTrue(self.upstream.seen)
        for path, headers in self.upstream.seen:
            self.assertEqual((path, headers["x-api-key"]), ("/mcp?x=1&key=a%2Bb%2Fc%20d%26e", "header & more=1"))

    def test_a_changed_secret_is_used_from_the_next_call_on(self):
        self.put("turn/token", "before")
        self.add_secret_server("turn", env=["TOKEN=${vault:turn/token}", "OLD=${vault:turn/token@1}"])
        session = mcp.Session(self.gateway, self.gateway.key("turn-agent").secret, "turn").open()
        first = json.loads(session.text("seen"))
        self.assertEqual(first["env"]["TOKEN"], digest("before"))
        self.put("turn/token", "after")

        def renewed():
            now = json.loads(session.text("seen"))["env"]
            return (now["TOKEN"], now["OLD"]) == (digest("after"), digest("before"))
        processes.wait_until(renewed, 10 * SLOW, "the new value")

    def test_what_is_missing_expired_or_sealed_keeps_its_server_shut(self):
        """Fail closed; the reference is named, never a value."""
        self.put("gone/token", "value-of-gone-1a2b")
        self.add_secret_server("gone", env=["TOKEN=${vault:gone/token}"])
        agent = self.gateway.key("gone-agent").secret
        self.assertEqual(self.seen_by("gone", agent)["env"]["TOKEN"], digest("value-of-gone-1a2b"))

        def refused():
            answer = mcp.Session(self.gateway, agent, "gone").open().call("seen")
            return "error" in (answer.message or {}) or answer.message.get("result", {}).get("isError")
        self.gateway.cli("vault", "seal")
        try:
            processes.wait_until(refused, 10 * SLOW, "a refusal while sealed")
        finally:
            self.gateway.cli("vault", "unseal")
        self.assertEqual(self.ask("boss", "DELETE", self.path_of("gone/token")).status, 204)
        processes.wait_until(refused, 20 * SLOW, "a refusal without the secret")
        why = [record.get("evidence", "") for record in self.gateway.audit(action="use_secret", server="gone", result="error")]
        self.assertIn("${vault:gone/token}: the vault is sealed; fix: sallyport vault unseal", why)
        self.assertIn("${vault:gone/token}: no secret gone/token", why)
        unknown = self.gateway.run("server", "add", "never", "--env", "TOKEN=${vault:no/such}", "--", "/bin/cat")
        self.assertNotEqual(unknown.code, 0)
        self.assertIn("${vault:no/such}: no secret no/such", unknown.err)

    def test_each_caller_has_their_own(self):
        """S2-13: and nobody another's; a shared server has none."""
        self.put("probe/github", "of the probe")
        for who in ("ada", "bob"):
            self.put("github", "of " + who, who=who, own=True)
        self.add_secret_server("each", env=["TOKEN=${vault:principal/github}"])
        for who in ("ada", "bob"):
            self.assertEqual(self.seen_by("each", self.tokens[who])["env"]["TOKEN"], digest("of " + who))
        answer = mcp.Session(self.gateway, self.tokens["boss"], "each").open().call("seen")
        self.assertTrue("error" in answer.message, "without one of their own nothing starts")
        before = self.seen_by("each", self.tokens["bob"])["pid"]
        self.put("github", "new of ada", who="ada", own=True)
        processes.wait_until(lambda: self.seen_by("each", self.tokens["ada"])["env"]["TOKEN"] == digest("new of ada"), 10 * SLOW, "hers")
        self.assertEqual(self.seen_by("each", self.tokens["bob"])["pid"], before, "another's session goes on")
        shared = self.gateway.run("server", "add", "one-for-all", "--shared", "--env", "TOKEN=${vault:principal/github}", "--", "/bin/cat")
        self.assertNotEqual(shared.code, 0)
        self.assertIn("a shared server has no secrets of callers", shared.err)

    def test_no_argument_of_a_process_takes_one(self):
        """C19: an argument is passed as it was written; what names a secret in one is no reference."""
        self.put("arg/token", "never in argv")
        self.gateway.add("args", "/usr/bin/python3", vault_case.scratch.support_script("secret_server.py"), "${vault:arg/token}")
        seen = self.seen_by("args", self.gateway.key("args-agent").secret)
        self.assertEqual(seen["argv"][1], digest("${vault:arg/token}"))
        self.assertNotIn(digest("never in argv"), seen["argv"])

    def test_over_http_nobody_makes_a_server_with_references(self):
        answer = mcp.Client(self.gateway, self.tokens["boss"]).ask(
            "POST", "/api/v1/servers", {"name": "thief", "url": "https://example.org/mcp", "query": {"k": "${vault:svc/token}"}})
        self.assertEqual(answer.status, 403, answer)


if __name__ == "__main__":
    unittest.main()
