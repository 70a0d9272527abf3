"""Rate limits on the wire: C4, C5, S0-25, S0-26, S1-28, S1-29."""
import time
import unittest

import mcp
import sse
from gateway import SLOW, Gateway

BODY = {"detail": "Rate limit exceeded. Please try again later."}


class Limits(unittest.TestCase):
    def assert_refused(self, answer, limit):
        self.assertEqual(answer.status, 429, answer)
        self.assertEqual(answer.headers["x-ratelimit-limit"], str(limit))
        self.assertEqual(answer.headers["x-ratelimit-remaining"], "0")
        self.assertGreaterEqual(int(answer.headers["x-ratelimit-reset"]), int(time.time()) - 1)
        wait = int(answer.headers["retry-after"])
        self.assertGreaterEqual(wait, 1)
        self.assertEqual(answer.message["detail"], BODY["detail"])  # S1-29
        self.assertEqual(answer.message["retry_after"], wait)

    def test_mcp_over_the_limit_of_the_principal(self):
        with Gateway("limit-mcp", {"rate.mcp.requests": 8, "rate.mcp.burst": 2}) as gateway:
            gateway.add_calculator()
            session = mcp.Session(gateway, gateway.key("busy").secret).open()
            answers = [session.call("calc_add", {"a": 1, "b": n}) for n in range(12)]
            refused = [a for a in answers if a.status == 429]
            passed = [a for a in answers if a.status == 200]
            self.assertTrue(passed and refused)
            self.assertLessEqual(len(passed), 10)
            self.assert_refused(refused[0], 8)
            self.assertEqual(refused[0].message["error"]["code"], -31429)
            self.assertIn("x-ratelimit-remaining", passed[0].headers)
            records = gateway.audit(request_id=refused[0].headers["x-request-id"])
            self.assertEqual([(r["kind"], r["stage"]) for r in records], [("refusal", "principal_admission")])
            other = mcp.Session(gateway, gateway.key("quiet").secret).open()  # another principal has its own bucket
            self.assertIn("2", other.text("calc_add", {"a": 1, "b": 1}))

    def test_the_limit_of_one_tool_leaves_the_other_tools_alone(self):
        with Gateway("limit-tool", {"rate.tool.requests": 3, "rate.tool.burst": 0}) as gateway:
            gateway.add_calculator()
            session = mcp.Session(gateway, gateway.key("busy").secret).open()
            answers = [session.call("calc_add", {"a": 1, "b": n}) for n in range(5)]
            self.assertEqual([a.status for a in answers], [200, 200, 200, 429, 429])
            self.assert_refused(answers[-1], 3)
            self.assertEqual(session.call("calc_multiply", {"a": 1, "b": 1}).status, 200)

    def test_what_a_stream_names_is_paid_for(self):
        """2026-07-28: each URI of subscriptions/listen is a decision; eight of them are a call. Streams are counted before."""
        with Gateway("limit-listen", {"rate.mcp.requests": 40, "rate.mcp.burst": 0}) as gateway:
            gateway.add_calculator()
            uris = lambda count: {"resourceSubscriptions": ["calc+calc://%d" % n for n in range(count)]}
            code = lambda stream: stream.body()["error"]["code"]
            busy = mcp.Modern(gateway, gateway.key("busy").secret)
            first = sse.listen(busy, uris(256), timeout=30 * SLOW)  # 32 calls
            self.assertEqual(len(first.message()[1]["params"]["notifications"]["resourceSubscriptions"]), 256)
            self.assertEqual(code(sse.listen(busy, uris(256))), -31429)
            many = mcp.Modern(gateway, gateway.key("many").secret)
            streams = [sse.listen(many, {}, timeout=30 * SLOW) for _ in range(16)]
            self.assertEqual({stream.message()[1]["method"] for stream in streams}, {"notifications/subscriptions/acknowledged"})
            self.assertEqual(code(sse.listen(many, uris(256))), -31503, "it is not asked to pay")
            for stream in (first, *streams):
                stream.close()

    def test_an_address_is_limited_before_anybody_is_identified(self):
        """Guessing credentials is limited by address."""
        with Gateway("limit-address", {"rate.address.requests": 60, "rate.address.burst": 0}) as gateway:
            guesses = [mcp.Client(gateway, "mcp_" + "A" * 43).ask("GET", "/api/v1/tools") for _ in range(80)]
            self.assertIn(401, [a.status for a in guesses])
            refused = [a for a in guesses if a.status == 429]  # a second lets one more through, which may be the last
            self.assertTrue(refused)
            self.assert_refused(refused[-1], 60)

    def test_rest_reads_are_limited_by_principal(self):
        """S1-3: reads 60 a minute; the setting is honoured."""
        with Gateway("limit-read", {"rate.read.requests": 5, "rate.read.burst": 0}) as gateway:
            client = mcp.Client(gateway, gateway.key("reader").secret)
            answers = [client.ask("GET", "/api/v1/tools") for _ in range(7)]
            self.assertEqual([a.status for a in answers[:5]], [200] * 5)
            self.assert_refused(answers[-1], 5)


if __name__ == "__main__":
    unittest.main()
