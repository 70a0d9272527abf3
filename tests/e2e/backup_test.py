"""Backups of a running gateway, and a home made of one again (S2-11, S0-37, S0-40, S2-57, S3-21, S3-24)."""
import json
import os
import re
import shutil
import subprocess
import unittest

import leaks
import mcp
import scratch
from gateway import Gateway, yaml_text

PASSWORD = "a Recovery password of the backups 7"
VALUE = "vault-value-5b2e9c71d0f34a86"
FAULT_POINTS = ("backup.written", "restore.marked", "keyring.checked", "vault.rewrapped")


class Backups(unittest.TestCase):
    settings = {}

    def setUp(self):
        self.gateway = Gateway("backup", self.settings).__enter__()
        self.addCleanup(self.gateway.kill)
        self.gateway.cli("vault", "put", "token", stdin=VALUE)

    def create(self, *flags, password=PASSWORD):
        with_password = ("--password-stdin",) if password else ()
        return json.loads(self.gateway.cli("backup", "create", "--json", *flags, *with_password, stdin=(password or "") + "\n"))

    def path(self, made):
        return os.path.join(self.gateway.home, "backups", made["name"])

    def offline(self, home, *args, stdin=""):
        return self.gateway.run("backup", *args, stdin=stdin, home=home)

    def fresh_home(self):
        """A folder that the service user may fill; where root starts us, it has to say who that is."""
        home = os.path.join(self.gateway.folder, "restored")
        os.makedirs(home, mode=0o700)
        if not scratch.service_user():
            return home, ()
        with open(os.path.join(home, "sallyport.yaml"), "w") as file:
            file.write(yaml_text({"sandbox.run_as": scratch.service_user()}))
        return home, ("--force",)


class Restoring(Backups):
    def test_a_lost_home_comes_back_by_the_recovery_password(self):
        """S0-40: with its people, keys, secrets, settings and policies."""
        self.gateway.add_calculator()
        key = self.gateway.key("agent")
        made = self.create("--with-audit")
        self.assertEqual(made["notices"], [])
        self.assertTrue(made["verified"])
        self.gateway.stop()
        backup = shutil.copy(self.path(made), self.gateway.folder)
        if scratch.service_user():
            shutil.chown(backup, scratch.service_user())
        home, force = self.fresh_home()
        said = self.offline(home, "restore", backup, "--password-stdin", "--json", *force, stdin=PASSWORD + "\n")
        self.assertEqual(said.code, 0, said.err)
        self.assertEqual(json.loads(said.out)["id"], made["id"])
        shutil.rmtree(self.gateway.home)
        os.rename(home, self.gateway.home)
        self.gateway.start()
        session = mcp.Session(self.gateway, key.secret).open()
        self.assertIn("calc_multiply", session.tools())
        shown = json.loads(self.gateway.cli("vault", "get", "token", "--json"))
        self.assertEqual(shown["value"], VALUE)
        self.told_of_it(made)
        self.gateway.close()

    def told_of_it(self, made):
        """The audit says once who restored what and when; close() looks at the chain."""
        told = self.gateway.audit(action="restore_backup")
        self.assertEqual(len(told), 1)
        self.assertEqual(told[0]["principal"], "local:%d" % os.getuid())
        self.assertRegex(told[0]["reason"], "^backup=%s made_at=20\\S+Z restored_at=20\\S+Z$" % made["id"])
        self.assertEqual([name for name in os.listdir(self.gateway.home) if name.startswith("restored-")], [])

    def test_a_home_is_put_back_and_what_it_held_is_kept(self):
        made = self.create(password=None)
        self.gateway.cli("vault", "put", "token", stdin="another value, of later")
        refused = self.offline(self.gateway.home, "restore", self.path(made))
        self.assertEqual(refused.code, 1)
        self.assertIn("in use by process", refused.err)
        self.gateway.stop()
        refused = self.offline(self.gateway.home, "restore", self.path(made))
        self.assertIn("--force", refused.err)
        done = self.offline(self.gateway.home, "restore", self.path(made), "--force")
        self.assertEqual(done.code, 0, done.err)
        aside = re.search(r"lies in (\S+)", done.out).group(1)
        self.assertTrue(os.path.exists(os.path.join(aside, "sallyport.db")))
        self.gateway.start()
        self.assertEqual(json.loads(self.gateway.cli("vault", "get", "token", "--json"))["value"], VALUE)
        self.told_of_it(made)
        self.gateway.close()


class Making(Backups):
    settings = {"backup.keep": 2}

    def test_it_is_listed_tried_counted_and_pruned(self):
        names = [self.create()["name"] for _ in range(3)]
        listed = json.loads(self.gateway.cli("backup", "list", "--json"))["data"]
        self.assertEqual([one["name"] for one in listed], names[1:])
        self.assertTrue(all(one["recovery_password"] for one in listed))
        self.assertTrue(all(one["authentic"] for one in listed))
        verified = json.loads(self.gateway.cli("backup", "verify", names[2], "--json"))
        self.assertTrue(verified["verified"])
        by_path = self.offline(self.gateway.home, "verify", os.path.join(self.gateway.home, "backups", names[2]), "--password-stdin",
                               stdin=PASSWORD + "\n")
        self.assertEqual(by_path.code, 0, by_path.err)
        metrics = mcp.get(self.gateway, "/metrics").body.decode()
        self.assertRegex(metrics, r"sallyport_backup_last_success_timestamp_seconds [1-9]\d{9}\n")
        self.assertRegex(metrics, r"sallyport_backup_last_size_bytes [1-9]\d+\n")
        reasons = [record["reason"] for record in self.gateway.audit() if record.get("reason", "").startswith("backup=")]
        self.assertEqual(len(reasons), 4)
        self.gateway.close()

    def test_what_is_damaged_wrong_or_elsewhere_is_refused_with_words(self):
        made = self.create()
        with open(self.path(made), "r+b") as file:
            file.seek(os.path.getsize(self.path(made)) // 2)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 4]))
        said = self.gateway.run("backup", "verify", made["name"])
        self.assertEqual(said.code, 6)
        self.assertIn("does not open", said.err)
        other = self.create()
        said = self.gateway.run("backup", "verify", other["name"], "--password-stdin", stdin="not the password of it\n")
        self.assertEqual(said.code, 6)
        self.assertIn("recovery password is wrong", said.err)
        self.assertNotEqual(self.gateway.run("backup", "verify", "..%2fsallyport.db").code, 0)
        short = self.gateway.run("backup", "create", "--password-stdin", stdin="short\n")
        self.assertNotEqual(short.code, 0)
        self.gateway.close()

    def test_only_an_admin_may(self):
        key = self.gateway.key("agent")
        client = mcp.Client(self.gateway, key.secret)
        for method, path in (("GET", "/api/v1/backups"), ("POST", "/api/v1/backups"), ("POST", "/api/v1/backups/x/verify")):
            self.assertEqual(client.ask(method, path, {} if method == "POST" else None).status, 403, path)
            self.assertEqual(mcp.Client(self.gateway).ask(method, path, {} if method == "POST" else None).status, 401, path)
        self.gateway.close()


class Secrecy(Backups):
    def test_no_secret_stands_in_a_backup_nor_the_password_anywhere(self):
        """S0-28, S2-40; done-when 3."""
        made = self.create("--with-audit")
        secrets = {"the vault's value": VALUE, "the recovery password": PASSWORD, "the first key": self.gateway.first["api_key"]}
        with open(os.path.join(self.gateway.home, "keys", "master.key"), "rb") as file:
            master = file.read()
        with open(self.path(made), "rb") as file:
            backup = file.read()
        self.assertEqual(leaks.found(secrets, [("the backup", backup)]), [])
        self.assertNotIn(master, backup)
        self.assertNotIn(b"sallyport.yaml", backup)
        self.assertNotIn(b"SQLite", backup)
        self.assertEqual(os.stat(self.path(made)).st_mode & 0o777, 0o600)
        self.gateway.stop()
        self.assertEqual(leaks.found({"the recovery password": PASSWORD}, leaks.written(self.gateway.folder)), [])


class Trial(Backups):
    def elsewhere(self, made, **environment):
        """A verification with no home at hand, of a file in a folder that others may share."""
        shared = os.path.join(self.gateway.folder, "shared")
        os.makedirs(shared, exist_ok=True)
        path = shutil.copy(self.path(made), shared)
        process = subprocess.Popen([self.gateway.binary, "--home", os.path.join(self.gateway.folder, "none"), "backup", "verify", path,
                                    "--password-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**self.gateway.environment(), **environment}, cwd=shared)
        self.addCleanup(process.kill)
        return shared, process

    def test_it_lies_in_tmpdir_where_there_is_no_home_and_leaves_nothing(self):
        made = self.create()
        folder = os.path.join(self.gateway.folder, "tmp")
        os.makedirs(folder, mode=0o700)
        shared, process = self.elsewhere(made, TMPDIR=folder)
        out, err = process.communicate(PASSWORD + "\n", timeout=120)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("verified", out)
        self.assertEqual((os.listdir(folder), os.listdir(shared)), ([], [made["name"]]))
        shared, process = self.elsewhere(made, TMPDIR=os.path.join(self.gateway.folder, "no-such-folder"))
        out, err = process.communicate(PASSWORD + "\n", timeout=120)
        self.assertEqual(process.returncode, 1, out)
        self.assertIn("TMPDIR", err)
        self.gateway.close()

    def test_it_keeps_its_memory_private_and_clears_up_when_it_is_stopped(self):
        made = self.create()
        folder = os.path.join(self.gateway.folder, "tmp")
        os.makedirs(folder, mode=0o700)
        shared, process = self.elsewhere(made, TMPDIR=folder)
        process.stdin.write(PASSWORD + "\n")
        process.stdin.flush()
        limits = ""
        while process.poll() is None and not re.search(r"Max core file size\s+0\s+0\s", limits):
            with open("/proc/%d/limits" % process.pid) as file:
                limits = file.read()
        self.assertRegex(limits, r"Max core file size\s+0\s+0\s")
        while process.poll() is None and not os.listdir(folder):
            pass
        process.terminate()
        process.communicate(timeout=120)
        self.assertEqual((os.listdir(folder), os.listdir(shared)), ([], [made["name"]]))
        self.gateway.close()


class Size(Backups):
    LARGE = 192 << 20

    def high_water(self):
        with open("/proc/%d/status" % self.gateway.process.pid) as file:
            return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1))

    @unittest.skipIf("asan" in scratch.binary(), "AddressSanitizer holds back what is freed")
    def test_memory_does_not_grow_with_what_is_backed_up(self):
        """Done when 3: limits. It goes through in chunks, when it is made as when it is tried."""
        folder = os.path.join(self.gateway.home, "secrets")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = os.path.join(folder, "large")
        with open(path, "wb") as file:
            file.truncate(self.LARGE)
        os.chmod(path, 0o600)
        if scratch.service_user():
            shutil.chown(folder, scratch.service_user())
            shutil.chown(path, scratch.service_user())
        self.create(password=None)  # once with all that is needed the first time
        before = self.high_water()
        made = self.create(password=None)
        self.assertGreater(made["bytes"], self.LARGE)
        self.assertLess(self.high_water() - before, 16 << 20)
        self.assertLess(before, 160 << 20)
        self.gateway.close()


class Release(unittest.TestCase):
    def test_the_binary_that_serves_has_no_points_to_die_at(self):
        with open(scratch.binary(), "rb") as file:
            binary = file.read()
        if b"__asan_init" in binary:
            self.skipTest("a binary with AddressSanitizer has them")
        self.assertEqual([point for point in FAULT_POINTS if point.encode() in binary], [])
        self.assertNotIn(b"arm_fault", binary)


if __name__ == "__main__":
    unittest.main()
