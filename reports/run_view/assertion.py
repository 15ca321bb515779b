"""What stood in a failing assertion, in short, for a person.

As for :mod:`semafuzz.reports.run_view.stored_values`, no code of the program runs for it: names are looked up in the
frame that failed, attributes and items where they are stored. What has to be worked out (a call, a property, an
operator) is not shown, only what goes into it.

What it misses: values that changed between the moment at which the assertion looked and its end; expressions
that hold no name.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from types import FrameType

from semafuzz.harness.kernel.frames import is_machinery
from semafuzz.reports.run_view.stored_values import UNKNOWN, attribute_value, describe_value, item_value

MOST = 4
"""Values that are shown."""
LONGEST = 100
"""Characters of an assertion that are shown."""


def assertion_values(error: BaseException) -> str:
    """``assert account.balance == 2, where account.balance = 1`` of an assertion without a message of its own; "" for
    other errors."""
    if type(error) is not AssertionError or error.args:
        return ""
    frame, line = _innermost(error)
    statement = None if frame is None else _assertion(frame.f_code.co_filename, line)
    if frame is None or statement is None:
        return ""
    told = dict.fromkeys(f"{ast.unparse(part)} = {value}" for part, value in _values(statement.test, frame))
    words = f"assert {ast.unparse(statement.test)}"
    words = words if len(words) <= LONGEST else words[: LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return f"{words}, where {', '.join(list(told)[:MOST])}" if told else words


def _innermost(error: BaseException) -> tuple[FrameType | None, int]:
    frame, line = None, 0
    trace = error.__traceback__
    while trace is not None:
        if not is_machinery(trace.tb_frame.f_code.co_filename):
            frame, line = trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next
    return frame, line


def _assertion(filename: str, line: int) -> ast.Assert | None:
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError, RecursionError):
        return None
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return found[-1] if found else None


def _values(expression: ast.expr, frame: FrameType) -> Iterator[tuple[ast.expr, str]]:
    """The outermost parts of an expression that can be looked up, with what they are."""
    left: list[ast.AST] = [expression]
    while left:
        node = left.pop(0)
        if isinstance(node, ast.Call):
            # Which function it is says little.
            inner: list[ast.AST] = [*node.args, *(keyword.value for keyword in node.keywords)]
            left[:0] = [*([node.func.value] if isinstance(node.func, ast.Attribute) else []), *inner]
            continue
        if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            left[:0] = [] if isinstance(node, ast.Lambda) else [node.generators[0].iter]
            continue
        value = _looked_up(node, frame)
        if value is UNKNOWN or not isinstance(node, ast.expr):
            left[:0] = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
            continue
        text = describe_value(value)
        if not isinstance(node, ast.Constant) and not text.startswith(("<", "class ")):
            yield node, text


def _looked_up(node: ast.AST, frame: FrameType) -> object:
    """The value of a chain of names, attributes and constant items; UNKNOWN for anything else."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        for names in (frame.f_locals, frame.f_globals):
            if node.id in names:
                return names[node.id]
        return UNKNOWN
    if isinstance(node, ast.Attribute):
        owner = _looked_up(node.value, frame)
        return UNKNOWN if owner is UNKNOWN else attribute_value(owner, node.attr)
    if isinstance(node, ast.Subscript):
        owner, key = _looked_up(node.value, frame), _looked_up(node.slice, frame)
        return UNKNOWN if owner is UNKNOWN or key is UNKNOWN else item_value(owner, key)
    return UNKNOWN
