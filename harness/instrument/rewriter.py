"""Rewriting of a module's source so that accesses call the hooks.

Like pytest's rewriting of assertions it works on the syntax tree, so line
numbers stay, coverage.py and debuggers work, and nothing depends on the
bytecode of one Python version. Order of evaluation is kept: each hook stands
where the access itself stood.

Not rewritten, and so not seen: code at module level and class level that binds names (one task
imports a module). Without ``coarse`` accesses neither are chained comparisons (``a == b == c``), what
``match`` patterns look at, and calls of code that is not rewritten.
"""

from __future__ import annotations

import ast
from typing import TypeVar

from semafuzz.harness.instrument.hooks import LAZY_READERS, WHOLE_READERS
from semafuzz.harness.instrument.rewriter_base import RewriterBase, SiteMaker, hook_name, remade_names
from semafuzz.harness.instrument.rewriter_stores import StoreRewriter
from semafuzz.harness.instrument.scopes import Scope, ScopeBuilder

__all__ = ["Rewriter", "RewriterBase", "SiteMaker", "hook_name"]
Node = TypeVar("Node", bound=ast.AST)
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_COMBINING = (ast.Add, ast.Sub, ast.Mult, ast.BitOr, ast.BitAnd, ast.BitXor)
_DEEP = frozenset({"sorted", "sum", "min", "max", "str", "repr"})
_ATTRIBUTE_FUNCTIONS = frozenset({"getattr", "setattr", "delattr", "hasattr", "vars"})
_NOT_ANNOUNCED = frozenset({
    "isinstance", "issubclass", "type", "id", "callable", "super", "range", "object", "property", "locals", "globals",
    "eval", "exec", "__import__", "slice", "memoryview", "staticmethod", "classmethod", "breakpoint",
})  # fmt: skip
"""Builtins that look at the frame that calls them, or at nothing that changes."""
_TESTABLE = (ast.Name, ast.Attribute, ast.Subscript)


class Rewriter(StoreRewriter, ast.NodeTransformer):
    """Rewrites one module. ``site`` numbers a place: ``site(node, text)``. ``coarse``: calls of code
    that is not rewritten are announced too (:mod:`semafuzz.harness.instrument.calls`)."""

    def rewrite(self, tree: ast.Module) -> ast.Module:
        """Return ``tree``, changed in place, with its locations complete."""
        self._scopes = ScopeBuilder().build(tree)
        self._functions_here = {
            node.name
            for node in tree.body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and not node.decorator_list
            and self._scopes[tree].bound.get(node.name) == 1
            and node.name not in self._scopes[tree].shared
        }
        self._imported = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        self._remade = remade_names(tree)
        self._scope = self._scopes[tree]
        self.stored |= self._scope.shared
        self._exchanges_classes = any(
            isinstance(node, ast.Attribute) and node.attr == "__class__" and isinstance(node.ctx, ast.Store)
            for node in ast.walk(tree)
        )
        tree.body = self._statements(tree.body)
        return ast.fix_missing_locations(tree)

    def rewrite_text(self, tree: ast.Expression | ast.Module) -> ast.Expression | ast.Module:
        """The same for what is given to ``eval`` or ``exec``: names are nobody's there, and calls are
        made by a task."""
        outer = Scope("function", Scope("module", None))
        module = ast.Module([ast.Expr(tree.body)] if isinstance(tree, ast.Expression) else tree.body, [])
        builder = ScopeBuilder()
        self._scopes = builder.build(module)
        self._scope = self._scopes[module]
        self._scope.parent, self._scope.kind = outer.parent, "function"
        if isinstance(tree, ast.Expression):
            tree.body = self._visit(tree.body)
        else:
            tree.body = self._statements(tree.body)
        return ast.fix_missing_locations(tree)

    # ----------------------------------------------------------- scopes

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.decorator_list = self._decorators(node)
        self._defaults(node.args)
        outer = self._scope
        self._scope = self._scopes[node]
        self._functions.append(node.name)
        start = 1 if ast.get_docstring(node, clean=False) is not None else 0
        head, body = node.body[:start], self._statements(node.body[start:])
        if self._scope.shared:
            name = ast.Name(self._scope.marker, ast.Store())
            head.append(ast.copy_location(ast.Assign([name], self._call("cell", node)), node))
        node.body = head + body
        self._functions.pop()
        self._scope = outer
        return node

    def _defaults(self, arguments: ast.arguments) -> None:
        arguments.defaults = [self._visit(default) for default in arguments.defaults]
        arguments.kw_defaults = [None if default is None else self._visit(default) for default in arguments.kw_defaults]

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self._defaults(node.args)
        outer, self._scope = self._scope, self._scopes[node]
        node.body = self._visit(node.body)
        self._scope = outer
        return node

    def _decorators(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[ast.expr]:
        """Its decorators, and before them one that announces the store under a name that is shared."""
        made = [self._visit(decorator) for decorator in node.decorator_list]
        owner = self._shared(node.name)
        if owner is not None:
            at = made[0] if made else node
            name, here = ast.Constant(node.name), self._here(node, f"{node.name} =")
            binder = self._call("binder", at, self._cell(owner, node), name, here)
            made.insert(0, binder)
        return made

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        at = node.decorator_list[0] if node.decorator_list else node
        decorators = self._decorators(node)
        if node.name not in self._remade:
            # The outermost: what others make of the class decides whether it has a hash of its own.
            numbering = ast.copy_location(ast.Name(hook_name("number_instances"), ast.Load()), at)
            decorators = [numbering, *decorators]
        node.decorator_list = decorators
        outer, self._scope = self._scope, self._scopes[node]
        self._classes.append(node.name)
        self._functions.append(node.name)
        node.body = self._statements(node.body)
        self._functions.pop()
        self._classes.pop()
        self._scope = outer
        return node

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> ast.AST:
        first = node.generators[0]
        first.iter = self._iterated(self._visit(first.iter))
        outer, self._scope = self._scope, self._scopes[node]
        for number, generator in enumerate(node.generators):
            if number:
                generator.iter = self._iterated(self._visit(generator.iter))
            generator.ifs = [self._tested(condition) for condition in generator.ifs]
        if isinstance(node, ast.DictComp):
            node.key, node.value = self._visit(node.key), self._visit(node.value)
        else:
            node.elt = self._visit(node.elt)
        self._scope = outer
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    # ------------------------------------------------------------ reads

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if not isinstance(node.ctx, ast.Load):
            return node
        owner = self._shared(node.id)
        if owner is None:
            return node
        announced = self._call("read", node, self._cell(owner, node), ast.Constant(node.id), self._here(node, node.id))
        # The hook returns None, so the value is loaded after it was announced.
        return ast.copy_location(ast.BoolOp(ast.Or(), [announced, node]), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.value = self._visit(node.value)
        if not isinstance(node.ctx, ast.Load):
            return node
        if node.attr == "__dict__":
            return self._call("dictionary", node, node.value, self._here(node, ".__dict__"))
        name = ast.Constant(self._mangled(node.attr))
        return self._call("attr", node, node.value, name, self._here(node, f".{node.attr}"))

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        node.value, node.slice = self._visit(node.value), self._slice(node.slice)
        if not isinstance(node.ctx, ast.Load):
            return node
        return self._call("item", node, node.value, node.slice, self._here(node, "[]"))

    def _runs_in_tasks(self) -> bool:
        """Whether we are in a function: modules and classes are made by one task."""
        scope: Scope | None = self._scope
        while scope is not None and scope.kind == "comprehension":
            scope = scope.parent
        return scope is not None and scope.kind in ("function", "lambda")

    def _coarse_call(self, node: ast.Call) -> ast.AST:
        """``f(a, b)`` as ``prepared(f, site, a, b)()``; where nothing is given, nothing can
        happen between fetching the function and calling it."""
        function = node.func
        name = function.id if isinstance(function, ast.Name) else ""
        free = bool(name) and self._scope.owner_of(name) is self._scope.root()
        builtin = free and name not in self._scope.root().bound
        alone = not node.args and not node.keywords
        if builtin and alone and name in ("locals", "vars", "dir"):
            return self._call("own_names", node, node, self._here(node, f"{name}()"))
        if builtin and alone and name == "globals":
            return self._call("names_of_module", node, node)
        if (builtin and name in _NOT_ANNOUNCED) or (builtin and alone):
            node.func = self._visit(function)
            node.args = [self._visit(argument) for argument in node.args]
            self._keywords(node)
            if name in ("eval", "exec") and node.args and not node.keywords:
                here = self._here(node, f"{name}()")
                if len(node.args) == 1:
                    node.args[0] = self._call("source", node, node.args[0], here)
                else:
                    node.args[1:] = [self._call("changed", node, namespace, here) for namespace in node.args[1:]]
            looks_at_class = self._exchanges_classes and name in ("type", "isinstance") and bool(node.args)
            if looks_at_class and not isinstance(node.args[0], ast.Starred):
                here = self._here(node, f"{name}()")
                node.args[0] = self._call("of_class", node.args[0], node.args[0], here)
            self._builtin_call(node, name)
            return node
        if builtin and (name in WHOLE_READERS or name in LAZY_READERS or name in _ATTRIBUTE_FUNCTIONS):
            node.func = self._visit(function)
            node.args = [self._visit(argument) for argument in node.args]
            self._keywords(node)
            self._builtin_call(node, name)
            return node
        if isinstance(function, ast.Attribute):
            value = self._visit(function.value)
            attribute = ast.Constant(self._mangled(function.attr))
            here = self._here(node, f".{function.attr}()")
            node.func = self._call("bound_alone" if alone else "bound", function, value, attribute, here)
        else:
            here = self._here(node, f"{name}()")
            node.func = self._visit(function)
            if alone and not (free and name in self._functions_here):
                node.func = self._call("announced", function, node.func, here)
        if alone or (free and name in self._functions_here):
            node.args = [self._visit(argument) for argument in node.args]
            self._keywords(node)
            return node
        arguments = [node.func, here, *(self._visit(argument) for argument in node.args)]
        self._keywords(node)
        made = self._call("prepared", node, *arguments)
        assert isinstance(made, ast.Call)
        made.keywords = node.keywords
        return ast.copy_location(ast.Call(made, [], []), node)

    def _keywords(self, node: ast.Call) -> None:
        for keyword in node.keywords:
            keyword.value = self._visit(keyword.value)
            if keyword.arg == "key" and self._coarse:
                keyword.value = self._call("later", keyword.value, keyword.value, self._here(keyword.value, "key="))
            if keyword.arg is None and self._coarse:
                keyword.value = self._call("whole", keyword.value, keyword.value, self._here(keyword.value, "**"))

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        node.keys = [None if key is None else self._visit(key) for key in node.keys]
        node.values = [
            self._visit(value) if key is not None or not self._coarse else self._looked_through(value, "**")
            for key, value in zip(node.keys, node.values, strict=True)
        ]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if self._coarse and self._runs_in_tasks():
            return self._coarse_call(node)
        function = node.func
        if isinstance(function, ast.Attribute):
            value = self._visit(function.value)
            name = ast.Constant(self._mangled(function.attr))
            node.func = self._call("method", function, value, name, self._here(node, f".{function.attr}()"))
        else:
            node.func = self._visit(function)
        node.args = [self._visit(argument) for argument in node.args]
        for keyword in node.keywords:
            keyword.value = self._visit(keyword.value)
        if isinstance(function, ast.Name) and function.id in self._imported:
            node.func = self._call("called", function, node.func, self._here(node, f"{function.id}()"))
        if isinstance(function, ast.Name) and self._scope.owner_of(function.id) is self._scope.root():
            self._builtin_call(node, function.id)
        return node

    def _builtin_call(self, node: ast.Call, name: str) -> None:
        """Calls of builtins that look into a container or at an attribute."""
        if name in self._scope.root().bound or any(isinstance(a, ast.Starred) for a in node.args[:1]):
            return
        here = self._here(node, f"{name}()")
        if name in ("getattr", "setattr", "delattr", "hasattr", "vars") and node.args and not node.keywords:
            node.func = ast.copy_location(ast.Name(hook_name(name), ast.Load()), node)
            node.args.insert(0, here)
        elif name in WHOLE_READERS and node.args:
            hook = "deep" if self._coarse and name in _DEEP else "whole"
            if hook == "deep" and any(keyword.arg == "key" for keyword in node.keywords):
                hook = "deep_calling"
            node.args[0] = self._call(hook, node, node.args[0], here)
        elif name in LAZY_READERS and self._coarse:
            # What they make is looked through when it is used. What they call is not seen otherwise.
            if (name in ("map", "filter") and node.args) or (name == "iter" and len(node.args) == 2):
                node.args[0] = self._call("later", node, node.args[0], here)
        elif name in LAZY_READERS and node.args and (name != "iter" or len(node.args) == 1):
            first = 1 if name in ("map", "filter") else 0
            node.args[first:] = [
                a if isinstance(a, ast.Starred) else self._call("iterate", node, a, here) for a in node.args[first:]
            ]

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        operands = [node.left, *node.comparators]
        constant = any(isinstance(operand, ast.Constant) for operand in operands)
        if self._coarse:
            constant = any(
                isinstance(operand, ast.Constant) and not isinstance(operand.value, bytes) for operand in operands
            )
        node.left = self._visit(node.left)
        node.comparators = [self._visit(comparator) for comparator in node.comparators]
        if self._coarse and len(node.ops) > 1:
            node.left = self._call("deep", node.left, node.left, self._here(node.left, "comparison"))
            node.comparators = [
                self._call("deep", operand, operand, self._here(operand, "comparison")) for operand in node.comparators
            ]
            return node
        if len(node.ops) == 1 and type(node.ops[0]) in _COMPARISONS and not constant:
            name = ast.Constant(type(node.ops[0]).__name__)
            return self._call("combine", node, name, node.left, node.comparators[0], self._here(node, "comparison"))
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            found = self._call("contains", node, node.left, node.comparators[0], self._here(node, "in"))
            if isinstance(node.ops[0], ast.In):
                return found
            return ast.copy_location(ast.UnaryOp(ast.Not(), found), node)
        for number, operator in enumerate(node.ops):
            if isinstance(operator, (ast.In, ast.NotIn)):
                comparator = node.comparators[number]
                node.comparators[number] = self._call("whole", node, comparator, self._here(node, "in"))
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Lists are joined and sets united by operators that look at all of both."""
        constant = any(isinstance(operand, ast.Constant) for operand in (node.left, node.right))
        if self._coarse:
            constant = _is_of_numbers(node)
        node.left, node.right = self._visit(node.left), self._visit(node.right)
        if constant or (type(node.op) not in _COMBINING and not self._coarse):
            return node
        name = ast.Constant(type(node.op).__name__)
        return self._call("combine", node, name, node.left, node.right, self._here(node, "operator"))

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        hook = "deep" if self._coarse else "whole"
        node.value = self._call(hook, node.value, self._visit(node.value), self._here(node.value, "format"))
        if node.format_spec is not None:
            node.format_spec = self._visit(node.format_spec)
        return node

    def _iterated(self, node: ast.expr) -> ast.expr:
        return self._call("iterate", node, node, self._here(node, "iteration"))

    def _tested(self, node: ast.expr) -> ast.expr:
        """A condition: the truth of a container is its length."""
        plain = isinstance(node, _TESTABLE)
        made = self._visit(node)
        return self._call("truth", node, made, self._here(node, "truth")) if plain else made

    def visit_If(self, node: ast.If) -> ast.AST:
        node.test = self._tested(node.test)
        node.body, node.orelse = self._statements(node.body), self._statements(node.orelse)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        node.test = self._tested(node.test)
        node.body, node.orelse = self._visit(node.body), self._visit(node.orelse)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        node.test = self._tested(node.test)
        node.msg = None if node.msg is None else self._visit(node.msg)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        node.values = [self._tested(value) for value in node.values]
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        node.operand = self._tested(node.operand) if isinstance(node.op, ast.Not) else self._visit(node.operand)
        return node

    # ------------------------------------------------------------ loops

    def visit_While(self, node: ast.While) -> ast.AST:
        """Each round is an event, so that no loop is invisible to the kernel."""
        test = self._tested(node.test)
        turn = self._call("turn", node, self._here(node, "while"))
        node.test = ast.copy_location(ast.BoolOp(ast.And(), [turn, test]), node.test)
        node.body, node.orelse = self._statements(node.body), self._statements(node.orelse)
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        return self._for(node, self._iterated(self._visit(node.iter)))

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        return self._for(node, self._visit(node.iter))

    def _for(self, node: ast.For | ast.AsyncFor, over: ast.expr) -> ast.AST:
        node.iter = over
        node.target, stores = self._bind_target(node.target)
        node.body = stores + self._statements(node.body)
        node.orelse = self._statements(node.orelse)
        return node

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.AST:
        if self._coarse:
            node.value = self._call("delegated", node, self._visit(node.value), self._here(node, "yield from"))
        else:
            node.value = self._iterated(self._visit(node.value))
        return node


def _is_of_numbers(node: ast.BinOp) -> bool:
    """Whether a constant in an operation says that no mutable object takes part."""
    for operand in (node.left, node.right):
        if isinstance(operand, ast.Constant):
            if isinstance(operand.value, str):
                return not isinstance(node.op, ast.Mod)
            if isinstance(operand.value, (int, float, complex)):
                return not isinstance(node.op, ast.Mult)
    return False
