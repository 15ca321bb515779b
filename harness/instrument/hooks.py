"""Hooks: the functions that rewritten code calls.

Outside an execution every hook does what the original code did and nothing
else. Inside, it announces the access to the kernel first and performs it
after: a value must not be fetched before the task is chosen.

Each hook ends with the number of the code place (``semafuzz.harness.kernel.sites``),
except where a builtin's name is replaced: then the place comes first.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from typing import Any, Final

from semafuzz.harness.instrument.attributes import (
    attr,
    bound,
    bound_alone,
    called,
    del_attr,
    delete_attribute,
    dictionary,
    entered,
    get_attribute,
    has_attribute,
    method,
    names_of_module,
    of_class,
    set_attr,
    set_attribute,
    variables,
)
from semafuzz.harness.instrument.calls import announced, later, prepared
from semafuzz.harness.instrument.items import (
    changed,
    contains,
    deep,
    deep_calling,
    del_item,
    delegated,
    item,
    iterate,
    own_names,
    set_item,
    truth,
    turn,
    whole,
)
from semafuzz.harness.instrument.operators import combine, in_place
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.doubles.hashes import number_instances
from semafuzz.harness.kernel.event_kinds import READ, WRITE


def read(home: object, name: str, site: int) -> None:
    """A variable is about to be loaded. Returns None, so that rewritten code
    can say ``read(...) or name``."""
    execution = current.execution
    if execution is not None:
        execution.touch(READ, home, name, site)


def write(value: Any, home: object, name: str, site: int) -> Any:
    """``value`` is about to be stored in a variable."""
    execution = current.execution
    if execution is not None:
        execution.touch(WRITE, home, name, site)
    return value


def binder(home: object, name: str, site: int) -> Callable[[Any], Any]:
    """A decorator for a function or class whose name is shared: it is about to be stored."""
    return functools.partial(write, home=home, name=name, site=site)


class Cell:
    """Stands for the variables of one call of a function."""

    __slots__ = ()


def evaluated_source(source: Any, site: int) -> Any:
    """What is given to ``eval`` or ``exec``: text is rewritten as the code around it is."""
    execution = current.execution
    if execution is None or not execution.thorough:
        return source
    if type(source) is not str:
        execution.limit("reach", "code that was compiled before, as eval or exec ran it", site)
        return source
    return rewriting_of_text[0](source, site)


rewriting_of_text: list[Callable[[str, int], Any]] = [lambda source, site: source]
"""Rewrites an expression or statements to code; put here by the module that compiles."""

WHOLE_READERS: Final = frozenset(
    "len list tuple set dict frozenset sorted sum min max any all repr str bool bytes reversed".split()  # noqa: SIM905
)
"""Builtins that look at all of their first argument before they return."""
LAZY_READERS: Final = frozenset(["iter", "enumerate", "zip", "map", "filter"])
"""Builtins that go over their arguments later."""

HOOKS: Final[dict[str, Any]] = {
    "attr": attr,
    "set_attr": set_attr,
    "del_attr": del_attr,
    "item": item,
    "set_item": set_item,
    "del_item": del_item,
    "contains": contains,
    "combine": combine,
    "called": called,
    "whole": whole,
    "truth": truth,
    "iterate": iterate,
    "turn": turn,
    "deep": deep,
    "deep_calling": deep_calling,
    "changed": changed,
    "delegated": delegated,
    "own_names": own_names,
    "later": later,
    "prepared": prepared,
    "announced": announced,
    "bound": bound,
    "bound_alone": bound_alone,
    "source": evaluated_source,
    "method": method,
    "entered": entered,
    "read": read,
    "write": write,
    "cell": Cell,
    "binder": binder,
    "number_instances": number_instances,
    "names_of_module": names_of_module,
    "of_class": of_class,
    "in_place": in_place,
    "slice": builtins.slice,
    "getattr": get_attribute,
    "hasattr": has_attribute,
    "setattr": set_attribute,
    "delattr": delete_attribute,
    "vars": variables,
    "dictionary": dictionary,
    "globals": builtins.globals,
}
"""Hooks by the names that the rewriter uses for them."""
