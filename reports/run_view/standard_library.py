"""Which places stand in Python's own modules: what these do is told of the line that called them."""

from __future__ import annotations

import re
import sys

_FOLDER = re.compile(r"python3(\.\d+)?t?$")
"""How a place begins that is told by its file, from the folder of the standard library."""


def is_of_standard_library(place: str) -> bool:
    """Whether a place, or a module, is one of Python's own. A program that is run as ``__main__`` is none."""
    first = re.split(r"\.(?!\d)|[/:]", place, maxsplit=1)[0]
    return first != "__main__" and (first in sys.stdlib_module_names or bool(_FOLDER.match(first)))
