"""What a client certificate opened ends with it (S2-26): streams and calls too, when a list that revokes it is read, or when its
authority is trusted no more. And a name counts for whose authority it is said."""
import json
import os
import signal
import socket
import ssl
import threading
import unittest

import authority
import mcp
import processes
import sse
from gateway import SLOW
from tls import TlsGateway

TIME_LIMIT = 300
REQUEST = b"GET /api/v1/auth/me HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


class MutualGateway(TlsGateway):
    """It asks clients for certificates of `clients` and `others`, those that tls.client_ca has at first."""

    def __init__(self, name, *trusted, **settings):
        super().__init__(name, {"tls.client_certificates": "optional", "auth.client_certificates": "beside", "listen.workers": 2,
                                **{name.replace("__", "."): value for name, value in settings.items()}})
        self.clients, self.others = (authority.Authority(self.folder, one) for one in ("clients", "others"))
        self.trusted = trusted

    def choose_port(self):
        super().choose_port()
        self.trust(*self.trusted)

    def trust(self, *names):
        path = os.path.join(self.folder, "trusted.pem")
        with open(path, "w") as file:
            for name in names:
                with open(getattr(self, name).pem) as pem:
                    file.write(pem.read())
        self.place(path, "ca.crt")

    def revoke(self, *pairs):
        for pair in pairs:
            self.clients.revoke(pair)
        self.place(self.clients.crl(), "crl.pem")

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def opened(self, pair):
        """An MCP session of whoever shows `pair`, with a stream that is listened at."""
        session = mcp.Session(self, None)
        session.connection._context = self.client_context(*pair)
        session.open()
        return session, sse.get(session, timeout=60 * SLOW)

    def me(self, pair):
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain:
            with self.client_context(*pair).wrap_socket(plain, server_hostname="127.0.0.1") as s:
                s.sendall(REQUEST)
                return int(s.recv(65536).split(b" ")[1])


class Case(unittest.TestCase):
    def assert_audited(self, gateway, *texts):
        found = lambda: any(all(text in json.dumps(record) for text in texts) for record in gateway.audit())
        processes.wait_until(found, 10 * SLOW, "a record with " + ", ".join(texts))

    def identity(self, gateway, name, key, *more):
        return json.loads(gateway.cli("identity", "add", name, "--key", key.id, *more, "--json"))

    def assert_shut(self, session):
        """On the very same connection. SIGHUP has no answer: the workers learn of it one after the other, each for its connections."""
        processes.wait_until(lambda: session.call("calc_add", {"a": 1, "b": 1}).status == 401, 20 * SLOW, "no further call")


class Ends(Case):
    def test_s2_26_a_list_that_revokes_it_ends_streams_and_calls(self):
        with MutualGateway("ends", "clients") as gateway:
            gateway.add_calculator()
            bad, good = (gateway.clients.issue(name, "DNS:%s.example" % name) for name in ("bad", "good"))
            for name in ("bad", "good"):
                self.identity(gateway, "dns:%s.example" % name, gateway.key(name))
            gateway.revoke()  # an empty list, to begin with
            gateway.reload()
            session, stream = gateway.opened(bad)
            stays, other = gateway.opened(good)
            self.assertEqual(["text/event-stream"] * 2, [one.headers["content-type"].split(";")[0] for one in (stream, other)])
            beside = mcp.Session(gateway, None)  # the same session on another connection
            beside.connection._context, beside.id = session.connection._context, session.id
            answers = []
            slow = threading.Thread(target=lambda: answers.append(
                beside.call("calc_slow_sum", {"numbers": list(range(100)), "step_ms": 1000})))
            slow.start()
            processes.wait_until(lambda: gateway.audit(tool="slow_sum"), 20 * SLOW, "the call at its server")
            gateway.revoke(bad)
            gateway.reload()
            self.assertEqual([], stream.rest(), "it ends")
            slow.join(20 * SLOW)
            self.assertFalse(slow.is_alive(), "so does the call")
            self.assertNotIn("result", answers[0].message or {})
            self.assert_shut(session)
            self.assert_audited(gateway, "identity.certificate_revoked", authority.fingerprint(bad.certificate))
            self.assertEqual("5", stays.text("calc_add", {"a": 2, "b": 3}), "others go on")
            for one in (session, beside, stays, other):
                one.close()

    def test_s2_26_an_authority_that_is_trusted_no_more(self):
        with MutualGateway("untrusted", "clients", "others") as gateway:
            gateway.add_calculator()
            key = gateway.key("agent")
            pairs = gateway.clients.issue("a", "DNS:a.example"), gateway.others.issue("a", "DNS:a.example")
            for issuer in (gateway.clients, gateway.others):
                self.identity(gateway, "dns:a.example", key, "--issuer", issuer.pem)
            (session, stream), (stays, other) = (gateway.opened(pair) for pair in pairs)
            gateway.trust("others")
            gateway.reload()
            self.assertEqual([], stream.rest())
            self.assert_shut(session)
            self.assertEqual("5", stays.text("calc_add", {"a": 2, "b": 3}))
            for one in (session, stays, other):
                one.close()


def joined(path, *sources):
    with open(path, "w") as file:
        for source in sources:
            with open(source) as pem:
                file.write(pem.read())
    return path


class Chains(Case):
    """An open connection is held to what a new handshake would say of it."""

    def place_lists(self, gateway, *lists):
        gateway.place(joined(os.path.join(gateway.folder, "lists.pem"), *lists), "crl.pem")
        gateway.reload()

    def assert_met(self, gateway, pair, *, refused):
        """With a new connection; the workers learn of a list one after the other."""
        def met():
            try:
                return (gateway.me(pair) == 200) is not refused
            except ssl.SSLError:
                return refused
        processes.wait_until(met, 20 * SLOW, "another handshake")

    def test_s2_26_an_authority_in_between_that_is_revoked_ends_what_it_vouched_for(self):
        with MutualGateway("chains", "clients") as gateway:
            gateway.add_calculator()
            root, middle = gateway.clients, authority.Authority(gateway.folder, "middle", gateway.clients)
            leaf = middle.issue("bad", "DNS:bad.example")
            bad = authority.Pair(joined(os.path.join(gateway.folder, "bad.pem"), leaf.certificate, middle.pem), leaf.key)
            good = root.issue("good", "DNS:good.example")
            for name in ("bad", "good"):
                self.identity(gateway, "dns:%s.example" % name, gateway.key(name))
            self.place_lists(gateway, root.crl(), middle.crl())
            (session, stream), (stays, other) = (gateway.opened(pair) for pair in (bad, good))
            self.assertEqual("5", session.text("calc_add", {"a": 2, "b": 3}))
            root.revoke(authority.Pair(middle.pem, None))
            self.place_lists(gateway, root.crl(), middle.crl())
            self.assertEqual([], stream.rest(), "it ends")
            self.assert_shut(session)
            self.assert_audited(gateway, "identity.certificate_revoked", authority.fingerprint(leaf.certificate))
            self.assert_met(gateway, bad, refused=True)
            self.assertEqual("5", stays.text("calc_add", {"a": 2, "b": 3}), "others go on")
            for one in (session, stays, other):
                one.close()

    def test_s2_26_a_list_that_ends_without_another_ends_what_is_open(self):
        with MutualGateway("ended", "clients") as gateway:
            gateway.add_calculator()
            pair = gateway.clients.issue("agent", "DNS:agent.example")
            key = gateway.key("agent")
            self.identity(gateway, "dns:agent.example", key)
            self.place_lists(gateway, gateway.clients.crl(10 * SLOW))
            session, stream = gateway.opened(pair)
            self.assertEqual("5", session.text("calc_add", {"a": 2, "b": 3}))
            self.assertEqual([], stream.rest(), "nothing happens but that the list ends")
            self.assert_shut(session)
            self.assert_audited(gateway, "identity.certificate_list_ended", authority.fingerprint(pair.certificate))
            self.assert_met(gateway, pair, refused=True)
            self.place_lists(gateway, gateway.clients.crl())
            self.assert_met(gateway, pair, refused=False)
            session.close()


class Issuers(Case):
    def test_s2_26_another_authority_cannot_claim_a_name(self):
        with MutualGateway("issuers", "clients", "others") as gateway:
            key = gateway.key("agent")
            ran = gateway.run("identity", "add", "dns:a.example", "--key", key.id)
            self.assertNotEqual(0, ran.code)
            self.assertIn("say whose it is (issuer)", ran.err)
            made = self.identity(gateway, "dns:a.example", key, "--issuer", gateway.clients.pem)
            self.assertRegex(made["issuer"], "^[0-9a-f]{64}$")
            self.assertIn(made["issuer"], gateway.cli("identity", "list"))
            right, wrong = (one.issue("a", "DNS:a.example") for one in (gateway.clients, gateway.others))
            self.assertEqual((200, 401), (gateway.me(right), gateway.me(wrong)))
            self.assert_audited(gateway, "identity.certificate_unknown", authority.fingerprint(wrong.certificate))
            self.resumed(gateway, right, 200)
            self.resumed(gateway, wrong, 401)

    def resumed(self, gateway, pair, status):
        """A ticket says which authority it was, in both versions."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context, session = gateway.client_context(*pair), None
            context.minimum_version = context.maximum_version = version
            for again in (False, True):
                with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as plain:
                    with context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as s:
                        s.sendall(REQUEST)
                        self.assertEqual(b"%d" % status, s.recv(65536).split(b" ")[1])
                        self.assertEqual(again, s.session_reused)
                        session = s.session

    def test_s2_26_one_that_was_mapped_before_there_were_two(self):
        with MutualGateway("before", "clients") as gateway:
            key = gateway.key("agent")
            self.identity(gateway, "dns:a.example", key)
            pair = gateway.clients.issue("a", "DNS:a.example")
            self.assertEqual(200, gateway.me(pair))
            gateway.trust("clients", "others")
            gateway.reload()
            processes.wait_until(lambda: gateway.me(pair) == 401, 20 * SLOW, "the refusal")
            self.assert_audited(gateway, "identity.certificate_issuer_unnamed", authority.fingerprint(pair.certificate))
            self.identity(gateway, "dns:a.example", key, "--issuer", gateway.clients.pem)
            self.assertEqual(200, gateway.me(pair))


del Case

if __name__ == "__main__":
    unittest.main()
