"""Makes .venv with the packages of a lock file, once per lock file: `set_up.py app|dev`.

Runs before anything is installed, under whatever python3 there is, so it uses the standard library
only and nothing newer than Python 3.6 understands. uv is used where it is already on PATH.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
# By its path and with -m: scripts' first lines break on blanks and beyond 127 characters.
PYTHON = os.path.join(VENV, "bin", "python")
LOCKS = ("app", "dev")


def main(name):
    if sys.version_info < (3, 11):
        version = ".".join(map(str, sys.version_info[:3]))
        sys.exit("PilotDash needs Python 3.11 or later, and python3 is " + version)
    os.makedirs(VENV, exist_ok=True)
    with open(os.path.join(VENV, "set-up.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # What the tests need includes what the product needs.
        if not any(is_done(known) for known in LOCKS[LOCKS.index(name) :]):
            install(name)


def is_done(name):
    try:
        with open(stamp(name)) as file:
            return file.read() == wanted(name)
    except OSError:
        return False


def install(name):
    print(f"Installing what PilotDash needs (requirements/{name}.txt) ...", flush=True)
    uv = shutil.which("uv")
    if not works():
        plain = [sys.executable, "-m", "venv", VENV]
        faster = [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, VENV]
        run(faster if uv else plain)
    lock = ["--require-hashes", "-r", os.path.join(ROOT, "requirements", name + ".txt")]
    if uv:
        run([uv, "pip", "install", "--quiet", "--python", PYTHON, *lock])
    else:
        quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
        # The lock file is complete: there is nothing to resolve.
        run([PYTHON, "-m", "pip", "install", "--no-deps", *quiet, *lock])
    for known in LOCKS:
        if os.path.exists(stamp(known)):
            os.remove(stamp(known))
    with open(stamp(name), "w") as file:
        file.write(wanted(name))


def works():
    """Tell whether the environment's Python starts and has pip, or uv to do without it."""
    needed = "import sys; sys.exit(sys.version_info < (3, 11))"
    if not shutil.which("uv"):
        needed = "import pip; " + needed
    try:
        return subprocess.call([PYTHON, "-c", needed], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def run(command):
    code = subprocess.call(command, cwd=ROOT)
    if code:
        sys.exit(f"set-up failed: {os.path.basename(command[0])} ended with {code}")


def stamp(name):
    return os.path.join(VENV, "set-up-" + name)


def wanted(name):
    with open(os.path.join(ROOT, "requirements", name + ".txt"), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1])
