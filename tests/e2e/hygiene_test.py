"""Settings that come from the environment, defaults that are safe (S3-10), the window of a limit (S2-30), and arguments that are named like
secrets (S0-30, C19)."""
import json
import os
import unittest

import mcp
from gateway import Gateway

SAFE = {"listen.address": "127.0.0.1", "listen.origins": "[]", "listen.trusted_proxies": "[]", "listen.behind_tls_proxy": "false",
        "audit.enabled": "true", "encryption.enabled": "true", "tls.profile": "intermediate", "passwords.profile": "guide",
        "listen.proxy_protocol": "false", "tls.client_certificates": "none"}


class Defaults(unittest.TestCase):
    def explained(self, gateway, **environment):
        plain = gateway.environment
        gateway.environment = lambda: {**plain(), **environment}
        try:
            said = gateway.run("config", "explain", "--json", home=self.bare)
        finally:
            gateway.environment = plain
        self.assertEqual(said.code, 0, said.err)
        return {one["path"]: one for one in json.loads(said.out)["settings"]}

    def test_they_are_safe_and_the_environment_names_each(self):
        """S3-10: with nothing said, and with everything said in the environment alone."""
        with Gateway("s3-10") as gateway:
            self.bare = os.path.join(gateway.folder, "bare")
            os.makedirs(self.bare, mode=0o700)
            given = self.explained(gateway)
            self.assertEqual({one["source"] for one in given.values()}, {"default"})
            self.assertEqual({path: given[path]["value"] for path in SAFE}, SAFE)
            said = {path: one["value"] for path, one in given.items() if one["value"] and not one["value"].startswith("[")}
            self.assertGreater(len(said), 100)
            names = {path: "SALLYPORT_" + path.upper().replace(".", "_") for path in said}
            told = self.explained(gateway, **{names[path]: said[path] for path in said})
            wrong = {path: told[path] for path in said if told[path]["source"] != "env " + names[path] or told[path]["value"] != said[path]}
            self.assertEqual(wrong, {})


class Window(unittest.TestCase):
    def test_it_is_an_hour(self):
        """S2-30: RATE_LIMIT_REQUESTS and RATE_LIMIT_WINDOW=3600: who used them up waits by the hour, not by the minute."""
        environment = {"RATE_LIMIT_REQUESTS": "2", "RATE_LIMIT_WINDOW": "3600"}
        with Gateway("s2-30", environment=environment) as gateway:
            client = mcp.Client(gateway, gateway.key("agent").secret)
            answers = []
            while len(answers) < 50 and (not answers or answers[-1].status == 200):
                answers.append(client.ask("GET", "/auth/me"))
            self.assertEqual(answers[-1].status, 429)
            self.assertEqual(answers[-1].headers["x-ratelimit-limit"], "2")
            self.assertGreater(int(answers[-1].headers["retry-after"]), 1000)
            self.assertLessEqual(int(answers[-1].headers["retry-after"]), 3600)


class Arguments(unittest.TestCase):
    def test_those_named_like_secrets_reach_the_tool_and_no_record(self):
        """S0-30, C19, C12: api_key, password and secret in each spelling and at each depth; the tool has what it was sent."""
        values = ["hygiene-%d-3d1f90ab" % i for i in range(6)]
        arguments = {"api_key": values[0], "password": values[1], "secret": values[2], "city": "Oslo-of-the-record",
                     "inner": [{"API-Key": values[3], "clientSecret": {"deep": values[4]}, "x_password": [values[5]]}]}
        with Gateway("s0-30") as gateway:
            gateway.add_python("rogue", "rogue_server.py")
            key = gateway.key("agent", extra=["--role", "user"]).secret
            session = mcp.Session(gateway, key).open()
            self.assertEqual(json.loads(session.text("rogue_echo", arguments)), arguments)
            done = mcp.Client(gateway, key).ask("POST", "/api/v1/tools/rogue_echo/execute", {"arguments": arguments})
            self.assertEqual(done.status, 200, done)
            records = json.dumps(gateway.audit())
            self.assertIn("Oslo-of-the-record", records, "what tells nothing stays")
            for value in values:
                self.assertNotIn(value, records)
                self.assertNotIn(value, gateway.log())


if __name__ == "__main__":
    unittest.main()
