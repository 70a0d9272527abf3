"""Registered tools (issue 4): made, found, changed and called over REST, MCP and the command line."""
import json
import unittest
from urllib.parse import quote

import mcp
import processes
import registry_case
from registry_case import SCHEMA, Registry

setUpModule = registry_case.start


class Catalogue(Registry):
    def test_each_flag_of_a_key_is_what_it_may(self):
        """S1-2, S1-15, S1-19, C6, C7: create, read, update and delete, each by its flag alone."""
        keys = {flag: self.key("flag-" + flag, **{"can_" + flag: True}) for flag in ("create", "read", "update", "delete", "execute")}
        tool = {"name": "flagged", "version": "1.0", "description": "Adds", "schema": SCHEMA}
        asks = {"create": ("POST", "/tools", tool, 201), "read": ("GET", "/tools/flagged", None, 200),
                "update": ("PUT", "/tools/flagged", {"version": "1.1"}, 200), "delete": ("DELETE", "/tools/flagged", None, 204)}
        for flag, (method, path, body, good) in asks.items():
            for who, key in keys.items():
                if who != flag:
                    self.assertEqual(key.ask(method, path, body).status, 403, (flag, who))
            self.assertEqual(keys[flag].ask(method, path, body).status, good, flag)
        self.assertEqual(keys["read"].ask("GET", "/tools/flagged").status, 404)

    def test_a_tool_as_the_guide_has_it(self):
        """S1-19 and the real S1 endpoints: members, 201, the list of /tools, its pages; canonical lists are the house's."""
        fields = {"version": "2.1", "title": "Rain", "description": "Says whether it rains", "schema": SCHEMA,
                  "security_level": 2, "categories": ["weather"], "tags": ["rain", "now"]}
        made = self.admin.ask("POST", "/tools", {"name": "rain", **fields})
        self.addCleanup(lambda: self.admin.ask("DELETE", "/tools/rain"))
        self.assertEqual(made.status, 201, made)
        for name, value in {**fields, "name": "rain", "id": "registry/rain", "status": "active", "binding": "none"}.items():
            self.assertEqual(made.message[name], value, name)
        self.assertTrue(made.message["owner"].startswith("user:"))
        self.assertEqual(made.message["created_at"], made.message["updated_at"])
        for path in ("/tools/rain", "/api/tools/rain", "/api/v1/tools/rain", "/api/v1/tools/registry%2Frain"):
            self.assertEqual(self.admin.ask("GET", path).message, made.message)
        whole = self.admin.ask("GET", "/tools").message
        self.assertEqual(set(whole), {"tools", "total", "page", "per_page", "total_pages"})
        pages = [self.admin.ask("GET", "/tools?page=%d&per_page=2" % page).message for page in (1, 2)]
        self.assertEqual([(p["total"], p["page"], p["per_page"]) for p in pages], [(whole["total"], 1, 2), (whole["total"], 2, 2)])
        self.assertEqual(pages[0]["total_pages"], (whole["total"] + 1) // 2)
        self.assertEqual(pages[0]["tools"] + pages[1]["tools"], whole["tools"][:4])
        self.assertEqual(self.admin.ask("GET", "/tools?per_page=5000").message["per_page"], 100)
        self.assertEqual(set(self.admin.ask("GET", "/api/v1/tools").message), {"data", "pagination"})

    def test_what_is_wrong_is_said(self):
        """S0-19, C13: refused by schema and length, with the member's name; nothing is escaped on its way in."""
        for body, word in (({}, "name"), ({"name": ""}, "name"), ({"name": "x" * 256}, "name"), ({"name": "a/b"}, "name"),
                           ({"name": "a", "version": "1" * 51}, "version"), ({"name": "a", "security_level": 11}, "security_level"),
                           ({"name": "a", "schema": {"type": "nonsense"}}, "schema"), ({"name": "a", "colour": 1}, "colour"),
                           ({"name": "a", "tags": [1]}, "tags"), ({"name": "search"}, "search"),
                           ({"name": "a", "upstream_tool": "calc/none"}, "upstream_tool"),
                           ({"name": "a", "endpoint": "ftp://example.org"}, "endpoint"),
                           ({"name": "a", "allow_private": True}, "endpoint"),
                           ({"name": "a", "endpoint": "https://example.org", "upstream_tool": "calc/add"}, "either"),
                           ({"name": "a b", "upstream_tool": "calc/add"}, "MCP")):
            answer = self.admin.ask("POST", "/tools", body)
            self.assertEqual(answer.status, 400, (body, answer))
            self.assertIn(word, answer.message["error"]["message"], body)
        markup = "<script>alert('x')</script> & \"quotes\""
        self.register("markup", description=markup)
        self.assertEqual(self.admin.ask("GET", "/tools/markup").message["description"], markup)

    def test_names_are_taken_once(self):
        """threats.md, tools that shadow others: neither twice here, nor one that a server's tool has on /mcp."""
        self.register("once")
        for name in ("once", "calc_add"):
            self.assertEqual(self.admin.ask("POST", "/tools", {"name": name}).status, 409, name)
        self.assertEqual(self.gateway.run("server", "add", "registry", "--", "/bin/true").code, 1)

    def test_a_change_is_made_under_its_etag_alone(self):
        self.register("tagged", version="1")
        tag = self.admin.ask("GET", "/tools/tagged").headers["etag"]
        ask = lambda version, when: self.admin.ask("PUT", "/tools/tagged", {"version": version}, {"If-Match": when}).status
        self.assertEqual(ask("2", tag), 200)
        self.assertEqual(ask("3", tag), 412)
        self.assertEqual(self.admin.ask("GET", "/tools/tagged").message["version"], "2")
        self.assertEqual(self.admin.ask("PUT", "/tools/tagged", {"name": "other"}).status, 400)
        self.assertEqual(self.admin.ask("PUT", "/tools/none", {"version": "2"}).status, 404)
        self.assertEqual(self.admin.ask("PUT", "/tools/calc_add", {"version": "2"}).status, 404)  # a server's own
        self.assertEqual(self.admin.ask("DELETE", "/tools/calc_add").status, 404)

    def test_a_tool_that_is_as_it_was_is_not_sent_again(self):
        """docs/rest.md, ETag: of the whole answer for a reader, of what people write for who changes it."""
        self.register("unchanged", upstream_tool="calc/add", schema=SCHEMA)
        show = lambda tag: self.admin.ask("GET", "/tools/unchanged", headers={"If-None-Match": tag})
        tag = show('"another"').headers["etag"]
        self.assertEqual((show(tag).status, show(tag).body, show("W/" + tag).status), (304, b"", 304))
        self.admin.ask("POST", "/tools/unchanged/execute", {"arguments": {"a": 1, "b": 2}})
        used = show(tag)
        self.assertEqual((used.status, used.message["execution_count"]), (200, 1))
        change = lambda when: self.admin.ask("PUT", "/tools/unchanged", {"version": "2"}, {"If-Match": when}).status
        self.assertEqual([change("W/" + tag), change(tag.split(".")[1].strip('"')), change(tag), change(tag)], [412, 412, 200, 412])

    def test_an_execution_has_its_limits(self):
        """S0-19, S0-20, S0-21, S0-22, C21: the id has 3 characters, the timeout 1 to 300 seconds and never 0."""
        self.register("limits", upstream_tool="calc/add", schema=SCHEMA)
        ask = lambda name, body: self.admin.ask("POST", "/api/tools/%s/execute" % name, body)
        self.assertIn("Tool ID must be at least 3 characters", ask("ab", {}).message["error"]["message"])
        for timeout in (0, 301, -1):
            answer = ask("limits", {"arguments": {"a": 1, "b": 2}, "timeout": timeout})
            self.assertEqual((answer.status, answer.message["error"]["message"]), (400, "Timeout must be between 1 and 300 seconds"))
        for timeout in (1, 300, None):
            self.assertEqual(ask("limits", {"arguments": {"a": 1, "b": 2}, "timeout": timeout}).status, 200, timeout)
        self.assertEqual(ask("limits", {"arguments": [1]}).status, 400)
        self.assertEqual(ask("limits", {"arguments": {"a": 1}}).status, 400)

    def test_scopes_narrow_what_may_be_changed(self):
        for name in ("team_one", "other_one"):
            self.register(name)
        team = self.key("team", scopes=["tool:update@registry/team_*", "tool:delete@registry/team_*"])
        self.assertEqual(team.ask("PUT", "/tools/team_one", {"version": "2"}).status, 200)
        for name in ("other_one", "no_such_one"):
            self.assertEqual(team.ask("PUT", "/tools/" + name, {"version": "2"}).status, 403, name)
            self.assertEqual(team.ask("DELETE", "/tools/" + name).status, 403, name)
        self.assertEqual(team.ask("DELETE", "/tools/team_one").status, 204)

    def test_a_catalogue_entry_is_offered_to_nobody(self):
        """Executing one is a 409 for those who may execute; others are refused before any look-up."""
        self.register("entry", description="only a description", schema={})
        answer = self.admin.ask("POST", "/api/tools/entry/execute", {"arguments": {}})
        self.assertEqual((answer.status, answer.message["error"]["code"]), (409, "conflict"), answer)
        self.assertIn("bound to nothing", answer.message["error"]["message"])
        reader = self.as_user("readonly")
        self.assertEqual(reader.ask("POST", "/api/tools/entry/execute", {"arguments": {}}).status, 403)
        nobody = self.key("nobody", can_update=True)
        known, unknown = (nobody.ask("POST", "/api/tools/%s/execute" % name, {"arguments": {}}) for name in ("entry", "no-entry"))
        self.assertEqual((known.status, known.message["error"]["code"]), (unknown.status, unknown.message["error"]["code"]))
        agent = mcp.Session(self.gateway, self.agent("entries")).open()
        self.assertNotIn("entry", agent.tools())
        self.assertIn("error", agent.call("entry").message)


class Search(Registry):
    def names(self, client, query):
        answer = client.ask("GET", "/api/v1/tools/search?query=" + query)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.message["pagination"]["total"], len(answer.message["data"]))
        return [tool["id"] for tool in answer.message["data"]]

    def test_words_find_tools_the_best_match_first(self):
        """Issue 4: search by words with ranking, of registered tools and those of servers."""
        self.register("report", description="Sends the tides by mail", tags=["harbour"])
        self.register("tides_today", description="High and low water")
        self.assertEqual(self.names(self.admin, "tides"), ["registry/tides_today", "registry/report"])
        self.assertEqual(self.names(self.admin, "TIDE+mail"), ["registry/report"])
        self.assertEqual(self.names(self.admin, "harb"), ["registry/report"])
        self.assertIn("calc/add", self.names(self.admin, "add"))
        page = self.admin.ask("GET", "/tools/search?query=tides&page=2&per_page=1").message
        self.assertEqual((page["total"], page["total_pages"], [t["name"] for t in page["tools"]]), (2, 2, ["report"]))
        self.admin.ask("PUT", "/tools/report", {"description": "Nothing of the kind"})
        self.assertEqual(self.names(self.admin, "tides"), ["registry/tides_today"])

    def test_nobody_learns_what_they_may_not_read(self):
        """Principle 1: what is not readable is left out before it is counted."""
        self.register("plan_one", description="plans")
        self.register("plan_two", description="plans")
        some = self.key("some", scopes=["tool:read@registry/plan_one"])
        none = self.key("none", can_create=True)
        self.assertEqual(self.names(some, "plans"), ["registry/plan_one"])

        self.assertEqual([none.ask("GET", path).status for path in ("/tools", "/tools/search?query=plans", "/tools/plan_one",
                                                                   "/tools/no_such_tool")], [403] * 4)
        self.assertEqual(some.ask("GET", "/tools").message["total"], 1)
        self.assertEqual(mcp.Session(self.gateway, none.secret).open().tools(), [])

    def found(self, client, query, **more):
        answer = client.ask("POST", "/api/v1/tools/search", {"query": query, **more})
        self.assertEqual(answer.status, 200, answer)
        return [(tool["id"], tool["similarity_score"]) for tool in answer.message["results"]]

    def test_how_alike_a_tool_is(self):
        """Section 8: similarity_score: each word weighs the same, the best match of a word has the whole of its share."""
        self.register("moth", description="about lamps")
        self.register("lamps", description="for a moth, and for whoever reads at night", categories=["light"])
        self.register("candle", description="one of the older lamps", categories=["light", "wax"])
        both = dict(self.found(self.admin, "moth lamps"))
        self.assertEqual(set(both), {"registry/moth", "registry/lamps", "registry/candle"})
        self.assertTrue(both["registry/candle"] < 0.5 < both["registry/moth"] < 1, both)
        self.assertEqual(self.found(self.admin, "moth lamps", max_results=1), [max(both.items(), key=lambda one: one[1])])
        self.assertEqual({one for one, _ in self.found(self.admin, "moth lamps", similarity_threshold=0.5)},
                         {"registry/moth", "registry/lamps"})
        self.assertEqual([one for one, _ in self.found(self.admin, "lamps", categories=["wax", "none"])], ["registry/candle"])
        self.assertEqual(self.found(self.admin, "lam")[0], ("registry/lamps", 1))
        self.assertEqual(self.found(self.admin, "moth lamps Lamps lam l MOTH mo LAMPS\tlamp la"), self.found(self.admin, "lamps moth"))
        for body in ({}, {"query": ""}, {"query": "x" * 257}, {"query": " ".join("x" * 17)}, {"query": "a b c d e f g"},
                     {"query": "a\u0000b"}, {"query": "\u0000"}, {"query": "a \u007f"}, {"query": "a", "max_results": 0},
                     {"query": "a", "similarity_threshold": 1.5}, {"query": "a", "colour": 1}, {"query": 7}):
            answer = self.admin.ask("POST", "/tools/search", body)
            self.assertEqual((answer.status, answer.message["error"]["code"]), (400, "validation_error"), body)

    def test_a_score_tells_nothing_of_tools_that_may_not_be_read(self):
        """Principle 1: not whether they have the word. How long all tools are on average is all that moves a score."""
        self.register("quay", description="ferries and barges")
        self.register("mole", description="barges, and barges again, all day long")
        some = self.key("reads-two", scopes=["tool:read@registry/quay", "tool:read@registry/mole"])
        before = self.found(some, "ferries barges")
        self.assertEqual(len(before), 2)
        for number in range(5):
            self.register("hidden%d" % number, description="ferries")
        for one, other in zip(self.found(some, "ferries barges"), before, strict=True):
            self.assertEqual(one[0], other[0])
            self.assertAlmostEqual(one[1], other[1], delta=0.02)
        self.assertEqual(self.key("none-of-them", can_create=True).ask("POST", "/tools/search", {"query": "barges"}).status, 403)

    def test_words_are_words(self):
        """S0-23, S1-5: nothing of a caller's words is an operator of SQL or of FTS5."""
        self.register("alpha", description="one")
        self.register("omega", description="two")
        for query in ("alpha+OR+omega", "name%3Aalpha", "%22", "alpha%22+OR+%22omega", "NEAR(alpha+omega)", "*",
                      "'%3B+DROP+TABLE+tools%3B+--", "%7Bname%7D%3Aalpha", "%28", "%C3%28"):
            self.assertEqual(self.names(self.admin, query), [], query)
        self.assertEqual(self.names(self.admin, "-omega"), ["registry/omega"])
        for query in ("", "+", "x" * 257, "+".join("x" * 17), "%00", "a%01b", "a+%7F"):
            self.assertEqual(self.admin.ask("GET", "/tools/search?query=" + query).status, 400, query)
        self.assertEqual(self.admin.ask("GET", "/tools/search").status, 400)
        self.assertEqual(self.admin.ask("GET", "/tools/search?query=a&quary=b").status, 400)


class Bound(Registry):
    def test_a_name_for_a_servers_tool_is_that_tool(self):
        """Issue 4: offered over MCP and REST alike; the evidence names both, the schemas of both hold."""
        self.register("plus", upstream_tool="calc/add", description="Adds small numbers",
                      schema={**SCHEMA, "properties": {"a": {"type": "number", "maximum": 10}, "b": {"type": "number"}}})
        agent = mcp.Session(self.gateway, self.agent("plus")).open()
        listed = {tool["name"]: tool for tool in agent.request("tools/list").message["result"]["tools"]}
        self.assertEqual(listed["plus"]["description"], "Adds small numbers")
        direct = agent.text("calc_add", {"a": 2, "b": 3})
        self.assertEqual(agent.text("plus", {"a": 2, "b": 3}), direct)
        alone = mcp.Session(self.gateway, self.agent("plus-alone"), "registry").open()
        self.assertIn("plus", alone.tools())
        self.assertNotIn("calc_add", alone.tools())
        self.assertEqual(alone.text("plus", {"a": 2, "b": 3}), direct)
        modern = mcp.Modern(self.gateway, self.agent("plus-modern"))
        self.assertIn("plus", modern.tools())
        self.assertEqual(modern.text("plus", {"a": 2, "b": 3}), direct)
        for name in ("plus", "registry%2Fplus"):
            answer = self.admin.ask("POST", "/api/tools/%s/execute" % name, {"arguments": {"a": 2, "b": 3}})
            self.assertEqual((answer.status, answer.message["result"]["content"][0]["text"]), (200, direct))
        self.assertIn("error", agent.call("plus", {"a": 11, "b": 3}).message)  # its own schema
        records = self.gateway.audit(kind="intent", server="calc", tool="add")
        self.assertIn("called as registry/plus", {record.get("evidence") for record in records})

    def test_it_is_no_way_around_what_is_decided_of_the_tool(self):
        """Confused deputy: both names must be granted, and both levels hold."""
        self.register("detour", upstream_tool="calc/add", schema=SCHEMA)
        around = mcp.Session(self.gateway, self.agent("around", "tool:execute@registry/detour", "tool:execute@calc/sub")).open()
        self.assertNotIn("detour", around.tools())
        self.assertIn("Unknown tool", around.call("detour", {"a": 1, "b": 2}).message["error"]["message"])
        self.assertEqual(around.ask("GET", "/tools/detour").status, 404)
        both = mcp.Session(self.gateway, self.agent("both", "tool:execute@registry/detour", "tool:execute@calc/add")).open()
        self.assertIn("detour", both.tools())
        self.assertIn("result", both.call("detour", {"a": 1, "b": 2}).message)
        self.admin.ask("PUT", "/tools/detour", {"security_level": 3})
        self.assertNotIn("detour", both.tools())
        self.assertIn("error", both.call("detour", {"a": 1, "b": 2}).message)

    def test_a_name_that_another_tool_took_is_told_in_full(self):
        """Section 7: by S1's alias a name is unique, and finds its tool; in a list as alone."""
        self.register("late_add", description="registered first")
        self.gateway.add_calculator("late")
        self.addCleanup(lambda: self.gateway.cli("server", "remove", "late"))
        tools = self.admin.ask("GET", "/tools?per_page=100").message["tools"]
        names = {tool["id"]: tool["name"] for tool in tools}
        self.assertEqual((names["late/add"], names["registry/late_add"]), ("late_add", "registry/late_add"))
        self.assertEqual(len(set(names.values())), len(names))
        for tool in tools:
            self.assertEqual(self.admin.ask("GET", "/tools/" + quote(tool["name"], safe="")).message["id"], tool["id"])

    def counted(self, *names):
        shown = [self.admin.ask("GET", "/api/v1/tools/" + name).message for name in names]
        return [(tool["execution_count"], tool["last_executed"] is not None) for tool in shown]

    def test_calls_are_counted_over_every_door_and_through_a_restart(self):
        """Section 8: execution_count and last_executed; a call by another name is a call of both."""
        self.gateway.add_calculator("counted")
        self.addCleanup(lambda: self.gateway.cli("server", "remove", "counted"))
        self.register("plus", upstream_tool="counted/add", schema=SCHEMA)
        self.assertEqual(self.counted("counted_add", "plus"), [(0, False), (0, False)])
        run = lambda name, arguments: self.admin.ask("POST", "/api/v1/tools/%s/execute" % name, {"arguments": arguments}).status
        tag = self.admin.ask("GET", "/tools/plus").headers["etag"]
        answer = mcp.Session(self.gateway, self.tokens["admin"]).open().call("counted_add", {"a": 1, "b": 2})
        self.assertNotIn("error", answer.message)
        self.assertEqual(run("plus", {"a": 1, "b": 2}), 200)
        self.assertEqual(run("plus", {"a": "one"}), 400)
        self.assertEqual(self.as_user("readonly").ask("POST", "/api/v1/tools/plus/execute", {"arguments": {}}).status, 403)
        self.assertEqual(self.counted("counted_add", "plus"), [(2, True), (1, True)])
        self.assertEqual(self.admin.ask("PUT", "/tools/plus", {"version": "2"}, {"If-Match": tag}).status, 200)
        self.gateway.stop()
        self.gateway.start()
        self.admin = self.as_user("admin")
        self.assertEqual(self.counted("counted_add", "plus"), [(2, True), (1, True)])

    def test_what_a_failing_tool_did_is_not_done_again(self):
        """Section 8: tool_execution_failed, its result in the details; a repeated request is answered as the first."""
        fail = lambda: self.admin.ask("POST", "/tools/calc_divide/execute", {"arguments": {"a": 1, "b": 0}},
                                      {"Idempotency-Key": "divides"})
        before, first, second = self.counted("calc_divide")[0][0], fail(), fail()
        error = first.message["error"]
        self.assertEqual((first.status, error["code"], error["details"]["tool_id"]), (500, "tool_execution_failed", "calc_divide"))
        self.assertTrue(error["details"]["result"]["isError"])
        self.assertEqual((second.status, second.body), (500, first.body))
        self.assertEqual(self.counted("calc_divide")[0][0], before + 1)

    def test_what_was_begun_is_not_begun_again_whatever_came_of_it(self):
        """Section 8: a tool that outlasts its time, and one whose answer is refused, may have done their work."""
        for path, status, code in (("/hang", 504, "upstream_timeout"), ("/picture", 502, "upstream_protocol")):
            self.register("begun", endpoint=self.url(path), allow_private=True)
            ask = lambda: self.admin.ask("POST", "/tools/begun/execute", {"timeout": 1}, {"Idempotency-Key": "begun" + path})
            before, first, second = len(self.endpoint.seen), ask(), ask()
            self.assertEqual((first.status, first.message["error"]["code"]), (status, code), first)
            self.assertEqual((second.status, second.body), (first.status, first.body))
            self.assertEqual([seen[0] for seen in self.endpoint.seen[before:]], [path])
            self.assertEqual(self.counted("begun"), [(1, True)])
            self.assertEqual(self.admin.ask("DELETE", "/tools/begun").status, 204)

    def test_what_never_reached_the_tool_is_neither_counted_nor_kept(self):
        closed = processes.closed_port()
        self.addCleanup(closed.close)
        self.register("unreached", endpoint="http://127.0.0.1:%d/" % closed.getsockname()[1], allow_private=True)
        ask = lambda: self.admin.ask("POST", "/tools/unreached/execute", {}, {"Idempotency-Key": "unreached"})
        self.assertEqual(ask().message["error"]["code"], "upstream_unavailable")
        self.assertEqual(self.counted("unreached"), [(0, False)])
        self.gateway.admin("PUT", "/api/v1/tools/unreached", {"endpoint": self.url("/text"), "allow_private": True})
        self.assertEqual((ask().status, self.counted("unreached")), (200, [(1, True)]))

    def test_a_change_of_the_list_is_told(self):
        agent = mcp.Session(self.gateway, self.agent("listens")).open()
        stream = agent.listen()
        made = self.register("announced", upstream_tool="calc/add", schema=SCHEMA)
        self.assertEqual(made["binding"], "upstream_tool")
        while b"notifications/tools/list_changed" not in stream.readline():
            pass
        self.assertIn("announced", agent.tools())
        self.admin.ask("PUT", "/tools/announced", {"status": "disabled"})
        self.assertNotIn("announced", agent.tools())
        self.assertIn("error", agent.call("announced", {"a": 1, "b": 2}).message)
        self.admin.ask("PUT", "/tools/announced", {"status": "active", "upstream_tool": None})
        self.assertNotIn("announced", agent.tools())
        stream.held.close()

    def test_who_binds_must_read_what_it_binds(self):
        maker = self.key("maker", can_create=True)
        answer = maker.ask("POST", "/tools", {"name": "mine", "upstream_tool": "calc/add"})
        unknown = maker.ask("POST", "/tools", {"name": "mine", "upstream_tool": "calc/no"})
        self.assertEqual((answer.status, unknown.status), (400, 400))
        self.assertEqual(answer.message["error"]["message"].replace("calc/add", ""),
                         unknown.message["error"]["message"].replace("calc/no", ""))

    def test_the_server_goes_and_the_entry_stays(self):
        self.gateway.add_calculator("leaving")
        self.register("orphan", upstream_tool="leaving/add", schema=SCHEMA)
        self.gateway.cli("server", "remove", "leaving")
        answer = self.admin.ask("POST", "/api/tools/orphan/execute", {"arguments": {"a": 1, "b": 2}})
        self.assertEqual(answer.status, 409, answer)
        self.assertEqual(self.admin.ask("GET", "/tools/orphan").message["upstream_tool"], "leaving/add")


class CommandLine(Registry):
    def test_the_command_line_does_what_rest_does(self):
        made = json.loads(self.gateway.cli("tool", "register", "typed", "--description", "From the shell", "--tag", "shell",
                                           "--tool-version", "1", "--schema", json.dumps(SCHEMA), "--upstream", "calc/add", "--json"))
        self.assertEqual((made["id"], made["schema"], made["upstream_tool"]), ("registry/typed", SCHEMA, "calc/add"))
        self.assertIn("typed", self.gateway.cli("tool", "list"))
        self.assertIn("shell", self.gateway.cli("tool", "show", "typed"))
        self.assertIn("typed", self.gateway.cli("tool", "search", "from", "shell"))
        self.assertEqual(self.gateway.cli("tool", "call", "typed", "a=1", "b=2"), self.gateway.cli("tool", "call", "calc_add", "a=1", "b=2"))
        self.gateway.cli("tool", "update", "typed", "--unbind", "--status", "disabled")
        shown = json.loads(self.gateway.cli("tool", "show", "typed", "--json"))
        self.assertEqual((shown["binding"], shown["status"], shown["version"]), ("none", "disabled", "1"))
        self.gateway.cli("tool", "unregister", "typed")
        self.assertEqual(self.gateway.run("tool", "unregister", "typed").code, 4)

    def test_roles_say_what_they_grant(self):
        """S0-8, S0-9."""
        roles = {role["name"]: role for role in self.admin.ask("GET", "/api/v1/roles").message["data"]}
        self.assertEqual(set(roles), {"admin", "user", "agent", "readonly", "auditor"})
        self.assertEqual(roles["readonly"]["permissions"], ["tool:read"])
        self.assertIn("system:admin", roles["admin"]["permissions"])
        self.assertEqual(json.loads(self.gateway.cli("role", "show", "user", "--json")), roles["user"])
        self.assertIn("readonly", self.gateway.cli("role", "list"))
        self.assertEqual(self.gateway.run("role", "show", "none").code, 4)
        self.assertEqual(self.as_user("user").ask("GET", "/api/v1/roles").status, 403)

    def test_what_is_registered_is_there_after_kill_9(self):
        self.register("lasting", description="stays", tags=["t"], endpoint=self.url("/in"), allow_private=True)
        before = self.admin.ask("GET", "/tools/lasting").message
        self.gateway.kill()
        self.gateway.start()
        self.admin = self.as_user("admin")
        self.assertEqual(self.admin.ask("GET", "/tools/lasting").message, before)
        self.assertEqual(self.admin.ask("GET", "/tools/search?query=stays").message["total"], 1)


if __name__ == "__main__":
    unittest.main()
