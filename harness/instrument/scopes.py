"""Scopes: the names of a module that threads of control share.

Two kinds are: globals that some function rebinds, and variables of a function
that nested functions see and that are bound more than once. Names bound once
(imports, functions, constants, parameters) cannot race and are left alone.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(slots=True)
class Scope:
    """The names of one ``kind``: function, lambda, class, comprehension or module."""

    kind: str
    parent: Scope | None
    bound: dict[str, int] = field(default_factory=dict)
    global_names: set[str] = field(default_factory=set)
    nonlocal_names: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    children: list[Scope] = field(default_factory=list)
    shared: set[str] = field(default_factory=set)
    marker: str = ""

    def bind(self, name: str, times: int = 1) -> None:
        """Count a binding of ``name`` where it belongs."""
        if name in self.global_names or name in self.nonlocal_names:
            return
        self.bound[name] = self.bound.get(name, 0) + times

    def owner_of(self, name: str) -> Scope | None:
        """The scope whose variable ``name`` is here; the module for globals."""
        scope: Scope | None = self
        if name in self.global_names:
            return self.root()
        first = True
        while scope is not None:
            usable = first or scope.kind != "class"
            if usable and name in scope.bound and name not in scope.nonlocal_names:
                return scope
            if usable and name in scope.global_names:
                return self.root()
            first = False
            scope = scope.parent
        return self.root()

    def root(self) -> Scope:
        """The module's scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


class ScopeBuilder(ast.NodeVisitor):
    """Builds the scopes of a module: ``scopes[node]`` for each node that opens one."""

    def __init__(self) -> None:
        self.scopes: dict[ast.AST, Scope] = {}
        self._scope = Scope("module", None)
        self._loops = 0
        self._rebound_globals: set[str] = set()

    def build(self, tree: ast.Module) -> dict[ast.AST, Scope]:
        """Analyse ``tree``; afterwards every scope knows its ``shared`` names."""
        root = self._scope
        self.scopes[tree] = root
        self._declare(tree.body)
        for statement in tree.body:
            self.visit(statement)
        root.shared = set(self._rebound_globals)
        if _reaches_its_globals(tree):
            # Whoever changes them names them nowhere.
            root.shared |= {name for name in root.bound if name not in _bound_by_imports(tree)}
        self._find_shared(root)
        return self.scopes

    def _declare(self, body: list[ast.stmt]) -> None:
        """Read ``global`` and ``nonlocal`` before anything else of the scope."""
        stack: list[ast.AST] = list(body)
        while stack:
            node = stack.pop()
            if isinstance(node, ast.Global):
                self._scope.global_names.update(node.names)
                if self._scope.kind != "module":
                    self._rebound_globals.update(node.names)
            elif isinstance(node, ast.Nonlocal):
                self._scope.nonlocal_names.update(node.names)
            elif not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                stack.extend(ast.iter_child_nodes(node))

    def _find_shared(self, scope: Scope) -> None:
        for child in scope.children:
            self._find_shared(child)
        if scope.kind != "function":
            return
        seen_inside, rebound_inside = _names_below(scope)
        for name, times in scope.bound.items():
            if name in seen_inside and (times > 1 or name in rebound_inside):
                scope.shared.add(name)

    def _open(self, kind: str, node: ast.AST) -> Scope:
        scope = Scope(kind, self._scope)
        self._scope.children.append(scope)
        self.scopes[node] = scope
        return scope

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        if not isinstance(node, ast.Lambda):
            self._scope.bind(node.name, 1 + self._loops)
            for decorator in node.decorator_list:
                self.visit(decorator)
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self.visit(default)
        outer, outer_loops = self._scope, self._loops
        self._scope, self._loops = self._open("lambda" if isinstance(node, ast.Lambda) else "function", node), 0
        self._scope.marker = f"__sf_cell_{node.lineno}_{node.col_offset}__"
        arguments = node.args
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            self._scope.bind(argument.arg)
        for extra in (arguments.vararg, arguments.kwarg):
            if extra is not None:
                self._scope.bind(extra.arg)
        if isinstance(node, ast.Lambda):
            self.visit(node.body)
        else:
            self._declare(node.body)
            for statement in node.body:
                self.visit(statement)
        self._scope, self._loops = outer, outer_loops

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._scope.bind(node.name)
        for child in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(child)
        outer = self._scope
        self._scope = self._open("class", node)
        self._declare(node.body)
        for statement in node.body:
            self.visit(statement)
        self._scope = outer

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self.visit(node.generators[0].iter)
        outer = self._scope
        self._scope = self._open("comprehension", node)
        for number, generator in enumerate(node.generators):
            self.visit(generator.target)
            if number:
                self.visit(generator.iter)
            for condition in generator.ifs:
                self.visit(condition)
        if isinstance(node, ast.DictComp):
            self.visit(node.key)
            self.visit(node.value)
        else:
            self.visit(node.elt)
        self._scope = outer

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        self._loops += 1
        self.generic_visit(node)
        self._loops -= 1

    visit_For = visit_AsyncFor = visit_While = _loop

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._scope.used.add(node.id)
        else:
            self._scope.bind(node.id, 1 + self._loops)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """Binds in the function around, also from within a comprehension (a loop)."""
        scope, loops = self._scope, self._loops
        while scope.kind == "comprehension" and scope.parent is not None:
            scope, loops = scope.parent, loops + 1
        scope.bind(node.target.id, 1 + loops)
        self.visit(node.value)

    def _captured(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self._scope.bind(node.name, 1 + self._loops)
        self.generic_visit(node)

    visit_MatchAs = visit_MatchStar = _captured

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self._scope.bind(node.rest, 1 + self._loops)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._scope.bind(node.target.id)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._scope.bind(node.name)
        self.generic_visit(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self._scope.bind((alias.asname or alias.name).split(".")[0])

    visit_Import = visit_ImportFrom = _import


def _reaches_its_globals(tree: ast.Module) -> bool:
    """Whether code in functions can change variables of the module without declaring them ``global``."""
    for function in ast.walk(tree):
        if isinstance(function, FUNCTIONS):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "globals":
                    return True
                if isinstance(node, ast.Attribute) and node.attr == "modules":
                    return True
    return False


def _bound_by_imports(tree: ast.Module) -> set[str]:
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }


def _names_below(scope: Scope) -> tuple[set[str], set[str]]:
    """Names that scopes below see from here, and those that they rebind."""
    seen: set[str] = set()
    rebound: set[str] = set()
    for child in scope.children:
        below_seen, below_rebound = _names_below(child)
        own = set(child.bound) if child.kind != "class" else set()
        seen |= ((child.used | child.nonlocal_names) - set(child.bound)) | (below_seen - own)
        rebound |= child.nonlocal_names | (below_rebound - own)
    return seen, rebound
