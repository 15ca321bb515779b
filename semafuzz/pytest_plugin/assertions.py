"""Assertions that explain themselves, also in instrumented code.

pytest rewrites the assertions of test modules at import. Exchanging the code of their
functions would undo that, so it is done again on the tree that is instrumented. What
pytest adds for a failed assertion is kept out of both the instrumentation and the
record: the failing run is then, event for event, that of the plain source, and its trace
replays where no pytest is.

Uses two private names of pytest, its function ``rewrite_asserts`` and the global
``@pytest_ar``; without them assertions fail without an explanation.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any

from semafuzz.harness.instrument.apply import Preparation
from semafuzz.harness.kernel import current

try:
    from _pytest.assertion.rewrite import rewrite_asserts
except ImportError:  # pragma: no cover - a pytest that moved it
    rewrite_asserts = None  # type: ignore[assignment]

_HELPERS = "@pytest_ar"
"""The global under which rewritten assertions find what explains them."""


def preparation(module: ModuleType) -> dict[str, Preparation]:
    """How to prepare the tree of ``module``; nothing where pytest left its assertions alone."""
    if rewrite_asserts is None or _HELPERS not in vars(module):
        return {}
    return {module.__name__: _prepare}


def _prepare(tree: ast.Module, source: str, filename: str) -> Callable[[], None]:
    rewrite_asserts(tree, source.encode(), filename)
    for node in ast.walk(tree):
        # Statements that pytest adds end nowhere; a later line than that of the module's first
        # one would end before it begins, and does not compile.
        if isinstance(node, (ast.stmt, ast.alias)) and node.end_lineno is None:
            node.end_lineno, node.end_col_offset = node.lineno, node.col_offset
    hidden = [(branch, branch.body) for branch in ast.walk(tree) if isinstance(branch, ast.If) and _explains(branch)]
    for branch, body in hidden:
        branch.body = [ast.copy_location(ast.Pass(), body[-1])]

    def finish() -> None:
        for branch, body in hidden:
            branch.body = body

    return finish


def _explains(branch: ast.If) -> bool:
    """Whether this is what runs when an assertion has failed."""
    last = branch.body[-1]
    if not isinstance(last, ast.Raise) or not isinstance(last.exc, ast.Call) or len(last.exc.args) != 1:
        return False
    made = last.exc.args[0]
    helper = made.func if isinstance(made, ast.Call) else None
    return isinstance(helper, ast.Attribute) and isinstance(helper.value, ast.Name) and helper.value.id == _HELPERS


@contextmanager
def unrecorded(module: ModuleType) -> Iterator[None]:
    """Keep out of the record what code of the test does while a failed assertion of
    ``module`` is explained: its ``__repr__`` above all."""
    helpers = vars(module).get(_HELPERS)
    if helpers is None:
        yield
        return
    quiet = ModuleType(helpers.__name__)
    for name, value in vars(helpers).items():
        vars(quiet)[name] = _outside(value) if isinstance(value, FunctionType) else value
    vars(module)[_HELPERS] = quiet
    try:
        yield
    finally:
        vars(module)[_HELPERS] = helpers


def _outside(function: FunctionType) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        held, current.execution = current.execution, None
        try:
            return function(*args, **kwargs)
        finally:
            current.execution = held

    return call
