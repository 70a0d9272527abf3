"""The gateway as a client sees it that was written from the guides of the earlier systems alone: login, answers, limits.

Each test names the promises it shows; "hole" is a fault of the earlier systems' code that must not come back.
"""
import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode

import guide_case
from gateway import Gateway
from guide_case import PASSWORD, TOKENS, Case, moment, new_name, token_part
from guide_client import ApiError, RateLimited
from processes import wait_until

PUBLISHED_KEY = "mcp_-tn1XqqtdGub5NAzzn_qSoLrvJv9gmMwB0y-kfLDsak"  # S1's guide prints it

setUpModule = guide_case.start


def encoded(data):
    return urlsafe_b64encode(data).rstrip(b"=")


def signed(header, claims, secret):
    """A JSON Web Token, by HMAC-SHA-256."""
    text = encoded(json.dumps(header).encode()) + b"." + encoded(json.dumps(claims).encode())
    return (text + b"." + encoded(hmac.new(secret, text, hashlib.sha256).digest())).decode()


class LoginTest(Case):
    def test_expires_in_is_1800(self):
        """S1-9"""
        self.assertEqual(self.connect().login("alice", PASSWORD)["expires_in"], 1800)

    def test_a_form_and_json_log_in_at_both_paths(self):
        """S0-1, S1-1, S1-8, S2-5, C1"""
        client, name = self.connect(), new_name("user")
        self.boss.create_user(name, name + "@example.com", PASSWORD)
        for path in ("/auth/login", "/api/auth/login"):
            for login in (client.login, client.login_json):
                self.assertLessEqual(TOKENS, set(login(name, PASSWORD, path)))
                client.me()

    def test_a_login_is_answered_with_two_bearer_tokens(self):
        """S1-9, S2-1"""
        tokens = self.connect().login("alice", PASSWORD)
        self.assertLessEqual(TOKENS, set(tokens))
        self.assertEqual(tokens["token_type"], "bearer")
        self.assertNotEqual(tokens["access_token"], tokens["refresh_token"])

    def test_an_access_token_is_signed_by_hs256_and_lives_half_an_hour(self):
        """S0-3, S1-9, S1-26"""
        claims = token_part(self.boss.bearer, 1)
        self.assertEqual(token_part(self.boss.bearer, 0)["alg"], "HS256")
        self.assertEqual(claims["exp"] - claims["iat"], 1800)

    def test_a_wrong_password_is_401(self):
        """S0-1, S1-8, S3-11"""
        error = self.unauthenticated(self.connect().login, "alice", "Wrong-Horse-7-Battery")
        self.assertEqual(error.detail, error.message)
        self.unauthenticated(self.connect().login_json, "alice", "Wrong-Horse-7-Battery")

    def test_a_login_without_a_password_is_400(self):
        """S0-19"""
        self.invalid(self.connect().ask, "POST", "/api/auth/login", {"username": "boss"})

    def test_nothing_is_served_without_a_token(self):
        """S0-2, S1-13"""
        for method, path in (("GET", "/api/tools"), ("GET", "/tools"), ("GET", "/admin/users"), ("GET", "/auth/me"),
                             ("POST", "/api/tools/calc_add/execute")):
            self.unauthenticated(self.connect().ask, method, path)
            self.unauthenticated(self.connect("nonsense").ask, method, path)

    def test_every_call_takes_the_token(self):
        """S0-2, S1-2, C23"""
        for prefix in ("", "/api", "/api/v1"):
            for path in ("/tools", "/auth/me", "/admin/users"):
                self.boss.ask("GET", prefix + path)

    def test_a_refresh_answers_as_a_login_does(self):
        """S1-9, section 7: POST /auth/refresh"""
        before = self.alice.bearer
        self.assertLessEqual(TOKENS, set(self.alice.refresh()))
        self.assertNotEqual(self.alice.bearer, before)
        self.alice.me()

    def test_a_refresh_token_is_no_access_token(self):
        """S1 hole: the type of a token was unchecked"""
        self.unauthenticated(self.connect(self.alice.refresh_token).me)
        self.unauthenticated(self.connect(self.alice.refresh_token).catalogue)

    def test_an_access_token_is_no_refresh_token(self):
        """S1 hole: the type of a token was unchecked"""
        self.unauthenticated(self.connect().refresh, self.alice.bearer)

    def test_logout_ends_both_tokens(self):
        """S2-1; S2 hole: revocation never worked; section 7: POST /auth/logout and /api/auth/logout"""
        for path in ("/auth/logout", "/api/auth/logout"):
            client = self.connect()
            client.login("alice", PASSWORD)
            client.logout(path)
            self.unauthenticated(client.me)
            self.unauthenticated(client.refresh)

    def test_the_published_credentials_are_refused(self):
        """S1-7, C8"""
        self.unauthenticated(self.connect().login, "admin", "admin")
        self.unauthenticated(self.connect(PUBLISHED_KEY).tools)
        self.unauthenticated(self.connect().api_key_login, PUBLISHED_KEY)

    def test_no_password_may_be_admin(self):
        """S1-7, C8"""
        self.invalid(self.boss.create_user, new_name("user"), "a@example.com", "admin")

    def test_the_one_time_password_opens_nothing_but_the_way_to_a_new_one(self):
        """S1-7, S1-10; section 7: the first admin must change the password"""
        first = self.connect()
        first.login("admin", self.server.first["one_time_password"])
        with self.assertRaises(ApiError) as caught:
            next(first.users())
        self.assertEqual(caught.exception.status, 403)
        self.assertIn("password", caught.exception.message)

    def test_a_token_that_another_signed_is_refused(self):
        """S1-26, S2-1; S1 hole: a default SECRET_KEY literal"""
        claims, header = token_part(self.boss.bearer, 1), token_part(self.boss.bearer, 0)
        for secret in (b"", b"secret", b"changeme", b"your-secret-key", b"your-secret-key-here", b"your-secret-key-change-in-production"):
            self.unauthenticated(self.connect(signed(header, claims, secret)).me)

    def test_a_token_without_a_signature_is_refused(self):
        """S1-26, S2-1"""
        body = self.boss.bearer.split(".")[1]
        for name in ("none", "None", "HS256"):
            header = encoded(json.dumps({"alg": name, "typ": "JWT"}).encode()).decode()
            self.unauthenticated(self.connect("%s.%s." % (header, body)).me)

    def test_a_token_with_other_claims_is_refused(self):
        """S1-26, S2-1"""
        header, _, signature = self.boss.bearer.split(".")
        claims = {**token_part(self.boss.bearer, 1), "exp": int(time.time()) + 10**6}
        body = encoded(json.dumps(claims).encode()).decode()
        self.unauthenticated(self.connect(".".join((header, body, signature))).me)


class AnswersTest(Case):
    def test_the_root_alias_says_detail(self):
        """Section 8: S1's alias also carries detail"""
        error = self.unauthenticated(self.connect().tools)
        self.assertEqual(error.detail, error.message)

    def test_an_unknown_path_is_an_error_like_any_other(self):
        """Section 8: errors"""
        with self.assertRaises(ApiError) as caught:
            self.boss.ask("GET", "/no/such/path")
        self.assertEqual(caught.exception.status, 404)
        self.assertTrue(caught.exception.code and caught.exception.message and caught.exception.request_id)

    def test_a_body_that_is_no_json_is_400(self):
        """S0-19"""
        headers = {"Content-Type": "application/json"}
        self.invalid(self.connect().ask, "POST", "/api/auth/login", form={"x": "y"}, headers=headers)

    def test_every_answer_has_the_security_headers(self):
        """S1-4, S0-33"""
        wanted = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "X-XSS-Protection": "1; mode=block",
                  "Referrer-Policy": "strict-origin-when-cross-origin",
                  "Permissions-Policy": "geolocation=(), microphone=(), camera=()"}
        for client, path in ((self.boss, "/api/tools"), (self.connect(), "/api/tools"), (self.connect(), "/health"), (self.connect(), "/docs"), (self.boss, "/no")):
            try:
                client.ask("GET", path)
            except ApiError:
                pass
            self.assertEqual({name: client.last.headers[name] for name in wanted}, wanted, path)
            self.assertTrue(client.last.headers["Content-Security-Policy"])

    def test_every_answer_has_the_rate_limit(self):
        """S0-26, S1-28; S1 hole: the headers were never sent"""
        for path in ("/api/tools", "/tools", "/admin/users", "/auth/me", "/health"):
            self.boss.ask("GET", path)
            limit, remaining, reset = self.boss.rate_limit()
            self.assertTrue(0 <= remaining <= limit and limit > 0, path)
            self.assertLess(abs(reset - time.time()), 3700)

    def test_the_root_answers(self):
        """Section 7: GET /"""
        page = self.connect().ask("GET", "/")
        self.assertEqual((page["service"], page["docs"]), ("sallyport", "/docs"))

    def test_health_is_told_in_detail(self):
        """Section 8: /health/detailed"""
        told = self.boss.ask("GET", "/health/detailed")
        self.assertEqual((told["status"], told["ready"], told["service"]), ("healthy", True, "sallyport"))
        self.assertEqual({name: part["status"] for name, part in told["parts"].items()},
                         dict.fromkeys(("storage", "audit", "upstreams", "policy", "certificates"), "healthy"))

    def test_health_names_the_service(self):
        """Section 7: GET /health; that it is another service than S1's is a ruling in docs/rest.md"""
        self.assertEqual(self.connect().ask("GET", "/health")["service"], "sallyport")

    def test_what_is_public(self):
        """S1-33, section 7 and 8: /docs, /openapi.json and the states of health"""
        for path in ("/docs", "/openapi.json", "/health", "/health/ready", "/health/live"):
            self.connect().ask("GET", path)
        self.assertEqual(self.connect().ask("GET", "/health")["status"], "healthy")

    def test_every_request_is_in_the_audit(self):
        """S1-6, S1-27; S1 hole: the line was no JSON"""
        name = new_name("seen")
        self.boss.ask("GET", "/api/tools", query={"limit": 3}, headers={"User-Agent": name})
        record = wait_until(lambda: self.server.audit(user_agent=name), 5, "a record of the request")[-1]
        self.assertEqual([record.get(part) for part in ("method", "path", "query_params", "client_ip", "status_code", "auth_type")],
                         ["GET", "/api/tools", "limit=3", "127.0.0.1", 200, "jwt"])
        self.assertLess(abs(moment(record["timestamp"]).timestamp() - time.time()), 60)
        self.assertTrue(0 <= record["process_time"] < 60)

    def test_the_use_of_a_key_is_in_the_audit(self):
        """S1-6, S1-24, S1-25"""
        made, client = self.new_key("can_read")
        client.ask("GET", "/api/tools", headers={"User-Agent": made["name"]})
        record = wait_until(lambda: self.server.audit(user_agent=made["name"]), 5, "a record of the request")[-1]
        self.assertEqual(record["auth_type"], "api_key")
        self.assertIn(made["id"], json.dumps(record))

    def test_the_length_of_a_body_is_in_the_audit(self):
        """S1-6, S1-27"""
        name = new_name("seen")
        self.boss.ask("POST", "/api/tools/calc_add/execute", {"arguments": {"a": 2, "b": 3}}, headers={"User-Agent": name})
        wait_until(lambda: self.server.audit(user_agent=name, status_code=200, content_length=31), 5, "a record of the request")


class Guided(Gateway):
    """A gateway as the guides set it up: by the environment, with the limits that come with it."""

    def __init__(self, name):
        super().__init__(name)
        self.settings = {path: value for path, value in self.settings.items() if not path.startswith("rate.")}

    def environment(self):
        return {**super().environment(), "ALLOWED_ORIGINS": "https://a.example.com,https://b.example.com",
                "REQUESTS_PER_MINUTE": "47"}


class LimitsTest(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = Guided("guide-limits").__enter__()
        cls.addClassCleanup(cls.server.close)
        cls.server.add_calculator()
        cls.server.user("boss", PASSWORD, "admin")
        cls.boss = cls.connect()
        cls.boss.login("boss", PASSWORD)

    def limit_of(self, method, path):
        try:
            self.boss.ask(method, path, body={} if method == "POST" else None)
        except ApiError:
            pass  # the limit is told all the same
        return self.boss.rate_limit()[0]

    def until_limited(self, call, most):
        for _ in range(most):
            try:
                call()
            except RateLimited as error:
                return error
            except ApiError as error:
                self.assertNotEqual(error.status, 429)
        self.fail("%d calls, and no limit" % most)

    def test_each_class_of_routes_has_its_limit(self):
        """S1-3, S0-27, C4"""
        for method, path, limit in (("GET", "/health", 100), ("GET", "/tools", 60), ("POST", "/tools", 20), ("GET", "/admin/users", 10),
                                    ("DELETE", "/tools/no_such", 10), ("POST", "/api/tools/calc_add/execute", 100)):
            self.assertEqual(self.limit_of(method, path), limit, path)

    def test_the_environment_sets_the_default_limit(self):
        """S1-21, C4; S1 hole: REQUESTS_PER_MINUTE was never read"""
        for path in ("/auth/me", "/auth/sessions", "/auth/mfa", "/no/such/path"):  # what has no class of its own
            self.assertEqual(self.limit_of("GET", path), 47, path)

    def test_who_asks_too_often_is_told_when_to_come_again(self):
        """S1-29, C5, C4"""
        error = self.until_limited(lambda: self.boss.ask("GET", "/admin/users"), 40)
        self.assertEqual(error.detail, "Rate limit exceeded. Please try again later.")
        self.assertIsInstance(error.retry_after, int)
        self.assertTrue(1 <= error.retry_after <= 60)
        self.assertEqual(error.headers["Retry-After"], str(error.retry_after))
        limit, remaining, reset = self.boss.rate_limit()
        self.assertEqual((limit, remaining), (10, 0))
        self.assertLess(time.time() - 2, reset)

    def test_logins_are_limited(self):
        """S1 hole: a login was unlimited beyond the global limit"""
        client = self.connect()
        self.until_limited(lambda: client.login(new_name("nobody"), PASSWORD), 60)

    def test_the_environment_names_the_origins(self):
        """S1-21, S0-31; S1 hole: ALLOWED_ORIGINS was never read"""
        for origin, allowed in (("https://a.example.com", True), ("https://b.example.com", True), ("https://c.example.com", False)):
            client = self.connect()
            try:
                client.ask("GET", "/health", headers={"Origin": origin})
            except ApiError as error:
                self.assertTrue(error.status == 403 and not allowed, error)
            self.assertEqual(client.last.headers["Access-Control-Allow-Origin"], origin if allowed else None)

    def test_a_browser_of_an_allowed_origin_may_ask_with_its_credentials(self):
        """S0-31"""
        client = self.connect()
        client.ask("OPTIONS", "/tools", headers={"Origin": "https://a.example.com", "Access-Control-Request-Method": "PUT",
                                                 "Access-Control-Request-Headers": "authorization, content-type"})
        self.assertEqual(client.last.headers["Access-Control-Allow-Credentials"], "true")
        for method in ("GET", "POST", "PUT", "DELETE"):
            self.assertIn(method, client.last.headers["Access-Control-Allow-Methods"])
        for header in ("authorization", "content-type"):
            self.assertIn(header, client.last.headers["Access-Control-Allow-Headers"].lower())
