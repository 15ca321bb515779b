"""One function, walked from its first line to its last: what it changes, whom it calls, and whether the lock is held.

Each statement is looked at once for the state in which it can be reached (loops twice), and what two ways come to is
joined: held on both, on neither, or *maybe*. What the source does not say is decided against the code: a lock
that may be held is not, a method that nothing is known of may change what it is called on.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence

from semafuzz.harness.audit.expressions import Expressions
from semafuzz.harness.audit.facts import Held
from semafuzz.harness.audit.locks import Locks
from semafuzz.harness.audit.units import Resolver, State, Unit, join


class Walk(Expressions):
    """Walks one function. ``held``: whether the lock is held where it is entered."""

    def __init__(self, unit: Unit, held: Held, locks: Locks, resolver: Resolver) -> None:
        super().__init__(unit, held, locks, resolver)
        self._breaks: list[State] = []
        if isinstance(unit.node, ast.Lambda):
            self.found.returns = self.value(unit.node.body)
        else:
            self.block(unit.node.body)

    # Statements.

    def block(self, statements: Iterable[ast.stmt]) -> None:
        """One statement after the other."""
        for statement in statements:
            if self._state is None:
                return
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        """One statement, for what it does to guarded state, to the lock and to names."""
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.nested[node.name] = node
            case ast.Assign():
                found = self.value(node.value)
                is_lock = self.locks.is_lock(node.value, self.lock_names)
                for target in node.targets:
                    self.store(target, found, is_lock=is_lock, value=node.value)
            case ast.AnnAssign():
                if node.value is not None:
                    self.store(node.target, self.value(node.value), value=node.value)
            case ast.AugAssign():
                self.value(node.value)
                self.store(node.target, None, augmented=True)
            case ast.Delete():
                for target in node.targets:
                    self.store(target, None)
            case ast.Return():
                found = self.value(node.value) if node.value is not None else None
                self.found.returns = self.found.returns or found
                self._hand_out(node.value)
                self._state = None
            case ast.Raise():
                self._values(node.exc, node.cause)
                self._state = None
            case ast.If():
                self._branch(node)
            case ast.For() | ast.AsyncFor():
                found = self.value(node.iter)
                part = found.part("[...]") if found is not None else None
                self._loop(lambda: self.store(node.target, part, bind=True), node.body, node.orelse)
            case ast.While():
                self._loop(lambda: self._values(node.test), node.body, node.orelse, endless=_is_true(node.test))
            case ast.With() | ast.AsyncWith():
                self._with(node)
            case ast.Try() | ast.TryStar():
                self._try(node)
            case ast.Match():
                self._match(node)
            case ast.Break() | ast.Continue():
                if self._breaks:
                    self._breaks[-1] = join(self._breaks[-1], self._state)
                self._state = None
            case ast.Expr():
                self._expression(node)
            case ast.Assert():
                self._values(node.test, node.msg)
            case _:
                return

    def _expression(self, node: ast.Expr) -> None:
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            if self.locks.is_lock(call.func.value, self.lock_names):
                if call.func.attr == "acquire":
                    self._take(sure=not call.args and not call.keywords)
                    return
                if call.func.attr == "release":
                    self._give_back()
                    return
            if call.func.attr == "enter_context" and call.args and self._locks(call.args[0]):
                self._take()
                return
        self.value(call)

    def _take(self, *, sure: bool = True) -> None:
        if self._state is not None:
            held, depth = self._state
            self._state = ("yes" if sure or held == "yes" else "maybe"), depth + 1

    def _give_back(self) -> None:
        if self._state is not None:
            _, depth = self._state
            # Given back as often as it was taken here, it is as it was; once more, and it is given away.
            held: Held = "yes" if depth > 1 else self._entered if depth == 1 else "no"
            self._state = held, max(0, depth - 1)

    def _branch(self, node: ast.If) -> None:
        taken = _acquired_in(node.test, self.locks, self.lock_names)
        self._values(node.test)
        before = self._state
        if taken == "then":
            self._take()
        self.block(node.body)
        after = self._state
        self._state = before
        if taken == "else":
            self._take()
        self.block(node.orelse)
        self._state = join(after, self._state)

    def _loop(
        self, begin: Callable[[], None], body: Sequence[ast.stmt], orelse: Sequence[ast.stmt], *, endless: bool = False
    ) -> None:
        self._breaks.append(None)
        for _ in range(2):
            before = self._state
            if before is None:
                break
            begin()
            self.block(body)
            self._state = join(before, self._state)
        left = self._breaks.pop()
        if endless:
            self._state = left
        else:
            self.block(orelse)
            self._state = join(left, self._state)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        before = self._state
        for item in node.items:
            if self._locks(item.context_expr):
                self._take()
            found = self.value(item.context_expr)
            if item.optional_vars is not None:
                self.store(item.optional_vars, found, bind=True)
        self.block(node.body)
        if self._state is not None:
            self._state = before

    def _locks(self, expression: ast.expr) -> bool:
        """Whether entering this takes the lock: the lock, or a context manager whose ``yield`` is under it."""
        if self.locks.is_lock(expression, self.lock_names) or self.locks.locks_by_name(self.unit.module, expression):
            return True
        if (
            isinstance(expression, ast.Name)
            and expression.id in self.names
            and self.names[expression.id].path == "self"
        ):
            return self._resolver_takes("__enter__")
        if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute):
            owner = self.value_of(expression.func.value)
            if owner is not None and owner.path == "self":
                unit = self._resolver.method(expression.func.attr)
                return unit is not None and self._resolver.summary(unit, self.held).yields == "yes"
        return False

    def _resolver_takes(self, name: str) -> bool:
        unit = self._resolver.method(name)
        return unit is not None and self.locks.is_left_taken(unit.node)

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        before = self._state
        self.block(node.body)
        # An exception may come anywhere in the body.
        met = join(before, self._state)
        after = self._state
        if after is not None:
            self.block(node.orelse)
            after = self._state
        ends = [after]
        for handler in node.handlers:
            self._state = met
            self.block(handler.body)
            ends.append(self._state)
        state: State = None
        for one in ends:
            state = join(state, one)
        if node.finalbody:
            dead = state is None
            self._state = state if not dead else met
            self.block(node.finalbody)
            if dead:
                self._state = None
        else:
            self._state = state

    def _match(self, node: ast.Match) -> None:
        subject = self.value(node.subject)
        before, state = self._state, self._state
        for case in node.cases:
            self._state = before
            for part in ast.walk(case.pattern):
                if isinstance(part, (ast.MatchAs, ast.MatchStar)) and part.name and subject is not None:
                    self.names[part.name] = subject.part("[...]")
            self._values(case.guard)
            self.block(case.body)
            state = join(state, self._state)
        self._state = state


def _is_true(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


def _acquired_in(test: ast.expr, locks: Locks, names: set[str]) -> str:
    """In which branch of a condition the lock is held that the condition tries: "then", "else" or ""."""
    negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    inner = test.operand if isinstance(test, ast.UnaryOp) else test
    if isinstance(inner, ast.NamedExpr):
        inner = inner.value
    if (
        isinstance(inner, ast.Call)
        and isinstance(inner.func, ast.Attribute)
        and inner.func.attr == "acquire"
        and locks.is_lock(inner.func.value, names)
    ):
        return "else" if negated else "then"
    return ""
