"""Where the imports of a file that a person named are looked for, and what is said where they fail."""

from __future__ import annotations

import sys
from pathlib import Path

_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")


def import_root(path: Path) -> Path:
    """The folder from which the file is imported: that above its packages."""
    folder = path.resolve().parent
    while (folder / "__init__.py").exists() and folder.name.isidentifier() and folder != folder.parent:
        folder = folder.parent
    return folder


def make_importable(path: Path) -> None:
    """Have imports of a file find what they would if it was run by its project's tests: first what is beside it, and
    last, where nothing else has it, what is in the project's folder, in ``src`` there, and where the user stands."""
    folder = str(import_root(path))
    if folder not in sys.path:
        sys.path.insert(0, folder)
    for further in (str(path.resolve().parent), *_project_folders(path.resolve())):
        if further not in sys.path:
            sys.path.append(further)


def _project_folders(path: Path) -> list[str]:
    here = Path.cwd()
    roots = [here] if here in path.parents else []
    roots += [folder for folder in path.parents if any((folder / name).exists() for name in _PROJECT_FILES)][:1]
    found = [one for root in roots for one in (root, root / "src") if one == root or one.is_dir()]
    return list(dict.fromkeys(map(str, found)))


def correct_it_first(path: Path, error: Exception) -> str:
    """Why a file cannot be imported, and what to do."""
    where = " (or run from the folder that has it, or name that in PYTHONPATH)"
    text = f"{path} cannot be imported ({type(error).__name__}: {error}); correct that first"
    return text + where if isinstance(error, ModuleNotFoundError) else text
