"""Code of the standard library that other OS threads run while an execution does.

The code of a function is one for all threads of the process. A thread that is none of ours, of
a test runner or a debugger, may set an Event of its own at any moment: what it does is no access
of a task, and happens at another step in every run.
"""

from __future__ import annotations

import _thread
import ast
import copy
from collections.abc import Callable, Iterable
from types import ModuleType

from semafuzz.harness.kernel.doubles.locks import control_thread

_real_ident = _thread.get_ident
_NAME = "__sf_on_other_thread__"
_SCOPES = (ast.Lambda, ast.FunctionDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _on_other_thread() -> bool:
    return _real_ident() != control_thread[0]


def let_ask(modules: Iterable[ModuleType]) -> None:
    """Let methods of these modules ask on which thread they run.

    What they ask with stays in their namespaces: another thread may be inside of such a
    method for ever after.
    """
    for module in modules:
        vars(module)[_NAME] = _on_other_thread


def leave_other_threads_alone(tree: ast.Module, source: str, filename: str) -> Callable[[], None]:
    """A :data:`semafuzz.harness.instrument.apply.Preparation`: methods keep their own code for the
    threads on which no task runs.

    Left out are methods with scopes inside (``Barrier._wait``, which hands a lambda to its
    condition): the code of those is told apart by its place, which the two would share.
    """
    kept = []
    for holder in tree.body:
        if isinstance(holder, ast.ClassDef):
            for method in holder.body:
                if isinstance(method, ast.FunctionDef) and not _has_scopes(method):
                    kept.append((method, copy.deepcopy(method.body)))

    def put_back() -> None:
        for method, body in kept:
            first = body[0]
            called = ast.Call(ast.Name(_NAME, ast.Load()), [], [])
            chosen = ast.If(called, [*body, ast.Return(None)], [])
            after = 1 if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else 0
            ast.fix_missing_locations(ast.copy_location(chosen, first))
            method.body.insert(after, chosen)

    return put_back


def _has_scopes(method: ast.FunctionDef) -> bool:
    return any(isinstance(node, _SCOPES) for part in method.body for node in ast.walk(part))
