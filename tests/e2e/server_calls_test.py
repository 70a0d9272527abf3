"""Reading a resource, subscribing to it, getting a prompt and completing are calls to a policy: its rules on calls reach
them, and what it binds them to is carried out (issue 5; S0-12, S4-4)."""
import json
import os
import unittest

import mcp
import scratch
import sse
from gateway import SLOW, Gateway

SECRET = "078-05-1120"
SHOWN = {"name": "Ada", "ssn": "[redacted]"}
RULES = """package tool_access
import rego.v1
deny contains "closed to calls" if { input.server == "closed"; input.phase == "call" }
deny contains "not this one" if { input.method == "resources/read"; input.arguments.uri == "book://secret" }
deny contains "not this person" if { input.method == "prompts/get"; input.arguments.arguments.who == "bob" }
deny contains "not this ref" if { input.method == "completion/complete"; input.arguments.argument.value == "b" }
obligations contains {"redact": ["ssn"]} if input.tool.server == "redact"
obligations contains {"calls_per_minute": 1} if input.tool.server == "limit"
obligations contains {"log_full": true} if input.tool.server == "full"
obligations contains {"require_approval": true} if input.tool.server == "people"
"""
SERVERS = ("open", "closed", "redact", "limit", "full", "people")
LISTS = {"resources/list": "resources", "resources/templates/list": "resourceTemplates", "prompts/list": "prompts"}
VERSION = "2025-06-18"


def params_of(method, server, n="one", who="ann", value="a"):
    """As the client of /mcp writes it, and as the server reads it."""
    def params(uri, name):
        return {"prompts/get": {"name": name, "arguments": {"who": who}},
                "completion/complete": {"ref": {"type": "ref/prompt", "name": name}, "argument": {"name": "n", "value": value}},
                }.get(method, {"uri": uri})
    return params("%s+book://%s" % (server, n), server + "_greet"), params("book://" + n, "greet")


class ServerCalls(unittest.TestCase):
    METHODS = ("resources/read", "prompts/get", "completion/complete", "resources/subscribe")

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("server-calls", {"listen.workers": 2, "approval.per_principal": 100}, policies={"servers.rego": RULES}).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.heard = scratch.folder("heard-by-servers", 0o777)
        for name in SERVERS:
            file = os.path.join(cls.heard, name)
            cls.gateway.add_python(name, "library_server.py", "--record", file, paths=["rw:" + cls.heard])
        cls.key = cls.gateway.key("reader")

    def clients(self, key=None):
        """One of each era, and the methods that it has."""
        secret = (key or self.key).secret
        yield VERSION, mcp.Session(self.gateway, secret, version=VERSION).open(), self.METHODS
        yield mcp.MODERN, mcp.Modern(self.gateway, secret), self.METHODS[:3]

    def each(self, server, key=None, **what):
        """Each method of each era: (client, method, params as the server has them, answer)."""
        for _, client, methods in self.clients(key):
            for method in methods:
                shown, own = params_of(method, server, **what)
                yield client, method, own, client.request(method, shown)

    def reached(self, server, method):
        """What the server heard of `method`: params, without _meta."""
        with open(os.path.join(self.heard, server)) as file:
            messages = [json.loads(line) for line in file]
        return [{k: v for k, v in m["params"].items() if k != "_meta"} for m in messages if m.get("method") == method]

    def test_without_a_rule_they_pass(self):
        for _, method, own, answer in self.each("open", n="passes", who="cid", value="passes"):
            self.assertIn("result", answer.message, answer.message)
            self.assertIn(own, self.reached("open", method))

    def test_a_rule_on_calls_reaches_each_and_hides_no_list(self):
        for _, method, _, answer in self.each("closed"):
            self.assertIn("Access denied: closed to calls", json.dumps(answer.message))
            self.assertEqual(self.reached("closed", method), [])
        for version, client, _ in self.clients():
            for method, member in LISTS.items():
                with self.subTest(method, version=version):
                    items = json.dumps(client.request(method).message["result"][member])
                    for server in ("open", "closed"):
                        self.assertIn('"%s%s' % (server, "_" if member == "prompts" else "+"), items)

    def test_a_rule_reads_what_is_asked_for(self):
        """The method, and its params with the server's own names."""
        for method, what, why in (("resources/read", {"n": "secret"}, "not this one"), ("prompts/get", {"who": "bob"}, "not this person"),
                                  ("completion/complete", {"value": "b"}, "not this ref")):
            for version, client, _ in self.clients():
                with self.subTest(method, version=version):
                    answer = client.request(method, params_of(method, "open", **what)[0])
                    self.assertIn("Access denied: " + why, json.dumps(answer.message))
                    self.assertNotIn(params_of(method, "open", **what)[1], self.reached("open", method))
        subscribed = mcp.Session(self.gateway, self.key.secret).open().request("resources/subscribe", {"uri": "open+book://secret"})
        self.assertIn("result", subscribed.message, "a rule on reading says nothing of subscribing")

    def test_members_are_hidden(self):
        for _, method, _, answer in self.each("redact"):
            self.assertNotIn(SECRET, answer.body.decode())
            self.assertNotIn("MDc4LTA1", answer.body.decode(), "in base64")
            result = answer.message["result"]
            if method == "resources/read":
                self.assertEqual([json.loads(result["contents"][0]["text"]), result["contents"][1]["text"]], [SHOWN, "[redacted]"])
            if method == "prompts/get":
                texts = [message["content"]["text"] for message in result["messages"]]
                self.assertEqual((texts[0], json.loads(texts[1]), result["description"]), ("[redacted]", SHOWN, "[redacted]"))
            if method == "completion/complete":
                values = result["completion"].pop("values")
                self.assertEqual((values[0], json.loads(values[1])), ("[redacted]", SHOWN))
                self.assertEqual(result["completion"], {"total": 2, "hasMore": False})
        for _, method, _, answer in self.each("open"):
            if method != "resources/subscribe":
                self.assertIn(SECRET, answer.body.decode(), "where no rule hides it")

    def test_that_a_resource_changed_says_its_uri_and_no_more(self):
        """MCP, resources/updated: uri and _meta; where members are hidden the URI alone."""
        for server, told in (("open", {"uri": "open+book://one", "_meta": {"mark": 1}}), ("redact", {"uri": "redact+book://one"})):
            session = mcp.Session(self.gateway, self.gateway.key("hears-" + server).secret).open()
            stream = sse.get(session, timeout=30 * SLOW)
            self.assertIn("result", session.request("resources/subscribe", {"uri": server + "+book://one"}).message)
            said = stream.message()[1]
            self.assertEqual((said["method"], said["params"]), ("notifications/resources/updated", told))
            stream.close()

    def test_a_session_hears_of_what_it_subscribed_to_alone(self):
        """And of what is a part of that; whom it reaches is decided for nobody's call, and is not kept as one."""
        key = self.gateway.key("hears-its-own")
        sessions = [mcp.Session(self.gateway, key.secret).open() for _ in range(2)]
        streams = [sse.get(session, timeout=30 * SLOW) for session in sessions]
        for session, n in ((0, "mine"), (1, "yours"), (0, "shelf/")):
            self.assertIn("result", sessions[session].request("resources/subscribe", {"uri": "open+book://" + n}).message)
        heard = lambda stream: stream.message()[1]["params"]["uri"]
        self.assertEqual([heard(streams[0]), heard(streams[0])], ["open+book://mine", "open+book://shelf/part"])
        self.assertEqual(heard(streams[1]), "open+book://yours")
        recorded = self.gateway.admin("GET", "/api/v1/policies/recorded")["decisions"]
        self.assertEqual(len([one for one in recorded if one["principal"] == "key:" + key.id]), 3, recorded)
        for stream in streams:
            stream.close()

    def test_a_session_subscribes_to_so_much(self):
        """What it cannot hear of is refused, not passed over."""
        session = mcp.Session(self.gateway, self.gateway.key("subscribes-much").secret).open()
        subscribe = lambda n: session.request("resources/subscribe", {"uri": "open+book://%s" % n}).message
        self.assertEqual(subscribe("x" * 4096)["error"]["code"], -32602)
        for n in range(256):
            self.assertIn("result", subscribe(n))
        self.assertEqual(subscribe("more")["error"]["code"], -31503)
        self.assertIn("result", subscribe(7), "once more is no more")
        self.assertIn("result", session.request("resources/unsubscribe", {"uri": "open+book://7"}).message)
        self.assertIn("result", subscribe("more"))

    def test_what_people_must_approve_first_is_heard_where_they_did(self):
        session = mcp.Session(self.gateway, self.gateway.key("hears-people").secret).open()
        stream = sse.get(session, timeout=30 * SLOW)
        for n in ("shelf/", "one"):  # that of the part of the shelf nobody approved
            subscribe = lambda: session.request("resources/subscribe", {"uri": "people+book://" + n}).message
            self.gateway.cli("approval", "approve", subscribe()["error"]["data"]["approval_id"], "--reason", "read it")
            self.assertIn("result", subscribe())
        self.assertEqual(stream.message()[1]["params"]["uri"], "people+book://one")
        stream.close()

    def test_a_limit_of_its_own(self):
        """One of the server for all of these methods and eras, beside every other; lists do not count."""
        for number, first in enumerate(self.METHODS):
            key = self.gateway.key("limited-%d" % number)
            session = mcp.Session(self.gateway, key.secret).open()
            for method in LISTS:
                self.assertIn("result", session.request(method).message)
            answer = session.request(first, params_of(first, "limit")[0])
            self.assertIn("result", answer.message)
            self.assertEqual((answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"]), ("1", "0"))
            for _, _, _, answer in self.each("limit", key):
                self.assertEqual((answer.status, answer.message["error"]["code"]), (429, -31429))
                self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)
            self.assertIn("result", session.request("resources/list").message)
            self.assertIn("result", session.request(first, params_of(first, "open")[0]).message, "another server")

    def test_listening_to_a_resource_is_a_call_of_it(self):
        """2026-07-28: what is refused, over its limit or waits for people is refused."""
        client = mcp.Modern(self.gateway, self.gateway.key("listens").secret)
        uris = {server: params_of("resources/subscribe", server)[0]["uri"] for server in SERVERS}
        listen = lambda *servers: mcp.acknowledged(client, {"notifications": {"resourceSubscriptions": [uris[s] for s in servers]}})
        self.assertEqual(set(listen(*SERVERS)["resourceSubscriptions"]), {uris[s] for s in ("open", "redact", "limit", "full")})
        self.assertNotIn("resourceSubscriptions", listen("closed", "people"))
        refused = client.request("subscriptions/listen", {"notifications": {"resourceSubscriptions": [uris["limit"]]}})
        self.assertEqual((refused.status, refused.message["error"]["code"]), (429, -31429))

    def test_records_in_full(self):
        for _, method, own, answer in self.each("full", who="logged"):
            self.assertIn("result", answer.message)
            request = answer.headers["x-request-id"]
            [intent] = self.gateway.audit(kind="intent", server="full", rpc_method=method, request_id=request)
            [outcome] = self.gateway.audit(kind="outcome", request_id=request)
            self.assertEqual(intent["arguments"], own)
            shown = {k: v for k, v in answer.message["result"].items() if k != "_meta"}
            self.assertEqual({k: v for k, v in outcome["response"].items() if k != "_meta"}, shown)
        for _, method, _, answer in self.each("open", who="logged"):
            for record in self.gateway.audit(server="open", rpc_method=method):
                self.assertFalse({"arguments", "response"} & set(record))

    def test_people_approve_each_first(self):
        for client, method, own, answer in self.each("people"):
            error = answer.message["error"]
            self.assertEqual((answer.status, error["code"], error["data"]["state"]), (200, -31403, "pending"))
            approval = error["data"]["approval_id"]
            before = len(self.reached("people", method))
            shown = json.loads(self.gateway.cli("approval", "show", approval, "--json"))
            self.assertEqual((shown["server"], shown["tool"], shown["arguments"]), ("people", method, own))
            self.gateway.cli("approval", "approve", approval, "--reason", "read it")
            other = client.request(method, params_of(method, "people", n="two", who="eve", value="z")[0])
            self.assertNotEqual(other.message["error"]["data"]["approval_id"], approval, "for this call alone")
            self.assertEqual(len(self.reached("people", method)), before)
            self.assertIn("result", client.request(method, params_of(method, "people")[0]).message)
            self.assertEqual(self.reached("people", method)[before:], [own])
            again = client.request(method, params_of(method, "people")[0])
            self.assertNotEqual(again.message["error"]["data"]["approval_id"], approval, "once")

    def test_a_client_that_shows_links_gets_one(self):
        """2026-07-28: input_required where the method may have it, and a retry; 2025-11-25: -32042."""
        modern = mcp.Modern(self.gateway, self.gateway.key("links").secret, capabilities={"elicitation": {"url": {}}})
        for method in self.METHODS[:3]:
            with self.subTest(method):
                params, own = params_of(method, "people")
                answer = modern.request(method, params).message
                if method == "completion/complete":
                    self.assertEqual(answer["error"]["code"], -31403)
                    continue
                self.assertEqual(answer["result"]["resultType"], "input_required")
                asked = answer["result"]["inputRequests"]["approval"]["params"]
                approval = asked["url"].split("/")[-2]
                self.gateway.cli("approval", "approve", approval, "--reason", "read it")
                before = len(self.reached("people", method))
                retry = {"requestState": answer["result"]["requestState"], "inputResponses": {"approval": {"action": "accept"}}}
                changed = modern.request(method, {**params_of(method, "people", n="other", who="else")[0], **retry}).message
                self.assertIn("error", changed)
                self.assertIn("contents" if method == "resources/read" else "messages", modern.request(method, {**params, **retry}).message["result"])
                self.assertEqual(self.reached("people", method)[before:], [own], "nothing of the round reaches the server")
        body = {"protocolVersion": mcp.VERSION, "capabilities": {"elicitation": {"url": {}}}, "clientInfo": {"name": "t", "version": "1"}}
        session = mcp.Session(self.gateway, self.gateway.key("links-2").secret)
        opened = session.request("initialize", body)
        session.id = opened.headers["mcp-session-id"]
        session.notify("notifications/initialized")
        error = session.request("resources/read", params_of("resources/read", "people")[0]).message["error"]
        self.assertEqual((error["code"], len(error["data"]["elicitations"])), (-32042, 1))


if __name__ == "__main__":
    unittest.main()
