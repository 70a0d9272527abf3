"""Who is inside already: a caller with a good key, one whose key is revoked while its body trickles in, a tool server."""
import json
import socket
import time
import unittest

import mcp
from abuse_case import AbuseCase

CALL = {"name": "calc_add", "arguments": {"a": 1, "b": 2}}


class Insider(AbuseCase):
    name = "insider"
    settings = {"limits.body_timeout_seconds": 10, "limits.head_timeout_seconds": 10}

    @classmethod
    def prepare(cls):
        cls.gateway.add_python("insider", "insider_server.py")

    def intents(self):
        return len(self.gateway.audit(kind="intent", event_type="tool_execution"))

    def test_a_call_without_an_id_is_not_done(self):
        known = self.intents()
        for method, params in (("tools/call", CALL), ("resources/read", {"uri": "calc+a:b"}), ("prompts/get", {"name": "x"}),
                               ("initialize", {}), ("tools/list", {})):
            answer = self.session.post({"jsonrpc": "2.0", "method": method, "params": params})
            self.assertEqual(answer.status, 202, (method, answer))
            self.gateway.assert_alive()
        self.assertEqual(self.intents(), known)

    def test_a_notification_with_an_id_is_an_unknown_method(self):
        for name in ("initialized", "cancelled", "progress", "roots/list_changed"):
            answer = self.session.request("notifications/" + name, {"requestId": 1})
            self.assertEqual(answer.message["error"]["code"], -32601, answer)
            self.gateway.assert_alive()

    def test_a_body_that_outlasts_its_key(self):
        key = self.gateway.key("slow")
        session = mcp.Session(self.gateway, key.secret).open()
        body = json.dumps({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": CALL}).encode()
        head = ("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\nMcp-Session-Id: %s\r\n"
                "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: %d\r\n\r\n"
                % (self.gateway.port, key.secret, session.id, len(body))).encode()
        known = self.intents()
        with socket.create_connection((self.gateway.address, self.gateway.port), timeout=20) as sock:
            sock.sendall(head + body[:10])
            time.sleep(0.5)  # the head has been read by now; were it not, the key would be refused all the same
            self.gateway.cli("key", "revoke", key.id)
            sock.sendall(body[10:])
            self.assertIn(b"HTTP/1.1 401 ", sock.recv(4096))
        self.assertEqual(self.intents(), known)
        session.close()

    def test_a_tool_server_is_no_administrator(self):
        said = self.session.text("insider_ask_admin", {"path": self.gateway.home + "/admin.sock"})
        self.assertNotIn("200 OK", said)
        self.assertNotIn("username", said)

    def test_files_of_the_gateway_are_not_fetched_by_a_token(self):
        self.gateway.user("operator", "Correct-Horse-7-Battery", "admin")
        login = mcp.Client(self.gateway).ask("POST", "/api/auth/login",
                                             {"username": "operator", "password": "Correct-Horse-7-Battery"})
        client = mcp.Client(self.gateway, login.message["access_token"])
        answer = client.ask("POST", "/api/servers", {"name": "leak", "url": "http://127.0.0.1:9/", "allow_private": True,
                                                     "probe": False, "headers": {"X-A": "${file:keys/master.key}"}})
        self.assertEqual(answer.status, 403, answer)
        records = self.gateway.audit(request_id=answer.headers["x-request-id"])
        self.assertEqual(records[-1]["result"], "denied", records)


if __name__ == "__main__":
    unittest.main()
