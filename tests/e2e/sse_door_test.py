"""The transport of MCP 2024-11-05, HTTP with SSE. The conformance suite has no scenario of it (trap 20)."""
import json
import threading
import unittest

import mcp
import processes
import sse
from gateway import SLOW, Gateway


class Door:
    """A client of the old transport: the stream, and a connection to POST on."""

    def __init__(self, gateway, secret, server="", open_it=True):
        self.client = mcp.Client(gateway, secret)
        self.path = "/sse" + ("/" + server if server else "")
        self.stream = sse.Stream(gateway, "GET", self.path, self.client.headers({"Accept": "text/event-stream"}))
        self.endpoint = None
        if self.stream.is_stream:
            first = self.stream.event()
            assert first.type == "endpoint", first
            self.endpoint = first.data
        if open_it and self.endpoint:
            self.initialize()

    def post(self, message, client=None, **headers):
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        return (client or self.client).ask("POST", self.endpoint, body, headers)

    def ask(self, method, params=None, rpc_id=1):
        """The answer, as the next message on the stream that is one, and the messages before it."""
        message = {"jsonrpc": "2.0", "id": rpc_id, "method": method, **({"params": params} if params is not None else {})}
        answer = self.post(message)
        assert (answer.status, answer.body) == (202, b""), answer
        before = []
        while True:
            event = self.stream.event()
            assert event is not None and event.type == "message", event
            said = json.loads(event.data)
            if "method" not in said:
                assert said["id"] == rpc_id, said
                return said, before
            before.append(said)

    def initialize(self, version="2024-11-05"):
        said, _ = self.ask("initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}, 0)
        assert self.post({"jsonrpc": "2.0", "method": "notifications/initialized"}).status == 202
        return said["result"]

    def call(self, name, arguments, rpc_id=1, meta=None):
        params = {"name": name, "arguments": arguments, **({"_meta": meta} if meta else {})}
        return self.ask("tools/call", params, rpc_id)

    def close(self):
        self.stream.close()
        self.client.close()


class SseDoor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("sse-door", {"listen.workers": 3}).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.key = cls.gateway.key("agent")

    def door(self, server="", key=None, **how):
        door = Door(self.gateway, (key or self.key).secret, server, **how)
        self.addCleanup(door.close)
        return door

    def test_the_first_event_says_where_to_post(self):
        door = self.door(open_it=False)
        self.assertRegex(door.endpoint, r"^/messages\?sessionId=[A-Za-z0-9_-]{22,}$")
        self.assertRegex(self.door("calc", open_it=False).endpoint, r"^/messages/calc\?sessionId=[A-Za-z0-9_-]{22,}$")

    def test_the_old_version_is_negotiated(self):
        self.assertEqual(self.door(open_it=False).initialize()["protocolVersion"], "2024-11-05")

    def test_any_legacy_version_is(self):
        """Real SDK clients ask for their newest over the old transport too."""
        for asked, given in (("2025-03-26", "2025-03-26"), ("2025-06-18", "2025-06-18"), ("2025-11-25", "2025-11-25"), ("1999-01-01", "2025-11-25")):
            self.assertEqual(self.door(open_it=False).initialize(asked)["protocolVersion"], given)

    def test_calls_with_events_and_evidence(self):
        for _ in range(6):  # the POST may be another worker's
            door = self.door()
            said, before = door.call("calc_slow_sum", {"numbers": [1, 2, 3], "step_ms": 1}, 5, {"progressToken": 0})
            self.assertEqual(said["result"]["content"][0]["text"], "6")
            self.assertEqual([(m["params"]["progressToken"], m["params"]["progress"]) for m in before], [(0, 1), (0, 2), (0, 3)])
        self.assertEqual([r["kind"] for r in self.gateway.audit(tool="slow_sum")][-2:], ["intent", "outcome"])

    def test_one_servers_door(self):
        said, _ = self.door("calc").ask("tools/list")
        self.assertIn("add", [tool["name"] for tool in said["result"]["tools"]])

    def test_a_post_does_not_wait_for_its_answer(self):
        """A client that sends one after the other could not cancel, or answer a server, otherwise."""
        door = self.door()
        call = {"jsonrpc": "2.0", "id": "slow", "method": "tools/call", "params": {"name": "calc_slow_sum", "arguments": {"numbers": [1] * 1000, "step_ms": 100}}}
        self.assertEqual(door.post(call).status, 202)
        said, _ = door.ask("ping", rpc_id=2)  # on the same connection, answered first
        self.assertEqual(said["result"], {})
        self.assertEqual(door.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "slow"}}).status, 202)
        processes.wait_until(lambda: [r for r in self.gateway.audit(kind="outcome", tool="slow_sum", result="cancelled")], 10 * SLOW, "the end")

    def test_refusals_of_a_call_come_on_the_stream(self):
        door = self.door()
        self.assertEqual(door.call("no_such", {})[0]["error"]["code"], -32602)
        self.assertEqual(door.ask("no/such")[0]["error"]["code"], -32601)

    def test_changes_are_heard(self):
        door = self.door()
        self.gateway.add_calculator("more")
        self.assertEqual(json.loads(door.stream.event().data)["method"], "notifications/tools/list_changed")

    def test_the_session_ends_with_its_stream(self):
        door = self.door()
        door.stream.drop()
        processes.wait_until(lambda: door.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}).status == 404, 10 * SLOW, "the end")

    def test_a_drain_ends_it(self):
        with Gateway("sse-drain") as gateway:
            gateway.add_calculator()
            door = Door(gateway, gateway.key("agent").secret)
            gateway.stop(seconds=10)
            self.assertIsNone(door.stream.event())

    def test_a_drain_lets_a_running_call_answer(self):
        with Gateway("sse-drain-call") as gateway:
            gateway.add_calculator()
            door = Door(gateway, gateway.key("agent").secret)
            call = {"jsonrpc": "2.0", "id": "slow", "method": "tools/call",
                    "params": {"name": "calc_slow_sum", "arguments": {"numbers": [1] * 10, "step_ms": 100}}}
            self.assertEqual(door.post(call).status, 202)
            processes.wait_until(lambda: gateway.audit(kind="intent", tool="slow_sum"), 10 * SLOW, "the call")
            stopping = threading.Thread(target=gateway.stop, kwargs={"seconds": 15})
            stopping.start()
            self.assertEqual(json.loads(door.stream.event().data)["result"]["content"][0]["text"], "10")
            self.assertIsNone(door.stream.event())
            stopping.join()

    def test_a_revoked_key_ends_it(self):
        key = self.gateway.key("doomed")
        door = self.door(key=key)
        self.gateway.cli("key", "revoke", key.id)
        self.assertIsNone(door.stream.event())
        self.assertEqual(door.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}).status, 401)


if __name__ == "__main__":
    unittest.main()
