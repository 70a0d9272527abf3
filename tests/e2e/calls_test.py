"""The main job on the wire: one key, one tool, decided, called, answered, recorded."""
import json
import unittest

import mcp
from gateway import Gateway


class Calls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("calls").__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.key = cls.gateway.key("agent")

    def session(self, key=None, server=""):
        session = mcp.Session(self.gateway, (key or self.key).secret, server).open()
        self.addCleanup(session.close)
        return session

    def test_names_carry_the_prefix_on_mcp_and_none_on_the_servers_own_path(self):
        self.assertIn("calc_add", self.session().tools())
        self.assertIn("add", self.session(server="calc").tools())

    def test_a_call_answers_and_leaves_an_intent_and_an_outcome(self):
        """S0-16, S1-27: the fields of the record."""
        session = self.session()
        answer = session.call("calc_add", {"a": 2, "b": 3})
        self.assertEqual(answer.status, 200, answer)
        self.assertIn("5", answer.message["result"]["content"][0]["text"])
        records = self.gateway.audit(request_id=answer.headers["x-request-id"])
        self.assertEqual([r["kind"] for r in records], ["intent", "outcome"])
        outcome = records[1]
        for field in ("timestamp", "timestamp_epoch", "event_type", "action", "result", "ip_address", "execution_time",
                      "process_time", "client_ip", "auth_type", "tool_id"):
            self.assertIn(field, outcome)
        self.assertEqual((outcome["event_type"], outcome["action"], outcome["result"]), ("tool_execution", "call", "success"))
        self.assertEqual((outcome["server"], outcome["tool"]), ("calc", "add"))

    def test_a_list_is_in_the_evidence_too(self):
        answer = self.session().request("tools/list")
        kinds = [r["kind"] for r in self.gateway.audit(request_id=answer.headers["x-request-id"])]
        self.assertEqual(kinds, ["intent", "outcome"])

    def test_bad_arguments_are_refused_with_the_path(self):
        """S0-19: validated before anything is touched."""
        answer = self.session().call("calc_add", {"a": "two", "b": 3})
        self.assertEqual(answer.message["error"]["code"], -32602, answer)
        self.assertIn("/a", answer.message["error"]["message"])
        self.assertEqual(answer.message["error"]["data"]["path"], "/a")
        kinds = [r["kind"] for r in self.gateway.audit(request_id=answer.headers["x-request-id"])]
        self.assertEqual(kinds, ["refusal"])

    def test_a_tool_outside_the_grant_is_neither_listed_nor_callable_and_the_denial_is_recorded(self):
        """S0-8, S1-15, design principle 1: what may not be read is as unknown as what does not exist."""
        session = self.session(self.gateway.key("adder", "tool:execute@calc/add"))
        self.assertEqual(session.tools(), ["calc_add"])
        self.assertIn("5", session.text("calc_add", {"a": 2, "b": 3}))
        denied = session.call("calc_divide", {"a": 1, "b": 1})
        unknown = session.call("calc_no_such_tool", {"a": 1, "b": 1})
        self.assertEqual(denied.message["error"]["code"], unknown.message["error"]["code"])
        self.assertEqual(denied.message["error"]["message"].replace("calc_divide", "X"),
                         unknown.message["error"]["message"].replace("calc_no_such_tool", "X"))
        for answer in (denied, unknown):
            records = self.gateway.audit(request_id=answer.headers["x-request-id"])
            self.assertEqual([(r["kind"], r["result"]) for r in records], [("refusal", "denied")])

    def test_read_without_execute_lists_by_rest_and_is_denied_by_name(self):
        """S1-15: can_read lists and searches, and no more."""
        reader = self.gateway.key("reader", execute=False)
        rest = mcp.Client(self.gateway, reader.secret)
        self.addCleanup(rest.close)
        listed = rest.ask("GET", "/api/v1/tools").message["data"]
        self.assertIn("add", [tool["name"] for tool in listed])
        session = self.session(reader)
        self.assertEqual(session.tools(), [])  # nothing is listed that may not be called
        answer = session.call("calc_add", {"a": 1, "b": 1})
        self.assertEqual(answer.message["error"]["code"], -31403, answer)

    def test_the_same_decision_over_the_command_line_and_its_evidence(self):
        """One decision seam: CLI, REST and MCP go the same way."""
        said = json.loads(self.gateway.cli("tool", "call", "calc_add", "a=20", "b=22", "--json"))
        self.assertIn("42", said["result"]["content"][0]["text"])
        self.assertEqual(said["status"], "success")
        self.assertTrue(self.gateway.audit(auth_type="local", event_type="tool_execution", result="success") or
                        [r for r in self.gateway.audit(event_type="tool_execution") if r["client_ip"] == "local"])

    def test_every_response_carries_the_security_headers(self):
        """S1-4, S4-18, C14."""
        for path in ("/health", "/mcp", "/no/such/path"):
            headers = mcp.get(self.gateway, path).headers
            self.assertEqual(headers.get("x-content-type-options"), "nosniff", path)
            self.assertEqual(headers.get("x-frame-options"), "DENY", path)
            self.assertIn("default-src 'self'", headers.get("content-security-policy", ""), path)
            self.assertNotIn("strict-transport-security", headers, path)  # C14: only behind TLS

    def test_an_answer_echoes_its_id_whatever_its_type(self):
        session = self.session()
        for rpc_id in (0, -7, 9007199254740993, "a b", "\u00fc"):
            answer = session.call("calc_add", {"a": 1, "b": 1}, rpc_id=rpc_id)
            self.assertEqual(answer.message["id"], rpc_id)


if __name__ == "__main__":
    unittest.main()
