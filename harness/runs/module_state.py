"""State of modules: whether an execution could leave something behind in one.

Asked of the source, and answered with yes in doubt: making a module anew costs microseconds,
and state that outlives an execution makes findings that no fresh process shows.
"""

from __future__ import annotations

import ast

_REACH_GLOBALS = frozenset({"globals", "vars", "setattr", "delattr", "exec", "eval", "__import__"})


def keeps_state(tree: ast.Module) -> bool:
    """Whether the module has anything that code could change: names bound to more than
    constants, functions and classes; attributes of these that are stored from anywhere; globals
    that functions rebind; code that reaches its globals by other means."""
    if any(_makes_state(statement) for statement in tree.body):
        return True
    bound = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}
    return any(_reaches(node, bound) for node in ast.walk(tree))


def _reaches(node: ast.AST, bound: set[str]) -> bool:
    if isinstance(node, ast.Global):
        return True
    if isinstance(node, ast.Attribute):
        stored = not isinstance(node.ctx, ast.Load)
        return node.attr == "__dict__" or (stored and _is_shared(node.value, bound))
    if isinstance(node, ast.Name):
        return node.id in _REACH_GLOBALS
    return False


def _is_shared(owner: ast.expr, bound: set[str]) -> bool:
    """Whether an attribute of this is one of the module: ``Class.a``, ``type(self).a``, ``cls.a``."""
    if isinstance(owner, ast.Name):
        return owner.id in bound or owner.id == "cls"
    if isinstance(owner, ast.Attribute):
        return owner.attr == "__class__"
    return isinstance(owner, ast.Call)


def _makes_state(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.ClassDef):
        return bool(statement.decorator_list) or any(_makes_state(inner) for inner in statement.body)
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        defaults = [*statement.args.defaults, *statement.args.kw_defaults]
        return bool(statement.decorator_list) or any(one is not None and not _constant(one) for one in defaults)
    if isinstance(statement, ast.Assign):
        return not (all(isinstance(one, ast.Name) for one in statement.targets) and _constant(statement.value))
    if isinstance(statement, ast.AnnAssign):
        return statement.value is not None and not _constant(statement.value)
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant)
    return not isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass))


def _constant(value: ast.expr) -> bool:
    if isinstance(value, ast.Tuple):
        return all(_constant(part) for part in value.elts)
    if isinstance(value, (ast.UnaryOp, ast.BinOp)):
        return all(_constant(part) for part in ast.iter_child_nodes(value) if isinstance(part, ast.expr))
    return isinstance(value, ast.Constant)
