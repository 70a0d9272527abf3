"""Revoking a key or disabling a user ends it at the next request, in every cache, and closes its open streams."""
import json
import unittest

import mcp
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


if __name__ == "__main__":
    unittest.main()
