"""Calls that may fail: announced in the code under test, so that a fault can be raised in their place.

``CALL=EXCEPTION``: the call as the source writes it, or the end of it (``save`` is any ``….save(…)``, ``requests.get``
that one), or a package with ``.*`` (``socket.*``); the exception one of Python's own. A fault is raised before the call
is made: what the call does and then fails is another fault.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from semafuzz.harness.errors import UsageError

_HELPER: Final = "semafuzz.harness.edits.call_point"
FAULTS: Final = "faults"
"""The entry of a trace's configuration with the calls that may fail, one to a line."""
LEAVING: Final = (
    "open=OSError",
    "os.*=OSError",
    "shutil.*=OSError",
    "socket.*=ConnectionError",
    "requests.*=ConnectionError",
    "urllib.*=OSError",
    "http.*=ConnectionError",
    "subprocess.*=OSError",
    "sqlite3.*=TimeoutError",
)
"""Calls that leave the process."""


@dataclass(frozen=True, slots=True)
class FailingCall:
    """One call that may fail. ``pattern``: how it is written; ``error``: the name of one of Python's exceptions."""

    pattern: str
    error: str

    @property
    def name(self) -> str:
        """As traces call the fault."""
        return f"{self.pattern} raises {self.error}"

    def fits(self, written: str) -> bool:
        """Whether a call that is written like that is meant."""
        if self.pattern.endswith(".*"):
            return written.startswith(self.pattern[:-1])
        return written == self.pattern or written.endswith(f".{self.pattern}")

    def make(self, call: str) -> BaseException:
        """The exception."""
        made: BaseException = vars(builtins)[self.error](f"{call} failed")
        return made


def parse_failing_call(text: str) -> FailingCall:
    """A call as a person writes it; UsageError where it is none."""
    pattern, _, error = text.strip().partition("=")
    kind = vars(builtins).get(error or "OSError")
    names = pattern.removesuffix(".*").split(".")
    if not all(name.isidentifier() for name in names):
        raise UsageError(f"{text!r} is no call that may fail; write CALL=EXCEPTION, for example save=OSError")
    if not isinstance(kind, type) or not issubclass(kind, Exception) or issubclass(kind, UnicodeError):
        raise UsageError(f"{error!r} is no exception of Python's own; write CALL=OSError, or another of them")
    return FailingCall(pattern, error or "OSError")


def failing_calls(text: str) -> list[FailingCall]:
    """Those of a text, one to a line."""
    return [parse_failing_call(line) for line in text.split("\n") if line.strip()]


class CallPoints(ast.NodeTransformer):
    """Announces calls in modules as they are loaded. ``met``: the patterns for which a call was found."""

    def __init__(self, calls: Sequence[FailingCall]) -> None:
        self._calls = calls
        self.met: set[str] = set()

    def __call__(self, module: str, tree: ast.Module) -> None:
        """Change one module."""
        self.visit(tree)
        ast.fix_missing_locations(tree)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Announce it, where it may fail."""
        self.generic_visit(node)
        written = _dotted(node.func)
        for call in self._calls if written else ():
            if call.fits(written):
                self.met.add(call.pattern)
                return ast.copy_location(_announced(call, node), node)
        return node


def _announced(call: FailingCall, node: ast.Call) -> ast.expr:
    # What is announced is nothing, so that the value is that of the call.
    names = ast.keyword("fromlist", ast.List([ast.Constant("call_point")], ast.Load()))
    helper = ast.Call(ast.Name("__import__", ast.Load()), [ast.Constant(_HELPER)], [names])
    point = ast.Call(ast.Attribute(helper, "call_point", ast.Load()), [ast.Constant(f"{call.pattern}()")], [])
    return ast.BoolOp(ast.Or(), [point, node])


def _dotted(node: ast.expr) -> str:
    """``a.b.c`` as it is written; "" for what is no such name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    elif parts:
        parts.append("")
    return ".".join(reversed(parts))
