"""Login sessions, refresh tokens and tokens minted from keys, over REST and the command line (S1-9, S1-12, S2-3, S3-23)."""
import json
import os
import sqlite3
import threading
import time
import unittest

import mcp
import processes
from gateway import Gateway

PASSWORD = "Correct-Horse-7-Battery"
HOUR = 3_600_000_000


class Sessions(unittest.TestCase):
    SETTINGS = {}

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("sessions", cls.SETTINGS).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()
        cls.gateway.user("root", PASSWORD, "admin")

    def person(self, name):
        self.gateway.user(name, PASSWORD)
        return name

    def post(self, path, body, headers=None):
        return mcp.Client(self.gateway).ask("POST", path, body, headers)

    def login(self, name, headers=None):
        answer = self.post("/auth/login", {"username": name, "password": PASSWORD}, headers)
        self.assertEqual(answer.status, 200, answer)
        return answer.message

    def refresh(self, token, headers=None):
        return self.post("/auth/refresh", {"refresh_token": token}, headers)

    def client(self, tokens):
        return mcp.Client(self.gateway, tokens["access_token"])

    def status(self, tokens, headers=None):
        return self.client(tokens).ask("GET", "/auth/me", headers=headers).status

    def sessions(self, tokens):
        answer = self.client(tokens).ask("GET", "/auth/sessions")
        self.assertEqual(answer.status, 200, answer)
        return answer.message["data"]

    def only_session(self, tokens):
        found = [entry for entry in self.sessions(tokens) if entry["current"]]
        self.assertEqual(len(found), 1)
        return found[0]["id"]


class Refreshing(Sessions):
    def test_a_login_answers_both_tokens(self):
        """S0-1, S1-8, S1-9, C1: on each path, in both forms."""
        name = self.person("ada")
        json_body = {"username": name, "password": PASSWORD}
        form = ("username=%s&password=%s" % (name, PASSWORD)).encode()
        for path in ("/auth/login", "/api/auth/login", "/api/v1/auth/login"):
            for body, kind in ((json_body, "application/json"), (form, "application/x-www-form-urlencoded")):
                answer = self.post(path, body, {"Content-Type": kind})
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual((answer.message["token_type"], answer.message["expires_in"]), ("bearer", 1800))
                self.assertTrue(answer.message["access_token"] and answer.message["refresh_token"])
                self.assertEqual(answer.headers["cache-control"], "no-store")

    def test_a_refresh_answers_as_a_login_does(self):
        """S1-9, section 7: POST /auth/refresh {refresh_token} answers as login does."""
        first = self.login(self.person("bea"))
        answer = self.refresh(first["refresh_token"])
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(set(answer.message), set(first))
        self.assertEqual(self.status(answer.message), 200)
        self.assertEqual(len(self.sessions(answer.message)), 1)

    def test_a_refresh_token_is_no_access_token_nor_the_other_way_round(self):
        """Section 7: S1 took refresh tokens as access tokens."""
        tokens = self.login(self.person("cid"))
        self.assertEqual(mcp.Client(self.gateway, tokens["refresh_token"]).ask("GET", "/auth/me").status, 401)
        self.assertEqual(self.refresh(tokens["access_token"]).status, 401)
        self.assertEqual(self.status(tokens), 200)

    def test_a_reused_refresh_token_ends_the_family(self):
        """RFC 9700 4.14.2: the tokens that came of it are dead too, those of another login are not."""
        name = self.person("dan")
        first, other = self.login(name), self.login(name)
        second = self.refresh(first["refresh_token"]).message
        self.assertEqual(self.status(second), 200)
        self.assertEqual(self.refresh(first["refresh_token"]).status, 401)
        for tokens in (first, second):
            self.assertEqual(self.status(tokens), 401)
            self.assertEqual(self.refresh(tokens["refresh_token"]).status, 401)
        self.assertEqual(self.status(other), 200)
        said = [r["reason"] for r in self.gateway.audit(action="refresh", kind="outcome") if "reused" in r.get("reason", "")]
        self.assertTrue(said, "the reuse stands in the evidence")

    def test_parallel_refreshes_of_one_token_yield_one(self):
        token = self.login(self.person("eva"))["refresh_token"]
        start, statuses = threading.Barrier(8), []

        def try_it():
            client = mcp.Client(self.gateway)
            client.connection.connect()
            start.wait()
            statuses.append(client.ask("POST", "/auth/refresh", {"refresh_token": token}).status)
        threads = [threading.Thread(target=try_it) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(statuses), [200] + [401] * 7)

    def test_a_bad_body_is_told_what_is_wrong(self):
        for path, body in (("/auth/refresh", {}), ("/auth/refresh", {"refresh_token": 7}), ("/auth/api-key-login", {}),
                           ("/auth/api-key-login", {"api_key": "x", "more": 1})):
            self.assertEqual(self.post(path, body).status, 400, (path, body))
        self.assertEqual(self.refresh("nonsense").status, 401)
        self.assertEqual(self.post("/auth/api-key-login", {"api_key": "nonsense"}).status, 401)

    def test_no_refresh_token_is_written_anywhere(self):
        """Hashed at rest: neither the store nor log nor audit have it."""
        tokens = self.login(self.person("fay"))
        tokens = self.refresh(tokens["refresh_token"]).message
        secret = tokens["refresh_token"].rsplit(".", 2)[1].encode()
        for folder, _, names in os.walk(self.gateway.home):
            for name in names:
                if name == "admin.sock":
                    continue
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(secret, file.read(), name)
        self.assertNotIn(secret.decode(), self.gateway.log())


class ByKey(Sessions):
    def test_a_key_buys_tokens_that_may_what_it_may(self):
        """S1-12: POST /auth/api-key-login {api_key}."""
        key = self.gateway.key("reader", execute=False)
        answer = self.post("/auth/api-key-login", {"api_key": key.secret})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.message["token_type"], "bearer")
        me = self.client(answer.message).ask("GET", "/auth/me").message
        self.assertEqual((me["id"], me["auth_type"]), ("key:" + key.id, "jwt"))
        self.assertEqual(self.client(answer.message).ask("GET", "/api/v1/tools").status, 200)
        called = self.client(answer.message).ask("POST", "/api/tools/calc_add/execute", {"arguments": {"a": 1, "b": 1}})
        self.assertEqual(called.status, 403, called)
        self.assertEqual(self.status(self.refresh(answer.message["refresh_token"]).message), 200)

    def test_minted_tokens_die_with_their_key(self):
        """S1-12, done-when 6."""
        key = self.gateway.key("doomed")
        tokens = self.post("/auth/api-key-login", {"api_key": key.secret}).message
        session = mcp.Session(self.gateway, tokens["access_token"]).open()
        self.assertIn("2", session.text("calc_add", {"a": 1, "b": 1}))
        self.gateway.cli("key", "revoke", key.id)
        self.assertEqual(self.status(tokens), 401)
        self.assertEqual(session.call("calc_add", {"a": 1, "b": 1}).status, 401)
        self.assertEqual(self.refresh(tokens["refresh_token"]).status, 401)
        self.assertEqual(self.post("/auth/api-key-login", {"api_key": key.secret}).status, 401)

    def test_a_token_is_no_key(self):
        tokens = self.login(self.person("gus"))
        self.assertEqual(self.post("/auth/api-key-login", {"api_key": tokens["access_token"]}).status, 401)


class Ending(Sessions):
    def test_the_owner_sees_and_ends_own_sessions_only(self):
        """S2-3, S3-23."""
        ada, bob = self.person("ann"), self.person("bob")
        first, second = self.login(ada, {"User-Agent": "phone/1"}), self.login(ada)
        other = self.login(bob)
        listed = self.sessions(second)
        self.assertEqual(len(listed), 2)
        self.assertEqual([entry["current"] for entry in listed].count(True), 1)
        phone = [entry for entry in listed if entry["user_agent"] == "phone/1"][0]
        self.assertEqual((phone["name"], phone["address"]), ("ann", "127.0.0.1"))
        foreign = self.client(second).ask("DELETE", "/auth/sessions/" + self.only_session(other))
        self.assertEqual(foreign.status, 404, foreign)
        self.assertEqual(self.client(second).ask("GET", "/sessions").status, 403)
        self.assertEqual(self.client(second).ask("DELETE", "/auth/sessions/" + phone["id"]).status, 204)
        self.assertEqual((self.status(first), self.status(second), self.status(other)), (401, 200, 200))
        self.assertEqual(self.refresh(first["refresh_token"]).status, 401)

    def test_logout_ends_access_and_refresh(self):
        """Section 7: logout never worked in S2."""
        tokens = self.login(self.person("cat"))
        self.assertEqual(self.client(tokens).ask("POST", "/auth/logout", {}).status, 204)
        self.assertEqual(self.status(tokens), 401)
        self.assertEqual(self.refresh(tokens["refresh_token"]).status, 401)

    def test_logout_everywhere(self):
        name = self.person("dot")
        all_of_them = [self.login(name) for _ in range(3)]
        other = self.login(self.person("eli"))
        self.assertEqual(self.client(all_of_them[0]).ask("POST", "/auth/logout-all", {}).status, 204)
        self.assertEqual({self.status(tokens) for tokens in all_of_them}, {401})
        self.assertEqual({self.refresh(tokens["refresh_token"]).status for tokens in all_of_them}, {401})
        self.assertEqual(self.status(other), 200)
        self.assertEqual(self.status(self.login(name)), 200)

    def test_an_admin_ends_sessions_and_tokens(self):
        name, admin = self.person("fox"), self.login("root")
        first, second, third = (self.login(name) for _ in range(3))
        listed = self.client(admin).ask("GET", "/api/v1/sessions?user=fox")
        self.assertEqual(len(listed.message["data"]), 3, listed)
        gone = self.client(admin).ask("DELETE", "/api/v1/sessions/" + self.only_session(first))
        self.assertEqual((gone.status, self.status(first), self.status(second)), (204, 401, 200))
        jti = json.loads(mcp_payload(second["access_token"]))["jti"]
        self.assertEqual(self.client(admin).ask("DELETE", "/api/v1/tokens/" + jti).status, 204)
        self.assertEqual(self.status(second), 401)
        self.assertEqual(self.status(self.refresh(second["refresh_token"]).message), 200)  # the session goes on
        self.assertEqual(self.client(admin).ask("DELETE", "/api/v1/users/fox/sessions").status, 204)
        self.assertEqual(self.status(third), 401)
        self.assertEqual(self.client(admin).ask("DELETE", "/api/v1/sessions/nobody").status, 404)

    def test_a_new_password_ends_every_session(self):
        """S1-10."""
        name = self.person("gil")
        first, second = self.login(name), self.login(name)
        changed = self.client(first).ask("POST", "/auth/password",
                                         {"old_password": PASSWORD, "new_password": PASSWORD + "-next"})
        self.assertEqual(changed.status, 204, changed)
        for tokens in (first, second):
            self.assertEqual(self.status(tokens), 401)
            self.assertEqual(self.refresh(tokens["refresh_token"]).status, 401)

    def test_no_login_with_the_old_password_outlives_its_change(self):
        """S1-10, done when 6 of identity: logins and refreshes run while the change is being hashed."""
        name = self.person("racer")
        tokens, opened, ended = self.login(name), [], threading.Event()

        def go_on():
            while not ended.is_set():
                answer = self.post("/auth/login", {"username": name, "password": PASSWORD})
                if answer.status == 200:
                    opened.append(answer.message)

        racer = threading.Thread(target=go_on)
        racer.start()
        changed = self.client(tokens).ask("POST", "/auth/password", {"old_password": PASSWORD, "new_password": PASSWORD + "-new"})
        alive = [self.status(others) for others in list(opened)]
        ended.set()
        racer.join()
        self.assertEqual(changed.status, 204, changed)
        self.assertEqual(set(alive) | {self.status(others) for others in opened}, {401} if opened else set())
        self.assertEqual({self.refresh(others["refresh_token"]).status for others in opened}, {401} if opened else set())

    def test_the_sixth_session_ends_the_oldest(self):
        """Sessions, at most 5 each."""
        name = self.person("hal")
        tokens = [self.login(name) for _ in range(6)]
        self.assertEqual([self.status(one) for one in tokens], [401] + [200] * 5)

    def test_the_command_line(self):
        """CLI equals REST."""
        name = self.person("ian")
        first, second = self.login(name, {"User-Agent": "laptop"}), self.login(name)
        table = self.gateway.cli("session", "list", "--user", name)
        self.assertIn("laptop", table)
        listed = json.loads(self.gateway.cli("session", "list", "--user", name, "--json"))["data"]
        self.assertEqual(len(listed), 2)
        self.assertIn("ended", self.gateway.cli("session", "end", self.only_session(first)))
        self.assertEqual((self.status(first), self.status(second)), (401, 200))
        self.gateway.cli("token", "revoke", json.loads(mcp_payload(second["access_token"]))["jti"])
        self.assertEqual(self.status(second), 401)
        third = self.login(name)
        self.gateway.cli("session", "end", "--user", name)
        self.assertEqual(self.status(third), 401)
        self.assertEqual(self.gateway.run("session", "end").code, 2)
        self.assertEqual(self.gateway.run("session", "end", "nobody").code, 4)


class Lifetimes(Sessions):
    def store(self, statement, *values):
        """Time cannot be waited for here: what the clock would do is done to the stored times, between two runs."""
        self.gateway.stop()
        database = sqlite3.connect(os.path.join(self.gateway.home, "sallyport.db"))
        with database:
            database.execute(statement, values)
        database.close()
        self.gateway.start()

    def test_sessions_outlive_a_restart_and_end_idle_or_old(self):
        """S2-3: 60 minutes idle, 12 hours in all."""
        names = [self.person(name) for name in ("idle", "old", "kept")]
        tokens = {name: self.login(name) for name in names}
        ids = {name: self.only_session(tokens[name]) for name in names}
        self.store("UPDATE login_sessions SET last_used_at = last_used_at - ? WHERE id = ?", HOUR, ids["idle"])
        self.store("UPDATE login_sessions SET expires_at = expires_at - ? WHERE id = ?", 12 * HOUR, ids["old"])
        for name in ("idle", "old"):
            self.assertEqual(self.status(tokens[name]), 401, name)
            self.assertEqual(self.refresh(tokens[name]["refresh_token"]).status, 401, name)
        self.assertEqual(self.status(tokens["kept"]), 200)
        self.assertEqual(self.refresh(tokens["kept"]["refresh_token"]).status, 200)

        def left():
            database = sqlite3.connect(os.path.join(self.gateway.home, "sallyport.db"))
            found = {row[0] for row in database.execute("SELECT id FROM login_sessions")}
            database.close()
            return found
        processes.wait_until(lambda: not {ids["idle"], ids["old"]} & left(), 10, "the sweep")
        self.assertIn(ids["kept"], left())

    def test_tokens_that_were_ended_while_the_clock_was_ahead_lock_nobody_out(self):
        """S1-10: the next login mends it, ends what there was, and the audit says so."""
        name = self.person("ahead")
        before = self.login(name)
        self.store("UPDATE users SET tokens_valid_from = ? WHERE name = ?", int(time.time() * 10**6) + 2 * HOUR, name)
        self.assertEqual(self.status(before), 401)
        after = self.login(name)
        self.assertEqual((self.status(before), self.status(after)), (401, 200))
        lowered = lambda: [r for r in self.gateway.audit() if r.get("reason", "").endswith(" tokens_valid_from=lowered")]
        processes.wait_until(lambda: len(lowered()) == 1, 10, "the record")


class FailingStore(Sessions):
    def test_what_cannot_be_stored_fails_closed(self):
        """Done-when 6, S4-2: a session ends though the store fails, and the answer says so; nobody is let in without one."""
        name = self.person("ivy")
        ended, revoked, kept = (self.login(name) for _ in range(3))
        used = self.login(name)["refresh_token"]
        jti = json.loads(mcp_payload(revoked["access_token"]))["jti"]
        database = sqlite3.connect(os.path.join(self.gateway.home, "sallyport.db"), isolation_level=None)
        database.execute("BEGIN IMMEDIATE")  # every write of the gateway fails after its busy time-out
        try:
            self.assertEqual(self.client(ended).ask("POST", "/auth/logout", {}).status // 100, 5)
            self.assertEqual(self.status(ended), 401)
            self.assertEqual(self.gateway.run("token", "revoke", jti).code, 1)
            self.assertEqual(self.status(revoked), 401)
            self.assertEqual(self.post("/auth/login", {"username": name, "password": PASSWORD}).status // 100, 5)
            self.assertEqual(self.refresh(used).status // 100, 5)
            self.assertEqual(self.status(kept), 200)
        finally:
            database.execute("ROLLBACK")
            database.close()
        self.assertEqual(self.refresh(used).status, 200, "and the refresh token was not spent")


class Bound(Sessions):
    SETTINGS = {"auth.session_binding": "user_agent"}

    def test_a_token_from_another_client_is_refused(self):
        """Sessions are bound to client properties by setting."""
        tokens = self.login(self.person("jan"), {"User-Agent": "mine"})
        self.assertEqual(self.status(tokens, {"User-Agent": "mine"}), 200)
        self.assertEqual(self.status(tokens, {"User-Agent": "thief"}), 401)
        self.assertEqual(self.refresh(tokens["refresh_token"], {"User-Agent": "thief"}).status, 401)
        self.assertEqual(self.refresh(tokens["refresh_token"], {"User-Agent": "mine"}).status, 200)


def mcp_payload(token):
    import base64
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


if __name__ == "__main__":
    unittest.main()
