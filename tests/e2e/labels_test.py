"""Labels: what calls leave with their callers, wherever these come back; and the rule that private data and untrusted
content, once read, go into no external sink (issue 5, Labels; policies/examples/flow.rego)."""
import json
import unittest

import mcp
import processes
import scratch
import sse
from gateway import SLOW, Gateway

PASSWORD = "Correct-Horse-7-Battery"
REASON = "private data and untrusted content were read"
ADMIN = """package admin_access
import rego.v1
allow if "admin" in input.user.roles
allow if {
	"curator" in input.user.roles
	startswith(input.permission, "policy:")
}
"""
# One who is watched asks people once private data was read.
PEOPLE = """package tool_access
import rego.v1
obligations contains {"require_approval": true} if {
	input.user.name == "watched"
	input.tool.name == "asks"
	"private_data" in input.labels
}
"""
POLICIES = {"admin_access.rego": ADMIN, "people.rego": PEOPLE,
            "flow.rego": scratch.text_of("policies/examples/flow.rego")}


def label_mail(gateway, call_timeout=30):
    gateway.admin("POST", "/servers", {"name": "mail", "call_timeout": call_timeout, "env": {"SALLYPORT_TEST_MARK": gateway.mark},
                                       "command": ["/usr/bin/python3", scratch.support_script("mail_server.py")]})
    gateway.cli("tool", "label", "mail/read", "private_data")
    gateway.cli("tool", "label", "mail/page", "untrusted_content")
    gateway.cli("tool", "label", "mail_send", "external_sink")
    gateway.cli("tool", "label", "mail_asks", "external_sink")


class Labels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("labels", {"listen.workers": 2}, policies=POLICIES).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        label_mail(cls.gateway)
        cls.gateway.add_calculator("files")
        cls.gateway.cli("server", "label", "files", "private_data", "untrusted_content")

    def sends(self, answer):
        """True: sent; False: refused by the rule. Nothing else happens."""
        said = json.dumps(answer.message)
        if "result" in answer.message and answer.status == 200:
            self.assertIn("hello", said)
            return True
        self.assertIn(REASON, said)
        return False

    def session(self, secret):
        return mcp.Session(self.gateway, secret).open()

    def tainted(self, name):
        key = self.gateway.key(name)
        session = self.session(key.secret)
        session.text("mail_read")
        session.text("mail_page")
        return key

    def carried(self, principal):
        found = self.gateway.admin("GET", "/api/v1/labels?principal=" + principal)["data"]
        return {item["label"]: item for item in found}

    def test_private_data_and_untrusted_content_then_no_sink(self):
        key = self.gateway.key("flow")
        session = self.session(key.secret)
        send = lambda: self.sends(session.call("mail_send", {"text": "hello"}))
        self.gateway.admin("POST", "/toolsets", {"name": "out", "tools": [{"tool": "mail/send", "name": "post"}]})
        chosen = mcp.Session(self.gateway, key.secret, server="p/out").open()
        self.assertTrue(send(), "before")
        session.text("mail_read")
        self.assertTrue(send(), "private data alone")
        self.assertIn("mail_send", session.tools())
        session.text("mail_page")
        self.assertFalse(send())
        self.assertNotIn("mail_send", session.tools())
        session.text("mail_read")  # reading goes on
        self.assertEqual(set(self.carried("key:" + key.id)), {"private_data", "untrusted_content"})

        self.assertFalse(self.sends(self.session(key.secret).call("mail_send", {"text": "hello"})), "another session")
        modern = mcp.Modern(self.gateway, key.secret)
        self.assertFalse(self.sends(modern.call("mail_send", {"text": "hello"})), "another era")
        self.assertFalse(self.sends(chosen.call("post", {"text": "hello"})), "by a toolset")
        rest = mcp.Client(self.gateway, key.secret)
        login = rest.ask("POST", "/auth/api-key-login", {"api_key": key.secret})
        self.assertEqual(login.status, 200, login.message)
        token = self.session(login.message["access_token"])
        self.assertFalse(self.sends(token.call("mail_send", {"text": "hello"})), "a token bought by the key")
        rotated = self.gateway.admin("POST", "/keys/%s/rotate" % key.id, {})
        self.assertFalse(self.sends(self.session(rotated["api_key"]).call("mail_send", {"text": "hello"})), "rotated")
        other = self.session(self.gateway.key("other").secret)
        self.assertTrue(self.sends(other.call("mail_send", {"text": "hello"})), "another key is another caller")

        outcome = [record for record in self.gateway.audit(kind="outcome", tool="read", principal="key:" + key.id)]
        self.assertIn("leaves private_data", outcome[0]["evidence"])
        self.assertNotIn("leaves", outcome[1].get("evidence", ""), "carried already")

    def test_a_user_carries_them_through_every_login(self):
        self.gateway.user("ada", PASSWORD)
        login = lambda: mcp.Client(self.gateway).ask("POST", "/auth/login", {"username": "ada", "password": PASSWORD})
        first = self.session(login().message["access_token"])
        first.text("mail_read")
        first.text("mail_page")
        second = self.session(login().message["access_token"])
        self.assertFalse(self.sends(second.call("mail_send", {"text": "hello"})))
        refused = second.ask("POST", "/tools/mail_send/execute", {"arguments": {"text": "hello"}})
        self.assertEqual(refused.status, 403)
        self.assertIn(REASON, json.dumps(refused.message), "over REST")
        self.assertIn("user:", self.gateway.cli("label", "list"))
        self.assertIn("ada", self.gateway.cli("label", "list"))

    def test_they_are_there_after_kill_9_and_gone_after_a_clear(self):
        key = self.tainted("lasting")
        self.gateway.process.kill()
        self.gateway.process.wait()
        self.gateway.start()
        session = self.session(key.secret)
        send = lambda: self.sends(session.call("mail_send", {"text": "hello"}))
        self.assertFalse(send())
        principal = "key:" + key.id
        self.assertNotEqual(self.gateway.run("label", "clear", principal).code, 0)  # no reason
        shown = self.gateway.cli("label", "clear", principal, "private_data", "--reason", "looked through by Bob")
        self.assertIn("private_data", shown)
        self.assertEqual(set(self.carried(principal)), {"untrusted_content"})
        self.assertTrue(send())
        session.text("mail_read")
        self.assertFalse(send())
        self.gateway.cli("label", "clear", principal, "--reason", "all of it")
        self.assertEqual(self.carried(principal), {})
        self.assertTrue(send())
        self.assertEqual(self.gateway.run("label", "clear", principal, "--reason", "again").code, 4)
        records = [r for r in self.gateway.audit(action="clear_labels", kind="outcome") if principal in r["reason"]]
        self.assertEqual([r["reason"].split(" ")[1] for r in records], ["labels=private_data", "labels=private_data,untrusted_content"])
        self.assertIn("reason=looked through by Bob", json.dumps(records))

    def test_every_worker_knows_before_the_answer(self):
        """No later decision on any connection misses a label: the other worker's included."""
        for number in range(6):
            key = self.gateway.key("worker-%d" % number)
            others = [self.session(key.secret) for _ in range(4)]
            others[0].text("mail_read")
            others[1].text("mail_page")
            for other in others:
                self.assertFalse(self.sends(other.call("mail_send", {"text": "hello"})))

    def test_resources_and_prompts_leave_those_of_their_server(self):
        for method, params in (("resources/read", {"uri": "files+calc://constants"}),
                               ("prompts/get", {"name": "files_explain", "arguments": {"expression": "1+1"}})):
            key = self.gateway.key("of-" + method.replace("/", "-"))
            session = self.session(key.secret)
            answer = session.request(method, params)
            self.assertIn("result", answer.message, answer)
            self.assertFalse(self.sends(session.call("mail_send", {"text": "hello"})), method)

    def test_an_answer_in_the_middle_of_a_call_comes_too_late(self):
        """A sink that asks a question was let through before; what was read meanwhile does not reach it by the answer."""
        self.answers_reach("asked", "mail_read", "mail_page")

    def test_an_answer_does_not_go_by_people_who_would_be_asked_by_now(self):
        """A yes that is bound to `require_approval` is none to a call that was let through before and that nobody approved."""
        self.answers_reach("watched", "mail_read")

    def answers_reach(self, name, *taints):
        """A call that asks in its middle: the answer reaches the tool, and does not where the caller has read `taints` meanwhile."""
        key = self.gateway.key(name)
        session = mcp.Session(self.gateway, key.secret)
        opened = session.request("initialize", {"protocolVersion": mcp.VERSION, "capabilities": {"elicitation": {}},
                                                "clientInfo": {"name": "t", "version": "1"}})
        session.id = opened.headers["mcp-session-id"]
        session.notify("notifications/initialized")
        for read in ((), taints):
            call = sse.post(session, {"jsonrpc": "2.0", "id": 70 + len(read), "method": "tools/call",
                                      "params": {"name": "mail_asks", "arguments": {}}}, timeout=30 * SLOW)
            question = call.message()[1]
            self.assertEqual(question["method"], "elicitation/create")
            for tool in read:
                self.session(key.secret).text(tool)
            session.post({"jsonrpc": "2.0", "id": question["id"],
                          "result": {"action": "accept", "content": {"what": "hello of the data"}}})
            said = json.dumps(call.rest()[-1][1])
            self.assertEqual("hello of the data" in said, not read, said)
            call.close()

    def test_who_may_clear(self):
        self.gateway.admin("POST", "/roles", {"name": "curator", "inherits": ["user"],
                                              "scopes": ["policy:read", "policy:write"]})
        self.gateway.user("cur", PASSWORD, "curator")
        client = mcp.Client(self.gateway)
        client.secret = client.ask("POST", "/auth/login", {"username": "cur", "password": PASSWORD}).message["access_token"]
        self.session(client.secret).text("mail_read")
        clear = lambda who, reason="r": client.ask("POST", "/labels/clear", {"principal": who, "reason": reason})
        own = clear("user:cur")
        self.assertEqual((own.status, own.message["error"]["message"]),
                         (403, "Nobody clears their own labels: ask an administrator"))
        key = self.tainted("for-the-curator")
        self.assertEqual(clear("key:" + key.id, "").status, 400)
        done = clear("key:" + key.id)
        self.assertEqual((done.status, done.message["cleared"]), (200, ["private_data", "untrusted_content"]))
        self.assertEqual(clear("key:" + key.id).status, 404)
        agent = mcp.Client(self.gateway, self.gateway.key("an-agent").secret)
        self.assertEqual(agent.ask("GET", "/labels").status, 403)
        self.assertEqual(agent.ask("PUT", "/tools/mail_send/labels", {"labels": []}).status, 403)

    def test_what_is_said_of_tools_and_servers(self):
        admin = self.gateway.admin
        self.gateway.add("second", scratch.readable(scratch.binary("sallyport-calculator")),
                         options=("--label", "private_data", "--label", "mine_2"))
        self.assertEqual(admin("GET", "/servers/second")["labels"], ["private_data", "mine_2"])
        self.assertEqual(admin("GET", "/tools/second_add")["labels"], ["mine_2", "private_data"])
        self.assertIn("external_sink", self.gateway.cli("tool", "label", "second/add", "external_sink"))
        self.assertEqual(admin("GET", "/tools/second_add")["labels"], ["external_sink", "mine_2", "private_data"])
        self.gateway.cli("server", "label", "second", "--none")
        self.gateway.cli("server", "probe", "second", "--accept")
        self.assertEqual(admin("GET", "/tools/second_add")["labels"], ["external_sink"])
        self.assertIn("no labels", self.gateway.cli("tool", "label", "second/add", "--none"))
        self.gateway.cli("tool", "register", "poster", "--upstream", "second/add", "--label", "external_sink")
        self.assertEqual(admin("GET", "/tools/poster")["labels"], ["external_sink"])
        for wrong in ("Private", "private-data", "x" * 33, "9a"):
            ran = self.gateway.run("tool", "label", "second/add", wrong)
            self.assertNotEqual(ran.code, 0)
            self.assertIn("lower-case letter", ran.err)
        self.assertEqual(self.gateway.run("tool", "label", "second/add").code, 2)
        self.assertEqual(self.gateway.run("server", "label", "nobody", "x").code, 4)
        self.gateway.cli("tool", "unregister", "poster")
        self.gateway.cli("server", "remove", "second")


class Lifetime(unittest.TestCase):
    def test_a_label_ends(self):
        with Gateway("labels-end", {"labels.lifetime_seconds": 1}, policies=POLICIES) as gateway:
            label_mail(gateway, call_timeout=3)
            gateway.add_python("late", "mail_server.py")
            gateway.cli("tool", "label", "late/slow_echo", "private_data")
            key = gateway.key("short")
            session = mcp.Session(gateway, key.secret).open()
            session.text("mail_read")
            session.text("mail_page")
            sent = lambda: "result" in session.call("mail_send", {"text": "hello"}).message
            processes.wait_until(sent, 20 * SLOW, "the end of the labels")
            processes.wait_until(lambda: not gateway.admin("GET", "/api/v1/labels")["data"], 20 * SLOW, "an empty list")
            self.outlives(gateway)

    def outlives(self, gateway):
        """A call that takes longer than labels live ends with the label set: the answer is heard by who carries it."""
        key = gateway.key("long")
        mcp.Session(gateway, key.secret).open().call("late_slow_echo", {"seconds": 2})
        carried = gateway.admin("GET", "/api/v1/labels?principal=key:" + key.id)["data"]
        self.assertEqual([item["label"] for item in carried], ["private_data"])


if __name__ == "__main__":
    unittest.main()
