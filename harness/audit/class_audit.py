"""The audit of one class: where each method can be entered, and what it changes there.

Public methods, those that Python calls, and functions that are handed out are entered without the lock; others as
their callers enter them. Each function is walked for each way in which it is entered (:mod:`~.walk`), until no new way
is found. A constructor is left out: nobody else has the object yet.

What it takes for granted: that nobody outside calls a method whose name begins with an underscore while the class
itself calls it; that a parameter is no part of the state unless the class passes one; that names are bound as the
source says (no monkey patching, no ``exec``). What it cannot follow, it counts as a change that may be unguarded: a
method of an unknown class, unless its name says that it looks only.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping

from semafuzz.harness.audit.facts import RANK, Change, ClassAudit, Held, MethodAudit, Place, Verdict
from semafuzz.harness.audit.locks import Locks, last_name, locks_made, own_nodes, runs_later
from semafuzz.harness.audit.sources import ClassSource, ModuleSource, Sources
from semafuzz.harness.audit.taint import Taint
from semafuzz.harness.audit.units import Unit, Walked
from semafuzz.harness.audit.walk import Walk
from semafuzz.harness.errors import CodeError

CONSTRUCTORS = frozenset({"__init__", "__new__", "__post_init__", "__set_name__", "__init_subclass__", "__del__"})
_SELF = Taint("self")
_DEEPEST = 40
"""Calls within calls that are followed."""


def audit_class(sources: Sources, kind: ClassSource, lock: str = "", apart: Collection[str] = ()) -> ClassAudit:
    """Audit a class. ``lock``: the attribute, variable or name that guards it; where none is given, the lock that the
    class makes and takes most. ``apart``: attributes that the lock does not guard. CodeError where the class makes no
    lock and none is named."""
    locks, lock, inferred = locks_of(sources, kind, lock)
    found = _Auditor(sources, kind, sources.bases(kind), locks, lock, inferred, apart).audit()
    for method in found.methods.values():
        for change, _ in method.unguarded:
            module = sources.module(change.place.module)
            if module is not None:
                found.files[module.name] = str(module.path)
    return found


def locks_of(sources: Sources, kind: ClassSource, lock: str = "") -> tuple[Locks, str, bool]:
    """The lock that guards a class, its name, and whether nobody had named it; see :func:`audit_class`."""
    bases = sources.bases(kind)
    made = locks_made(bases)
    inferred = not lock
    if not lock:
        taken = Counter(_uses(bases, made))
        if not made:
            raise CodeError(f"{kind.name} makes no lock; say which one guards it with --lock NAME")
        lock = max(made.values(), key=lambda name: (taken[name], name))
    names = {lock, *(name for name, inner in made.items() if inner == made.get(lock, lock))}
    return Locks(sources, names, frozenset({lock})), lock, inferred


def _uses(bases: Collection[ClassSource], made: Mapping[str, str]) -> list[str]:
    return [
        made[node.attr]
        for kind in bases
        for node in ast.walk(kind.node)
        if isinstance(node, ast.Attribute) and node.attr in made
    ]


class _Auditor:
    def __init__(
        self,
        sources: Sources,
        kind: ClassSource,
        bases: list[ClassSource],
        locks: Locks,
        lock: str,
        inferred: bool,
        apart: Collection[str],
    ) -> None:
        self._sources, self._bases, self._locks = sources, bases, locks
        self._apart = frozenset(apart)
        self._result = ClassAudit(kind.name, lock, inferred)
        self._entered: dict[str, dict[Held, set[str]]] = {}
        self._walked: dict[tuple[str, tuple[tuple[str, str], ...], Held], Walked] = {}
        self._under_way: set[tuple[str, tuple[tuple[str, str], ...], Held]] = set()
        self._kinds = _attribute_kinds(sources, bases, _class_made)
        self._held_kinds = _attribute_kinds(sources, bases, _class_held)
        self._setup = self._only_constructed()

    # What walks ask (see Resolver).

    def method(self, name: str) -> Unit | None:
        """The method of the class with this name."""
        return self._method_of(self._bases, name)

    def parent_method(self, unit: Unit, name: str) -> Unit | None:
        """The method that ``super()`` reaches from there."""
        owner = unit.key.partition(".")[0]
        place = next((place for place, one in enumerate(self._bases) if one.name == owner), 0)
        return self._method_of(self._bases[place + 1 :], name)

    def accessor(self, name: str, *, stored: bool) -> Unit | None:
        """The function of a property."""
        if stored:
            return self._method_of(self._bases, f"{name}.setter")
        found = next(((one, one.methods[name]) for one in self._bases if name in one.methods), None)
        if found is None or not any(
            last_name(one) in ("property", "cached_property") for one in found[1].decorator_list
        ):
            return None
        return self._method_of(self._bases, name)

    def function(self, module: ModuleSource, expression: ast.expr, tainted: Mapping[int, Taint]) -> Unit | None:
        """A function outside the class that is given something of its state."""
        found = self._sources.find(module, expression)
        if not isinstance(found, tuple):
            return None
        home, node = found
        names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
        given = {names[place]: taint for place, taint in tainted.items() if place < len(names)}
        return Unit(f"{home.name}:{node.name}", home, node, given) if given else None

    def foreign(self, owner: Taint, name: str) -> Unit | None:
        """A method of the class of an attribute."""
        if owner.kind is None or owner.fresh:
            return None
        module = self._sources.module(owner.kind[0])
        kind = module.classes.get(owner.kind[1]) if module is not None else None
        if kind is None:
            return None
        for one in self._sources.bases(kind):
            if name in one.methods:
                node = one.methods[name]
                first = next(iter([*node.args.posonlyargs, *node.args.args]), None)
                tainted = {first.arg: Taint(owner.path, kind=owner.kind)} if first is not None else {}
                return Unit(f"{one.module.name}:{one.name}.{name}", one.module, node, tainted)
        return None

    def attribute(self, name: str) -> Taint:
        """An attribute of the object, with its class, or that of what it holds, where the source says."""
        return Taint(f"self.{name}", kind=self._kinds.get(name), holds=self._held_kinds.get(name))

    def runs_later(self, unit: Unit) -> bool:
        """Whether it is a generator or a coroutine."""
        return runs_later(unit.node)

    def summary(self, unit: Unit, held: Held) -> Walked:
        """What a function comes to, entered like that."""
        decorated = not isinstance(unit.node, ast.Lambda) and self._locks.taken_by_decorator(unit.module, unit.node)
        inside: Held = "yes" if decorated else held
        key = (unit.key, tuple(sorted((name, one.path) for name, one in unit.tainted.items())), inside)
        if key in self._walked:
            return self._walked[key]
        if key in self._under_way or len(self._under_way) > _DEEPEST:
            return Walked()
        self._under_way.add(key)
        found = self._walked[key] = Walk(unit, inside, self._locks, self).found
        self._under_way.discard(key)
        return found

    # The audit.

    def audit(self) -> ClassAudit:
        """Every method of the class."""
        called = self._called_inside()
        ways: list[tuple[Unit, Held, str]] = []
        for name in self._names():
            unit = self._unit(name)
            plain = name.removesuffix(".setter")
            if plain in CONSTRUCTORS or unit.key in self._setup:
                continue
            hidden = plain.startswith("_") and not (plain.startswith("__") and plain.endswith("__"))
            if not hidden or plain not in called:
                ways.append((unit, "no", "from outside" if not hidden else "nobody in the class calls it"))
        self._follow(ways)
        for name in self._names():
            self._result.methods[name] = self._judged(name)
        self._result.methods = dict(
            sorted(self._result.methods.items(), key=lambda item: (RANK[item[1].verdict], item[0]))
        )
        return self._result

    def _names(self) -> list[str]:
        found: dict[str, None] = {}
        for kind in self._bases:
            found.update(dict.fromkeys(kind.methods))
        return list(found)

    def _method_of(self, kinds: Collection[ClassSource], name: str) -> Unit | None:
        for kind in kinds:
            node = kind.methods.get(name)
            if node is None:
                continue
            decorators = {last_name(one) for one in node.decorator_list}
            parameters = [*node.args.posonlyargs, *node.args.args]
            tainted = {} if "staticmethod" in decorators or not parameters else {parameters[0].arg: _SELF}
            return Unit(f"{kind.name}.{name}", kind.module, node, tainted)
        return None

    def _unit(self, name: str) -> Unit:
        found = self.method(name)
        assert found is not None
        return found

    def _called_inside(self) -> set[str]:
        """Names of methods that functions of the class name as an attribute."""
        return {
            node.attr
            for kind in self._bases
            for name, function in kind.methods.items()
            for node in ast.walk(function)
            if isinstance(node, ast.Attribute) and node.attr != name
        }

    def _only_constructed(self) -> set[str]:
        """Hidden methods that nothing but constructors call."""
        users: dict[str, set[str]] = {}
        for kind in self._bases:
            for name, function in kind.methods.items():
                for node in ast.walk(function):
                    if isinstance(node, ast.Attribute):
                        users.setdefault(node.attr, set()).add(name)
        found = set()
        for name in self._names():
            by = users.get(name, set()) - {name}
            if name.startswith("_") and not name.startswith("__") and by and by <= CONSTRUCTORS:
                found.add(self._unit(name).key)
        return found

    def _follow(self, ways: list[tuple[Unit, Held, str]]) -> None:
        """Enter every function in every way that is found."""
        met: set[tuple[str, Held, str]] = set()
        while ways:
            unit, held, how = ways.pop()
            self._entered.setdefault(unit.key, {}).setdefault(held, set()).add(how)
            tainted = ",".join(sorted(one.path for one in unit.tainted.values()))
            if (unit.key, held, tainted) in met:
                continue
            met.add((unit.key, held, tainted))
            found = self.summary(unit, held)
            for call, callee in found.calls:
                ways.append((callee, call.held, f"{unit.key} at {call.place}"))
            for place, callee in found.escapes:
                ways.append((callee, "no", f"handed out by {unit.key} at {place}"))

    def _judged(self, name: str) -> MethodAudit:
        unit = self._unit(name)
        place = Place(unit.module.name, unit.node.lineno)
        plain = name.removesuffix(".setter")
        if plain in CONSTRUCTORS or unit.key in self._setup:
            return MethodAudit(name, place, "constructor")
        ways = self._entered.get(unit.key, {})
        changes: dict[Change, None] = {}
        unguarded: dict[Change, tuple[str, ...]] = {}
        for held in ways:
            for change, there, path in self._reached(unit, held, (), set()):
                if _attribute_of(change.what) in self._apart:
                    continue
                changes[change] = None
                if there != "yes":
                    unguarded.setdefault(change, path)
        verdict: Verdict = "only reads"
        if changes:
            verdict = "possibly unguarded" if unguarded else "proven guarded"
        entered = sorted(how for held, hows in ways.items() if held != "yes" for how in hows)
        return MethodAudit(
            name,
            place,
            verdict,
            self._how_locked(unit, ways),
            tuple(sorted(changes)),
            tuple(sorted(unguarded.items())),
            tuple(entered),
        )

    def _reached(
        self, unit: Unit, held: Held, path: tuple[str, ...], met: set[tuple[str, Held]]
    ) -> list[tuple[Change, Held, tuple[str, ...]]]:
        """Every change that a function comes to, itself or through what it calls."""
        if (unit.key, held) in met:
            return []
        met.add((unit.key, held))
        found = self.summary(unit, held)
        reached = [(change, there, path) for change, there in found.changes]
        for call, callee in found.calls:
            reached += self._reached(callee, call.held, (*path, f"{callee.key} at {call.place}"), met)
        return reached

    def _how_locked(self, unit: Unit, ways: Mapping[Held, Collection[str]]) -> tuple[str, ...]:
        """How the lock is taken around or in a function, in words."""
        said: list[str] = []
        node = unit.node
        if not isinstance(node, ast.Lambda):
            decorator = self._locks.taken_by_decorator(unit.module, node)
            if decorator is not None:
                return (f"decorator at {unit.module.name}:{decorator.lineno}",)
        for one in own_nodes(node):
            if isinstance(one, (ast.With, ast.AsyncWith)) and any(
                self._locks.is_lock(item.context_expr) or self._locks.locks_by_name(unit.module, item.context_expr)
                for item in one.items
            ):
                said.append(f"with at {unit.module.name}:{one.lineno}")
            elif (
                isinstance(one, ast.Call)
                and isinstance(one.func, ast.Attribute)
                and one.func.attr == "acquire"
                and self._locks.is_lock(one.func.value)
            ):
                said.append(f"acquire at {unit.module.name}:{one.lineno}")
        if not said and ways and set(ways) == {"yes"}:
            said.append("all callers")
        return tuple(sorted(said))


def _attribute_of(path: str) -> str:
    """The attribute of the object through which state is reached."""
    return re.split(r"[^\w]", path.removeprefix("self."), maxsplit=1)[0]


def _class_made(value: ast.Call) -> ast.expr | None:
    """What names the class of which a call makes an instance."""
    return value.func


def _class_held(value: ast.Call) -> ast.expr | None:
    """What names the class of what a container makes by itself."""
    return value.args[0] if last_name(value.func) == "defaultdict" and value.args else None


def _attribute_kinds(
    sources: Sources, bases: Collection[ClassSource], named: Callable[[ast.Call], ast.expr | None]
) -> dict[str, tuple[str, str]]:
    """The classes of attributes, by what is assigned to them anywhere; of two none. ``named``: what of an assigned
    call names the class."""
    found: dict[str, tuple[str, str] | None] = {}
    for kind in bases:
        for node in ast.walk(kind.node):
            if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not isinstance(node.value, ast.Call):
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            made = sources.class_of(kind.module, named(node.value))
            for target in targets:
                if isinstance(target, ast.Attribute) and made is not None:
                    known = (made.module.name, made.name)
                    found[target.attr] = known if found.get(target.attr, known) == known else None
    return {name: one for name, one in found.items() if one is not None}
