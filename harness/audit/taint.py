"""Names for what belongs to guarded state: the object itself, and what was reached through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CHANGING: Final = frozenset(
    {
        *("append", "appendleft", "extend", "extendleft", "insert", "remove", "pop", "popleft", "popitem", "clear"),
        *("add", "discard", "update", "setdefault", "sort", "reverse", "rotate", "move_to_end", "subtract"),
        *("difference_update", "intersection_update", "symmetric_difference_update", "__setitem__", "__delitem__"),
        *("__setattr__", "put", "put_nowait", "get_nowait", "set_result", "set_exception"),
    }
)
"""Methods that change a container, whatever class it is of."""
LOOKING: Final = frozenset(
    {
        *("get", "keys", "values", "items", "copy", "count", "index", "__len__", "__contains__", "__iter__", "locked"),
        *(
            "startswith",
            "endswith",
            "split",
            "strip",
            "join",
            "format",
            "lower",
            "upper",
            "encode",
            "decode",
            "replace",
        ),
        *(
            "wait",
            "wait_for",
            "notify",
            "notify_all",
            "is_set",
            "debug",
            "info",
            "warning",
            "error",
            "exception",
            "log",
        ),
        *("most_common", "elements", "union", "intersection", "difference", "issubset", "issuperset", "isdisjoint"),
    }
)
"""Methods that change nothing, whatever class it is of."""
LOOKING_WORDS: Final = frozenset(
    {"get", "is", "has", "list", "find", "count", "to", "as", "format", "obj", "can", "describe"}
)
"""A method of an unknown class that begins with such a word is taken to change nothing."""
GIVING: Final = frozenset({"get", "pop", "popleft", "setdefault", "values", "items", "popitem"})
"""Methods that give what a container holds."""
COPYING: Final = frozenset(
    {"list", "dict", "set", "tuple", "sorted", "frozenset", "reversed", "iter", "enumerate", "zip"}
)
"""Functions that give a new container of the same things."""
CHANGING_FUNCTIONS: Final = {
    "setattr": 0, "delattr": 0, "next": 0, "heappush": 0, "heappop": 0, "heapify": 0, "heapreplace": 0,
    "heappushpop": 0, "insort": 0, "insort_left": 0, "insort_right": 0, "shuffle": 0, "setitem": 0, "delitem": 0,
}  # fmt: skip
"""Functions that change an argument, by the last part of their name, and which one."""
CALLING_AT_ONCE: Final = frozenset(
    {"map", "filter", "sorted", "max", "min", "any", "all", "sum", "sort", "reduce", "list"}
)
"""Functions that call what they are given before they return."""


_FAR: Final = 4
"""Steps from the object after which parts are not told apart."""


@dataclass(frozen=True, slots=True)
class Taint:
    """Something that belongs to guarded state. ``path``: as a person reads it. ``fresh``: the container itself is
    new, what it holds is not. ``kind``: the class, by module and name, where the source says; ``holds``: that of what a
    container holds."""

    path: str
    fresh: bool = False
    kind: tuple[str, str] | None = None
    holds: tuple[str, str] | None = None

    def part(self, text: str) -> Taint:
        """What is reached through it; far away everything is one."""
        far = self.path.count(".") + self.path.count("[") >= _FAR
        return Taint(self.path if far else f"{self.path}{text}", kind=self.holds if text == "[...]" else None)


def only_looks(method: str) -> bool:
    """Whether a method of this name is taken to change nothing."""
    return method in LOOKING or method.partition("_")[0] in LOOKING_WORDS or method.startswith("__")
