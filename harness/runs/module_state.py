"""State of modules: whether an execution could leave something behind in one.

Asked of the source, and answered with yes in doubt: making a module anew costs microseconds,
and state that outlives an execution makes findings that no fresh process shows.
"""

from __future__ import annotations

import ast
from collections.abc import Collection

_REACH_GLOBALS = frozenset({"globals", "vars", "setattr", "delattr", "exec", "eval", "__import__"})


def keeps_state(tree: ast.Module) -> bool:
    """Whether the module has anything that code could change: names bound to more than
    constants, functions and classes; attributes of these that are stored from anywhere; globals
    that functions rebind; code that reaches its globals by other means."""
    bound = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}
    harmless = _KEEP_NOTHING - bound
    if any(_makes_state(statement, harmless) for statement in tree.body):
        return True
    return any(_reaches(node, bound) for node in ast.walk(tree))


_NOTICE = frozenset({"__del__", "weakref", "finalize", "gc", "WeakValueDictionary", "WeakKeyDictionary", "WeakSet"})


def notices_freeing(tree: ast.Module) -> set[str]:
    """The names by which a module would notice when an object is freed."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.alias):
            found.add(node.name.partition(".")[0])
    return found & _NOTICE


_LIBRARY_PARTS = {
    "collections": frozenset({"Counter", "ChainMap", "UserDict", "UserList", "UserString"}),
    "_collections_abc": frozenset(
        {"ChainMap", "UserDict", "UserList", "UserString", "MutableMapping", "MutableSequence"}
    ),
    "functools": frozenset({"cached_property", "singledispatch", "singledispatchmethod"}),
    "sched": frozenset({"scheduler"}),
}


def library_parts(tree: ast.Module) -> list[str]:
    """Modules of the standard library with classes in Python whose state threads may share, where this
    code names one of those."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.alias)}
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    homes = {name.partition(".")[0] for name in imported}
    return [
        module
        for module, classes in _LIBRARY_PARTS.items()
        if names & classes and ("collections" if module == "_collections_abc" else module) in homes
    ]


def runs_trio(tree: ast.Module) -> bool:
    """Whether a module calls ``trio.run``, or has others call it."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return calls_run_of(tree, "trio") or "trio_test" in names or ("trio" in texts and calls_run_of(tree, "anyio"))


def calls_run_of(tree: ast.Module, library: str) -> bool:
    """Whether a module calls ``library.run``."""
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == library
        for alias in node.names
        if alias.name == "run"
    }
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    homes = {library} | {one.asname for node in imports for one in node.names if one.name == library and one.asname}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute) and function.attr == "run" and isinstance(function.value, ast.Name):
                if function.value.id in homes:
                    return True
            elif isinstance(function, ast.Name) and function.id in names:
                return True
    return False


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


_KEEP_NOTHING = frozenset(
    {
        *("property", "staticmethod", "classmethod", "setter", "getter", "deleter", "abstractmethod", "overload"),
        *("contextmanager", "asynccontextmanager", "wraps", "total_ordering", "dataclass", "final", "override"),
    }
)
"""Decorators of the standard library whose results have no state of their own, by name."""


def _makes_state(statement: ast.stmt, harmless: Collection[str]) -> bool:
    if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and any(
        _name_of(decorator) not in harmless for decorator in statement.decorator_list
    ):
        return True
    if isinstance(statement, ast.ClassDef):
        return any(_makes_state(inner, harmless) for inner in statement.body)
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        defaults = [*statement.args.defaults, *statement.args.kw_defaults]
        return any(one is not None and not _constant(one) for one in defaults)
    if isinstance(statement, ast.Assign):
        return not (all(isinstance(one, ast.Name) for one in statement.targets) and _constant(statement.value))
    if isinstance(statement, ast.AnnAssign):
        return statement.value is not None and not _constant(statement.value)
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant)
    return not isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass))


def _name_of(decorator: ast.expr) -> str:
    inner = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(inner, ast.Attribute):
        return inner.attr
    return inner.id if isinstance(inner, ast.Name) else ""


def _constant(value: ast.expr) -> bool:
    if isinstance(value, ast.Tuple):
        return all(_constant(part) for part in value.elts)
    if isinstance(value, (ast.UnaryOp, ast.BinOp)):
        return all(_constant(part) for part in ast.iter_child_nodes(value) if isinstance(part, ast.expr))
    return isinstance(value, ast.Constant)
