"""Hooks of operators."""

from __future__ import annotations

import operator
import types
from collections.abc import Callable
from typing import Any, Final

from semafuzz.harness.instrument import object_kinds as kinds
from semafuzz.harness.instrument.attribute_kinds import dictionaries
from semafuzz.harness.instrument.coarse import touch_reached
from semafuzz.harness.instrument.containers import CONTAINERS
from semafuzz.harness.instrument.items import touch_other
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.event_kinds import READ_ALL, WRITE, WRITE_ALL
from semafuzz.harness.kernel.instances import lookup


def combine(name: str, left: Any, right: Any, site: int) -> Any:
    """``left == right``, ``left + right`` and their like."""
    execution = current.execution
    if execution is not None:
        if execution.thorough:
            for side in (left, right):
                if kinds.kind_of(side) != kinds.PASSED:
                    _combined(execution, name, side, site)
        else:
            for side in (left, right):
                if issubclass(type(side), CONTAINERS):
                    execution.touch(READ_ALL, side, None, site)
    return _COMBINING[name](left, right)


def _combined(execution: Any, name: str, side: Any, site: int) -> None:
    """One side of an operator. An instance is looked at where its class says how, in code that is not
    looked into; ``object`` compares identities."""
    if kinds.kind_of(side) == kinds.INSTANCE:
        method = f"__{name.lower()}__" if name not in _OPERATOR_METHODS else _OPERATOR_METHODS[name]
        found = lookup(type(side), method)
        if found is None or found[0] is object or kinds.is_watched(found[1]):
            return
    touch_reached(execution, (side,), _is_another_method(name, side), site)


def _is_another_method(name: str, side: Any) -> bool:
    """Whether a class has a method of C for this operator that goes by another name, as in
    ``__lshift__ = list.append``."""
    method = f"__{name.lower()}__" if name not in _OPERATOR_METHODS else _OPERATOR_METHODS[name]
    found = lookup(type(side), method)
    return found is not None and type(found[1]) is types.MethodDescriptorType


_OPERATOR_METHODS: Final = {
    "NotEq": "__eq__", "LtE": "__le__", "GtE": "__ge__", "Mult": "__mul__", "BitOr": "__or__", "BitAnd": "__and__",
    "BitXor": "__xor__", "FloorDiv": "__floordiv__", "Div": "__truediv__", "MatMult": "__matmul__",
    "LShift": "__lshift__", "RShift": "__rshift__",
}  # fmt: skip


_COMBINING: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
    "Add": operator.add,
    "Sub": operator.sub,
    "Mult": operator.mul,
    "BitOr": operator.or_,
    "BitAnd": operator.and_,
    "BitXor": operator.xor,
    "Mod": operator.mod,
    "Div": operator.truediv,
    "FloorDiv": operator.floordiv,
    "Pow": operator.pow,
    "LShift": operator.lshift,
    "RShift": operator.rshift,
    "MatMult": operator.matmul,
}
CHANGING: Final = frozenset(
    "setitem delitem iadd iconcat imul ior iand isub ixor setattr shuffle "  # noqa: SIM905
    "heappush heappop heapify heapreplace heappushpop insort insort_left insort_right".split()
)
"""Names of functions in C that change their first argument."""


_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "Add": operator.iadd,
    "Sub": operator.isub,
    "Mult": operator.imul,
    "Div": operator.itruediv,
    "FloorDiv": operator.ifloordiv,
    "Mod": operator.imod,
    "Pow": operator.ipow,
    "LShift": operator.ilshift,
    "RShift": operator.irshift,
    "BitOr": operator.ior,
    "BitXor": operator.ixor,
    "BitAnd": operator.iand,
    "MatMult": operator.imatmul,
}


def in_place(name: str, left: Any, right: Any, site: int) -> Any:
    """The operation of an augmented assignment."""
    execution = current.execution
    if execution is not None:
        if issubclass(type(left), CONTAINERS):
            if execution.thorough:
                touch_reached(execution, (right,), False, site)
                _touch_in_place(execution, left, right, site)
            execution.touch(WRITE_ALL, left, None, site)
        elif execution.thorough and kinds.kind_of(left) >= kinds.INSTANCE:
            touch_reached(execution, (right,), False, site)
            touch_other(execution, left, f"__i{name.lower()}__", True, site)
    return _OPERATORS[name](left, right)


def _touch_in_place(execution: Any, left: Any, right: Any, site: int) -> None:
    """``vars(x) |= ...`` changes attributes."""
    if address(left) in dictionaries and issubclass(type(right), dict):
        for key in tuple(right):
            execution.touch(WRITE, dictionaries[address(left)][1], key, site)
