"""Names of objects for a person."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from semafuzz.harness.instrument.containers import CONTAINERS
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.instances import attributes_of
from semafuzz.harness.kernel.lockable import lock_of
from semafuzz.harness.kernel.naming import Namer
from semafuzz.harness.kernel.task import RawEvent
from semafuzz.harness.kernel.tokens import Token
from semafuzz.reports.run_view.stored_values import UNKNOWN, attribute_value


class ReadableNamer(Namer):
    """As :class:`Namer`, but classes have their names (``Settings`` for ``type#1``; two of one name are numbered), and
    containers and locks those of the attributes that hold them now: ``Stock#1.items`` for ``dict#2``.

    ``events``: those of the run. What several attributes hold has the name of that which was used first; what was
    exchanged meanwhile keeps its number.
    """

    def __init__(self, events: Iterable[RawEvent] = ()) -> None:
        super().__init__()
        self._holders: dict[int, tuple[object, str]] = {}
        for kind, _, subject, name, _ in events:
            if type(subject) is Token:
                continue
            if kind in (op.READ, op.WRITE) and type(name) is str and not issubclass(type(subject), (type, dict)):
                for part in _parts(attribute_value(subject, name)):
                    self._holders.setdefault(address(part), (subject, name))

    def name(self, subject: object) -> str:
        """The name of ``subject``; the same object, the same name."""
        found = self._names.get(address(subject))
        if found is not None:
            return found
        if issubclass(type(subject), type):
            kind = str(type.__dict__["__name__"].__get__(subject))
            number = self._counts[f"class {kind}"] = self._counts.get(f"class {kind}", 0) + 1
            self._names[address(subject)] = kind if number == 1 else f"{kind}#{number} (class)"
            return self._names[address(subject)]
        if address(subject) in self._holders:
            owner, attribute = self._holders.pop(address(subject))
            # What holds itself by way of others has its name by now.
            return self._names.setdefault(address(subject), f"{self.name(owner)}.{attribute}")
        return super().name(subject)


def _parts(value: object) -> list[object]:
    """What a value is named for: itself, and the lock inside of a condition."""
    if value is UNKNOWN:
        return []
    if issubclass(type(value), CONTAINERS) or lock_of(value) is not None:
        return [value]
    inner = attributes_of(value).get("_lock") if type(value) is threading.Condition else None
    return [] if lock_of(inner) is None else [inner]
