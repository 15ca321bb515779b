"""A target under a configuration that somebody chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from types import ModuleType

from semafuzz.harness.detectors.discipline.policy import LockPolicy
from semafuzz.harness.edits.remedies import WHAT_IF, parse_remedy
from semafuzz.harness.edits.wrapping import remedied
from semafuzz.harness.errors import UsageError
from semafuzz.harness.runs.program import Program
from semafuzz.harness.traces.schema import Operation, Value
from semafuzz.targets.model.catalogue import Catalogued, Defect
from semafuzz.targets.model.configuration import check_configuration
from semafuzz.targets.model.protocol import FaultInfo, OpenTarget, OperationInfo, OptionInfo, Plain, Stage, Target
from semafuzz.targets.model.scenario import Scenario


class ConfiguredTarget(Target):
    """``target`` with the options in ``fixed`` set, in every scenario: strategies do
    not vary them, and they need not be named. ``only``: the operations that programs are made of; all where
    it is empty. ``remedies``: locks around methods that are tried, one to a line. UsageError where it has no such
    option, value or operation."""

    def __init__(
        self, target: Target, fixed: Mapping[str, Value], only: Sequence[str] = (), remedies: str = ""
    ) -> None:
        check_configuration(target.options(), fixed)
        known = [info.name for info in target.operations()] if only else []
        for name in only:
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}? It" if near else "it"
                raise UsageError(f"target {target.name} has no operation {name!r}; {hint} has {', '.join(known)}")
        self.target = target
        self.fixed = dict(fixed)
        self.remedies = remedies
        self.only = frozenset(only)
        self.name = target.name
        self.summary = target.summary
        self.bundles = target.bundles
        self.operation_cost = target.operation_cost

    @property
    def verification(self) -> Mapping[str, Value]:
        """That of the target; whoever chose the world gets that one and no other."""
        options = self.target.verification
        return {} if options.keys() & self.fixed.keys() else options

    def changes_nothing_for_others(self, call: str) -> bool:
        """As the target."""
        return self.target.changes_nothing_for_others(call)

    def may_write(self, call: str) -> bool:
        """As the target."""
        return self.target.may_write(call)

    def may_read(self, call: str) -> bool:
        """As the target."""
        return self.target.may_read(call)

    def complete(self, scenario: Scenario) -> Scenario:
        """The scenario with what is set here."""
        tried = {WHAT_IF: self.remedies} if self.remedies else {}
        return replace(scenario, configuration={**scenario.configuration, **self.fixed, **tried})

    def without_remedies(self, scenario: Scenario) -> Scenario:
        """The scenario as the target itself knows it."""
        if not self.remedies:
            return scenario
        known = {name: value for name, value in scenario.configuration.items() if name != WHAT_IF}
        return replace(scenario, configuration=known)

    def releases(self) -> list[tuple[str, str]]:
        """Those of the target."""
        return self.target.releases()

    def operations(self) -> Sequence[OperationInfo]:
        """Those of the target that were chosen."""
        return [info for info in self.target.operations() if not self.only or info.name in self.only]

    def roles(self) -> Sequence[str]:
        """Those of the target."""
        return self.target.roles()

    def setup_arguments(self) -> Mapping[str, Sequence[Plain]]:
        """Those of the target."""
        return self.target.setup_arguments()

    def chains(self) -> Sequence[Sequence[str]]:
        """Those of the target whose operations were chosen."""
        return [chain for chain in self.target.chains() if not self.only or {*chain} <= self.only]

    def configurations(self) -> Sequence[Mapping[str, Value]]:
        """Those of the target that leave what is set as it is."""
        return [one for one in self.target.configurations() if not one.keys() & self.fixed.keys()]

    def notes(self) -> Sequence[str]:
        """Those of the target."""
        return self.target.notes()

    def faults(self) -> Sequence[FaultInfo]:
        """Those of the target."""
        return self.target.faults()

    def options(self) -> Sequence[OptionInfo]:
        """Those of the target that are not set here."""
        return [option for option in self.target.options() if option.name not in self.fixed]

    @contextmanager
    def open(self, release: str = "") -> Iterator[OpenTarget]:
        """Make the target ready; its scenarios are completed."""
        tried = [parse_remedy(line) for line in self.remedies.split("\n") if line.strip()]
        with self.target.open(release) as opened, remedied(opened.modules, tried, opened.callers):
            yield _OpenBound(self, opened)


class _OpenBound:
    def __init__(self, bound: ConfiguredTarget, opened: OpenTarget) -> None:
        self._bound = bound
        self._opened = opened
        self.release = opened.release
        self.modules: Sequence[ModuleType] = opened.modules
        self.libraries: Mapping[str, str] = opened.libraries
        self.policy: LockPolicy | None = opened.policy
        self.thorough = opened.thorough
        self.around: Sequence[ModuleType] = opened.around
        self.callers: Sequence[ModuleType] = opened.callers

    @property
    def sparing(self) -> bool:
        """As the target."""
        return self._opened.sparing

    @sparing.setter
    def sparing(self, sparing: bool) -> None:
        self._opened.sparing = sparing

    def stage(self, setup: Sequence[Operation], configuration: Mapping[str, Value]) -> Stage:
        """The start state, under what is set."""
        return self._opened.stage(setup, {**configuration, **self._bound.fixed})

    def program(self, scenario: Scenario) -> Program:
        """The program of the completed scenario."""
        return self._opened.program(self._bound.without_remedies(self._bound.complete(scenario)))


def complete(target: Target, scenario: Scenario) -> Scenario:
    """The scenario with what is set for the target, if anything is."""
    return target.complete(scenario) if isinstance(target, ConfiguredTarget) else scenario


def fixed_by(target: Target) -> Mapping[str, Value]:
    """What is set for the target."""
    return target.fixed if isinstance(target, ConfiguredTarget) else {}


def target_itself(target: Target) -> Target:
    """The target, without what is set for it."""
    return target.target if isinstance(target, ConfiguredTarget) else target


def catalogue_of(target: Target) -> Sequence[Defect]:
    """The defects that are known of a target, whatever is set for it."""
    plain = target_itself(target)
    return plain.defects() if isinstance(plain, Catalogued) else ()


def configure(target: Target, settings: Sequence[str], operations: Sequence[str] = (), remedies: str = "") -> Target:
    """``target`` with settings of the form ``NAME=VALUE``, and no other operations where some are given; itself
    where there is neither. UsageError where a setting has another form, and for what the target does not have."""
    fixed: dict[str, Value] = {}
    options = {option.name: option for option in target.options()}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"{setting!r} is not of the form NAME=VALUE, for example total=8")
        if name not in options:
            raise UsageError(f"target {target.name} has no option {name!r}; it has {', '.join(options) or 'none'}")
        values = (*options[name].legal, *options[name].illegal)
        fixed[name] = _value(name, text, values)
    return ConfiguredTarget(target, fixed, operations, remedies) if fixed or operations or remedies else target


def _value(name: str, text: str, values: Sequence[Value]) -> Value:
    for value in values:
        if str(value) == text:
            return value
    raise UsageError(f"option {name} takes one of {', '.join(map(str, values))}, not {text!r}")
