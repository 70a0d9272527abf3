"""JSON-RPC batches of MCP 2025-03-26: each element is a request of its own, and all answers come together."""
import unittest

import mcp
import sse
from gateway import SLOW, Gateway

KINDS = ["intent", "outcome"]


def ping(rpc_id):
    return {"jsonrpc": "2.0", "id": rpc_id, "method": "ping"}


def add(rpc_id, a, b):
    return {"jsonrpc": "2.0", "id": rpc_id, "method": "tools/call",
            "params": {"name": "calc_add", "arguments": {"a": a, "b": b}}}


def text(answer):
    return answer["result"]["content"][0]["text"]


class Batches(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("batch", {"rate.tool.requests": 1000}).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.key = cls.gateway.key("agent")

    def open(self, version="2025-03-26", key=None):
        session = mcp.Session(self.gateway, (key or self.key).secret, version=version).open()
        self.addCleanup(session.close)
        return session

    def test_the_version_is_negotiated(self):
        session = mcp.Session(self.gateway, self.key.secret)
        answer = session.request("initialize", {"protocolVersion": "2025-03-26", "capabilities": {},
                                                "clientInfo": {"name": "t", "version": "1"}})
        self.assertEqual(answer.message["result"]["protocolVersion"], "2025-03-26")

    def test_answers_come_as_one_array_in_the_order_asked(self):
        answer = self.open().post([add(1, 1, 2), ping("1"), {"jsonrpc": "2.0", "method": "notifications/initialized"}, add(0, 2, 2)])
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.headers["content-type"].startswith("application/json"))
        self.assertEqual([one["id"] for one in answer.message], [1, "1", 0])  # trap 5: ids keep type and value
        self.assertEqual((text(answer.message[0]), text(answer.message[2])), ("3", "4"))

    def test_each_call_has_its_own_evidence(self):
        session = self.open()
        known = {r["leaf"] for r in self.gateway.audit()}
        answer = session.post([add(1, 1, 2), add(2, 3, 4)])
        fresh = [r for r in self.gateway.audit(tool="add") if r["leaf"] not in known]
        whole = answer.headers["x-request-id"]
        for n in (1, 2):
            self.assertEqual([r["kind"] for r in fresh if r["request_id"] == "%s.%d" % (whole, n)], KINDS)
        self.assertEqual(len(fresh), 4)

    def test_one_refusal_is_no_refusal_of_all(self):
        answer = self.open().post([add(1, 1, 2), add(2, "x", 2), {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "no_such"}},
                                   {"jsonrpc": "1.0", "id": 4, "method": "ping"}, 5, {"jsonrpc": "2.0", "id": 6, "method": "no/such"}])
        got = {str(one["id"]): one for one in answer.message}
        self.assertEqual(text(got["1"]), "3")
        self.assertEqual({key: got[key]["error"]["code"] for key in got if key != "1"},
                         {"2": -32602, "3": -32602, "4": -32600, "None": -32600, "6": -32601})

    def test_nothing_to_answer_is_202(self):
        session = self.open()
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        self.assertEqual(session.post([note, note]).status, 202)
        answer = session.post([{"jsonrpc": "2.0", "id": "none", "result": {}}, {"jsonrpc": "2.0", "id": 9, "result": {}}])
        self.assertEqual((answer.status, answer.body), (202, b""))

    def test_where_one_has_events_all_answers_are_events(self):
        session = self.open()
        stream = sse.post(session, [ping("first"), sse.slow_sum("a", [1, 2, 3], 20 * SLOW, token="ta"),
                                    sse.slow_sum("b", [4, 5], 20 * SLOW, token="tb"), ping("last")])
        self.assertTrue(stream.is_stream)
        heard = stream.rest()
        answers = {m["id"]: m for _, m in heard if "method" not in m}
        self.assertEqual(set(answers), {"first", "a", "b", "last"})
        self.assertEqual(len([1 for _, m in heard if "method" not in m]), 4)
        self.assertEqual((text(answers["a"]), text(answers["b"])), ("6", "9"))
        steps = [(m["params"]["progressToken"], m["params"]["progress"]) for _, m in heard if "method" in m]
        self.assertEqual(sorted(steps), [("ta", 1), ("ta", 2), ("ta", 3), ("tb", 1), ("tb", 2)])
        self.assertEqual(len({one for one, _ in heard}), len(heard))

    def test_a_batch_outlives_its_connection(self):
        session = self.open()
        stream = sse.post(session, [sse.slow_sum("a", [1] * 8, 30 * SLOW), ping("p")])
        last_id, _ = stream.message()
        stream.drop()
        answers = {m["id"] for _, m in sse.get(session, last_id).rest() if "method" not in m}
        self.assertLessEqual({"a"}, answers)

    def test_each_element_takes_a_token(self):
        """A batch is no way around a limit."""
        with Gateway("batch-limits", {"rate.mcp.requests": 10, "rate.mcp.burst": 2, "rate.mcp.window_seconds": 3600}) as gateway:
            session = mcp.Session(gateway, gateway.key("agent").secret, version="2025-03-26").open()
            answer = session.post([ping(n) for n in range(20)])
            refused = [one for one in answer.message if "error" in one]
            self.assertGreaterEqual(len(refused), 10)
            self.assertLess(len(refused), 20)


if __name__ == "__main__":
    unittest.main()
