"""Shards on a Dask cluster: the same work as on one machine, somewhere else.

A shard goes out as the arguments of a search and comes back as what the search wrote. A
worker that dies loses nothing but time: Dask gives its shards to another one. Needs the
extra ``semafuzz[dask]``, and semafuzz on every machine of the cluster.

Dask itself ships functions between its machines by pickle: a cluster is to be trusted as
the machines that it is made of are. What comes back is data, and is read as such.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semafuzz.campaign.workers import MOST, TAIL, Exit
from semafuzz.harness.errors import UsageError
from semafuzz.harness.traces.codec import MAX_BYTES
from semafuzz.self_command import run_options

if TYPE_CHECKING:
    from distributed import Client

Work = tuple[str, tuple[str, ...], float]
"""The name of a shard, its arguments but for the folder, and the seconds that it may take."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came back of a shard. ``files``: the traces that it wrote, by name."""

    ended: Exit
    files: dict[str, bytes]


def do_shard(arguments: tuple[str, ...], seconds: float) -> dict[str, Any]:
    """Run one search; on a worker of the cluster, with nothing but what it has there."""
    with tempfile.TemporaryDirectory(prefix="semafuzz-") as name:
        folder = Path(name)
        command = [sys.executable, *run_options(), *arguments, "--out", str(folder / "out")]
        with (folder / "output").open("wb+") as output, (folder / "errors").open("wb+") as errors:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, start_new_session=True
            )
            hung = False
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                hung = True
            finally:
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            output.seek(max(0, output.seek(0, os.SEEK_END) - MOST))
            errors.seek(max(0, errors.seek(0, os.SEEK_END) - TAIL))
            files = {path.name: path.read_bytes() for path in (folder / "out").glob("*.json")}
            return {
                "code": process.returncode, "hung": hung, "output": output.read().decode("utf-8", "replace"),
                "said": errors.read().decode("utf-8", "replace").strip(), "files": files,
            }  # fmt: skip


@contextlib.contextmanager
def connected(address: str, jobs: int) -> Iterator[Client]:
    """A client of the cluster at ``address``, or of one of ``jobs`` processes on this machine.
    UsageError where Dask is not installed, or nothing answers."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise UsageError("--engine dask needs Dask; install semafuzz[dask]") from None
    if address:
        try:
            client = Client(address, timeout=20, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"no Dask scheduler answers at {address} ({error}); start one, or leave --dask out"
            ) from None
        with client:
            yield client
        return
    with (
        LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address="", silence_logs=40) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


def run_on_dask(works: Sequence[Work], address: str, jobs: int, done: Callable[[str, Delivery], None]) -> None:
    """Have all done; ``done`` is called here with the name of each shard as it comes back, in
    whatever order. A shard during which workers died again and again comes back as one that
    was killed."""
    from_futures: dict[Any, str] = {}
    with connected(address, jobs) as client:
        from distributed import as_completed

        for name, arguments, seconds in works:
            future = client.submit(
                do_shard, arguments, seconds, pure=False, key=f"semafuzz-{name}-{os.urandom(4).hex()}"
            )
            from_futures[future] = name
        try:
            for future in as_completed(list(from_futures), loop=client.loop):
                done(from_futures[future], _delivery(future))
        finally:
            # What is not wanted any more must not keep the cluster busy.
            client.cancel(list(from_futures), force=True)


def _delivery(future: Any) -> Delivery:
    try:
        told = future.result()
        ended = Exit(int(told["code"]), bool(told["hung"]), str(told["output"]), str(told["said"]))
        files = {
            str(name): bytes(data)
            for name, data in told["files"].items()
            if Path(str(name)).name == name and len(data) <= MAX_BYTES
        }
    except Exception as error:
        # Whatever the cluster says went wrong, this shard came to no end; the others go on.
        return Delivery(Exit(-signal.SIGKILL, False, "", f"{type(error).__name__}: {error}"[:TAIL]), {})
    return Delivery(ended, files)
