"""The measure of a night's searches: how many mutants of the target they kill, beside the night before.

It is no news: what a search misses in a given time is its own weakness, and says nothing of the target.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from semafuzz.campaign.night import CampaignState
from semafuzz.campaign.plan import Plan
from semafuzz.campaign.workers import Exit, Limits, run_process
from semafuzz.commands.nightly.answers import last_line
from semafuzz.harness.files.atomic_write import atomic_write
from semafuzz.harness.files.bounded_read import read_record
from semafuzz.self_command import run_options

MOST = 60
"""Mutants of one release, for the time that they may take."""
EACH = 120.0
"""Seconds that a mutant may take beyond its own, for it to be started and its errors to be replayed."""
KEPT = "findings/mutants.score.json"
"""The file in the corpus with the last score of each release, where all is that outlives the machine."""
MAX_BYTES = 8 << 20
Text = Annotated[str, Meta(max_length=4000)]


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of the mutants of one release. ``survivors``: each in words; ``harmless``: argued to be so;
    ``trouble``: why there is no score, or ""; ``date``: of the night, in UTC."""

    release: Text
    date: Text
    mutants: int = 0
    killed: int = 0
    harmless: int = 0
    survivors: Annotated[tuple[Text, ...], Meta(max_length=1000)] = ()
    trouble: Text = ""

    @property
    def words(self) -> str:
        """``15 of 17 killed, 2 argued harmless``."""
        argued = f", {self.harmless} argued harmless" if self.harmless else ""
        return f"{self.killed} of {self.mutants} killed{argued}"


class _Answer(msgspec.Struct):
    """What ``mutate --json`` says."""

    mutants: list[dict[str, Any]]


Scores = Annotated[list[Score], Meta(max_length=10_000)]


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    scores: Scores


class NightMutants:
    """The mutants of each release of a night. ``seconds``: for each of them, 0 where none are asked for; ``memory``:
    MiB that a process may take, 0 for no limit; ``before``: the scores of earlier nights, by release."""

    def __init__(
        self, night: CampaignState, plan: Plan, seconds: float, memory: int, before: Mapping[str, Score]
    ) -> None:
        self._before = before
        self._night, self._plan, self._seconds, self._memory = night, plan, seconds, memory
        self._target = plan.shards[0].target
        self._releases = list(dict.fromkeys(shard.release for shard in plan.shards)) if seconds else []

    @property
    def longest(self) -> float:
        """Seconds that all may take."""
        return len(self._releases) * self._limit

    @property
    def _limit(self) -> float:
        return MOST * (self._seconds + EACH)

    def open(self) -> list[Callable[[], Awaitable[None]]]:
        """What is to be done, for the releases that have no score yet."""
        return [partial(self._judge, place) for place in range(len(self._releases)) if self._ended(place) is None]

    async def _judge(self, place: int) -> None:
        """In a process of its own."""
        release = self._releases[place]
        folder = self._night.attempt("mutants")
        told = ["mutate", self._target, *(["--release", release] if release else []), "--seconds", str(self._seconds)]
        command = [sys.executable, *run_options(), *told, "--seed", str(self._plan.root), "--json"]
        ended = await run_process(command, folder, Limits(self._limit, self._memory << 20))
        atomic_write(self._path(place), msgspec.json.encode(_score(ended, release, self._plan.date)))

    def _path(self, place: int) -> Path:
        return self._night.beside(f"mutants-{place:03d}.json")

    def _ended(self, place: int) -> Score | None:
        path = self._path(place)
        return read_record(path, Score, MAX_BYTES, "delete it, and run again") if path.exists() else None

    def scores(self, late: str) -> tuple[list[tuple[Score, Score | None]], list[tuple[str, str]]]:
        """The scores of this night, each with the one before; and what was to be judged and was not, with why.
        ``late``: said of what was not begun or did not end."""
        scores, unscored = [], []
        for place, release in enumerate(self._releases):
            score = self._ended(place)
            if score is None or score.trouble:
                unscored.append((f"mutants of {self._target} {release}".strip(), score.trouble if score else late))
            else:
                scores.append((score, self._before.get(release)))
        return scores, unscored


def _score(ended: Exit, release: str, date: str) -> Score:
    answer = None if ended.hung else last_line(ended, _Answer)
    if answer is None:
        return Score(release, date, trouble=ended.trouble()[:4000])
    rows = answer.mutants
    survivors = [row for row in rows if not row.get("killed") and not row.get("harmless")]
    return Score(
        release,
        date,
        len(rows),
        sum(bool(row.get("killed")) for row in rows),
        sum(bool(row.get("harmless")) and not row.get("killed") for row in rows),
        tuple(_words(row)[:4000] for row in survivors[:1000]),
    )


def _words(row: dict[str, Any]) -> str:
    """A mutant of a class names what it changed, one of a target is a method without its lock."""
    line = f" (line {row['line']})" if row.get("line") else ""
    return f"{row.get('mutant', 'lock is gone')} in {row.get('method', '?')}{line}"


def last_scores(corpus: Path) -> dict[str, Score]:
    """The scores of earlier nights, by release."""
    path = corpus / KEPT
    if not path.exists():
        return {}
    kept = read_record(path, _Kept, MAX_BYTES, "delete it: the score of the last night is no more known then")
    return {one.release: one for one in kept.scores}


def keep_scores(corpus: Path, scores: Sequence[Score]) -> None:
    """Keep those of this night in the place of earlier ones of the same releases."""
    told = {one.release: one for one in scores if not one.trouble}
    if told:
        merged = {**last_scores(corpus), **told}
        atomic_write(corpus / KEPT, msgspec.json.encode(_Kept([merged[name] for name in sorted(merged)])))
