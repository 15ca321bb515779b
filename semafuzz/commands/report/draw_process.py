"""``semafuzz picture``: traces to pictures, in the process that can run them.

Asked for by ``semafuzz report``. A picture is on the disk before the next trace is run, so
that a process which dies loses one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from semafuzz.commands.common.release_process import settle_trace
from semafuzz.commands.report.draw import draw
from semafuzz.harness.files.atomic_write import atomic_write
from semafuzz.harness.traces.codec import read


def picture_file(folder: Path, trace: Path) -> Path:
    """Where the picture of a trace is written."""
    return folder / f"{trace.name}.picture"


def run_picture(
    traces: Sequence[Path], folder: Path, program: str | None, source: Path | None, arguments: Sequence[str]
) -> int:
    """Write the picture of each trace, all of which are of one release, into ``folder``."""
    code = settle_trace(traces[0], "", source, arguments)
    if code is not None:
        return code
    for path in traces:
        picture = draw(read(path), program, source=source)
        atomic_write(picture_file(folder, path), msgspec.json.encode(_encodable(msgspec.to_builtins(picture))))
    return 0


def _encodable(value: Any) -> Any:
    """The same without what no encoding has: half a character, in the name of a thread."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encodable(one) for one in value]
    return value
