"""Obligations of a policy, carried out: what is hidden of a result, a limit of its own, records in full (issue 5)."""
import json
import unittest

import mcp
import sse
from gateway import SLOW, Gateway

SECRET = "078-05-1120"
PASSWORD = "Correct-Horse-7-Battery"
RULES = """package tool_access
import rego.v1
obligations contains {"redact": ["ssn"]} if input.tool.server == "mail"
obligations contains {"calls_per_minute": 2} if input.tool.name == "add"
obligations contains {"log_full": true} if input.tool.server == "full"
obligations contains {"log_full": true, "redact": ["ssn"]} if input.tool.server == "both"
"""
LEGACY = ("2025-03-26", "2025-06-18", "2025-11-25")


class Obligations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("obligations", {"listen.workers": 2}, policies={"obligations.rego": RULES}).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        for name in ("mail", "open", "full", "both"):
            cls.gateway.add_python(name, "mail_server.py")
        cls.gateway.add_calculator()
        cls.key = cls.gateway.key("reader")
        cls.rest = cls.person("ada")

    @classmethod
    def person(cls, name):
        """Agents' keys are for MCP; people call tools over REST."""
        cls.gateway.user(name, PASSWORD)
        client = mcp.Client(cls.gateway)
        client.secret = client.ask("POST", "/auth/login", {"username": name, "password": PASSWORD}).message["access_token"]
        return client

    def clients(self):
        for version in LEGACY:
            yield version, mcp.Session(self.gateway, self.key.secret, version=version).open()
        yield mcp.MODERN, mcp.Modern(self.gateway, self.key.secret)

    def execute(self, tool, arguments=None, client=None):
        return (client or self.rest).ask("POST", "/tools/%s/execute" % tool, {"arguments": arguments or {}})

    def hides(self, answer):
        self.assertNotIn(SECRET, answer.body.decode())
        self.assertIn("[redacted]", answer.body.decode())

    def judge_record(self, answer, result):
        self.hides(answer)
        person = json.loads(result["content"][0]["text"])
        self.assertEqual(person, {"name": "Ada", "ssn": "[redacted]", "history": [{"year": 1999, "SSN": "[redacted]"}]})
        self.assertEqual(result["content"][1:], [{"type": "text", "text": "[redacted]"}] * 2)
        if "structuredContent" in result:
            self.assertEqual(result["structuredContent"], person)

    def test_members_are_hidden_from_every_revision(self):
        for version, client in self.clients():
            with self.subTest(version):
                self.judge_record(*self.recorded(client.call("mail_record")))
                self.assertIn(SECRET, client.call("open_record").body.decode(), "where no rule hides it")

    def recorded(self, answer):
        return answer, answer.message["result"]

    def test_members_are_hidden_from_rest_and_the_command_line(self):
        answer = self.execute("mail_record")
        self.assertEqual(answer.status, 200, answer.message)
        self.judge_record(answer, answer.message["result"])
        shown = self.gateway.cli("tool", "call", "mail_record")
        self.assertNotIn(SECRET, shown)
        self.assertIn("[redacted]", shown)

    def test_what_comes_before_the_answer_tells_numbers_alone(self):
        for version in LEGACY:
            session = mcp.Session(self.gateway, self.key.secret, version=version).open()
            session.request("logging/setLevel", {"level": "debug"})
            for tool, tells in (("open_record", True), ("mail_record", False)):
                answer = session.call(tool, meta={"progressToken": "p"})
                self.assertEqual(SECRET in answer.body.decode(), tells, tool)
                progress = [event["params"] for event in answer.events if event["method"] == "notifications/progress"]
                self.assertEqual([(p["progress"], p["total"]) for p in progress], [(1, 2)])

    def test_logs_after_a_call_are_withheld(self):
        # A key of its own: where another call of the caller still waits at that server, its log is taken for that call's.
        session = mcp.Session(self.gateway, self.gateway.key("hears").secret).open()
        session.request("logging/setLevel", {"level": "debug"})
        stream = sse.get(session, timeout=30 * SLOW)
        session.call("mail_later", {"mark": "hidden"})
        session.call("mail_later", {"mark": "hidden"})  # the log of the first came before this answer
        session.call("open_later", {"mark": "shown"})
        heard = stream.message()[1]
        self.assertEqual(heard["method"], "notifications/message")
        self.assertEqual(heard["params"]["data"], "shown read " + SECRET)
        stream.close()

    def test_errors_and_questions_hide_as_well(self):
        for version, client in self.clients():
            with self.subTest(version):
                failed = client.call("mail_fails")
                self.hides(failed)
                self.assertEqual(failed.message["error"]["code"], client.call("open_fails").message["error"]["code"])
                self.hides(client.call("mail_complains"))
                self.assertNotIn(SECRET, client.call("mail_asks").body.decode())
        for tool in ("mail_fails", "mail_complains"):
            self.hides(self.execute(tool))

    def test_a_client_that_could_be_asked_is_not(self):
        modern = mcp.Modern(self.gateway, self.key.secret, capabilities={"elicitation": {"form": {}}})
        answer = modern.call("mail_asks")
        self.assertNotIn(SECRET, answer.body.decode())
        self.assertNotIn("inputRequests", answer.body.decode())
        self.assertIn("inputRequests", modern.call("open_asks").body.decode(), "where no rule hides anything")

    def test_a_limit_of_its_own(self):
        """As every limit: 429 with the headers of C5, -31429 over MCP, and the same count whatever the door."""
        bob = self.person("bob")
        for left in ("1", "0"):
            answer = self.execute("calc_add", {"a": 1, "b": 2}, bob)
            self.assertEqual((answer.status, answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"]),
                             (200, "2", left))
        refused = self.execute("calc_add", {"a": 1, "b": 2}, bob)
        self.assertEqual((refused.status, refused.headers["x-ratelimit-limit"]), (429, "2"))
        session = mcp.Session(self.gateway, bob.secret).open()
        over = session.call("calc_add", {"a": 1, "b": 2})
        self.assertEqual((over.status, over.message["error"]["code"]), (429, -31429))
        self.assertGreaterEqual(int(over.headers["retry-after"]), 1)
        self.assertEqual(mcp.Modern(self.gateway, bob.secret).call("calc_add", {"a": 1, "b": 2}).status, 429)
        self.assertIn("result", session.call("calc_multiply", {"a": 1, "b": 2}).message)
        self.assertEqual(self.execute("calc_add", {"a": 1, "b": 2}).status, 200, "another caller")

    def test_records_in_full(self):
        long = "long " * 400
        session = mcp.Session(self.gateway, self.gateway.key("logged").secret).open()
        session.call("full_send", {"text": long, "password": "hunter2hunter2"})
        session.call("open_send", {"text": long})
        session.call("full_send", {"text": "x" * 100_000})
        session.call("both_record")
        of = lambda kind, server: [r for r in self.gateway.audit(kind=kind, server=server)]
        full, cut = of("intent", "full")
        self.assertEqual(full["arguments"]["text"], long)
        self.assertNotIn("hunter2", json.dumps(full))
        self.assertIn("[cut:", json.dumps(cut["arguments"]))
        answered = of("outcome", "full")[0]["response"]
        self.assertEqual(json.loads(answered["content"][0]["text"])["text"], long)
        self.assertIn("[cut:", json.dumps(of("outcome", "full")[1]["response"]))
        self.assertIn("[cut:", json.dumps(self.gateway.audit(kind="intent", server="open", tool="send")[0]["arguments"]), "without the obligation, as ever")
        self.assertFalse([r for r in of("outcome", "open") if "response" in r])
        shown = json.dumps(of("outcome", "both")[0]["response"])
        self.assertIn("[redacted", shown)
        self.assertNotIn(SECRET, shown)


if __name__ == "__main__":
    unittest.main()
