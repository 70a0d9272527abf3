"""The REST API beside its own document: /openapi.json, /docs, lists, preconditions, repeated requests (issue 4, Build: REST)."""
import concurrent.futures
import json
import os
import random
import re
import subprocess
import unittest

import mcp
import processes
import scratch
from gateway import SLOW, Gateway

TRIES = 6  # of each operation with each caller


class Maker:
    """Values that a schema allows, and near misses."""

    def __init__(self, document, seed):
        self.document, self.random = document, random.Random(seed)

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def text(self):
        return self.random.choice(["", "a", "no-such", "admin", "../..", "%00", "\u0130\ufffd\U0001f680", "x" * 3000, "{}", "null", "0", "\u0000"])

    def value(self, schema):
        schema = self.resolve(schema)
        if self.random.random() < 0.15:
            return self.random.choice([None, True, -1, 2**70, 1.5, "", "7", [], [[]], {}, {"a": {}}])
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        kind = schema.get("type", "string")
        kind = self.random.choice(kind) if isinstance(kind, list) else kind
        if kind == "object":
            wanted = schema.get("properties", {})
            out = {name: self.value(part) for name, part in wanted.items()
                   if name in schema.get("required", []) or self.random.random() < 0.4}
            if self.random.random() < 0.1:
                out["misspelt"] = 1
            return out
        if kind == "array":
            return [self.value(schema.get("items", {})) for _ in range(self.random.randrange(3))]
        return {"string": self.text, "boolean": lambda: self.random.random() < 0.5, "null": lambda: None,
                "integer": lambda: self.random.choice([0, 1, 5, -7, 2**40])}.get(kind, self.text)()


class Document(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rates = {"rate.%s.requests" % name: 10_000_000
                 for name in ("address", "mcp", "tool", "default", "public", "login", "read", "write", "admin", "delete", "execute")}
        cls.gateway = Gateway("document", rates).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.gateway.user("root-of-tests", "Correct-Horse-7-Battery", "admin")
        login = mcp.Client(cls.gateway).ask("POST", "/auth/login", {"username": "root-of-tests", "password": "Correct-Horse-7-Battery"})
        cls.token = login.message["access_token"]
        cls.client = mcp.Client(cls.gateway, cls.token)
        cls.document = mcp.Client(cls.gateway).ask("GET", "/openapi.json").message

    def judge(self, answers):
        """What other people's validators hold against the document and these answers."""
        ran = subprocess.run([scratch.node_binary(), os.path.join(scratch.node_folder(), "openapi.mjs")],
                             input=json.dumps({"document": self.document, "answers": answers}), capture_output=True, text=True,
                             timeout=120)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return json.loads(ran.stdout)

    def test_the_document_is_openapi_3_1_by_an_independent_validator(self):
        self.assertEqual(self.judge([]), [])
        self.assertNotEqual(self.judge([{"where": "here", "schema": {"$ref": "#/components/schemas/User"}, "message": {}}]), [])

    def test_the_page_lists_every_route_and_loads_nothing_from_elsewhere(self):
        """S1-33; the strict Content-Security-Policy of C14 stays."""
        page = mcp.Client(self.gateway).ask("GET", "/docs")
        self.assertEqual((page.status, page.headers["content-type"]), (200, "text/html; charset=utf-8"))
        text = page.body.decode()
        for path in self.document["paths"]:
            self.assertIn("<code>%s</code>" % path, text)
        self.assertNotIn("<script", text)
        groups = re.findall("<h2>(.*?)</h2>", text)
        self.assertEqual(len(groups), len(set(groups)), groups)
        self.assertEqual(re.findall(r'(?:src|href)="(?![/#])[^"]*"', text), [])

    def to_judge(self, method, path, answer):
        """The schema that this answer must fit; None where it is no JSON."""
        responses = self.document["paths"][path][method]["responses"]
        if not (path == "/servers" and answer.status in (502, 504)  # the server that was to be registered does not answer
                or path == "/tools/{id}/execute" and answer.status == 500):  # a tool's own error, by its own schema
            self.assertLess(answer.status, 500, (method, path, answer))
        content = responses.get(str(answer.status), responses["default"]).get("content", {})
        kind = answer.headers.get("content-type", "").split(";")[0]
        if not content:
            self.assertEqual(answer.body, b"", (method, path, answer))
            return None
        self.assertIn(kind, content, (method, path, answer))
        if not kind.endswith("json"):
            return None
        return {"where": [method, path, answer.status], "schema": content[kind]["schema"], "message": json.loads(answer.body)}

    def test_no_answer_that_the_document_does_not_allow(self):
        """A fuzz from the document, an administrator and a stranger asking; `make api-fuzz` does it at length."""
        maker, answers = Maker(self.document, 20261121), []
        skipped = {("post", "/auth/logout"), ("post", "/auth/logout-all"), ("post", "/auth/password"),
                   ("post", "/token-keys/rotate")}  # they end the caller
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if (method, path) in skipped:
                    continue
                for number in range(TRIES):
                    client = self.client if number % 3 else mcp.Client(self.gateway)
                    target = "/api/v1" + path.replace("{id}", "no-such").replace("{name}", "no-such")
                    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
                    value = maker.value(body) if body else None
                    if path == "/servers" and isinstance(value, dict):
                        value["probe"], value["url"] = True, "http://127.0.0.1:9/"  # nothing listens there
                    answer = client.ask(method.upper(), target, value if isinstance(value, dict) else None)
                    answers.append(self.to_judge(method, path, answer))
        self.assertEqual(self.judge([answer for answer in answers if answer]), [])

    def test_a_tool_that_fails_fails_as_the_document_has_it(self):
        """Section 8: tool_execution_failed"""
        answer = self.client.ask("POST", "/api/v1/tools/calc_divide/execute", {"arguments": {"a": 1, "b": 0}})
        self.assertEqual(answer.status, 500)
        judged = self.to_judge("post", "/tools/{id}/execute", answer)
        self.assertEqual(self.judge([judged]), [])
        other = json.loads(answer.body)
        other["error"]["code"] = "internal"
        self.assertNotEqual(self.judge([{**judged, "message": other}]), [])

    def test_lists_are_filtered_ordered_and_paged(self):
        """S1-19 and section 8 of the requirements."""
        for name in ("zoe", "ann", "moe"):
            self.gateway.user("list-" + name, "Correct-Horse-7-Battery")
        names = lambda query: [u["username"] for u in self.client.ask("GET", "/api/v1/users?" + query).message["data"]]
        everyone = names("sort=username")
        self.assertEqual(everyone, sorted(everyone))
        self.assertEqual(names("sort=-username"), everyone[::-1])
        self.assertEqual(names("sort=username&limit=2&offset=1"), everyone[1:3])
        self.assertEqual(names("sort=username&per_page=2&page=2"), everyone[2:4])
        self.assertEqual(names("username=list-zoe"), ["list-zoe"])
        self.assertEqual(names("enabled=false"), [])
        for wrong in ("limit=0", "limit=x", "page=0", "offset=-1", "sort=no_such_member", "colour=red"):
            answer = self.client.ask("GET", "/api/v1/users?" + wrong)
            self.assertEqual((answer.status, answer.message["error"]["code"]), (400, "validation_error"), wrong)

    def test_pages_of_tools_are_the_same_whichever_way_they_are_asked_for(self):
        """S1-19: what is made of a page alone, and what of all items."""
        for path, member in (("/api/v1/tools", "data"), ("/tools", "tools")):
            ask = lambda query, part=member: self.client.ask("GET", path + "?" + query).message[part]
            everything = ask("limit=100")
            calc = [tool for tool in everything if tool["server"] == "calc" and tool["status"] == "active"]
            self.assertGreater(len(calc), 4)
            for query, wanted in (("", everything), ("sort=id&", sorted(everything, key=lambda tool: tool["id"])),
                                  ("server=calc&status=active&sort=-description&", sorted(calc, key=lambda tool: tool["description"], reverse=True)),
                                  ("server=calc&status=active&", calc), ("name=no-such&", []), ("category=no-such&", [])):
                with self.subTest(query, path=path):
                    pages = [ask(query + "per_page=2&page=%d" % page) for page in range(1, len(everything) // 2 + 2)]
                    self.assertEqual([tool for page in pages for tool in page], wanted)
                    total = ask(query + "limit=1", "pagination")["total"] if member == "data" else ask(query + "limit=1", "total")
                    self.assertEqual(total, len(wanted))
            self.assertEqual(self.client.ask("GET", path + "?sort=input_schema").status, 400)

    def test_many_lists_at_once_are_all_answered(self):
        """Two are made at a time, the others wait: 16 of one caller on each worker."""
        with concurrent.futures.ThreadPoolExecutor(12) as threads:
            for path in ("tools?sort=name", "tools/search?query=a"):  # which another thread looks for
                answers = list(threads.map(lambda _: mcp.Client(self.gateway, self.token).ask("GET", "/api/v1/" + path), range(48)))
                self.assertEqual({(answer.status, answer.body) for answer in answers}, {(200, answers[0].body)})

    def test_who_asks_for_too_many_lists_at_once_hears_why(self):
        """Of one caller 16 wait on each worker; more are refused with 429, when to come again, and a sentence that says which bound it was."""
        def burst():
            clients = [mcp.Client(self.gateway, self.token) for _ in range(80)]
            for client in clients:
                client.connection.connect()
            for client in clients:
                client.connection.request("GET", "/api/v1/tools/search?query=a", None, client.headers({}))
            answers = [mcp.read_answer(client.connection.getresponse()) for client in clients]
            for client in clients:
                client.close()
            self.assertLessEqual({answer.status for answer in answers}, {200, 429})
            return [answer for answer in answers if answer.status == 429]

        for answer in processes.wait_until(burst, 60 * SLOW, "more than 16 lists of one caller to wait"):
            self.assertEqual(answer.message["error"]["message"],
                             "Lists are made a few at a time: 16 of yours wait already; fix: wait for an answer")
            self.assertEqual((answer.message["error"]["code"], answer.headers["retry-after"]), ("rate_limited", "1"))

    def test_a_read_that_changed_nothing_costs_nothing(self):
        first = self.client.ask("GET", "/api/v1/keys")
        tag = first.headers["etag"]
        again = self.client.ask("GET", "/api/v1/keys", headers={"If-None-Match": '"other", W/%s' % tag})
        self.assertEqual((again.status, again.body), (304, b""))
        self.gateway.key("changes-the-list")
        self.assertEqual(self.client.ask("GET", "/api/v1/keys", headers={"If-None-Match": tag}).status, 200)

    def test_a_change_of_what_is_no_longer_so_is_refused(self):
        self.gateway.add_calculator("doomed")
        old = self.client.ask("GET", "/api/v1/servers/doomed").headers["etag"]
        refused = self.client.ask("DELETE", "/api/v1/servers/doomed", headers={"If-Match": '"of-another-day"'})
        self.assertEqual((refused.status, refused.message["error"]["code"]), (412, "precondition_failed"))
        self.assertEqual(self.client.ask("DELETE", "/api/v1/servers/doomed", headers={"If-Match": old}).status, 204)

    def test_a_precondition_is_never_passed_over(self):
        answer = self.client.ask("POST", "/api/v1/users", {"username": "never-made"}, {"If-Match": '"x"'})
        self.assertEqual((answer.status, answer.message["error"]["code"]), (400, "validation_error"))
        user = self.client.ask("POST", "/api/v1/users", {"username": "changed"}).message["id"]
        change = {"email": "a@example.org"}
        tag = self.client.ask("GET", "/users/" + user).headers["etag"]
        self.assertEqual(self.client.ask("PUT", "/users/" + user, change, {"If-Match": tag}).status, 200)
        self.assertEqual(self.client.ask("PUT", "/users/" + user, change, {"If-Match": tag}).status, 412)

    def test_only_the_login_takes_a_form(self):
        """C1: elsewhere a form would pass the schema by."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.client.ask("POST", "/api/v1/keys", b"name=x", form)
        self.assertEqual((answer.status, answer.message["error"]["code"]), (415, "unsupported_media"))
        body = b"username=root-of-tests&password=Correct-Horse-7-Battery"
        self.assertEqual(mcp.Client(self.gateway).ask("POST", "/auth/login", body, form).status, 200)

    def test_a_repeated_post_is_done_once(self):
        make = lambda name, key: self.client.ask("POST", "/api/v1/users", {"username": name, "password": "Correct-Horse-7-Battery"},
                                                 {"Idempotency-Key": key})
        first, second = make("only-once", "k1"), make("only-once", "k1")
        self.assertEqual((first.status, second.status, first.body), (201, 201, second.body))
        self.assertEqual(make("another-request", "k1").status, 409)
        self.assertEqual(make("only-once", "k2").status, 409)  # exists already
        self.assertEqual(make("never-made", "x" * 256).status, 400)
        self.assertEqual(make("never-made", "two words").status, 400)
        self.assertEqual(make("never-made", "").status, 400)
        # A secret is in one answer only: the second one says so.
        key = lambda: self.client.ask("POST", "/api/v1/keys", {"name": "once"}, {"Idempotency-Key": "k3"})
        self.assertEqual(key().status, 201)
        self.assertEqual(key().status, 409)
        self.assertEqual(len([k for k in self.client.ask("GET", "/api/v1/keys?name=once").message["data"]]), 1)
        once = lambda: self.client.ask("POST", "/api/v1/users", {"username": "shown-once"}, {"Idempotency-Key": "k4"})
        made, again = once(), once()
        self.assertEqual((made.status, made.headers.get("cache-control"), again.status), (201, "no-store", 409))
        self.assertNotIn(made.message["password"], again.body.decode())
        # Another caller's key is another key.
        other = mcp.Client(self.gateway, self.gateway.key("other", extra=("--role", "admin")).secret)
        self.assertEqual(other.ask("POST", "/api/v1/users", {"username": "by-other"}, {"Idempotency-Key": "k1"}).status, 201)

    def test_a_method_that_a_path_has_not_is_told_those_it_has(self):
        """RFC 9110, 15.5.6; who is not known is told nothing."""
        refused = self.client.ask("DELETE", "/api/v1/users")
        self.assertEqual((refused.status, refused.headers.get("allow")), (405, "GET, POST"))
        self.assertEqual(mcp.Client(self.gateway).ask("DELETE", "/api/v1/users").status, 401)

    def test_each_part_of_the_gateway_is_told(self):
        """Section 8: /health/detailed; a server that failed again and again is named while it rests."""
        asked = lambda: self.client.ask("GET", "/health/detailed").message
        told = asked()
        self.assertEqual((told["status"], told["ready"], set(told["parts"])), ("healthy", True, {"storage", "audit", "upstreams", "policy", "certificates"}))
        self.assertEqual({part["status"] for part in told["parts"].values()}, {"healthy"})
        closed = processes.closed_port()
        self.addCleanup(closed.close)
        nowhere = "http://127.0.0.1:%d/" % closed.getsockname()[1]
        self.gateway.admin("POST", "/api/v1/tools", {"name": "gone", "endpoint": nowhere, "allow_private": True})
        self.addCleanup(lambda: self.gateway.admin("DELETE", "/api/v1/tools/gone"))
        rests = lambda: self.client.ask("POST", "/tools/gone/execute", {}).message["error"]["code"] == "breaker_open"
        processes.wait_until(rests, 20, "the breaker to open")
        told = asked()
        self.assertEqual((told["status"], told["parts"]["upstreams"]["status"]), ("degraded", "failing"))
        self.assertEqual(told["parts"]["upstreams"]["resting"], ["registry/gone"])

    def test_a_policy_is_asked_about_a_bounded_input(self):
        ask = lambda text: self.client.ask("POST", "/policies/evaluate", {"policy_name": "tool_access", "input": {"a": text}})
        answer = ask("x" * (256 << 10))
        self.assertEqual((answer.status, answer.message["error"]["code"]), (400, "validation_error"), answer)
        self.assertEqual(ask("x" * (200 << 10)).status, 200)

    def test_a_wrong_body_is_told_where(self):
        answer = self.client.ask("POST", "/api/v1/users", {"username": "x", "roles": ["user", 7]})
        self.assertEqual(answer.status, 400)
        self.assertEqual(answer.message["error"]["details"]["path"], "/roles/1")
        self.assertEqual(self.client.ask("POST", "/api/v1/users", {"usrname": "x"}).status, 400)

    def test_the_names_of_the_older_registry(self):
        """S1-11, S1-17, S1-18 by C23."""
        for path, real, member in (("/admin/users", "/users", "users"), ("/admin/api-keys", "/keys", "api_keys")):
            there = self.client.ask("GET", "/api" + path).message
            self.assertEqual(there, self.client.ask("GET", "/api/v1" + real).message)
            here = self.client.ask("GET", path).message
            self.assertEqual(here[member], there["data"])
            self.assertEqual({name: here[name] for name in set(here) - {member}},
                             {"total": len(there["data"]), "page": 1, "per_page": 50, "total_pages": 1})
        made = self.client.ask("POST", "/admin/api-keys", {"name": "s1", "description": "by its old name", "can_read": True,
                                                           "can_create": False, "can_update": False, "can_delete": False,
                                                           "expires_at": "2037-12-31T23:59:59"})
        self.assertEqual(made.status, 201)
        self.assertTrue(made.message["api_key"].startswith("mcp_"))
        self.assertEqual(self.client.ask("DELETE", "/admin/api-keys/" + made.message["id"]).status, 204)
        self.assertEqual(self.client.ask("GET", "/admin/usersx").status, 404)


if __name__ == "__main__":
    unittest.main()
