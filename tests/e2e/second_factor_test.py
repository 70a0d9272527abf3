"""The second factor, as people meet it: setting it up, logging in, losing it; and where it is asked for again."""
import base64
import json
import os
import sqlite3
import unittest

import mcp
import totp
from gateway import Gateway

FIRST = "Violet-Tractor-7-Moss"


class Case(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("mfa-" + cls.__name__.lower(), cls.settings).__enter__()
        cls.addClassCleanup(cls.gateway.close)

    def post(self, path, body, token=None):
        return mcp.Client(self.gateway, token).ask("POST", path, body)

    def first_step(self, name):
        return self.post("/api/v1/auth/login", {"username": name, "password": FIRST})

    def token(self, name):
        answer = self.first_step(name)
        self.assertEqual(answer.status, 200, answer)
        return answer.message["access_token"]

    def enrolled(self, name, role="user"):
        """A user with a second factor: its secret, recovery codes and a token. The code of the step before is used up."""
        self.gateway.user(name, FIRST, role)
        token = self.token(name)
        made = self.post("/api/v1/auth/mfa/enroll", {}, token)
        self.assertEqual(made.status, 201, made)
        done = self.post("/api/v1/auth/mfa/confirm", {"code": totp.code(made.message["secret"], -1)}, token)
        self.assertEqual(done.status, 200, done)
        return made.message["secret"], done.message["recovery_codes"], token

    def second_step(self, name, code):
        half = self.first_step(name)
        self.assertEqual((half.status, half.message["error"]["code"]), (401, "second_factor_required"), half)
        self.assertNotIn("access_token", half.body.decode())
        return self.post("/api/v1/auth/mfa/verify", {"mfa_token": half.message["error"]["details"]["mfa_token"], "code": code})


class SecondFactor(Case):
    def test_a_login_takes_two_steps_and_each_code_is_good_once(self):
        """S2-4, S3-23, RFC 6238."""
        secret, _, _ = self.enrolled("ann")
        code = totp.code(secret)
        done = self.second_step("ann", code)
        self.assertEqual(done.status, 200, done)
        self.assertEqual(mcp.Client(self.gateway, done.message["access_token"]).ask("GET", "/auth/me").message["name"], "ann")
        self.assertEqual(self.second_step("ann", code).status, 401)  # replayed
        later = totp.code(secret, 1)  # drift of one step
        self.assertEqual(self.second_step("ann", later).status, 200)
        self.assertEqual(self.second_step("ann", totp.code(secret, 5)).status, 401)
        for body in ({"mfa_token": "x" * 100, "code": later}, {"mfa_token": "", "code": ""}):
            self.assertEqual(self.post("/api/v1/auth/mfa/verify", body).status, 401, body)
        form = mcp.Client(self.gateway).ask("POST", "/auth/login", {"username": "ann", "password": "wrong"})
        self.assertEqual((form.status, form.message["error"]["code"]), (401, "authentication_failed"))  # before any second step

    def test_recovery_codes_stand_in_once_each(self):
        _, codes, token = self.enrolled("bea")
        self.assertEqual(len(set(codes)), 10)
        self.assertEqual(self.second_step("bea", codes[0]).status, 200)
        self.assertEqual(self.second_step("bea", codes[0]).status, 401)
        self.assertEqual(self.second_step("bea", codes[1].lower().replace("-", " ")).status, 200)
        status = mcp.Client(self.gateway, token).ask("GET", "/api/v1/auth/mfa").message
        self.assertEqual((status["enabled"], status["recovery_codes_left"]), (True, 8))
        fresh = self.post("/auth/mfa/recovery", {"code": codes[2]}, token)
        self.assertEqual((fresh.status, len(fresh.message["recovery_codes"])), (200, 10), fresh)
        self.assertEqual(self.second_step("bea", codes[3]).status, 401)
        self.assertEqual(self.second_step("bea", fresh.message["recovery_codes"][0]).status, 200)

    def test_setting_it_up_ends_what_the_password_alone_opened(self):
        """S3-23: a thief of the password who was there first is out."""
        self.gateway.user("hal", FIRST, "admin")
        thief, owner = self.token("hal"), self.token("hal")
        secret = self.post("/auth/mfa/enroll", {}, owner).message["secret"]
        self.assertEqual(self.post("/auth/mfa/confirm", {"code": totp.code(secret, -1)}, owner).status, 200)
        me = lambda token: mcp.Client(self.gateway, token).ask("GET", "/auth/me").status
        self.assertEqual((me(thief), me(owner)), (401, 200))

    def test_a_stolen_session_sets_up_no_factor_of_its_own(self):
        """S3-23: beyond a login of just now the password is asked, with the delays of a login."""
        self.gateway.user("lou", FIRST)
        token = self.token("lou")
        enroll = lambda body: self.post("/api/v1/auth/mfa/enroll", body, token)
        self.assertEqual(enroll({}).status, 201)
        self.gateway.stop()  # time cannot be waited for: the login becomes eleven minutes older between two runs
        database = sqlite3.connect(os.path.join(self.gateway.home, "sallyport.db"))
        with database:
            database.execute("UPDATE login_sessions SET created_at = created_at - ?", (11 * 60 * 10**6,))
        database.close()
        self.gateway.start()
        refused = enroll({})
        self.assertEqual((refused.status, refused.message["error"]["code"]), (400, "validation_error"), refused)
        self.assertIn("password", refused.message["error"]["message"])
        self.assertEqual(enroll({"password": "Wrong-Password-1"}).status, 403)
        self.assertEqual(enroll({"password": FIRST}).status, 201)
        guesses = []
        while not guesses or guesses[-1].status == 403:
            guesses.append(enroll({"password": "Wrong-Password-1"}))
            self.assertLess(len(guesses), 9, "no delay after so many guesses")
        self.assertEqual(guesses[-1].status, 429, guesses[-1])
        self.assertIn("retry-after", guesses[-1].headers)

    def test_the_qr_code_comes_as_text_svg_and_png(self):
        self.gateway.user("cleo", FIRST)
        made = self.post("/auth/mfa/enroll", {}, self.token("cleo"))
        self.assertEqual(made.headers["cache-control"], "no-store")
        self.assertTrue(made.message["uri"].startswith("otpauth://totp/Sallyport:cleo?secret=" + made.message["secret"]))
        self.assertTrue(made.message["qr_svg"].startswith("<svg "))
        self.assertIn("▀", made.message["qr_text"])
        kind, data = made.message["qr_png"].split(",")
        self.assertEqual((kind, base64.b64decode(data)[:8]), ("data:image/png;base64", b"\x89PNG\r\n\x1a\n"))

    def test_secrets_and_codes_rest_sealed_or_hashed(self):
        """Nothing in the home or the log is a secret, a code or a recovery code."""
        secret, codes, _ = self.enrolled("dora")
        raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
        forms = [secret.encode(), raw, raw.hex().encode(), base64.b64encode(raw)[:24], codes[0].encode(), codes[0].replace("-", "").encode()]
        for folder, _, names in os.walk(self.gateway.folder):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.isfile(path):  # the admin socket
                    continue
                with open(path, "rb") as file:
                    text = file.read()
                for form in forms:
                    self.assertNotIn(form, text, path)

    def test_an_owner_disables_it_with_a_code_and_an_admin_resets_it(self):
        secret, codes, token = self.enrolled("eve")
        self.assertEqual(self.post("/auth/mfa/disable", {"code": "000000"}, token).status, 401)
        self.assertEqual(self.post("/auth/mfa/disable", {"code": codes[0]}, token).status, 204)
        self.assertEqual(self.first_step("eve").status, 200)
        _, _, token = self.enrolled("fay")
        self.gateway.user("helper", FIRST, "admin")
        helper = mcp.Client(self.gateway, self.token("helper"))
        self.assertEqual(mcp.Client(self.gateway, token).ask("DELETE", "/api/v1/users/fay/mfa").status, 403)
        self.assertEqual(helper.ask("POST", "/api/v1/users/fay/mfa/enroll", {}).status, 403)  # its owner's alone
        self.assertEqual(helper.ask("DELETE", "/api/v1/users/fay/mfa").status, 204)
        self.assertEqual(mcp.Client(self.gateway, token).ask("GET", "/auth/me").status, 401)
        self.assertEqual(self.first_step("fay").status, 200)

    def test_guessing_codes_meets_growing_delays(self):
        """S2-39: of the second step too; and the password's right answer does not reset them."""
        secret, _, _ = self.enrolled("gia")
        half = self.first_step("gia").message["error"]["details"]["mfa_token"]
        seen = [self.post("/auth/mfa/verify", {"mfa_token": half, "code": "%06d" % i}) for i in range(8)]
        self.assertEqual([a.status for a in seen[:5]], [401] * 5)
        self.assertEqual(seen[-1].status, 429, seen[-1])
        self.assertGreaterEqual(int(seen[-1].headers["retry-after"]), 1)
        half = self.first_step("gia").message["error"]["details"]["mfa_token"]
        self.assertEqual(self.post("/auth/mfa/verify", {"mfa_token": half, "code": totp.code(secret)}).status, 429)

    def test_the_command_line_sets_it_up_for_a_user(self):
        """mfa enroll, confirm, status, recovery, disable."""
        self.gateway.user("ida", FIRST)
        files = [os.path.join(self.gateway.folder, "ida" + kind) for kind in (".svg", ".png")]
        made = json.loads(self.gateway.cli("mfa", "enroll", "ida", "--json"))
        shown = self.gateway.cli("mfa", "enroll", "ida", "--svg", files[0], "--png", files[1])
        self.assertIn("█", shown)
        secret = [line.split()[1] for line in shown.splitlines() if line.startswith("secret")][0]
        self.assertNotEqual(secret, made["secret"])  # an unconfirmed one is replaced
        for path, start in zip(files, (b"<svg", b"\x89PNG")):
            with open(path, "rb") as file:
                self.assertTrue(file.read().startswith(start))
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(self.gateway.run("mfa", "confirm", "ida", stdin="123\n").code, 1)
        self.assertIn("Recovery codes", self.gateway.cli("mfa", "confirm", "ida", stdin=totp.code(secret, -1) + "\n"))
        self.assertEqual(self.second_step("ida", totp.code(secret)).status, 200)
        fresh = json.loads(self.gateway.cli("mfa", "recovery", "ida", "--json"))["recovery_codes"]
        self.assertEqual(self.second_step("ida", fresh[9]).status, 200)
        self.assertEqual(json.loads(self.gateway.cli("mfa", "status", "ida", "--json"))["recovery_codes_left"], 9)
        self.gateway.cli("mfa", "disable", "ida")
        self.assertEqual(self.first_step("ida").status, 200)
        self.assertEqual(self.gateway.run("mfa", "status", "nobody").code, 4)


class StepUp(Case):
    def test_dangerous_operations_ask_people_for_a_recent_code(self):
        """User writes, signing keys; who has no second factor is not asked."""
        secret, codes, token = self.enrolled("judy", "admin")
        fresh = mcp.Client(self.gateway, token)
        self.assertEqual(fresh.ask("POST", "/admin/users", {"username": "k1", "password": FIRST}).status, 201)  # confirm counted
        other = self.second_step("judy", codes[0]).message["access_token"]
        self.assertEqual(mcp.Client(self.gateway, other).ask("POST", "/admin/users", {"username": "k2", "password": FIRST}).status, 201)
        self.gateway.stop()
        self.gateway.start()  # what was shown is forgotten: it fails closed
        judy = mcp.Client(self.gateway, token)
        for method, path in (("POST", "/admin/users"), ("PUT", "/admin/users/k1"), ("DELETE", "/admin/users/k1"),
                             ("POST", "/admin/users/k1/toggle"), ("PUT", "/admin/users/k1/password"), ("DELETE", "/users/k1/mfa"),
                             ("POST", "/token-keys/rotate"), ("POST", "/certificates"), ("POST", "/certificates/authority"),
                             ("POST", "/certificates/0a/renew"), ("POST", "/certificates/0a/revoke")):
            refused = judy.ask(method, path, {})
            self.assertEqual((refused.status, refused.message["error"]["code"]), (401, "second_factor_required"), path)
        self.assertEqual(judy.ask("GET", "/admin/users").status, 200)  # reading is no write
        self.assertEqual(judy.ask("POST", "/auth/step-up", {"code": "000000"}).status, 401)
        self.assertEqual(judy.ask("POST", "/auth/step-up", {"code": totp.code(secret)}).status, 204)
        self.assertEqual(judy.ask("DELETE", "/admin/users/k1").status, 204)
        self.assertEqual(judy.ask("POST", "/token-keys/rotate").status, 200)
        self.assertEqual(mcp.Client(self.gateway, other).ask("DELETE", "/admin/users/k2").status, 401)  # another login's


class ByRole(Case):
    settings = {"second_factor.required_roles": ["auditor"]}

    def test_a_role_that_requires_one_opens_nothing_else(self):
        """S3-23: over REST and MCP, until it is set up; then its owner cannot take it away."""
        self.gateway.add_calculator()
        self.gateway.cli("user", "add", "lena", "--role", "auditor", "--role", "user", "--password-stdin", stdin=FIRST + "\n")
        login = self.first_step("lena")
        self.assertEqual(login.message["must_enroll_second_factor"], True)
        token = login.message["access_token"]
        lena = mcp.Client(self.gateway, token)
        for path in ("/api/v1/tools", "/api/v1/audit"):
            refused = lena.ask("GET", path)
            self.assertEqual((refused.status, refused.message["error"]["code"]), (403, "second_factor_enrollment"), path)
        self.assertEqual(lena.ask("POST", "/api/v1/tools/calc_add/execute", {"arguments": {"a": 1, "b": 1}}).status, 403)
        session = mcp.Session(self.gateway, token).open()
        self.assertEqual(session.tools(), [])
        self.assertIn("error", session.call("calc_add", {"a": 1, "b": 1}).message)
        secret = lena.ask("POST", "/auth/mfa/enroll", {}).message["secret"]
        self.assertEqual(lena.ask("POST", "/auth/mfa/confirm", {"code": totp.code(secret, -1)}).status, 200)
        self.assertEqual(lena.ask("GET", "/api/v1/audit").status, 200)
        self.assertEqual(lena.ask("POST", "/auth/mfa/disable", {"code": totp.code(secret)}).status, 409)
        self.assertEqual(lena.ask("GET", "/api/v1/auth/mfa").message["required"], True)


if __name__ == "__main__":
    unittest.main()
