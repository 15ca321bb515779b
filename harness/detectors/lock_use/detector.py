"""How locks and conditions are used, over all executions of a search.

What it misses and when it is wrong: see :mod:`.held` and :mod:`.conditions`. No execution fails by it. A row is a
warning where harm was seen in some execution: somebody waited for ever at the place that is named, or for the lock
that was left; or every failing execution has the wait that did not look again. Otherwise it is a note.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from semafuzz.harness.detectors.lock_use.conditions import misused_waits
from semafuzz.harness.detectors.lock_use.held import HeldLocks
from semafuzz.harness.detectors.lockset.lock_names import Names
from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.detectors.sampling import Sample
from semafuzz.harness.errors import documentation
from semafuzz.harness.kernel.outcome import ADVICE, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.sections.section import Row, Section


class _Seen(NamedTuple):
    """One use of a lock or condition in one execution. ``kind``: for machines; ``subject``: the lock or condition;
    ``sites``: first that of the wait, or of who took the lock; ``words``: what is done there, ``{subject}`` and the
    places to be filled in; ``harmed``: somebody waits for ever by it, in this execution."""

    kind: str
    subject: object
    sites: tuple[int, ...]
    words: str
    harmed: bool = False


@dataclass(slots=True)
class Use:
    """The same over all executions. ``stuck``: executions in which somebody waited for ever there."""

    kind: str
    text: str
    sites: tuple[int, ...]
    executions: int = 0
    failed: int = 0
    stuck: int = 0


@dataclass(slots=True)
class LockUse(Detector):
    """Learns from executions. ``found``: by what it is and its places."""

    section = "lock-use"

    found: dict[tuple[str, tuple[int, ...]], Use] = field(default_factory=dict)
    _sample: Sample = field(default_factory=Sample)
    _failed: int = 0
    _stuck_at: dict[int, int] = field(default_factory=dict)

    def keep(self, outcome: Outcome) -> None:
        """Learn from an execution."""
        for site in {site for one in outcome.failures if one.kind == "deadlock" for site in one.sites}:
            self._stuck_at[site] = self._stuck_at.get(site, 0) + 1
        if not self._sample.takes():
            return
        failed = any(failure.kind not in ADVICE for failure in outcome.failures)
        self._failed += failed
        seen = {(one.kind, one.sites): one for one in _uses(outcome)}
        names: Names | None = None
        for key, one in seen.items():
            use = self.found.get(key)
            if use is None:
                names = names or Names(outcome.events)
                use = self.found[key] = Use(one.kind, _text(one, names), one.sites)
            use.executions += 1
            use.failed += failed
            use.stuck += one.harmed

    def report(self) -> Section:
        """What was seen so far, what did harm first."""
        rows = sorted(self.found.values(), key=lambda use: (not self._harm(use), -use.executions, use.text))
        return Section(
            self.section,
            f"Locks and conditions in {self._sample.looked:,} executions ({documentation('lock-use')})",
            self._sample.looked,
            tuple(self._row(use) for use in rows),
            empty="nobody waits under a lock, leaves one behind, or waits for a condition without looking",
        )

    def _row(self, use: Use) -> Row:
        harm = self._harm(use)
        places = tuple(SITES[site] for site in use.sites)
        times = "" if use.executions == 1 else "s"
        details = (harm or f"in {use.executions:,} execution{times}; no harm of it was seen",)
        data = {
            "kind": use.kind,
            "places": [SITES[site].place() for site in use.sites],
            "executions": use.executions,
            "failed": use.failed,
            "stuck": self._stuck(use),
        }
        return Row((use.text,), "warning" if harm else "note", details, data, places)

    def _stuck(self, use: Use) -> int:
        return use.stuck if use.kind == "left" else self._stuck_at.get(use.sites[0], 0)

    def _harm(self, use: Use) -> str:
        """What came of it; empty for nothing."""
        stuck = self._stuck(use)
        if stuck:
            return f"in {stuck:,} execution{'' if stuck == 1 else 's'} somebody waits for ever " + (
                "for that lock" if use.kind == "left" else "there"
            )
        if (
            use.kind == "not-looked-again"
            and use.failed
            and use.failed == self._failed
            and use.executions < self._sample.looked
        ):
            return f"{use.failed:,} of {use.executions:,} executions with it failed, and no execution without it"
        return ""


def _uses(outcome: Outcome) -> Iterator[_Seen]:
    held = HeldLocks(outcome)
    for wait in held.waits:
        words = f"{{0}}: {wait.words} while it holds {{subject}}"
        yield _Seen("wait", wait.held.lock, (wait.site, wait.held.site), words)
    for left in held.left:
        words = f"{{subject}} is still held after {'an exception ended' if left.failed else 'the end of'} its task"
        yield _Seen("left", left.held.lock, (left.held.site,), words, left.blocked)
    for misused in misused_waits(outcome):
        if misused.unheard:
            sites: tuple[int, ...] = (misused.site, misused.unheard)
            words = "{0}: waits for {subject} without looking first, after {1} has notified nobody"
            yield _Seen("not-looked", misused.condition, sites, words)
        else:
            sites = (misused.site, misused.looked, misused.used)
            words = "{0}: waits for {subject}, and what {1} looked at is not looked at again before {2}"
            yield _Seen("not-looked-again", misused.condition, sites, words)


def _text(one: _Seen, names: Names) -> str:
    places = [SITES[site].place() for site in one.sites]
    if one.kind in ("wait", "left"):
        name = names.known(one.subject, one.sites[-1])
        taken = f"taken at {places[-1]}"
        return one.words.format(*places, subject=f"{name} ({taken})" if name else f"the lock {taken}")
    return one.words.format(*places, subject=names.known(one.subject, one.sites[-1]) or "a condition")
