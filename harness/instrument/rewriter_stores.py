"""Rewriting of what binds and stores: assignments, deletions, imports, ``with``, ``except`` and ``match``."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from semafuzz.harness.instrument.rewriter_base import RewriterBase


class StoreRewriter(RewriterBase, ast.NodeTransformer):
    """The part of :class:`semafuzz.harness.instrument.rewriter.Rewriter` for statements that store."""

    def _store(self, target: ast.expr, value: ast.expr) -> ast.stmt:
        """A statement that announces and performs ``target = value``."""
        made: ast.stmt
        if isinstance(target, ast.Attribute):
            owner = self._visit(target.value)
            name, here = ast.Constant(self._mangled(target.attr)), self._here(target, f".{target.attr} =")
            self.stored.add(target.attr)
            made = ast.Expr(self._call("set_attr", target, value, owner, name, here))
        elif isinstance(target, ast.Subscript):
            owner, key = self._visit(target.value), self._slice(target.slice)
            made = ast.Expr(self._call("set_item", target, value, owner, key, self._here(target, "[] =")))
        else:
            assert isinstance(target, ast.Name)
            made = ast.Assign([target], self._written(target, value))
        return ast.copy_location(made, target)

    def _written(self, target: ast.Name, value: ast.expr) -> ast.expr:
        owner = self._shared(target.id)
        if owner is None:
            return value
        name, here = ast.Constant(target.id), self._here(target, f"{target.id} =")
        return self._call("write", target, value, self._cell(owner, target), name, here)

    def _is_plain(self, target: ast.expr) -> bool:
        if isinstance(target, ast.Name):
            return self._shared(target.id) is None
        if isinstance(target, ast.Starred):
            return self._is_plain(target.value)
        if isinstance(target, (ast.Tuple, ast.List)):
            return all(self._is_plain(part) for part in target.elts)
        return False

    def _bind_target(self, target: ast.expr) -> tuple[ast.expr, list[ast.stmt]]:
        """Replace a target of which a part is watched by temporaries, and the
        statements that then store every part, in the order in which Python would:
        in ``a[i], i = ...`` the item is stored before the name."""
        return (target, []) if self._is_plain(target) else self._temporaries_for(target)

    def _temporaries_for(self, target: ast.expr) -> tuple[ast.expr, list[ast.stmt]]:
        if isinstance(target, ast.Starred):
            inner, stores = self._temporaries_for(target.value)
            return ast.copy_location(ast.Starred(inner, ast.Store()), target), stores
        if isinstance(target, (ast.Tuple, ast.List)):
            parts = [self._temporaries_for(part) for part in target.elts]
            target.elts = [part[0] for part in parts]
            return target, [store for part in parts for store in part[1]]
        name = self._temporary()
        stored = ast.copy_location(ast.Name(name, ast.Store()), target)
        loaded = ast.copy_location(ast.Name(name, ast.Load()), target)
        return stored, [self._store(target, loaded)]

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        unpacks = any(isinstance(target, (ast.Tuple, ast.List)) for target in node.targets)
        given = isinstance(node.value, (ast.Tuple, ast.List))
        value = self._looked_through(node.value, "unpacking") if unpacks and not given else self._visit(node.value)
        if all(self._is_plain(target) for target in node.targets):
            node.value = value
            return node
        if len(node.targets) == 1:
            return self._assigned(node.targets[0], value)
        name = self._temporary()
        made = [self._keep(name, value)]
        kept = made[:1]
        for target in node.targets:
            made += self._assigned(target, ast.copy_location(ast.Name(name, ast.Load()), target))
        return [*made, *self._freed(kept, node)]

    def _assigned(self, target: ast.expr, value: ast.expr) -> list[ast.stmt]:
        if not isinstance(target, (ast.Tuple, ast.List)):
            return [self._store(target, value)]
        bound, stores = self._bind_target(target)
        return [ast.copy_location(ast.Assign([bound], value), target), *stores]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None or (isinstance(node.target, ast.Name) and self._shared(node.target.id) is None):
            node.value = None if node.value is None else self._visit(node.value)
            return node
        return self._store(node.target, self._visit(node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        """A read, the operation, a write: with a switch possible between."""
        target = node.target
        if isinstance(target, ast.Name):
            if self._shared(target.id) is None and _is_number(node.value):
                return node
            # Of a variable of its own too: what it holds may be a shared list.
            read = self._visit(ast.copy_location(ast.Name(target.id, ast.Load()), target))
            return self._store(target, self._combined(node, read))
        owner = self._temporary()
        first: list[ast.stmt] = [self._keep(owner, self._visit(target.value))]
        loaded = ast.copy_location(ast.Name(owner, ast.Load()), target)
        if isinstance(target, ast.Attribute):
            name = self._mangled(target.attr)
            self.stored.add(target.attr)
            read = self._call("attr", target, loaded, ast.Constant(name), self._here(target, f".{target.attr}"))
            here = self._here(target, f".{target.attr} =")
            write = self._call("set_attr", target, self._combined(node, read), loaded, ast.Constant(name), here)
        else:
            assert isinstance(target, ast.Subscript)
            key = self._temporary()
            first.append(self._keep(key, self._slice(target.slice)))
            index = ast.copy_location(ast.Name(key, ast.Load()), target)
            read = self._call("item", target, loaded, index, self._here(target, "[]"))
            here = self._here(target, "[] =")
            write = self._call("set_item", target, self._combined(node, read), loaded, index, here)
        return [*first, ast.copy_location(ast.Expr(write), node), *self._freed(first, node)]

    def _keep(self, name: str, value: ast.expr) -> ast.stmt:
        return ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], value), value)

    def _freed(self, kept: list[ast.stmt], node: ast.stmt) -> list[ast.stmt]:
        """What was kept is kept no longer: it could be the last reference."""
        names = [ast.Name(one.targets[0].id, ast.Del()) for one in kept if self._is_kept(one)]  # type: ignore[attr-defined]
        return [ast.copy_location(ast.Delete(list(names)), node)] if self._coarse and names else []

    def _is_kept(self, statement: ast.stmt) -> bool:
        return isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)

    def _combined(self, node: ast.AugAssign, read: ast.expr) -> ast.expr:
        operator = ast.Constant(type(node.op).__name__)
        return self._call("in_place", node, operator, read, self._visit(node.value), self._here(node, "in place"))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        node.value = self._written(node.target, self._visit(node.value))
        return node

    def visit_Delete(self, node: ast.Delete) -> list[ast.stmt]:
        return [ast.copy_location(made, node) for target in node.targets for made in self._deleted(target)]

    def _deleted(self, target: ast.expr) -> list[ast.stmt]:
        if isinstance(target, (ast.Tuple, ast.List)):
            return [made for part in target.elts for made in self._deleted(part)]
        if isinstance(target, ast.Attribute):
            owner, name = self._visit(target.value), ast.Constant(self._mangled(target.attr))
            here = self._here(target, f"del .{target.attr}")
            self.stored.add(target.attr)
            return [ast.Expr(self._call("del_attr", target, owner, name, here))]
        if isinstance(target, ast.Subscript):
            owner, key = self._visit(target.value), self._slice(target.slice)
            return [ast.Expr(self._call("del_item", target, owner, key, self._here(target, "del []")))]
        assert isinstance(target, ast.Name)
        return [*self._announced_stores([target.id], target), ast.Delete([target])]

    def _announced_stores(self, names: Iterable[str], at: ast.AST) -> list[ast.stmt]:
        """Statements that announce a change of those of these variables that are shared."""
        made = [self._written_name(name, at, ast.Constant(None)) for name in names if self._shared(name) is not None]
        return [ast.copy_location(ast.Expr(one), at) for one in made]

    def _written_name(self, name: str, at: ast.AST, value: ast.expr) -> ast.expr:
        """``value``, when a change of a variable was announced, where it is shared."""
        owner = self._shared(name)
        if owner is None:
            return value
        here = self._here(at, f"{name} =")
        return self._call("write", at, value, self._cell(owner, at), ast.Constant(name), here)

    def _import(self, node: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
        names = [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
        return [*self._announced_stores(names, node), node]

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        return self._import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        return self._import(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """The name is bound when the exception is taken, and gone at the end."""
        node.type = None if node.type is None else self._visit(node.type)
        if node.name is not None and node.type is not None:
            node.type = self._written_name(node.name, node.type, node.type)
        node.body = self._statements(node.body)
        if node.name is not None:
            node.body += self._announced_stores([node.name], node)
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        return self._with(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        return self._with(node)

    def _with(self, node: ast.With | ast.AsyncWith) -> ast.AST:
        """``with a as self.x, b:`` becomes two statements, so that the store is
        made before ``b`` is evaluated."""
        innermost, items = node, node.items
        node.items = []
        for number, item in enumerate(items):
            subject = self._visit(item.context_expr)
            if isinstance(node, ast.With):
                subject = self._call("entered", item.context_expr, subject, self._here(item.context_expr, "with"))
            item.context_expr = subject
            innermost.items.append(item)
            if item.optional_vars is None or self._is_plain(item.optional_vars):
                continue
            item.optional_vars, stores = self._bind_target(item.optional_vars)
            if number + 1 < len(items):
                inner = ast.copy_location(type(node)([], node.body), node)
                innermost.body = [*stores, inner]
                innermost = inner
            else:
                innermost.body = stores + self._statements(innermost.body)
                return node
        innermost.body = self._statements(innermost.body)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        node.values = [self.visit(value) for value in node.values]
        return node

    def visit_Starred(self, node: ast.Starred) -> ast.AST:
        if isinstance(node.ctx, ast.Load):
            node.value = self._looked_through(node.value, "*")
        else:
            node.value = self._visit(node.value)
        return node

    def visit_Match(self, node: ast.Match) -> ast.AST:
        node.subject = self._visit(node.subject)
        if self._coarse:
            node.subject = self._call("deep", node.subject, node.subject, self._here(node.subject, "match"))
        for name in dict.fromkeys(_captured(node)):
            node.subject = self._written_name(name, node.subject, node.subject)
        for case in node.cases:
            case.guard = None if case.guard is None else self._visit(case.guard)
            case.body = self._statements(case.body)
        return node


def _captured(node: ast.Match) -> list[str]:
    """The names that the patterns of a ``match`` bind."""
    patterns = [part for case in node.cases for part in ast.walk(case.pattern)]
    names = [part.name for part in patterns if isinstance(part, (ast.MatchAs, ast.MatchStar)) and part.name]
    return [*names, *(part.rest for part in patterns if isinstance(part, ast.MatchMapping) and part.rest)]


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float, complex))
