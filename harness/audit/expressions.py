"""Expressions of a function: what they read of guarded state, change of it, call and hand out."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace

from semafuzz.harness.audit.facts import Call, Change, Held, Place
from semafuzz.harness.audit.locks import Locks, last_name
from semafuzz.harness.audit.taint import (
    CALLING_AT_ONCE,
    CHANGING,
    CHANGING_FUNCTIONS,
    COPYING,
    Taint,
    only_looks,
)
from semafuzz.harness.audit.units import Body, Resolver, State, Unit, Walked


class Expressions:
    """What expressions do to guarded state, and what they are of it. ``held``: whether the lock is held where the
    function is entered."""

    def __init__(self, unit: Unit, held: Held, locks: Locks, resolver: Resolver) -> None:
        self.unit = unit
        self.locks = locks
        self.found = Walked()
        self.names: dict[str, Taint] = dict(unit.tainted)
        self.nested: dict[str, Body] = dict(unit.nested)
        self.lock_names: set[str] = set()
        self._resolver = resolver
        self._entered: Held = held
        self._state: State = (held, 0)

    @property
    def held(self) -> Held:
        """Whether the lock is held at the line that is looked at."""
        return self._state[0] if self._state is not None else "yes"

    def place(self, node: ast.AST) -> Place:
        """Where that line is."""
        return Place(self.unit.module.name, getattr(node, "lineno", 0))

    def change(self, node: ast.AST, what: str, *, certain: bool = True) -> None:
        """Note a change of guarded state."""
        if self._state is not None:
            self.found.changes.append((Change(self.place(node), what, certain), self.held))

    # Names and places that are stored to.

    def store(
        self,
        target: ast.expr,
        found: Taint | None,
        *,
        is_lock: bool = False,
        value: ast.expr | None = None,
        bind: bool = False,
        augmented: bool = False,
    ) -> None:
        """Something is stored to a target, or deleted there."""
        match target:
            case ast.Name():
                if augmented:
                    owner = self.names.get(target.id)
                    if owner is not None and not owner.fresh and owner.path != "self":
                        self.change(target, f"{owner.path} in place")
                    return
                self.lock_names.discard(target.id)
                self.names.pop(target.id, None)
                if is_lock:
                    self.lock_names.add(target.id)
                elif found is not None:
                    self.names[target.id] = found
                if isinstance(value, ast.Lambda):
                    self.nested[target.id] = value
            case ast.Attribute():
                owner = self.value(target.value)
                if owner is not None:
                    setter = self._resolver.accessor(target.attr, stored=True) if owner.path == "self" else None
                    if setter is not None:
                        self._call(target, setter)
                    else:
                        self.change(target, f"{owner.path}.{target.attr}")
                if isinstance(value, (ast.Lambda, ast.Attribute, ast.Name)):
                    self._hand_out(value)
            case ast.Subscript():
                owner = self.value(target.value)
                self.value(target.slice)
                if owner is not None and not owner.fresh:
                    self.change(target, f"{owner.path}[...]")
            case ast.Tuple() | ast.List():
                for one in target.elts:
                    self.store(one, found.part("[...]") if found is not None and not bind else found, bind=bind)
            case ast.Starred():
                self.store(target.value, found, bind=bind)
            case _:
                return

    # Expressions.

    def _values(self, *nodes: ast.expr | None) -> None:
        for node in nodes:
            if node is not None:
                self.value(node)

    def value_of(self, node: ast.expr) -> Taint | None:
        """What an expression is of guarded state, without looking at what it does."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.value_of(node.value)
            return owner.part(f".{node.attr}") if owner is not None else None
        return None

    def value(self, node: ast.expr) -> Taint | None:
        """What an expression does, and what it is of guarded state."""
        match node:
            case ast.Name():
                return self.names.get(node.id)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript():
                owner = self.value(node.value)
                self.value(node.slice)
                return replace(owner.part("[...]"), fresh=False) if owner is not None else None
            case ast.Call():
                return self._of_call(node)
            case ast.IfExp():
                self.value(node.test)
                first, second = self.value(node.body), self.value(node.orelse)
                return first or second
            case ast.BoolOp():
                found = [self.value(one) for one in node.values]
                return next((one for one in found if one is not None), None)
            case ast.NamedExpr():
                found_here = self.value(node.value)
                self.store(node.target, found_here)
                return found_here
            case ast.Await() | ast.Starred():
                return self.value(node.value)
            case ast.Yield() | ast.YieldFrom():
                if self.found.yields is None:
                    self.found.yields = self.held
                return self.value(node.value) if node.value is not None else None
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node)
            case ast.Tuple() | ast.List() | ast.Set():
                parts = [self.value(one) for one in node.elts]
                first_part = next((one for one in parts if one is not None), None)
                return replace(first_part, fresh=True) if first_part is not None else None
            case ast.Dict():
                self._values(*node.keys)
                parts = [self.value(one) for one in node.values]
                first_part = next((one for one in parts if one is not None), None)
                return replace(first_part, fresh=True) if first_part is not None else None
            case ast.Lambda():
                return None
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.value(child)
                return None

    def _attribute(self, node: ast.Attribute) -> Taint | None:
        owner = self.value(node.value)
        if owner is None:
            return None
        if owner.path == "self":
            getter = self._resolver.accessor(node.attr, stored=False)
            if getter is not None:
                return self._call(node, getter).returns
            if self._resolver.method(node.attr) is not None:
                return None
            return self._resolver.attribute(node.attr)
        return owner.part(f".{node.attr}")

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Taint | None:
        for one in node.generators:
            found = self.value(one.iter)
            self.store(one.target, found.part("[...]") if found is not None else None, bind=True)
            self._values(*one.ifs)
        if isinstance(node, ast.DictComp):
            self.value(node.key)
            made = self.value(node.value)
        else:
            made = self.value(node.elt)
        return replace(made, fresh=True) if made is not None else None

    def _of_call(self, node: ast.Call) -> Taint | None:
        function = node.func
        arguments = [self.value(one) for one in node.args]
        named = {one.arg: self.value(one.value) for one in node.keywords}
        self._pass_functions(node)
        if isinstance(function, ast.Attribute):
            return self._of_method_call(node, function, arguments)
        if isinstance(function, ast.Name):
            return self._of_function_call(node, function, arguments, named)
        self.value(function)
        return None

    def _of_function_call(
        self,
        node: ast.Call,
        function: ast.Name,
        arguments: Sequence[Taint | None],
        named: Mapping[str | None, Taint | None],
    ) -> Taint | None:
        first = arguments[0] if arguments else None
        if function.id in CHANGING_FUNCTIONS and first is not None and not first.fresh:
            self.change(node, f"{first.path} by {function.id}")
            return first.part("[...]")
        if function.id in COPYING and first is not None:
            return replace(first, fresh=True)
        if function.id == "getattr" and first is not None:
            return first.part(".*")
        if function.id == "vars" and first is not None:
            return first
        if function.id in self.nested:
            return self._call(node, self._nested_unit(function.id)).returns
        given = {place: one for place, one in enumerate(arguments) if one is not None}
        given_by_name = {name: one for name, one in named.items() if name is not None and one is not None}
        unit = self._resolver.function(self.unit.module, function, given) if given or given_by_name else None
        return self._call(node, unit).returns if unit is not None else None

    def _of_method_call(
        self, node: ast.Call, function: ast.Attribute, arguments: Sequence[Taint | None]
    ) -> Taint | None:
        name = function.attr
        if (
            isinstance(function.value, ast.Call)
            and isinstance(function.value.func, ast.Name)
            and function.value.func.id == "super"
        ):
            parent = self._resolver.parent_method(self.unit, name)
            if parent is not None:
                return self._call(node, parent).returns
            if name in CHANGING:
                self.change(node, f"self by {name}")
            return None
        if self.locks.is_lock(function.value, self.lock_names):
            return None
        owner = self.value(function.value)
        if owner is None:
            given = {place: one for place, one in enumerate(arguments) if one is not None}
            if given and name in CHANGING_FUNCTIONS and not given[min(given)].fresh:
                self.change(node, f"{given[min(given)].path} by {name}")
                return None
            unit = self._resolver.function(self.unit.module, function, given) if given else None
            return self._call(node, unit).returns if unit is not None else None
        if owner.path == "self":
            method = self._resolver.method(name)
            if method is not None:
                later = self._resolver.runs_later(method)
                walked = self._call(node, method)
                return Taint(f"{method.key}()") if later and walked.returns else walked.returns
            if name in CHANGING:
                self.change(node, f"self by {name}")
                return None
        foreign = self._resolver.foreign(owner, name)
        if foreign is not None:
            return self._call(node, foreign).returns
        if name in CHANGING and owner.path != "self":
            if not owner.fresh:
                self.change(node, f"{owner.path} by {name}")
        elif not only_looks(name) and owner.path != "self":
            self.change(node, f"{owner.path} by {name}", certain=False)
        return (
            owner.part("[...]")
            if name in ("get", "pop", "popleft", "setdefault", "values", "items", "popitem")
            else None
        )

    def _call(self, node: ast.AST, unit: Unit) -> Walked:
        """A call of something that is looked into."""
        if self._state is not None:
            self.found.calls.append((Call(self.place(node), unit.key, self.held), unit))
        return self._resolver.summary(unit, self.held)

    def _nested_unit(self, name: str) -> Unit:
        return self.unit.inner(name, self.nested[name], self.names, self.nested)

    def _pass_functions(self, node: ast.Call) -> None:
        """Functions that are given away: called at once by some, by anybody later by others."""
        name = last_name(node.func)
        for one in [*node.args, *(keyword.value for keyword in node.keywords)]:
            unit = self._function_in(one)
            if unit is None:
                continue
            if name in CALLING_AT_ONCE or (isinstance(node.func, ast.Attribute) and name == "sort"):
                self._call(one, unit)
            else:
                self.found.escapes.append((self.place(one), unit))

    def _hand_out(self, node: ast.expr | None) -> None:
        unit = self._function_in(node) if node is not None else None
        if unit is not None and node is not None:
            self.found.escapes.append((self.place(node), unit))

    def _function_in(self, node: ast.expr) -> Unit | None:
        if isinstance(node, ast.Lambda):
            return self.unit.inner(f"<lambda at {node.lineno}>", node, self.names, self.nested)
        if isinstance(node, ast.Name) and node.id in self.nested:
            return self._nested_unit(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.value_of(node.value)
            return self._resolver.method(node.attr) if owner is not None and owner.path == "self" else None
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", getattr(node.func, "attr", "")) == "partial"
            and node.args
        ):
            return self._function_in(node.args[0])
        return None
