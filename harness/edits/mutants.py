"""Mutants of a class that a lock guards: what somebody might write by mistake, one change each.

Four kinds: a method's lock is gone; it is given back before the last statement under it; two neighbouring statements
under it that both store something change places; a handler or ``finally`` that puts something right is gone. A
mutant need not be wrong: a lock may be held for nothing, two stores may commute.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from semafuzz.harness.audit.locks import Locks
from semafuzz.harness.audit.sources import ClassSource, FunctionNode

_STORING = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete, ast.Expr)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed class. ``kind``: what was done; ``method``: where; ``line``: in the original; ``tree``: the whole
    module."""

    kind: str
    method: str
    line: int
    tree: ast.Module

    def __str__(self) -> str:
        return f"{self.kind} in {self.method} (line {self.line})"


def mutants_of(kind: ClassSource, locks: Locks) -> Iterator[Mutant]:
    """Every mutant of a class, in the order of its methods."""
    for name in kind.methods:
        if name in ("__init__", "__new__"):
            continue
        for what, line, change in _changes(kind, name, locks):
            yield _changed(kind, name, line, what, change)


Change = tuple[str, int, Callable[[FunctionNode], None]]


def _changes(kind: ClassSource, name: str, locks: Locks) -> Iterator[Change]:
    node = kind.methods[name]
    decorator = locks.taken_by_decorator(kind.module, node)
    if decorator is not None:
        yield "lock is gone", decorator.lineno, partial(_undecorate, place=node.decorator_list.index(decorator))
    for number, block in enumerate(_lock_blocks(node, locks)):
        yield "lock is gone", block.lineno, partial(_unlock, number=number, locks=locks)
        if len(block.body) > 1:
            yield "lock is given back early", block.body[-1].lineno, partial(_early, number=number, locks=locks)
        for place, (one, other) in enumerate(zip(block.body, block.body[1:], strict=False)):
            if isinstance(one, _STORING) and isinstance(other, _STORING):
                yield "two updates are swapped", one.lineno, partial(_swap, number=number, place=place, locks=locks)
    for number, guarded in enumerate(_tries(node)):
        for part in ("finally", "handlers"):
            if guarded.finalbody if part == "finally" else guarded.handlers:
                yield "roll-back is gone", guarded.lineno, partial(_no_way_back, number=number, part=part)


def _undecorate(function: FunctionNode, place: int) -> None:
    del function.decorator_list[place]


def _changed(kind: ClassSource, name: str, line: int, what: str, change: Callable[[FunctionNode], None]) -> Mutant:
    tree = copy.deepcopy(kind.module.tree)
    owner = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == kind.name)
    plain = name.removesuffix(".setter")
    original = kind.methods[name]
    function = next(
        node
        for node in owner.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.name == plain
        and node.lineno == original.lineno
    )
    change(function)
    return Mutant(what, f"{kind.name}.{plain}", line, ast.fix_missing_locations(tree))


def _lock_blocks(function: FunctionNode, locks: Locks) -> list[ast.With]:
    return [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.With) and any(locks.is_lock(item.context_expr) for item in node.items)
    ]


def _tries(function: FunctionNode) -> list[ast.Try]:
    return [node for node in ast.walk(function) if isinstance(node, ast.Try)]


def _replace(function: ast.AST, old: ast.stmt, new: Sequence[ast.stmt]) -> None:
    for node in ast.walk(function):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and old in block:
                place = block.index(old)
                block[place : place + 1] = new
                return


def _without_lock(node: ast.With, locks: Locks) -> list[ast.stmt]:
    left = [item for item in node.items if not locks.is_lock(item.context_expr)]
    return [ast.copy_location(ast.With(left, node.body), node)] if left else node.body


def _unlock(function: FunctionNode, number: int, locks: Locks) -> None:
    node = _lock_blocks(function, locks)[number]
    _replace(function, node, _without_lock(node, locks))


def _early(function: FunctionNode, number: int, locks: Locks) -> None:
    node = _lock_blocks(function, locks)[number]
    last = node.body.pop()
    _replace(function, node, [node, last])


def _swap(function: FunctionNode, number: int, place: int, locks: Locks) -> None:
    body = _lock_blocks(function, locks)[number].body
    body[place], body[place + 1] = body[place + 1], body[place]


def _no_way_back(function: FunctionNode, number: int, part: str) -> None:
    node = _tries(function)[number]
    if part == "finally":
        node.finalbody = []
        if not node.handlers:
            _replace(function, node, node.body)
    else:
        node.handlers = []
        if not node.finalbody:
            _replace(function, node, [*node.body, *node.orelse])
            return
        node.body += node.orelse
        node.orelse = []
