"""Resumable streams of the legacy revisions (MCP 2025-03-26 to 2025-11-25, Streamable HTTP): a lost connection cancels
nothing (trap 3 of mcp-spec.md), the answer is heard by whoever comes back, and nobody hears another's."""
import unittest

import mcp
import processes
import sse
from gateway import SLOW, Gateway

TEN = list(range(1, 11))


def progress(messages):
    return [m["params"]["progress"] for _, m in messages if m.get("method") == "notifications/progress"]


def answers(messages):
    return [m for _, m in messages if "method" not in m]


class Resume(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("resume", {"listen.workers": 3}).__enter__()  # the GET lands on whatever worker
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.key = cls.gateway.key("agent")

    def open(self, version="2025-11-25", key=None):
        session = mcp.Session(self.gateway, (key or self.key).secret, version=version).open()
        self.addCleanup(session.close)
        return session

    def dropped(self, session, rpc_id=7, numbers=TEN, step_ms=30 * SLOW, after=2):
        """A call whose connection is lost after some events: the id of the last one heard."""
        stream = sse.post(session, sse.slow_sum(rpc_id, numbers, step_ms))
        for _ in range(after):
            last_id, _ = stream.message()
        stream.drop()
        return last_id

    def test_the_rest_of_a_call_is_heard_live_on_another_connection(self):
        session = self.open()
        for round_ in range(6):
            last_id = self.dropped(session, rpc_id="r%d" % round_)
            heard = sse.get(session, last_id).rest()
            self.assertEqual(progress(heard), TEN[2:], round_)
            self.assertEqual([a["id"] for a in answers(heard)], ["r%d" % round_])
            self.assertEqual(answers(heard)[0]["result"]["content"][0]["text"], "55")

    def test_a_disconnect_is_no_cancel(self):
        """Trap 3: the call goes on although nobody listens, and its answer waits."""
        session = self.open()
        before = len(self.gateway.audit(kind="outcome", tool="slow_sum"))
        last_id = self.dropped(session)
        processes.wait_until(lambda: len(self.gateway.audit(kind="outcome", tool="slow_sum")) > before, 10 * SLOW, "the outcome")
        self.assertEqual(self.gateway.audit(kind="outcome", tool="slow_sum")[-1]["result"], "success")
        for _ in range(2):  # and it can be heard again
            heard = sse.get(session, last_id).rest()
            self.assertEqual((progress(heard), len(answers(heard))), (TEN[2:], 1))

    def test_ids_are_unique_in_the_session_and_name_the_stream(self):
        session = self.open()
        seen, streams = [], set()
        for rpc_id in range(3):
            heard = sse.post(session, sse.slow_sum(rpc_id, [1, 2], 1)).rest()
            seen += [one for one, _ in heard]
            streams.add(heard[0][0].split("-")[0])
            self.assertEqual({one.split("-")[0] for one, _ in heard}, {heard[0][0].split("-")[0]})
        self.assertEqual(len(set(seen)), len(seen))
        self.assertEqual(len(streams), 3)

    def test_a_call_that_takes_its_time_can_be_resumed_before_it_said_anything(self):
        """docs/decisions/0007-eras.md: a client of 2025-11-25 gets the stream without progress to report."""
        slow = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                "params": {"name": "calc_slow_sum", "arguments": {"numbers": [1, 2, 3], "step_ms": 200 * SLOW}}}
        session = self.open()
        stream = sse.post(session, slow)
        self.assertTrue(stream.is_stream)
        first = stream.event()
        self.assertEqual((first.data, first.retry), ("", 1000))
        stream.drop()
        heard = sse.get(session, first.id).rest()
        self.assertEqual([a["result"]["content"][0]["text"] for a in answers(heard)], ["6"])
        self.assertFalse(sse.post(self.open("2025-06-18"), slow).is_stream)

    def test_2025_11_25_is_primed_and_told_when_to_come_back(self):
        session = self.open()
        for stream in (sse.post(session, sse.slow_sum(1, [1], 1)), sse.get(session)):
            first = stream.event()
            self.assertEqual(first.data, "")
            self.assertRegex(first.id, r"^\d+-0$")
            self.assertTrue(1000 <= first.retry <= 3000, first)
            stream.close()

    def test_the_priming_id_resumes_the_whole_stream(self):
        session = self.open()
        stream = sse.post(session, sse.slow_sum(1, TEN, 10 * SLOW))
        first = stream.event()
        stream.drop()
        heard = sse.get(session, first.id).rest()
        self.assertEqual((progress(heard), len(answers(heard))), (TEN, 1))

    def test_older_revisions_are_not_primed(self):
        """An empty event is no JSON-RPC message: a client of 2025-06-18 would fail to read it."""
        for version in ("2025-06-18", "2025-03-26"):
            stream = sse.post(self.open(version), sse.slow_sum(1, [1], 1))
            first = stream.event()
            self.assertNotEqual(first.data, "")
            self.assertIsNotNone(first.id)
            stream.close()

    def test_a_stream_replays_its_own_events_only(self):
        session = self.open()
        first, second = self.dropped(session, "a"), self.dropped(session, "b", numbers=[5, 6, 7, 8])
        self.assertEqual([a["id"] for a in answers(sse.get(session, first).rest())], ["a"])
        self.assertEqual([a["id"] for a in answers(sse.get(session, second).rest())], ["b"])

    def test_unknown_ids_are_refused(self):
        session = self.open()
        last_id = self.dropped(session)
        stream = last_id.split("-")[0]
        for made_up in ("x", "0-0", stream, stream + "-", stream + "-999", "999-0", last_id + "0", "-" + last_id, "%00", "9" * 400):
            refused = sse.get(session, made_up)
            self.assertEqual((refused.status, refused.is_stream), (404, False), made_up)
            refused.close()
        self.assertEqual(session.request("ping").status, 200)  # the session lives on

    def test_another_sessions_id_gives_nothing_of_it(self):
        victim, thief = self.open(), self.open()
        last_id = self.dropped(victim)
        refused = sse.get(thief, last_id)
        self.assertEqual(refused.status, 404)
        self.assertEqual(len(answers(sse.get(victim, last_id).rest())), 1)

    def test_another_principals_session_is_unknown(self):
        victim = self.open()
        last_id = self.dropped(victim)
        thief = mcp.Session(self.gateway, self.gateway.key("thief").secret)
        thief.id = victim.id
        self.assertEqual(sse.get(thief, last_id).status, 404)
        self.assertEqual(len(answers(sse.get(victim, last_id).rest())), 1)

    def test_a_call_is_not_heard_on_the_get_stream(self):
        """Each message on exactly one stream: the GET hears what belongs to no request."""
        session = self.open()
        listening = sse.get(session)
        self.assertEqual(listening.event().data, "")
        heard = sse.post(session, sse.slow_sum(1, TEN, 1)).rest()
        self.assertEqual((progress(heard), len(answers(heard))), (TEN, 1))
        self.gateway.add_calculator("isolated")  # a change of the catalogue
        event_id, message = listening.message()
        self.assertEqual(message["method"], "notifications/tools/list_changed")
        self.assertNotEqual(event_id.split("-")[0], heard[0][0].split("-")[0])
        listening.close()

    def test_a_get_stream_that_was_lost_is_resumed(self):
        session = self.open()
        listening = sse.get(session)
        first = listening.event()
        listening.drop()
        self.gateway.add_calculator("meanwhile")
        back = sse.get(session, first.id)
        self.assertEqual(back.message()[1]["method"], "notifications/tools/list_changed")
        back.close()

    def test_what_came_while_nobody_listened_is_heard_once(self):
        session = self.open()
        self.gateway.add_calculator("unheard")
        first = sse.get(session)
        self.assertEqual(first.message()[1]["method"], "notifications/tools/list_changed")
        first.drop()
        second = sse.get(session, timeout=1)
        self.assertEqual(second.event().data, "")
        with self.assertRaises(TimeoutError):
            second.message()
        second.close()

    def test_a_revoked_key_ends_what_it_resumed(self):
        key = self.gateway.key("doomed")
        session = self.open(key=key)
        last_id = self.dropped(session, numbers=TEN * 10, step_ms=100)
        resumed = sse.get(session, last_id)
        self.assertIsNotNone(resumed.message())
        self.gateway.cli("key", "revoke", key.id)
        self.assertEqual([a for a in answers(resumed.rest()) if "result" in a], [])  # at most that it was cancelled
        self.assertEqual(sse.get(session, last_id).status, 401)

    def test_an_ended_session_resumes_nothing(self):
        session = self.open()
        last_id = self.dropped(session)
        session.ask("DELETE", "/mcp", headers={"Mcp-Session-Id": session.id})
        self.assertEqual(sse.get(session, last_id).status, 404)

    def test_an_answer_without_events_is_plain_json(self):
        session = self.open()
        answer = sse.post(session, {"jsonrpc": "2.0", "id": 0, "method": "ping"})
        self.assertFalse(answer.is_stream)
        self.assertEqual(answer.body(), {"jsonrpc": "2.0", "id": 0, "result": {}})
        answer.close()


if __name__ == "__main__":
    unittest.main()
