"""rust/prepare: the source of the policy engine is what cargo fetched with rust/patches/, or there is none."""
import os
import shutil
import subprocess
import unittest

import scratch

RUST = os.path.join(scratch.ROOT, "rust")
PATCH = "--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1,2 +1,2 @@\n-%s\n+// changed\n %s\n"


class Prepare(unittest.TestCase):
    def setUp(self):
        folder = scratch.folder("prepare")
        self.rust, self.out = os.path.join(folder, "rust"), os.path.join(folder, "out")
        shutil.copytree(RUST, self.rust)

    def prepare(self):
        tools = [shutil.which(name) or shutil.which(name + "-web") for name in ("cargo", "rustc")]
        if None in tools:
            self.skipTest("no cargo on the PATH")
        return subprocess.run([os.path.join(self.rust, "prepare"), *tools, self.out], capture_output=True, text=True, timeout=300)

    def add(self, first, second):
        with open(os.path.join(self.rust, "patches", "9999-test.patch"), "w") as file:
            file.write(PATCH % (first, second))

    def read(self, *path):
        with open(os.path.join(self.out, *path)) as file:
            return file.read()

    def test_each_patch_is_applied_and_the_lock_file_is_the_same_but_for_where_one_crate_came_from(self):
        self.add("// Copyright (c) Microsoft Corporation.", "// Licensed under the MIT License.")
        ran = self.prepare()
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("is_keyword_before_dot", self.read("regorus", "src", "parser.rs"))
        self.assertTrue(self.read("regorus", "src", "lib.rs").startswith("// changed\n"))
        with open(os.path.join(self.rust, "Cargo.lock")) as file:
            lock = file.read().splitlines()
        ours = self.read("crate", "Cargo.lock").splitlines()
        gone = [line for line in lock if line not in ours]
        self.assertEqual((len(lock) - len(ours), len(gone)), (2, 1), gone)
        # What is there already is not made anew: cargo would compile it again.
        before = os.stat(os.path.join(self.out, "regorus", "src", "lib.rs")).st_mtime_ns
        self.assertEqual(self.prepare().returncode, 0)
        self.assertEqual(os.stat(os.path.join(self.out, "regorus", "src", "lib.rs")).st_mtime_ns, before)

    def test_a_patch_that_does_not_apply_ends_the_build(self):
        self.assertEqual(self.prepare().returncode, 0)
        self.add("// what is not there", "// Licensed under the MIT License.")
        ran = self.prepare()
        self.assertEqual(ran.returncode, 1)
        self.assertIn("9999-test.patch does not apply", ran.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.out, "crate")), "what was there before is not built instead")


if __name__ == "__main__":
    unittest.main()
