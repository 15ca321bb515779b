"""Which expressions are the lock: attributes, names, decorators and context managers that take it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

from semafuzz.harness.audit.sources import ClassSource, FunctionNode, ModuleSource, Sources

MAKERS: Final = frozenset(
    {"Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "ReaderWriterLock", "allocate_lock"}
)
"""What makes a lock, by the last part of its name."""


@dataclass(slots=True)
class Locks:
    """``names``: attributes and variables that are the lock, or take it (a condition over it); ``texts``: names by
    which it is asked for (``synchronized("compute_resources")``)."""

    sources: Sources
    names: Collection[str]
    texts: Collection[str] = field(default_factory=frozenset)

    def is_lock(self, node: ast.expr, local: Collection[str] = ()) -> bool:
        """Whether an expression is the lock. ``local``: variables that were bound to it."""
        if isinstance(node, ast.Name):
            return node.id in local or node.id in self.names
        if isinstance(node, ast.Attribute):
            return node.attr in self.names
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            asked = node.args[1] if len(node.args) > 1 else None
            return isinstance(asked, ast.Constant) and asked.value in self.names
        return False

    def locks_by_name(self, module: ModuleSource, node: ast.expr) -> bool:
        """Whether a call asks for the lock by its name, as ``lockutils.lock("compute_resources")`` does."""
        return isinstance(node, ast.Call) and any(self._names_it(module, one) for one in node.args[:1])

    def _names_it(self, module: ModuleSource, node: ast.expr) -> bool:
        value = self.sources.constant(module, node)
        return isinstance(value, str) and (value in self.texts or value in self.names)

    def taken_by_decorator(self, module: ModuleSource, node: FunctionNode) -> ast.expr | None:
        """The decorator that takes the lock around a function; None where there is none, and where the function
        is a generator or a coroutine, which runs after the decorator has given it back."""
        if runs_later(node):
            return None
        return next((one for one in node.decorator_list if self._decorator_takes(module, one)), None)

    def _decorator_takes(self, module: ModuleSource, decorator: ast.expr) -> bool:
        arguments = decorator.args if isinstance(decorator, ast.Call) else []
        if any(self._names_it(module, one) or self.is_lock(one) for one in arguments):
            return True
        named = decorator.func if isinstance(decorator, ast.Call) else decorator
        found = self.sources.find(module, named)
        if not isinstance(found, tuple):
            return False
        return any(self._wraps_under_lock(inner) for inner in ast.walk(found[1]) if inner is not found[1])

    def _wraps_under_lock(self, inner: ast.AST) -> bool:
        """Whether a function inside a decorator calls another one while it holds the lock."""
        if not isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
        for statement in ast.walk(inner):
            if isinstance(statement, ast.With) and any(self.is_lock(item.context_expr) for item in statement.items):
                return any(isinstance(one, ast.Call) for part in statement.body for one in ast.walk(part))
        return False

    def is_left_taken(self, node: ast.AST) -> bool:
        """Whether a function takes the lock and does not give it back, as ``__enter__`` does."""
        taken = 0
        for one in ast.walk(node):
            if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and self.is_lock(one.func.value):
                taken += {"acquire": 1, "__enter__": 1, "release": -1, "__exit__": -1}.get(one.func.attr, 0)
        return taken > 0


def runs_later(node: ast.AST) -> bool:
    """Whether a call of the function runs nothing of it: a generator or a coroutine."""
    if isinstance(node, ast.AsyncFunctionDef):
        return True
    return any(isinstance(one, (ast.Yield, ast.YieldFrom)) for one in own_nodes(node))


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions and classes inside it."""
    left: list[ast.AST] = (
        list(getattr(function, "body", [])) if not isinstance(function, ast.Lambda) else [function.body]
    )
    while left:
        node = left.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            left.extend(ast.iter_child_nodes(node))


def locks_made(kinds: Collection[ClassSource]) -> dict[str, str]:
    """The locks that classes keep: attribute, and the attribute whose lock it is, which is itself but for a condition
    over another one."""
    found: dict[str, str] = {}
    for kind in kinds:
        for node in ast.walk(kind.node):
            if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not isinstance(node.value, ast.Call):
                continue
            function = node.value.func
            name = last_name(function)
            if name not in MAKERS:
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            over = node.value.args[0] if node.value.args else None
            for target in targets:
                own = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
                if own:
                    inner = over.attr if isinstance(over, ast.Attribute) and name == "Condition" else own
                    found[own] = inner
    return found


def last_name(node: ast.expr) -> str:
    """The last part of what an expression, or the function that it calls, is called."""
    inner = node.func if isinstance(node, ast.Call) else node
    return inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "")
