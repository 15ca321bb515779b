"""The program that a machine's rules have built, run again under further schedules.

Draws are dear and schedules are cheap: of the steps that Hypothesis draws few interrupt a task where it matters. So the
calls of rules are noted, those that step tasks left out, and made again on a new machine, each time under another
schedule: in lock step, with one task left at a point while the others go to their end, by random walk, by random
priorities with two changes (PCT: Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010). What comes of a program
depends on the program alone, so that Hypothesis can shrink it.

Not the same program: one whose rules ask what the tasks have done so far, or depend on anything else than their
arguments. What differs then is tried all the same, and is a failure only where it fails.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from hypothesis.errors import HypothesisException
from hypothesis.stateful import INITIALIZE_RULE_MARKER, RULE_MARKER, MultipleResults

from semafuzz.harness.errors import SemafuzzError
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.runs.stepping import SteppedExecution

MOST_STEPS = 2000
"""Steps of a schedule, after which the rest goes on by itself."""
_PLAIN = (str, bytes, int, float, bool, type(None))


class RuleCall(NamedTuple):
    """One call of a rule: its function, what it was given by name, and what it gave to bundles."""

    function: Callable[..., object]
    given: Mapping[str, object]
    results: tuple[object, ...]

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.given.items())
        return f"state.{self.function.__name__}({given})"


class Machine(Protocol):
    """As much of a machine as is asked here."""

    stepped: SteppedExecution
    calls: list[RuleCall]

    def look(self) -> None:
        """Fail where something is wrong by now."""

    def teardown(self) -> None:
        """Run every task to its end, and check."""


def note_calls(machine: type) -> list[str]:
    """Have the rules that a class defines note their calls; their names."""
    found = []
    for name, value in vars(machine).items():
        ruled = getattr(value, RULE_MARKER, None) or getattr(value, INITIALIZE_RULE_MARKER, None)
        if ruled is not None:
            found.append(name)
            if not hasattr(ruled.function, "__wrapped__"):
                ruled.function = _noting(ruled.function)
    return found


def _noting(function: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(function)
    def run(machine: Machine, **given: object) -> object:
        result = function(machine, **given)
        machine.calls.append(RuleCall(function, given, _values(result)))
        return result

    return run


def _values(result: object) -> tuple[object, ...]:
    return tuple(result.values) if isinstance(result, MultipleResults) else (result,)


def make_again(machine: Machine, calls: Sequence[RuleCall]) -> None:
    """Make the calls on a new machine. What an earlier call gave stands for what it gives now."""
    now: dict[int, object] = {}

    def current(value: object) -> object:
        if type(value) is list:
            return [now.get(id(one), one) for one in value]
        return now.get(id(value), value)

    for call in calls:
        given = {name: current(value) for name, value in call.given.items()}
        results = _values(call.function(machine, **given))
        machine.calls.append(RuleCall(call.function, given, results))
        for before, after in zip(call.results, results, strict=False):
            if type(before) not in _PLAIN:
                now[id(before)] = after


def _go_on(number: int, lengths: dict[int, int], draw: random.Random, machine: Machine) -> None:
    """Let the tasks go on under the schedule with this number. The first one tells how long they are."""
    if number:
        (_leave_one, _walk, _leave_one, _priorities)[number % 4](machine, lengths, draw)
    else:
        _lock_step(machine, lengths)


def _lock_step(machine: Machine, passed: dict[int, int]) -> None:
    stepped = machine.stepped
    for _ in range(MOST_STEPS):
        able = _able(stepped)
        if not able:
            break
        for task in reversed(able):
            if task in _able(stepped):
                stepped.step(task)
                passed[task.index] = passed.get(task.index, 0) + 1
                machine.look()


def _leave_one(machine: Machine, lengths: Mapping[int, int], draw: random.Random) -> None:
    """One task is left at a point, the others go to their end, then it goes on."""
    stepped = machine.stepped
    able = _able(stepped)
    if not able:
        return
    first = draw.choice(able)
    stepped.step(first, draw.randint(1, max(1, lengths.get(first.index, 1))))
    machine.look()
    draw.shuffle(able)
    for _ in range(len(able)):
        for task in able:
            if task is not first and task in _able(stepped):
                stepped.finish(task)
                machine.look()


def _walk(machine: Machine, lengths: Mapping[int, int], draw: random.Random) -> None:
    stepped = machine.stepped
    for _ in range(MOST_STEPS):
        able = _able(stepped)
        if not able:
            return
        stepped.step(draw.choice(able), draw.randint(1, 4))
        machine.look()


def _priorities(machine: Machine, lengths: Mapping[int, int], draw: random.Random) -> None:
    stepped = machine.stepped
    ranks: dict[int, float] = {}
    length = max(2, sum(lengths.values()))
    changes = {draw.randrange(length) for _ in range(2)}
    for number in range(MOST_STEPS):
        able = _able(stepped)
        if not able:
            return
        chosen = max(able, key=lambda task: ranks.setdefault(task.index, draw.random()))
        if number in changes:
            ranks[chosen.index] = -number
            continue
        stepped.step(chosen)
        machine.look()


def _able(stepped: SteppedExecution) -> list[Task]:
    if stepped.over:
        return []
    return [
        task for task in stepped.tasks if not task.done and not task.parked and not task.timed and stepped.enabled(task)
    ]


def program_key(calls: Sequence[RuleCall]) -> str:
    """What identifies a program for choosing its schedules: rules, and arguments that are plain values."""
    parts = []
    for call in calls:
        given = [f"{name}={value!r}" for name, value in call.given.items() if type(value) in _PLAIN]
        parts.append(f"{call.function.__name__}({', '.join(given)})")
    return " ; ".join(parts)


def explore(make: Callable[[], Any], calls: Sequence[RuleCall], schedules: int, found: type[Exception]) -> Any:
    """Run the program of these calls under so many schedules; the failure of the first that fails, or None.

    ``make`` makes a new machine. ``found``: the exception that says a failure; where any other comes out of a rule,
    the program cannot be made again, and nothing is said."""
    draw = random.Random(program_key(calls))
    lengths: dict[int, int] = {}
    for number in range(schedules):
        machine = make()
        machine.go_on_by = functools.partial(_go_on, number, lengths, draw)
        try:
            make_again(machine, calls)
            machine.teardown()
            if len(lengths) < 2:
                # One task has one order, whatever is drawn.
                return None
        except found as failure:
            return failure
        except (SemafuzzError, HypothesisException):
            raise
        except Exception:
            return None
        finally:
            machine.stepped.close()
    return None


def smallest(
    make: Callable[[], Any], calls: Sequence[RuleCall], schedules: int, found: type[Exception]
) -> tuple[list[RuleCall], Any]:
    """The calls that are needed to fail in the same way, each left out in turn, the last first; and the failure."""
    kept, failure = list(calls), explore(make, calls, schedules, found)
    if failure is None:
        return kept, None
    for place in reversed(range(len(calls))):
        fewer = kept[:place] + kept[place + 1 :]
        again = explore(make, fewer, schedules, found)
        if type(again) is type(failure):
            kept, failure = fewer, again
    return kept, failure


def fails_serially(make: Callable[[], Any], calls: Sequence[RuleCall], found: type[Exception]) -> bool:
    """Whether the program fails too where each task goes to its end before the next one begins."""
    machine = make()
    try:
        make_again(machine, calls)
        machine.teardown()
    except found:
        return True
    except SemafuzzError:
        raise
    except Exception:
        return False
    finally:
        machine.stepped.close()
    return False
