"""Any class as a target: what its methods do one after the other says what they may do at the same time."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType

from semafuzz.harness.detectors.discipline.policy import LockPolicy
from semafuzz.harness.edits.call_points import FAULTS, failing_calls
from semafuzz.harness.edits.remedies import WHAT_IF
from semafuzz.harness.errors import CodeError, UsageError, documentation
from semafuzz.harness.instrument.apply import module_source
from semafuzz.harness.kernel.doubles.locks import control_thread
from semafuzz.harness.runs.function_file import LoadedName
from semafuzz.harness.runs.imported_modules import has_source, is_library
from semafuzz.harness.traces.schema import Operation, Value
from semafuzz.targets.classes.fitting import fit_values
from semafuzz.targets.classes.methods import constructor_of, methods_of
from semafuzz.targets.classes.specification import Subject
from semafuzz.targets.classes.stage import ClassProgram, Judge
from semafuzz.targets.classes.start_states import StartStates, find_start_states
from semafuzz.targets.model.configuration import check_configuration
from semafuzz.targets.model.legality import check_content
from semafuzz.targets.model.protocol import FaultInfo, OpenTarget, OperationInfo, OptionInfo, Plain, Stage, Target
from semafuzz.targets.model.scenario import BEFORE, Scenario
from semafuzz.targets.model.scenario_order import key_of

NEW = "new"
"""The role of an instance that calls were made to."""


_JUDGES = 300
"""Programs whose judgements are kept."""


class ClassTarget(Target):
    """A class as a target. ``name``, ``release`` and ``versions``: as traces say which one it is; ``what_if``: the
    remedies that its code was changed by, ``faults`` the calls that may fail, one to a line."""

    def __init__(
        self,
        loaded: LoadedName,
        name: str,
        release: str,
        versions: Mapping[str, str],
        what_if: str = "",
        faults: str = "",
    ) -> None:
        self.kind: type = loaded.value
        self.name = name
        self.release = release
        self.versions = dict(versions)
        self.summary = (self.kind.__doc__ or self.kind.__name__).strip().partition("\n")[0]
        self._loaded = loaded
        self._what_if = what_if
        self._fault_text = faults
        self._faults = {call.name: call for call in failing_calls(faults)}
        self._methods = {one.name: one for one in methods_of(self.kind)}
        refresh = loaded.refresh if loaded.imported.stateful else lambda: loaded.value
        self._constructor = constructor_of(self.kind)
        self.subject = Subject(refresh, self._constructor, self._methods)
        self._measure = self.subject
        self._start: StartStates | None = None
        self._judges: dict[bytes, Judge] = {}

    def measure_by(self, measure: Subject) -> None:
        """Have another class say what is right, in the place of this one's own serial runs."""
        self._measure = measure

    def releases(self) -> list[tuple[str, str]]:
        """There is one, and it is here."""
        return [(self.release, "built in")]

    def operations(self) -> Sequence[OperationInfo]:
        """The methods that may run at the same time; in a session with values that they take."""
        if control_thread[0]:
            self._start_states()
        return [one.info() for one in self._methods.values() if not one.marks.not_thread_safe]

    def chains(self) -> Sequence[Sequence[str]]:
        """What is done together: an operation, and what gives back what it took."""
        return [(one.opener, one.name) for one in self._methods.values() if one.opener]

    def options(self) -> Sequence[OptionInfo]:
        """What an instance is made with, where there is a choice, and the remedies that are tried; a trace has them."""
        changes = {WHAT_IF: self._what_if, FAULTS: self._fault_text}
        remedies = [OptionInfo(name, (text,), varied=False) for name, text in changes.items() if text]
        return remedies + [
            OptionInfo(name, one.named, varied=False) for name, one in self._constructor.items() if len(one.named) > 1
        ]

    def faults(self) -> Sequence[FaultInfo]:
        """The calls that may fail."""
        return [
            FaultInfo(call.name, f"{call.pattern} fails", (f"{call.pattern}()",), call.make)
            for call in self._faults.values()
        ]

    def configurations(self) -> Sequence[Mapping[str, Value]]:
        """The usual arguments of the constructor, and each other one in their place."""
        others = [{name: value} for name, one in self._constructor.items() for value in one.named[1:]]
        return [{}, *others]

    def roles(self) -> Sequence[str]:
        """One instance, to which calls were made before."""
        return (NEW,)

    def setup_arguments(self) -> Mapping[str, Sequence[Plain]]:
        """The calls that were made before; asked for where control is installed, since they are tried."""
        return {BEFORE: tuple(self._start_states().before)}

    def notes(self) -> list[str]:
        """What a person should know of the class before they read what was found."""
        return [
            f"{name} waited for ever whenever one thread called it" for name in sorted(self._start_states().blocking)
        ]

    def _start_states(self) -> StartStates:
        if self._start is None:
            if not control_thread[0]:
                raise UsageError(f"{self.release} is to be opened in a session before its start states are asked for")
            for name, parameters in fit_values(self._measure).items():
                self._methods[name].parameters = parameters
            self._start = find_start_states(self._measure)
        return self._start

    @contextmanager
    def open(self, release: str = "") -> Iterator[OpenTarget]:
        """Have the module ready; UsageError for another release."""
        if release and release != self.release:
            raise UsageError(f"target {self.release} has no release {release!r}; leave --release out")
        with self._loaded.imported.importing():
            yield _OpenClass(self)

    def modules(self) -> list[ModuleType]:
        """Those under test that are not rewritten yet, and those in which inherited methods stand."""
        found = dict.fromkeys(self._loaded.modules[1:])
        for owner in self.kind.__mro__:
            module = sys.modules.get(owner.__module__)
            written = module is not None and has_source(module) and not is_library(str(module.__file__))
            if written and module is not None and module.__name__ not in self._own():
                found[module] = None
        return list(found)

    def _own(self) -> set[str]:
        return {self._loaded.modules[0].__name__, *self._loaded.imported.watched}

    def program(self, scenario: Scenario) -> ClassProgram:
        """The program of a scenario. UsageError where it is none of this class."""
        check_content(scenario.content, self)
        before: Sequence[Operation] = ()
        for one in scenario.content.setup:
            before = self._start_states().before[str(one.arguments[BEFORE])]
        faults = {info.name: info for info in self.faults()}
        return ClassProgram(scenario, self._judge(scenario, before), self._loaded.modules, faults)

    def _judge(self, scenario: Scenario, before: Sequence[Operation]) -> Judge:
        """The judge of a program, which knows what it judged before."""
        self._start_states()
        key = key_of(scenario)
        if key not in self._judges:
            if len(self._judges) >= _JUDGES:
                self._judges.clear()
            chosen = {name: value for name, value in scenario.configuration.items() if name in self._constructor}
            made = [one.made_with(chosen) for one in (self.subject, self._measure)]  # type: ignore[arg-type]
            self._judges[key] = Judge(made[0], before, made[1])
        return self._judges[key]


class _OpenClass:
    """The class, ready."""

    sparing = False
    thorough = True
    around: Sequence[ModuleType] = ()
    callers: Sequence[ModuleType] = ()
    policy: LockPolicy | None = None

    def __init__(self, target: ClassTarget) -> None:
        self.release = target.release
        self.modules: Sequence[ModuleType] = target.modules()
        digests = {one.__name__: _digest(one) for one in self.modules}
        self.libraries: Mapping[str, str] = {**digests, **target.versions}
        self._target = target

    def stage(self, setup: Sequence[Operation], configuration: Mapping[str, Value]) -> Stage:
        """There is none: who performs operations one by one takes a target that somebody has declared."""
        raise UsageError(
            f"a state machine needs a target with invariants; declare one, see {documentation('own-target')}"
        )

    def program(self, scenario: Scenario) -> ClassProgram:
        """The program of a scenario."""
        check_configuration(self._target.options(), scenario.configuration)
        return self._target.program(scenario)


def _digest(module: ModuleType) -> str:
    try:
        return hashlib.sha256(module_source(module)[0].encode()).hexdigest()
    except Exception as error:
        raise CodeError(f"the source of {module.__name__} cannot be read: {error}") from error
