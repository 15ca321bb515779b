"""Releases of Nova other than the installed one: fetched when asked for, kept in
the user's cache.

Only Nova itself is fetched (``--no-deps``); it runs on the libraries of this
environment. Packages come from the index that uv or pip is set up for and are not
checked against hashes of ours, so what the index gives is what runs.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from semafuzz.harness.errors import UsageError
from semafuzz.harness.files.user_cache import user_cache

KNOWN = (
    "16.1.8", "17.0.13", "18.3.0", "19.3.2", "20.6.1", "21.0.0", "21.1.0", "21.1.1", "21.1.2", "21.2.0", "21.2.4",
    "22.0.0", "22.0.1", "22.1.0", "22.2.0", "22.3.0", "22.4.0", "23.0.0", "23.1.0", "23.2.0", "23.2.2", "24.0.0",
    "24.1.0", "24.2.1", "25.0.0", "25.3.0", "26.0.0", "26.3.0", "27.0.0", "27.5.1", "28.0.0", "28.3.1", "29.0.1",
    "29.4.0", "30.0.0", "30.3.0", "31.0.0", "31.3.1", "32.0.0", "32.2.1", "33.0.0", "33.0.1", "33.0.2", "34.0.0",
)  # fmt: skip
"""Where `bisect` looks without ``--releases``: each series' first and last release, and those
around changes of the tracker's locking. Any other release on the index can be named."""

OLDEST = (15, 1, 5)
"""The first release that the index of Python packages holds."""

MARKER = ".semafuzz-complete"
_RELEASE = re.compile(r"\d{1,4}(\.\d{1,4}){1,3}((a|b|rc)\d{1,3})?")


def version_key(release: str) -> tuple[int, ...]:
    """Orders releases: ``33.0.2`` after ``33.0.0``, a release candidate before its release."""
    numbers, _, candidate = re.sub(r"(a|b|rc)", "|", release, count=1).partition("|")
    parts = [int(part) for part in numbers.split(".")]
    return (*parts, *[0] * (4 - len(parts)), int(candidate) if candidate else 1 << 20)


def check_release(release: str) -> None:
    """Refuse what is no release number, before it reaches a command line of pip."""
    if not _RELEASE.fullmatch(release):
        raise UsageError(f"{release[:40]!r} is not a release of Nova; give a number such as 33.0.2")
    if version_key(release) < OLDEST:
        raise UsageError(
            f"release {release!r} cannot be driven: the index holds no Nova before {'.'.join(map(str, OLDEST))}; "
            "`semafuzz list releases` shows which can"
        )


def cache() -> Path:
    """The folder that holds a folder for each fetched release."""
    return user_cache() / "nova"


def fetched(release: str) -> Path | None:
    """Where a release is, if it has been fetched completely."""
    folder = cache() / release
    try:
        marked = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return folder if marked == {"nova": release} else None


def all_fetched() -> list[str]:
    """The releases in the cache, oldest first."""
    try:
        names = [entry.name for entry in cache().iterdir() if _RELEASE.fullmatch(entry.name)]
    except OSError:
        return []
    return sorted((name for name in names if fetched(name)), key=version_key)


def fetch(release: str) -> Path:
    """The folder with this release; installed into the cache if it is not there yet.

    The folder appears whole or not at all, also where two processes fetch at once.
    Raises UsageError, which says what to do: no such release, no index, no
    installer, no room.
    """
    check_release(release)
    found = fetched(release)
    if found is not None:
        return found
    final = cache() / release
    try:
        cache().mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=f".{release}-", dir=cache()))
    except OSError as error:
        raise UsageError(
            f"cannot write to {cache()} ({error.strerror}); set XDG_CACHE_HOME to a folder that can be written"
        ) from None
    try:
        print(f"semafuzz: fetching Nova {release} into {final}", file=sys.stderr)
        _install(release, making)
        (making / MARKER).write_text(json.dumps({"nova": release}), encoding="utf-8")
        _move(making, final, release)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return final


def _move(making: Path, final: Path, release: str) -> None:
    """Put a finished folder in its place, unless another process was quicker."""
    if fetched(release) is None:
        # Without a marker it is what an older semafuzz or a person left there.
        shutil.rmtree(final, ignore_errors=True)
    try:
        os.rename(making, final)
    except OSError as error:
        if fetched(release) is None:
            raise UsageError(f"cannot make {final} ({error.strerror}); remove it and try again") from None


def _install(release: str, folder: Path) -> None:
    """Install one release into a folder with the first installer that there is."""
    said = ""
    for command in _installers():
        try:
            done = subprocess.run(
                [*command, "--no-deps", "--quiet", "--target", str(folder), f"nova=={release}"],
                capture_output=True,
                text=True,
                timeout=600,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            said = str(error)
            continue
        if done.returncode == 0 and (folder / "nova" / "__init__.py").is_file():
            return
        said = done.stderr or done.stdout
        break
    else:
        if not said:
            raise UsageError(
                f"Nova {release} is not here, and neither uv nor pip to fetch it with; install one of them, or unpack "
                "the release and give its folder with --source"
            )
    raise UsageError(
        f"Nova {release} cannot be fetched ({cause(said)}); see that the release exists and that the package index "
        "can be reached, or unpack the release elsewhere and give its folder with --source"
    )


def _installers() -> Iterator[list[str]]:
    """Commands that install for this Python, the quickest first."""
    uv = find_uv()
    if uv:
        yield [uv, "pip", "install", "--python", sys.executable]
    if importlib.util.find_spec("pip") is not None:
        yield [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    pip = shutil.which("pip")
    if pip:
        yield [pip, "--python", sys.executable, "install", "--disable-pip-version-check"]


def find_uv() -> str | None:
    """The program uv, on PATH or beside this Python."""
    return shutil.which("uv") or _beside("uv")


def _beside(name: str) -> str | None:
    """A program in the folder of this Python, which need not be on PATH."""
    path = Path(sys.executable).with_name(name)
    return str(path) if path.exists() else None


def cause(said: str) -> str:
    """The line of an installer's output that says why, in short."""
    lines = [re.sub(r"^\W+", "", line).strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"error|because|no version|disabled|not found|cannot", line, re.I)]
    chosen = (telling or lines or ["no reason given"])[-1]
    return "".join(char for char in chosen if char.isprintable())[:200]
