"""Remedies on code that is imported already: methods are wrapped while a block runs.

For code of released packages, which is exchanged in place and never loaded again. NAME may also be a text by which the
module's own decorators ask for the lock: then the method gets such a decorator, as another method of the module has it.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

from semafuzz.harness.edits.remedies import Remedy
from semafuzz.harness.edits.remedy_lock import lock_of
from semafuzz.harness.errors import UsageError
from semafuzz.harness.instrument.method_calls import changed_within


@contextmanager
def remedied(
    modules: Sequence[ModuleType], remedies: Sequence[Remedy], callers: Sequence[ModuleType] = ()
) -> Iterator[None]:
    """Have methods of classes in these modules, or in ``callers`` of them, run under a lock in the block. UsageError
    for one that there is not, or where several classes have it, and for lines, which need the source to be loaded
    anew."""
    undo: list[Callable[[], None]] = []
    try:
        for remedy in remedies:
            if remedy.first:
                raise UsageError("lines can be held in your own code only; here write 'lock CLASS.METHOD with NAME'")
            module, kind, name = _method([*modules, *callers], remedy.method)
            original = vars(kind)[name]
            change = partial(_decorated, [module, *modules], remedy.lock) if remedy.lock else _undecorated
            changed = changed_within(original, change)
            setattr(kind, name, changed)
            undo.append(functools.partial(setattr, kind, name, original))
        yield
    finally:
        for back in reversed(undo):
            back()


def _method(modules: Sequence[ModuleType], wanted: str) -> tuple[ModuleType, type, str]:
    owner, _, name = wanted.rpartition(".")
    found = [
        (module, kind, name)
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type)
        and kind.__module__ == module.__name__
        and owner in ("", kind.__name__)
        and inspect.isfunction(vars(kind).get(name))
    ]
    if not found:
        raise UsageError(f"no class that is looked into has a method {wanted!r}; name it CLASS.METHOD")
    if len(found) > 1:
        several = ", ".join(f"{kind.__name__}.{name}" for _, kind, _ in found)
        raise UsageError(f"several classes have a method {name!r}: {several}; name the class too")
    return found[0]


def _undecorated(original: Callable[..., Any]) -> Callable[..., Any]:
    """The method without any decorator."""
    inner: Callable[..., Any] = inspect.unwrap(original)
    if inner is original:
        raise UsageError(f"{original.__qualname__} has no decorator that could be left out")
    return inner


def _decorated(modules: Sequence[ModuleType], lock: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """The method under the lock: by a decorator of the first of the modules that asks for a lock of this name with
    one. The first one is the method's own."""
    for module in modules:
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
                if isinstance(decorator, ast.Call) and decorator.args and _value(module, decorator.args[0]) == lock:
                    # An expression of the module itself, which it evaluates when it is imported.
                    made = eval(compile(ast.Expression(decorator), module.__file__ or "", "eval"), vars(module))
                    wrapped: Callable[..., Any] = made(original)
                    return wrapped

    @functools.wraps(original)
    def under_lock(self: Any, *args: Any, **named: Any) -> Any:
        with lock_of(self, lock, vars(modules[0])):
            return original(self, *args, **named)

    return under_lock


def _value(module: ModuleType, node: ast.expr) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    return vars(module).get(node.id) if isinstance(node, ast.Name) else None
