"""Sessions belong to who opened them (CVE-2025-6515, -25536, -33946): another's id is as unknown as a made-up one."""
import re
import unittest

import mcp
from abuse_case import AbuseCase


class Sessions(AbuseCase):
    name = "sessions"

    @classmethod
    def prepare(cls):
        cls.other = cls.gateway.key("other")

    def test_another_principals_session_is_not_found(self):
        thief = mcp.Session(self.gateway, self.other.secret)
        thief.id = self.session.id
        for act in (lambda: thief.request("ping"), lambda: thief.call("calc_add", {"a": 1, "b": 1}),
                    lambda: thief.ask("GET", "/mcp", headers={"Accept": "text/event-stream", "Mcp-Session-Id": thief.id}),
                    lambda: thief.ask("DELETE", "/mcp", headers={"Mcp-Session-Id": thief.id})):
            answer, fresh = self.records_of(act)
            self.assertEqual(answer.status, 404, answer)
            self.assert_refusal_recorded(fresh, answer)
        self.still_serves()  # and the owner's lives on

    def test_notifications_of_the_era_without_sessions(self):
        """MCP 2026-07-28: there are none that mean anything over HTTP; whatever they say is taken and nothing happens."""
        client = mcp.Session(self.gateway, self.key.secret, version="2026-07-28")
        for method, params in (("cancelled", {"requestId": 1}), ("cancelled", {}), ("initialized", {}), ("progress", {"progressToken": 1})):
            for header in ({}, {"MCP-Protocol-Version": "2026-07-28"}):
                meta = {} if header else {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}
                answer = client.ask("POST", "/mcp", {"jsonrpc": "2.0", "method": "notifications/" + method, "params": {**params, **meta}},
                                    {"Accept": mcp.ACCEPT, **header})
                self.assertEqual((answer.status, answer.body), (202, b""), answer)
        self.still_serves()

    def test_made_up_ids(self):
        for made_up in ("x", "0", self.session.id[:-1], self.session.id + "A", self.session.id.swapcase(), "A" * 22, "../" + self.session.id,
                        "a" * 5000, "%00", "' OR 1=1"):
            session = mcp.Session(self.gateway, self.key.secret)
            session.id = made_up
            answer, fresh = self.records_of(lambda s=session: s.request("ping"))
            self.assertEqual(answer.status, 404, (made_up[:20], answer))
            self.assert_refusal_recorded(fresh, answer)

    def test_no_session_at_all(self):
        session = mcp.Session(self.gateway, self.key.secret)
        for act in (lambda: session.request("tools/list"), lambda: session.ask("GET", "/mcp", headers={"Accept": "text/event-stream"}),
                    lambda: session.ask("DELETE", "/mcp")):
            answer, fresh = self.records_of(act)
            self.assertEqual(answer.status, 400, answer)
            self.assert_refusal_recorded(fresh, answer)

    def test_an_ended_session_is_not_found(self):
        session = mcp.Session(self.gateway, self.key.secret).open()
        self.assertIn(session.ask("DELETE", "/mcp", headers={"Mcp-Session-Id": session.id}).status, (200, 204))
        self.assertEqual(session.request("ping").status, 404)

    def test_a_session_of_one_path_is_none_of_another(self):
        session = mcp.Session(self.gateway, self.key.secret, "calc").open()
        session.path = "/mcp"
        self.assertEqual(session.request("tools/list").status, 404)

    def test_ids_are_random_and_long(self):
        ids = {mcp.Session(self.gateway, self.other.secret).open().id for _ in range(20)}
        self.assertEqual(len(ids), 20)
        for one in ids:
            self.assertRegex(one, re.compile(r"^[A-Za-z0-9_-]{22,}$"))  # 128 bits

    def test_unknown_and_future_protocol_versions(self):
        for version in ("1.0", "2099-01-01", "", "2024-11-05", "2025-11-25 "):
            answer = self.session.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"MCP-Protocol-Version": version})
            self.assertIn(answer.status, (400, 200 if version == "2025-11-25 " else 400), (version, answer))

    def test_more_sessions_than_a_principal_may_hold(self):
        hoarder = self.gateway.key("hoarder")
        statuses = []
        for _ in range(70):
            session = mcp.Session(self.gateway, hoarder.secret)
            answer = session.request("initialize", {"protocolVersion": mcp.VERSION, "capabilities": {}, "clientInfo": {"name": "h", "version": "1"}})
            statuses.append("result" in answer.message)
            session.close()
        self.assertEqual(statuses.count(True), 64)
        self.still_serves()

    def test_the_same_id_twice_in_flight_gets_no_answer_of_the_other(self):
        """Refused where one worker sees both; never crossed."""
        import threading
        twin = mcp.Session(self.gateway, self.key.secret)
        twin.id = self.session.id
        first = []
        slow = threading.Thread(target=lambda: first.append(
            self.session.call("calc_slow_sum", {"numbers": [1] * 10, "step_ms": 100}, rpc_id=77)))
        slow.start()
        import processes
        processes.wait_until(lambda: [r for r in self.gateway.audit(kind="intent", tool="slow_sum")], 5, "the first call")
        answer = twin.call("calc_slow_sum", {"numbers": [1], "step_ms": 0}, rpc_id=77)
        slow.join()
        if "result" in answer.message:
            self.assertEqual(answer.message["result"]["content"][0]["text"], "1")
        self.assertEqual(first[0].message["result"]["content"][0]["text"], "10")


if __name__ == "__main__":
    unittest.main()
