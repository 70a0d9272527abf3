"""Arrays where none may be, and arrays made to hurt."""
import json
import unittest

import mcp
import sse
from abuse_case import AbuseCase


def ping(rpc_id):
    return {"jsonrpc": "2.0", "id": rpc_id, "method": "ping"}


class BatchAbuse(AbuseCase):
    name = "batch-abuse"

    def batching(self):
        session = mcp.Session(self.gateway, self.key.secret, version="2025-03-26").open()
        self.addCleanup(session.close)
        return session

    def test_later_revisions_have_none(self):
        """MCP 2025-06-18: batching was removed."""
        for version in ("2025-06-18", "2025-11-25"):
            session = mcp.Session(self.gateway, self.key.secret, version=version).open()
            for body in ([ping(1)], [], [[ping(1)]]):
                self.refused_message(body, -32600, 400, session)
        self.still_serves()

    def test_without_a_session(self):
        session = mcp.Session(self.gateway, self.key.secret)
        answer = session.post([ping(1)])
        self.assertEqual(answer.status, 400, answer)

    def test_an_empty_array(self):
        self.refused_message([], -32600, 400, self.batching())

    def test_initialize_in_an_array(self):
        """MCP 2025-03-26, Lifecycle: it MUST NOT be part of a batch; nothing beside it is done either."""
        opening = {"jsonrpc": "2.0", "id": 1, "method": "initialize",
                   "params": {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}}
        call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "calc_add", "arguments": {"a": 1, "b": 1}}}
        before = len(self.gateway.audit(tool="add"))
        for body in ([opening], [call, opening], [opening, call]):
            self.refused_message(body, -32600, 400, self.batching())
        self.assertEqual(len(self.gateway.audit(tool="add")), before)

    def test_responses_and_requests_do_not_mix(self):
        self.refused_message([ping(1), {"jsonrpc": "2.0", "id": 2, "result": {}}], -32600, 400, self.batching())

    def test_more_elements_than_there_may_be(self):
        session = self.batching()
        self.assertEqual(len(session.post([ping(n) for n in range(50)]).message), 50)
        self.refused_message([ping(n) for n in range(51)], -32600, 400, session)
        self.refused_message([1] * 5000, -32600, 400, session)

    def test_an_envelope_of_2026_07_28_has_no_place_in_an_array(self):
        session = self.batching()
        envelope = mcp.Modern(self.gateway, self.key.secret).envelope()
        modern = {"jsonrpc": "2.0", "id": 2, "method": "resources/read", "params": {"uri": "x://y", "_meta": envelope}}
        answer = session.post([ping(1), modern])
        self.assertEqual([one.get("error", {}).get("code") for one in sorted(answer.message, key=lambda m: m["id"])], [None, -32600])

    def test_arrays_in_arrays(self):
        answer = self.batching().post([[ping(1)], [[]], ping(2)])
        self.assertEqual([one.get("error", {}).get("code") for one in answer.message], [-32600, -32600, None])

    def test_the_same_id_twice(self):
        """Neither answer is the other's."""
        session = self.batching()
        answer = sse.post(session, [sse.slow_sum(7, [1, 1], 100, token="a"), sse.slow_sum(7, [2, 2], 100, token="b")])
        said = [m for _, m in answer.rest() if "method" not in m]
        self.assertEqual(len(said), 2)
        texts = [m["result"]["content"][0]["text"] for m in said if "result" in m]
        self.assertEqual(len([m for m in said if "error" in m]), 1)
        self.assertIn(texts[0], ("2", "4"))

    def test_a_broken_array_is_a_parse_error(self):
        session = self.batching()
        for body in (b"[", b"[" + json.dumps(ping(1)).encode(), b"[,]", b"[" * 2000):
            self.refused_message(body, -32700, 400, session)

    def test_another_principals_session(self):
        owner = self.batching()
        thief = mcp.Session(self.gateway, self.gateway.key("batch-thief").secret, version="2025-03-26")
        thief.id = owner.id
        self.assertEqual(thief.post([ping(1)]).status, 404)


if __name__ == "__main__":
    unittest.main()
