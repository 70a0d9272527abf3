"""People: what an admin may do with them, what nobody may, and their passwords, over REST and the command line."""
import json
import os
import sqlite3
import threading
import unittest

import mcp
import processes
from gateway import SLOW, Gateway

FIRST = "Violet-Tractor-7-Moss"


class People(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("users-" + cls.__name__.lower(), cls.settings).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.user("chief", FIRST, "admin")
        cls.chief = mcp.Client(cls.gateway, cls.login("chief").message["access_token"])

    @classmethod
    def login(cls, name, password=FIRST):
        return mcp.Client(cls.gateway).ask("POST", "/api/v1/auth/login", {"username": name, "password": password})

    def person(self, name, role="user", password=FIRST):
        made = self.chief.ask("POST", "/admin/users", {"username": name, "email": name + "@example.org", "password": password,
                                                       "roles": [role]})
        self.assertEqual(made.status, 201, made)
        return made.message["id"]

    def as_user(self, name, password=FIRST):
        return mcp.Client(self.gateway, self.login(name, password).message["access_token"])


class Users(People):
    def test_an_admin_manages_people_by_the_paths_of_the_guide(self):
        """S1-16, S1-17, C1, C23: the same under /api/v1, /api and the root, with /admin and without."""
        made = self.chief.ask("POST", "/admin/users", {"username": "zoe", "email": "zoe@example.org", "password": FIRST,
                                                       "is_admin": False})
        self.assertEqual((made.status, made.message["roles"], made.message["must_change_password"]), (201, ["user"], False), made)
        self.assertNotIn(FIRST, made.body.decode())
        for path in ("/admin/users/", "/api/admin/users/", "/api/v1/admin/users/", "/users/", "/api/users/", "/api/v1/users/"):
            for who in ("zoe", made.message["id"]):
                self.assertEqual(self.chief.ask("GET", path + who).message["email"], "zoe@example.org")
        self.assertIn("zoe", [user["username"] for user in self.chief.ask("GET", "/admin/users").message["users"]])
        zoe = self.as_user("zoe")
        self.assertEqual(self.chief.ask("POST", "/admin/users/%s/toggle" % made.message["id"]).message["enabled"], False)
        self.assertEqual(zoe.ask("GET", "/api/v1/auth/me").status, 401)  # at once (section 7)
        self.assertEqual(self.login("zoe").status, 401)
        self.assertEqual(self.chief.ask("POST", "/admin/users/%s/toggle" % made.message["id"]).message["enabled"], True)
        self.assertEqual(self.login("zoe").status, 200)

    def test_the_audit_says_who_and_what_was_made(self):
        """S2-41: the new id and its roles, of a user and of a key."""
        person = self.person("made", "readonly")
        key = self.gateway.admin("POST", "/api/v1/keys", {"name": "made", "roles": ["readonly"], "can_read": True})
        for made in ("user=%s roles=readonly" % person, "key=%s roles=readonly" % key["id"]):
            processes.wait_until(lambda: self.gateway.audit(reason=made), 10 * SLOW, made)

    def test_roles_and_address_change_and_hold_at_the_next_request(self):
        """S1-17, S3-12."""
        self.person("yan")
        yan = self.as_user("yan")
        self.assertEqual(yan.ask("GET", "/admin/users").status, 403)
        changed = self.chief.ask("PUT", "/api/v1/users/yan", {"is_admin": True, "email": "yan@example.net"})
        self.assertEqual((changed.status, sorted(changed.message["roles"]), changed.message["email"]),
                         (200, ["admin", "user"], "yan@example.net"), changed)
        self.assertEqual(yan.ask("GET", "/admin/users").status, 200)
        self.assertEqual(self.chief.ask("PUT", "/api/v1/users/yan", {"roles": ["readonly"]}).message["roles"], ["readonly"])
        self.assertEqual(yan.ask("GET", "/admin/users").status, 403)
        for body in ({"roles": []}, {"roles": ["no-such"]}, {}, {"email": "not an address"}, {"password_hash": "x"}, {"username": "x"}):
            self.assertEqual(self.chief.ask("PUT", "/api/v1/users/yan", body).status, 400, body)
        self.assertEqual(self.chief.ask("PUT", "/api/v1/users/nobody", {"email": "a@b.example"}).status, 404)

    def test_ones_own_profile_is_read_and_its_address_changed(self):
        """S4-4: mass assignment of one's own roles is refused."""
        self.person("xenia")
        xenia = self.as_user("xenia")
        self.assertEqual(xenia.ask("GET", "/auth/me").message["email"], "xenia@example.org")
        self.assertEqual(xenia.ask("PUT", "/auth/me", {"email": "x@example.net"}).message["email"], "x@example.net")
        for body in ({"roles": ["admin"]}, {"is_admin": True}, {"email": "x@example.net", "enabled": True}, {"email": "x"}):
            self.assertEqual(xenia.ask("PUT", "/auth/me", body).status, 400, body)
        self.assertEqual(xenia.ask("GET", "/auth/me").message["roles"], ["user"])
        for method, path in (("GET", "/admin/users/chief"), ("PUT", "/admin/users/xenia"), ("DELETE", "/admin/users/chief"),
                             ("POST", "/admin/users/chief/toggle"), ("PUT", "/api/v1/users/chief/password")):
            self.assertEqual(xenia.ask(method, path, {}).status, 403, path)

    def test_deleting_ends_the_user_its_tokens_and_its_keys(self):
        """S1-17, and section 7: a deleted user's token is dead at once."""
        self.person("walt", "admin")
        walt = self.as_user("walt")
        key = walt.ask("POST", "/api/v1/keys", {"name": "walts", "can_read": True})
        self.assertEqual(key.status, 201, key)
        by_key = mcp.Client(self.gateway, key.message["api_key"])
        self.assertEqual(by_key.ask("GET", "/api/v1/auth/me").status, 200)
        self.assertEqual(self.chief.ask("DELETE", "/admin/users/walt").status, 204)
        self.assertEqual(walt.ask("GET", "/api/v1/auth/me").status, 401)
        self.assertEqual(by_key.ask("GET", "/api/v1/auth/me").status, 401)
        self.assertEqual(self.login("walt").status, 401)
        self.assertEqual(self.chief.ask("DELETE", "/admin/users/walt").status, 404)

    def test_what_a_deleted_admin_had_asked_for_is_not_done(self):
        """Section 7: new passwords are hashed one after the other; when the admin is gone, those that still wait make nobody."""
        self.person("fired", "admin")
        token = self.login("fired").message["access_token"]
        answers, begun = {}, threading.Event()

        def make(name):
            body = {"username": name, "password": "Harbour-Lemon-9-Quilt", "is_admin": True}
            answers[name] = mcp.Client(self.gateway, token).ask("POST", "/users", body).status
            begun.set()

        names = ["door-%d" % number for number in range(24)]
        threads = [threading.Thread(target=make, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        self.assertTrue(begun.wait(60))
        self.assertEqual(self.chief.ask("DELETE", "/users/fired").status, 204)
        there = {user["username"] for user in self.chief.ask("GET", "/users?limit=1000").message["data"]}
        for thread in threads:
            thread.join()
        after = {user["username"] for user in self.chief.ask("GET", "/users?limit=1000").message["data"]}
        self.assertEqual(after - there, set())
        self.assertIn(401, answers.values())
        self.assertLessEqual({name for name, status in answers.items() if status == 201}, there)

    def test_the_keys_of_a_demoted_admin_do_not_stay_an_admins(self):
        """S1-16: they would give the role back. Keys that are within the new roles stay."""
        self.person("ex", "admin")
        boss = mcp.Client(self.gateway, self.login("ex").message["access_token"])
        wide = boss.ask("POST", "/admin/api-keys", {"name": "wide", "roles": ["admin"]}).message
        small = boss.ask("POST", "/admin/api-keys", {"name": "small", "can_read": True}).message
        me = lambda key: mcp.Client(self.gateway, key["api_key"]).ask("GET", "/auth/me").status
        self.assertEqual((me(wide), me(small)), (200, 200))
        self.assertEqual(self.chief.ask("PUT", "/users/ex", {"roles": ["user"]}).status, 200)
        self.assertEqual((me(wide), me(small)), (401, 200))
        self.assertFalse(self.chief.ask("GET", "/keys/" + wide["id"]).message["enabled"])

    def test_a_reset_gives_a_one_time_password_that_must_be_changed(self):
        """S1-10, section 7."""
        self.person("vera")
        vera = self.as_user("vera")
        reset = self.chief.ask("PUT", "/admin/users/vera/password", {"generate": True})
        self.assertEqual((reset.status, reset.message["must_change_password"]), (200, True), reset)
        self.assertEqual(vera.ask("GET", "/auth/me").status, 401)  # its tokens are dead
        self.assertEqual(self.login("vera").status, 401)
        once = reset.message["password"]
        vera = self.as_user("vera", once)
        self.assertEqual(vera.ask("GET", "/api/v1/tools").status, 403)
        self.assertEqual(vera.ask("POST", "/auth/password", {"old_password": once, "new_password": "Quarry-Lantern-8-Fig"}).status, 204)
        self.assertEqual(self.as_user("vera", "Quarry-Lantern-8-Fig").ask("GET", "/api/v1/tools").status, 200)
        self.assertNotIn(once, self.gateway.log())

    def test_a_reset_is_asked_for_in_so_many_words_and_never_for_oneself(self):
        """S1-10: neither an empty body nor a form resets a password; one's own takes the old one."""
        self.person("rhea")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for body, headers in (({}, {}), ({"generate": False}, {}), ({"password": ""}, {}), (b"", form), (b"", {}),
                              ({"password": "Quarry-Lantern-8-Fig", "generate": True}, {})):
            self.assertEqual(self.chief.ask("PUT", "/admin/users/rhea/password", body, headers).status, 400, (body, headers))
        rhea = self.as_user("rhea")
        self.assertEqual([rhea.ask("POST", "/auth/password", b"", form).status for _ in range(7)], [400] * 7)  # no failed tries
        for body in ({"generate": True}, {"password": "Quarry-Lantern-8-Fig"}):
            refused = self.chief.ask("PUT", "/admin/users/chief/password", body)
            self.assertEqual((refused.status, "/auth/password" in refused.message["error"]["message"]), (400, True), refused)
        self.assertEqual(self.chief.ask("GET", "/auth/me").status, 200)

    def test_a_one_time_password_opens_no_change_of_the_profile(self):
        """S1-10."""
        made = self.chief.ask("POST", "/admin/users", {"username": "quin"})
        quin = self.as_user("quin", made.message["password"])
        self.assertEqual(quin.ask("GET", "/auth/me").status, 200)
        refused = quin.ask("PUT", "/auth/me", {"email": "q@example.net"})
        self.assertEqual((refused.status, refused.message["error"]["code"]), (403, "password_change_required"), refused)

    def test_roles_are_few_and_each_once(self):
        """An access token holds 64 at most: who has more could not log in, and sessions would be left behind."""
        self.person("pia")
        for roles in (["user"] * 2, ["user"] * 65, ["role-%d" % i for i in range(65)]):
            self.assertEqual(self.chief.ask("PUT", "/users/pia", {"roles": roles}).status, 400, len(roles))
            self.assertEqual(self.chief.ask("POST", "/users", {"username": "pip", "roles": roles}).status, 400, len(roles))
        both = self.chief.ask("POST", "/users", {"username": "pat", "roles": ["admin"], "is_admin": True})
        self.assertEqual((both.status, both.message["roles"]), (201, ["admin"]), both)
        for change, roles in (({"is_admin": True}, ["user", "admin"]), ({"roles": ["auditor"], "is_admin": True}, ["auditor", "admin"]),
                              ({"is_admin": False}, ["auditor"]), ({"roles": ["admin"], "is_admin": False}, ["user"])):
            self.assertEqual(self.chief.ask("PUT", "/users/pia", change).message["roles"], roles, change)
        self.assertEqual(self.login("pia").status, 200)

    def test_who_must_wait_to_change_the_password_is_told_how_long(self):
        """S2-39."""
        self.person("olaf")
        olaf = self.as_user("olaf")
        tries = [olaf.ask("POST", "/auth/password", {"old_password": "no", "new_password": "Quarry-Lantern-8-Fig"}) for _ in range(8)]
        waits = [tried.headers["retry-after"] for tried in tries if tried.status == 429]
        self.assertTrue(waits and all(int(wait) >= 1 for wait in waits), tries)

    def test_names_that_could_stand_for_another_user_are_refused(self):
        victim = self.person("ursula")
        for name in (victim, "", " x", "x\n", "y" * 256, "0123456789abcdef", "user:" + victim, "local:0", ".", "..", "ursula\u200b",
                     "\u202eursula", "ursula\u00a0", "ursula\u0085"):
            made = self.chief.ask("POST", "/admin/users", {"username": name, "password": FIRST})
            self.assertEqual(made.status, 400, (name, made))
        self.assertEqual(self.chief.ask("POST", "/admin/users", {"username": "ursula", "password": FIRST}).status, 409)

    def test_the_command_line_does_what_rest_does(self):
        """S1-17: user add, show, update, toggle, delete."""
        run = self.gateway.cli
        self.gateway.user("tom", FIRST)
        self.assertEqual(json.loads(run("user", "show", "tom", "--json"))["roles"], ["user"])
        run("user", "update", "tom", "--email", "tom@example.org", "--role", "readonly", "--role", "auditor")
        shown = json.loads(run("user", "show", "tom", "--json"))
        self.assertEqual((shown["email"], shown["roles"]), ("tom@example.org", ["readonly", "auditor"]))
        self.assertEqual(json.loads(run("user", "toggle", "tom", "--json"))["enabled"], False)
        self.assertEqual(self.gateway.run("user", "update", "tom").code, 2)
        run("user", "delete", "tom")
        self.assertEqual(self.gateway.run("user", "show", "tom").code, 4)


class LastAdmin(unittest.TestCase):
    def test_nobody_locks_the_house_from_outside(self):
        """S1-17 and section 7: never oneself (400), never the last enabled admin."""
        with Gateway("last-admin") as gateway:
            gateway.user("second", FIRST, "admin")
            login = mcp.Client(gateway).ask("POST", "/auth/login", {"username": "second", "password": FIRST})
            second = mcp.Client(gateway, login.message["access_token"])
            for method, path in (("DELETE", "/admin/users/second"), ("POST", "/admin/users/second/toggle"),
                                 ("POST", "/api/v1/users/second/disable")):
                self.assertEqual(second.ask(method, path).status, 400, path)
            self.assertEqual(second.ask("POST", "/admin/users/admin/toggle").message["enabled"], False)
            self.assertEqual(second.ask("PUT", "/admin/users/second", {"roles": ["user"]}).status, 409)
            self.assertEqual(second.ask("PUT", "/admin/users/second", {"is_admin": False}).status, 409)
            for what in ("disable", "toggle", "delete"):  # the operator at the machine is nobody's self
                ran = gateway.run("user", what, "second")
                self.assertEqual(ran.code, 1, ran)
                self.assertIn("last enabled admin", ran.err)
            self.assertEqual(second.ask("DELETE", "/admin/users/admin").status, 204)  # a disabled admin is no admin
            self.assertEqual(second.ask("GET", "/admin/users").message["total"], 1)


class GuidePasswords(People):
    def change(self, name, old, new):
        return self.as_user(name, old).ask("POST", "/auth/password", {"old_password": old, "new_password": new})

    def test_twelve_characters_of_four_classes(self):
        """S2-35, C8: each refusal says what is missing."""
        wanted = {"Vkcdqfgzi1!": "12 characters", "vkcdqfgzijk1!": "upper-case", "Vkcdqfgzijkl!": "digit", "Vkcdqfgzijk12": "symbol",
                  "admin": "published default", "Strawberry-12!": "common", "Xy7!sally-words": "user name"}
        for password, word in wanted.items():
            made = self.chief.ask("POST", "/admin/users", {"username": "sally-words", "password": password})
            self.assertEqual((made.status, word in made.message["error"]["message"]), (400, True), (password, made))
            self.assertNotIn(password, made.body.decode().replace("admin", "") + self.gateway.log())

    def test_the_last_five_do_not_come_again(self):
        """S2-37."""
        self.person("rita")
        used = [FIRST] + ["Quarry-Lantern-%d-Fig" % i for i in range(1, 6)]
        for old, new in zip(used[:4], used[1:5]):
            self.assertEqual(self.change("rita", old, new).status, 204)
        for again in used[:5]:
            refused = self.change("rita", used[4], again)
            self.assertEqual((refused.status, "used before" in refused.message["error"]["message"]), (400, True), again)
        refused = self.chief.ask("PUT", "/admin/users/rita/password", {"password": used[2]})
        self.assertEqual(refused.status, 400, refused)
        self.assertEqual(self.change("rita", used[4], used[5]).status, 204)
        self.assertEqual(self.change("rita", used[5], FIRST).status, 204)

    def test_after_ninety_days_a_login_opens_nothing_but_the_change(self):
        """S2-36. The age is moved in the store of a stopped gateway, and survives restarts."""
        with Gateway("old-password") as gateway:
            gateway.user("paul", FIRST, "admin")
            ask = lambda: mcp.Client(gateway).ask("POST", "/auth/login", {"username": "paul", "password": FIRST})
            self.assertEqual(ask().message["must_change_password"], False)
            self.age(gateway, 89)
            self.assertEqual(ask().message["must_change_password"], False)
            self.age(gateway, 91)
            login = ask()
            self.assertEqual((login.status, login.message["must_change_password"]), (200, True), login)
            paul = mcp.Client(gateway, login.message["access_token"])
            self.assertEqual(paul.ask("GET", "/admin/users").message["error"]["code"], "password_change_required")
            changed = paul.ask("POST", "/auth/password", {"old_password": FIRST, "new_password": "Quarry-Lantern-9-Fig"})
            self.assertEqual(changed.status, 204, changed)
            login = mcp.Client(gateway).ask("POST", "/auth/login", {"username": "paul", "password": "Quarry-Lantern-9-Fig"})
            self.assertEqual(login.message["must_change_password"], False)

    def age(self, gateway, days):
        gateway.stop()
        with sqlite3.connect(os.path.join(gateway.home, "sallyport.db")) as db:
            db.execute("UPDATE users SET password_set_at = created_at - ? WHERE name = 'paul'", (days * 86_400_000_000,))
        db.close()
        gateway.start()


class NistPasswords(GuidePasswords):
    settings = {"passwords.profile": "nist"}

    def test_twelve_characters_of_four_classes(self):
        """C21, NIST SP 800-63B-4: fifteen of any kind; common and context words are refused."""
        for password, word in {"Vkcdqfgzijmw1!": "15 characters", "sunshine sunshine": "common", "my nina-words rule": "user name",
                               "aaaaaaaaaaaaaaaaaa": "repetition", "change-me-now-now": "published default"}.items():
            made = self.chief.ask("POST", "/admin/users", {"username": "nina-words", "password": password})
            self.assertEqual((made.status, word in made.message["error"]["message"]), (400, True), (password, made))
        self.person("nina-words", password="violet tractor under the moss")

    def test_the_last_five_do_not_come_again(self):
        """C21: only the one in use is refused."""
        self.person("rita")
        self.assertEqual(self.change("rita", FIRST, FIRST).status, 400)
        self.assertEqual(self.change("rita", FIRST, "violet tractor under the moss").status, 204)
        self.assertEqual(self.change("rita", "violet tractor under the moss", FIRST).status, 204)

    def test_after_ninety_days_a_login_opens_nothing_but_the_change(self):
        """C21: a password has no age."""
        with Gateway("old-nist-password", self.settings) as gateway:
            gateway.user("paul", FIRST, "admin")
            self.age(gateway, 4000)
            login = mcp.Client(gateway).ask("POST", "/auth/login", {"username": "paul", "password": FIRST})
            self.assertEqual((login.status, login.message["must_change_password"]), (200, False), login)


if __name__ == "__main__":
    unittest.main()
