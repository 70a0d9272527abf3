"""What clients want logged reaches a legacy tool server (MCP 2025-11-25, Logging; 2026-07-28, logLevel of each request)."""
import json
import os
import unittest

import mcp
import processes
import scratch
from gateway import SLOW, Gateway

LEVEL = "io.modelcontextprotocol/logLevel"


class LogLevels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("levels").__enter__()
        cls.addClassCleanup(cls.gateway.close)
        folder = scratch.folder("levels-record", 0o777)
        cls.record = os.path.join(folder, "lines")
        cls.gateway.add_python("recorded", "rogue_server.py", "--record", cls.record, paths=["rw:" + folder])

    def setUp(self):
        self.key = self.gateway.key(self.id().rsplit(".", 1)[-1].replace("_", "-"))
        self.before = len(self.lines())

    def lines(self):
        if not os.path.exists(self.record):
            return []
        with open(self.record) as file:
            return [json.loads(line) for line in file]

    def told(self):
        """Levels that the server was told since the test began, and the calls between them."""
        words = []
        for message in self.lines()[self.before:]:
            if message.get("method") == "logging/setLevel":
                words.append(message["params"]["level"])
            elif message.get("method") == "tools/call":
                words.append("call")
        return words

    def legacy(self):
        session = mcp.Session(self.gateway, self.key.secret, "recorded").open()
        self.addCleanup(session.close)
        return session

    def set_level(self, session, level):
        self.assertEqual({}, session.request("logging/setLevel", {"level": level}).message["result"])

    def comes(self, words):
        processes.wait_until(lambda: self.told() == words, 10 * SLOW, lambda: "%s instead of %s" % (words, self.told()))

    def test_a_level_is_told_before_the_first_call_and_a_change_at_once(self):
        session = self.legacy()
        self.set_level(session, "warning")
        session.text("echo", {})
        self.comes(["warning", "call"])
        self.set_level(session, "debug")
        self.comes(["warning", "call", "debug"])
        self.set_level(session, "error")
        self.comes(["warning", "call", "debug", "error"])

    def test_of_two_sessions_of_a_principal_the_less_strict_decides(self):
        first, second = self.legacy(), self.legacy()
        self.set_level(first, "info")
        first.text("echo", {})
        self.set_level(second, "error")
        second.text("echo", {})
        self.comes(["info", "call", "call"])

    def test_a_modern_client_says_it_in_each_request(self):
        client = mcp.Modern(self.gateway, self.key.secret, "recorded")
        self.addCleanup(client.close)
        for level in ("error", "info", "error"):
            answer = client.request("tools/call", {"name": "echo", "arguments": {}}, meta={LEVEL: level})
            self.assertIn("result", answer.message)
        self.comes(["error", "call", "info", "call", "call"])

    def test_who_says_nothing_changes_nothing(self):
        self.legacy().text("echo", {})
        self.comes(["call"])


if __name__ == "__main__":
    unittest.main()
