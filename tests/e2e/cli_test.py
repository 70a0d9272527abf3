"""What the operator meets: init, status, doctor, import, and what must be true of the installation."""
import json
import os
import stat
import unittest

import mcp
import processes
import scratch
from gateway import Gateway


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("cli").__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_calculator()

    def test_init_shows_random_secrets_once(self):
        """S1-7, C8: a random admin password and key, no default of any kind."""
        self.assertRegex(self.gateway.first["api_key"], r"^mcp_[A-Za-z0-9_-]{43,}$")
        self.assertGreaterEqual(len(self.gateway.first["one_time_password"]), 20)
        with Gateway("cli-second") as other:
            self.assertNotEqual(other.first["api_key"], self.gateway.first["api_key"])
            self.assertNotEqual(other.first["one_time_password"], self.gateway.first["one_time_password"])
            other.stop()
            self.assertEqual(other.cli("init"), "")  # same data, nothing printed again
            other.start()
            self.assertEqual(mcp.Client(other, other.first["api_key"]).ask("GET", "/api/v1/tools").status, 200)

    def test_the_first_password_must_be_changed_before_anything_else(self):
        login = mcp.Client(self.gateway).ask("POST", "/api/auth/login", {
            "username": "admin", "password": self.gateway.first["one_time_password"]})
        self.assertEqual((login.status, login.message["must_change_password"]), (200, True), login)
        admin = mcp.Client(self.gateway, login.message["access_token"])
        self.assertEqual(admin.ask("GET", "/api/v1/users").status, 403)
        changed = admin.ask("POST", "/api/auth/password", {"old_password": self.gateway.first["one_time_password"],
                                                           "new_password": "Another-Horse-8-Battery"})
        self.assertEqual(changed.status, 204, changed)

    def test_no_process_of_it_runs_as_root(self):
        """S3-2, S3-6, S1-30."""
        session = mcp.Session(self.gateway, self.gateway.key("agent").secret).open()
        session.text("calc_add", {"a": 1, "b": 1})
        pid = self.gateway.process.pid
        self.assertEqual(len(processes.uids(pid)), 4)
        for one in [pid] + [child for child, _ in processes.descendants(pid)]:
            self.assertNotIn("0", processes.uids(one), processes.command_line(one))

    def test_the_home_is_for_its_owner_alone(self):
        for folder, _, names in os.walk(self.gateway.home):
            self.assertEqual(stat.S_IMODE(os.lstat(folder).st_mode) & 0o077, 0, folder)
            for name in names:
                path = os.path.join(folder, name)
                if name != "sallyport.yaml":
                    self.assertEqual(stat.S_IMODE(os.lstat(path).st_mode) & 0o077, 0, path)

    def test_status_doctor_and_healthcheck(self):
        status = json.loads(self.gateway.cli("status", "--json"))
        self.assertEqual(status["port"], self.gateway.port)
        self.gateway.cli("healthcheck")
        ran = self.gateway.run("doctor", "--json")
        self.assertEqual(ran.code, 0, ran)

    def test_doctor_makes_nothing(self):
        home = os.path.join(self.gateway.folder, "no-home-yet")
        os.makedirs(home, mode=0o700)
        ran = self.gateway.run("doctor", "--json", home=home)
        self.assertEqual(ran.code, 1, ran)
        checks = {check["check"]: check for check in json.loads(ran.out)["checks"]}
        for name in ("keys", "database"):
            self.assertEqual(checks[name]["state"], "fail", checks[name])
            self.assertIn("sallyport init", checks[name]["found"] + checks[name]["fix"])
        self.assertLessEqual(set(os.listdir(home)), {"lock"})

    def test_exit_codes(self):
        codes = {("server", "show", "no-such"): 4, ("no-such-command",): 2, ("key", "revoke", "no-such"): 4,
                 ("tool", "call", "calc_add", "a=x", "b=1"): 1, ("--help",): 0, ("version",): 0}
        for args, code in codes.items():
            self.assertEqual(self.gateway.run(*args).code, code, args)

    def shown(self, name):
        return json.loads(self.gateway.cli("server", "show", name, "--json"))

    def test_what_a_server_may_ask_clients_is_kept_and_shown(self):
        for name, options, kept in (("plain", (), ["elicitation", "sampling"]), ("mute", ("--forward", "none"), []),
                                    ("rooted", ("--forward", "roots", "--forward", "sampling"), ["roots", "sampling"])):
            self.gateway.add_http(name, "http://127.0.0.1:9/mcp", "--no-probe", *options)
            self.assertEqual(self.shown(name)["forwards"], kept)
        self.assertIn("roots", self.gateway.cli("server", "show", "rooted"))
        self.gateway.user("forwarder", "Correct-Horse-7-Battery", "admin")
        login = mcp.Client(self.gateway).ask("POST", "/api/auth/login",
                                             {"username": "forwarder", "password": "Correct-Horse-7-Battery"})
        client = mcp.Client(self.gateway, login.message["access_token"])
        for index, (forwards, status) in enumerate(((["roots"], 201), ([], 201), (["prompts"], 400), ("roots", 400),
                                                    (["roots", "roots"], 400))):
            answer = client.ask("POST", "/api/servers", {"name": "rest%d" % index, "url": "https://h.example/mcp", "probe": False,
                                                         "forwards": forwards})
            self.assertEqual(answer.status, status, answer)
            if status == 201:
                self.assertEqual(self.shown("rest%d" % index)["forwards"], forwards)

    def test_import_turns_secrets_into_references(self):
        """S0-36, S3-10: a client's file may hold them, ours never does."""
        path = os.path.join(self.gateway.folder, "claude_desktop_config.json")
        token = "ghp_" + "A1b2C3d4E5" * 3 + "f6G7h8"
        entry = {"command": scratch.readable(scratch.binary("sallyport-calculator")), "args": [], "env": {"GITHUB_TOKEN": token}}
        with open(path, "w") as file:
            json.dump({"mcpServers": {"Sums": entry}}, file)
        said = self.gateway.cli("import", path, "--json")
        self.assertNotIn(token, said)
        self.assertEqual(json.loads(said)["servers"][0]["result"], "registered", said)
        self.assertNotIn(token, self.gateway.cli("server", "list", "--json"))
        self.assertEqual(self.shown("sums")["forwards"], ["elicitation", "sampling"])
        with open(os.path.join(self.gateway.home, "sallyport.db"), "rb") as file:
            self.assertNotIn(token.encode(), file.read())
        session = mcp.Session(self.gateway, self.gateway.key("importer").secret).open()
        self.assertIn("sums_add", session.tools())

    def test_metrics_for_prometheus(self):
        text = mcp.get(self.gateway, "/metrics").body.decode()
        for name in ("sallyport_requests_total", "sallyport_audit_records_total", "process_resident_memory_bytes"):
            self.assertIn(name, text)

    def test_completion_scripts(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("sallyport", self.gateway.cli("completion", shell))


if __name__ == "__main__":
    unittest.main()
