"""The revision without sessions (MCP 2026-07-28): what stands alone is believed alone. Traps 1, 2, 7 and 9 of the field by number."""
import json
import unittest

import mcp
from abuse_case import AbuseCase

ANSWER = {"role": "assistant", "content": {"type": "text", "text": "42"}, "model": "none"}


class ModernClients(AbuseCase):
    name = "modern"

    @classmethod
    def prepare(cls):
        cls.gateway.add_python("rogue", "rogue_server.py")
        cls.other = cls.gateway.key("other")

    def setUp(self):
        super().setUp()
        self.modern = mcp.Modern(self.gateway, self.key.secret, capabilities={"sampling": {}})
        self.addCleanup(self.modern.close)

    def parked(self):
        """A call that waits for its retry: the state, and the answers that it wants."""
        answer = self.modern.call("rogue_asks")
        result = answer.message["result"]
        self.assertEqual(result["resultType"], "input_required", answer)
        return result["requestState"], {key: ANSWER for key in result["inputRequests"]}

    def refused(self, client, code, status, method="tools/call", params=None, **how):
        answer, fresh = self.records_of(lambda: client.request(method, params, **how))
        self.assertEqual((answer.status, answer.message.get("error", {}).get("code")), (status, code), answer)
        self.assert_refusal_recorded(fresh, answer)
        return answer

    def restart(self):
        self.gateway.stop()
        self.gateway.start()

    def not_resumed(self, client, state, responses, name="rogue_asks", arguments=None):
        answer = client.call(name, arguments, requestState=state, inputResponses=responses)
        self.assertEqual(answer.message["error"]["code"], -32602, answer)
        self.assertNotIn("42", json.dumps(answer.message))

    def test_a_call_that_asks_ends_with_its_answer(self):
        state, responses = self.parked()
        roots, sample = json.loads(self.modern.text("rogue_asks", requestState=state, inputResponses=responses))
        self.assertEqual(sample["result"]["content"]["text"], "42")
        self.assertIn("error", roots)  # not forwarded: the operator's folders stay

    def test_a_call_waits_though_its_connection_ends(self):
        state, responses = self.parked()
        self.modern.close()
        self.assertIn("42", self.modern.text("rogue_asks", requestState=state, inputResponses=responses))

    def test_trap_7_a_retry_is_good_for_its_principal_tool_arguments_and_path_alone_and_once(self):
        stranger = mcp.Modern(self.gateway, self.other.secret, capabilities={"sampling": {}})
        scoped = mcp.Modern(self.gateway, self.key.secret, "rogue", capabilities={"sampling": {}})
        state, responses = self.parked()
        self.not_resumed(stranger, state, responses)
        self.not_resumed(self.modern, state, responses, name="rogue_echo")
        self.not_resumed(self.modern, state, responses, name="calc_add", arguments={"a": 1, "b": 2})
        self.not_resumed(self.modern, state, responses, arguments={"a": 1})
        self.not_resumed(scoped, state, responses, name="asks")
        self.assertIn("42", self.modern.text("rogue_asks", requestState=state, inputResponses=responses))
        self.not_resumed(self.modern, state, responses)

    def test_trap_7_a_state_that_was_changed_is_none(self):
        state, responses = self.parked()
        for made_up in (state[:-2] + ("AA" if state[-2:] != "AA" else "BB"), state[1:], state.swapcase(), "", "x", "A" * 100_000):
            self.not_resumed(self.modern, made_up, responses)
        self.assertIn("42", self.modern.text("rogue_asks", requestState=state, inputResponses=responses))

    def test_trap_7_after_a_restart_the_client_hears_that_the_call_is_over(self):
        state, responses = self.parked()
        self.restart()
        self.modern = mcp.Modern(self.gateway, self.key.secret, capabilities={"sampling": {}})
        self.session = mcp.Session(self.gateway, self.key.secret).open()
        self.not_resumed(self.modern, state, responses)

    def test_answers_to_nothing_that_was_asked_are_passed_over(self):
        state, responses = self.parked()
        again = self.modern.call("rogue_asks", requestState=state, inputResponses={"input-99": ANSWER, "nobody's": {}})
        result = again.message["result"]
        self.assertEqual(result["resultType"], "input_required", again)
        self.assertIn("42", self.modern.text("rogue_asks", requestState=result["requestState"], inputResponses=responses))

    def test_calls_that_wait_are_counted(self):
        for number in range(16):
            self.assertIn("inputRequests", self.modern.call("rogue_asks").message["result"], number)
        self.assertIn("error", self.modern.call("rogue_asks").message)
        other = mcp.Modern(self.gateway, self.other.secret, capabilities={"sampling": {}})
        self.assertIn("inputRequests", other.call("rogue_asks").message["result"])
        self.restart()  # the others of this class start with none
        self.session = mcp.Session(self.gateway, self.key.secret).open()

    def test_what_a_client_has_not_declared_is_not_asked_of_it(self):
        mute = mcp.Modern(self.gateway, self.key.secret)
        result = mute.call("rogue_asks").message["result"]
        self.assertEqual(result["resultType"], "complete")
        self.assertEqual(result["content"][0]["text"].count("error"), 2)

    def test_an_url_that_a_server_of_2025_11_25_wants_visited_is_a_round_of_its_own(self):
        mute = mcp.Modern(self.gateway, self.key.secret, capabilities={"elicitation": {}})
        answer = mute.call("rogue_wants_url")
        self.assertEqual((answer.status, answer.message["error"]["code"]), (400, -32021), answer)
        self.assertEqual(answer.message["error"]["data"], {"requiredCapabilities": {"elicitation": {"url": {}}}})
        self.assertEqual(mute.text("rogue_wants_url"), "paid")  # the other half of the server's rhythm
        able = mcp.Modern(self.gateway, self.key.secret, capabilities={"elicitation": {"url": {}}})
        result = able.call("rogue_wants_url").message["result"]
        (key, request), = result["inputRequests"].items()
        self.assertEqual((request["method"], request["params"]["mode"], request["params"]["url"]),
                         ("elicitation/create", "url", "https://example.com/pay"))
        self.assertEqual(able.text("rogue_wants_url", inputResponses={key: {"action": "accept"}}), "paid")

    def test_notifications_and_responses_need_no_session_and_do_nothing(self):
        for method, params in (("notifications/cancelled", {"requestId": 1}), ("notifications/progress", {"progressToken": 1, "progress": 1}),
                               ("notifications/roots/list_changed", {}), ("notifications/initialized", {})):
            self.assertEqual(self.modern.notify(method, params).status, 202, method)
            self.gateway.assert_alive()
        answer = self.modern.post({"jsonrpc": "2.0", "id": "sp-1", "result": {}})
        self.assertEqual(answer.status, 400, answer)
        self.still_serves()

    def test_trap_1_initialize_with_an_envelope_is_unknown_and_without_it_works(self):
        self.refused(self.modern, -32601, 404, "initialize", {"protocolVersion": "2025-11-25", "capabilities": {}})
        mcp.Session(self.gateway, self.key.secret).open()

    def test_trap_2_an_envelope_decides_for_its_own_message_alone(self):
        connection = mcp.Modern(self.gateway, self.key.secret)
        self.assertIn("2026-07-28", connection.request("server/discover").message["result"]["supportedVersions"])
        session = mcp.Session(self.gateway, self.key.secret)
        session.connection = connection.connection  # the probe was the first thing that this connection said
        self.assertIn("calc_add", session.open().tools())

    def test_methods_of_the_other_era_are_unknown_whatever_their_parameters(self):
        for method in ("ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"):
            for params in ({}, {"uri": "x://y"}, {"level": "info"}):
                self.refused(self.modern, -32601, 404, method, params)

    def test_trap_9_headers_say_what_the_body_says(self):
        add = {"name": "calc_add", "arguments": {"a": 1, "b": 2}}
        for headers in ({"Mcp-Method": "tools/list"}, {"Mcp-Method": "TOOLS/CALL"}, {"Mcp-Method": None}, {"Mcp-Name": "calc_divide"},
                        {"Mcp-Name": None}, {"Mcp-Name": "=?base64?Y2FsY19hZGQ?="}, {"Mcp-Name": "Calc_add"},
                        {"MCP-Protocol-Version": "2025-11-25"}, {"MCP-Protocol-Version": None}):
            answer = self.refused(self.modern, -32020, 400, params=add, headers=headers)
            self.assertNotIn('"3"', json.dumps(answer.message), headers)
        self.assertIn("3", self.modern.text("calc_add", {"a": 1, "b": 2}))

    def test_an_envelope_that_lacks_something(self):
        bare = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        self.assertEqual(self.modern.post(bare).status, 400)
        for name, value in (("protocolVersion", "2099-01-01"), ("protocolVersion", 7), ("clientCapabilities", []), ("logLevel", "loud")):
            answer = self.modern.request("tools/list", meta={"io.modelcontextprotocol/" + name: value})
            self.assertEqual(answer.status, 400, answer)
        self.still_serves()


if __name__ == "__main__":
    unittest.main()
