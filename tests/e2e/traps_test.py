"""Traps of the field (mcp-spec.md, section 10), each by its number. docs/traps.md says where every one of them is tested."""
import contextlib
import json
import os
import pathlib
import re
import threading
import time
import unittest

import mcp
import processes
import scratch
import sse
from gateway import SLOW, Gateway

KEY = "io.modelcontextprotocol/"
WIDE = 2 ** 53 + 1


class TrapCase(unittest.TestCase):
    name = "traps"
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(cls.name, cls.settings).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.folder = scratch.folder("records", 0o777)
        cls.key = cls.gateway.key("agent")
        cls.prepare()

    @classmethod
    def serve(cls, name, *flags):
        """A trap server over stdio; what arrives there is in its record."""
        cls.gateway.add_python(name, "trap_server.py", "--name", name, "--record", cls.record_of(name), *flags, paths=["rw:" + cls.folder])

    @classmethod
    def serve_http(cls, name, *flags):
        port = processes.free_port()
        command = ["/usr/bin/python3", scratch.support_script("trap_server.py"), "--http", str(port), "--record", cls.record_of(name), *flags]
        beside = processes.Beside(command, port, os.path.join(cls.gateway.folder, name + ".log"))
        cls.addClassCleanup(beside.stop)
        cls.gateway.add_http(name, "http://127.0.0.1:%d/mcp" % port)

    @classmethod
    def record_of(cls, name):
        return os.path.join(cls.folder, name)

    def arrived(self, name):
        """The lines that reached a server."""
        path = pathlib.Path(self.record_of(name))
        return path.read_bytes().splitlines() if path.exists() else []

    def reached(self, name, *words):
        return [line for line in self.arrived(name) if all(word in line for word in words)]

    def legacy(self, server="", **how):
        session = mcp.Session(self.gateway, self.key.secret, server, **how).open()
        self.addCleanup(session.close)
        return session

    def modern(self, server="", **how):
        client = mcp.Modern(self.gateway, self.key.secret, server, **how)
        self.addCleanup(client.close)
        return client

    def both(self, server=""):
        return (self.legacy(server), self.modern(server))

    def stream(self, client, method, params, rpc_id):
        """A request of a modern client whose answer is a stream that is read event by event."""
        body = {"jsonrpc": "2.0", "id": rpc_id, "method": method, "params": {**params, "_meta": {**params.get("_meta", {}), **client.envelope()}}}
        headers = client.headers({"Accept": mcp.ACCEPT, "Content-Type": "application/json", "MCP-Protocol-Version": mcp.MODERN, "Mcp-Method": method})
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
        found = sse.Stream(self.gateway, "POST", client.path, headers, json.dumps(body).encode())
        self.addCleanup(found.close)
        return found

    def listed(self, client, method="tools/list", kind="tools"):
        answer = client.request(method)
        self.assertIn("result", answer.message, answer)
        return answer.message["result"][kind]

    def outcomes(self, tool):
        return [record["result"] for record in self.gateway.audit(kind="outcome", tool=tool)]


class Connections(TrapCase):
    """Who hears what, and when a connection that ends is a cancel."""
    name = "traps-connections"

    @classmethod
    def prepare(cls):
        cls.serve("old")
        cls.serve("new", "--modern")
        cls.gateway.add_calculator()

    def gone_in_the_middle(self, client, server, open_stream):
        """A call that waits at the server when its client goes away."""
        before = len(self.reached(server, b"tools/call"))
        stream = threading.Thread(target=open_stream)
        stream.start()
        processes.wait_until(lambda: len(self.reached(server, b"tools/call")) > before, 10 * SLOW, "the call at the server")
        client.connection.sock.shutdown(2)
        stream.join(10)

    def ask_and_ignore(self, client, tool, arguments):
        def ask():
            with contextlib.suppress(Exception):  # its connection ends
                client.call(tool, arguments)
        return ask

    def test_trap_3_a_modern_client_that_disconnects_has_cancelled(self):
        for server in ("old", "new"):
            client = self.modern(server)
            cancelled = len(self.reached(server, b"notifications/cancelled"))
            done = len(self.outcomes("no_answer"))
            self.gone_in_the_middle(client, server, self.ask_and_ignore(client, "no_answer", {}))
            processes.wait_until(lambda: len(self.reached(server, b"notifications/cancelled")) > cancelled, 10 * SLOW, "word to " + server)
            processes.wait_until(lambda: len(self.outcomes("no_answer")) > done, 10 * SLOW, "the outcome")
            self.assertEqual(self.outcomes("no_answer")[-1], "cancelled")

    def test_trap_3_a_legacy_client_that_disconnects_has_not(self):
        for server in ("old", "new"):
            client = self.legacy(server)
            done = len(self.outcomes("slow"))
            self.gone_in_the_middle(client, server, self.ask_and_ignore(client, "slow", {"seconds": 1}))
            processes.wait_until(lambda: len(self.outcomes("slow")) > done, 20 * SLOW, "the outcome")
            self.assertEqual(self.outcomes("slow")[-1], "success")
            self.assertEqual(self.reached(server, b"notifications/cancelled", b"slow"), [])

    def test_trap_4_a_subscription_is_called_by_the_clients_own_id(self):
        for server in ("old", "new"):
            client = self.modern(server)
            for rpc_id in (7, "7", 0, "", "a b", -3):
                stream = self.stream(client, "subscriptions/listen", {"notifications": {"toolsListChanged": True}}, rpc_id)
                self.assertEqual(stream.status, 200, (server, rpc_id))
                said = [stream.message()[1]]
                self.assertEqual(said[0]["method"], "notifications/subscriptions/acknowledged")
                client.call("touch")
                said.append(stream.message()[1])
                self.assertEqual(said[1]["method"], "notifications/tools/list_changed")
                stream.close()
                for message in said:
                    self.assertEqual(repr(message["params"]["_meta"][KEY + "subscriptionId"]), repr(rpc_id), message)


class Values(TrapCase):
    """Trap 5: values that are easily taken for nothing, or for each other."""
    name = "traps-values"

    @classmethod
    def prepare(cls):
        cls.serve("old")
        cls.serve("new", "--modern")

    def each(self):
        return [client for server in ("old", "new") for client in self.both(server)]

    def test_trap_5_an_id_keeps_its_value_and_its_type(self):
        for client in self.each():
            for rpc_id in (0, "0", 1, "1", "", -1, WIDE, "a\\u0000", "ü"):
                answer = client.request("tools/call", {"name": "echo_id", "arguments": {}}, rpc_id=rpc_id)
                self.assertEqual(repr(answer.message["id"]), repr(rpc_id), answer)

    def test_trap_5_calls_with_like_ids_at_once_are_different_calls(self):
        for client in self.each():
            answers = {}

            def ask(rpc_id, word):
                other = type(client)(self.gateway, self.key.secret, client.path[len("/mcp/"):])
                other.id = getattr(client, "id", None)
                answers[repr(rpc_id)] = other.request("tools/call", {"name": "slow_echo", "arguments": {"seconds": 0.3, "mark": word}}, rpc_id=rpc_id)
                other.close()
            threads = [threading.Thread(target=ask, args=pair) for pair in ((1, "number"), ("1", "text"), (0, "nought"), ("0", "nought text"))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20 * SLOW)
            for rpc_id, word in ((1, "number"), ("1", "text"), (0, "nought"), ("0", "nought text")):
                message = answers[repr(rpc_id)].message
                self.assertEqual(repr(message["id"]), repr(rpc_id))
                self.assertEqual(json.loads(message["result"]["content"][0]["text"])["mark"], word)

    def test_trap_5_a_progress_token_may_be_nought_or_empty(self):
        for client in self.each():
            for token in (0, "0", "", WIDE):
                answer = client.request("tools/call", {"name": "step", "arguments": {}, **({} if isinstance(client, mcp.Modern) else {
                    "_meta": {"progressToken": token}})}, **({"meta": {"progressToken": token}} if isinstance(client, mcp.Modern) else {}))
                self.assertEqual([repr(event["params"]["progressToken"]) for event in answer.events], [repr(token)], answer)

    def test_trap_5_wide_integers_pass_both_ways_as_they_came(self):
        for client in self.each():
            for number in (WIDE, -WIDE, 2 ** 63 - 1, -2 ** 63, 2 ** 64 - 1):
                answer = client.call("echo", {"n": number})
                self.assertIn("result", answer.message, (client.path, number, answer))
                self.assertEqual(json.loads(answer.message["result"]["content"][0]["text"])["n"], number)

    def test_trap_5_arguments_that_are_absent_null_or_empty(self):
        for client in self.each():
            for params, allowed in (({"arguments": {}}, ("{}",)), ({}, ("absent", "{}")), ({"arguments": None}, ("absent", "{}", "null"))):
                answer = client.request("tools/call", {"name": "count_arguments", **params})
                if "error" in answer.message:
                    self.assertEqual((answer.message["error"]["code"], params), (-32602, {"arguments": None}), answer)
                else:
                    self.assertIn(answer.message["result"]["content"][0]["text"], allowed, params)

    def test_trap_5_an_empty_cursor_is_a_cursor(self):
        """Not one of ours, so it is refused as any other that is not; absent it is the first page."""
        for client in self.each():
            self.assertIn("tools", client.request("tools/list", {}).message["result"])
            answer = client.request("tools/list", {"cursor": ""})
            self.assertEqual(answer.message.get("error", {}).get("code"), -32602, answer)


class Results(TrapCase):
    """What a server says that must not reach the client as it is."""
    name = "traps-results"

    @classmethod
    def prepare(cls):
        cls.serve("old")
        cls.serve("new", "--modern")
        cls.serve("late", "--late")

    def test_trap_6_a_result_without_a_type_is_complete(self):
        for client in self.both("new"):
            result = client.call("untyped").message["result"]
            self.assertEqual(result["content"][0]["text"], "without a type")
            self.assertEqual(result.get("resultType"), "complete" if isinstance(client, mcp.Modern) else None)

    def test_trap_6_a_type_that_nobody_knows_is_no_result(self):
        for tool in ("mystery", "tasked"):
            for client in self.both("new"):
                answer = client.call(tool)
                self.assertIn("error", answer.message, answer)
                self.assertNotIn("nobody", json.dumps(answer.message))

    def test_trap_6_a_legacy_server_that_says_a_type_does_not_make_it_one(self):
        for tool in ("mystery", "tasked"):
            result = self.modern("old").call(tool).message.get("result")
            self.assertTrue(result is None or result["resultType"] == "complete", result)

    def test_trap_10_a_tool_whose_header_annotation_is_invalid_is_hidden_from_modern_clients_and_the_others_are_not(self):
        for server in ("old", "new"):
            names = {tool["name"] for tool in self.listed(self.modern(server))}
            self.assertLessEqual({"good_header", "echo", "may_task"}, names)
            self.assertEqual([name for name in names if name.startswith("bad_header")], [])
            self.assertIn("good_header", {tool["name"] for tool in self.listed(self.legacy(server))})

    def test_trap_11_a_tool_that_comes_while_the_tools_are_listed_is_in_the_next_list(self):
        for client in self.both("late"):
            processes.wait_until(lambda: {tool["name"] for tool in self.listed(client)} == {"early", "late"}, 5 * SLOW, "the late tool")

    def test_trap_15_a_tool_that_only_runs_as_a_task_is_hidden(self):
        for server in ("old", "new"):
            for client in self.both(server):
                names = {tool["name"] for tool in self.listed(client)}
                self.assertIn("may_task", names)
                self.assertNotIn("only_task", names)

    def test_trap_16_what_one_principal_sees_is_private_whatever_the_server_says(self):
        client = self.modern("new")
        for method in ("tools/list", "resources/list", "prompts/list", "resources/templates/list", "server/discover"):
            self.assertEqual(client.request(method).message["result"]["cacheScope"], "private", method)
        uri = self.listed(client, "resources/list", "resources")[0]["uri"]
        self.assertEqual(client.request("resources/read", {"uri": uri}).message["result"]["cacheScope"], "private")


class Walls(TrapCase):
    """Servers that want another credential."""
    name = "traps-walls"

    @classmethod
    def prepare(cls):
        cls.serve_http("old")
        cls.serve_http("new", "--modern")

    def behind_the_wall(self, tool):
        for server in ("old", "new"):
            for client in self.both(server):
                before = len(self.reached(server, b"tools/call", tool.encode()))
                answer = client.call(tool)
                self.assertIn("error", answer.message, answer)
                self.assertEqual(len(self.reached(server, b"tools/call", tool.encode())) - before, 1, "how often the call arrived")
                yield answer
                client.text("echo", {"still": "here"})

    def test_trap_17_a_servers_challenge_does_not_reach_the_client(self):
        for answer in self.behind_the_wall("walled"):
            self.assertNotEqual(answer.status, 401)
            self.assertNotIn("www-authenticate", answer.headers)
            self.assertNotIn("evil", answer.body.decode() + str(answer.headers))

    def test_trap_18_a_call_whose_stream_breaks_and_meets_401_is_not_sent_again(self):
        for answer in self.behind_the_wall("walled_later"):
            self.assertNotEqual(answer.status, 401)
            self.assertNotIn("evil", answer.body.decode() + str(answer.headers))


class Waits(TrapCase):
    """Trap 13: waiting for somebody."""
    name = "traps-waits"

    settings = {"limits.idle_timeout_seconds": 2, "limits.head_timeout_seconds": 2, "limits.body_timeout_seconds": 2}

    @classmethod
    def prepare(cls):
        cls.serve("old")
        cls.gateway.admin("POST", "/api/v1/servers", {
            "name": "short", "command": ["/usr/bin/python3", scratch.support_script("trap_server.py")], "call_timeout": 2,
            "env": {"SALLYPORT_TEST_MARK": cls.gateway.mark}})

    def test_trap_13_a_long_wait_is_kept_alive_and_ends_with_its_answer(self):
        """Nothing is said for 15 s; then the stream begins, so that nobody between takes the connection for dead."""
        params = {"name": "slow", "arguments": {"seconds": 17}}
        legacy, modern = self.both("old")
        opening = [lambda: sse.post(legacy, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, timeout=40),
                   lambda: self.stream(modern, "tools/call", params, 1)]
        heard = {}

        def wait(which):
            stream = opening[which]()
            alive = time.monotonic()
            heard[which] = (stream.rest()[-1][1], time.monotonic() - alive)
        threads = [threading.Thread(target=wait, args=(which,)) for which in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(40)
        for which in (0, 1):
            answer, before = heard[which]
            self.assertEqual(answer["result"]["content"][0]["text"], "slept")
            self.assertGreater(before, 0.5)

    def test_trap_13_but_no_wait_is_longer_than_its_servers_measure(self):
        for client in self.both("short"):
            answer = client.call("slow", {"seconds": 30})
            self.assertEqual(answer.message["error"]["code"], -31504, answer)


class Several(TrapCase):
    """Trap 8: two servers that have the same, and one that is dead."""
    name = "traps-several"

    @classmethod
    def prepare(cls):
        cls.serve("beta", "--modern")
        cls.serve("alpha")
        cls.gateway.cli("server", "add", "dead", "--no-probe", "--", "/bin/false")
        cls.serve_http("gone")

    def test_trap_8_the_same_tool_resource_and_prompt_of_two_servers_are_two(self):
        for client in self.both():
            for server in ("alpha", "beta"):
                self.assertEqual(json.loads(client.text(server + "_echo", {"of": server})), {"of": server})
            uris = [one["uri"] for one in self.listed(client, "resources/list", "resources") if "same" in one["uri"]]
            self.assertEqual(len(set(uris)), len(uris))
            read = {client.request("resources/read", {"uri": uri}).message["result"]["contents"][0]["text"] for uri in uris}
            self.assertLessEqual({"of alpha", "of beta"}, read)
            prompts = [one["name"] for one in self.listed(client, "prompts/list", "prompts")]
            said = {client.request("prompts/get", {"name": name}).message["result"]["messages"][0]["content"]["text"] for name in prompts}
            self.assertLessEqual({"of alpha", "of beta"}, said)

    def test_trap_8_lists_are_sorted_and_the_same_each_time(self):
        for client in self.both():
            names = [tool["name"] for tool in self.listed(client)]
            self.assertEqual(names, sorted(names))
            for _ in range(3):
                self.assertEqual([tool["name"] for tool in self.listed(client)], names)

    def test_trap_8_a_dead_server_shortens_the_list_and_breaks_nothing(self):
        for client in self.both():
            names = {tool["name"].split("_")[0] for tool in self.listed(client)}
            self.assertLessEqual({"alpha", "beta"}, names)
            self.assertNotIn("dead", names)
            self.assertIn("error", client.call("dead_anything").message)


class TheList(unittest.TestCase):
    def test_each_trap_is_in_the_list_and_each_test_of_the_list_is_there(self):
        with open(os.path.join(scratch.ROOT, "docs", "traps.md")) as file:
            rows = [line for line in file if re.match(r"\| \d+ \|", line)]
        self.assertEqual([int(row.split("|")[1]) for row in rows], list(range(1, 22)))
        for row in rows:
            named = re.findall(r"`(\S+\.(?:py|cc))::([^`]+)`", row)
            self.assertTrue(named, row)
            for path, name in named:
                with open(os.path.join(scratch.ROOT, path)) as file:
                    self.assertIn(name, file.read(), path)


if __name__ == "__main__":
    unittest.main()
