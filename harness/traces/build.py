"""From an execution to a trace and back to choices."""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.naming import describe_pending, digest
from semafuzz.harness.kernel.outcome import Failure, Model, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.traces.choices import RecordedChoice
from semafuzz.harness.traces.schema import (
    FORMAT,
    Choice,
    Expected,
    Function,
    Necessity,
    Operation,
    Operations,
    Trace,
    Value,
)
from semafuzz.harness.traces.signature import failure_identity


@dataclass(frozen=True, slots=True)
class Header:
    """What a trace says of the program that was run, and of how; see ``schema.Trace``."""

    target: str
    program: Function | Operations
    model: Model
    seed: int
    release: str = ""
    configuration: Mapping[str, Value] = field(default_factory=dict)
    faults: Sequence[Operation] = ()
    libraries: Mapping[str, str] = field(default_factory=dict)
    thorough: bool = False


def build_trace(
    outcome: Outcome,
    failure: Failure,
    header: Header,
    signature: str,
    *,
    places: Sequence[int] = (),
    necessity: Necessity | None = None,
) -> Trace:
    """The trace of ``outcome``, which showed ``failure``.

    ``places``: sites to show beside the failure's own. ``necessity``: None where it
    was not checked.
    """
    words: dict[str, int] = {}
    choices = []
    for decision in outcome.decisions:
        texts = [describe_pending(pending) for pending in decision.pending]
        numbers = tuple(words.setdefault(text, len(words)) for text in texts)
        choices.append(Choice(decision.step, decision.chosen, decision.enabled, numbers, decision.yielded))
    expected = Expected(
        kind=failure.kind,
        message=failure.message[:4000],
        signature=signature,
        digest=digest(outcome.events),
        events=len(outcome.events),
        error_type=failure.error_type[:200],
        identity=failure_identity(failure),
        places=tuple(SITES[number].place() for number in dict.fromkeys([*places, *failure.sites, *failure.related])),
        detail=tuple(line[:4000] for line in failure.detail[:256]),
    )
    return Trace(
        format=FORMAT,
        target=header.target,
        release=header.release,
        model=header.model,
        program=header.program,
        seed=header.seed,
        configuration=dict(header.configuration),
        faults=tuple(header.faults),
        words=tuple(words),
        choices=tuple(choices),
        expected=expected,
        versions={"python": platform.python_version(), "semafuzz": _version("semafuzz"), **header.libraries},
        hash_seed=os.environ.get("PYTHONHASHSEED", "random"),
        necessity=necessity,
        thorough=header.thorough,
    )


@functools.cache
def _version(distribution: str) -> str:
    # Here, since it imports much, and who reads traces makes none.
    import importlib.metadata

    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def recorded_choices(trace: Trace) -> list[RecordedChoice]:
    """The choices of a trace, for the replay scheduler."""
    return [
        RecordedChoice(
            choice.step,
            choice.chosen,
            choice.enabled,
            tuple(_without_name(trace.words[word]) for word in choice.pending),
            choice.yielded,
        )
        for choice in trace.choices
    ]


_SPAWN = op.KIND_NAMES[op.SPAWN]


def _without_name(words: str) -> str:
    """Earlier traces name the thread that is to start, perhaps by a counter that goes on from run to run."""
    return _SPAWN if words.startswith(f"{_SPAWN} ") else words


def choices_of(outcome: Outcome) -> list[RecordedChoice]:
    """The choices of an execution that has just been made."""
    return [
        RecordedChoice(
            decision.step,
            decision.chosen,
            decision.enabled,
            tuple(describe_pending(pending) for pending in decision.pending),
            decision.yielded,
        )
        for decision in outcome.decisions
    ]
