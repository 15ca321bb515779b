"""What a packed finding holds: a zip archive of plain data, read with limits.

Nothing in it is run or imported because it is there: its sources are run where a person says so, and its picture is
data that is drawn here.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

import msgspec
from msgspec import Meta

from semafuzz.harness.errors import UsageError
from semafuzz.harness.files.atomic_write import printable
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import Trace
from semafuzz.reports.run_view.schema import FindingView

SUFFIX = ".semafuzz"
TRACE, ABOUT, PICTURE, SOURCES = "trace.json", "pack.json", "picture.json", "sources/"
MOST_FILES = 2000
MOST_BYTES = 64 << 20
"""Of all files together, unpacked."""


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``program``: the file below ``sources`` and the name in it, as ``FILE.py:NAME``; "" where no source is packed.
    ``versions``: of semafuzz and Python, of the machine that packed it."""

    format: int
    program: Annotated[str, Meta(max_length=1000)]
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Pack:
    """A packed finding. ``sources``: texts by their paths below the folder to import from."""

    trace: Trace
    about: About
    picture: FindingView
    sources: dict[str, bytes]


def write_pack(pack: Pack, path: Path) -> None:
    """Write the archive; the same finding gives the same bytes. OSError where the disk refuses."""
    members = {
        TRACE: codec.encode(pack.trace),
        ABOUT: msgspec.json.encode(pack.about),
        PICTURE: msgspec.json.encode(pack.picture),
        **{SOURCES + name: text for name, text in sorted(pack.sources.items())},
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)


def read_pack(path: Path) -> Pack:
    """Read an archive from anywhere. UsageError for what is none, is too large, or names places outside of it."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MOST_FILES or sum(one.file_size for one in members) > MOST_BYTES:
                raise UsageError(f"{path} is larger than a packed finding may be ({MOST_BYTES >> 20} MiB)")
            files = {one.filename: _content(archive, one, path) for one in members}
        trace = codec.decode(files[TRACE], f"the trace in {path}")
        about = msgspec.json.decode(files[ABOUT], type=About)
        picture = msgspec.json.decode(files[PICTURE], type=FindingView)
    except (zipfile.BadZipFile, KeyError, msgspec.DecodeError, NotImplementedError, EOFError, ValueError) as error:
        raise UsageError(f"{path} is not a packed finding ({printable(error)}); `semafuzz pack` makes one") from None
    except OSError as error:
        raise UsageError(f"cannot read {path} ({error.strerror})") from None
    if about.format != 1:
        raise UsageError(f"{path} was packed by a newer semafuzz; use that one")
    sources = {name.removeprefix(SOURCES): data for name, data in files.items() if name.startswith(SOURCES)}
    return Pack(trace, about, picture, sources)


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> bytes:
    name = PurePosixPath(member.filename)
    if name.is_absolute() or ".." in name.parts or "\\" in member.filename or ":" in member.filename:
        raise UsageError(f"{path} names a place outside of itself ({printable(ValueError(member.filename))})")
    with archive.open(member) as file:
        # The size that an archive states is only what it states.
        data = file.read(member.file_size + 1)
    if len(data) > member.file_size:
        raise UsageError(f"{path} is larger than it says")
    return data
