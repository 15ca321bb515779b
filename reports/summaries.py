"""Summaries of searches, kept beside their traces for the report that is made later."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from semafuzz.harness.errors import UsageError
from semafuzz.harness.files.atomic_write import atomic_write
from semafuzz.harness.kernel.outcome import Severity
from semafuzz.harness.search.result import Result
from semafuzz.harness.search.result_sum import merge_results

NAME = "search.summary"
MERGED = "searches"
"""The folder, beside it, of those that were merged from elsewhere, named by their content."""
MOST = 200
"""Earlier searches of one folder that are remembered."""
FORMAT = 1
MAX_BYTES = 64 << 20


class Measured(msgspec.Struct, frozen=True):
    """Of one file of the target: how many statements and branches there are and were run, which
    lines were not, and how many lines each operation reached."""

    file: str
    statements: int
    lines: int
    branches: int
    taken: int
    missing: list[int] = []
    by: dict[str, int] = {}


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``command``: what was asked for; ``target``, ``release`` and ``model``: of what. ``files``:
    which of their lines were run, where that was measured."""

    command: str
    target: str
    release: str
    model: str
    result: Result
    format: int = FORMAT
    files: list[Measured] = []

    def severity_of(self, signature: str) -> Severity | None:
        """Of a finding; None where this search did not list it."""
        return next((one.severity for one in self.result.failures if one.signature == signature), None)


def write_summary(summary: Summary, folder: Path, *, alone: bool = False) -> None:
    """Write it beside those of earlier searches, whose traces are there as well; ``alone``: in
    their place. OSError where the disk refuses."""
    if not alone:
        with contextlib.suppress(UsageError):
            before = _read(folder / NAME)
            if before:
                atomic_write(folder / MERGED / _named(before), before)
                _forget_oldest(folder / MERGED)
    atomic_write(folder / NAME, msgspec.json.encode(summary))


def _forget_oldest(folder: Path) -> None:
    """A folder into which somebody searches every minute must not grow for ever."""
    kept = sorted(folder.glob("*.summary"), key=lambda path: (path.stat().st_mtime, path.name))
    for path in kept[:-MOST]:
        path.unlink(missing_ok=True)


def _named(data: bytes) -> str:
    return f"{hashlib.sha256(data).hexdigest()[:16]}.summary"


def keep_summary(summary: Summary, folder: Path) -> None:
    """The same at the end of a search: what was found is told even where this fails."""
    try:
        write_summary(summary, folder)
    except OSError as error:
        print(f"semafuzz: cannot write to {folder} ({error.strerror}); a report will lack the search", file=sys.stderr)


def read_summary(folder: Path) -> Summary | None:
    """That of a folder, together with those merged into it; None where there is none.
    UsageError for one that is damaged."""
    found = {data: _decode(data, path) for path in _files(folder) if (data := _read(path))}
    if not found:
        return None
    all_of_them = [found[data] for data in sorted(found)]
    first = all_of_them[0]
    if len(all_of_them) == 1:
        return first
    return Summary(
        _listed(one.command for one in all_of_them),
        _listed(one.target for one in all_of_them),
        _listed(one.release for one in all_of_them),
        _listed(one.model for one in all_of_them),
        merge_results([one.result for one in all_of_them]),
    )


def _listed(words: Iterable[str]) -> str:
    told = sorted(set(words))
    return ", ".join(told[:5]) + (" and more" if len(told) > 5 else "")


def merge_summaries(folder: Path, into: Path) -> None:
    """Have the searches of a folder counted in another one, each once however often this is
    done. OSError where the disk refuses."""
    for path in _files(folder):
        data = _read(path)
        if not data:
            continue
        _decode(data, path)
        name = _named(data)
        if not any(data == _read(there) for there in (into / NAME, into / MERGED / name)):
            atomic_write(into / MERGED / name, data)


def _files(folder: Path) -> list[Path]:
    return [folder / NAME, *sorted((folder / MERGED).glob("*.summary"))]


def _read(path: Path) -> bytes:
    """The file; nothing where there is none."""
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no summary of a search; delete it")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UsageError(f"{path} is too large to be the summary of a search; delete it")
        return data
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None


def _decode(data: bytes, path: Path) -> Summary:
    try:
        return msgspec.json.decode(data, type=Summary)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UsageError(f"{path} is no summary of a search of this semafuzz; delete it, the traces stay") from None
