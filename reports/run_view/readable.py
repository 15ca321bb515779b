"""A run with the names that a person would use: files for modules, variables for locks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Set

import msgspec

from semafuzz.harness.kernel.sites import SITES
from semafuzz.reports.run_view.schema import Run
from semafuzz.reports.run_view.sources import file_of
from semafuzz.reports.run_view.standard_library import is_of_standard_library
from semafuzz.reports.run_view.variables import variables_in

_NUMBERED = re.compile(r"(?:R?Lock|dict|list|set|deque|defaultdict|OrderedDict|Counter|bytearray)#\d+")
"""How an object is named that nothing but its kind and its order tell from others."""


def with_files(run: Run, numbers: Iterable[int]) -> tuple[Run, dict[str, str]]:
    """``run`` with ``bank.py:7 (deposit)`` for ``bank:7 (deposit)``; and the new places by the old ones.
    ``numbers``: of the sites that it is about."""
    places = {}
    for number in numbers:
        site = SITES[number]
        if site.line:
            places[site.place()] = f"{file_of(site)}:{site.line} ({site.function})"
    return msgspec.structs.replace(run, texts=[places.get(text, text) for text in run.texts]), places


def with_variables(run: Run, sources: Mapping[str, str], on_behalf: Set[int] = frozenset()) -> Run:
    """``run`` with the variables of the program for ``dict#1`` and ``Lock#1``, where all lines at which such an object
    is met mean one, and no other object is called so. ``sources``: lines of the program by place. ``on_behalf``: steps,
    by number, that Python's own code made for the line at which they stand."""
    variables: dict[str, frozenset[str]] = {}
    for step in run.steps:
        if step.number in on_behalf:
            continue
        what = _NUMBERED.match(run.texts[step.what]) if step.what >= 0 else None
        line = sources.get(run.texts[step.place], "") if step.place >= 0 else ""
        if what is not None and line and not is_of_standard_library(run.texts[step.place]):
            meant = variables_in(step.kind, line)
            variables[what[0]] = variables[what[0]] & meant if what[0] in variables else meant
    names = {what: next(iter(found)) for what, found in variables.items() if len(found) == 1}
    given = Counter(names.values())
    names = {what: name for what, name in names.items() if given[name] == 1}
    holds = [msgspec.structs.replace(span, name=names.get(span.name, span.name)) for span in run.holds]
    return msgspec.structs.replace(run, texts=[_renamed(text, names) for text in run.texts], holds=holds)


def _renamed(text: str, names: Mapping[str, str]) -> str:
    found = _NUMBERED.match(text)
    return text if found is None or found[0] not in names else names[found[0]] + text[found.end() :]
