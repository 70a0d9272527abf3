"""Bodies that are no strict JSON or no MCP message: each refused with a code, each in the evidence."""
import json
import unittest

from abuse_case import AbuseCase

PARSE, INVALID, NO_METHOD, PARAMS = -32700, -32600, -32601, -32602


def call(arguments, rpc_id=b"1"):
    return (b'{"jsonrpc":"2.0","id":' + rpc_id + b',"method":"tools/call","params":{"name":"calc_add","arguments":' +
            arguments + b"}}")


class Json(AbuseCase):
    name = "json"

    def refused(self, body, *codes):
        answer, fresh = self.records_of(lambda: self.session.post(body))
        self.assertIn(answer.message["error"]["code"], codes, answer)
        self.assert_refusal_recorded(fresh, answer)
        self.assertFalse([r for r in fresh if r["kind"] == "intent" and r["event_type"] == "tool_execution"], fresh)
        return answer

    def test_malformed(self):
        for body in (b"", b" ", b"{", b"}", b'{"a":}', b"{'a':1}", b'{"a":1,}', b"[1,]", b"nul", b"NaN", b"{} {}", b'{"a" 1}',
                     b"\xef\xbb\xbf{}", b"// c\n{}", b'{"a":01}', b'{"a":1.}', b'{"a":.5}', b'{"a":+1}', b'{"a":"\t"}',
                     b'{"a":"\\x"}', b'{"a":"\\ud800"}'):
            with self.subTest(body=body):
                self.refused(body, PARSE, INVALID)

    def test_truncated_at_every_byte(self):
        whole = call(b'{"a":1,"b":2}')
        known = len(self.gateway.audit(kind="intent", event_type="tool_execution"))
        for end in range(len(whole)):
            answer = self.session.post(whole[:end])
            self.assertIn(answer.message["error"]["code"], (PARSE, INVALID), (end, answer))
        self.assertEqual(len(self.gateway.audit(kind="intent", event_type="tool_execution")), known)

    def test_duplicate_keys(self):
        for body in (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
                     b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}',
                     call(b'{"a":1,"b":2,"a":3}'), call(b'{"a":1,"b":2,"\\u0061":3}'),
                     b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"calc_add","name":"calc_divide","arguments":{}}}'):
            with self.subTest(body=body):
                self.refused(body, PARSE, INVALID)

    def test_10000_deep(self):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"1" + b"}" * 9_999 + b"}")):
            with self.subTest(opening=opening):
                deep = opening * 10_000 + (closing * 10_000 if closing == b"]" else closing)
                self.refused(call(b'{"a":' + deep + b',"b":2}'), PARSE, INVALID)
        self.refused(b"[" * 10_000 + b"]" * 10_000, PARSE, INVALID)
        self.refused(b"[" * 10_000, PARSE, INVALID)

    def test_invalid_utf8(self):
        for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"):
            with self.subTest(bad=bad):
                self.refused(call(b'{"a":"' + bad + b'","b":2}'), PARSE, INVALID)

    def test_numbers_out_of_range(self):
        """Design, principle 4: refused with their path."""
        for number in (b"1e400", b"-1e999", b"18446744073709551616", b"-9223372036854775809", b"9" * 400):
            with self.subTest(number=number[:30]):
                answer = self.refused(call(b'{"a":' + number + b',"b":2}'), PARSE, INVALID, PARAMS)
                self.assertIn("/params/arguments/a", json.dumps(answer.message))

    def test_batch_arrays(self):
        ping = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
        for body in (b"[]", b"[" + ping + b"]", b"[" + ping + b"," + ping + b"]"):
            with self.subTest(body=body):
                self.refused(body, INVALID)

    def test_unknown_methods(self):
        for method in ("tools/run", "admin/users", "../tools/call", "", "Tools/Call", "tools/call\u0000", "$/cancel", "x" * 5000):
            with self.subTest(method=method[:20]):
                body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}).encode()
                self.refused(body, NO_METHOD, INVALID)

    def test_wrong_types_in_the_envelope(self):
        for body in (b"1", b'"x"', b"null", b"true", b"{}", b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
                     b'{"jsonrpc":2.0,"id":1,"method":"ping"}', b'{"jsonrpc":"2.0","id":1,"method":7}',
                     b'{"jsonrpc":"2.0","id":null,"method":"ping"}', b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
                     b'{"jsonrpc":"2.0","id":[1],"method":"ping"}', b'{"jsonrpc":"2.0","id":{},"method":"ping"}',
                     b'{"jsonrpc":"2.0","id":true,"method":"ping"}',
                     b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', b'{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}',
                     b'{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}',
                     b'{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}',
                     b'{"jsonrpc":"2.0","id":1,"method":"tools/call"}',
                     b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}',
                     b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"calc_add","arguments":[1]}}',
                     b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"calc_add","arguments":"{}"}}',
                     b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":7}}',
                     b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"made up"}}',
                     b'{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"loud"}}',
                     b'{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":1}}',
                     b'{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{}}',
                     b'{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":7}}',
                     b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":{}}}}',
                     b'{"jsonrpc":"2.0","id":"' + b"i" * 5000 + b'","method":"ping"}'):
            with self.subTest(body=body[:110]):
                self.refused(body, INVALID, PARAMS)

    def test_strings_that_break_careless_software(self):
        """Valid JSON all of them: refused by the schema, whole, never by a crash."""
        for text in ("\u0000", "\u202e", "\ufeff", "\U0010ffff", "%n%s%x", "'; DROP TABLE users; --", "${jndi:ldap://x}",
                     "../../etc/passwd", "\x7f\u009b31m", "-1e5", "__proto__", "a" * 200_000):
            answer = self.session.call("calc_add", {"a": text, "b": 1})
            self.assertEqual(answer.message["error"]["code"], PARAMS, text[:20])
        for name in ("\u0000", "calc_add\u0000", "CALC_ADD", "calc_add ", "\u0441alc_add", "../add", "calc/add"):
            answer = self.session.call(name, {"a": 1, "b": 1})
            self.assertIn("error", answer.message, name)
        self.still_serves()

    def test_media_types(self):
        body = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
        for headers, status in (({"Content-Type": "text/plain"}, 415), ({"Content-Type": "application/json-seq"}, 415),
                                ({"Accept": "application/json"}, 406), ({"Accept": "text/html"}, 406)):
            with self.subTest(headers=headers):
                answer, fresh = self.records_of(lambda h=headers: self.session.post(body, h))
                self.assertEqual(answer.status, status, answer)
                self.assert_refusal_recorded(fresh, answer)

    def test_methods_of_http(self):
        for method in ("PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"):
            with self.subTest(method=method):
                answer, fresh = self.records_of(lambda m=method: self.session.ask(m, "/mcp"))
                self.assertIn(answer.status, (400, 401, 405, 501), answer)
                self.assert_refusal_recorded(fresh, answer)
                self.session.close()


if __name__ == "__main__":
    unittest.main()
