"""Options: what a user may say, where, and which of several comes first.

The command line is heard before the marker, the marker before a profile named on the
command line, that before the keys of the configuration file and those before the
profile named there. Imports nothing of semafuzz but its errors: a
session without a marked test must not pay for the rest.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from semafuzz.harness.kernel.outcome import Model

MARKER = (
    "interleave(scheduler='portfolio', schedules=1000, seconds=None, seed=0, model='threads', instrument=(), "
    "keep_going=False, cancellations=0, patient=False): run the test function as a program under control, once under "
    "each of many schedules; see https://semafuzz.readthedocs.io/en/latest/pytest.html"
)
MODELS = ("threads", "gil", "eventlet")
LARGEST_SEED = 2**31
_NATIVE = pytest.version_tuple >= (8, 4)
"""Whether configuration files may hold numbers; before, they are text to read."""


@dataclass(frozen=True)
class Plan:
    """How one test is to be explored; the arguments of the marker."""

    schedulers: tuple[str, ...] = ("portfolio",)
    schedules: int = 1000
    seconds: float | None = None
    seed: int = 0
    model: Model = "threads"
    instrument: tuple[str, ...] = ()
    keep_going: bool = False
    cancellations: int = 0
    patient: bool = False


@dataclass(frozen=True)
class Profile:
    """What a profile means for exploring; ``semafuzz.strategies.generate.profiles`` has its other half.

    ``searches``: whether marked tests are explored at all. ``random``: whether the
    seed is another one in every session.
    """

    schedules: int
    random: bool = False
    searches: bool = True


PROFILES: Mapping[str, Profile] = {
    "dev": Profile(300),
    "ci": Profile(1000),
    "nightly": Profile(20_000, random=True),
    "replay": Profile(1000, searches=False),
}


def _count(text: str) -> Any:
    return _number(text, int, 1, 2**53, "a whole number from 1 on")


def _seconds(text: str) -> Any:
    return _number(text, float, 1e-9, 1e9, "a number of seconds above 0")


def _seed(text: str) -> Any:
    return _number(text, int, 0, LARGEST_SEED, f"a whole number from 0 to {LARGEST_SEED}")


def _number(text: str, kind: Any, lowest: float, highest: float, what: str) -> Any:
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not lowest <= value <= highest:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return value


_READERS = {"schedules": _count, "seconds": _seconds, "seed": _seed}


def add_options(parser: pytest.Parser) -> None:
    """The options, and under the same names the keys of the configuration file."""
    group = parser.getgroup("interleave", "interleave: tests run under many schedules (semafuzz)")
    add = group.addoption
    add("--interleave-scheduler", metavar="NAME[,NAME]", help="How to search; an item for each. See `semafuzz list`.")
    add("--interleave-schedules", type=_count, metavar="N", help="At most this many executions of each test.")
    add("--interleave-seconds", type=_seconds, metavar="S", help="At most this long for each test.")
    add("--interleave-seed", type=_seed, metavar="N", help="Root of all choices.")
    add(
        "--interleave-model",
        choices=MODELS,
        help="Where a switch can happen: at any shared access, where the GIL is given up, or at waiting.",
    )
    add("--interleave-instrument", action="append", metavar="MODULE", help="See accesses of this module too.")
    add("--interleave-keep-going", action="store_true", default=None, help="Go on after the first failure.")
    add("--interleave-strict", action="store_true", default=None, help="Warnings and traces that do not fit fail too.")
    add("--interleave-out", metavar="DIR", help="Where traces of findings go (default: .semafuzz).")
    add("--interleave-profile", choices=list(PROFILES), help="Budgets and Hypothesis settings by name.")
    add("--interleave-traces", action="append", metavar="DIR", help="Replay the traces kept in this folder, as tests.")
    add("--interleave-replay", metavar="TRACE", help="Replay this trace in the selected test instead of searching.")
    number, fraction = ("int", "float") if _NATIVE else ("string", "string")
    for name, kind, words in (
        ("scheduler", "args", "names of schedulers, an item for each"),
        ("schedules", number, "executions of each test at most"),
        ("seconds", fraction, "seconds for each test at most"),
        ("seed", number, "root of all choices"),
        ("model", "string", "threads or eventlet"),
        ("instrument", "args", "modules whose accesses are seen in every test"),
        ("keep_going", "bool", "go on after the first failure"),
        ("strict", "bool", "warnings and traces that do not fit fail too"),
        ("out", "string", "folder for traces of findings, from the root of the project"),
        ("profile", "string", "dev, ci, nightly or replay"),
        ("traces", "paths", "folders of kept traces, replayed as tests"),
    ):
        parser.addini(f"interleave_{name}", f"interleave: {words}", type=kind, default=None)  # type: ignore[arg-type]


def _ini(config: pytest.Config, name: str) -> Any:
    """A key of the configuration file, or None; UsageError where it makes no sense."""
    key = f"interleave_{name}"
    try:
        value = config.getini(key)
        if value is not None and name in _READERS:
            value = _READERS[name](str(value))
    except (ValueError, TypeError, argparse.ArgumentTypeError, pytest.UsageError) as error:
        raise pytest.UsageError(f"{key} in {config.inipath}: {error}") from None
    if name == "model" and value not in (None, *MODELS):
        raise pytest.UsageError(f"{key} in {config.inipath}: {value!r} is not one of {', '.join(MODELS)}")
    if name == "profile" and value not in (None, *PROFILES):
        raise pytest.UsageError(f"{key} in {config.inipath}: {value!r} is not one of {', '.join(PROFILES)}")
    return value


@dataclass
class Settings:
    """What the command line and the configuration file say, read and checked once.

    ``given``: what the command line says of a plan; ``base``: the plan of a test
    whose marker says nothing. ``everywhere``: modules instrumented in every test.
    """

    given: Mapping[str, Any]
    base: Plan
    everywhere: tuple[str, ...]
    profile: str
    strict: bool
    out: Path
    folders: tuple[Path, ...]
    asked: bool
    """Whether the folders were named on the command line."""
    replay: Path | None

    @property
    def searches(self) -> bool:
        """Whether marked tests are explored, and not only their traces replayed."""
        return not self.profile or PROFILES[self.profile].searches


def read_settings(config: pytest.Config) -> Settings:
    """Read both; UsageError names the option or key that makes no sense."""
    said = {
        name: config.getoption(f"interleave_{name}")
        for name in ("scheduler", "schedules", "seconds", "seed", "model", "keep_going")
    }
    given: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    written = {name: value for name in said if (value := _ini(config, name)) is not None}
    for source, key in ((given, "--interleave-scheduler"), (written, "interleave_scheduler")):
        if "scheduler" in source:
            names = source.pop("scheduler")
            source["schedulers"] = check_schedulers(names.split(",") if isinstance(names, str) else names, key)
    named = str(config.getoption("interleave_profile") or "")
    profile = named or str(_ini(config, "profile") or "")
    implied = _implied(profile, config)
    base = replace(Plan(), **({**written, **implied} if named else {**implied, **written}))
    asked = config.getoption("interleave_traces")
    here = config.invocation_params.dir
    folders = [here / name for name in asked] if asked else list(_ini(config, "traces") or ())
    for folder in folders if asked else ():
        if folder.is_file():
            raise pytest.UsageError(f"--interleave-traces: {folder} is a file; give the folder that it is in")
        if not folder.is_dir():
            raise pytest.UsageError(f"--interleave-traces: there is no folder {folder}; give one with kept traces")
    out = config.getoption("interleave_out")
    trace = config.getoption("interleave_replay")
    return Settings(
        given=given,
        base=base,
        everywhere=(*(_ini(config, "instrument") or ()), *(config.getoption("interleave_instrument") or ())),
        profile=profile,
        strict=bool(config.getoption("interleave_strict") or _ini(config, "strict")),
        out=here / out if out else config.rootpath / (_ini(config, "out") or ".semafuzz"),
        folders=tuple(dict.fromkeys(folder.resolve() for folder in folders)),
        asked=bool(asked),
        replay=here / trace if trace else None,
    )


def _implied(profile: str, config: pytest.Config) -> dict[str, Any]:
    """What a profile says of a plan."""
    if not profile:
        return {}
    implied: dict[str, Any] = {"schedules": PROFILES[profile].schedules}
    if PROFILES[profile].random:
        implied["seed"] = _session_seed(config)
    return implied


def _session_seed(config: pytest.Config) -> int:
    """A seed that is another one in every session, and one for all workers of it."""
    import secrets

    handed: Mapping[str, Any] = getattr(config, "workerinput", {})
    return int(handed["interleave_seed"]) if "interleave_seed" in handed else secrets.randbelow(LARGEST_SEED)


def check_schedulers(names: object, where: str) -> tuple[str, ...]:
    """The names of schedulers, each of which there is; UsageError otherwise."""
    from semafuzz.harness.errors import UsageError
    from semafuzz.harness.schedulers.registry import make_scheduler

    listed = [names] if isinstance(names, str) else list(names) if isinstance(names, (list, tuple)) else []
    if not listed or not all(isinstance(name, str) for name in listed):
        raise pytest.UsageError(f"{where}: {names!r} is not the name of a scheduler, nor a list of such names")
    for name in listed:
        try:
            make_scheduler(name, 0)
        except UsageError as error:
            raise pytest.UsageError(f"{where}: {error}") from None
    if len(set(listed)) < len(listed):
        raise pytest.UsageError(f"{where}: a scheduler is named twice in {', '.join(listed)}")
    return tuple(listed)


def plan_of(node: pytest.Item, settings: Settings) -> Plan | None:
    """How this test is to be explored, or None where it has no marker.

    Several markers (on module, class and function) add up, the innermost one
    counting most. Raises UsageError for arguments that make no sense.
    """
    marks = list(node.iter_markers("interleave"))
    if not marks:
        return None
    arguments: dict[str, Any] = {}
    for mark in reversed(marks):
        if mark.args:
            raise pytest.UsageError(f"the interleave marker takes arguments by name only, not {mark.args[0]!r}")
        arguments.update(mark.kwargs)
    marked = {name: _checked(name, value) for name, value in arguments.items()}
    if "scheduler" in marked:
        marked["schedulers"] = marked.pop("scheduler")
    plan = replace(settings.base, **{**marked, **settings.given})
    return replace(plan, instrument=tuple(dict.fromkeys((*plan.instrument, *settings.everywhere))))


def _checked(name: str, value: Any) -> Any:
    """One argument of the marker as a plan holds it; UsageError for another."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if name == "scheduler":
        return check_schedulers(value, "scheduler")
    if name == "schedules" and not (whole and value >= 1):
        raise pytest.UsageError(f"schedules={value!r} is not a whole number from 1 on")
    if name == "seed" and not (whole and 0 <= value <= LARGEST_SEED):
        raise pytest.UsageError(f"seed={value!r} is not a whole number from 0 to {LARGEST_SEED}")
    if name == "seconds" and not (value is None or ((isinstance(value, float) or whole) and value > 0)):
        raise pytest.UsageError(f"seconds={value!r} is not a number of seconds above 0")
    if name == "model" and value not in MODELS:
        raise pytest.UsageError(f"model={value!r} is not one of {', '.join(MODELS)}")
    if name in ("keep_going", "patient") and not isinstance(value, bool):
        raise pytest.UsageError(f"{name}={value!r} is neither True nor False")
    if name == "cancellations" and not (whole and 0 <= value <= 100):
        raise pytest.UsageError(f"cancellations={value!r} is not a whole number from 0 to 100")
    if name == "instrument":
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, (list, tuple)) or not all(isinstance(one, str) and one for one in listed):
            raise pytest.UsageError(f"instrument={value!r} is not a list of module names")
        return tuple(listed)
    if name not in ("schedules", "seed", "seconds", "model", "keep_going", "cancellations", "patient"):
        known = "scheduler, schedules, seconds, seed, model, instrument, keep_going, cancellations, patient"
        raise pytest.UsageError(f"the interleave marker has no argument {name!r}; it has {known}")
    return value
