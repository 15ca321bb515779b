"""Environments: the Nova that runs in this process, installed, fetched or a source tree.

The world in memory was written for 34.0.0. Whether it fits another Nova is asked of
that Nova's own source (:func:`lacking`), not of a list of versions. What would make
the world fit more of them, and environments with other libraries, belongs here.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from semafuzz.harness.errors import CannotJudge, SemafuzzError, UsageError
from semafuzz.targets.nova.releases import fetching, library_sets

DEFAULT = "34.0.0"
"""The release of the lock file, for which the world was written."""
SOURCE = "source"
"""What stands for the release in traces of a source tree."""
TRACKER = "nova/compute/resource_tracker.py"


@dataclass(frozen=True, slots=True)
class Environment:
    """One Nova. ``folder``: what holds the package ``nova``; None for the installed one
    where that is imported in the usual way. ``python``: the interpreter it runs in."""

    kind: str
    release: str
    folder: Path | None = None
    python: str = sys.executable

    def described(self) -> str:
        """What a trace says of it: the release, or a digest of the tracker's source."""
        if self.kind != SOURCE or self.folder is None:
            return self.release
        return f"{SOURCE} {hashlib.sha256((self.folder / TRACKER).read_bytes()).hexdigest()[:16]}"

    @property
    def foreign(self) -> bool:
        """Whether it is another Nova than the one the world was written for."""
        return (self.kind, self.release) != ("installed", DEFAULT)

    def __str__(self) -> str:
        return f"the source in {self.folder}" if self.kind == SOURCE else f"Nova {self.release}"


@dataclass(frozen=True, slots=True)
class Need:
    """Something that the world asks of a Nova: in ``file``, the function or method
    ``name`` with the parameter ``parameter``; ``why`` for a person."""

    file: str
    name: str
    parameter: str
    why: str


NEEDS = (
    Need(
        "nova/compute/pci_placement_translator.py",
        "update_provider_tree_for_pci",
        "",
        "it is older than 26.0.0 and needs libraries of its time",
    ),
)
"""What the worlds need."""


def lacking(folder: Path, needs: Sequence[Need] = NEEDS) -> list[str]:
    """What this Nova lacks for the world to fit, in words; empty where it fits.

    Reads the source and imports nothing. A file that does not parse counts as
    fitting: importing it tells more.
    """
    found = []
    for need in needs:
        try:
            tree = ast.parse((folder / need.file).read_text(encoding="utf-8"))
        except SyntaxError:
            continue
        except (OSError, ValueError):
            found.append(need.why)
            continue
        function = _definition(tree, need.name.split("."))
        if function is None or (need.parameter and need.parameter not in _parameters(function)):
            found.append(need.why)
    return found


@lru_cache(maxsize=64)
def tracker_has(folder: Path | None, method: str) -> bool:
    """Whether the tracker of the Nova in ``folder`` has a method; so too where nobody can tell."""
    need = Need(TRACKER, f"ResourceTracker.{method}", "", method)
    return folder is None or not lacking(folder, [need])


@lru_cache(maxsize=1024)
def has_option(folder: Path | None, module: str, name: str) -> bool:
    """Whether ``nova.conf.MODULE`` of the Nova in ``folder`` defines an option; so too where nobody can tell."""
    file = folder and folder / "nova" / "conf" / f"{module}.py"
    if not file or not file.is_file():
        return True
    return re.search(rf"[\"']{re.escape(name)}[\"']", file.read_text(encoding="utf-8")) is not None


def _definition(tree: ast.Module, names: Sequence[str]) -> ast.FunctionDef | None:
    body: Sequence[ast.stmt] = tree.body
    for name in names[:-1]:
        body = next((node.body for node in body if isinstance(node, ast.ClassDef) and node.name == name), ())
    return next((node for node in body if isinstance(node, ast.FunctionDef) and node.name == names[-1]), None)


def _parameters(function: ast.FunctionDef) -> set[str]:
    return {one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}


def installed() -> Environment | None:
    """The Nova of this Python's own packages, or None."""
    try:
        found = importlib.metadata.distribution("nova")
    except importlib.metadata.PackageNotFoundError:
        return None
    folder = Path(str(found.locate_file("")))
    # One that is installed for development is found in its own way.
    return Environment("installed", found.version, folder if (folder / TRACKER).is_file() else None)


def of_source(folder: Path) -> Environment:
    """The Nova in a checkout or an unpacked sdist; UsageError where there is none."""
    if not (folder / TRACKER).is_file():
        raise UsageError(
            f"{folder} holds no Nova (there is no {TRACKER} in it); give the folder of a checkout or of an unpacked "
            "release with --source"
        )
    return Environment(SOURCE, SOURCE, folder.resolve())


def folder_of(release: str, source: Path | None) -> Path:
    """What holds the package ``nova`` of a release or a source tree, to be read and not run; fetched if need be.
    UsageError where it cannot be had."""
    if source is not None:
        return of_source(source).folder or source
    here = installed()
    if here is not None and release in ("", here.release) and here.folder is not None:
        return here.folder
    fetching.check_release(release or DEFAULT)
    return fetching.fetch(release or DEFAULT)


def of_release(release: str) -> Environment:
    """The Nova of a release, fetched if need be. Raises UsageError where it cannot be
    had, or cannot be driven yet."""
    here = installed()
    if here is not None and release in ("", here.release):
        return here
    if not release:
        raise UsageError(
            f"Nova is not installed in this environment; install semafuzz[nova], which takes nova=={DEFAULT}"
        )
    if release == SOURCE:
        raise UsageError("this trace was made on a source tree of Nova; say which it is now with --source DIR")
    fetching.check_release(release)
    libraries = library_sets.set_for(release)
    python = sys.executable if libraries is None else str(libraries.make())
    return Environment("release", release, fetching.fetch(release), python)


def states() -> list[tuple[str, str]]:
    """``(release, state)`` of the releases that are known, the newest first."""
    here = installed()
    names = {*fetching.KNOWN, *fetching.all_fetched(), *([here.release] if here else ())}
    found = []
    for name in sorted(names, key=_newest_first):
        if here is not None and name == here.release:
            found.append((name, "installed"))
            continue
        found.append((name, _state(name)))
    return found


def _state(release: str) -> str:
    """What `semafuzz list releases` says of a release that is not the installed one."""
    try:
        libraries = library_sets.set_for(release)
    except UsageError:
        return f"cannot be driven yet: it is older than {library_sets.SETS[0].oldest}"
    state = "fetched when --release asks for it" if fetching.fetched(release) is None else "fetched"
    if libraries is not None:
        made = "made" if libraries.is_made() else "made when it is asked for"
        state += f"; on the libraries of {libraries.name}, {made}"
    return state


def between(first: str, last: str, given: Sequence[str]) -> list[str]:
    """The releases from ``first`` to ``last``, with both of them, oldest first."""
    for one in (first, last, *given):
        fetching.check_release(one)
    low, high = fetching.version_key(first), fetching.version_key(last)
    here = installed()
    others = given or [*fetching.KNOWN, *fetching.all_fetched(), *([here.release] if here is not None else ())]
    names = {first, last, *others}
    return sorted(
        (name for name in names if low <= _key(name) <= high),
        key=_key,
    )


def _key(release: str) -> tuple[int, ...]:
    try:
        return fetching.version_key(release)
    except ValueError:
        # An installed development version: in no range.
        return ()


def _newest_first(release: str) -> tuple[int, ...]:
    return tuple(-part for part in _key(release))


# ------------------------------------------------- the Nova of this process

_chosen: Environment | None = None


def choose(environment: Environment) -> None:
    """Make this the Nova of the process. UsageError where another is imported already."""
    global _chosen
    if environment == _chosen:
        return
    if environment.folder is not None:
        _refuse_another(environment)
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Front)]
        sys.meta_path.insert(0, _Front(environment))
    _chosen = environment


def chosen() -> Environment | None:
    """What :func:`choose` was given last."""
    return _chosen


def _refuse_another(environment: Environment) -> None:
    module = sys.modules.get("nova")
    origin = getattr(module, "__file__", None)
    if origin is not None and Path(origin).resolve().parent.parent != Path(str(environment.folder)).resolve():
        raise UsageError(f"Nova is imported from {origin} already; {environment} needs a process of its own")


class _Front(importlib.metadata.DistributionFinder):
    """Finds ``nova``, and no other module, in the folder of an environment. So a
    checkout in the current folder is never taken for the installed release, and
    what else lies in a source tree hides nothing."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "nova":
            return None
        return importlib.machinery.PathFinder.find_spec(name, [str(self._environment.folder)])

    def find_distributions(
        self, context: importlib.metadata.DistributionFinder.Context | None = None
    ) -> Iterable[importlib.metadata.Distribution]:
        if context is None or context.name is None or context.name.lower() != "nova":
            return []
        folder = self._environment.folder or Path()
        there = importlib.metadata.DistributionFinder.Context(name="nova", path=[str(folder)])
        return list(importlib.metadata.MetadataPathFinder.find_distributions(there)) or [_Nameless(folder)]


class _Nameless(importlib.metadata.Distribution):
    """Stands for a checkout, which has no metadata: Nova asks for its own version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def metadata(self) -> Message:  # type: ignore[override]  # a Message is what it documents
        made = Message()
        made["Name"], made["Version"] = "nova", os.environ.get("PBR_VERSION") or "0"
        return made

    def read_text(self, filename: str) -> str | None:
        return None

    def locate_file(self, path: object) -> Path:
        return self._folder / str(path)


@contextmanager
def blamed_on(environment: Environment) -> Iterator[None]:
    """For another Nova than the world's own: what Nova, or the world on it, raises in
    the block says that it does not fit, which is no fault of semafuzz (CannotJudge)."""
    try:
        yield
    except SemafuzzError:
        raise
    except (Exception, SystemExit) as error:
        if environment.foreign and _stands_in(error, environment):
            _give_up(environment, error)
        raise


def _stands_in(error: BaseException, environment: Environment) -> bool:
    """Whether an exception passed through Nova or through the world around it."""
    world = Path(__file__).parents[1]
    # The frames in which the block itself stands.
    around = (__file__, str(world / "target.py"))
    if isinstance(error, (ImportError, SyntaxError)):
        return True
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    return any(file.startswith((str(world), str(environment.folder))) for file in files if file not in around)


def _give_up(environment: Environment, error: BaseException) -> NoReturn:
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.startswith(str(environment.folder))]
    where = ""
    if isinstance(error, SyntaxError):
        where = f" in {error.filename}, line {error.lineno}"
    elif inside:
        where = f" in {os.path.relpath(inside[-1].filename, environment.folder)}, line {inside[-1].lineno}"
    said = str(error).splitlines() or [""]
    raise CannotJudge(
        f"{environment} does not start in the world of Nova {DEFAULT}: {type(error).__name__}: {said[0][:300]}{where}"
    ) from error
