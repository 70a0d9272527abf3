"""Every secret that a run uses, looked for afterwards in everything it wrote and said, and in the process list."""
import base64
import json
import unittest
import urllib.parse

import leaks
import mcp
import rawhttp
import scratch
import totp
from gateway import Gateway
from leaks import Watch, written

PASSWORD = "Violet-Tractor-7-Moss"
NEXT = "Amber\"Kettle\\9 Ferry"  # what JSON and URLs write another way
TYPED_AS_NAME = "Typed-Into-The-Wrong-Field-4"
LITERAL = "upstream-token-0f1e2d3c4b5a6978"
ARGUMENT = "argument-4b1d6a3f-secret"


def basic(name, password):
    return "Basic " + base64.b64encode(("%s:%s" % (name, password)).encode()).decode()


class Secrets(unittest.TestCase):
    """Done when 7 of identity; S0-30, S1-26, S2-41, S3-9, S3-15."""

    def setUp(self):
        self.gateway = Gateway("secrets", {"log.level": "debug"}).__enter__()
        self.addCleanup(self.gateway.kill)
        self.secrets = {}  # name -> text
        self.said = []     # answers that may hold none of them

    def keep(self, name, secret):
        self.assertIsInstance(secret, str)
        self.secrets[name] = secret
        return secret

    def ask(self, method, path, body=None, token=None, headers=None, shows=False):
        """`shows`: the answer is where a secret is given out, and may hold it."""
        client = mcp.Client(self.gateway, token)
        answer = client.ask(method, path, body, headers)
        client.close()
        if not shows:
            self.said.append(("%s %s" % (method, path), answer.body + repr(answer.headers.all).encode()))
        return answer

    def log_in(self, name, password, shows=True, **more):
        answer = self.ask("POST", "/auth/login", {"username": name, "password": password}, shows=shows, **more)
        if answer.status == 200:
            self.keep("access token %d" % len(self.secrets), answer.message["access_token"])
            self.keep("refresh token %d" % len(self.secrets), answer.message["refresh_token"])
        return answer

    def people(self):
        first = self.gateway.first
        self.keep("one-time password", first["one_time_password"])
        self.keep("first key", first["api_key"])
        self.log_in("admin", first["one_time_password"])
        self.keep("password", PASSWORD)
        self.gateway.user("ann", PASSWORD, "admin")
        token = self.log_in("ann", PASSWORD).message["access_token"]
        self.keep("new password", NEXT)
        changed = self.ask("POST", "/auth/password", {"old_password": PASSWORD, "new_password": NEXT}, token)
        self.assertIn(changed.status, (200, 204), changed)
        tokens = self.log_in("ann", NEXT).message
        fresh = self.ask("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]}, shows=True).message
        self.keep("fresh access token", fresh["access_token"])
        self.keep("fresh refresh token", fresh["refresh_token"])
        return fresh["access_token"]

    def second_factor(self, token):
        made = self.ask("POST", "/auth/mfa/enroll", {}, token, shows=True).message
        self.keep("TOTP secret", made["secret"])
        done = self.ask("POST", "/auth/mfa/confirm", {"code": totp.code(made["secret"], -1)}, token, shows=True).message
        for number, code in enumerate(done["recovery_codes"]):
            self.keep("recovery code %d" % number, code)
        half = self.log_in("ann", NEXT)
        self.keep("half a login", half.message["error"]["details"]["mfa_token"])
        whole = self.ask("POST", "/auth/mfa/verify", {"mfa_token": half.message["error"]["details"]["mfa_token"],
                                                      "code": done["recovery_codes"][0]}, shows=True)
        self.assertEqual(whole.status, 200, whole)
        self.keep("access token of two steps", whole.message["access_token"])
        return whole.message["access_token"]

    def keys(self, token):
        made = self.ask("POST", "/admin/api-keys", {"name": "robot", "can_read": True, "can_execute": True}, token, shows=True)
        self.assertEqual(made.status, 201, made)
        key = self.keep("API key", made.message["api_key"])
        bought = self.ask("POST", "/auth/api-key-login", {"api_key": key}, shows=True)
        self.keep("token of a key", bought.message["access_token"])
        self.assertEqual(self.ask("GET", "/auth/me", headers={"X-API-Key": key}).status, 200)
        return key

    def mistakes(self, token, key):
        """Secrets where they do not belong: what refuses them must not repeat them."""
        self.keep("password typed as a name", TYPED_AS_NAME)
        self.assertEqual(self.log_in(TYPED_AS_NAME, TYPED_AS_NAME, shows=False).status, 401)
        refused = [
            self.ask("POST", "/auth/login", {"username": "ann", "password": NEXT, "extra": NEXT}),
            self.ask("POST", "/auth/login", {"username": [NEXT], "password": {"a": NEXT}}),
            self.ask("POST", "/auth/login", b'{"username":"ann","password":"' + json.dumps(NEXT)[1:-1].encode()),
            self.ask("POST", "/auth/login", urllib.parse.urlencode({"password": NEXT, NEXT: "x"}).encode(),
                     headers={"Content-Type": "application/x-www-form-urlencoded"}),
            self.ask("GET", "/auth/me?access_token=" + token), self.ask("GET", "/auth/me?api_key=" + key),
            self.ask("GET", "/api/v1/users/" + urllib.parse.quote(key)), self.ask("GET", "/nowhere/" + key),
            self.ask("GET", "/auth/me", headers={"Authorization": basic("ann", NEXT)}),
            self.ask("GET", "/auth/me", headers={"Authorization": "Bearer " + token[:-2] + "xx"}),
            self.ask("GET", "/auth/me", headers={"X-API-Key": key[:-1]}),
            self.ask("GET", "/auth/me", token=token, headers={"X-API-Key": key}),  # two that disagree
            self.ask("POST", "/auth/refresh", {"refresh_token": self.secrets["fresh refresh token"] + "x"}),
            self.ask("POST", "/auth/api-key-login", {"api_key": key + "x"}),
            self.ask("POST", "/auth/password", {"old_password": PASSWORD, "new_password": NEXT}, token),
            self.ask("POST", "/api/v1/users", {"username": "x", "password": NEXT, "is_admin": NEXT}, token),
            self.ask("POST", "/auth/mfa/verify", {"mfa_token": self.secrets["half a login"], "code": "000000"}),
            self.ask("POST", "/mcp", json.dumps({"jsonrpc": "2.0", "id": 1, "method": key}).encode(), token),
        ]
        for answer in refused:
            self.assertGreaterEqual(answer.status, 400, answer)
        broken = b"GET /auth/me HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization : Bearer %s\r\n\r\n" % key.encode()
        self.said.append(("a broken head", rawhttp.exchange(self.gateway, broken).data))

    def calls(self, key):
        """Secrets in what is called: arguments that a schema refuses, and a credential that the gateway holds for a server."""
        self.keep("an upstream's credential", self.gateway.environment()["SALLYPORT_TEST_SECRET"])
        self.keep("an argument", ARGUMENT)
        self.gateway.add("calc", scratch.readable(scratch.binary("sallyport-calculator")),
                         env=["CALC_TOKEN=${env:SALLYPORT_TEST_SECRET}"])
        session = mcp.Session(self.gateway, key).open()
        self.assertIn("5", session.text("calc_add", {"a": 2, "b": 3}))
        for arguments in ({"a": ARGUMENT, "b": 3}, {"a": 1, "b": 2, "password": ARGUMENT}, {"a": key, "b": 3}):
            self.said.append(("a refused call", session.call("calc_add", arguments).body))
        self.keep("a literal for a server", LITERAL)
        said = self.gateway.run("server", "add", "literal", "--url", "http://127.0.0.1:9/mcp", "--allow-private",
                                "--header", "Authorization: Bearer " + LITERAL)
        self.assertNotEqual(said.code, 0, "a literal secret was taken")
        self.said.append(("server add", (said.out + said.err).encode()))

    def looks(self, token):
        for path in ("/metrics", "/health", "/openapi.json", "/docs", "/api/v1/users", "/admin/api-keys", "/auth/sessions",
                     "/api/v1/sessions", "/api/v1/audit", "/auth/me", "/auth/mfa"):
            self.ask("GET", path, token=token)
        for command in (["user", "list"], ["key", "list"], ["session", "list"], ["server", "list"], ["status"], ["doctor"],
                        ["config", "explain"], ["audit", "tail"]):
            ran = self.gateway.run(*command)
            self.said.append((" ".join(command), (ran.out + ran.err).encode()))

    def test_no_secret_is_written_or_said(self):
        watch = Watch(self.gateway)
        watch.start()
        token = self.people()
        token = self.second_factor(token)
        key = self.keys(token)
        self.mistakes(token, key)
        self.calls(key)
        self.looks(token)
        watch.ended.set()
        watch.join()
        self.gateway.close()
        places = self.said + [("command line", line.encode()) for line in watch.seen] + list(written(self.gateway.folder))
        found = leaks.found(self.secrets, places)
        self.assertFalse(found, "\n".join(found))
        self.assertGreater(len(watch.seen), 2)
        self.assertGreater(len(self.secrets), 25)


if __name__ == "__main__":
    unittest.main()
