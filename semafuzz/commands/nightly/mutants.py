"""The measure of a night's searches: how many mutants of the target they kill, beside the night before.

It is no news: what a search misses in a given time is its own weakness, and says nothing of the target.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from semafuzz.campaign.night import ATTEMPTS, CampaignState
from semafuzz.campaign.plan import Plan
from semafuzz.campaign.workers import Exit, Limits, run_process
from semafuzz.commands.mutate.unlocked import GRACE, locked_methods
from semafuzz.commands.nightly.answers import last_line
from semafuzz.harness.files.atomic_write import atomic_write
from semafuzz.harness.files.bounded_read import read_record
from semafuzz.self_command import run_options
from semafuzz.targets import find_target
from semafuzz.targets.declared.loading import is_spec

MOST = 60
"""Mutants of one release, for the time that they may take."""
EACH = 120.0
"""Seconds that a mutant is expected to take at most beyond its own, for it to be started and its errors to be tried on
the unchanged code."""
KEPT = "findings/mutants.score.json"
"""The file in the corpus with the last score of each release, where all is that outlives the machine."""
MAX_BYTES = 8 << 20
Text = Annotated[str, Meta(max_length=4000)]


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of the mutants of one release. ``survivors``: each in words; ``harmless``: argued to be so;
    ``date``: of the night, in UTC."""

    release: Text
    date: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    mutants: int = 0
    killed: int = 0
    harmless: int = 0
    survivors: Annotated[tuple[Text, ...], Meta(max_length=1000)] = ()

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


class _Judged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a process said: the score of one mutant, or of all of a class. ``trouble``: why it said nothing, or ""."""

    score: Score | None
    trouble: Text = ""


class NightMutants:
    """The mutants of each release of a night, each of a target in a process of its own, those of a class in one.
    ``seconds``: for each of them, 0 where none are asked for; ``memory``: MiB that a process may take, 0 for no
    limit; ``before``: the scores of earlier nights, by release."""

    def __init__(
        self, night: CampaignState, plan: Plan, seconds: float, memory: int, before: Mapping[str, Score]
    ) -> None:
        self._before = before
        self._night, self._plan, self._seconds, self._memory = night, plan, seconds, memory
        self._target = plan.shards[0].target
        self._releases = list(dict.fromkeys(shard.release for shard in plan.shards)) if seconds else []
        self._parts = {release: self._parts_of(release) for release in self._releases}

    def _parts_of(self, release: str) -> list[str]:
        """What is judged by itself: a method, or "" for all."""
        return [""] if is_spec(self._target) else locked_methods(find_target(self._target), release)

    @property
    def longest(self) -> float:
        """Seconds that all are expected to take at most."""
        each = self._seconds + EACH
        return sum(each * (MOST if parts == [""] else len(parts)) for parts in self._parts.values())

    def open(self) -> list[Callable[[], Awaitable[None]]]:
        """What is to be done still: what has no answer, and once more what ended without one."""
        return [
            partial(self._judge, release, part)
            for release, parts in self._parts.items()
            for part in parts
            if self._is_open(release, part)
        ]

    def _is_open(self, release: str, part: str) -> bool:
        judged = self._judged(release, part)
        if judged is None:
            return True
        return bool(judged.trouble) and len(self._night.attempts(self._name(release, part))) < ATTEMPTS

    async def _judge(self, release: str, part: str) -> None:
        folder = self._night.attempt(self._name(release, part))
        told = ["mutate", self._target, *(["--release", release] if release else []), "--seconds", str(self._seconds)]
        told += ["--only", part] if part else []
        command = [sys.executable, *run_options(), *told, "--seed", str(self._plan.root), "--json"]
        limit = self._seconds + GRACE if part else MOST * (self._seconds + EACH)
        ended = await run_process(command, folder, Limits(limit, self._memory << 20))
        judged = _judged(ended, release, self._plan.date)
        atomic_write(self._path(release, part), msgspec.json.encode(judged))

    def _name(self, release: str, part: str) -> str:
        """By numbers: what a release is called need be no name of a file."""
        return f"mutants-{self._releases.index(release):03d}-{self._parts[release].index(part):03d}"

    def _path(self, release: str, part: str) -> Path:
        return self._night.beside(f"{self._name(release, part)}.json")

    def _judged(self, release: str, part: str) -> _Judged | None:
        path = self._path(release, part)
        return read_record(path, _Judged, MAX_BYTES, "delete it, and run again") if path.exists() else None

    def scores(self, late: str) -> tuple[list[tuple[Score, Score | None]], list[tuple[str, str]]]:
        """The scores of this night, each with the one before; and what was to be judged and was not, with why: a score
        with one mutant less is none. ``late``: said of what was not begun or did not end."""
        scores, unscored = [], []
        for release, parts in self._parts.items():
            judged = [self._judged(release, part) for part in parts]
            known = [one.score for one in judged if one is not None and one.score is not None]
            if parts and len(known) == len(parts):
                scores.append((_sum_of(known), self._before.get(release)))
                continue
            unsaid = late if parts else "no method takes the lock by a decorator"
            why = next((one.trouble for one in judged if one is not None and one.trouble), unsaid)
            many = f" ({len(parts) - len(known)} of {len(parts)})" if len(parts) > 1 else ""
            unscored.append((f"mutants of {self._target} {release}".strip() + many, why))
        return scores, unscored


def _judged(ended: Exit, release: str, date: str) -> _Judged:
    answer = None if ended.hung else last_line(ended, _Answer)
    if answer is None:
        return _Judged(None, ended.trouble()[:4000])
    rows = answer.mutants
    survivors = [row for row in rows if not row.get("killed") and not row.get("harmless")]
    score = Score(
        release,
        date,
        len(rows),
        sum(bool(row.get("killed")) for row in rows),
        sum(bool(row.get("harmless")) and not row.get("killed") for row in rows),
        tuple(_words(row)[:4000] for row in survivors[:1000]),
    )
    return _Judged(score)


def _sum_of(scores: Sequence[Score]) -> Score:
    """Of the parts of one release."""
    survivors = itertools.chain.from_iterable(one.survivors for one in scores)
    return Score(
        scores[0].release,
        scores[0].date,
        sum(one.mutants for one in scores),
        sum(one.killed for one in scores),
        sum(one.harmless for one in scores),
        tuple(itertools.islice(survivors, 1000)),
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
    told = {one.release: one for one in scores}
    if told:
        merged = {**last_scores(corpus), **told}
        atomic_write(corpus / KEPT, msgspec.json.encode(_Kept([merged[name] for name in sorted(merged)])))
