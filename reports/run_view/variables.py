"""The variables behind objects that have no name but their kind: which one a line of source means.

It is a guess from the text of one line: who is asked for an item, called, iterated over, entered. Where the lines at
which an object is met agree on one name, it has that name; in all other cases it keeps ``dict#1``.
"""

from __future__ import annotations

import ast
from functools import lru_cache

_LOCK_CALLS = frozenset({"acquire", "release", "wait", "wait_for", "notify", "notify_all"})
LOCK_KINDS = frozenset({"acquire", "release", "try-acquire", "timeout", "waits"})
ITEM_KINDS = frozenset({"read-item", "write-item"})


@lru_cache(maxsize=4000)
def variables_in(kind: str, line: str) -> frozenset[str]:
    """The names or chains of attributes which an event of this kind may mean in a line, given without indentation."""
    tree = _parsed(line)
    if tree is None:
        return frozenset()
    found = _locks(tree) if kind in LOCK_KINDS else _items(tree) if kind in ITEM_KINDS else _wholes(tree)
    return frozenset(ast.unparse(node) for node in found if _is_chain(node))


def _parsed(line: str) -> ast.Module | None:
    for text in (line, f"{line} pass", f"if True: pass\n{line} pass", f"try: pass\n{line} pass"):
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            continue
    return None


def _is_chain(node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _locks(tree: ast.AST) -> list[ast.expr]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.With, ast.AsyncWith)):
            found += [item.context_expr for item in node.items]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LOCK_CALLS:
            found.append(node.func.value)
    return found


def _items(tree: ast.AST) -> list[ast.expr]:
    subscripts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    return subscripts or _wholes(tree)


def _wholes(tree: ast.AST) -> list[ast.expr]:
    """Of those that are called, iterated over and asked for items; else of those that are handed on."""
    found: list[ast.expr] = []
    handed: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            found.append(node.iter)
        elif isinstance(node, ast.Subscript):
            found.append(node.value)
        elif isinstance(node, ast.Compare):
            found += [
                one for one, how in zip(node.comparators, node.ops, strict=True) if isinstance(how, ast.In | ast.NotIn)
            ]
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                found.append(node.func.value)
            handed += node.args
    return [one for one in found if _is_chain(one)] or handed
