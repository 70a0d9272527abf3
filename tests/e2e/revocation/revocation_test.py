"""Revoking a key, a token, a session or a user ends it at the next request, in every cache of every worker, and with it
what it began: streams, calls, parked calls, upstream sessions, minted tokens."""
import itertools
import json
import threading
import time
import unittest

import mcp
import processes
from gateway import SLOW, Gateway

PASSWORD = "Correct-Horse-7-Battery"


def ends_within(response, seconds):
    """Reads the GET stream to its end."""
    response.held.sock.settimeout(seconds * SLOW)
    while response.readline():
        pass
    return True


class Revocation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("revocation").__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.other = mcp.Session(cls.gateway, cls.gateway.key("bystander").secret).open()

    def token(self, name):
        answer = mcp.Client(self.gateway).ask("POST", "/api/auth/login", {"username": name, "password": PASSWORD})
        self.assertEqual(answer.status, 200, answer)
        return answer.message["access_token"]

    def assert_ended(self, session, stream):
        refused = session.call("calc_add", {"a": 1, "b": 1})
        self.assertEqual(refused.status, 401, refused)
        self.assertIn("www-authenticate", refused.headers)
        records = self.gateway.audit(request_id=refused.headers["x-request-id"])
        self.assertEqual([(r["kind"], r["stage"]) for r in records], [("refusal", "identity")])
        self.assertTrue(ends_within(stream, 5))
        self.assertIn("2", self.other.text("calc_add", {"a": 1, "b": 1}))  # nobody else is touched

    def test_a_revoked_key(self):
        key = self.gateway.key("doomed")
        session = mcp.Session(self.gateway, key.secret).open()
        self.assertIn("2", session.text("calc_add", {"a": 1, "b": 1}))
        stream = session.listen()
        self.assertEqual(stream.status, 200)
        self.gateway.cli("key", "revoke", key.id)
        self.assert_ended(session, stream)

    def test_a_revoked_key_on_every_worker(self):
        """Each connection may be another worker's: all have taken the new snapshot when the command returns."""
        key = self.gateway.key("doomed-everywhere")
        clients = [mcp.Client(self.gateway, key.secret) for _ in range(16)]
        self.assertEqual({c.ask("GET", "/api/v1/tools").status for c in clients}, {200})
        self.gateway.cli("key", "revoke", key.id)
        self.assertEqual({c.ask("GET", "/api/v1/tools").status for c in clients}, {401})

    def test_a_disabled_user(self):
        """S1: disabled users kept valid tokens; here they do not."""
        self.gateway.user("ada", PASSWORD)
        session = mcp.Session(self.gateway, self.token("ada")).open()
        self.assertIn("2", session.text("calc_add", {"a": 1, "b": 1}))
        stream = session.listen()
        self.gateway.cli("user", "disable", "ada")
        self.assert_ended(session, stream)

    def test_enabling_again_does_not_bring_an_old_token_back(self):
        self.gateway.user("bob", PASSWORD)
        old = mcp.Client(self.gateway, self.token("bob"))
        self.assertEqual(old.ask("GET", "/api/v1/tools").status, 200)
        self.gateway.cli("user", "disable", "bob")
        self.gateway.cli("user", "enable", "bob")
        self.assertEqual(old.ask("GET", "/api/v1/tools").status, 401)
        # iat is whole seconds: a token of the very second of disabling counts as old, so try until a fresh one is made
        import processes
        processes.wait_until(lambda: mcp.Client(self.gateway, self.token("bob")).ask("GET", "/api/v1/tools").status == 200,
                             5, "a fresh login")

    def test_logout_ends_the_token(self):
        """S2: logout never worked there."""
        self.gateway.user("eve", PASSWORD)
        client = mcp.Client(self.gateway, self.token("eve"))
        self.assertEqual(client.ask("POST", "/api/auth/logout", {}).status, 204)
        self.assertEqual(client.ask("GET", "/api/v1/tools").status, 401)

    def login(self, name):
        """Tokens of a fresh user, and a way to end the session that they are of."""
        self.gateway.user(name, PASSWORD)
        token = self.token(name)
        return token, lambda: self.gateway.cli("session", "end", "--user", name)

    def test_an_ended_session_ends_its_streams(self):
        """Done-when 6: the stream. Sessions S2-3."""
        token, end = self.login("streaming")
        session = mcp.Session(self.gateway, token).open()
        self.assertIn("2", session.text("calc_add", {"a": 1, "b": 1}))
        stream = session.listen()
        self.assertEqual(stream.status, 200)
        end()
        self.assert_ended(session, stream)

    def test_a_revoked_token_ends_its_stream(self):
        """Done-when 6: the stream, by token id: of a token that came by refresh into an MCP session begun with the first."""
        self.gateway.user("refreshing", PASSWORD)
        first = mcp.Client(self.gateway).ask("POST", "/auth/login", {"username": "refreshing", "password": PASSWORD}).message
        session = mcp.Session(self.gateway, first["access_token"]).open()
        second = mcp.Client(self.gateway).ask("POST", "/auth/refresh", {"refresh_token": first["refresh_token"]}).message
        session.secret = second["access_token"]
        stream = session.listen()
        self.assertEqual(stream.status, 200)
        self.gateway.cli("token", "revoke", claims(second["access_token"])["jti"])
        self.assert_ended(session, stream)

    def test_an_ended_session_ends_its_running_calls(self):
        """Done-when 6: the held call."""
        self.gateway.add_python("rogue", "rogue_server.py")
        token, end = self.login("calling")
        session = mcp.Session(self.gateway, token).open()
        answers = []
        thread = threading.Thread(target=lambda: answers.append(session.call("rogue_slow", {"seconds": 50})))
        thread.start()
        processes.wait_until(lambda: self.gateway.audit(kind="intent", tool="slow"), 10, "the call")
        began = time.monotonic()
        end()
        thread.join()
        self.assertLess(time.monotonic() - began, 20 * SLOW)
        self.assertIn("error", answers[0].message)

    def test_an_ended_session_ends_its_parked_calls(self):
        """Done-when 6: the parked call. A later login of the same user does not find it either."""
        self.gateway.add_python("asking", "rogue_server.py")
        token, end = self.login("parking")
        modern = mcp.Modern(self.gateway, token, capabilities={"sampling": {}})
        result = modern.call("asking_asks").message["result"]
        self.assertEqual(result["resultType"], "input_required")
        end()
        # It would have waited for ten minutes.
        processes.wait_until(lambda: self.gateway.audit(kind="event", result="cancelled", server="asking"), 5 * SLOW, "its end")
        again = mcp.Modern(self.gateway, self.token("parking"), capabilities={"sampling": {}})
        content = {"role": "assistant", "content": {"type": "text", "text": "42"}, "model": "none"}
        retry = {"requestState": result["requestState"], "inputResponses": {key: content for key in result["inputRequests"]}}
        answer = again.call("asking_asks", **retry)
        self.assertNotIn("42", json.dumps(answer.message))
        self.assertIn("error", answer.message)

    def test_an_ended_session_ends_its_upstream_sessions(self):
        """Done-when 6: the upstream session. It is the user's, and goes with the last login that used it."""
        self.gateway.add_calculator("own")
        self.gateway.user("holding", PASSWORD)
        before = set(processes.descendants(self.gateway.process.pid))
        started = lambda: set(processes.descendants(self.gateway.process.pid)) - before
        first, second = (mcp.Session(self.gateway, self.token("holding")).open() for _ in range(2))
        self.assertIn("2", first.text("own_add", {"a": 1, "b": 1}))
        self.assertIn("2", second.text("own_add", {"a": 1, "b": 1}))
        self.assertTrue(started())
        self.assertEqual(first.ask("POST", "/auth/logout", {}).status, 204)
        self.assertIn("2", second.text("own_add", {"a": 1, "b": 1}))
        self.assertEqual(second.ask("POST", "/auth/logout", {}).status, 204)
        processes.wait_until(lambda: not started(), 10 * SLOW, "end of the process")

    def test_one_login_does_not_use_the_mcp_session_of_another(self):
        """What one login began ends with it: so another login of the same user must not hold it open."""
        self.gateway.user("twice", PASSWORD)
        first = mcp.Session(self.gateway, self.token("twice")).open()
        first.secret = self.token("twice")
        self.assertEqual(first.request("ping").status, 404)

    def test_an_expired_key(self):
        """S1-11, C27: expiry is enforced. The past cannot be set, so the clock has to pass it."""
        import datetime
        import processes
        soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)).strftime("%Y-%m-%dT%H:%M:%S")
        key = self.gateway.key("short", extra=["--expires-at", soon])
        client = mcp.Client(self.gateway, key.secret)
        self.assertEqual(client.ask("GET", "/api/v1/tools").status, 200)
        processes.wait_until(lambda: client.ask("GET", "/api/v1/tools").status == 401, 10, "expiry")

    def test_the_list_of_keys_shows_no_secret(self):
        key = self.gateway.key("listed")
        listed = self.gateway.cli("key", "list", "--json")
        self.assertIn(key.id, [entry["id"] for entry in json.loads(listed)["data"]])
        self.assertNotIn(key.secret, listed)
        self.assertNotIn(key.secret, self.gateway.log())


class EveryWorker(unittest.TestCase):
    """Done-when 6: 1,000 trials over all workers, by each way of revoking in turn. Connections of all workers ask without a
    pause; none is admitted that began after the revocation was answered."""
    TRIALS = 1000
    CALLERS = 6

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("revocation-loop", {"listen.workers": 4, "auth.sessions_per_key": 1000}).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.user("root", PASSWORD, "admin")
        cls.admin = mcp.Client(cls.gateway, cls.token("root", PASSWORD))

    @classmethod
    def token(cls, name, password):
        return mcp.Client(cls.gateway).ask("POST", "/auth/login", {"username": name, "password": password}).message["access_token"]

    def setUp(self):
        self.current = None  # (number of the trial, token)
        self.answered = {}   # trial -> when its revocation was answered
        self.admitted = []   # (trial, when the request began)
        self.statuses = set()
        self.stop = False

    def caller(self):
        client = mcp.Client(self.gateway)
        while not self.stop:
            current = self.current
            if current is None:
                time.sleep(0)
                continue
            client.secret = current[1]
            began = time.monotonic()
            status = client.ask("GET", "/auth/me").status
            self.statuses.add(status)
            if status == 200:
                self.admitted.append((current[0], began))

    def key(self):
        made = self.admin.ask("POST", "/api/v1/keys", {"name": "of one trial", "can_read": True}).message
        return made["id"], made["api_key"]

    def test_no_call_that_began_later_is_admitted(self):
        callers = [threading.Thread(target=self.caller) for _ in range(self.CALLERS)]
        for caller in callers:
            caller.start()
        probes = [mcp.Client(self.gateway) for _ in range(self.CALLERS)]
        try:
            for trial, way in zip(range(self.TRIALS), itertools.cycle(WAYS)):
                self.one_trial(trial, way, probes[trial % len(probes)])
        finally:
            self.stop = True
            for caller in callers:
                caller.join()
        late = [(trial, WAYS[trial % len(WAYS)].__name__) for trial, began in self.admitted
                if began > self.answered.get(trial, float("inf"))]
        self.assertEqual(late, [])
        self.assertEqual(self.statuses, {200, 401})
        self.assertGreater(len({trial for trial, _ in self.admitted}), self.TRIALS // 2, "the callers were at it")

    def one_trial(self, trial, way, probe):
        key_id, secret = self.key()
        token, revoke = way(self, key_id, secret)
        probe.secret = token
        self.assertEqual(probe.ask("GET", "/auth/me").status, 200)
        self.current = (trial, token)
        status = revoke()
        self.answered[trial] = time.monotonic()
        self.assertEqual(status, 204)
        self.assertEqual(probe.ask("GET", "/auth/me").status, 401, way.__name__)
        if way is not the_key:
            self.admin.ask("DELETE", "/api/v1/keys/" + key_id)


def minted(case, secret):
    return mcp.Client(case.gateway).ask("POST", "/auth/api-key-login", {"api_key": secret}).message["access_token"]


def claims(token):
    import base64
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def the_key(case, key_id, secret):
    return secret, lambda: case.admin.ask("DELETE", "/api/v1/keys/" + key_id).status


def the_key_of_a_minted_token(case, key_id, secret):
    return minted(case, secret), lambda: case.admin.ask("DELETE", "/api/v1/keys/" + key_id).status


def a_logout(case, _, secret):
    token = minted(case, secret)
    return token, lambda: mcp.Client(case.gateway, token).ask("POST", "/auth/logout", {}).status


def a_logout_everywhere(case, _, secret):
    token = minted(case, secret)
    return token, lambda: mcp.Client(case.gateway, secret).ask("POST", "/auth/logout-all", {}).status


def an_admin_ends_the_session(case, _, secret):
    token = minted(case, secret)
    return token, lambda: case.admin.ask("DELETE", "/api/v1/sessions/" + claims(token)["sid"]).status


def the_owner_ends_the_session(case, _, secret):
    token = minted(case, secret)
    return token, lambda: mcp.Client(case.gateway, secret).ask("DELETE", "/auth/sessions/" + claims(token)["sid"]).status


def a_token_by_its_id(case, _, secret):
    token = minted(case, secret)
    return token, lambda: case.admin.ask("DELETE", "/api/v1/tokens/" + claims(token)["jti"]).status


WAYS = [the_key, the_key_of_a_minted_token, a_logout, a_logout_everywhere, an_admin_ends_the_session,
        the_owner_ends_the_session, a_token_by_its_id]


if __name__ == "__main__":
    unittest.main()
