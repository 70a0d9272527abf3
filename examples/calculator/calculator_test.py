"""Drives sallyport-calculator over pipes. Usage: calculator_test.py PATH_OF_THE_PROGRAM"""

import json
import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else "sallyport-calculator"


class Calculator(unittest.TestCase):
    def setUp(self):
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.next_id = 0

    def tearDown(self):
        self.process.stdin.close()
        self.assertEqual(self.process.wait(timeout=20), 0)
        self.process.stdout.close()

    def send_raw(self, line):
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def send(self, method, params=None, **members):
        message = {"jsonrpc": "2.0", "method": method, **members}
        if params is not None:
            message["params"] = params
        self.send_raw(json.dumps(message).encode())

    def receive(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, method, params=None):
        self.next_id += 1
        self.send(method, params, id=self.next_id)
        answer = self.receive()
        self.assertEqual(answer["id"], self.next_id)
        return answer

    def call(self, name, **arguments):
        return self.ask("tools/call", {"name": name, "arguments": arguments})

    def test_initialize_answers_the_version_asked_for_when_known(self):
        for asked, given in (("2025-06-18", "2025-06-18"), ("2025-11-25", "2025-11-25"), ("1999-01-01", "2025-11-25")):
            result = self.ask("initialize", {"protocolVersion": asked, "capabilities": {},
                                             "clientInfo": {"name": "test", "version": "0"}})["result"]
            self.assertEqual(result["protocolVersion"], given)
            self.assertIn("tools", result["capabilities"])
        self.send("notifications/initialized")
        self.assertEqual(self.ask("ping")["result"], {})

    def test_tools_are_described(self):
        tools = {tool["name"]: tool for tool in self.ask("tools/list")["result"]["tools"]}
        self.assertEqual(set(tools), {"add", "subtract", "multiply", "divide", "slow_sum"})
        for tool in tools.values():
            self.assertEqual(tool["inputSchema"]["type"], "object")
            self.assertEqual(tool["outputSchema"]["type"], "object")
            self.assertTrue(tool["annotations"]["readOnlyHint"])
            self.assertTrue(tool["title"])

    def test_arithmetic(self):
        for name, expected in (("add", 9), ("subtract", 3), ("multiply", 18), ("divide", 2)):
            result = self.call(name, a=6, b=3)["result"]
            self.assertEqual(result["structuredContent"], {"result": expected})
            self.assertEqual(json.loads(result["content"][0]["text"]), expected)
            self.assertNotIn("isError", result)
        self.assertAlmostEqual(self.call("add", a=0.1, b=0.2)["result"]["structuredContent"]["result"], 0.3)

    def test_business_errors_are_results(self):
        self.assertTrue(self.call("divide", a=1, b=0)["result"]["isError"])
        self.assertTrue(self.call("add", a="1", b=2)["result"]["isError"])
        self.assertTrue(self.call("multiply", a=1e308, b=1e308)["result"]["isError"])

    def test_protocol_errors(self):
        self.assertEqual(self.call("no_such_tool")["error"]["code"], -32602)
        self.assertEqual(self.ask("no/such/method")["error"]["code"], -32601)
        self.assertEqual(self.ask("resources/read", {"uri": "calc://none"})["error"]["code"], -32002)
        self.assertEqual(self.ask("prompts/get", {"name": "none"})["error"]["code"], -32602)
        for line, code in ((b"{", -32700), (b'{"a":1,"a":2}', -32700), (b"\xff\xfe", -32700), (b"[]", -32600),
                           (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600), (b"x" * 3_000_000, -32600)):
            self.send_raw(line)
            answer = self.receive()
            self.assertEqual((answer["error"]["code"], answer["id"]), (code, None))
        self.assertEqual(self.ask("ping")["result"], {})

    def test_resource_and_prompt(self):
        self.assertEqual(self.ask("resources/list")["result"]["resources"][0]["uri"], "calc://constants")
        text = self.ask("resources/read", {"uri": "calc://constants"})["result"]["contents"][0]["text"]
        self.assertAlmostEqual(json.loads(text)["pi"], 3.14159265, places=6)
        self.assertEqual(self.ask("prompts/list")["result"]["prompts"][0]["name"], "explain")
        messages = self.ask("prompts/get", {"name": "explain", "arguments": {"expression": '2+2 "quoted"'}})["result"]
        self.assertIn('2+2 "quoted"', messages["messages"][0]["content"]["text"])

    def test_slow_sum_reports_progress(self):
        self.send("tools/call", {"name": "slow_sum", "arguments": {"numbers": [1, 2, 3], "step_ms": 0},
                                 "_meta": {"progressToken": "p1"}}, id="s1")
        for step in (1, 2, 3):
            self.assertEqual(self.receive()["params"], {"progressToken": "p1", "progress": step, "total": 3})
        answer = self.receive()
        self.assertEqual(answer["id"], "s1")
        self.assertEqual(answer["result"]["structuredContent"], {"result": 6})

    def test_slow_sum_is_cancelled_without_an_answer(self):
        self.send("tools/call", {"name": "slow_sum", "arguments": {"numbers": [1] * 1000, "step_ms": 1000}}, id="s2")
        self.assertEqual(self.ask("ping")["result"], {})  # still answering meanwhile
        self.send("notifications/cancelled", {"requestId": "s2", "reason": "test"})
        self.assertEqual(self.call("add", a=1, b=1)["result"]["structuredContent"], {"result": 2})


if __name__ == "__main__":
    unittest.main()
