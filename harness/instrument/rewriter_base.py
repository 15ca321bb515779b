"""What all parts of the rewriter share: scopes, calls of hooks, places."""

from __future__ import annotations

import ast
from collections.abc import Callable

from semafuzz.harness.instrument.hooks import HOOKS
from semafuzz.harness.instrument.scopes import Scope

SiteMaker = Callable[[ast.AST, str], int]


def hook_name(name: str) -> str:
    """The global under which rewritten code finds a hook. Dunder on both
    sides, so that class bodies do not mangle it."""
    assert name in HOOKS, name
    return f"__sf_{name}__"


def remade_names(tree: ast.Module) -> set[str]:
    """Names bound to what a call makes of what they were bound to, as ``Point = dataclass(Point)`` does."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            given = {one.id for one in node.value.args if isinstance(one, ast.Name)}
            found |= given & {one.id for one in node.targets if isinstance(one, ast.Name)}
    return found


class RewriterBase(ast.NodeTransformer):
    """Knows the scopes of a module while it is gone through, and makes calls of hooks."""

    def __init__(self, site: SiteMaker, *, coarse: bool = False) -> None:
        self._site = site
        self._coarse = coarse
        self._scopes: dict[ast.AST, Scope] = {}
        self._scope = Scope("module", None)
        self._imported: set[str] = set()
        self._functions_here: set[str] = set()
        self._remade: set[str] = set()
        self._classes: list[str] = []
        self._functions: list[str] = []
        self._temporaries = 0
        self._exchanges_classes = False
        self.stored: set[str] = set()
        """Names under which something is stored in attributes or globals."""

    @property
    def function(self) -> str:
        """The qualified name of where we are, for sites."""
        return ".".join(self._functions) or "<module>"

    def _call(self, hook: str, at: ast.AST, *args: ast.expr) -> ast.expr:
        made = ast.Call(ast.Name(hook_name(hook), ast.Load()), list(args), [])
        for node in (made, made.func):
            ast.copy_location(node, at)
        return made

    def _here(self, node: ast.AST, text: str) -> ast.expr:
        return ast.copy_location(ast.Constant(self._site(node, text)), node)

    def _mangled(self, name: str) -> str:
        if self._classes and name.startswith("__") and not name.endswith("__"):
            owner = self._classes[-1].lstrip("_")
            return f"_{owner}{name}" if owner else name
        return name

    def _visit(self, node: ast.expr) -> ast.expr:
        found = self.visit(node)
        assert isinstance(found, ast.expr)
        return found

    def _temporary(self) -> str:
        self._temporaries += 1
        return f"__sf_t{self._temporaries}__"

    def _shared(self, name: str) -> Scope | None:
        """The scope that owns ``name``, where it is shared and we are in a function."""
        scope: Scope | None = self._scope
        while scope is not None and scope.kind not in ("function", "lambda"):
            scope = scope.parent
        if scope is None:
            return None
        owner = self._scope.owner_of(name)
        return owner if owner is not None and name in owner.shared else None

    def _cell(self, owner: Scope, at: ast.AST) -> ast.expr:
        """An expression for the object that stands for a variable's home."""
        if owner.kind == "module":
            call = ast.Call(ast.Name(hook_name("globals"), ast.Load()), [], [])
            return ast.copy_location(call, at)
        return ast.copy_location(ast.Name(owner.marker, ast.Load()), at)

    def _statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for statement in body:
            found = self.visit(statement)
            if isinstance(found, list):
                made.extend(found)
            elif found is not None:
                made.append(found)
        return made

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, name, self._statements(value))
            elif isinstance(value, list):
                setattr(node, name, [self.visit(v) if isinstance(v, ast.AST) else v for v in value])
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node

    def _slice(self, node: ast.expr) -> ast.expr:
        """``a[1:2]`` as an expression that can be an argument."""
        if isinstance(node, ast.Slice):
            parts = [part and self._visit(part) for part in (node.lower, node.upper, node.step)]
            made = ast.Call(
                ast.Name(hook_name("slice"), ast.Load()), [part or ast.Constant(None) for part in parts], []
            )
            return ast.copy_location(made, node)
        if isinstance(node, ast.Tuple) and any(isinstance(part, ast.Slice) for part in node.elts):
            return ast.copy_location(ast.Tuple([self._slice(part) for part in node.elts], ast.Load()), node)
        return self._visit(node)

    def _looked_through(self, node: ast.expr, text: str) -> ast.expr:
        """``node``, where all of it is looked at next."""
        return self._call("whole", node, self._visit(node), self._here(node, text))
