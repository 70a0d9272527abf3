"""Certificates that end: named in health, status and doctor with the fix, told once in log and audit; and the rules for
Prometheus that ship speak of metrics that there are (issue 6: "expiry in metrics and alerts")."""
import datetime
import json
import os
import re
import unittest

import authority
import mcp
import processes
import scratch
from gateway import SLOW
from tls import TlsGateway

TIME_LIMIT = 240
PASSWORD = "Correct-Horse-7-Battery"
RULES = os.path.join(scratch.ROOT, "deploy", "prometheus", "sallyport.rules.yml")


def zulu(days=0, seconds=0):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(days=days, seconds=seconds)).strftime("%Y%m%d%H%M%SZ")


class Ending(TlsGateway):
    """It serves a certificate that began 80 days ago."""

    def __init__(self, name, **settings):
        super().__init__(name, settings)
        self.issuer = authority.Authority(self.folder, "issuer")
        self.tls = self.client_context()
        self.tls.check_hostname, self.tls.verify_mode = False, 0

    def choose_port(self):
        fresh = not os.path.exists(self.certs)
        super().choose_port()
        if fresh:
            self.serve(zulu(days=10))

    def serve(self, ends):
        key, request, certificate = (self.issuer.path("served" + ending) for ending in (".key", ".csr", ".pem"))
        authority.openssl("req", "-new", "-config", self.issuer.config, "-subj", "/CN=gateway.example", "-nodes", "-newkey", "ec", "-pkeyopt",
                          "ec_paramgen_curve:P-256", "-keyout", key, "-out", request, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        authority.openssl("ca", "-config", self.issuer.config, "-batch", "-notext", "-in", request, "-out", certificate,
                          "-startdate", zulu(days=-80), "-enddate", ends)
        self.place(key, "server.key")
        self.place(certificate, "server.crt")
        return authority.fingerprint(certificate)

    def health(self):
        return self.admin("GET", "/health/detailed")

    def part(self):
        return self.health()["parts"]["certificates"]

    def told(self, action):
        return self.audit(action=action)


class Expiry(unittest.TestCase):
    def test_one_that_ends_soon_is_named_with_the_fix_and_told_once(self):
        with Ending("soon") as gateway:
            health, part = gateway.health(), gateway.part()
            self.assertEqual(("healthy", "warning"), (health["status"], part["status"]), "to be near its end is no failure")
            (one,) = part["warnings"]
            self.assertEqual(("served", "ends_soon"), (one["certificate"], one["state"]))
            self.assertRegex(one["warning"], r"^the certificate that is served \(CN=gateway.example\) ends in (9|10) days, at 20")
            self.assertIn("tls.certificate and tls.key", one["fix"])
            self.assertEqual("healthy", mcp.Client(gateway).ask("GET", "/health").message["status"])
            self.assertEqual([one["warning"] + "; fix: " + one["fix"]], gateway.admin("GET", "/api/v1/status")["certificate_warnings"])
            (check,) = self.doctor(gateway)
            self.assertEqual(("warn", one["warning"], one["fix"]), (check["state"], check["found"], check["fix"]))
            processes.wait_until(lambda: gateway.told("certificate_ends_soon"), 20 * SLOW, "the record")
            gateway.stop()
            (check,) = self.doctor(gateway)
            self.assertEqual("warn", check["state"], "without a server too")
            gateway.start()
            processes.wait_until(lambda: gateway.log().count("the served certificate ends soon") >= 2, 20 * SLOW, "the second start")
            fresh = gateway.serve(zulu(days=9))
            processes.wait_until(lambda: len(gateway.told("certificate_ends_soon")) > 1, 30 * SLOW, "a record of another certificate")
            records = gateway.told("certificate_ends_soon")
            self.assertEqual(2, len(records), "a restart says nothing twice")
            self.assertIn("sha256=" + fresh, records[1]["reason"])
            self.assertIn("; fix: put a renewed certificate", records[1]["reason"])
            self.assertEqual([], gateway.told("certificate_expired"))

    def test_one_that_has_expired_is_a_failure(self):
        with Ending("over") as gateway:
            print_of = gateway.serve(zulu(seconds=15 * SLOW))
            processes.wait_until(lambda: gateway.told("certificate_expired"), 60 * SLOW, "the record")
            (record,) = gateway.told("certificate_expired")
            self.assertEqual("error", record["result"])
            self.assertIn("sha256=" + print_of, record["reason"])
            health, part = gateway.health(), gateway.part()
            self.assertEqual(("degraded", "failing"), (health["status"], part["status"]))
            self.assertEqual("expired", part["warnings"][0]["state"])
            (check,) = self.doctor(gateway)
            self.assertEqual("fail", check["state"])

    def test_an_authority_that_cannot_be_used_is_named(self):
        with Ending("damaged") as gateway:
            gateway.serve(zulu(days=300))
            gateway.stop()
            for name in ("ca.crt", "server.crt", "server.key"):
                os.rename(os.path.join(gateway.certs, name), os.path.join(gateway.folder, name))
            gateway.cli("certs", "init", "--host", "localhost")
            gateway.start()
            self.assertEqual({"status": "healthy", "warnings": []}, gateway.part())
            (check,) = self.doctor(gateway)
            self.assertEqual("ok", check["state"])
            listed = json.loads(gateway.cli("certs", "list", "--json"))["data"]
            self.assertEqual([False, False], [one["ends_soon"] for one in listed])
            gateway.stop()
            with open(os.path.join(gateway.certs, "index.sealed"), "r+") as file:
                file.seek(40)
                file.write("AAAA")
            gateway.start()
            health, part = gateway.health(), gateway.part()
            self.assertEqual(("degraded", "failing"), (health["status"], part["status"]))
            (one,) = part["warnings"]
            self.assertEqual(("authority", "unusable", None), (one["certificate"], one["state"], one["until"]))
            self.assertIn("index.sealed", one["warning"])
            gateway.user("boss", PASSWORD, "admin")
            login = mcp.Client(gateway).ask("POST", "/api/auth/login", {"username": "boss", "password": PASSWORD})
            told = mcp.Client(gateway, login.message["access_token"]).ask("GET", "/api/v1/certificates")
            self.assertEqual(500, told.status, told)
            self.assertIn("index.sealed", told.message["error"]["message"], "settings and files are system:admin's business, over REST too")

    def doctor(self, gateway):
        checks = json.loads(gateway.run("doctor", "--json").out)["checks"]
        return [check for check in checks if check["check"] == "certificates"]


class Rules(unittest.TestCase):
    """What ships for Prometheus: read as the text that it is, since no parser of YAML is asked of who runs the tests."""

    def test_each_rule_speaks_of_metrics_that_there_are(self):
        with open(RULES) as file:
            text = file.read()
        rules = re.split(r"(?m)^ +- alert: ", text)[1:]
        with Ending("rules") as gateway:
            live = mcp.Client(gateway).ask("GET", "/metrics").body.decode()
            gateway.cli("vault", "seal")
            sealed = mcp.Client(gateway).ask("GET", "/metrics").body.decode()
        self.assertRegex(live, r"(?m)^sallyport_vault_sealed 0$")
        self.assertRegex(sealed, r"(?m)^sallyport_vault_sealed 1$")
        for which in ("wrapping", "hash", "token"):
            due = re.search(r'(?m)^sallyport_key_rotation_due_timestamp_seconds\{key="%s"\} (\d+)$' % which, live)
            self.assertTrue(due, which)
            self.assertGreater(int(due[1]), datetime.datetime.now().timestamp() + 20 * 86400, which)
        kinds = dict(re.findall(r"(?m)^# TYPE (\S+) (\S+)$", live))
        about = set()
        for rule in rules:
            name = rule.split("\n")[0]
            self.assertRegex(name, "^Sallyport[A-Za-z]+$")
            for part in (r"(?m)^ +expr: ", r"(?m)^ +severity: (warning|critical)$", r"(?m)^ +summary: ", r"(?m)^ +description: .*[Ff]ix"):
                self.assertRegex(rule, part, name)
            asked = re.search(r"(?m)^ +expr: (.*)$", rule)[1]
            metrics = re.findall(r"sallyport_\w+", asked)
            self.assertTrue(metrics, name)
            for metric in metrics:
                self.assertIn(metric, kinds, name)
                self.assertEqual(kinds[metric] == "counter", ("increase(" + metric in asked), "%s: %s" % (name, metric))
                about.add(metric)
        self.assertEqual(len(rules), len({rule.split("\n")[0] for rule in rules}))
        for metric in ("sallyport_tls_certificate_expiry_timestamp_seconds", "sallyport_certificate_expiry_timestamp_seconds",
                       "sallyport_certificate_renewal_failures_total", "sallyport_tls_reload_failures_total",
                       "sallyport_backup_failures_total", "sallyport_vault_sealed", "sallyport_key_rotation_due_timestamp_seconds"):
            self.assertIn(metric, about)


if __name__ == "__main__":
    unittest.main()
