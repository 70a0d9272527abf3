#!/usr/bin/env python3
"""make api-fuzz: schemathesis against a live gateway, from the gateway's own /openapi.json (done when 4 of identity).

Each caller in turn: an admin who logged in, an API key that may do everything, nobody. What is judged: no 5xx but a tool's own error, no answer that
the document does not allow (status, content type, headers, schema), what breaks a schema is refused, and nothing answers
without the credential that it asks for. API_FUZZ_SECONDS (120) is the time of each caller; API_FUZZ_SEED the seed.
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import mcp  # noqa: E402
import scratch  # noqa: E402
from gateway import Gateway  # noqa: E402

TOOL = os.path.join(scratch.ROOT, "build", "schemathesis", "bin", "schemathesis")
PASSWORD = "Violet-Tractor-7-Moss"
SECONDS = os.environ.get("API_FUZZ_SECONDS", "120")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance," \
         "response_schema_conformance,negative_data_rejection,ignored_auth"
# What would end the login that asks: the rest of the run would only see 401.
ENDS_THE_LOGIN = r"/auth/(logout|logout-all|password|mfa/.*)$|/sessions|/token-keys/rotate$|/users/\{id\}/(mfa|password)$"


def login(gateway):
    gateway.user("fuzzer", PASSWORD, "admin")
    answer = mcp.Client(gateway).ask("POST", "/auth/login", {"username": "fuzzer", "password": PASSWORD})
    return answer.message["access_token"]


def fuzz(gateway, name, headers, more=()):
    checks = CHECKS + (",unsupported_method" if headers else "")  # nobody learns which methods there are
    print("\n== %s, %s s" % (name, SECONDS), flush=True)
    command = [TOOL, "--config-file", os.path.join(HERE, "schemathesis.toml"), "run", "http://127.0.0.1:%d/openapi.json" % gateway.port, "--checks", checks, "--max-time", SECONDS,
               "--no-color", "--continue-on-failure", "--request-timeout", "20", "--output-sanitize", "false",
               "--suppress-health-check", "all", *more]
    if "API_FUZZ_SEED" in os.environ:
        command += ["--seed", os.environ["API_FUZZ_SEED"]]
    for header in headers:
        command += ["--header", header]
    done = subprocess.run(command, cwd=gateway.folder, timeout=6 * int(SECONDS) + 120)
    gateway.assert_alive()
    secret = headers[0].split(" ")[-1] if headers else None
    if secret and mcp.Client(gateway, secret).ask("GET", "/auth/me").status != 200:
        print("the credential died during the run, which saw only refusals from then on")
        return False
    return done.returncode == 0


def main():
    with Gateway("api-fuzz") as gateway:
        gateway.add_calculator()
        passed = [fuzz(gateway, "an admin", ["Authorization: Bearer " + login(gateway)], ["--exclude-path-regex", ENDS_THE_LOGIN])]
        key = gateway.key("fuzzer", extra=("--can-create", "--can-update", "--can-delete"))  # the admin may have deleted earlier ones
        passed += [fuzz(gateway, "a key", ["Authorization: Bearer " + key.secret]),
                   fuzz(gateway, "nobody", [], ["--exclude-path", "/auth/login"])]  # the tool would log in by itself
        if "traceback" in gateway.log().lower() or "exception" in gateway.log().lower():
            print(gateway.log()[-4000:])
            passed.append(False)
    print("api-fuzz: %s" % ("all passed" if all(passed) else "failed"))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
