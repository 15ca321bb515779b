"""Bisection of a finding over releases, for pages and texts."""

from __future__ import annotations

from semafuzz.reports.run_view.schema import FindingView


def by_answer(picture: FindingView) -> list[tuple[str, str]]:
    """What a bisection said: each answer with its releases."""
    told: dict[str, list[str]] = {}
    for release, answer in picture.releases.items():
        told.setdefault(answer, []).append(release)
    return [(answer, ", ".join(releases)) for answer, releases in told.items()]
