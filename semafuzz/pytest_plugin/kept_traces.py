"""Folders of kept traces, and the traces that are items of their own.

A trace of a test is an item of that test, so that it gets the fixtures; traces of a
target's operations and of functions found by ``semafuzz check`` need none and are
collected as files are.
"""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from semafuzz.harness.errors import CannotJudge, NotDeterministic, TraceError, UsageError
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import Function, Trace
from semafuzz.pytest_plugin.interleave_warning import InterleaveWarning
from semafuzz.pytest_plugin.item_parameter import REPLAYED, Replay, test_of
from semafuzz.pytest_plugin.options import Settings

if TYPE_CHECKING:
    from semafuzz.harness.runs.replay_run import Replayed

TEST = "test"
"""The entry in a trace's configuration that names a test by its node id. It is
compared with the tests that pytest collected, and is never a path to import."""


class KeptTraces:
    """The traces of the folders that were asked for, or the one that is to be replayed."""

    def __init__(self, settings: Settings, config: pytest.Config) -> None:
        self.settings = settings
        self._traces: dict[Path, Trace] | None = None
        self._met: set[Path] = set()
        self._waiting: list[TraceFile] = []
        self._single: tuple[Path, Trace] | None = None
        if settings.replay is not None:
            self._single = (settings.replay, _single(settings.replay))
        elif settings.asked or not _arguments_given(config):
            # Before pytest 9, a folder named beside one that holds it hides the rest of that.
            config.args += [str(one) for one in settings.folders if one.is_dir() and not _covered(one, config)]

    @property
    def traces(self) -> dict[Path, Trace]:
        """Every trace that can be read; a warning names each file that cannot."""
        if self._traces is None:
            self._traces = {}
            for folder in self.settings.folders if self._single is None else ():
                for path in _files(folder):
                    try:
                        self._traces[path] = codec.read(path)
                    except TraceError as error:
                        warnings.warn(InterleaveWarning(f"skipped: {error}"), stacklevel=2)
        return self._traces

    def has(self, path: Path) -> bool:
        """Whether this is one of the traces."""
        return path.suffix == ".json" and path.resolve() in self.traces

    def leads_to(self, path: Path) -> bool:
        """Whether this is one of the folders, or on the way to one: pytest skips some
        names, hidden folders above all."""
        return any(folder.is_relative_to(path) for folder in self.settings.folders)

    def of_test(self, node: str) -> list[Replay]:
        """The traces of a test function, with whatever parameters."""
        found: list[Replay] = []
        for path, trace in self.traces.items():
            test = test_in(trace)
            if test == node or test.startswith(node + "["):
                label = f"replay-{trace.expected.signature}"
                times = sum(one.label.startswith(label) for one in found)
                found.append(Replay(f"{label}-{times + 1}" if times else label, test, path, trace))
        return found

    def met(self, path: Path) -> None:
        """The test of this trace was collected."""
        self._met.add(path)

    def wait(self, file: TraceFile) -> None:
        """The trace in this file is an item of its test, if that is collected."""
        self._waiting.append(file)

    def settle(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """When all is collected: traces whose test was not met become items that say so;
        under ``--interleave-replay`` all but the one test are left out."""
        if self._single is None:
            items += [file.item() for file in self._waiting if file.path.resolve() not in self._met]
            return
        path, trace = self._single
        marked = [item for item in items if item.get_closest_marker("interleave") is not None]
        chosen = [item for item in marked if test_of(item) == test_in(trace)] or (marked if len(marked) == 1 else [])
        if not chosen and not hasattr(config, "workerinput"):
            raise pytest.UsageError(
                f"--interleave-replay: {path.name} is a trace of {test_in(trace)!r}, which is not among the tests "
                "collected; name that test, or the one that it has become"
            )
        for item in chosen:
            item.stash[REPLAYED] = Replay("replay", test_in(trace), path, trace)
        others = [item for item in items if item not in chosen]
        if others:
            config.hook.pytest_deselected(items=others)
            items[:] = chosen


def test_in(trace: Trace) -> str:
    """The test that a trace is of, or empty."""
    found = trace.configuration.get(TEST) if isinstance(trace.program, Function) else None
    return found if isinstance(found, str) else ""


def _covered(folder: Path, config: pytest.Config) -> bool:
    """Whether pytest comes past the folder anyway."""
    named = [(config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args]
    return any(folder.is_relative_to(path) for path in named)


def _arguments_given(config: pytest.Config) -> bool:
    """Whether the user named what to run; kept traces are then not added to that."""
    source = getattr(config, "args_source", None)
    return getattr(source, "name", "ARGS") == "ARGS"


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path.resolve() for path in folder.iterdir() if path.suffix == ".json")
    except FileNotFoundError:
        return []  # named in the configuration, and nothing was kept yet
    except OSError as error:
        warnings.warn(InterleaveWarning(f"skipped: cannot read {folder}: {error.strerror}"), stacklevel=2)
        return []


def _single(path: Path) -> Trace:
    try:
        trace = codec.read(path)
    except TraceError as error:
        raise pytest.UsageError(f"--interleave-replay: {error}") from None
    if not test_in(trace):
        raise pytest.UsageError(
            f"--interleave-replay: {path} is not a trace of a test; replay it with `semafuzz replay`, or keep it in "
            "the folder of --interleave-traces"
        )
    return trace


class TraceFile(pytest.File):
    """A file that holds a trace."""

    kept: KeptTraces

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path, kept: KeptTraces) -> TraceFile:
        """The collector for a trace that was read already."""
        made: TraceFile = cls.from_parent(parent, path=path)
        made.kept = kept
        return made

    def collect(self) -> Iterator[pytest.Item]:
        """One item, where the trace is not one of a test's own."""
        if test_in(self.kept.traces[self.path.resolve()]):
            self.kept.wait(self)
        else:
            yield self.item()

    def item(self) -> TraceItem:
        """The trace as an item."""
        trace = self.kept.traces[self.path.resolve()]
        made: TraceItem = TraceItem.from_parent(self, name=f"replay[{trace.expected.signature}]")
        made.trace, made.settings = trace, self.kept.settings
        return made


class TraceItem(pytest.Item):
    """A kept trace as a test: fails while it reproduces, is skipped where it cannot be judged."""

    trace: Trace
    settings: Settings

    def runtest(self) -> None:
        """Replay it."""
        from semafuzz.pytest_plugin import replaying
        from semafuzz.pytest_plugin.replay_command import shown
        from semafuzz.pytest_plugin.timeouts import respected
        from semafuzz.reports.terminal import failing_test
        from semafuzz.reports.terminal.plain_text import plain, script
        from semafuzz.reports.terminal.told import told_run

        if test_in(self.trace):
            replaying.unfit(
                f"its test {plain(test_in(self.trace))} was not collected; where it has another name now, run that "
                f"with --interleave-replay {shown(self.config, str(self.path))}",
                self.settings,
            )
        try:
            with respected(self):
                replayed = _replayed(self.trace)
        except (UsageError, CannotJudge, NotDeterministic) as error:
            replaying.unfit(f"{self.path.name}: {error}", self.settings)
            return
        command = f"{script()} replay {shlex.quote(shown(self.config, str(self.path)))}"
        told = told_run(self.trace, replayed.outcome, None, failing_test.width())
        replaying.judge(self, self.trace, self.path, replayed, told, command, self.settings)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The name of the item."""
        return self.path, 0, self.name


def _replayed(trace: Trace) -> Replayed:
    if isinstance(trace.program, Function):
        from semafuzz.commands.trace.replay import replay_function

        return replay_function(trace, trace.program, None)
    from semafuzz.commands.trace.replay_operations import replay_operations

    return replay_operations(trace)
