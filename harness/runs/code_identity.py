"""What was searched, in digests: two searches whose answers are to be added have looked at the same code.

Names and texts only, so that a difference can be told to a person: ``semafuzz``, ``python``,
the packages of the target, and the versions of what they were made for.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

PACKAGE = "semafuzz"
CodeIdentity = Mapping[str, str]
"""What there is, by its name, each with a version or a digest of its files."""
DIGITS = 16
"""Of a digest that are kept: 64 bits."""


def code_identity(
    modules: Iterable[ModuleType], libraries: Mapping[str, str], sources: Iterable[Path] = ()
) -> dict[str, str]:
    """That of this process. ``modules``: of the code under test; the packages that they belong to count as a whole,
    a module of no package by itself. ``libraries``: versions of what was imported, by name; ``sources``: further
    files."""
    told = {
        "semafuzz": digest_of([Path(__file__).absolute().parents[2]]),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **{f"library {name}": version for name, version in libraries.items()},
    }
    by_name: dict[str, list[Path]] = {}
    for path in sources:
        by_name.setdefault(path.name, []).append(path)
    told |= {f"file {name}": digest_of(sorted(places)) for name, places in by_name.items()}
    for name, places in sorted(_packages(modules).items()):
        told[f"code {name}"] = digest_of(places)
    return told


def digest_of(places: Iterable[Path]) -> str:
    """Of the Python files in these folders, and of these files: their names in there and what they hold."""
    whole = hashlib.sha256()
    for place in places:
        for name, path in sorted(_sources(place)):
            content = path.read_bytes()
            whole.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
            whole.update(content)
    return whole.hexdigest()[:DIGITS]


def _sources(place: Path) -> Iterator[tuple[str, Path]]:
    if not place.is_dir():
        yield place.name, place
        return
    # The floors of a checkout are links in its package.
    for folder, _, files in os.walk(place, followlinks=True):
        for file in files:
            if file.endswith(".py"):
                path = Path(folder, file)
                yield path.relative_to(place).as_posix(), path


def _packages(modules: Iterable[ModuleType]) -> dict[str, list[Path]]:
    """The folders of the packages to which modules belong, and the files of those of none."""
    found: dict[str, list[Path]] = {}
    for module in modules:
        top = module.__name__.partition(".")[0]
        if top == PACKAGE or top in found:
            continue
        package = _package_of(module, top)
        file = vars(module).get("__file__")
        if package:
            found[top] = package
        elif isinstance(file, str) and file.endswith(".py"):
            found[module.__name__] = [Path(file)]
    return found


def _package_of(module: ModuleType, top: str) -> list[Path]:
    """The folder of the top package of a module, by the module's own file: who is in ``sys.modules`` under that name
    may be another."""
    file = vars(module).get("__file__")
    if not isinstance(file, str):
        return []
    parts = module.__name__.split(".")
    is_package = Path(file).name == "__init__.py"
    above = len(parts) - (0 if is_package else 1)
    return [Path(file).parents[above - 1]] if above > 0 and parts[0] == top else []
