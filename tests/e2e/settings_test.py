"""Settings that must do what they say, where only the running product can tell."""
import os
import signal
import time
import unittest

import mcp
import processes
from gateway import SLOW, Gateway


class Settings(unittest.TestCase):
    def test_the_time_of_a_call_that_names_none(self):
        """S0-22: upstream.call_timeout_seconds holds for servers that say nothing else."""
        with Gateway("call-timeout", {"upstream.call_timeout_seconds": 2}) as gateway:
            gateway.add_python("rogue", "rogue_server.py")
            session = mcp.Session(gateway, gateway.key("agent").secret, "rogue").open()
            began = time.monotonic()
            answer = session.call("no_answer")
            self.assertEqual(answer.message["error"]["code"], -31504, answer)
            self.assertLess(time.monotonic() - began, 8 * SLOW)

    def test_timeouts_of_rest_calls_by_their_range(self):
        """S0-20, S0-22: 1 to 300, and 0 is refused although it is falsy; S0-21: an id has three characters."""
        with Gateway("rest-timeout") as gateway:
            gateway.add_calculator()
            client = mcp.Client(gateway, gateway.key("agent", extra=["--role", "user"]).secret)
            path = "/api/tools/calc_add/execute"
            good = client.ask("POST", path, {"arguments": {"a": 2, "b": 3}, "timeout": 5})
            self.assertEqual(good.status, 200, good)
            self.assertEqual((good.message["status"], good.message["tool_id"]), ("success", "calc_add"))
            self.assertIsInstance(good.message["execution_time"], float)
            for timeout in (0, 301, -1, 10 ** 12):
                answer = client.ask("POST", path, {"arguments": {"a": 2, "b": 3}, "timeout": timeout})
                self.assertEqual(answer.status, 400, (timeout, answer))
                self.assertEqual(answer.message["error"]["message"], "Timeout must be between 1 and 300 seconds")
            short = client.ask("POST", "/api/tools/ab/execute", {"arguments": {}})
            self.assertEqual((short.status, short.message["error"]["message"]), (400, "Tool ID must be at least 3 characters"))

    def test_a_server_declared_in_the_file_is_there(self):
        import scratch
        with Gateway("declared") as gateway:
            gateway.stop()
            with open(os.path.join(gateway.home, "sallyport.yaml"), "a") as file:
                file.write("servers:\n  - name: fromfile\n    command: [%s]\n" % scratch.readable(scratch.binary("sallyport-calculator")))
            gateway.start()
            session = mcp.Session(gateway, gateway.key("agent").secret).open()
            processes.wait_until(lambda: "fromfile_add" in session.tools(), 10, "the declared server's tools")

    def test_sighup_takes_new_limits_without_a_restart(self):
        with Gateway("reload") as gateway:
            gateway.add_calculator()
            secret = gateway.key("agent").secret
            pid = gateway.process.pid
            path = os.path.join(gateway.home, "sallyport.yaml")
            with open(path) as file:
                text = file.read()
            start = text.index("  mcp:\n    requests: 1000000")
            with open(path, "w") as file:
                file.write(text[:start] + text[start:].replace("1000000", "3", 1))
            gateway.process.send_signal(signal.SIGHUP)

            def limited():
                session = mcp.Session(gateway, secret)
                return session.request("ping").headers.get("x-ratelimit-limit") == "3" or \
                    session.request("initialize", {"protocolVersion": mcp.VERSION, "capabilities": {},
                                                   "clientInfo": {"name": "x", "version": "1"}}).headers.get("x-ratelimit-limit") == "3"
            processes.wait_until(limited, 10 * SLOW, "the new limit")
            self.assertEqual(gateway.process.pid, pid)

    def test_a_broken_reload_changes_nothing(self):
        with Gateway("reload-broken") as gateway:
            path = os.path.join(gateway.home, "sallyport.yaml")
            with open(path) as file:
                good = file.read()
            with open(path, "w") as file:
                file.write(good + "no_such_setting: 1\n")
            gateway.process.send_signal(signal.SIGHUP)
            processes.wait_until(lambda: "reload refused" in gateway.log(), 10 * SLOW, "the refusal in the log")
            gateway.assert_alive()
            with open(path, "w") as file:
                file.write(good)

    def test_unsafe_settings_refuse_to_start_and_say_why(self):
        """C16, C24, C15, design principle 2."""
        with Gateway("unsafe") as gateway:
            gateway.stop()
            path = os.path.join(gateway.home, "sallyport.yaml")
            with open(path) as file:
                good = file.read()
            bad = {"listen.address": good.replace('"127.0.0.1"', '"0.0.0.0"'),
                   "audit.enabled": good + "audit:\n  enabled: false\n",
                   "no_such_setting": good + "no_such_setting: 1\n",
                   "secret_key": good + "auth:\n  secret_key: change-me\n"}
            for name, text in bad.items():
                with open(path, "w") as file:
                    file.write(text)
                ran = gateway.run("serve")
                self.assertEqual(ran.code, 1, (name, ran))
                self.assertIn(name, ran.err)
                self.assertIn("fix", ran.err)
            with open(path, "w") as file:
                file.write(good)


if __name__ == "__main__":
    unittest.main()
