"""Toolsets: a named choice of tools with a URL of its own, which narrows and never widens (design, principle 1; S2-38)."""
import unittest

import mcp
from gateway import Gateway

PASSWORD = "Correct-Horse-7-Battery"
SUMS = [{"tool": "calc/add", "name": "plus", "description": "Sum of a and b"}, {"tool": "calc/multiply"}]


class Toolsets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("toolsets", {"listen.workers": 2}).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.gateway.add_calculator("other")
        cls.all = cls.gateway.key("all").secret
        cls.gateway.admin("POST", "/toolsets", {"name": "sums", "description": "Sums", "tools": SUMS})

    def admin(self, method, path, body=None):
        return self.gateway.admin(method, path, body)

    def doors(self, secret, scope):
        yield mcp.Session(self.gateway, secret, scope).open()
        yield mcp.Session(self.gateway, secret, scope, version="2025-03-26").open()
        yield mcp.Modern(self.gateway, secret, scope)

    def test_it_offers_its_tools_by_its_names_and_no_others(self):
        for session in self.doors(self.all, "p/sums"):
            with self.subTest(type(session).__name__):
                self.assertEqual(session.tools(), ["multiply", "plus"])
                self.assertEqual(session.text("plus", {"a": 2, "b": 3}), "5")
                for name in ("add", "calc_add", "other_add", "nothing"):
                    refused = session.call(name, {"a": 1, "b": 1}).message["error"]
                    self.assertEqual((refused["code"], refused["message"]), (-32602, "Unknown tool: " + name))

    def test_what_is_shown_otherwise_is_marked(self):
        tools = mcp.Session(self.gateway, self.all, "p/sums").open().request("tools/list").message["result"]["tools"]
        plus, multiply = tools[1], tools[0]
        self.assertEqual(plus["description"], "Sum of a and b")
        self.assertEqual(plus["_meta"]["sallyport/toolset"],
                         {"toolset": "sums", "tool": "calc/add", "renamed": True, "description_replaced": True})
        self.assertEqual(multiply["_meta"]["sallyport/toolset"],
                         {"toolset": "sums", "tool": "calc/multiply", "renamed": False, "description_replaced": False})
        self.assertNotEqual(multiply["description"], "")

    def test_it_gives_nobody_a_right(self):
        one = self.gateway.key("one", "tool:execute@calc/add", read=False, execute=False).secret
        for session in self.doors(one, "p/sums"):
            self.assertEqual(session.tools(), ["plus"])
            self.assertIn("Unknown tool", session.call("multiply", {"a": 1, "b": 1}).message["error"]["message"])

    def test_who_may_use_none_of_it_does_not_find_it(self):
        """S4-4: a toolset that is not there and one whose tools the caller may not see are answered alike."""
        none = self.gateway.key("none", "tool:execute@other/add", read=False, execute=False).secret
        answers = []
        for scope in ("p/sums", "p/nowhere"):
            answer = mcp.Session(self.gateway, none, scope).request("initialize", {
                "protocolVersion": mcp.VERSION, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}})
            answers.append((answer.status, answer.message["error"]["code"], answer.message["error"]["message"]))
        self.assertEqual(answers[0], answers[1])
        rest = mcp.Client(self.gateway, none)
        self.assertNotIn("sums", [one["name"] for one in rest.ask("GET", "/api/v1/toolsets").message["data"]])
        here, nowhere = (rest.ask("GET", "/api/v1/toolsets/" + name) for name in ("sums", "nowhere"))
        self.assertEqual(here.status, 404)
        self.assertEqual(nowhere.message["error"]["message"].replace("nowhere", "sums"), here.message["error"]["message"])

    def test_a_change_holds_at_once_and_is_told(self):
        self.admin("POST", "/toolsets", {"name": "moving", "tools": SUMS})
        session = mcp.Session(self.gateway, self.all, "p/moving").open()
        stream = session.listen()
        self.admin("PUT", "/toolsets/moving", {"tools": [{"tool": "other/add"}]})
        self.assertTrue(any(b"notifications/tools/list_changed" in line for line in iter(stream.readline, b"")))
        self.assertEqual(session.tools(), ["add"])
        self.assertIn("error", session.call("plus", {"a": 1, "b": 1}).message)
        self.admin("PUT", "/toolsets/moving", {"enabled": False})
        self.assertIn("error", session.call("add", {"a": 1, "b": 1}).message)
        self.admin("DELETE", "/toolsets/moving")

    def test_a_tool_that_goes_is_not_shown(self):
        self.gateway.add_calculator("going")
        self.admin("POST", "/toolsets", {"name": "holed", "tools": SUMS + [{"tool": "going/add"}]})
        self.gateway.cli("server", "remove", "going")
        self.assertEqual(mcp.Session(self.gateway, self.all, "p/holed").open().tools(), ["multiply", "plus"])
        shown = {tool["tool"]: tool for tool in self.admin("GET", "/toolsets/holed")["tools"]}
        self.assertTrue(shown["going/add"]["missing"])
        self.assertNotIn("missing", shown["calc/add"])

    def test_bad_input_is_refused_and_changes_nothing(self):
        boss = mcp.Client(self.gateway, self.gateway.key("boss", extra=("--role", "admin")).secret)
        for body, text in (
            ({"name": "P", "tools": []}, "lower-case letter"),
            ({"name": "x/y", "tools": []}, "lower-case letter"),
            ({"name": "a", "tools": [{"tool": "calc/none"}]}, "there is no tool calc/none"),
            ({"name": "a", "tools": [{"tool": "calc"}]}, "not server/tool"),
            ({"name": "a", "tools": [{"tool": "calc/add", "name": "a b"}]}, "cannot be shown"),
            ({"name": "a", "tools": [{"tool": "calc/add"}, {"tool": "other/add"}]}, "give one of them another"),
        ):
            answer = boss.ask("POST", "/api/v1/toolsets", body)
            self.assertEqual(answer.status, 400, body)
            self.assertIn(text, answer.message["error"]["message"])
        self.assertEqual(boss.ask("POST", "/api/v1/toolsets", {"name": "sums"}).status, 409)
        self.assertEqual(boss.ask("PUT", "/api/v1/toolsets/none", {"description": "x"}).status, 404)
        self.assertEqual(boss.ask("DELETE", "/api/v1/toolsets/none").status, 404)

    def test_the_command_line(self):
        cli = self.gateway.cli
        cli("toolset", "add", "shown", "--tool", "calc/add=plus", "--tool", "other/add", "--describe", "plus=Adds")
        text = cli("toolset", "show", "shown")
        for part in ("shown", "/mcp/p/shown", "plus", "calc/add", "Adds"):
            self.assertIn(part, text)
        self.assertIn("shown", cli("toolset", "list"))
        cli("toolset", "update", "shown", "--no-enabled")
        self.assertFalse(self.admin("GET", "/toolsets/shown")["enabled"])
        cli("toolset", "delete", "shown")
        self.assertNotIn("shown", cli("toolset", "list"))
        wrong = self.gateway.run("toolset", "add", "w", "--tool", "calc/add", "--describe", "plus=Adds")
        self.assertEqual(wrong.code, 2)
        self.assertIn("names no tool", wrong.err)


class Restart(unittest.TestCase):
    def test_it_outlives_a_restart(self):
        with Gateway("toolsets-restart") as gateway:
            gateway.add_calculator()
            key = gateway.key("k").secret
            gateway.admin("POST", "/toolsets", {"name": "sums", "tools": SUMS})
            gateway.stop()
            gateway.start()
            self.assertEqual(mcp.Session(gateway, key, "p/sums").open().tools(), ["multiply", "plus"])


if __name__ == "__main__":
    unittest.main()
