"""Remedies that are tried: a lock around a method, or around some of its lines, as if somebody had written it.

``lock METHOD with NAME``, and ``hold NAME from METHOD:LINE to METHOD:LINE``. NAME is an attribute of the object or a
variable of the module that is a lock; where there is neither, the object gets a re-entrant lock of that name when it
is first asked for. The code runs changed; no file is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from semafuzz.harness.edits.functions import FunctionNode, body_after_docstring, find_function
from semafuzz.harness.errors import UsageError

_UNLOCK: Final = re.compile(r"unlock\s+(?P<method>[\w.]+)")
_LOCK: Final = re.compile(r"lock\s+(?P<method>[\w.]+)\s+with\s+(?P<name>\w+)")
_HOLD: Final = re.compile(
    r"hold\s+(?P<name>\w+)\s+from\s+(?P<method>[\w.]+):(?P<first>\d+)\s+to\s+(?P<again>[\w.]+):(?P<last>\d+)"
)
_HELPER: Final = "semafuzz.harness.edits.remedy_lock"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One remedy. ``method``: by its qualified name, or the last part of it; ``lock``: by name, "" where the method's
    own is to be left out; ``first`` and ``last``: lines of the file, 0 where the whole method is meant."""

    method: str
    lock: str
    first: int = 0
    last: int = 0


def parse_remedy(text: str) -> Remedy:
    """A remedy as a person writes it; UsageError where it is none."""
    found = _UNLOCK.fullmatch(text.strip())
    if found is not None:
        return Remedy(found["method"], "")
    found = _LOCK.fullmatch(text.strip())
    if found is not None:
        return Remedy(found["method"], found["name"])
    found = _HOLD.fullmatch(text.strip())
    if found is None or found["method"] != found["again"]:
        raise UsageError(
            f"{text!r} is no remedy; write 'lock METHOD with NAME' or 'hold NAME from METHOD:LINE to METHOD:LINE', "
            "with one method"
        )
    first, last = int(found["first"]), int(found["last"])
    if last < first:
        raise UsageError(f"{text!r}: line {last} comes before line {first}")
    return Remedy(found["method"], found["name"], first, last)


@dataclass(slots=True)
class Remedies:
    """Changes modules as they are loaded. ``applied``: those of the remedies whose method was found."""

    remedies: Sequence[Remedy]
    applied: set[Remedy] = field(default_factory=set)

    def __call__(self, module: str, tree: ast.Module) -> None:
        """Change one module, where it has one of the methods."""
        for remedy in self.remedies:
            function = find_function(tree, remedy.method)
            if function is not None:
                _apply(remedy, function)
                self.applied.add(remedy)

    def check(self) -> None:
        """UsageError for a remedy whose method no module has."""
        for remedy in self.remedies:
            if remedy not in self.applied:
                raise UsageError(
                    f"no module that is looked into has a function {remedy.method!r}; name it FUNCTION or "
                    "CLASS.METHOD, without its module, and have its module looked into with --instrument"
                )


def _apply(remedy: Remedy, function: FunctionNode) -> None:
    if not remedy.lock:
        raise UsageError("`unlock` goes with imported code; `semafuzz mutate FILE.py:CLASS` does it for your own")
    if not remedy.first:
        start = body_after_docstring(function)
        if start < len(function.body):
            function.body[start:] = [_held(remedy, function, function.body[start:])]
        return
    block = _block_with(function, remedy)
    if block is None:
        raise UsageError(
            f"lines {remedy.first} to {remedy.last} are no whole statements of one block of {remedy.method}; name the "
            "first and the last line of statements that stand beside each other"
        )
    statements, first, last = block
    statements[first : last + 1] = [_held(remedy, function, statements[first : last + 1])]


def _held(remedy: Remedy, function: FunctionNode, body: list[ast.stmt]) -> ast.With:
    arguments = [*function.args.posonlyargs, *function.args.args]
    owner: ast.expr = ast.Constant(None)
    if "." in remedy.method or (arguments and arguments[0].arg in ("self", "cls")):
        owner = ast.Name(arguments[0].arg, ast.Load()) if arguments else owner
    names = ast.Call(ast.Name("globals", ast.Load()), [], [])
    # Fetched where it is used: the module's own names stay as they are.
    found = ast.Call(ast.Name("__import__", ast.Load()), [ast.Constant(_HELPER)], [_argument("fromlist", ["lock_of"])])
    helper = ast.Attribute(found, "lock_of", ast.Load())
    asked = ast.Call(helper, [owner, ast.Constant(remedy.lock), names], [])
    made = ast.With([ast.withitem(asked)], body)
    return ast.fix_missing_locations(ast.copy_location(made, body[0]))


def _block_with(function: FunctionNode, remedy: Remedy) -> tuple[list[ast.stmt], int, int] | None:
    """The block of statements that begins and ends at the lines, with the places of the first and the last."""
    for node in ast.walk(function):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if not isinstance(block, list):
                continue
            starts = [place for place, one in enumerate(block) if one.lineno == remedy.first]
            ends = [place for place, one in enumerate(block) if remedy.last in (one.lineno, one.end_lineno)]
            if starts and ends and starts[0] <= ends[-1]:
                return block, starts[0], ends[-1]
    return None


def _argument(name: str, values: Sequence[str]) -> ast.keyword:
    return ast.keyword(name, ast.List([ast.Constant(value) for value in values], ast.Load()))


WHAT_IF: Final = "what-if"
"""The entry of a trace's configuration with the remedies under which it was made, one to a line."""


def remedies_of(text: str) -> Remedies | None:
    """The remedies of a text, one to a line; None where there are none."""
    found = [parse_remedy(line) for line in text.split("\n") if line.strip()]
    return Remedies(found) if found else None
