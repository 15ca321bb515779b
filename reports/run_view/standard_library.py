"""Which places stand in Python's own modules: what these do is told of the line that called them.

A module of Python's own that somebody asked to have searched is told as any other.
"""

from __future__ import annotations

import re
import sys

from semafuzz.harness.runs.function_file import loaded_here

_FOLDER = re.compile(r"python3(\.\d+)?t?$")
"""How a place begins that is told by its file, from the folder of the standard library."""


def is_of_standard_library(place: str) -> bool:
    """Whether a place, or a module, is one of Python's own. A program that is run as ``__main__`` is none."""
    first = re.split(r"\.(?!\d)|[/:]", place, maxsplit=1)[0]
    is_told_by_folder = bool(_FOLDER.match(first))
    if first == "__main__" or not (is_told_by_folder or first in sys.stdlib_module_names):
        return False
    path = place.partition(":")[0].removesuffix(".py")
    return (path.partition("/")[2] if is_told_by_folder else path).replace("/", ".") not in loaded_here
