#!/usr/bin/env python3
"""The house rules that a machine can hold (style.md, rules 7, 9, 10): include graph, size budgets, banned words, promise ids.

  tests/tidy/tidy_test.py            the test
  tests/tidy/tidy_test.py --update   writes smaller excesses into baseline.json; never a new or a larger one
"""
import json
import pathlib
import re
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import cxx  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASELINE = pathlib.Path(__file__).parent / "baseline.json"
FUNCTION_LINES, FILE_LINES, HEADER_LINES = 70, 400, 120
CODE = (".h", ".cc", ".rs", ".py", ".rego", ".mjs", ".ts", ".sh", ".cmake")
SIDE = re.compile(r"_(test|bench|fuzz)\.cc$|test_support|/testing/")  # no part of the product


def tracked():
    """Files of the tree, those not yet committed too."""
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                         capture_output=True, check=True).stdout
    return sorted({name for name in out.decode().split("\0") if name and (ROOT / name).is_file()})


FILES = tracked()
TEXT = {}


def text_of(name):
    if name not in TEXT:
        TEXT[name] = (ROOT / name).read_bytes().decode("utf-8", "replace")
    return TEXT[name]


def is_code(name):
    if name.startswith("tests/fuzz/"):
        return False
    return name.endswith(CODE) or (name.startswith(("scripts/", "bench/", ".ci/")) and "." not in pathlib.Path(name).name)


def cxx_files(prefix=""):
    return [name for name in FILES if name.startswith(prefix) and name.endswith((".h", ".cc"))]


def module_table():
    """module -> what it may include, from src/CMakeLists.txt."""
    text = re.sub(r"#.*", "", (ROOT / "src/CMakeLists.txt").read_text())
    table = {}
    for call in re.findall(r"sp_module\(([^)]*)\)", text):
        words, mode = call.split(), None
        table[words[0]] = set()
        for word in words[1:]:
            if word in ("DEPS", "LIBS", "ASIO"):
                mode = word
            elif mode == "DEPS":
                table[words[0]].add(word)
    return table


def module_of(path, table):
    """The longest module that `path` (below src/) lies in."""
    parts = path.split("/")[:-1]
    while parts and "/".join(parts) not in table:
        parts.pop()
    return "/".join(parts)


class IncludeGraph(unittest.TestCase):
    def test_each_include_is_named_in_the_table_of_modules(self):
        table = module_table()
        wrong = []
        for name in cxx_files("src/"):
            own = module_of(name[4:], table)
            if name.count("/") == 1:  # src/main.cc
                allowed = {"app", "cli"}
            else:
                self.assertTrue(own, f"{name} lies in no module of src/CMakeLists.txt")
                allowed = table[own] | {own}
            for line, included in enumerate(text_of(name).splitlines(), 1):
                found = re.match(r'\s*#\s*include\s+"([^"]+)"', included)
                if not found or not (ROOT / "src" / found.group(1)).exists():
                    continue
                to = module_of(found.group(1), table)
                if to not in allowed:
                    wrong.append(f"{name}:{line}: {own or 'main'} may not include {found.group(1)} (DEPS in src/CMakeLists.txt)")
        self.assertEqual([], wrong, "\n" + "\n".join(wrong))

    def test_the_table_has_no_circle(self):
        table = module_table()
        done = set()
        while len(done) < len(table):
            free = {m for m in table if m not in done and table[m] & set(table) <= done}
            self.assertTrue(free, f"circle among {sorted(set(table) - done)}")
            done |= free

    def test_a_stage_includes_no_other_stage(self):
        for module, deps in module_table().items():
            if module.startswith("request/") and module != "request/pipeline":
                self.assertFalse([d for d in deps if d.startswith("request/")], module)
            if module.startswith("control"):
                self.assertFalse([d for d in deps if d.startswith("request")], module)


def excesses():
    found = {"functions": {}, "files": {}, "headers": {}}
    for name in filter(is_code, FILES):
        lines = text_of(name).count("\n")
        if lines > FILE_LINES:
            found["files"][name] = lines
        if name.startswith("src/") and name.endswith(".h") and lines > HEADER_LINES:
            found["headers"][name] = lines
    for name in cxx_files():
        for function, _, lines in cxx.functions(text_of(name)):
            if lines > FUNCTION_LINES:
                found["functions"][f"{name}: {function}"] = lines
    return found


class Sizes(unittest.TestCase):
    """A ratchet: an old excess may stay or shrink, a new one may not come."""

    def check(self, kind, limit):
        allowed = json.loads(BASELINE.read_text())[kind]
        wrong = [f"{name}: {lines} lines, at most {allowed.get(name, limit)}"
                 for name, lines in excesses()[kind].items() if lines > allowed.get(name, limit)]
        self.assertEqual([], wrong, "\n" + "\n".join(wrong))

    def test_functions(self):
        self.check("functions", FUNCTION_LINES)

    def test_files(self):
        self.check("files", FILE_LINES)

    def test_public_headers(self):
        self.check("headers", HEADER_LINES)

    def test_the_meter_measures(self):
        source = "namespace a {\nint f(int x) {\n  if (x) {\n    return '{';\n  }\n  return 0;  // }\n}\nstruct S { int g() const { return 1; } };\n}\n"
        self.assertEqual([("f", 2, 6), ("g", 8, 1)], list(cxx.functions(source)))


def product(name):
    return name.startswith("src/") and not SIDE.search(name)


def beyond_core(name):
    return product(name) and not name.startswith("src/core/")


# (pattern, in which files, why); looked for in the text without comments and strings
BANNED = [
    (r"\bstd::w?regex\b|#\s*include\s*<regex>", lambda n: True, "std::regex backtracks: RE2"),
    (r"\basio::detached\b", beyond_core, "asio::detached swallows exceptions: a TaskGroup"),
    (r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\b", lambda n: n.startswith("src/"), "nothing sleeps: wait for what you wait for"),
    (r"(?<![\w.>:])(?:std::|::)?(?:system|popen)\s*\(", product, "no shell"),
    (r"(?<![\w.>:])(?:std::)?s?rand\s*\(|\bstd::(?:mt19937\w*|random_device|minstd_rand0?)\b", product, "randomness comes from core/random.h"),
    (r"\b(?:time\s*\(\s*(?:nullptr|NULL|0|&)|gettimeofday\s*\(|clock_gettime\s*\()", beyond_core, "clocks are passed in (Clock&)"),
    (r"\b(?:steady_clock|system_clock|high_resolution_clock)::now\b", beyond_core, "clocks are passed in (Clock&)"),
]


class Words(unittest.TestCase):
    def test_banned_words(self):
        wrong = []
        for name in cxx_files():
            code = cxx.without_comments_and_literals(text_of(name))
            for pattern, where, why in BANNED:
                if not where(name):
                    continue
                wrong += [f"{name}:{code.count(chr(10), 0, m.start()) + 1}: {m.group(0).strip()} ({why})"
                          for m in re.finditer(pattern, code)]
        self.assertEqual([], wrong, "\n" + "\n".join(wrong))

    def test_todo_names_an_issue(self):
        mark = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b(?!\(?\s*#\d+)")
        wrong = [f"{name}:{line}" for name in cxx_files() for line, comment in cxx.comments(text_of(name)) if mark.search(comment)]
        self.assertEqual([], wrong, "an open end names its issue: TO" + "DO #12")

    def test_no_registry_host_stands_in_a_file(self):
        hosts = ["registry.npm" + "js.org", "registry.yarn" + "pkg.com", "pypi" + ".org", "files.python" + "hosted.org",
                 "crates" + ".io", "deb.deb" + "ian.org", "security.deb" + "ian.org", "proxy.gol" + "ang.org"]
        lock_files = ("Cargo.lock", "package-lock.json")
        wrong = [f"{name}: {host}" for name in FILES if not name.endswith(lock_files) for host in hosts if host in text_of(name)]
        self.assertEqual([], wrong)

    def test_no_link_is_kept(self):
        """It points somewhere on the machine of whoever made it."""
        out = subprocess.run(["git", "ls-files", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        self.assertEqual([], [line for line in out.splitlines() if line.startswith("120000")])

    def test_no_file_of_an_environment_is_kept(self):
        """S4-16: git keeps no .env, and would not add one unasked."""
        self.assertEqual([], [name for name in FILES if re.match(r"\.env(\.|$)", pathlib.Path(name).name)])
        self.assertIn(".env", (ROOT / ".gitignore").read_text().split())

    def test_public_headers_begin_with_what_they_are_for(self):
        wrong = [name for name in cxx_files("src/") if name.endswith(".h") and not text_of(name).startswith("//")]
        self.assertEqual([], wrong)
        wrong = [name for name in cxx_files("src/") if name.endswith(".h") and "#pragma once" not in text_of(name)]
        self.assertEqual([], wrong)


class Promises(unittest.TestCase):
    def test_each_id_that_a_test_names_exists(self):
        known = set((pathlib.Path(__file__).parent / "promises.txt").read_text().split())
        wrong = []
        for name in FILES:
            if not re.search(r"_test\.(cc|py|mjs|ts|rego)$", name) or name.startswith("tests/tidy/"):
                continue
            wrong += [f"{name}: {id}" for id in re.findall(r"\bS[0-4]-\d+\b", text_of(name)) if id not in known]
        self.assertEqual([], wrong)


def update():
    old, now = json.loads(BASELINE.read_text()), excesses()
    for kind, found in now.items():
        old[kind] = {name: min(lines, old[kind][name]) for name, lines in found.items() if name in old[kind]}
    BASELINE.write_text(json.dumps(old, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    if "--update" in sys.argv:
        update()
    else:
        unittest.main(verbosity=0)
