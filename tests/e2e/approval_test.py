"""Calls that a policy lets pass only when people approve them (issue 5, human approval; S0-12, S1-2, S4-4)."""
import hashlib
import hmac
import http.server
import json
import os
import shutil
import signal
import sqlite3
import threading
import time
import unittest

import mcp
import processes
import scratch
from gateway import SLOW, Gateway

PASSWORD = "Correct-Horse-7-Battery"
RULE = 'package tool_access\nimport rego.v1\nobligations contains {"require_approval": true} if input.tool.name == "multiply"\n'
URL = {"elicitation": {"url": {}}}


def with_rule(gateway):
    folder = os.path.join(gateway.home, "policies")
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o755)
    for name in ("tool_access.rego", "admin_access.rego"):
        shutil.copy(os.path.join(scratch.ROOT, "policies", name), folder)
    with open(os.path.join(folder, "approval.rego"), "w") as file:
        file.write(RULE)
    for name in os.listdir(folder):
        os.chmod(os.path.join(folder, name), 0o644)
    gateway.process.send_signal(signal.SIGHUP)
    processes.wait_until(lambda: "reloaded:" in gateway.log(), 20 * SLOW, "the policy")


class Calls(unittest.TestCase):
    """What the tests of both gateways use."""

    def execute(self, client, a, tool="calc_multiply"):
        return client.ask("POST", "/tools/%s/execute" % tool, {"arguments": {"a": a, "b": 3}})

    def pending(self, client, a, tool="calc_multiply"):
        answer = self.execute(client, a, tool)
        self.assertEqual((answer.status, answer.message["error"]["code"]), (403, "approval_required"), answer.message)
        details = answer.message["error"]["details"]
        self.assertEqual(details["state"], "pending")
        return details["approval_id"]

    def approve(self, approval):
        return json.loads(self.gateway.cli("approval", "approve", approval, "--reason", "by phone", "--json"))


class Approval(Calls):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("approval", {"listen.workers": 2, "approval.per_principal": 1000}).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        with_rule(cls.gateway)
        cls.gateway.add_calculator()
        cls.gateway.admin("POST", "/roles", {"name": "approver", "scopes": ["approval:read", "approval:write"]})
        for name, role in (("ann", "user"), ("eve", "user"), ("pat", "approver"), ("boss", "admin")):
            cls.gateway.user(name, PASSWORD, role)
        cls.ann, cls.eve, cls.pat, cls.boss = (cls.client(name) for name in ("ann", "eve", "pat", "boss"))
        cls.key = cls.gateway.key("agent")

    @classmethod
    def client(cls, name):
        client = mcp.Client(cls.gateway)
        client.secret = client.ask("POST", "/auth/login", {"username": name, "password": PASSWORD}).message["access_token"]
        return client

    def waits(self, result):
        """The id in a tool result of a call that waits."""
        self.assertTrue(result["isError"])
        about = result["_meta"]["sallyport/approval"]
        self.assertEqual(about["state"], "pending")
        self.assertIn("sallyport approval approve " + about["id"], result["content"][0]["text"])
        return about["id"]

    def test_a_call_passes_once_when_it_was_approved(self):
        """S0-12: shown with its exact arguments, passed once, evidence for each step."""
        approval = self.pending(self.ann, 7)
        self.assertEqual(self.pending(self.ann, 7), approval)
        shown = json.loads(self.gateway.cli("approval", "show", approval, "--json"))
        self.assertEqual((shown["state"], shown["arguments"], shown["tool"]), ("pending", {"a": 7, "b": 3}, "multiply"))
        self.assertIn(approval, self.gateway.cli("approval", "list"))
        self.assertEqual(self.approve(approval)["state"], "approved")
        answer = self.execute(self.ann, 7)
        self.assertEqual(answer.status, 200, answer.message)
        self.assertNotEqual(self.pending(self.ann, 7), approval)
        self.assertEqual(json.loads(self.gateway.cli("approval", "show", approval, "--json"))["state"], "used")
        noted = [r["action"] for r in self.gateway.audit() if r.get("evidence", "").startswith("approval=%s caller=" % approval)]
        self.assertEqual(noted, ["approval_requested", "approval_approved", "approval_used"])
        kinds = {r["kind"] for r in self.gateway.audit(tool="multiply") if r.get("evidence") == "approval=" + approval}
        self.assertEqual(kinds, {"intent", "outcome", "refusal"})

    def test_it_is_for_this_call_alone(self):
        """Other arguments, another caller: asked for anew. What means the same is the same."""
        approval = self.pending(self.ann, 11)
        self.approve(approval)
        self.assertNotEqual(self.pending(self.ann, 12), approval)
        self.assertNotEqual(self.pending(self.eve, 11), approval)
        body = b'{"arguments": {"b": 3.0, "a": 1.1e1}}'
        answer = self.ann.ask("POST", "/tools/calc_multiply/execute", body, {"Content-Type": "application/json"})
        self.assertEqual(answer.status, 200, answer.message)
        self.assertEqual(self.execute(self.ann, 11, "calc_add").status, 200)

    def test_another_definition_of_the_tool_voids_it(self):
        self.gateway.cli("tool", "register", "times", "--upstream", "calc/multiply", "--description", "one")
        approval = self.pending(self.ann, 5, "times")
        self.approve(approval)
        self.gateway.cli("tool", "update", "times", "--description", "another")
        self.assertNotEqual(self.pending(self.ann, 5, "times"), approval)

    def test_another_place_behind_the_same_name_voids_it(self):
        """The server is taken away and comes back as another program with the same tools: nobody has approved that."""
        def till(place):
            self.gateway.add("till", scratch.readable(scratch.binary("sallyport-calculator")), env=["PLACE=" + place])
        till("here")
        approval = self.pending(self.ann, 31, "till_multiply")
        self.approve(approval)
        self.gateway.cli("server", "remove", "till")
        till("elsewhere")
        self.assertNotEqual(self.pending(self.ann, 31, "till_multiply"), approval)
        self.gateway.cli("server", "remove", "till")
        till("here")
        self.gateway.cli("server", "label", "till", "private_data")  # says nothing of where
        self.assertEqual(self.execute(self.ann, 31, "till_multiply").status, 200)

    def test_two_equal_calls_at_once(self):
        self.approve(self.pending(self.ann, 13))
        answers = []
        clients = [self.client("ann") for _ in range(4)]
        threads = [threading.Thread(target=lambda c=client: answers.append(self.execute(c, 13).status)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(answers), [200, 403, 403, 403])

    def test_a_denial_is_heard(self):
        approval = self.pending(self.ann, 17)
        self.gateway.cli("approval", "deny", approval, "--reason", "not today")
        answer = self.execute(self.ann, 17)
        self.assertEqual((answer.status, answer.message["error"]["code"]), (403, "authorization_failed"))
        self.assertIn("not today", answer.message["error"]["message"])
        self.assertIn("it is denied", self.gateway.run("approval", "approve", approval).err)

    def test_who_may_decide_and_see(self):
        """S1-2, S4-4 (BOLA, BFLA): by permission; others' calls are not there; nobody decides about their own."""
        approval = self.pending(self.ann, 19)
        path = "/approvals/" + approval
        self.assertEqual(self.ann.ask("GET", path).message["arguments"], {"a": 19, "b": 3})
        self.assertEqual(self.ann.ask("POST", path + "/approve", {}).status, 403)
        self.assertEqual(self.eve.ask("GET", path).status, 404)
        self.assertEqual(self.eve.ask("DELETE", path).status, 404)
        self.assertNotIn(approval, json.dumps(self.eve.ask("GET", "/api/v1/approvals?limit=1000").message))
        self.assertIn(approval, json.dumps(self.pat.ask("GET", "/api/v1/approvals?state=pending&limit=1000").message))
        self.assertEqual(self.pat.ask("GET", "/users").status, 403)
        self.assertEqual(self.pat.ask("POST", path + "/approve", {"reason": "x" * 501}).status, 400)
        self.assertEqual(self.pat.ask("POST", path + "/approve", {"reason": "seen"}).message["decided_by"][:5], "user:")
        own = self.pending(self.boss, 19)
        answer = self.boss.ask("POST", "/approvals/%s/approve" % own, {})
        self.assertEqual(answer.status, 403)
        self.assertIn("four eyes", answer.message["error"]["message"])
        self.assertEqual(self.boss.ask("DELETE", "/approvals/" + own).status, 204)
        self.assertNotEqual(self.pending(self.boss, 19), own)

    def test_nobody_decides_for_their_keys_and_no_agent_decides(self):
        """S1-2: the owner of the calling key is its caller; an agent's key may hold the permission and still may not;
        no key decides under four eyes, whoever owns it: who may rotate it would be two people."""
        made = self.boss.ask("POST", "/keys", {"name": "of-boss", "roles": ["user"]}).message
        approval = self.pending(mcp.Client(self.gateway, made["api_key"]), 23)
        self.assertEqual(self.boss.ask("POST", "/approvals/%s/approve" % approval, {}).status, 403)
        agent = self.gateway.admin("POST", "/keys", {"name": "bot", "roles": ["agent"], "scopes": ["approval:read", "approval:write"]})
        answer = mcp.Client(self.gateway, agent["api_key"]).ask("POST", "/approvals/%s/approve" % approval, {})
        self.assertEqual(answer.status, 403, answer.message)
        plain = self.gateway.admin("POST", "/keys", {"name": "service", "roles": ["approver"]})
        bought = self.ann.ask("POST", "/auth/api-key-login", {"api_key": plain["api_key"]}).message["access_token"]
        for secret in (plain["api_key"], bought):
            answer = mcp.Client(self.gateway, secret).ask("POST", "/approvals/%s/approve" % approval, {})
            self.assertEqual(answer.status, 403, answer.message)
            self.assertIn("log in as a person", answer.message["error"]["message"])
        self.assertEqual(self.pat.ask("POST", "/approvals/%s/approve" % approval, {}).status, 200)

    def test_over_mcp_of_each_era(self):
        for number, client in enumerate((*(mcp.Session(self.gateway, self.key.secret, version=version).open()
                                           for version in ("2024-11-05", "2025-06-18", "2025-11-25")),
                                         mcp.Modern(self.gateway, self.key.secret))):
            arguments = {"a": 100 + number, "b": 2}
            result = client.call("calc_multiply", arguments).message["result"]
            self.approve(self.waits(result))
            self.assertIn(str((100 + number) * 2), client.text("calc_multiply", arguments))
            self.waits(client.call("calc_multiply", arguments).message["result"])

    def test_a_modern_client_that_shows_urls(self):
        """MCP 2026-07-28, multi-round: a link without the call, then the same call with its state."""
        client = mcp.Modern(self.gateway, self.key.secret, capabilities=URL)
        arguments = {"a": 31, "b": 41}
        result = client.call("calc_multiply", arguments).message["result"]
        self.assertEqual(result["resultType"], "input_required")
        params = result["inputRequests"]["approval"]["params"]
        approval = params["url"].split("/")[-2]
        self.assertEqual(params["url"], "http://127.0.0.1:%d/approvals/%s/page" % (self.gateway.port, approval))
        page = mcp.Client(self.gateway).ask("GET", "/approvals/%s/page" % approval)
        self.assertEqual(page.status, 200)
        self.assertNotIn(b"multiply", page.body)
        self.assertIn("default-src 'self'", page.headers["content-security-policy"])
        retry = {"requestState": result["requestState"], "inputResponses": {"approval": {"action": "accept"}}}
        self.assertEqual(self.waits(client.call("calc_multiply", arguments, **retry).message["result"]), approval)
        self.approve(approval)
        self.assertIn("error", client.call("calc_multiply", {"a": 31, "b": 42}, **retry).message)
        self.assertIn("1271", client.text("calc_multiply", arguments, **retry))
        self.waits(client.call("calc_multiply", arguments, **retry).message["result"])

    def test_a_client_of_2025_11_25_that_shows_urls(self):
        session = mcp.Session(self.gateway, self.key.secret)
        opened = session.request("initialize", {"protocolVersion": session.version, "capabilities": URL,
                                                "clientInfo": {"name": "t", "version": "1"}})
        session.id = opened.headers["mcp-session-id"]
        session.notify("notifications/initialized")
        error = session.call("calc_multiply", {"a": 43, "b": 2}).message["error"]
        self.assertEqual(error["code"], -32042)
        asked = error["data"]["elicitations"][0]
        self.assertEqual(asked["mode"], "url")
        self.approve(asked["elicitationId"])
        self.assertIn("86", session.text("calc_multiply", {"a": 43, "b": 2}))

    def test_a_store_that_fails_lets_nothing_pass(self):
        self.approve(self.pending(self.ann, 29))
        with sqlite3.connect(os.path.join(self.gateway.home, "sallyport.db"), timeout=20) as store:
            store.execute("ALTER TABLE approvals RENAME TO gone")
        try:
            self.assertEqual(self.execute(self.ann, 29).status, 503)
            self.assertEqual(self.execute(self.ann, 30).status, 503)
        finally:
            with sqlite3.connect(os.path.join(self.gateway.home, "sallyport.db"), timeout=20) as store:
                store.execute("ALTER TABLE gone RENAME TO approvals")
        self.assertEqual(self.execute(self.ann, 29).status, 200)


class Receiver(http.server.BaseHTTPRequestHandler):
    heard = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append((dict(self.headers), body))
        self.send_response(500 if len(self.heard) == 1 else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Short(Calls):
    def test_webhook_expiry_restart_and_no_four_eyes(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        settings = {"listen.workers": 1, "approval.pending_seconds": 5, "approval.four_eyes": False,
                    "approval.webhook": "http://127.0.0.1:%d/hook" % server.server_port,
                    "approval.webhook_allow_private": True, "approval.webhook_secret": "${env:SALLYPORT_TEST_SECRET}"}
        with Gateway("approval-short", settings) as gateway:
            self.gateway = gateway
            with_rule(gateway)
            gateway.add_calculator()
            client = mcp.Client(gateway, gateway.admin("POST", "/keys", {"name": "caller", "roles": ["user"]})["api_key"])
            first = self.pending(client, 2)
            self.hears(first)
            self.expires(client, first)
            self.own(gateway)
            approval = self.pending(client, 4)
            self.approve(approval)
            gateway.stop()
            gateway.start()
            again = mcp.Client(gateway, client.secret)
            self.assertEqual(self.execute(again, 4).status, 200)

    def hears(self, approval):
        """Tried again after a failure; signed; without the arguments."""
        processes.wait_until(lambda: len(Receiver.heard) >= 2, 20 * SLOW, "the webhook")
        headers, body = Receiver.heard[1]
        expected = hmac.new(self.gateway.environment()["SALLYPORT_TEST_SECRET"].encode(), headers["X-Sallyport-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
        self.assertEqual(headers["X-Sallyport-Signature"], "sha256=" + expected)
        self.assertLess(abs(time.time() - int(headers["X-Sallyport-Timestamp"])), 60 * SLOW)
        said = json.loads(body)
        self.assertEqual((said["id"], said["server"], said["tool"]), (approval, "calc", "multiply"))
        self.assertNotIn("arguments", said)

    def expires(self, client, approval):
        state = lambda: json.loads(self.gateway.cli("approval", "show", approval, "--json"))["state"]
        processes.wait_until(lambda: state() == "expired", 20 * SLOW, "the end of the time")
        self.assertIn("it is expired", self.gateway.run("approval", "approve", approval).err)
        self.assertNotEqual(self.pending(client, 2), approval)

    def own(self, gateway):
        """Without four eyes who may approve may approve a call of their own."""
        local = lambda: gateway.run("tool", "call", "calc_multiply", "a=6", "b=7")
        self.assertEqual(local().code, 3)
        listed = json.loads(gateway.cli("approval", "list", "--json"))["data"]
        self.approve([one["id"] for one in listed if one["principal"].startswith("local:")][0])
        self.assertIn("42", local().out)


if __name__ == "__main__":
    unittest.main()
