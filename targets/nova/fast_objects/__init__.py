"""Fast paths through Nova's object library, for worlds in memory.

The real world never has them, so that what confirms a finding is independent of them; ``--set
objects=plain`` switches them off everywhere.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from semafuzz.targets.nova.fast_objects import paths
from semafuzz.targets.nova.fast_objects.meaning import meaning_of

KNOWN: Mapping[str, frozenset[str]] = {
    "_make_class_properties": frozenset({"29437e3db8109f0a", "b26d8bd6a2609df7"}),
    "_get_attrname": frozenset({"af3ef0a8df073d53"}),
    "obj_attr_is_set": frozenset({"9437b6c5f7dfd91f"}),
    "obj_fields": frozenset({"22122504db78ca75", "52dd68125cec7bcb"}),
    "obj_what_changed": frozenset({"f2bbe743a9a21986", "4e9973629aa922bc"}),
    "obj_to_primitive": frozenset({"2f805c1cea980470"}),
    "_obj_from_primitive": frozenset({"441502a16b1cd5d5", "c9c52fea893be76c"}),
    "__deepcopy__": frozenset({"32d5806ae651cdd5"}),
    "obj_tree_get_versions": frozenset({"169e59e8b2356966", "81052096d8d4ed74"}),
    "Field.from_primitive": frozenset({"ef3fe135877a7707", "d86eff0e015bb46f"}),
    "FieldType.from_primitive": frozenset({"c7d5dc8376f16b39", "a21301d35c70e180"}),
    "Dict.coerce": frozenset({"fc2ac0c2bcb8ff3f", "b65d3ec026df6760"}),
    "Set.coerce": frozenset({"b697d33c19fed263", "0b43dcacf111abe0"}),
    "List.coerce": frozenset({"fcc62140e688a2f6", "13da3b8bbfb91921"}),
    "Field.coerce": frozenset({"2f1bbab6076e67e6", "34e5301fb1fe4cbb"}),
    "String.coerce": frozenset({"0ee4a631a88f3029", "e6e1a92589a67ac5"}),
    "Integer.coerce": frozenset({"29e53eb2f6078e91", "989c907d9d4cafc5"}),
    "Float.coerce": frozenset({"64c7be6a8a697ba6"}),
    "Boolean.coerce": frozenset({"bcd006e3f2d2896f", "ea91672695caf8ed"}),
    "UUID.coerce": frozenset({"9550f3493fb58862", "9932f35ee0db5e72"}),
    "isotime": frozenset({"f13484b24cbf4d98", "309fb976cc1f3da0"}),
    "DateTime.to_primitive": frozenset({"cbbd22e33430cf57", "099ad8f2766ff130"}),
    "Object.from_primitive": frozenset({"79c8bf3e32f2b5ff", "af77f82bb6db35f6"}),
    "DateTime.from_primitive": frozenset({"891ada34e53408f0"}),
    "DateTime.coerce": frozenset({"33963013c848d089", "f939119a19f2a752"}),
}
"""What was read, in 3.0.1 and 3.12.0; see ``semafuzz.targets.nova.fast_objects.meaning``."""

_NEEDED = ("_make_class_properties", "_get_attrname", "obj_attr_is_set", "obj_fields", "Field.coerce")
"""Without these nothing is replaced: all else builds on them."""

_Change = tuple[Any, str, Any, Any]


class FastObjects:
    """The fast paths of the library that is loaded; switched on and off as often as need be."""

    def __init__(self) -> None:
        self._changes: list[_Change] | None = None
        self._is_on = False
        self._fields: dict[Any, paths.Fields] = {}
        self.unknown: list[str] = []

    def switch(self, on: bool) -> None:
        """Put them in force, or put the library back as it was."""
        if on == self._is_on:
            return
        if self._changes is None:
            self._changes = self._made()
        for owner, name, original, fast in self._changes:
            setattr(owner, name, fast if on else original)
        self._is_on = on

    def _made(self) -> list[_Change]:
        from oslo_versionedobjects import base, fields

        functions = _functions(base, fields)
        self.unknown = [name for name, function in functions.items() if meaning_of(function) not in KNOWN[name]]
        if any(name in self.unknown for name in _NEEDED):
            return []
        exact = self._exact(fields)
        getters = frozenset(_getter_codes(base))
        own = base.VersionedObject

        def fields_of(kind: Any) -> paths.Fields:
            found = self._fields.get(kind)
            if found is None:
                found = self._fields[kind] = paths.Fields(kind, getters | fast_getters, exact, fields)
            return found

        changes: list[_Change] = list(_property_changes(base, getters, exact))
        fast_getters = frozenset(change[3].fget.__code__ for change in changes)
        containers = (fields.CoercedList, fields.CoercedDict, fields.CoercedSet)
        own_coerce = ("List.coerce", "Dict.coerce", "Set.coerce")
        wanted: list[tuple[Any, str, tuple[str, ...], Callable[[Any], Any]]] = [
            (own, "obj_attr_is_set", (), paths.attr_is_set),
            (own, "obj_what_changed", ("obj_what_changed",), lambda it: paths.what_changed(it, fields_of, own)),
            (own, "obj_to_primitive", ("obj_to_primitive",), lambda it: paths.to_primitive(it, fields_of)),
            (
                own,
                "__deepcopy__",
                ("__deepcopy__", *own_coerce),
                lambda it: paths.deep_copy(it, fields_of, copy.deepcopy, containers),
            ),
            (
                own,
                "_obj_from_primitive",
                ("_obj_from_primitive", "Field.from_primitive", "FieldType.from_primitive"),
                lambda it: paths.from_primitive(it, fields_of),
            ),
            (base, "obj_tree_get_versions", ("obj_tree_get_versions",), paths.tree_versions),
            (fields.UUID, "coerce", ("UUID.coerce",), paths.uuid_coerce),
            (fields.DateTime, "from_primitive", ("DateTime.from_primitive", "DateTime.coerce"), paths.time_parsed),
            (fields.DateTime, "to_primitive", ("DateTime.to_primitive", "isotime"), paths.time_told),
            (fields.Object, "from_primitive", ("Object.from_primitive",), lambda it: paths.object_read(it, own)),
        ]
        for owner, name, needed, make in wanted:
            if not set(needed) & set(self.unknown):
                original = vars(owner)[name]
                # Older releases have as static methods what newer ones have as methods.
                around = type(original) if isinstance(original, (staticmethod, classmethod)) else None
                fast = make(original if around is None else original.__func__)
                changes.append((owner, name, original, fast if around is None else around(fast)))
        return changes

    def _exact(self, fields: Any) -> dict[Callable[..., Any], type]:
        """Functions that coerce, which give values of one type back as they are."""
        kinds = {"String": str, "Integer": int, "Float": float, "Boolean": bool}
        return {
            getattr(fields, name).coerce: kind for name, kind in kinds.items() if f"{name}.coerce" not in self.unknown
        }


def _functions(base: Any, fields: Any) -> dict[str, Callable[..., Any]]:
    own = base.VersionedObject
    found = {name: getattr(base, name) for name in ("_make_class_properties", "_get_attrname", "obj_tree_get_versions")}
    for name in ("obj_attr_is_set", "obj_what_changed", "obj_to_primitive", "_obj_from_primitive", "__deepcopy__"):
        found[name] = getattr(own, name)
    found["obj_fields"] = own.obj_fields.fget
    found["isotime"] = fields._utils.isotime
    for name in KNOWN:
        kind, _, method = name.partition(".")
        if method:
            found[name] = getattr(getattr(fields, kind), method)
    return found


def _classes(base: Any) -> list[Any]:
    return [kind for kinds in base.VersionedObjectRegistry.obj_classes().values() for kind in kinds]


def _getter_codes(base: Any) -> set[Any]:
    """The code of the library's own getters, which all properties of fields share."""
    inner = base._make_class_properties.__code__.co_consts
    return {code for code in inner if getattr(code, "co_name", "") == "getter"}


def _property_changes(base: Any, getters: frozenset[Any], exact: Mapping[Any, type]) -> list[_Change]:
    changes: list[_Change] = []
    for kind in dict.fromkeys(_classes(base)):
        if kind.__setattr__ is not object.__setattr__ or hasattr(kind, "__getattr__"):
            continue
        for name, field in kind.fields.items():
            found = vars(kind).get(name)
            if type(found) is not property or found.fget is None or found.fget.__code__ not in getters:
                continue
            if hasattr(kind, f"_obj_{name}"):
                continue
            is_plain = type(field).coerce is base.obj_fields.Field.coerce
            kept_as_is = exact.get(getattr(type(field._type), "coerce", None)) if is_plain else None
            changes.append((kind, name, found, paths.property_of(name, field, found, kept_as_is)))
    return changes
