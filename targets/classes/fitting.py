"""Values that fit: where a method takes none of those that were guessed by a parameter's name, other kinds are tried.

A parameter without a hint and with a name that says nothing is given numbers. A method that raises TypeError or
AttributeError for every one of them is called with texts, functions, lists and dictionaries in their place, by one
thread alone, and has the first kind that it takes. All of its guessed parameters are of one kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.classes.methods import ClassMethod
from semafuzz.targets.classes.specification import Subject
from semafuzz.targets.classes.values import Choices, other_kinds

_TRIED = 4
"""Calls with each kind of value."""
_NOT_TAKEN = (TypeError, AttributeError)


def fit_values(subject: Subject) -> dict[str, Mapping[str, Choices]]:
    """The parameters of those methods of a class that take no guessed value and do take others, by method; they have
    them from now on. Asked for where control is installed."""
    fitted: dict[str, Mapping[str, Choices]] = {}
    for name, method in subject.methods.items():
        if not any(one.guessed for one in method.parameters.values()) or _is_taken(subject, method):
            continue
        guessed = method.parameters
        for parameters in _alternatives(guessed):
            method.parameters = parameters
            if _is_taken(subject, method):
                fitted[name] = parameters
                break
        else:
            method.parameters = guessed
    return fitted


def _alternatives(parameters: Mapping[str, Choices]) -> Iterator[Mapping[str, Choices]]:
    made = {name: other_kinds(name) for name, one in parameters.items() if one.guessed}
    for number in range(len(next(iter(made.values())))):
        yield {name: made[name][number] if name in made else one for name, one in parameters.items()}


def _is_taken(subject: Subject, method: ClassMethod) -> bool:
    """Whether some call of it, alone and on a new instance, ends with something else than that it was given the wrong
    kind, or waits."""
    for call in method.calls()[:_TRIED]:
        ended = subject.alone((), Operation(method.name, call)).ended.get(0)
        if ended is None or not isinstance(ended.error, _NOT_TAKEN):
            return True
    return False
