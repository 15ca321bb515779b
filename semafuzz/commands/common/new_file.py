"""A file that a command makes, and never writes over another."""

from __future__ import annotations

from pathlib import Path

from semafuzz.harness.errors import UsageError


def write_new(path: Path, text: str) -> None:
    """Write ``text`` to a file that is not there yet, with its folders. UsageError where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as sink:
            sink.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already; remove it, or give another file with --out") from None
    except OSError as error:
        raise UsageError(f"cannot write {path} ({error.strerror}); give another file with --out") from None
