"""Schemas made to exhaust a validator, and arguments made for them: answered in bounded time (threats.md, linear matching)."""
import time
import unittest

import mcp
from abuse_case import SLOW, AbuseCase

SOON = 2 * SLOW


class Schemas(AbuseCase):
    name = "schemas"

    @classmethod
    def prepare(cls):
        cls.added = cls.gateway.add_python("schema", "schema_server.py")

    def setUp(self):
        super().setUp()
        self.schema = mcp.Session(self.gateway, self.key.secret, "schema").open()

    def timed(self, tool, arguments):
        began = time.monotonic()
        answer = self.schema.call(tool, arguments)
        self.assertLess(time.monotonic() - began, SOON, tool)
        return answer

    def passes(self, tool, arguments):
        answer = self.timed(tool, arguments)
        self.assertIn("result", answer.message, str(answer)[:500])

    def refused(self, tool, arguments, path=None):
        answer, fresh = self.records_of(lambda: self.timed(tool, arguments))
        self.assertEqual(answer.message["error"]["code"], -32602, str(answer)[:500])
        self.assert_refusal_recorded(fresh, str(answer)[:300])
        if path is not None:
            self.assertEqual(answer.message["error"]["data"]["path"], path)

    def test_alternation_over_20000_characters(self):
        self.passes("alternation", {"text": "ab" * 10_000})
        self.refused("alternation", {"text": "ab" * 10_000 + "c"}, "/text")

    def test_letters_over_200_kilobytes(self):
        self.passes("letters", {"text": "a" * 200_000})
        self.refused("letters", {"text": "a" * 200_000 + "!"}, "/text")

    def test_nested_plus_over_30_characters(self):
        self.passes("nested_plus", {"text": "a" * 30})
        self.refused("nested_plus", {"text": "a" * 30 + "!"}, "/text")

    def test_unique_items_over_10000_objects(self):
        items = [{"n": n, "text": "x"} for n in range(10_000)]
        self.passes("unique", {"items": items})
        self.refused("unique", {"items": items + [items[0]]}, "/items")

    def test_references_that_never_end(self):
        """{"$ref":"#"}, mutual and doubled references, remote ones: an answer soon, and never a crash."""
        for tool in ("self_reference", "mutual", "doubled", "remote"):
            for arguments in ({}, {"text": "x"}, {"text": 7}):
                answer = self.timed(tool, arguments)
                self.assertTrue("result" in answer.message or "error" in answer.message)
        self.gateway.assert_alive()

    def test_a_remote_reference_is_never_fetched_nor_passed_as_checked(self):
        answer = self.timed("remote", {"text": 7})
        self.assertIn("error", answer.message, answer)

    def test_a_pattern_outside_the_dialect_is_named_as_not_enforced(self):
        """Design, section 4: shown, never backtracked."""
        import json
        shown = json.loads(self.gateway.cli("tool", "show", "schema_backreference", "--json"))
        self.assertIn("(a+)\\1", json.dumps(shown["not_enforced"]).replace("\\\\", "\\"))
        self.passes("backreference", {"text": "b"})

    def test_the_sound_one_still_works_after_all_of_it(self):
        self.passes("sound", {"n": 1})
        self.refused("sound", {"n": "x"}, "/n")
        self.refused("sound", {}, "")


if __name__ == "__main__":
    unittest.main()
