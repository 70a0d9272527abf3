"""The address that the old transport gives out is a secret of one principal (CVE-2025-6515): whoever else has it, has nothing."""
import json
import os
import glob
import unittest

import mcp
import sse
from abuse_case import AbuseCase

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


class SseDoorAbuse(AbuseCase):
    name = "sse-door-abuse"

    @classmethod
    def prepare(cls):
        cls.other = mcp.Client(cls.gateway, cls.gateway.key("other").secret)
        cls.addClassCleanup(cls.other.close)

    def open(self, path="/sse", client=None):
        self.client = client or mcp.Client(self.gateway, self.key.secret)
        stream = sse.Stream(self.gateway, "GET", path, self.client.headers({"Accept": "text/event-stream"}))
        self.addCleanup(stream.close)
        self.addCleanup(self.client.close)
        return stream, stream.event().data

    def post(self, client, endpoint, message, **headers):
        return client.ask("POST", endpoint, json.dumps(message).encode(), headers)

    def test_another_principals_post_finds_nothing(self):
        stream, endpoint = self.open()
        answer, fresh = self.records_of(lambda: self.post(self.other, endpoint, PING))
        self.assertEqual(answer.status, 404, answer)
        self.assert_refusal_recorded(fresh, answer)
        self.assertEqual(self.post(self.client, endpoint, PING).status, 202)  # and the owner's stream has only its own
        self.assertEqual(json.loads(stream.event().data), {"jsonrpc": "2.0", "id": 1, "result": {}})

    def test_without_a_credential(self):
        _, endpoint = self.open()
        stranger = mcp.Client(self.gateway)
        self.assertEqual(self.post(stranger, endpoint, PING).status, 401)
        self.assertEqual(stranger.ask("GET", "/sse", headers={"Accept": "text/event-stream"}).status, 401)

    def test_made_up_addresses(self):
        _, endpoint = self.open()
        one = endpoint.split("=")[1]
        for query, status in (("", 400), ("?sessionId=", 404), ("?sessionId=x", 404), ("?sessionId=" + one[:-1], 404), ("?session_id=" + one, 400),
                              ("?sessionId=" + one + "&sessionId=" + one, 400), ("?sessionId=" + one + "%20", 404), ("?sessionId=" + "a" * 3000, 404)):
            self.assertEqual(self.post(self.client, "/messages" + query, PING).status, status, query)

    def test_an_address_of_one_path_is_none_of_another(self):
        _, endpoint = self.open()
        self.assertEqual(self.post(self.client, endpoint.replace("/messages", "/messages/calc"), PING).status, 404)
        _, scoped = self.open("/sse/calc")
        self.assertEqual(self.post(self.client, scoped.replace("/messages/calc", "/messages"), PING).status, 404)

    def test_the_doors_do_not_share_sessions(self):
        _, endpoint = self.open()
        there = mcp.Session(self.gateway, self.key.secret)
        there.id = endpoint.split("=")[1]
        self.assertEqual(there.request("ping").status, 404)
        self.assertEqual(sse.get(there).status, 404)
        self.assertEqual(self.post(self.client, "/messages?sessionId=" + self.session.id, PING).status, 404)

    def test_the_address_is_nowhere_in_log_or_audit(self):
        stream, endpoint = self.open()
        secret = endpoint.split("=")[1]
        self.post(self.client, endpoint, PING)
        stream.event()
        self.post(self.other, endpoint, PING)
        self.assertNotIn(secret, self.gateway.log())
        for path in glob.glob(os.path.join(self.gateway.home, "**", "*"), recursive=True):
            if os.path.isfile(path) and not path.endswith(".sock"):
                with open(path, "rb") as file:
                    self.assertNotIn(secret.encode(), file.read(), path)

    def test_a_server_one_may_not_enter_has_no_door(self):
        answer = self.other.ask("GET", "/sse/no-such-server", headers={"Accept": "text/event-stream"})
        self.assertEqual(answer.status, 404)

    def test_wrong_methods_and_forms(self):
        stream, endpoint = self.open()
        for method, path, status in (("POST", "/sse", 405), ("DELETE", "/sse", 405), ("GET", endpoint, 405), ("DELETE", endpoint, 405)):
            self.assertEqual(self.client.ask(method, path, b"{}" if method == "POST" else None).status, status, (method, path))
        self.assertEqual(self.client.ask("GET", "/sse", headers={"Accept": "application/json"}).status, 406)
        self.assertEqual(self.client.ask("POST", endpoint, b"{}", {"Content-Type": "text/plain"}).status, 415)
        self.assertEqual(self.client.ask("POST", endpoint, b"{", {}).status, 400)
        self.assertEqual(self.post(self.client, endpoint, [PING]).status, 400)

    def test_nothing_before_initialize_and_initialize_once(self):
        stream, endpoint = self.open()
        self.assertEqual(self.post(self.client, endpoint, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).status, 400)
        opening = {"jsonrpc": "2.0", "id": 0, "method": "initialize",
                   "params": {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}}
        self.assertEqual(self.post(self.client, endpoint, opening).status, 202)
        self.assertEqual(json.loads(stream.event().data)["result"]["protocolVersion"], "2024-11-05")
        self.assertEqual(self.post(self.client, endpoint, opening).status, 400)

    def test_more_doors_than_a_principal_may_open(self):
        hoarder = self.gateway.key("hoarder")
        streams = [sse.Stream(self.gateway, "GET", "/sse", mcp.Client(self.gateway, hoarder.secret).headers({"Accept": "text/event-stream"}))
                   for _ in range(66)]
        for stream in streams:
            self.addCleanup(stream.close)
        self.assertEqual([stream.is_stream for stream in streams].count(True), 64)
        self.still_serves()

    def test_more_calls_than_a_session_may_have_running(self):
        names = ["calc"] + ["calc%d" % n for n in range(4)]  # one calculator has but 16 slow calls running
        for name in names[1:]:
            self.gateway.add_calculator(name)
        stream, endpoint = self.open()
        self.post(self.client, endpoint, {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}})
        stream.event()
        statuses = [self.post(self.client, endpoint, sse.slow_sum(n, [1] * 1000, 100, names[n % 5] + "_slow_sum")).status for n in range(70)]
        self.assertEqual((statuses.count(202), statuses.count(429)), (64, 6))
        stream.close()
        self.still_serves()


if __name__ == "__main__":
    unittest.main()
