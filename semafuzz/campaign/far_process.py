"""What runs on a worker of a cluster: one command, for as long as somebody waits for it.

This file goes to the workers by value, so that one which has another semafuzz, or none, is
told by what *this* one knows. It imports nothing but the standard library, and Dask where it
runs.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOOK = 0.25
"""Seconds between two looks at a process, and at whether it is still wanted."""
TELL = 1.0
"""Seconds between two lines about how far it is."""
IDENTIFY_SECONDS = 1800.0
"""That telling the code may take: an environment may have to be made."""
MARK = "SEMAFUZZ_FAR_PROCESS"
"""The variable by which a process on a worker, and what it has started, is known."""
FOLDER, SECONDS = "{folder}", "{seconds}"
"""Stand in the arguments of an order for the folder that it may write to, and for the time that it has."""
ENDING, MINIMUM = 30.0, 0.5
"""Seconds that a search may need to tell what it found, and the fewest that it gets."""
LEASH = r"""
import os, signal, subprocess, sys, threading

ending = threading.Event()

def end_others():
    mark = ("SEMAFUZZ_FAR_PROCESS=" + os.environ["SEMAFUZZ_FAR_PROCESS"]).encode()
    for number in os.listdir("/proc") if os.path.isdir("/proc") else ():
        try:
            if int(number) != os.getpid() and mark in open(f"/proc/{number}/environ", "rb").read().split(b"\0"):
                os.kill(int(number), signal.SIGKILL)
        except (OSError, ValueError):
            pass

def watch():
    os.read(0, 1)
    ending.set()
    end_others()
    os.killpg(0, signal.SIGKILL)

process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
watching = threading.Thread(target=watch, daemon=True)
watching.start()
code = process.wait()
if ending.is_set():
    watching.join()
end_others()
if code < 0:
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code & 255)
"""
"""Holds a process that must not outlive a worker: it reads from the worker, and ends with all that it started once the
worker's end of that is closed, however that came."""


@dataclass(frozen=True)
class Order:
    """One command. ``arguments``: of semafuzz; ``files``: put into its folder first, by name; ``identify``: the
    arguments by which it tells the code that it would run, and ``expected`` what these have to say; ``code``: the
    digest of an archive that was sent, "" for what is installed; ``memory``: bytes, 0 for no limit; ``keep``: the
    patterns of files that come back; ``most``, ``tail``: bytes of its standard output and error that do;
    ``under_way``: the name of the file with what it does now; ``topic``: of what it tells meanwhile; ``ends``: by
    ``time.time`` when all is to be over, so that what begins late takes less than ``search_seconds``, which stand for
    ``{seconds}`` in the arguments."""

    name: str
    arguments: tuple[str, ...]
    seconds: float
    identify: tuple[str, ...] = ()
    expected: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    code: str = ""
    memory: int = 0
    keep: str = "out/*.json"
    most: int = 32 << 20
    tail: int = 2000
    under_way: str = "out/under-way"
    topic: str = ""
    safe_path: bool = True
    ends: float = 0.0
    search_seconds: float = 0.0


_known: dict[tuple[str, ...], dict[str, str]] = {}
"""What commands have said of the code here, so that a worker is asked once."""


def obey(order: Order) -> dict[str, Any]:
    """Do an order. The answer has ``refused``, the reasons why it was not begun; or else ``code``, ``hung``,
    ``output``, ``said``, ``files`` and ``under_way``. ``stopped``: nobody waits for it any more. ``worker``: who
    answers."""
    worker, wanted, tell = _surroundings(order)
    with tempfile.TemporaryDirectory(prefix="semafuzz-") as name:
        folder = Path(name)
        refused = _refusal(order, folder, wanted)
        if refused:
            return {"worker": worker, "refused": refused}
        for file, data in order.files.items():
            (folder / Path(file).name).write_bytes(data)
        (folder / "out").mkdir()
        left = order.ends - time.time() if order.ends else order.search_seconds + 3 * ENDING
        seconds = seconds_before(left, order.search_seconds)
        arguments = [one.replace(FOLDER, str(folder)).replace(SECONDS, str(seconds)) for one in order.arguments]
        answer = _run(order, arguments, folder, order.seconds, wanted, tell)
        files = {path.name: path.read_bytes() for path in folder.glob(order.keep)}
        return {"worker": worker, "refused": [], **answer, "files": files, "under_way": _words(folder, order)}


def _surroundings(order: Order) -> tuple[str, Callable[[], bool], Callable[[str, str], None]]:
    """Who runs this, whether it is still wanted, and how to tell something meanwhile."""
    try:
        from distributed import get_worker

        worker = get_worker()
        key = worker.get_current_task()
    except (ImportError, ValueError):
        return "this process", lambda: True, lambda figures, under_way: None

    def wanted() -> bool:
        # A client that is gone takes its orders with it; the scheduler then calls them cancelled.
        task = worker.state.tasks.get(key)
        return task is not None and task.state not in ("cancelled", "released", "forgotten") and not _ends(worker)

    def tell(figures: str, under_way: str) -> None:
        if order.topic:
            worker.log_event(order.topic, {"name": order.name, "figures": figures, "under_way": under_way})

    return str(worker.address), wanted, tell


def _ends(worker: Any) -> bool:
    return str(worker.status) in {f"Status.{name}" for name in ("closing", "closed", "failed", "closing_gracefully")}


def _refusal(order: Order, folder: Path, wanted: Callable[[], bool]) -> list[str]:
    """Why this worker must not do the order: it has other code than who asks."""
    if not order.code and importlib.util.find_spec("semafuzz") is None:
        return ["it has no semafuzz; install it there, or give --send-code"]
    if not order.identify:
        return []
    if order.code and not code_folder(order.code).is_dir():
        return [f"the code that was sent could not be kept in {code_folder(order.code)}"]
    key = (order.code, *order.identify)
    if key not in _known:
        answer = _run(order, order.identify, folder, IDENTIFY_SECONDS, wanted, lambda figures, under_way: None)
        last = str(answer["output"]).rstrip("\n").rpartition("\n")[2]
        try:
            told = json.loads(last)
            _known[key] = {str(name): str(value) for name, value in told.items()}
        except (ValueError, AttributeError):
            why = str(answer["said"]).strip().rpartition("\n")[2] or f"exit code {answer['code']}"
            return [] if answer["stopped"] else [f"its semafuzz does not tell the code that it has ({why})"]
    return differences(order.expected, _known[key])


def differences(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """In words what is not the same in two identities of code, in the order of names."""
    return [
        f"its {name} is {found.get(name, 'missing')}, here it is {expected.get(name, 'missing')}"
        for name in sorted({*expected, *found})
        if expected.get(name) != found.get(name)
    ]


def seconds_before(left: float, wanted: float) -> float:
    """What a search may take that wants so many seconds, where there are ``left`` in all and it needs some of them to
    tell what it found."""
    return round(max(MINIMUM, min(wanted, left - min(ENDING, left / 3))), 1)


def _run(
    order: Order,
    arguments: Sequence[str],
    folder: Path,
    seconds: float,
    wanted: Callable[[], bool],
    tell: Callable[[str, str], None],
) -> dict[str, Any]:
    """Run a command to its end, its limit, or until nobody wants it."""
    command = [sys.executable, *(["-P"] if order.safe_path else []), "-m", "semafuzz", *arguments]
    environment = {**os.environ, MARK: uuid.uuid4().hex}
    if order.code:
        paths = [str(code_folder(order.code)), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    with (folder / "output").open("wb+") as output, (folder / "errors").open("wb+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", LEASH, *command],
            stdin=subprocess.PIPE, stdout=output, stderr=errors, start_new_session=True, env=environment,
        )  # fmt: skip
        hung = stopped = False
        try:
            if order.memory and hasattr(resource, "prlimit"):
                with contextlib.suppress(OSError):
                    resource.prlimit(process.pid, resource.RLIMIT_AS, (order.memory, order.memory))
            ends, next_line = time.monotonic() + seconds, time.monotonic() + TELL
            while process.poll() is None and not (hung or stopped):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(LOOK)
                stopped, hung = not wanted(), time.monotonic() > ends
                if time.monotonic() > next_line:
                    next_line = time.monotonic() + TELL
                    tell(_text(output, order.tail), _words(folder, order))
        finally:
            # The leash ends what was started with it; where the leash itself is gone, the group is.
            if process.stdin is not None:
                process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        ended = process.returncode
        return {
            "code": ended, "hung": hung, "stopped": stopped and not hung,
            "output": _text(output, order.most), "said": _text(errors, order.tail).strip(),
        }  # fmt: skip


def _text(file: Any, most: int) -> str:
    """The end of a file to which another process may still be writing, without moving where that stands."""
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), min(most, size), max(0, size - most)).decode("utf-8", "replace")


def _words(folder: Path, order: Order) -> str:
    with contextlib.suppress(OSError), (folder / order.under_way).open("rb") as file:
        return file.read(1000).decode("utf-8", "replace")
    return ""


def code_folder(digest: str) -> Path:
    """Where the code with this digest is kept on a worker."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "semafuzz" / "code" / Path(digest).name


def unpack(digest: str, archive: bytes) -> None:
    """Put code that was sent into its folder, unless it is there; whole or not at all."""
    folder = code_folder(digest)
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            files.extractall(Path(name, "code"))
        # Another worker of this machine may have been faster.
        with contextlib.suppress(OSError):
            os.rename(Path(name, "code"), folder)
