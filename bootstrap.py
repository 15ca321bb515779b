"""Two commands on a fresh machine: `python3 bootstrap.py fuzz` and `python3 bootstrap.py test`.

Needs nothing but Python and its standard library. The first call makes `.venv` beside this file from
`requirements.lock`; later calls find it made. The syntax is that of Python 3.6,
and annotations are evaluated there only after the version was checked, so that
an old Python prints a sentence and not a traceback.
"""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
OLDEST = (3, 11)
USAGE = 4  # the exit code of a command line that was not understood, as semafuzz has it
SETUP_FAILED = 3
INTERRUPTED = 2
HELP = """usage: python3 bootstrap.py setup
       python3 bootstrap.py fuzz [ARGUMENTS OF semafuzz fuzz]
       python3 bootstrap.py fast [ARGUMENTS OF pytest]
       python3 bootstrap.py test [ARGUMENTS OF pytest]
       python3 bootstrap.py coverage [ARGUMENTS OF pytest]

setup  make .venv in the checkout from requirements.lock (hashes checked); with uv
       when it is on PATH, else with pip. Done anew, from an empty folder, when the
       lock, pyproject.toml, the Python or the place of the checkout changes, and
       when it was interrupted
fuzz   set up, then explore OpenStack Nova's resource tracker (`fuzz --help` says how);
       traces go to reports/out
fast   set up, then the tests of the engine, in a minute
test   set up, then lint, types and all tests but the slow ones
coverage  set up, then the same tests again, with branch coverage, which takes three
       times as long; without arguments it fails below the threshold

Exit codes: those of the command that ran; 2 interrupted, 3 when the set-up failed,
4 for bad usage.
"""
NO_PIP = """this Python cannot make an environment with pip in it (no venv or no ensurepip).
On Debian and Ubuntu: sudo apt install python3-venv, or python{}.{}-venv.
Elsewhere: install pip for this Python, or uv.""".format(*sys.version_info[:2])

CAUSES = (
    # What uv or pip print, the plain cause, and what to do. The first that fits is told.
    (
        ("No space left on device", "os error 28", "Disk quota exceeded"),
        "there is no space left",
        "The environment takes about 500 MB and its downloads as much again. Free some space and run this again.",
    ),
    (
        ("DO NOT MATCH THE HASHES", "Hash mismatch"),
        "a package is not the one that the lock file names",
        "The index or a mirror gave a changed file: do not go around this check. Clear the cache of uv or pip and"
        " run this again; if it stays, tell the project which package it is.",
    ),
    (
        (
            "dns error",
            "error sending request",
            "Failed to fetch",
            "Name or service not known",
            "name resolution",
            "NewConnectionError",
            "ConnectTimeoutError",
            "ReadTimeoutError",
            "Network is unreachable",
            "Connection refused",
            "No matching distribution found",
        ),
        "the packages cannot be downloaded",
        "Check the network and the proxy; where only a mirror can be reached, set it as for any other project"
        " (PIP_INDEX_URL, or UV_DEFAULT_INDEX for uv). Then run this again.",
    ),
    (
        ("Permission denied", "os error 13"),
        "a folder cannot be written",
        "Make the checkout writable for this user, or clone it elsewhere.",
    ),
)


class SetupFailed(Exception):
    """The environment could not be made; the text says why and what to do."""


def too_old(version: "tuple[int, int]", which: "Callable[[str], str | None]" = shutil.which) -> str:
    """What to say to this Python version; empty where it is new enough."""
    if version >= OLDEST:
        return ""
    said = "Python 3.11 or newer is needed; this is Python {}.{}.".format(*version)
    newer = [name for name in ("python3.14", "python3.13", "python3.12", "python3.11") if which(name)]
    if newer:
        return said + f" Here is one: {newer[-1]} bootstrap.py"
    return said + " Install one, from your distribution or with uv (`uv python install 3.11`)."


if too_old(sys.version_info[:2]):
    print(too_old(sys.version_info[:2]), file=sys.stderr)
    sys.exit(SETUP_FAILED)


def say(line: str) -> None:
    """One short line for each phase, apart from what the commands print."""
    print(f"bootstrap: {line}", file=sys.stderr, flush=True)


def explain(output: str) -> str:
    """What an installer's output means and what to do; empty where nobody knows."""
    for signs, cause, cure in CAUSES:
        if any(sign in output for sign in signs):
            return f"{cause}.\n{cure}"
    return ""


def digest(*parts: bytes) -> str:
    """One value for all that an environment depends on; each part is framed by its length."""
    framed = b"".join(b"%d:%s" % (len(part), part) for part in parts)
    return hashlib.sha256(framed).hexdigest()


def python_of(folder: Path) -> Path:
    """The interpreter of an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_made(folder: Path, stamp: str) -> bool:
    """Whether this environment was finished, from the same inputs, and its Python is still there."""
    try:
        return python_of(folder).exists() and (folder / "stamp").read_text() == stamp
    except OSError:
        return False


def installer(folder: Path, uv: "str | None") -> "list[str]":
    """The command that installs into an environment, without its arguments."""
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", str(python_of(folder)), "--compile-bytecode"]
    pip = [str(python_of(folder)), "-m", "pip", "install"]
    return [*pip, "--quiet", "--disable-pip-version-check", "--no-input"]


def make_environment(folder: Path, stamp: str, *installs: "list[str]") -> None:
    """Make an environment anew and give it these installs, each the arguments of one pip call.

    The stamp is written last: an environment without it is a half-made one.
    """
    uv = shutil.which("uv")
    needed = ["venv"] if uv else ["venv", "ensurepip"]
    if not all(importlib.util.find_spec(name) for name in needed):
        raise SetupFailed(NO_PIP)
    import venv

    try:
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)
        venv.EnvBuilder(with_pip=not uv, symlinks=os.name != "nt").create(folder)
        for arguments in installs:
            run_installer([*installer(folder, uv), *arguments])
        (folder / "stamp").write_text(stamp)
    except OSError as error:
        raise SetupFailed(explain(str(error)) or str(error)) from error
    except subprocess.CalledProcessError as error:  # ensurepip, in a process of its own
        raise SetupFailed(explain(str(error.output)) or NO_PIP) from error


def run_installer(command: "list[str]") -> None:
    """Install, silently where it succeeds; the last lines of the output where it does not."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        print(*done.stdout.splitlines()[-15:], sep="\n", file=sys.stderr)
        raise SetupFailed(explain(done.stdout) or "the installer failed; its last lines are above.")


@contextlib.contextmanager
def alone(path: Path) -> "Iterator[None]":
    """Hold off a second call on the same checkout while the environment is made."""
    with path.open("rb") as file:
        with contextlib.suppress(ImportError, OSError):  # no such locks on Windows and some network drives
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def setup() -> Path:
    """The project's environment, made where it is missing or out of date."""
    if not (ROOT / "semafuzz" / "harness").is_dir():
        raise SetupFailed(
            "this checkout has no symbolic links: semafuzz/harness is no folder. Clone it again with"
            " `git clone -c core.symlinks=true`, which Windows allows in developer mode."
        )
    folder = ROOT / ".venv"
    inputs = [LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode(), os.fsencode(ROOT)]
    stamp = digest(*inputs)
    if is_made(folder, stamp):
        return folder
    with alone(LOCK):
        if is_made(folder, stamp):  # by the call that held us off
            return folder
        pins = sum(not line.startswith(" ") for line in LOCK.read_text().splitlines())
        say(f"making .venv with {pins} pinned packages (some seconds with uv, a minute or two with pip)")
        started = time.monotonic()
        make_environment(
            folder,
            stamp,
            # The lock is complete. pip 23.0, which Debian 12 has, otherwise looks for newer versions of what
            # is asked for with an extra, and fails for want of their hashes.
            ["--no-deps", "--require-hashes", "-r", str(LOCK)],
            ["--no-deps", "--no-build-isolation", "-e", str(ROOT)],
        )
        say(f".venv is made, in {time.monotonic() - started:.0f} s")
    return folder


def fuzz(folder: Path, arguments: "list[str]") -> int:
    """Explore, in the folder in which the caller stands."""
    named = any(one == "--out" or one.startswith("--out=") for one in arguments)
    out = [] if named else ["--out", os.path.join("reports", "out")]
    command = [str(python_of(folder).with_name("semafuzz")), "fuzz", *out, *arguments]
    if os.name != "nt":
        # In place of this process, so that an interrupt and the exit code are its own.
        os.execv(command[0], command)
    return subprocess.run(command).returncode


def run_steps(folder: Path, steps: "list[tuple[str, list[str]]]") -> int:
    """Run Python modules one after the other, also after a failure; the first failure is
    the exit code."""
    failed = {}
    for name, command in steps:
        say(name)
        code = subprocess.run([str(python_of(folder)), "-m", *command], cwd=ROOT).returncode
        if code:
            failed[name] = code
    say(f"failed: {', '.join(failed)}" if failed else "all passed")
    return next(iter(failed.values()), 0)


PYTEST = ["pytest", "-n", "2", "--dist", "worksteal"]
NOT_SLOW = ["-m", "not slow"]


def fast(folder: Path, arguments: "list[str]") -> int:
    """The tier of one minute."""
    return run_steps(folder, [("the fast tests", [*PYTEST, "-q", "-m", "fast", *arguments])])


def test(folder: Path, arguments: "list[str]") -> int:
    """Lint, types, and all tests but the slow ones; with arguments, the tests that they name."""
    steps = [
        ("lint", ["ruff", "check", "."]),
        ("format", ["ruff", "format", "--check", "."]),
        ("types", ["mypy"]),
        ("tests", [*PYTEST, *(arguments or NOT_SLOW)]),
    ]
    return run_steps(folder, steps)


def coverage(folder: Path, arguments: "list[str]") -> int:
    """The tests with branch coverage.

    coverage starts pytest, and not the other way round, because the plugin is
    loaded before any plugin for coverage could be; the workers of xdist are
    measured through ``patch = subprocess`` in pyproject.toml.
    """
    threshold = [] if arguments else ["--fail-under=94"]
    subprocess.run([str(python_of(folder)), "-m", "coverage", "erase"], cwd=ROOT, check=True)
    steps = [
        ("tests", ["coverage", "run", "-m", *PYTEST, *(arguments or NOT_SLOW)]),
        ("combine", ["coverage", "combine", "--quiet"]),
        ("coverage", ["coverage", "report", *threshold]),
    ]
    return run_steps(folder, steps)


VERBS = {"fuzz": fuzz, "fast": fast, "test": test, "coverage": coverage}


def main(arguments: "list[str]") -> int:
    """Do what the command line asks; the exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(HELP, end="")
        return 0 if arguments else USAGE
    verb, *rest = arguments
    if verb not in ("setup", *VERBS) or (verb == "setup" and rest):
        say(f"not understood: {' '.join(arguments)}\n{HELP}")
        return USAGE
    try:
        folder = setup()
        if verb == "setup":
            return 0
        return VERBS[verb](folder, rest)
    except (SetupFailed, OSError) as error:
        say(str(error))  # never a traceback: its exit code is 1, which would read as findings
        return SETUP_FAILED
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
