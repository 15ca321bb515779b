"""Objects as they travel over RPC: dictionaries of plain data.

Rows of the in-memory database hold exactly the ``nova_object.data`` of such a
primitive. A primitive inside a row is never changed, only replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Row = dict[str, Any]
Primitive = dict[str, Any]


def wrap(name: str, version: str, data: Mapping[str, Any], changed: Iterable[str] | None = None) -> Primitive:
    """The primitive of an object of the class ``name``."""
    made: Primitive = {
        "nova_object.name": name,
        "nova_object.namespace": "nova",
        "nova_object.version": version,
        "nova_object.data": dict(data),
    }
    if changed:
        made["nova_object.changes"] = list(changed)
    return made


def has_changes(primitive: Any) -> bool:
    """Whether the object arrives with unsaved fields."""
    return isinstance(primitive, dict) and bool(primitive.get("nova_object.changes"))


def is_object(value: Any) -> bool:
    """Whether ``value`` is the primitive of an object."""
    return isinstance(value, dict) and "nova_object.name" in value


def set_fields(instance: Any, names: Iterable[str]) -> Row:
    """``{name: primitive}`` of those fields that are set."""
    return {
        name: instance.fields[name].to_primitive(instance, name, getattr(instance, name))
        for name in names
        if instance.obj_attr_is_set(name)
    }


def differences(instance: Any, row: Row, names: Iterable[str], updates: Row) -> Row:
    """What loading ``row`` into ``instance`` would change: it travels back."""
    for name in names:
        value = row.get(name)
        if not instance.obj_attr_is_set(name):
            updates[name] = value
            continue
        old = getattr(instance, name)
        if old is value:
            continue
        if old is None or instance.fields[name].to_primitive(instance, name, old) != value:
            updates[name] = value
    return updates


def bare_node(host: str, node: str, uuid: str) -> Row:
    """What an earlier start of the service has recorded of a node: its name, and no sizes."""
    sizes = ("vcpus", "memory_mb", "local_gb")
    row: Row = dict.fromkeys([*sizes, *(f"{size}_used" for size in sizes), "hypervisor_version"], 0)
    return row | {"host": host, "hypervisor_hostname": node, "uuid": uuid, "hypervisor_type": "fake", "cpu_info": ""}
