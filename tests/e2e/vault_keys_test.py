"""What opens the keyring, and its keys, on a real gateway: S0-28, S2-10, S2-11, S2-12, S2-14, S2-31, C24, C26, memory (issue 6)."""
import hashlib
import hmac
import json
import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
import unittest

import mcp
import processes
import scratch
import softhsm
from gateway import Gateway

PASSWORD = "correct horse battery staple"
NEXT = "a rather different sentence"
KEY = "tLoYyHD6qB8vM1wQ3kz9nR5uXc7eJ2aG4sF0iVbUdHo="


class KeyedGateway(Gateway):
    """A gateway whose environment the test changes."""
    extra = {}

    def environment(self):
        return {**super().environment(), **self.extra}


def head_of(gateway):
    with open(os.path.join(gateway.home, "keys", "keyring"), "rb") as file:
        return file.read().split(b"\n\n")[0].decode()


def bytes_of(gateway):
    with open(os.path.join(gateway.home, "keys", "keyring"), "rb") as file:
        return file.read()


class VaultKeys(unittest.TestCase):
    def gateway(self, extra=None, settings=None):
        gateway = KeyedGateway("vault-keys", settings)
        gateway.extra = extra or {}
        self.addCleanup(gateway.kill)
        return gateway.__enter__()

    def answered(self, gateway, key):
        client = mcp.Client(gateway, key.secret)
        self.addCleanup(client.close)
        return client.ask("GET", "/api/v1/tools").status

    def key_file(self, gateway):
        return os.path.join(gateway.home, "keys", "master.key")

    def refused(self, gateway, text):
        """It does not start, says why and how to mend it, and the keyring is as it was."""
        before = bytes_of(gateway)
        ran = gateway.run("serve")
        self.assertEqual(ran.code, 1, ran.err)
        self.assertIn(text, ran.err)
        self.assertIn("fix: ", ran.err)
        self.assertEqual(bytes_of(gateway), before)

    def test_a_turn_of_the_key_is_audited_and_survives_a_restart(self):
        """S2-11."""
        gateway = self.gateway()
        first = gateway.admin("GET", "/api/v1/vault/keys")
        self.assertEqual((first["sealed"], first["source"], [key["id"] for key in first["keys"]]), (False, "file", [1]))
        self.assertEqual(gateway.admin("POST", "/api/v1/vault/keys/rotate")["id"], 2)
        key = gateway.key("agent-2")
        now = gateway.admin("GET", "/api/v1/vault/keys")
        self.assertEqual(now["keys"][0]["id"], 2)
        self.assertEqual(now["keys"][0]["status"], "active")
        gateway.stop()
        gateway.start()
        self.assertEqual(gateway.admin("GET", "/api/v1/vault/keys"), now)
        self.assertEqual(self.answered(gateway, key), 200)
        self.assertTrue(gateway.audit(reason="wrapping-key:2"))
        self.assertEqual(json.loads(gateway.cli("vault", "keys", "--json")), now)
        self.assertIn("key 2: active", gateway.cli("vault", "keys"))
        gateway.close()

    def test_a_damaged_row_keeps_no_other_from_the_new_key(self):
        """S2-11: it is named in the audit and in `vault keys`, it stays, and so does the key that it names."""
        gateway = self.gateway()
        for name in ("one", "two", "three"):
            gateway.cli("vault", "put", name, stdin="value of " + name)
        gateway.stop()
        with sqlite3.connect(os.path.join(gateway.home, "sallyport.db")) as database:
            secret, wrapped = database.execute("SELECT v.secret, v.wrapped_key FROM vault_versions v JOIN vault_secrets s ON s.id = v.secret "
                                               "WHERE s.name = 'two'").fetchone()
            damaged = wrapped[:-8] + ("A" if wrapped[-8] != "A" else "B") + wrapped[-7:]
            database.execute("UPDATE vault_versions SET wrapped_key = ? WHERE secret = ?", (damaged, secret))
        database.close()
        gateway.start()
        self.assertEqual(gateway.admin("POST", "/api/v1/vault/keys/rotate")["id"], 2)
        keys = gateway.admin("GET", "/api/v1/vault/keys")
        self.assertEqual([key["id"] for key in keys["keys"]], [2, 1], "the damaged row may need the first")
        self.assertEqual(len(keys["damaged"]), 1)
        self.assertTrue(keys["damaged"][0].startswith("secret two, version 1: "), keys["damaged"])
        self.assertIn("damaged: secret two, version 1: ", gateway.cli("vault", "keys"))
        self.assertEqual(json.loads(gateway.cli("vault", "status", "--json"))["damaged"], 1)
        self.assertTrue([one for one in gateway.audit() if one.get("reason", "").startswith("wrapping-key:2; 1 damaged: secret two, ")])
        for name in ("one", "three"):
            self.assertEqual(json.loads(gateway.cli("vault", "get", name, "--json"))["value"], "value of " + name)
        self.assertNotEqual(gateway.run("vault", "get", "two").code, 0)
        made = json.loads(gateway.cli("backup", "create", "--json"))
        self.assertTrue(made["verified"])
        self.assertTrue([one for one in made["notices"] if "secret two, version 1 does not open" in one], made)
        gateway.close()

    def test_a_password_takes_the_place_of_the_key_file(self):
        """S2-10, S2-12, S2-31: an existing home, SECURITY_VAULT_PASSWORD set later."""
        gateway = self.gateway()
        key = gateway.key("agent-2")
        gateway.stop()
        gateway.extra = {"SECURITY_VAULT_PASSWORD": PASSWORD}
        gateway.start()
        self.assertFalse(os.path.exists(self.key_file(gateway)))
        self.assertIn("unseal password $scrypt$ln=17,r=8,p=1$", head_of(gateway))
        self.assertEqual(self.answered(gateway, key), 200, "nothing that was stored dies")
        self.assertTrue([r for r in gateway.audit(action="open_keyring") if "opened by password" in r["reason"]])
        gateway.stop()
        gateway.extra = {"SECURITY_VAULT_PASSWORD": NEXT}
        self.refused(gateway, "the vault's password is wrong")
        gateway.extra = {}
        self.refused(gateway, "opened by another source (password)")
        gateway.extra = {"SECURITY_VAULT_PASSWORD": PASSWORD}
        gateway.cli("vault", "password", stdin=NEXT + "\n")  # no server runs
        self.refused(gateway, "the vault's password is wrong")
        gateway.extra = {"SECURITY_VAULT_PASSWORD": NEXT}
        gateway.start()
        self.assertEqual(self.answered(gateway, key), 200)
        for secret in (PASSWORD, NEXT):
            self.assertNotIn(secret, gateway.log())
            self.assertFalse([r for r in gateway.audit() if secret in json.dumps(r)])
        ran = gateway.run("vault", "password", stdin="short\n")
        self.assertNotEqual(ran.code, 0)
        self.assertIn("12 to 1024 bytes", ran.err)
        gateway.close()

    def test_a_key_in_the_environment_makes_the_home(self):
        """C26, S0-28."""
        gateway = self.gateway({"ENCRYPTION_KEY": KEY, "ENCRYPTION_ENABLED": "true"})
        self.assertFalse(os.path.exists(self.key_file(gateway)))
        self.assertIn("unseal environment", head_of(gateway))
        gateway.stop()
        gateway.extra = {"ENCRYPTION_KEY": "A" + KEY[1:]}
        self.refused(gateway, "does not open keys/keyring")
        gateway.extra = {"ENCRYPTION_KEY": KEY}
        gateway.cli("vault", "password", "--source", "file")
        self.assertTrue(os.path.exists(self.key_file(gateway)))
        gateway.extra = {}
        gateway.start()
        gateway.close()

    def test_without_encryption_the_vault_stays_sealed(self):
        """C24."""
        gateway = self.gateway({"ENCRYPTION_ENABLED": "false"})
        self.assertTrue(gateway.admin("GET", "/api/v1/vault/keys")["sealed"])
        gateway.close()

    def test_a_keyring_that_is_gone_is_never_made_anew(self):
        gateway = self.gateway()
        gateway.stop()
        aside = os.path.join(gateway.folder, "keyring")
        shutil.move(os.path.join(gateway.home, "keys", "keyring"), aside)
        for command in (("serve",), ("init",), ("vault", "keys")):
            ran = gateway.run(*command)
            self.assertNotEqual(ran.code, 0)
            self.assertIn("keys/keyring is gone; fix: restore", ran.err)
        self.assertEqual(os.listdir(os.path.join(gateway.home, "keys")), ["master.key"])
        shutil.move(aside, os.path.join(gateway.home, "keys", "keyring"))
        gateway.start()
        gateway.close()

    def test_a_home_from_before_keyrings_keeps_its_root(self):
        """Its key file was the root of every key: what the database says of it stays true."""
        gateway = self.gateway()
        gateway.stop()
        os.remove(os.path.join(gateway.home, "keys", "keyring"))
        with open(self.key_file(gateway), "rb") as file:
            root = file.read()
        prk = hmac.digest(bytes(32), root, hashlib.sha256)  # HKDF, RFC 5869
        fingerprint = hmac.digest(prk, b"sallyport/1/fingerprint\x01", hashlib.sha256)[:8].hex()

        def said_by_database(change=None):
            database = sqlite3.connect(os.path.join(gateway.home, "sallyport.db"))
            with database:
                for order in change or []:
                    database.execute(*order)
            found = dict(database.execute("SELECT name, value FROM meta"))
            database.close()
            return found

        said_by_database([("DELETE FROM meta WHERE name = 'keyring'",),
                          ("UPDATE meta SET value = ? WHERE name = 'key_fingerprint'", ("0" * 16,))])
        ran = gateway.run("serve")
        self.assertIn("another master key than keys/master.key", ran.err)
        self.assertEqual(os.listdir(os.path.join(gateway.home, "keys")), ["master.key"])
        said_by_database([("UPDATE meta SET value = ? WHERE name = 'key_fingerprint'", (fingerprint,)), ("DELETE FROM token_keys",),
                          ("DELETE FROM meta WHERE name = 'api_key_hash_keys'",), ("DELETE FROM audit_checkpoints",)])  # sealed and signed under the root of this test's own making
        shutil.rmtree(os.path.join(gateway.home, "audit"))
        gateway.start()
        gateway.stop()
        after = said_by_database()
        self.assertEqual(after["key_fingerprint"], fingerprint)
        self.assertIn("id " + after["keyring"], head_of(gateway))
        with open(self.key_file(gateway), "rb") as file:
            self.assertEqual(file.read(), root)

    def test_nobody_looks_into_its_memory(self):
        """No core file, and neither memory nor environment for others of the same user; the launcher too."""
        gateway = self.gateway({"SECURITY_VAULT_PASSWORD": PASSWORD})
        gateway.add_calculator()
        launchers = processes.children(gateway.process.pid)  # what they started may end meanwhile
        self.assertTrue(launchers)
        for pid in [gateway.process.pid] + launchers:
            with open("/proc/%d/limits" % pid) as file:
                self.assertRegex(file.read(), r"Max core file size\s+0\s+0")
            self.assertEqual(os.stat("/proc/%d/environ" % pid).st_uid, 0, "dumpable: it belongs to its user")
            script = ("import sys\nfor name in ('environ', 'mem', 'maps'):\n  try:\n    open('/proc/%s/%s' % (sys.argv[1], name), 'rb')"
                      ".read(1)\n    print('open', name)\n  except PermissionError:\n    pass\n")
            user = pwd.getpwnam(scratch.service_user()) if os.geteuid() == 0 else None
            who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
            ran = subprocess.run(["/usr/bin/python3", "-c", script, str(pid)], capture_output=True, text=True, timeout=30, cwd="/", **who)
            self.assertEqual((ran.returncode, ran.stdout), (0, ""), ran.stderr)
        gateway.close()

    def test_a_token_holds_the_key(self):
        """S2-14 with SoftHSM2: a key of AES-256 that does not leave it."""
        given = softhsm.Token().environment
        gateway = self.gateway(given, softhsm.SETTINGS)
        self.assertIn("unseal hsm A256GCM ", head_of(gateway))
        self.assertFalse(os.path.exists(self.key_file(gateway)))
        self.assertEqual(gateway.admin("GET", "/api/v1/vault/keys")["source"], "hsm")
        self.assertEqual(gateway.admin("POST", "/api/v1/vault/keys/rotate")["id"], 2)
        key = gateway.key("agent-2")
        gateway.stop()
        gateway.start()
        self.assertEqual(self.answered(gateway, key), 200)
        gateway.stop()
        gateway.extra = {**given, "TOKEN_PIN": "00000000"}
        self.refused(gateway, "the token refuses the PIN")
        gateway.extra = {**given, "SOFTHSM2_CONF": "/none.conf"}
        self.refused(gateway, "encryption.hsm_")
        gateway.extra = given
        gateway.start()
        gateway.close()


if __name__ == "__main__":
    unittest.main()
