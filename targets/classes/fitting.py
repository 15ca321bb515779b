"""Values that fit: where a method takes none of those that were guessed by a parameter's name, other kinds are tried.

A parameter without a hint and with a name that says nothing is given numbers. A method that raises TypeError or
AttributeError whenever it is called so is called with texts, functions, lists and dictionaries too, by one thread alone
on a new instance, and has the first kind with which it does not raise anything, or else the first with which it raises
something else; numbers come after these, so that a program with them remains one. All of its guessed parameters are of
one kind. What a method does with its argument only later, or in another state, is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.classes.methods import ClassMethod
from semafuzz.targets.classes.specification import Subject
from semafuzz.targets.classes.values import Choices, other_kinds

_TRIED = 4
"""Calls with each kind of value."""
_WRONG_KIND, _REFUSED, _TAKEN = range(3)
"""How a method takes its values, the better the greater."""


def fit_values(subject: Subject) -> dict[str, Mapping[str, Choices]]:
    """The parameters of those methods of a class that take no guessed value and do take others, by method; they have
    them from now on. Asked for where control is installed."""
    fitted: dict[str, Mapping[str, Choices]] = {}
    for name, method in subject.methods.items():
        guessed = method.parameters
        if not any(one.guessed for one in guessed.values()) or _fits(subject, method) != _WRONG_KIND:
            continue
        best, kept = _WRONG_KIND, guessed
        for parameters in _alternatives(guessed):
            method.parameters = parameters
            found = _fits(subject, method)
            if found > best:
                best, kept = found, parameters
        method.parameters = kept if kept is guessed else _with_both(kept, guessed)
        if kept is not guessed:
            fitted[name] = method.parameters
    return fitted


def _alternatives(parameters: Mapping[str, Choices]) -> Iterator[Mapping[str, Choices]]:
    made = {name: other_kinds(name) for name, one in parameters.items() if one.guessed}
    for number in range(len(next(iter(made.values())))):
        yield {name: made[name][number] if name in made else one for name, one in parameters.items()}


def _with_both(fitting: Mapping[str, Choices], guessed: Mapping[str, Choices]) -> Mapping[str, Choices]:
    return {
        name: Choices((*one.named, *guessed[name].named), one.made) if guessed[name].guessed else one
        for name, one in fitting.items()
    }


def _fits(subject: Subject, method: ClassMethod) -> int:
    """How well it takes its values: whether some call of it, alone and on a new instance, raises nothing or waits, or
    at least something else than that it was given the wrong kind."""
    best = _WRONG_KIND
    for call in method.calls()[:_TRIED]:
        ended = subject.alone((), Operation(method.name, call)).ended.get(0)
        if ended is None or ended.error is None:
            return _TAKEN
        if not isinstance(ended.error, (TypeError, AttributeError)):
            best = _REFUSED
    return best
