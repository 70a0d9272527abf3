"""What must hold where a transit engine opens the keyring (S2-14; docs/vault.md), whoever the engine is: a class with `make(**options)`,
which gives a started one (transit_server.Transit, vault_server.Transit), and these cases."""
import os
import re
import time

import leaks
import processes
from gateway import SLOW, Gateway

PASSWORD = "correct horse battery staple"
SECRET = "value-under-transit-8c1f"


class TransitCases:
    @staticmethod
    def make(**options):
        raise NotImplementedError

    def transit(self, **options):
        made = self.make(**options)
        self.addCleanup(made.stop)
        return made

    @staticmethod
    def settings(transit, **more):
        return {"encryption.transit_url": transit.url, "encryption.transit_key": transit.key, "encryption.transit_mount": transit.mount,
                "encryption.transit_token": "${env:TRANSIT_TOKEN}", "encryption.transit_allow_private": True,
                "encryption.transit_wait_seconds": 1, **more}

    def gateway(self, settings, **environment):
        gateway = Gateway("transit", settings, environment=environment)
        self.addCleanup(gateway.kill)
        return gateway.__enter__()

    def made_with(self, transit, token=None, **more):
        """A gateway that was set up with it and holds a secret."""
        gateway = self.gateway(self.settings(transit, **more), TRANSIT_TOKEN=token or transit.token())
        gateway.cli("vault", "put", "kept", stdin=SECRET)
        return gateway

    def change(self, gateway, settings, **environment):
        """The settings of its next start, in place of those of the same kind."""
        kept = {name: value for name, value in gateway.settings.items() if not name.startswith("encryption.")}
        gateway.settings, gateway.more_environment = {**kept, **settings}, environment
        gateway.choose_port()

    @staticmethod
    def head(gateway):
        with open(os.path.join(gateway.home, "keys", "keyring"), "rb") as file:
            return file.read().split(b"\n\n")[0].decode()

    def opens(self, gateway):
        self.assertEqual(gateway.cli("vault", "get", "kept").strip(), SECRET)

    def refused(self, gateway, *texts):
        """It does not start, says why and how to mend it, makes no other key, and the keyring is as it was."""
        folder = os.path.join(gateway.home, "keys")
        def files():
            return dict(leaks.written(folder))
        before = files()
        ran = gateway.run("serve")
        self.assertEqual(ran.code, 1, ran.err)
        for text in (*texts, "fix: "):
            self.assertIn(text, ran.err)
        self.assertEqual(files(), before)
        return ran.err

    def test_a_home_is_made_restarted_and_turned(self):
        """S2-11, S2-14: no key file, and the token is written nowhere."""
        transit = self.transit()
        token = transit.token()
        gateway = self.made_with(transit, token)
        self.assertIn("unseal transit ", self.head(gateway))
        self.assertFalse(os.path.exists(os.path.join(gateway.home, "keys", "master.key")))
        self.assertEqual(gateway.admin("GET", "/api/v1/vault/keys")["source"], "transit")
        self.assertEqual(gateway.admin("POST", "/api/v1/vault/keys/rotate")["id"], 2)
        gateway.cli("vault", "seal")
        gateway.cli("vault", "unseal")
        self.opens(gateway)
        gateway.stop()
        self.opens(gateway)  # no server runs: one order, told at once
        gateway.start()
        self.opens(gateway)
        self.assertEqual(gateway.run("doctor").code, 0, gateway.run("doctor"))
        gateway.stop()
        self.assertEqual(leaks.found({"token": token, "secret": SECRET}, leaks.written(gateway.folder)), [])

    def test_a_key_file_gives_way_to_it_and_it_to_a_password(self):
        transit = self.transit()
        gateway = self.gateway({})
        gateway.cli("vault", "put", "kept", stdin=SECRET)
        gateway.stop()
        token = transit.token()
        self.change(gateway, self.settings(transit), TRANSIT_TOKEN=token)
        gateway.start()
        self.opens(gateway)
        self.assertEqual(os.listdir(os.path.join(gateway.home, "keys")), ["keyring"])
        self.assertTrue([r for r in gateway.audit(action="open_keyring") if "opened by transit" in r["reason"]])
        gateway.cli("vault", "password", stdin=PASSWORD + "\n")
        gateway.stop()
        self.refused(gateway, "opened by another source (password)")
        self.change(gateway, {}, SECURITY_VAULT_PASSWORD=PASSWORD)
        gateway.start()
        self.opens(gateway)
        gateway.cli("vault", "password", "--source", "file")
        self.assertIn("needs encryption.transit_url", gateway.run("vault", "password", "--source", "transit").err)
        gateway.stop()
        self.change(gateway, self.settings(transit), TRANSIT_TOKEN=token)
        gateway.start()
        self.opens(gateway)
        gateway.close()

    def test_after_a_turn_of_its_key_it_is_wrapped_anew_on_demand(self):
        transit = self.transit()
        gateway = self.made_with(transit)
        before = self.head(gateway)
        transit.turn()
        transit.forget_versions_before(2)
        gateway.stop()
        self.refused(gateway, "min_decryption_version")
        transit.forget_versions_before(1)
        gateway.start()
        gateway.cli("vault", "password", "--source", "transit")
        self.assertNotEqual(self.head(gateway), before)
        transit.forget_versions_before(2)
        gateway.stop()
        gateway.start()
        self.opens(gateway)
        gateway.close()

    def test_another_key_opens_nothing(self):
        transit = self.transit()
        gateway = self.made_with(transit)
        gateway.stop()
        named, token = dict(gateway.settings), gateway.more_environment
        self.change(gateway, self.settings(transit, **{"encryption.transit_key": "other"}), **token)
        self.refused(gateway, "sealed by another key than encryption.transit_mount and encryption.transit_key name")
        self.change(gateway, {name: value for name, value in named.items() if name.startswith("encryption.")}, **token)
        transit.replace_key()  # another one of that name
        self.refused(gateway, "does not open what keys/keyring holds")

    def test_a_changed_wrapping_opens_nothing(self):
        transit = self.transit()
        gateway = self.made_with(transit)
        gateway.stop()
        path = os.path.join(gateway.home, "keys", "keyring")
        with open(path, "rb") as file:
            whole = file.read()
        line = re.search(rb"unseal transit \S+ \S+ (\S+)\n", whole)
        for at in (line.start(1) + 40, line.end(1) - 8):
            with open(path, "wb") as file:
                file.write(whole[:at] + (b"A" if whole[at:at + 1] != b"A" else b"B") + whole[at + 1:])
            self.refused(gateway)
        with open(path, "wb") as file:
            file.write(whole)
        gateway.start()
        self.opens(gateway)
        gateway.close()

    def test_away_or_sealed_it_opens_nothing_and_nothing_else_does(self):
        transit = self.transit()
        gateway = self.made_with(transit)
        gateway.stop()
        transit.seal()
        began = time.monotonic()
        self.refused(gateway, "it is sealed or in maintenance", "start and unseal that server")
        self.assertLess(time.monotonic() - began, 15 * SLOW)
        doctor = gateway.run("doctor")
        self.assertIn("start and unseal that server", doctor.out + doctor.err)
        transit.unseal()
        gateway.start()
        gateway.stop()
        transit.stop()
        self.refused(gateway, "start and unseal that server", "nothing else opens keys/keyring")
        self.assertNotEqual(gateway.run("vault", "keys").code, 0)

    def test_a_start_waits_for_it(self):
        transit = self.transit()
        gateway = self.made_with(transit)
        gateway.stop()
        transit.seal()
        self.change(gateway, self.settings(transit, **{"encryption.transit_wait_seconds": 120}), **gateway.more_environment)
        gateway.spawn()
        processes.wait_until(lambda: "waiting for what opens the keyring" in gateway.log(), 30 * SLOW, "a line in the log")
        transit.unseal()
        processes.wait_until(gateway.ready, 30 * SLOW, "/health/ready")
        self.opens(gateway)
        gateway.close()

    def test_a_token_that_may_not_is_told_with_what_it_should(self):
        transit = self.transit()
        gateway = self.made_with(transit)
        gateway.stop()
        for wrong in ("hvs.no-such-token", transit.token(may=False)):
            gateway.more_environment = {"TRANSIT_TOKEN": wrong}
            said = self.refused(gateway, "HTTP status 403", "%s/decrypt/%s" % (transit.mount, transit.key))
            self.assertNotIn(wrong, said)
        gateway.more_environment = {}
        self.refused(gateway, "TRANSIT_TOKEN is not set")

    def test_its_token_is_renewed_before_it_ends(self):
        transit = self.transit()
        token = transit.token(seconds=12)
        gateway = self.made_with(transit, token)
        processes.wait_until(lambda: transit.was_renewed(token), 11 * SLOW, "a renewal")
        gateway.cli("vault", "seal")
        gateway.cli("vault", "unseal")
        self.opens(gateway)
        gateway.close()
