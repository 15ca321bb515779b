"""Which of the findings that a night has met are news: the first program of each cause."""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.campaign.corpus import Known


def by_cause(everything: Sequence[Known], night: str) -> tuple[list[Known], list[Known]]:
    """What this night met first: news, and further programs of a cause that is known or among the news. A cause that
    is gone is known no longer, one that was a warning makes no error old."""
    told = {_kind(one) for one in everything if one.found != night and one.cause and one.state == "kept"}
    told |= {(*kind[:3], "warning") for kind in told}
    new: list[Known] = []
    further: list[Known] = []
    mine = [one for one in everything if one.found == night]
    for one in sorted(mine, key=lambda one: (one.severity != "error", len(one.operations), one.program, one.name)):
        kind = _kind(one)
        (further if one.cause and kind in told else new).append(one)
        told |= {kind, (*kind[:3], "warning")}
    return new, further


def _kind(known: Known) -> tuple[str, str, str, str]:
    return known.target, known.release, known.cause, known.severity
