"""What every abuse test asserts: a clear refusal, one record of it in the audit, and a gateway that goes on."""
import unittest

import mcp
import rawhttp
from gateway import SLOW, Gateway

SETTINGS = {"limits.head_timeout_seconds": 1, "limits.body_timeout_seconds": 1, "limits.idle_timeout_seconds": 3}


class AbuseCase(unittest.TestCase):
    name = "abuse"
    settings = {}
    environment = {}

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(cls.name, {**SETTINGS, **cls.settings}, environment=cls.environment).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.key = cls.gateway.key("agent")
        cls.prepare()

    @classmethod
    def prepare(cls):
        pass

    def setUp(self):
        self.session = mcp.Session(self.gateway, self.key.secret).open()
        self.addCleanup(self.session.close)
        self.addCleanup(self.gateway.assert_alive)

    def records_of(self, act):
        """What `act()` returns, and the audit's records that it caused."""
        known = {r["leaf"] for r in self.gateway.audit()}
        result = act()
        return result, [r for r in self.gateway.audit() if r["leaf"] not in known]

    def assert_refusal_recorded(self, fresh, said):
        refusals = [r for r in fresh if r["kind"] == "refusal" or (r["kind"] == "outcome" and r["result"] == "denied")]
        self.assertEqual(len(refusals), 1, "%d refusals recorded: %r; answer %r" % (len(refusals), fresh, said))
        self.assertTrue(refusals[0].get("reason"), refusals)
        self.assertEqual(refusals[0]["result"], "denied")
        return refusals[0]

    def refused_raw(self, data, statuses, closes=None, **how):
        """Bytes that must be answered by exactly one refusal with one of `statuses`."""
        reply, fresh = self.records_of(lambda: rawhttp.exchange(self.gateway, data, **how))
        self.assertEqual(len(reply.statuses), 1, reply)
        self.assertIn(reply.status, statuses, reply)
        if closes is not None:
            self.assertEqual(reply.closed, closes, reply)
        self.assert_refusal_recorded(fresh, reply)
        return reply

    def refused_message(self, body, code, status=None, session=None):
        """A body on /mcp that must be answered by a JSON-RPC error with this code."""
        answer, fresh = self.records_of(lambda: (session or self.session).post(body))
        self.assertEqual(answer.message["error"]["code"], code, answer)
        self.assertTrue(answer.message["error"]["message"])
        if status is not None:
            self.assertEqual(answer.status, status, answer)
        self.assert_refusal_recorded(fresh, answer)
        return answer

    def still_serves(self, session=None):
        self.assertIn("3", (session or self.session).text("calc_add", {"a": 1, "b": 2}))


__all__ = ["AbuseCase", "SLOW"]
