"""Functions of a module by their qualified names, and a module with one of them changed."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator

from semafuzz.harness.errors import UsageError

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Edit = Callable[[FunctionNode], None]
"""Changes a function in place."""


def functions_of(tree: ast.Module) -> Iterator[tuple[str, FunctionNode]]:
    """Every function at the top level or in a class, with its qualified name."""
    yield from _inside(tree.body, "")


def _inside(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, FunctionNode]]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _inside(node.body, f"{prefix}{node.name}.")


def find_function(tree: ast.Module, name: str) -> FunctionNode | None:
    """The function with this qualified name, or the only method that is called so."""
    found = dict(functions_of(tree))
    if name in found:
        return found[name]
    ending = [node for known, node in found.items() if known.endswith(f".{name}")]
    if len(ending) > 1:
        several = ", ".join(known for known in found if known.endswith(f".{name}"))
        raise UsageError(f"there are several functions {name!r}: {several}; name the class too")
    return ending[0] if ending else None


def edited(tree: ast.Module, name: str, edit: Edit) -> ast.Module:
    """A copy of the module with one function changed. Lines stay where they are."""
    made = copy.deepcopy(tree)
    function = find_function(made, name)
    if function is None:
        raise UsageError(f"there is no function {name!r}")
    edit(function)
    return ast.fix_missing_locations(made)


def body_after_docstring(function: FunctionNode) -> int:
    """The number of the first statement that is no docstring."""
    first = function.body[0]
    return int(isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and type(first.value.value) is str)
