"""Servers that misbehave: each call ends in a clear answer or a clear error, the next call works, nothing is believed that
is not an answer to what was asked."""
import json
import os
import unittest

import mcp
import processes
import scratch
from abuse_case import SLOW, AbuseCase

SILENCE = 3 * SLOW  # seconds that a call may take
BAD = {-31502: "protocol", -31503: "unavailable", -31504: "timeout"}


class Upstream(AbuseCase):
    name = "upstream"

    @classmethod
    def prepare(cls):
        cls.records = scratch.folder("records", 0o777)
        cls.record_file = os.path.join(cls.records, "stdio")
        command = ["/usr/bin/python3", scratch.support_script("rogue_server.py"), "--record", cls.record_file]
        cls.gateway.admin("POST", "/api/v1/servers", {
            "name": "stdio", "command": command, "paths": ["rw:" + cls.records], "call_timeout": SILENCE,
            "env": {"SALLYPORT_TEST_MARK": cls.gateway.mark}})
        port = processes.free_port()
        cls.beside = processes.Beside(["/usr/bin/python3", scratch.support_script("rogue_server.py"), "--http", str(port),
                                       "--record", os.path.join(cls.records, "http")], port,
                                      os.path.join(cls.gateway.folder, "http.log"))
        cls.addClassCleanup(cls.beside.stop)
        cls.gateway.admin("POST", "/api/v1/servers", {"name": "http", "url": "http://127.0.0.1:%d/mcp" % port,
                                                      "allow_private": True, "call_timeout": SILENCE})

    def setUp(self):
        super().setUp()
        self.gateway.cli("server", "restart", "stdio")  # closes the breaker that the test before may have opened
        self.gateway.cli("server", "restart", "http")

    def each_server(self):
        for server in ("stdio", "http"):
            with self.subTest(server=server):
                yield server, mcp.Session(self.gateway, self.key.secret, server).open()

    def outcome_of(self, answer):
        records = self.gateway.audit(request_id=answer.headers["x-request-id"])
        self.assertEqual([r["kind"] for r in records], ["intent", "outcome"], records)
        return records[1]

    def fails(self, session, tool, arguments=None, codes=tuple(BAD)):
        answer = session.call(tool, arguments)
        self.assertEqual(answer.status, 200, answer)
        self.assertIn("error", answer.message, answer)
        self.assertIn(answer.message["error"]["code"], codes, answer)
        self.assertTrue(answer.message["error"]["message"])
        self.assertEqual(self.outcome_of(answer)["result"], "error")
        return answer

    def serves(self, session):
        processes.wait_until(lambda: "result" in session.call("echo", {"still": "here"}).message, 10 * SLOW, "a working call")

    def test_garbage_lines(self):
        for server, session in self.each_server():
            answer = session.call("garbage_line")
            if "result" in answer.message:  # dropped, and the answer behind them taken
                self.assertIn("after the garbage", json.dumps(answer.message))
            else:
                self.assertIn(answer.message["error"]["code"], BAD)
            self.serves(session)

    def test_half_a_line_and_gone(self):
        session = mcp.Session(self.gateway, self.key.secret, "stdio").open()
        self.fails(session, "half_line")
        self.serves(session)

    def test_a_server_that_dies_in_the_call(self):
        session = mcp.Session(self.gateway, self.key.secret, "stdio").open()
        self.fails(session, "die", codes=(-31503,))
        self.serves(session)

    def test_64_megabytes(self):
        for server, session in self.each_server():
            before = processes.resident_kib(self.gateway.process.pid)
            self.fails(session, "huge_result", codes=(-31502,))
            self.serves(session)
            if SLOW == 1:
                self.assertLess(processes.resident_kib(self.gateway.process.pid) - before, 64 * 1024)

    def test_a_large_result_below_the_limit_passes_whole(self):
        for server, session in self.each_server():
            text = session.text("huge_result", {"bytes": 5_000_000})
            self.assertEqual(len(text), 5_000_000)

    def test_foreign_ids_are_nobodys_answer(self):
        for server, session in self.each_server():
            answer = self.fails(session, "foreign_id", codes=tuple(BAD))
            self.assertNotIn("somebody else", json.dumps(answer.message))
            self.serves(session)

    def test_the_first_of_two_answers_holds_and_the_second_is_nobodys(self):
        for server, session in self.each_server():
            self.assertEqual(session.text("double_answer"), "first")
            self.assertIn("here", session.text("echo", {"still": "here"}))

    def test_line_ends_between_tokens(self):
        """A result with CR or LF: the client's stream stays framed."""
        for server, session in self.each_server():
            for arguments in ({}, {"lf": True}, {"event": True}):
                answer = session.call("crlf_result", arguments, meta={"progressToken": "p"})
                self.assertNotIn(b"\r", answer.body.split(b"\r\n\r\n")[-1].replace(b"\r\n", b"\n"))
                self.assertNotIn("smuggled", json.dumps(answer.events))
                if "result" in answer.message:
                    self.assertEqual(answer.message["result"]["content"][0]["text"], "with line ends")
                else:
                    self.assertIn(answer.message["error"]["code"], BAD)
                self.gateway.cli("server", "restart", server)
                self.serves(session)

    def test_results_that_are_none(self):
        for server, session in self.each_server():
            for tool in ("wrong_type", "wrong_content", "invalid_utf8", "duplicate_keys", "deep_result", "breaks_output_schema"):
                self.fails(session, tool, codes=(-31502,) if server == "http" or tool != "invalid_utf8" else tuple(BAD))
                self.gateway.cli("server", "restart", server)
                self.serves(session)

    def test_numbers_of_a_server_pass_as_they_came(self):
        """Design, principle 4."""
        for server, session in self.each_server():
            answer = session.call("big_number")
            self.assertIn(b"1e999", answer.body)
            self.assertIn(str(2 ** 80).encode(), answer.body)

    def test_silence_ends_at_the_deadline(self):
        for server, session in self.each_server():
            self.fails(session, "no_answer", codes=(-31504,))
            self.serves(session)

    def test_a_flood_on_stderr_neither_blocks_nor_fills_the_log(self):
        session = mcp.Session(self.gateway, self.key.secret, "stdio").open()
        before = os.path.getsize(self.gateway.log_path)
        self.assertEqual(session.text("stderr_flood"), "flooded")
        self.assertLess(os.path.getsize(self.gateway.log_path) - before, 2_500_000)

    def test_a_server_that_asks_its_client_gets_no_roots_and_no_sampling(self):
        """Client roots are not forwarded by default."""
        for server, session in self.each_server():
            session.call("asks")  # over HTTP the first stream of a server that answered plainly so far is read at its end
            roots, sample = json.loads(session.text("asks"))
            self.assertIn("error", roots)
            self.assertIn("error", sample)

    def test_a_server_sees_a_minimal_environment(self):
        session = mcp.Session(self.gateway, self.key.secret, "stdio").open()
        environment = json.loads(session.text("leak_environment"))
        self.assertNotIn("SALLYPORT_TEST_SECRET", environment)
        self.assertNotIn("ASAN_OPTIONS", environment)
        self.assertLessEqual(set(environment), {"PATH", "HOME", "LANG", "PWD", "LC_CTYPE", "SALLYPORT_TEST_MARK"})

    def test_raw_line_ends_in_arguments_hide_no_second_message(self):
        """Trap 21; design, principle 4: tried, real servers executed the smuggled call."""
        session = mcp.Session(self.gateway, self.key.secret, "stdio").open()
        smuggled = b'{"jsonrpc":"2.0","id":99,"method":"tools/call","params":{"name":"die","arguments":{}}}'
        bodies = [b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"x":[1,' + end + smuggled +
                  end + b"]}}}" for end in (b"\n", b"\r\n", b"\r", b"\n\n", b" \n\t")]
        bodies.append(b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo",\n"arguments":{"a\\n":"b\\r\\n"\n}}}')
        bodies.append(b'{\n"jsonrpc":"2.0",\r"id":\n"7"\n,"method":"tools/call","params":{"name":"echo","_meta":{\n"x":1},"arguments":{}}}')
        for body in bodies:
            before = self.arrived()
            answer = session.post(body)
            self.assertIn("result", answer.message, answer)
            fresh = self.arrived()[len(before):]
            calls = [json.loads(line) for line in fresh]  # every line that arrived is one whole message
            self.assertEqual([c["params"]["name"] for c in calls if c.get("method") == "tools/call"], ["echo"], fresh)
        for rpc_id in (b'"a\\nb"', b'"a\\u000ab"'):
            before = self.arrived()
            session.post(b'{"jsonrpc":"2.0","id":' + rpc_id + b',"method":"tools/call","params":{"name":"echo","arguments":{}}}')
            self.assertEqual(len([line for line in self.arrived()[len(before):] if b"tools/call" in line]), 1)

    def arrived(self):
        try:
            with open(self.record_file, "rb") as file:
                return [line for line in file.read().split(b"\n") if line]
        except FileNotFoundError:
            return []

    def test_ten_failures_rest_the_server_and_its_restart_wakes_it(self):
        """S2-17: the breaker answers at once instead of touching the server."""
        session = mcp.Session(self.gateway, self.key.secret, "http").open()
        codes = [session.call("wrong_type").message["error"]["code"] for _ in range(3)]
        self.assertEqual(set(codes), {-31502})
        self.gateway.cli("server", "restart", "http")
        self.serves(session)

    def test_a_server_that_never_starts(self):
        ran = self.gateway.run("server", "add", "broken", "--", "/bin/false")
        self.assertNotEqual(ran.code, 0)
        self.assertIn("could not be probed", ran.err)
        self.gateway.cli("server", "add", "later", "--no-probe", "--", "/bin/cat")
        self.addCleanup(self.gateway.cli, "server", "remove", "later")
        self.still_serves()  # one dead upstream never breaks the others
        self.assertIn("calc_add", self.session.tools())


if __name__ == "__main__":
    unittest.main()
