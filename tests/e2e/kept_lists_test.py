"""Lists that a worker keeps: whatever they were decided by, a change of it is seen by the next list (issue 5, done when 4; design, principle 3)."""
import unittest

import mcp
import processes
from gateway import SLOW, Gateway

ADMIN = 'package admin_access\nimport rego.v1\ndefault allow := false\nallow if "admin" in input.user.roles\n'


class KeptLists(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("kept-lists", {"listen.workers": 1}).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()

    def setUp(self):
        self.activate(None)
        self.all = self.listed(mcp.Session(self.gateway, self.gateway.key("all").secret, "calc").open())
        self.assertGreater(len(self.all), 3)

    def admin(self, method, path, body=None):
        return self.gateway.admin(method, path, body)

    def activate(self, rules):
        """`rules` of tool_access, or what ships."""
        version = 1
        if rules is not None:
            made = [{"name": "admin.rego", "source": ADMIN},
                    {"name": "tools.rego", "source": "package tool_access\nimport rego.v1\n" + rules}]
            version = self.admin("POST", "/policies/versions", {"modules": made, "reason": "test"})["version"]
        if self.admin("GET", "/policies/versions/active")["version"] != version:
            self.admin("POST", "/policies/versions/%d/activate" % version, {"reason": "test"})

    def kept(self):
        """How many lists were answered by a kept one."""
        text = mcp.get(self.gateway, "/metrics").body.decode()
        return int(float(next(line for line in text.split("\n") if line.startswith("sallyport_lists_kept_total ")).split()[1]))

    def listed(self, session):
        return sorted(session.tools())

    def lists(self, session, names):
        """It is listed so, and the same again is kept."""
        self.assertEqual(self.listed(session), sorted(names))
        before = self.kept()
        self.assertEqual(self.listed(session), sorted(names))
        self.assertEqual(self.kept(), before + 1)

    def open(self, *scopes, scope="calc", roles=()):
        extra = [part for role in roles for part in ("--role", role)]
        self.made = self.gateway.key("one", *scopes, read=not roles, execute=not roles, extra=extra)
        return mcp.Session(self.gateway, self.made.secret, scope).open()

    def test_callers_with_the_same_rights_share_one_and_others_do_not(self):
        self.lists(self.open("tool:execute@calc/add"), ["add"])
        before = self.kept()
        self.assertEqual(self.listed(self.open("tool:execute@calc/add")), ["add"])
        self.assertEqual(self.kept(), before + 1)
        self.lists(self.open("tool:execute@calc/multiply"), ["multiply"])
        self.lists(self.open("tool:execute@calc/add", scope=""), ["calc_add"])

    def test_a_server_is_asked_for_whom_one_of_its_tools_is(self):
        """It is asked while the others are still decided: but who may use none of its tools does not start it."""
        self.gateway.add_python("spare", "changing_server.py")
        self.addCleanup(self.gateway.cli, "server", "remove", "spare")
        mine = lambda: [pid for pid in processes.with_mark(self.gateway.mark) if "changing_server.py" in processes.command_line(pid)]
        processes.wait_until(lambda: not mine(), 20 * SLOW, "the end of the process that was looked at")
        self.lists(self.open("tool:execute@calc/*", "tool:read@spare/*", scope=""), ["calc_" + name for name in self.all])
        self.assertEqual(mine(), [])
        self.lists(self.open("tool:execute@calc/add", "tool:execute@spare/turn", scope=""), ["calc_add", "spare_turn"])
        self.assertNotEqual(mine(), [])

    def test_every_era_shows_the_same(self):
        session = self.open("tool:execute@calc/add")
        self.lists(session, ["add"])
        for other in (mcp.Session(self.gateway, self.made.secret, "calc", version="2024-11-05").open(),
                      mcp.Modern(self.gateway, self.made.secret, "calc")):
            self.lists(other, ["add"])

    def test_a_key_that_is_revoked_hears_nothing_more(self):
        session = self.open()
        self.lists(session, self.all)
        self.gateway.cli("key", "revoke", self.made.id)
        self.assertEqual(session.request("tools/list").status, 401)

    def test_a_role_that_changes(self):
        self.admin("POST", "/roles", {"name": "turning", "scopes": ["tool:execute@calc/add"], "inherits": []})
        session = self.open(roles=["turning"])
        self.lists(session, ["add"])
        self.admin("PUT", "/roles/turning", {"scopes": ["tool:execute@calc/multiply"]})
        self.lists(session, ["multiply"])

    def test_a_key_that_gets_other_rights(self):
        session = self.open("tool:execute@calc/add")
        self.lists(session, ["add"])
        self.admin("PUT", "/keys/" + self.made.id, {"scopes": ["tool:execute@calc/multiply"]})
        self.lists(mcp.Session(self.gateway, self.made.secret, "calc").open(), ["multiply"])

    def test_a_tool_that_is_registered_switched_off_and_taken_away(self):
        self.gateway.cli("tool", "register", "product", "--upstream", "calc/multiply")
        session = self.open(scope="registry")
        self.lists(session, ["product"])
        self.gateway.cli("tool", "register", "sum", "--upstream", "calc/add")
        self.lists(session, ["product", "sum"])
        self.admin("PUT", "/tools/registry%2Fsum", {"status": "disabled"})
        self.lists(session, ["product"])
        self.admin("PUT", "/tools/registry%2Fsum", {"status": "active"})
        self.lists(session, ["product", "sum"])
        self.admin("DELETE", "/tools/registry%2Fsum")
        self.lists(session, ["product"])

    def test_a_definition_that_is_not_the_approved_one_any_more(self):
        """The list of what may be used is kept; whether it is still what was approved is asked each time."""
        self.gateway.add_python("changing", "changing_server.py")
        session = self.open(scope="changing")
        self.lists(session, ["steady", "turn"])
        self.assertEqual(session.text("turn"), "turned")
        processes.wait_until(lambda: self.listed(session) == ["turn"], 20 * SLOW, "the changed tool to be held back")
        self.lists(session, ["turn"])
        self.gateway.cli("server", "remove", "changing")

    def test_a_label_of_a_tool(self):
        self.activate('allow := true\ndeny contains "a sink" if {\n\tinput.action == "execute"\n\t"external_sink" in input.tool.labels\n}\n')
        session = self.open()
        self.lists(session, self.all)
        self.admin("PUT", "/tools/calc%2Fadd/labels", {"labels": ["external_sink"]})
        self.lists(session, [name for name in self.all if name != "add"])
        self.admin("PUT", "/tools/calc%2Fadd/labels", {"labels": []})
        self.lists(session, self.all)

    def test_a_label_that_a_call_leaves_and_its_end(self):
        self.activate('allow := true\ndeny contains "read" if {\n\t"private_data" in input.labels\n\tinput.tool.name == "multiply"\n}\n')
        self.admin("PUT", "/tools/calc%2Fadd/labels", {"labels": ["private_data"]})
        session = self.open()
        self.lists(session, self.all)
        self.assertEqual(session.text("add", {"a": 2, "b": 3}), "5")
        self.lists(session, [name for name in self.all if name != "multiply"])
        self.admin("POST", "/labels/clear", {"principal": "key:" + self.made.id, "reason": "test"})
        self.lists(session, self.all)
        self.admin("PUT", "/tools/calc%2Fadd/labels", {"labels": []})

    def test_a_toolset_that_changes(self):
        self.admin("POST", "/toolsets", {"name": "turning", "tools": [{"tool": "calc/add", "name": "plus"}]})
        session = self.open(scope="p/turning")
        self.lists(session, ["plus"])
        self.admin("PUT", "/toolsets/turning", {"tools": [{"tool": "calc/multiply", "name": "times"}]})
        self.lists(session, ["times"])

    def test_another_policy(self):
        session = self.open()
        self.lists(session, self.all)
        self.activate('allow if input.tool.name == "add"\n')
        self.lists(session, ["add"])
        self.activate('allow if input.tool.name == "multiply"\n')
        self.lists(session, ["multiply"])

    def test_what_a_policy_reads_of_the_caller(self):
        self.activate('allow if {\n\tinput.user.id == "key:" \n}\nallow if input.protocol == "2024-11-05"\n')
        session = self.open()
        self.lists(session, [])
        self.lists(mcp.Session(self.gateway, self.made.secret, "calc", version="2024-11-05").open(), self.all)
        self.activate('allow if input.user.id == "key:%s"\n' % self.made.id)
        self.lists(session, self.all)
        self.lists(self.open(), [])

    def test_a_policy_that_asks_for_the_time_has_none_kept(self):
        session = self.open()
        for rules in ('allow if input.time > "2020"\n', "allow if time.now_ns() > 0\n"):
            self.activate(rules)
            before = self.kept()
            for _ in range(3):
                self.assertEqual(self.listed(session), self.all)
            self.assertEqual(self.kept(), before)

    def test_a_candidate_that_is_tried_sees_every_question(self):
        made = [{"name": "admin.rego", "source": ADMIN}, {"name": "tools.rego", "source": "package tool_access\nallow := true\n"}]
        version = self.admin("POST", "/policies/versions", {"modules": made, "reason": "test"})["version"]
        self.admin("POST", "/policies/versions/%d/shadow" % version, {"reason": "test"})
        self.addCleanup(lambda: self.admin("DELETE", "/policies/shadow", {"reason": "test"}))
        session, before = self.open(), self.kept()
        for _ in range(3):
            self.assertEqual(self.listed(session), self.all)
        self.assertEqual(self.kept(), before)


if __name__ == "__main__":
    unittest.main()
