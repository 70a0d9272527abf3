"""The audit after real work verifies, and stops verifying after each kind of tampering (S2-23). Tampering on copies."""
import glob
import json
import os
import shutil
import sqlite3
import unittest

import mcp
from gateway import Gateway


class Evidence(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("evidence").__enter__()
        cls.addClassCleanup(cls.gateway.assert_clean)
        cls.gateway.add_calculator()
        key = cls.gateway.key("agent")
        session = mcp.Session(cls.gateway, key.secret).open()
        for n in range(40):
            session.text("calc_add", {"a": n, "b": n})
        session.call("calc_add", {"a": "wrong"})
        cls.gateway.stop()
        cls.gateway.assert_audit_intact()

    def copy(self, name):
        home = os.path.join(self.gateway.folder, name)
        shutil.copytree(self.gateway.home, home)
        text = open(os.path.join(home, "sallyport.yaml")).read()
        self.assertNotIn(self.gateway.home, text)
        return home

    def verdict(self, home):
        ran = self.gateway.run("audit", "verify", "--json", home=home)
        return ran.code, json.loads(ran.out)

    def longest_segment(self, home):
        folder = os.path.join(home, "audit")
        names = [n for n in os.listdir(folder) if n.startswith("seg-") and n.endswith(".jsonl")]
        return max((os.path.join(folder, n) for n in names), key=os.path.getsize)

    def broken(self, home):
        code, said = self.verdict(home)
        self.assertEqual((code, said["intact"]), (6, False), said)
        self.assertTrue(said["problem"])
        return said["problem"]

    def test_an_untouched_copy_verifies(self):
        code, said = self.verdict(self.copy("untouched"))
        self.assertEqual((code, said["intact"]), (0, True), said)
        self.assertGreater(said["records"], 80)

    def test_one_changed_byte(self):
        home = self.copy("changed")
        path = self.longest_segment(home)
        data = bytearray(open(path, "rb").read())
        lines = bytes(data).split(b"\n")
        target = 10
        at = sum(len(line) + 1 for line in lines[:target]) + lines[target].index(b'"result":"') + 10 if b'"result":"' in lines[target] \
            else sum(len(line) + 1 for line in lines[:target]) + lines[target].index(b'"kind":"') + 8
        data[at] ^= 1
        open(path, "wb").write(bytes(data))
        self.assertIn(":%d" % (target + 1), self.broken(home))  # the first broken record is named

    def test_one_removed_record(self):
        home = self.copy("removed")
        path = self.longest_segment(home)
        lines = open(path, "rb").read().split(b"\n")
        del lines[12]
        open(path, "wb").write(b"\n".join(lines))
        self.broken(home)

    def test_two_swapped_records(self):
        home = self.copy("swapped")
        path = self.longest_segment(home)
        lines = open(path, "rb").read().split(b"\n")
        lines[8], lines[9] = lines[9], lines[8]
        open(path, "wb").write(b"\n".join(lines))
        self.broken(home)

    def test_the_tail_cut_off(self):
        home = self.copy("cut")
        path = self.longest_segment(home)
        lines = open(path, "rb").read().split(b"\n")
        open(path, "wb").write(b"\n".join(lines[:-4]) + b"\n")
        self.broken(home)

    def test_the_last_checkpoints_cut_off_with_the_records(self):
        """Roll-back of the whole folder shows against the checkpoint kept in the database."""
        home = self.copy("rolled-back")
        path = os.path.join(home, "audit", "checkpoints.jsonl")
        lines = open(path, "rb").read().split(b"\n")
        open(path, "wb").write(b"\n".join(lines[:-2]) + b"\n")
        self.broken(home)

    def test_a_whole_segment_removed(self):
        home = self.copy("segment")
        os.remove(self.longest_segment(home))
        self.broken(home)


    def test_a_database_that_is_gone_or_knows_nothing_of_it(self):
        """What cannot be compared is not intact, and nothing is made in its place."""
        home = self.copy("no-database")
        path = os.path.join(home, "sallyport.db")
        for name in glob.glob(path + "*"):
            os.remove(name)
        ran = self.gateway.run("audit", "verify", home=home)
        self.assertNotEqual(ran.code, 0)
        self.assertIn("there is no database", ran.err)
        checks = {check["check"]: check for check in json.loads(self.gateway.run("doctor", "--json", home=home).out)["checks"]}
        self.assertEqual(checks["database"]["state"], "fail", checks["database"])
        self.assertEqual(glob.glob(path + "*"), [])
        home = self.copy("forgotten")
        self.execute(home, "DELETE FROM audit_checkpoints")
        self.assertIn("knows no checkpoint", self.broken(home))

    def test_who_looks_leaves_the_schema_as_it_is(self):
        home = self.copy("older")
        newest = self.execute(home, "SELECT max(version) FROM migrations")
        self.execute(home, "DELETE FROM migrations WHERE version = %d" % newest)
        code, said = self.verdict(home)
        self.assertEqual((code, said["intact"]), (0, True), said)
        checks = {check["check"]: check for check in json.loads(self.gateway.run("doctor", "--json", home=home).out)["checks"]}
        self.assertIn("schema version %d; the next start" % (newest - 1), checks["database"]["found"])
        self.assertEqual(self.execute(home, "SELECT max(version) FROM migrations"), newest - 1)

    def execute(self, home, sql):
        database = sqlite3.connect(os.path.join(home, "sallyport.db"))
        try:
            row = database.execute(sql).fetchone()
            database.commit()
        finally:
            database.close()
        return row and row[0]


class SealedEvidence(unittest.TestCase):
    """S0-18 (AUDIT_LOG_ENCRYPTION), C18: segments sealed under a data key each."""

    def test_a_sealed_audit_says_nothing_and_still_proves_all(self):
        with Gateway("sealed-evidence", settings={"audit.encryption": True}) as gateway:
            gateway.add_calculator()
            session = mcp.Session(gateway, gateway.key("agent").secret).open()
            session.text("calc_add", {"a": 2, "b": 3})
            gateway.assert_audit_intact()  # while it runs, by both implementations
            shown = gateway.admin("GET", "/api/v1/audit?limit=100&tool=add")
            shown = shown.get("data", shown) if isinstance(shown, dict) else shown
            self.assertIn("success", {record.get("result") for record in shown})
            folder = os.path.join(gateway.home, "audit")
            for name in os.listdir(folder):
                text = open(os.path.join(folder, name)).read()
                for word in ("calc", "tool_execution", "agent"):
                    self.assertNotIn(word, text, name)
            gateway.stop()
            gateway.assert_audit_intact()
            self.another_master_key(gateway)

    def another_master_key(self, gateway):
        """What the folder says is no use to who has it alone."""
        home = os.path.join(gateway.folder, "other-key")
        shutil.copytree(gateway.home, home)
        with open(os.path.join(home, "keys", "master.key"), "wb") as key:
            key.write(os.urandom(32))
        ran = gateway.run("audit", "verify", home=home)
        self.assertNotEqual(ran.code, 0)


if __name__ == "__main__":
    unittest.main()
