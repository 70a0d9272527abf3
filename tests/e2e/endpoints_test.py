"""Registered tools that stand for an HTTP endpoint (issue 4): over MCP and REST, and what they must not open."""
import json
import threading
import unittest

import mcp
import processes
import registry_case
from registry_case import SCHEMA, Registry

setUpModule = registry_case.start


class Endpoints(Registry):
    def test_arguments_are_posted_and_the_answer_is_the_result(self):
        """Issue 4: through the one egress client; no credential of the caller's goes on."""
        self.register("echo", endpoint=self.url("/echo?x=1"), allow_private=True, schema=SCHEMA,
                      endpoint_headers={"X-Own": "own"})
        agent = mcp.Session(self.gateway, self.agent("echo")).open()
        self.assertIn("echo", agent.tools())
        result = agent.call("echo", {"a": 1, "b": 2}).message["result"]
        self.assertEqual(result["structuredContent"], {"got": {"a": 1, "b": 2}})
        self.assertEqual(json.loads(result["content"][0]["text"]), result["structuredContent"])
        path, headers, body = self.endpoint.seen[-1]
        self.assertEqual((path, body, headers["X-Own"]), ("/echo?x=1", b'{"a":1,"b":2}', "own"))
        self.assertNotIn("authorization", {name.lower() for name in headers})
        before = len(self.endpoint.seen)
        self.assertIn("error", agent.call("echo", {"a": 1}).message)
        self.assertEqual(len(self.endpoint.seen), before, "arguments that do not fit go nowhere")
        modern = mcp.Modern(self.gateway, self.agent("echo-modern"), "registry")
        self.assertIn("result", modern.call("echo", {"a": 3, "b": 4}).message)
        answer = self.admin.ask("POST", "/api/tools/echo/execute", {"arguments": {"a": 5, "b": 6}})
        self.assertEqual(answer.message["result"]["structuredContent"], {"got": {"a": 5, "b": 6}}, answer)
        self.assertTrue(self.gateway.audit(kind="intent", server="registry", tool="echo"))

    def test_other_answers(self):
        for path, text in (("/text", "sunny"), ("/missing", None), ("/redirect", None)):
            self.register("other", endpoint=self.url(path), allow_private=True)
            before = len(self.endpoint.seen)
            answer = self.admin.ask("POST", "/api/tools/other/execute", {"arguments": {}})
            self.assertEqual(len(self.endpoint.seen), before + 1, path)
            if text:
                self.assertEqual(answer.message["result"], {"content": [{"type": "text", "text": text}]})
            else:
                self.assertEqual(answer.status, 502, answer)
                self.assertNotIn("secret", answer.body.decode())
            self.admin.ask("DELETE", "/api/v1/tools/other")

    def test_where_the_gateway_goes_is_for_administrators(self):
        """threats.md, SSRF: an endpoint is what a server is: its address asks for server:write, a private one for the machine."""
        maker = self.key("endpoints", can_create=True, can_read=True, can_update=True, can_execute=True, roles=["user"])
        answer = maker.ask("POST", "/tools", {"name": "out", "endpoint": "https://example.org/"})
        self.assertEqual(answer.status, 403, answer)
        for url in (self.url(), "http://169.254.169.254/latest", "http://[::ffff:10.0.0.1]/", "http://0/"):
            self.assertEqual(self.admin.ask("POST", "/tools", {"name": "out", "endpoint": url}).status, 400, url)
        refused = self.admin.ask("POST", "/tools", {"name": "out", "endpoint": self.url(), "allow_private": True})
        self.assertEqual(refused.status, 403, refused)
        refused = self.admin.ask("POST", "/tools", {"name": "out", "endpoint": "https://example.org/",
                                                    "endpoint_headers": {"A": "${file:master.key}"}})
        self.assertEqual(refused.status, 403, refused)
        self.register("inside", endpoint=self.url("/in"), allow_private=True, security_level=5, endpoint_headers={"X": "y"})
        shown = maker.ask("GET", "/tools/inside")
        self.assertIsNone(shown.message["endpoint"])
        self.assertNotIn(self.url().encode(), shown.body)
        self.assertNotIn("endpoint_headers", shown.message)
        self.assertEqual(self.admin.ask("GET", "/tools/inside").message["endpoint_headers"], ["X"])
        self.assertEqual(maker.ask("PUT", "/tools/inside", {"security_level": 1}).status, 403)
        self.assertEqual(maker.ask("PUT", "/tools/inside", {"endpoint": "https://example.org/"}).status, 403)
        self.assertEqual(maker.ask("POST", "/api/tools/inside/execute", {"arguments": {}}).status, 403)
        name_only = self.admin.ask("POST", "/tools", {"name": "rebound", "endpoint": "http://localhost:%d/" %
                                                      self.endpoint.server_address[1]})
        self.addCleanup(self.admin.ask, "DELETE", "/tools/rebound")
        self.assertEqual(name_only.status, 201)  # a name is judged when it is connected to
        before = len(self.endpoint.seen)
        self.assertGreaterEqual(self.admin.ask("POST", "/api/tools/rebound/execute", {"arguments": {}}).status, 400)
        self.assertEqual(len(self.endpoint.seen), before)

    def waiting(self, count):
        processes.wait_until(lambda: len([seen for seen in self.endpoint.seen if seen[0] == "/hang"]) >= count, 20, "the call")

    def test_a_call_that_waits_can_be_ended(self):
        """S0-22, design principle 3: by its time, by its caller, and by the end of its key; the endpoint is let go of each time."""
        self.register("hang", endpoint=self.url("/hang"), allow_private=True)
        answer = self.admin.ask("POST", "/api/tools/hang/execute", {"arguments": {}, "timeout": 1})
        self.assertEqual((answer.status, answer.message["error"]["code"]), (504, "upstream_timeout"), answer)
        for end in ("cancelled", "revoked"):
            key = self.gateway.key("hang-" + end)
            agent = mcp.Session(self.gateway, key.secret).open()
            count = len([seen for seen in self.endpoint.seen if seen[0] == "/hang"])
            answers = []
            other = mcp.Session(self.gateway, key.secret)
            other.id = agent.id
            call = threading.Thread(target=lambda: answers.append(agent.call("hang", rpc_id=77)))
            call.start()
            self.waiting(count + 1)
            if end == "cancelled":
                self.assertEqual(other.notify("notifications/cancelled", {"requestId": 77}).status, 202)
            else:
                self.gateway.cli("key", "revoke", key.id)
            call.join(20)
            self.assertFalse(call.is_alive(), end)
            self.assertNotIn("result", answers[0].message or {}, end)
            ended = self.gateway.audit(kind="outcome", tool="hang", principal="key:" + key.id)
            self.assertEqual([record["result"] for record in ended], ["cancelled"], ended)
        processes.wait_until(lambda: len(self.endpoint.gone) == 3, 20, "the endpoint's connections to end")


if __name__ == "__main__":
    unittest.main()
