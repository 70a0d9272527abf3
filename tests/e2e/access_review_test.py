"""The access review: who can call what, why, and when they last did, from the one decision (S2-38, S2-2, S4-4)."""
import csv
import io
import json
import os
import shutil
import signal
import unittest

import mcp
import processes
import scratch
from gateway import SLOW, Gateway

PASSWORD = "Correct-Horse-7-Battery"

# What a policy refuses is in no review.
NO_DIVISION = """package tool_access
import rego.v1
deny contains "no division" if input.tool.name == "divide"
"""


class AccessReview(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("access-review", {"listen.workers": 2}).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.gateway.add_calculator("more")
        cls.gateway.cli("role", "add", "lead", "--inherit", "user")
        cls.gateway.cli("group", "add", "adders", "--scope", "tool:execute@calc/add", "--role", "lead")
        cls.gateway.cli("role", "add", "plain", "--scope", "tool:read")  # the shipped policy keeps `readonly` to reading
        cls.gateway.user("ann", PASSWORD, "plain")
        cls.gateway.cli("group", "join", "adders", "ann")
        cls.gateway.user("bob", PASSWORD, "plain")
        cls.gateway.cli("user", "update", "bob", "--scope", "tool:execute@calc/a*")
        cls.gateway.user("cat", PASSWORD, "auditor")
        cls.agent = cls.gateway.key("helper", "tool:execute@calc/add")

    def review(self, **query):
        """All pages, a few rows each."""
        rows, after = [], {}
        while True:
            wanted = "&".join("%s=%s" % pair for pair in {"limit": 7, **query, **after}.items())
            page = self.gateway.admin("GET", "/api/v1/access/review?" + wanted)
            self.assertEqual(page["undecided"], 0)
            rows += page["data"]
            if page["next"] is None:
                return rows
            after = {"after": page["next"]}

    def pairs(self, rows):
        return sorted((row["name"], row["server"] + "/" + row["tool"]) for row in rows)

    def secret(self, name):
        return mcp.Client(self.gateway).ask("POST", "/auth/login", {"username": name, "password": PASSWORD}).message["access_token"]

    def test_it_says_what_lists_say(self):
        """Of each principal: what the review holds is what its own list of tools holds, no more and no less."""
        by_name = {}
        for row in self.review():
            by_name.setdefault(row["name"], []).append(row["exposed_name"])
        for name in ("ann", "bob", "cat"):
            listed = mcp.Session(self.gateway, self.secret(name)).open().tools()
            self.assertEqual(sorted(by_name.get(name, [])), sorted(listed), name)
        self.assertEqual(by_name["helper"], mcp.Session(self.gateway, self.agent.secret).open().tools())
        self.assertIn("more_add", by_name["ann"])
        self.assertNotIn("cat", by_name)

    def test_it_says_why(self):
        row = [row for row in self.review(principal="ann") if (row["server"], row["tool"]) == ("calc", "add")][0]
        self.assertEqual(row["why"], ["tool:execute by role lead (from user) of group adders", "tool:execute@calc/add of group adders"])
        self.assertEqual((row["kind"], row["status"], row["doors"]), ("user", "active", ["mcp", "rest"]))
        row, = self.review(principal=self.agent.id)
        self.assertEqual((row["why"], row["doors"], row["kind"]), (["tool:execute@calc/add of its own"], ["mcp"], "key"))

    def test_it_is_narrowed(self):
        rows = self.review(tool="calc/add")
        self.assertTrue({("ann", "calc/add"), ("bob", "calc/add"), ("helper", "calc/add")} <= set(self.pairs(rows)))
        self.assertEqual({row["tool"] for row in rows}, {"add"})
        self.assertEqual({row["server"] for row in self.review(server="more")}, {"more"})
        self.assertEqual(self.pairs(self.review(principal="bob")), [("bob", "calc/add")])
        self.assertEqual(self.review(principal="bob", server="more"), [])
        boss = mcp.Client(self.gateway, self.secret("cat"))
        for query, status in (("principal=nobody", 404), ("tool=calc/nothing", 404), ("server=nothing", 404), ("unused=x", 400),
                              ("limit=0", 400), ("limit=1001", 400), ("after=x", 400), ("other=1", 400), ("tool=calc/add", 200)):
            self.assertEqual(boss.ask("GET", "/access/review?" + query).status, status, query)

    def test_a_page_of_one_row_leaves_nothing_out(self):
        self.assertEqual(self.review(limit=1), self.review(limit=1000))

    def test_those_who_cannot_call_now_are_marked(self):
        off = self.gateway.key("off", "tool:execute@calc/add")
        self.gateway.cli("key", "disable", off.id)
        self.assertEqual([row["status"] for row in self.review(principal=off.id)], ["disabled"])
        self.gateway.user("dan", PASSWORD, "user")
        made = mcp.Client(self.gateway, self.secret("dan"))
        self.gateway.cli("user", "disable", "dan")
        self.assertEqual(made.ask("GET", "/tools").status, 401)
        self.assertEqual({row["status"] for row in self.review(principal="dan")}, {"disabled"})

    def test_last_use_is_shown_and_unused_found(self):
        """A call by one door and one by the other; what was never called is what --unused shows."""
        session = mcp.Session(self.gateway, self.agent.secret).open()
        session.request("tools/call", {"name": "calc_add", "arguments": {"a": 1, "b": 2}})
        ann = mcp.Client(self.gateway, self.secret("ann"))
        for _ in range(2):
            self.assertEqual(ann.ask("POST", "/tools/calc_multiply/execute", {"arguments": {"a": 1, "b": 2}}).status, 200)
        uses = lambda: {(row["name"], row["tool"]): (row["use_count"], row["last_used_at"]) for row in self.review(server="calc")}
        processes.wait_until(lambda: uses()["ann", "multiply"][0] >= 2 and uses()["helper", "add"][0] >= 1, 30 * SLOW, "uses")
        self.assertIsNotNone(uses()["ann", "multiply"][1])
        self.assertEqual(uses()["ann", "add"], (0, None))
        unused = self.pairs(self.review(unused=90))
        self.assertNotIn(("ann", "calc/multiply"), unused)
        self.assertIn(("ann", "calc/add"), unused)
        self.assertNotIn(("helper", "calc/add"), unused)
        before = uses()
        self.gateway.stop()
        self.gateway.start()
        self.assertEqual(uses(), before)

    def test_a_policy_counts(self):
        """The review asks decide(), not the roles."""
        folder = os.path.join(self.gateway.home, "policies")
        os.makedirs(folder, mode=0o755, exist_ok=True)
        for name in os.listdir(os.path.join(scratch.ROOT, "policies")):
            if name in ("tool_access.rego", "admin_access.rego"):
                shutil.copy(os.path.join(scratch.ROOT, "policies", name), folder)
        with open(os.path.join(folder, "no_division.rego"), "w") as file:
            file.write(NO_DIVISION)
        self.assertIn(("ann", "calc/divide"), self.pairs(self.review()))
        before = self.gateway.log().count("reloaded")
        self.gateway.process.send_signal(signal.SIGHUP)
        processes.wait_until(lambda: self.gateway.log().count("reloaded") > before, 20 * SLOW, "reload")
        self.assertNotIn("divide", {row["tool"] for row in self.review()})

    def test_who_may_see_it(self):
        """S4-4 (BFLA): auditors and admins."""
        self.assertEqual(mcp.Client(self.gateway, self.secret("cat")).ask("GET", "/access/review").status, 200)
        for secret in (self.secret("ann"), self.agent.secret):
            self.assertEqual(mcp.Client(self.gateway, secret).ask("GET", "/access/review").status, 403)

    def test_the_command_line(self):
        cli = self.gateway.cli
        self.assertIn("of group adders", cli("access", "review", "--principal", "ann"))
        shown = json.loads(cli("access", "review", "--tool", "calc/add", "--json"))
        self.assertEqual(self.pairs(shown["data"]), self.pairs(self.review(tool="calc/add")))
        self.assertIn("Nobody", cli("access", "review", "--principal", "cat"))
        self.assertNotEqual(self.gateway.run("access", "review", "--principal", "nobody").code, 0)
        self.assertEqual(self.gateway.run("access", "review", "--csv", "--json").code, 2)

    def test_csv_holds_no_formula(self):
        """A name that somebody chose is text in a spreadsheet, whatever it begins with."""
        self.gateway.admin("POST", "/users", {"username": '=cmd|"calc"', "password": PASSWORD, "roles": ["user"]})
        text = self.gateway.cli("access", "review", "--csv", "--tool", "calc/add")
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertIn("'=cmd|\"calc\"", [row["name"] for row in rows])
        self.assertFalse([cell for row in rows for cell in row.values() if cell[:1] in "=+-@\t\r" and cell])
        self.gateway.admin("DELETE", "/users/" + '=cmd%7C%22calc%22')


if __name__ == "__main__":
    unittest.main()
