"""What a search came to, kept beside its traces for the report that is made later."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from harness.errors import UsageError
from harness.explore import Result
from harness.whole_files import write_whole

NAME = "search.summary"
FORMAT = 1
MAX_BYTES = 64 << 20


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``command``: what was asked for; ``target``, ``release`` and ``model``: of what."""

    command: str
    target: str
    release: str
    model: str
    result: Result
    format: int = FORMAT

    def severity_of(self, signature: str) -> str:
        """Of a finding; "" where this search did not list it."""
        return next((one.severity for one in self.result.failures if one.signature == signature), "")


def write_summary(summary: Summary, folder: Path) -> None:
    """Write it, in the place of that of an earlier search. OSError where the disk refuses."""
    write_whole(folder / NAME, msgspec.json.encode(summary))


def keep_summary(summary: Summary, folder: Path) -> None:
    """The same at the end of a search: what was found is told even where this fails."""
    try:
        write_summary(summary, folder)
    except OSError as error:
        print(f"semafuzz: cannot write to {folder} ({error.strerror}); a report will lack the search", file=sys.stderr)


def read_summary(folder: Path) -> Summary | None:
    """That of a folder; None where there is none. UsageError for one that is damaged."""
    path = folder / NAME
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path} is too large to be the summary of a search; delete it")
        return msgspec.json.decode(path.read_bytes(), type=Summary)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UsageError(f"{path} is no summary of a search of this semafuzz; delete it, the traces stay") from None
