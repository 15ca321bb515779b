"""Where CPython with the GIL may give a thread up: the places of the ``gil`` model.

An interpreter with the GIL hands it over only where it looks at its *eval breaker*: where a function begins, after a
call, at a backward jump (``Python/ceval.c`` and ``Python/bytecodes.c`` of 3.11 to 3.13: ``RESUME``, ``CALL`` and its
kin, ``JUMP_BACKWARD``); and where a thread blocks. Between two accesses without such a place in between no other thread
can come, so that ``self.balance += 1`` is one step there.

Whether there is one between two accesses that a task made one after the other is a question of reachability in the
bytecode of the unchanged source, compiled by the Python that runs: does some way from the first to the second lead
through such an instruction? An access is found by its position and by whether it stores.

What it misses: code that an access runs by itself (a property, ``__getattr__``, ``__eq__``) has places of its own, but
what comes between it and the next access of the code around it counts as held; and a call that the interpreter has
specialised (``len``, ``isinstance``) looks only while the code is cold. In doubt (two functions, no way between
the two, an access that is not found in the bytecode) the interpreter is taken to give way.
"""

from __future__ import annotations

import dis
import linecache
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType

from semafuzz.harness.kernel.hot_sites import mark_scheduling_points
from semafuzz.harness.kernel.locations import Locations
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES, Site

_LOOKS = ("RESUME", "CALL", "JUMP_BACKWARD", "POP_JUMP_BACKWARD")
_LOOKS_NOT = ("CALL_INTRINSIC", "JUMP_BACKWARD_NO_INTERRUPT")
_ENDS = ("RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE")
_STORES = ("STORE_", "DELETE_")
_NO_ACCESS = ("PUSH_NULL", "CACHE", "COPY", "SWAP", "KW_NAMES", "PRECALL", "LOAD_CONST", "POP_TOP", "LOAD_FAST", *_ENDS)
_JUMPS_ALWAYS = ("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT")
_JUMPING = frozenset({*dis.hasjrel, *dis.hasjabs})


@lru_cache(maxsize=100_000)
def gives_way_between(before: int, after: int) -> bool:
    """Whether the interpreter may switch between the accesses at these two sites, made by one task in this order
    without another in between."""
    one, other = SITES[before], SITES[after]
    if one.column < 0 or other.column < 0 or one.filename != other.filename:
        return True
    return all(flow.looks(starts, ends) for flow, starts, ends in _flows(one, other))


def mark_block_heads(outcome: Outcome, hot: bytearray, table: Locations | None = None) -> bool:
    """As :func:`mark_scheduling_points`, but where the interpreter does not give way before an access that matters, the
    access is marked before which it did so last: the task goes from there to here in one step."""
    events, noted = outcome.events, outcome.noted
    wanted = bytearray(len(hot))
    mark_scheduling_points(events, wanted, table)
    last: dict[int, int] = {}
    heads: dict[int, int] = {}
    grew = False
    for number, (_, task, _, _, site) in enumerate(events):
        if number in noted:
            continue
        index = task.index
        if index not in last or gives_way_between(last[index], site):
            heads[index] = site
        last[index] = site
        head = heads[index]
        if wanted[site] and head and not hot[head]:
            hot[head] = 1
            grew = True
    return grew


class _Flow:
    """The instructions of one code and the ways between them."""

    def __init__(self, code: CodeType) -> None:
        self._instructions = list(dis.get_instructions(code))
        self._index = {one.offset: number for number, one in enumerate(self._instructions)}

    def at(self, site: Site) -> frozenset[int]:
        """The instructions that make this access."""
        stores = site.text.endswith("=")
        span = site.line, site.end_line, site.column, site.end_column
        return frozenset(
            number
            for number, one in enumerate(self._instructions)
            if one.positions == span
            and not one.opname.startswith((*_NO_ACCESS, *_ENDS))
            and one.opname.startswith(_STORES) == stores
        )

    def looks(self, starts: frozenset[int], ends: frozenset[int]) -> bool:
        """Whether a way from one of ``starts`` to one of ``ends`` leads through an instruction that looks; True where
        there is no way at all."""
        seen: set[tuple[int, bool]] = set()
        left = [(after, self._looks(start)) for start in starts for after in self._after(start)]
        reached = False
        while left:
            number, looked = left.pop()
            if (number, looked) in seen:
                continue
            seen.add((number, looked))
            if number in ends:
                if looked:
                    return True
                reached = True
            elif number not in starts:
                left += [(after, looked or self._looks(number)) for after in self._after(number)]
        return not reached

    def _looks(self, number: int) -> bool:
        name = self._instructions[number].opname
        return name.startswith(_LOOKS) and not name.startswith(_LOOKS_NOT)

    def _after(self, number: int) -> Iterator[int]:
        one = self._instructions[number]
        if one.opcode in _JUMPING:
            yield self._index[one.argval]
        goes_on = not one.opname.startswith(_ENDS) and one.opname not in _JUMPS_ALWAYS
        if goes_on and number + 1 < len(self._instructions):
            yield number + 1


def _flows(one: Site, other: Site) -> Iterator[tuple[_Flow, frozenset[int], frozenset[int]]]:
    """The codes in which both accesses are made."""
    for flow in _codes(one.filename):
        starts, ends = flow.at(one), flow.at(other)
        if starts and ends:
            yield flow, starts, ends


@lru_cache(maxsize=64)
def _codes(filename: str) -> tuple[_Flow, ...]:
    try:
        code = compile("".join(linecache.getlines(filename)), filename, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError):
        return ()
    found, left = [], [code]
    while left:
        one = left.pop()
        left += [constant for constant in one.co_consts if type(constant) is CodeType]
        found.append(_Flow(one))
    return tuple(found)
