"""What is said of the pairs of a target's operations: a section, with a picture of which may run together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from semafuzz.harness.kernel.outcome import Severity
from semafuzz.harness.search.conclusion import limit_kind
from semafuzz.harness.sections.section import Row, Section
from semafuzz.strategies.pairs.search import PairOfOperations

NAME = "pairs"
_PICTURED = 14
"""Operations of which a picture still fits on a terminal."""
MARKS = {"violates": "X", "not exhausted": "~", "limited": "?", "not run": ".", "verified": "="}
"""What can be said of a pair, the worst first, and how the picture shows it."""


def answer(pair: PairOfOperations) -> str:
    """One of the words that ``MARKS`` has."""
    if pair.violated:
        return "violates"
    if not pair.schedules:
        return "not run"
    if pair.exhausted:
        return "verified"
    return "limited" if any(one.limits for one in pair.programs) else "not exhausted"


def said(pair: PairOfOperations) -> str:
    """The answer with its figures."""
    programs = f"{len(pair.possible)} program{'s' if len(pair.possible) != 1 else ''}"
    counts = f"{pair.traces:,} trace{'s' if pair.traces != 1 else ''} of {programs}"
    done = sum(one.exhausted for one in pair.possible)
    word = answer(pair)
    if word == "verified":
        return f"verified for all {counts}"
    if word == "not run":
        return "not run"
    if word == "violates":
        return f"violates, after {pair.schedules:,} schedules"
    if word == "limited":
        return f"no violation in {counts}; something took part unseen"
    return f"not exhausted: {done} of {programs} are, {counts} seen"


def pairs_section(pairs: Sequence[PairOfOperations], title: str) -> Section:
    """The section. Those that violate come first, then those that are not known, then the verified ones."""
    order = list(MARKS)
    severities: dict[str, Severity | None] = {"violates": "error"}
    ranked = sorted(pairs, key=lambda pair: (order.index(answer(pair)), pair.names))
    rows = tuple(
        Row(
            (" | ".join(pair.names), said(pair)),
            severities.get(answer(pair)),
            data={
                "operations": list(pair.names),
                "answer": answer(pair),
                "traces": pair.traces,
                "schedules": pair.schedules,
                "programs": len(pair.possible),
                "exhausted": sum(one.exhausted for one in pair.possible),
                "limits": sorted({limit for one in pair.programs for limit in one.limits}),
            },
        )
        for pair in ranked
    )
    return Section(
        NAME,
        title,
        sum(pair.schedules for pair in pairs),
        rows,
        ("operations", "answer"),
        (*picture(pairs), *_unseen(pairs)),
        divided=True,
    )


def _unseen(pairs: Sequence[PairOfOperations]) -> list[str]:
    """What took part unseen, by its kind, with an example of each, and in how many pairs."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for pair in pairs:
        if answer(pair) == "limited":
            limits = sorted({limit for one in pair.programs for limit in one.limits})
            counts.update({_kind(limit) for limit in limits})
            examples = {**{_kind(limit): limit for limit in reversed(limits)}, **examples}
    order = sorted(counts, key=lambda kind: (-counts[kind], kind))
    lines = [f"unseen in {counts[kind]} of {len(pairs)}, as {examples[kind]}" for kind in order]
    return ["", *lines] if lines else []


def _kind(limit: str) -> str:
    """That of a limit; of one about state, which is said of many things, all that it says."""
    kind = limit_kind(limit)
    return limit if kind is None or kind == "state" else kind


def picture(pairs: Sequence[PairOfOperations]) -> list[str]:
    """A triangle: which operations may run together. Nothing where there are too many for a terminal."""
    names = sorted({name for pair in pairs for name in pair.names})
    if not 1 < len(names) <= _PICTURED:
        return []
    found = {frozenset(pair.names): MARKS[answer(pair)] for pair in pairs}
    width = max(map(len, names))
    lines = [
        f"{name:>{width}} " + " ".join(found.get(frozenset((name, other)), " ") for other in names[: place + 1])
        for place, name in enumerate(names)
    ]
    legend = "X violates  = verified  ~ not exhausted  ? something unseen  . not run"
    return ["", *lines, " " * width + " " + " ".join(name[0] for name in names), "", legend]
