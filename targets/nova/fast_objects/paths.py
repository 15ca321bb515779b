"""Fast paths: what oslo.versionedobjects does for values of the usual types, with less work.

A third to a half of a run of Nova's tracker is spent in its object library, which builds a list of all
fields to ask for one, coerces again what has its type, and parses again what it parsed. Here the same is
said of the same values; anything else goes to the library's own function. Equality with and without is
held by a test over events, rows, failures and judgements; what the library does with values that no field
should hold (an object in a field of text, put there past its setter) is not the same.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MOST = 4096
"""Texts that are remembered as UUIDs, and as times."""

Function = Callable[..., Any]
_ATOMS = frozenset({str, int, float, bool, type(None), datetime.datetime})


class Fields:
    """What is known of the fields of one class: ``plain`` (its properties are the library's own, so that a
    value is where the library puts it), the names under which values are kept, and which may hold objects."""

    __slots__ = ("holders", "keys", "names", "plain", "reading")

    def __init__(
        self, kind: Any, own_getters: frozenset[Any], identical: Mapping[Function, type], library: Any
    ) -> None:
        found = [_found(kind, name) for name in kind.fields]
        self.plain = all(type(one) is property and getattr(one.fget, "__code__", None) in own_getters for one in found)
        self.names = [(name, f"_obj_{name}", field, field.to_primitive) for name, field in kind.fields.items()]
        self.holders = [
            (name, f"_obj_{name}")
            for name, field in kind.fields.items()
            if getattr(type(field._type), "coerce", None) not in identical
        ]
        self.reading = [
            (name, f"_obj_{name}", field, *_kept_as_read(field, identical, library))
            for name, field in kind.fields.items()
        ]
        self.keys = [kind._obj_primitive_key(part) for part in ("name", "namespace", "version", "data", "changes")]


def _kept_as_read(field: Any, identical: Mapping[Function, type], library: Any) -> tuple[type | None, bool]:
    """The type of values that are the same as a primitive, and whether nothing (None) is."""
    own = library.Field
    if type(field).coerce is not own.coerce or type(field).from_primitive is not own.from_primitive:
        return None, False
    kind = type(field._type)
    converts = getattr(kind, "from_primitive", None) is not library.FieldType.from_primitive
    coerce: Any = getattr(kind, "coerce", None)
    return None if converts else identical.get(coerce), field.nullable


def _found(kind: type, name: str) -> Any:
    for base in kind.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return None


def property_of(name: str, field: Any, own: property, exact: type | None) -> property:
    """The property of a field. ``exact``: values of this very type stay as they are."""
    kept = f"_obj_{name}"
    own_set: Function = own.fset  # type: ignore[assignment]
    coerce = field.coerce

    def getter(self: Any) -> Any:
        values = self.__dict__
        if kept not in values:
            self.obj_load_attr(name)
            return getattr(self, kept)
        return values[kept]

    def setter(self: Any, value: Any) -> None:
        coerced = value if type(value) is exact else coerce(self, name, value)
        self._changed_fields.add(name)
        self.__dict__[kept] = coerced

    return property(getter, own_set if field.read_only else setter, own.fdel)


def attr_is_set(original: Function) -> Function:
    """``VersionedObject.obj_attr_is_set``"""

    def obj_attr_is_set(self: Any, attrname: str) -> bool:
        if attrname in self.fields or attrname in self.obj_extra_fields:
            kept = f"_obj_{attrname}"
            return kept in self.__dict__ or hasattr(self, kept)
        answer: bool = original(self, attrname)
        return answer

    return obj_attr_is_set


def what_changed(original: Function, fields_of: Callable[[Any], Fields], base: type) -> Function:
    """``VersionedObject.obj_what_changed``: only what may hold an object is asked."""

    def obj_what_changed(self: Any) -> set[str]:
        known = fields_of(type(self))
        if not known.plain:
            answer: set[str] = original(self)
            return answer
        fields, values = self.fields, self.__dict__
        changes = {field for field in self._changed_fields if field in fields}
        for name, kept in known.holders:
            value = values.get(kept)
            if value is not None and isinstance(value, base) and value.obj_what_changed():  # type: ignore[attr-defined]
                changes.add(name)
        return changes

    return obj_what_changed


def to_primitive(original: Function, fields_of: Callable[[Any], Fields]) -> Function:
    """``VersionedObject.obj_to_primitive`` for the version that the object has."""

    def obj_to_primitive(self: Any, target_version: Any = None, version_manifest: Any = None) -> Any:
        known = fields_of(type(self))
        if not known.plain or version_manifest or (target_version is not None and target_version != self.VERSION):
            return original(self, target_version, version_manifest)
        values = self.__dict__
        primitive = {
            name: convert(self, name, values[kept]) for name, kept, _, convert in known.names if kept in values
        }
        values_of = (self.obj_name(), self.OBJ_PROJECT_NAMESPACE, self.VERSION, primitive)
        made = dict(zip(known.keys, values_of, strict=False))
        changes = [field for field in self.obj_what_changed() if field in primitive]
        if changes:
            made[known.keys[4]] = changes
        return made

    return obj_to_primitive


def deep_copy(
    original: Function, fields_of: Callable[[Any], Fields], copy: Function, containers: Sequence[type]
) -> Function:
    """``VersionedObject.__deepcopy__``: nothing is to be copied of what cannot change. ``containers``: the
    library's own kinds of list, dict and set."""

    def copied(self: Any, memo: dict[int, Any]) -> Any:
        known = fields_of(type(self))
        if not known.plain:
            return original(self, memo)
        made = self.__class__()
        memo[id(self)] = made
        made._context = self._context
        values = self.__dict__
        for name, kept, _, _ in known.names:
            if kept in values:
                value = values[kept]
                kind = type(value)
                if kind in _ATOMS:
                    setattr(made, name, value)
                # The setter makes a container of the library's own kind of these, with new elements.
                elif kind is containers[0]:
                    setattr(made, name, [one if type(one) in _ATOMS else copy(one, memo) for one in value])
                elif kind is containers[1]:
                    pairs = value.items()
                    setattr(made, name, {key: one if type(one) in _ATOMS else copy(one, memo) for key, one in pairs})
                elif kind is containers[2]:
                    setattr(made, name, {one if type(one) in _ATOMS else copy(one, memo) for one in list(value)})
                else:
                    setattr(made, name, copy(value, memo))
        made._changed_fields = set(self._changed_fields)
        return made

    return copied


def from_primitive(original: Function, fields_of: Callable[[Any], Fields]) -> Function:
    """``VersionedObject._obj_from_primitive``: values that neither conversion nor coercion changes are put
    where the setter puts them. What it notes as changed is overwritten at the end in any case."""

    def _obj_from_primitive(cls: Any, context: Any, objver: str, primitive: Any) -> Any:
        known = fields_of(cls)
        if not known.plain:
            return original(cls, context, objver, primitive)
        made = cls()
        made._context = context
        made.VERSION = objver
        data = cls._obj_primitive_field(primitive, "data")
        changes = cls._obj_primitive_field(primitive, "changes", [])
        values = made.__dict__
        for name, kept, field, exact, nullable in known.reading:
            if name in data:
                value = data[name]
                if type(value) is exact or (nullable and value is None):
                    values[kept] = value
                else:
                    setattr(made, name, field.from_primitive(made, name, value))
        made._changed_fields = {name for name in changes if name in cls.fields}
        return made

    return _obj_from_primitive


def uuid_coerce(original: Function) -> Function:
    """``UUID.coerce``: a text that was one before is one."""
    known: set[str] = set()

    def coerce(*arguments: Any) -> Any:
        value = arguments[-1]
        if type(value) is str:
            if value in known:
                return value
            if len(value) == 36 and value.count("-") == 4 and len(known) < MOST:
                try:
                    int(value.replace("-", ""), 16)
                except ValueError:
                    return original(*arguments)
                answer = original(*arguments)
                known.add(value)
                return answer
        return original(*arguments)

    return coerce


def time_parsed(original: Function) -> Function:
    """``DateTime.from_primitive``: a text that was parsed before for this type is the same time."""
    known: dict[tuple[int, str], tuple[Any, datetime.datetime]] = {}

    def from_primitive(self: Any, obj: Any, attr: str, value: Any) -> Any:
        key = id(self), value
        found = known.get(key)
        if found is None or found[0] is not self:
            if len(known) >= MOST:
                known.clear()
            found = known[key] = self, original(self, obj, attr, value)
        return found[1]

    return from_primitive


def time_told(original: Function) -> Function:
    """``DateTime.to_primitive`` for times in UTC."""

    def to_primitive(*arguments: Any) -> Any:
        value = arguments[-1]
        if type(value) is datetime.datetime and value.year >= 1000:
            zone = value.tzinfo
            if zone is None or zone is datetime.UTC:
                return value.isoformat(timespec="seconds")[:19] + "Z"
        return original(*arguments)

    return to_primitive


def object_read(original: Function, base: type) -> Function:
    """``Object.from_primitive`` without its import."""

    def from_primitive(*arguments: Any) -> Any:
        owner, _, value = arguments[-3:]
        if type(value) is dict and isinstance(owner, base):
            return owner.obj_from_primitive(value, owner._context)  # type: ignore[attr-defined]
        return original(*arguments)

    return from_primitive


def tree_versions(original: Function) -> Function:
    """``obj_tree_get_versions``: classes are registered once."""
    known: dict[str, dict[str, str]] = {}

    def obj_tree_get_versions(objname: str, tree: Any = None) -> Any:
        if tree is not None:
            return original(objname, tree)
        if objname not in known:
            known[objname] = original(objname)
        return dict(known[objname])

    return obj_tree_get_versions
