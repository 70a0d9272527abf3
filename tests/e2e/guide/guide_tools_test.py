"""Tools as a client sees them that was written from the guides of the earlier systems alone: S1's registry, S0's catalogue.

Each test names the promises it shows; "hole" is a fault of the earlier systems' code that must not come back.
"""
import json

import guide_case
from guide_case import SCHEMA, Case, new_name
from guide_client import FLAGS, ApiError

S0_TOOL = {"id", "name", "description", "endpoint", "categories", "input_schema", "security_level", "status", "registered_at",
           "execution_count", "last_executed"}
S1_TOOL = {"id", "name", "version", "description", "schema", "created_at", "updated_at"}

setUpModule = guide_case.start


class RegistryTest(Case):
    def test_every_tool_of_the_list_is_found_by_its_name(self):
        """S1-15; section 7: GET /tools/{name}, the name is unique"""
        names = [tool["name"] for tool in self.boss.every_tool()]
        self.assertEqual(len(set(names)), len(names))
        for name in names:
            self.assertEqual(self.boss.tool(name)["name"], name)

    def test_every_tool_of_a_page_has_the_parts_of_the_registry(self):
        """S1-19, section 7: a tool"""
        for tool in self.boss.every_tool():
            self.assertEqual(S1_TOOL - set(tool), set())

    def test_a_tool_is_registered_found_changed_and_removed(self):
        """S1-15, S1-19; section 7: POST /tools, GET|PUT|DELETE /tools/{name}"""
        name = new_name("weather")
        made = self.boss.register(name, "1.0.0", "Says what the weather is.", SCHEMA)
        self.assertEqual(self.boss.last.status, 201)
        self.assertEqual(S1_TOOL - set(made), set())
        self.boss.update_tool(name, version="1.1.0", description="Says what it was.", schema=SCHEMA)
        seen = self.boss.tool(name)
        self.assertEqual([seen[part] for part in ("id", "name", "version", "description", "schema", "created_at")],
                         [made["id"], name, "1.1.0", "Says what it was.", SCHEMA, made["created_at"]])
        self.boss.delete_tool(name)
        self.refused(404, "tool_not_found", self.boss.tool, name)

    def test_a_page_of_tools_has_the_shape_of_the_registry(self):
        """S1-19, section 8: {tools, total, page, per_page, total_pages}"""
        self.new_tool(), self.new_tool()
        answer = self.boss.tools(page=1, per_page=2)
        self.assertEqual(set(answer), {"tools", "total", "page", "per_page", "total_pages"})
        self.assertEqual((answer["page"], answer["per_page"], len(answer["tools"])), (1, 2, 2))
        self.assertEqual(answer["total_pages"], -(-answer["total"] // 2))

    def test_the_pages_hold_every_tool_once(self):
        """S1-19"""
        made = {self.new_tool(), self.new_tool()}
        whole = [tool["name"] for tool in self.boss.every_tool(per_page=100)]
        self.assertEqual([tool["name"] for tool in self.boss.every_tool(per_page=1)], whole)
        self.assertLessEqual(made, set(whole))
        self.assertEqual(self.boss.tools(page=len(whole) + 1, per_page=1)["tools"], [])

    def test_a_page_holds_100_tools_at_most(self):
        """Section 7: per_page of at most 100"""
        self.assertEqual(self.boss.tools(per_page=100)["per_page"], 100)
        self.assertEqual(self.boss.tools(per_page=101)["per_page"], 100)
        self.assertEqual(self.boss.search("weather", per_page=101)["per_page"], 100)

    def test_a_page_that_cannot_be_is_400(self):
        """S0-19, S1-19"""
        for page, per_page in ((1, 0), (0, 10), (-1, 10), ("first", 10)):
            self.invalid(self.boss.tools, page, per_page)

    def test_a_search_finds_words(self):
        """S1-15; section 7: GET /tools/search?query=&page=&per_page="""
        name = self.new_tool("Tells how the barometer at Lindesnes stands.")
        answer = self.boss.search("barometer", per_page=5)
        self.assertEqual((answer["page"], answer["per_page"]), (1, 5))
        self.assertEqual([tool["name"] for tool in answer["tools"]], [name])
        self.assertEqual(self.boss.search("zyzzyva")["tools"], [])

    def test_a_name_is_registered_once(self):
        """Section 7: the name is unique"""
        name = self.new_tool()
        with self.assertRaises(ApiError) as caught:
            self.boss.register(name, "2.0.0", "Another.", SCHEMA)
        self.assertIn(caught.exception.status, (400, 409))
        self.assertEqual(self.boss.tool(name)["version"], "1.0.0")

    def test_a_name_has_255_characters_and_a_version_50(self):
        """S0-19; section 7: name of at most 255, version of at most 50"""
        name = new_name("long").ljust(255, "g")
        self.boss.register(name, "1" * 50, "As long as may be.", SCHEMA)
        self.assertEqual(self.boss.tool(name)["version"], "1" * 50)
        self.invalid(self.boss.register, name + "g", "1", "Too long.", SCHEMA)
        self.invalid(self.boss.register, new_name("short"), "1" * 51, "Too new.", SCHEMA)

    def test_words_that_look_like_code_are_words(self):
        """S1-5, C13; S1 hole: url( exec( @import in a body were blocked"""
        text = "url(x) exec(y) @import 'z'; <script>alert(1)</script> '; DROP TABLE tools; --"
        name = self.new_tool(text)
        self.assertEqual(self.boss.tool(name)["description"], text)
        self.assertIn(name, [tool["name"] for tool in self.boss.every_tool()])
        self.boss.search("'; DROP TABLE tools; --")

    def test_each_flag_of_a_key_opens_its_own_change(self):
        """S1-2, S1-15"""
        for flag in FLAGS:
            _, client = self.new_key(flag)
            opened = {"can_" + name for name, call in self.changes_of(client).items() if self.passes(call)}
            self.assertEqual(opened, {flag} - {"can_read"})

    def test_a_key_that_may_read_lists_searches_and_shows(self):
        """S1-2, S1-15"""
        name, (_, client) = self.new_tool("Tells how the hygrometer stands."), self.new_key("can_read")
        self.assertIn(name, [tool["name"] for tool in client.every_tool()])
        self.assertEqual([tool["name"] for tool in client.search("hygrometer")["tools"]], [name])
        self.assertEqual(client.tool(name)["name"], name)

    def changes_of(self, client):
        name = self.new_tool()
        return {"create": lambda: client.register(new_name("weather"), "1.0.0", "Mine.", SCHEMA),
                "update": lambda: client.update_tool(name, version="2.0.0", description="Mine.", schema=SCHEMA),
                "delete": lambda: client.delete_tool(name)}

    def passes(self, call):
        try:
            call()
            return True
        except ApiError as error:
            self.assertEqual((error.status, error.code), (403, "authorization_failed"))
            return False

    def test_a_user_reads_the_registry_and_changes_nothing(self):
        """S1-2, S0-8, C6"""
        self.assertEqual([name for name, call in self.changes_of(self.alice).items() if self.passes(call)], [])
        self.assertTrue(self.alice.tools()["tools"])


class CatalogueTest(Case):
    def test_the_catalogue_comes_in_slices(self):
        """S0-2, section 8: {data, pagination}, under /api and /api/v1"""
        for prefix in ("/api", "/api/v1"):
            whole = [tool["id"] for tool in self.boss.catalogue(prefix=prefix)["data"]]
            answer = self.boss.catalogue(limit=1, offset=0, prefix=prefix)
            self.assertEqual([tool["id"] for tool in answer["data"]], whole[:1])
            wanted = {"total": len(whole), "limit": 1, "offset": 0, "has_next": True, "has_prev": False}
            self.assertEqual(answer["pagination"], wanted)
            self.assertEqual([tool["id"] for tool in self.boss.slices(prefix + "/tools", limit=1)], whole)

    def test_a_slice_begins_at_0_and_has_50_entries_at_most(self):
        """Section 8: GET /api/tools?limit=50&offset=0"""
        pagination = self.boss.ask("GET", "/api/tools")["pagination"]
        self.assertEqual((pagination["limit"], pagination["offset"], pagination["has_prev"]), (50, 0, False))
        self.assertTrue(self.boss.catalogue(limit=1, offset=1)["pagination"]["has_prev"])

    def test_a_tool_of_the_catalogue_has_what_the_reference_shows(self):
        """S0-2, section 8: a tool"""
        for tool in self.boss.catalogue()["data"]:
            self.assertEqual(S0_TOOL - set(tool), set())

    def test_the_catalogue_is_filtered_by_category_and_status(self):
        """Section 8: GET /api/tools?category=&status="""
        one = self.boss.catalogue(limit=1)["data"][0]
        self.assertIn(one["id"], [tool["id"] for tool in self.boss.catalogue(status=one["status"])["data"]])
        self.assertEqual(self.boss.catalogue(category="of-no-tool")["data"], [])

    def test_a_search_ranks_from_0_to_1(self):
        """Section 8: POST /api/tools/search"""
        found = self.boss.find("adds two numbers")
        scores = [result["similarity_score"] for result in found]
        self.assertIn("calc_add", json.dumps(found[0]))
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertTrue(all(0 <= score <= 1 for score in scores), scores)

    def test_a_search_ends_at_its_bounds(self):
        """Section 8: max_results, similarity_threshold, categories"""
        self.assertEqual(len(self.boss.find("numbers", max_results=1)), 1)
        for result in self.boss.find("adds two numbers", similarity_threshold=0.5):
            self.assertGreaterEqual(result["similarity_score"], 0.5)
        self.assertEqual(self.boss.find("numbers", categories=["of-no-tool"]), [])

    def test_a_tool_is_executed(self):
        """S0-2, S0-20, section 8: {result, execution_time, status, tool_id}"""
        answer = self.boss.execute("calc_add", {"a": 2, "b": 3})
        self.assertEqual(set(answer), {"result", "execution_time", "status", "tool_id"})
        self.assertIn("5", json.dumps(answer["result"]))
        self.assertEqual((answer["status"], answer["tool_id"]), ("success", "calc_add"))
        self.assertIsInstance(answer["execution_time"], float)

    def test_the_timeout_may_be_left_out_and_the_tool_named_in_the_body(self):
        """S0-20"""
        self.boss.ask("POST", "/api/tools/calc_add/execute", {"arguments": {"a": 2, "b": 3}})
        self.boss.ask("POST", "/api/tools/calc_add/execute", {"tool_id": "calc_add", "arguments": {"a": 2, "b": 3}, "timeout": 30})

    def test_the_id_of_a_tool_has_three_characters(self):
        """S0-21"""
        self.assertEqual(self.invalid(self.boss.execute, "ab", {}).message, "Tool ID must be at least 3 characters")

    def test_the_timeout_lies_between_1_and_300(self):
        """S0-22"""
        for timeout in (0, -1, 301):
            error = self.invalid(self.boss.execute, "calc_add", {"a": 2, "b": 3}, timeout)
            self.assertEqual(error.message, "Timeout must be between 1 and 300 seconds")
        for timeout in (1, 300):
            self.boss.execute("calc_add", {"a": 2, "b": 3}, timeout)

    def test_a_request_that_is_none_is_400(self):
        """S0-19, S0-20"""
        for body in ({"arguments": [1, 2]}, {"arguments": {"a": 2, "b": 3}, "timeout": "soon"}, []):
            self.invalid(self.boss.ask, "POST", "/api/tools/calc_add/execute", body)

    def test_arguments_that_are_none_of_the_tool_are_400(self):
        """S0-19"""
        self.invalid(self.boss.execute, "calc_add", {"a": "two", "b": 3})

    def test_a_tool_that_fails_is_500(self):
        """Section 8: tool_execution_failed"""
        self.refused(500, "tool_execution_failed", self.boss.execute, "calc_divide", {"a": 1, "b": 0})

    def test_an_unknown_tool_is_404(self):
        """Section 8: tool_not_found"""
        self.refused(404, "tool_not_found", self.boss.execute, "no_such_tool", {})

    def test_a_tool_is_executed_by_the_id_that_the_catalogue_shows(self):
        """S0-2, S0-20"""
        for tool in self.boss.slices("/api/tools"):
            if tool["description"] == "Adds two numbers.":
                self.assertEqual(self.boss.execute(tool["id"], {"a": 2, "b": 3})["tool_id"], tool["id"])

    def test_a_user_reads_and_executes(self):
        """S0-8, C6"""
        self.assertTrue(self.alice.catalogue()["data"])
        self.alice.execute("calc_add", {"a": 2, "b": 3})


class PoliciesTest(Case):
    def test_a_policy_is_evaluated(self):
        """S0-12, S0-14, C20, section 8: POST /api/policies/evaluate"""
        for roles, permissions, level, allowed in (
                (["admin"], [], 5, True), (["user"], ["tool:execute"], 2, True), (["user"], [], 2, False),
                (["user"], ["tool:execute"], 3, False), (["user", "admin"], [], 3, True), ([], [], 1, False)):
            document = {"user": {"roles": roles, "permissions": permissions}, "action": "execute",
                        "tool": {"security_level": level}, "resource": "tool:calc_add"}
            answer = self.boss.evaluate("tool_access", document)
            self.assertLessEqual({"allowed", "reason", "policy_name"}, set(answer))
            self.assertEqual((answer["allowed"], answer["policy_name"]), (allowed, "tool_access"), document)

    def test_the_policies_are_listed(self):
        """S0-11, section 8: GET /api/policies"""
        text = json.dumps(self.boss.policies())
        self.assertIn("tool_access", text)
        self.assertIn("admin_access", text)

    def test_a_policy_that_is_none_is_404(self):
        with self.assertRaises(ApiError) as raised:
            self.boss.evaluate("no_such_policy", {})
        self.assertEqual(raised.exception.status, 404)
