"""The bridges between the revisions of MCP: what outlives whom, who hears what, and how much waits in the gateway."""
import datetime
import json
import os
import shutil
import signal
import time
import unittest
import urllib.request

import mcp
import processes
import scratch
import sse
from abuse_case import SLOW, AbuseCase

ASKABLE = {"elicitation": {}}
ACCEPT = {"action": "accept", "content": {"word": "yes"}}
ROOTS = {"roots": [{"uri": "file:///etc"}]}
POLICIES = os.path.join(scratch.ROOT, "policies")
CLOSED = '\ndeny contains "closed" if input.server in {"new", "old"}\n'


class BridgeCase(AbuseCase):
    """A server of each era, and clients of each."""

    @classmethod
    def prepare(cls):
        cls.folder = scratch.folder("signs", 0o777)
        for name, era in (("old", "legacy"), ("new", "modern")):
            cls.gateway.add_python(name, "bridge_server.py", era, paths=["rw:" + cls.folder])

    @classmethod
    def serve_http(cls, name, script, *args):
        """A server beside the gateway; its port."""
        port = processes.free_port()
        command = ["/usr/bin/python3", scratch.support_script(script), *args, "--http", str(port)]
        beside = processes.Beside(command, port, os.path.join(cls.gateway.folder, name + ".log"))
        cls.addClassCleanup(beside.stop)
        cls.gateway.add_http(name, "http://127.0.0.1:%d/mcp" % port)
        return port

    def at_server(self, port, tool, **arguments):
        """The text of a call that does not pass through the gateway."""
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        with urllib.request.urlopen("http://127.0.0.1:%d/mcp" % port, json.dumps(body).encode(), timeout=10) as answer:
            return json.loads(answer.read())["result"]["content"][0]["text"]

    def modern(self, secret=None, **how):
        client = mcp.Modern(self.gateway, secret or self.key.secret, **how)
        self.addCleanup(client.close)
        return client

    def legacy(self, **capabilities):
        """A session whose client can do more than nothing."""
        session = mcp.Session(self.gateway, self.key.secret, timeout=10 * SLOW)
        self.addCleanup(session.close)
        answer = session.request("initialize", {"protocolVersion": mcp.VERSION, "capabilities": capabilities,
                                                "clientInfo": {"name": "bridge", "version": "1"}})
        session.id = answer.headers["mcp-session-id"]
        session.notify("notifications/initialized")
        return session

    def park(self, client, tool="old_elicit", answer=ACCEPT, **arguments):
        """A call that waits for its retry: what the retry says beside the arguments."""
        first = client.call(tool, arguments)
        result = first.message["result"]
        self.assertEqual(result["resultType"], "input_required", first)
        return {"requestState": result["requestState"], "inputResponses": {key: answer for key in result["inputRequests"]}}

    def listen(self, secret, *uris):
        """A subscription that its servers know of."""
        stream = sse.listen(self.modern(secret), {"resourceSubscriptions": uris}, timeout=10 * SLOW)
        self.addCleanup(stream.close)
        self.assertEqual(stream.message()[1]["method"], "notifications/subscriptions/acknowledged")
        return stream

    def next_uri(self, stream):
        """The resource of which a stream hears next."""
        message = stream.message()[1]
        self.assertEqual(message["method"], "notifications/resources/updated")
        return message["params"]["uri"]

    def grown_mib(self, act):
        """What `act()` returns, and by how much the gateway is larger afterwards."""
        before = processes.resident_kib(self.gateway.process.pid)
        result = act()
        return result, (processes.resident_kib(self.gateway.process.pid) - before) / 1024


class Heavy(BridgeCase):
    """What takes long on a slow machine: no time of a server is measured here."""
    name = "bridge-heavy"
    heavy = {"count": 20, "bytes": 6_000_000}

    def test_questions_that_wait_do_not_eat_memory(self):
        client = self.modern(capabilities=ASKABLE)
        said, grown = self.grown_mib(lambda: client.text("old_heavy", self.heavy))
        self.assertEqual(said, "20 refused")
        self.assertLess(grown, 100 * SLOW)

    def test_questions_to_a_client_with_a_session_do_not_eat_memory(self):
        session = self.legacy(**ASKABLE)
        said, grown = self.grown_mib(lambda: session.text("old_heavy", self.heavy))
        self.assertEqual(said, "20 refused")
        self.assertLess(grown, 100 * SLOW)


class Calls(BridgeCase):
    """Calls that ask in the middle, and what travels with them."""
    name = "bridge-calls"
    settings = {"upstream.call_timeout_seconds": 3, "listen.workers": 3}

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.gateway.add_python("closed", "bridge_server.py", "modern", options=["--forward", "none"])

    def test_a_person_may_think_longer_than_the_servers_time_and_the_server_has_its_time_again(self):
        client = self.modern(capabilities=ASKABLE)
        retry = self.park(client, seconds=1.5)
        client.close()
        time.sleep(3.5)  # upstream.call_timeout_seconds and more
        self.assertEqual(json.loads(client.text("old_elicit", {"seconds": 1.5}, **retry))["result"], ACCEPT)

    def test_a_parked_call_whose_key_is_revoked_ends_and_says_so(self):
        key = self.gateway.key("doomed")
        self.park(self.modern(key.secret, capabilities=ASKABLE))
        self.gateway.cli("key", "revoke", key.id)
        ended = processes.wait_until(lambda: self.gateway.audit(kind="event", tool="elicit", reason="no_retry"), 5 * SLOW, "its record")
        self.assertEqual([record["result"] for record in ended], ["cancelled"])

    def test_a_call_that_waits_for_input_is_no_success_yet(self):
        _, fresh = self.records_of(lambda: self.park(self.modern(capabilities=ASKABLE)))
        self.assertEqual([record["result"] for record in fresh if record["kind"] == "outcome"], ["input_required"])

    def test_a_retry_finds_its_call_whatever_worker_it_comes_to(self):
        self.serve_http("rogue", "rogue_server.py")
        sampled = {"role": "assistant", "content": {"type": "text", "text": "42"}, "model": "none"}
        for _ in range(5):
            retry = self.park(self.modern(capabilities={"sampling": {}}), "rogue_asks", sampled)
            self.assertIn("42", self.modern(capabilities={"sampling": {}}).text("rogue_asks", **retry))

    def test_a_call_that_a_legacy_server_refused_with_its_own_code_is_not_sent_twice(self):
        port = self.serve_http("oldweb", "bridge_server.py", "legacy")
        client = self.modern()
        for times, code in enumerate((-32022, -32020, -32021, -32001), 1):
            self.assertIn("error", client.call("oldweb_refuse", {"code": code}).message)
            self.assertEqual(self.at_server(port, "executed"), str(times), code)

    def test_answers_that_nobody_asked_for_do_not_reach_a_modern_server(self):
        said = json.loads(self.modern(capabilities=ASKABLE).text("closed_params", inputResponses={"roots": ROOTS, "k": ACCEPT}))
        self.assertNotIn("inputResponses", said)

    def test_answers_of_a_kind_that_is_not_forwarded_are_taken_out_of_a_round(self):
        client = self.modern(capabilities=ASKABLE)
        retry = self.park(client, "new_ask")
        retry["inputResponses"]["roots"] = ROOTS
        self.assertEqual(json.loads(client.text("new_ask", **retry)), {"k": ACCEPT})

    def test_the_words_of_a_legacy_client_do_not_become_a_retry(self):
        words = {"requestState": "stolen", "inputResponses": {"k": ACCEPT}}
        read = self.session.request("resources/read", {"uri": "new+x://one", **words}).message["result"]["contents"][0]["text"]
        called = self.session.request("tools/call", {"name": "new_params", **words}).message["result"]["content"][0]["text"]
        for reached in (json.loads(read), json.loads(called)):
            self.assertNotIn("requestState", reached)
            self.assertNotIn("inputResponses", reached)

    def test_hop_keys_do_not_cross(self):
        prefix = "io.modelcontextprotocol/"
        meta = {"progressToken": "mine", prefix + "subscriptionId": 1, prefix + "related-task": {"taskId": "x"}, "own/key": 1}
        answer = self.modern().request("tools/call", {"name": "new_params", "arguments": {}}, meta=meta)
        reached = json.loads(answer.message["result"]["content"][0]["text"])["_meta"]
        self.assertEqual(reached["own/key"], 1)
        self.assertNotEqual(reached["progressToken"], "mine")
        self.assertNotIn(prefix + "subscriptionId", reached)
        self.assertNotIn(prefix + "related-task", reached)

    def test_each_url_that_a_client_is_to_visit_has_an_id_of_its_own(self):
        session = self.legacy(elicitation={"url": {}})
        ids = set()
        for rpc_id in (71, 72):
            call = {"jsonrpc": "2.0", "id": rpc_id, "method": "tools/call", "params": {"name": "new_url", "arguments": {}}}
            stream = sse.post(session, call)
            self.addCleanup(stream.close)
            asked = stream.message()[1]
            ids.add(asked["params"]["elicitationId"])
            session.post({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept"}})
            self.assertIn("visited", json.dumps(stream.rest()))
        self.assertEqual(len(ids), 2, ids)


class Subscriptions(BridgeCase):
    """Who hears of a resource, and for how long."""
    name = "bridge-subscriptions"
    # What was freed and is kept by the sanitizer (256 MiB unless told otherwise) is none of the gateway's memory.
    environment = {"ASAN_OPTIONS": "detect_leaks=1:exitcode=97:strict_string_checks=1:quarantine_size_mb=8"}
    settings = {"listen.workers": 3}

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.web = cls.serve_http("web", "bridge_server.py", "modern")

    def test_a_subscription_ends_with_its_key(self):
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3.5)
        key = self.gateway.key("brief", extra=["--expires-at", soon.strftime("%Y-%m-%dT%H:%M:%SZ")])
        stream = self.listen(key.secret, "new+x://one")
        stream.rest()  # until the end of the stream: a silence of 10 s fails
        self.assertEqual(self.modern(key.secret).request("tools/list").status, 401)

    def test_a_session_hears_of_what_it_subscribed_to_at_a_modern_http_server(self):
        for number in range(6):
            uri = "x://%d" % number
            session = mcp.Session(self.gateway, self.key.secret).open()
            self.addCleanup(session.close)
            stream = sse.get(session, timeout=5 * SLOW)
            self.addCleanup(stream.close)
            for _ in range(2):
                session.text("web_params")  # from now on its worker knows that the server is stateless
            self.assertIn("result", session.request("resources/subscribe", {"uri": "web+" + uri}).message)
            processes.wait_until(lambda: uri in json.loads(self.at_server(self.web, "watched")), 5 * SLOW, "word to the server")
            self.at_server(self.web, "update", uri=uri)
            self.assertEqual(self.next_uri(stream), "web+" + uri)

    def test_what_a_session_subscribed_to_does_not_eat_memory(self):
        def subscribe():
            for number in range(100):
                self.session.request("resources/subscribe", {"uri": "old+x://%d/" % number + "A" * 1_000_000})
        _, grown = self.grown_mib(subscribe)
        self.assertLess(grown, 50 * SLOW)

    def test_a_uri_over_4096_bytes_is_not_listened_to(self):
        client = self.modern(timeout=10 * SLOW)
        wanted = {"notifications": {"resourceSubscriptions": ["old+x://" + "A" * 4096]}}
        answer, fresh = self.records_of(lambda: client.request("subscriptions/listen", wanted))
        self.assertEqual(answer.message["error"]["code"], -32602, answer)
        self.assert_refusal_recorded(fresh, answer)

    def test_one_servers_large_notice_does_not_end_the_stream(self):
        stream = self.listen(self.key.secret, "new+x://one", "old+x://one")
        client = self.modern()
        client.text("new_update", {"uri": "x://one", "bytes": 5_000_000})
        client.text("old_update", {"uri": "x://one"})
        self.assertEqual(self.next_uri(stream), "old+x://one")


class OneWorker(BridgeCase):
    """Where all meet on one thread, and so in one session with a server that principals share."""
    name = "bridge-one"
    settings = {"listen.workers": 1}

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.gateway.add_python("some", "bridge_server.py", "modern", options=["--shared"])

    def set_rules(self, more):
        """The rules of the product and `more`, from the next reload on."""
        folder = os.path.join(self.gateway.home, "policies")
        shutil.copytree(POLICIES, folder, ignore=shutil.ignore_patterns("*_test.rego"), dirs_exist_ok=True)
        with open(os.path.join(folder, "tool_access.rego"), "a") as file:
            file.write(more)
        self.gateway.process.send_signal(signal.SIGHUP)
        member = "error" if more else "result"
        processes.wait_until(lambda: member in self.modern().call("new_params").message, 10 * SLOW, "the new rules")

    def test_two_principals_at_one_shared_server_hear_each_of_its_own(self):
        streams = {uri: self.listen(self.gateway.key(name).secret, "some+" + uri) for name, uri in (("a", "x://a"), ("b", "x://b"))}
        client = self.modern()
        for uri in ("x://b", "x://a"):
            client.text("some_update", {"uri": uri})
        for uri, stream in streams.items():
            self.assertEqual(self.next_uri(stream), "some+" + uri)

    def test_a_subscription_does_not_outlive_its_grant(self):
        stream = self.listen(self.key.secret, "new+x://one", "old+x://one", "some+x://one")
        client = self.modern()
        signs = {server: os.path.join(self.folder, server) for server in ("new", "old")}
        for server, sign in signs.items():
            client.text(server + "_update", {"uri": "x://one"})
            self.assertEqual(self.next_uri(stream), server + "+x://one")
            client.text(server + "_update_at", {"uri": "x://one", "file": sign})
        self.addCleanup(self.set_rules, "")
        self.set_rules(CLOSED)
        for sign in signs.values():
            open(sign, "w").close()
        processes.wait_until(lambda: not any(map(os.path.exists, signs.values())), 5 * SLOW, "what the servers say")
        client.text("some_update", {"uri": "x://one"})
        self.assertEqual(self.next_uri(stream), "some+x://one")


class Endings(BridgeCase):
    """SIGTERM does not wait for people."""
    name = "bridge-endings"
    settings = {"limits.drain_seconds": 30}

    def assert_ends_at_once(self):
        began = time.monotonic()
        self.gateway.stop()
        took = time.monotonic() - began
        self.gateway.start()
        self.assertLess(took, 10)

    def test_parked_calls_do_not_hold_up_the_end(self):
        for _ in range(5):
            self.park(self.modern(capabilities=ASKABLE))
        self.assert_ends_at_once()

    def test_an_open_subscription_does_not_hold_up_the_end(self):
        stream = self.listen(self.key.secret, "new+x://one", "old+x://one")
        self.assert_ends_at_once()
        self.assertIn("result", stream.rest()[-1][1])


if __name__ == "__main__":
    unittest.main()
