"""Names of objects for a person."""

from __future__ import annotations

from semafuzz.harness.kernel.naming import Namer


class ReadableNamer(Namer):
    """As :class:`Namer`, and classes by their names: ``Settings`` for ``type#1``. Two of one name are numbered."""

    def name(self, subject: object) -> str:
        """The name of ``subject``; the same object, the same name."""
        found = self._names.get(id(subject))
        if found is None and issubclass(type(subject), type):
            kind = str(type.__dict__["__name__"].__get__(subject))
            number = self._counts[f"class {kind}"] = self._counts.get(f"class {kind}", 0) + 1
            found = self._names[id(subject)] = kind if number == 1 else f"{kind}#{number} (class)"
        return found if found is not None else super().name(subject)
