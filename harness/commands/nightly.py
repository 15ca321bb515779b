"""``semafuzz nightly``: replay what is known, search by the clock, tell what is new."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
import trio

from harness.campaign.corpus import Corpus, Known
from harness.campaign.night import Ended, Night
from harness.campaign.plan import Plan, Shard, make_plan
from harness.campaign.workers import Exit, Limits, kill_left_over, run_process, supervise
from harness.errors import TraceError, UsageError
from harness.explore import Result
from harness.findings import Finding
from harness.starting import run_options
from harness.traces.codec import read
from reports.nightly import NightlyReport, nightly_json, print_nightly
from strategies.doubles import without_doubles
from targets import choose_target
from targets.bound import bind
from targets.scenario import describe, scenario_of

ATTEMPTS = 2
"""At a shard: a crash that comes again is no accident."""
GRACE = 300.0
"""Seconds that a search may take beyond its own, for an environment to be made and for
what it met last to be worked out."""
REPLAY_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a night is to do. ``schedules`` and ``seconds`` are for each release, on ``jobs``
    processes at once; ``memory``: MiB for each of these, 0 for no limit."""

    target: str
    releases: tuple[str, ...]
    corpus: Path
    schedules: int
    seconds: float
    jobs: int
    root: int | None
    model: str
    settings: tuple[str, ...] = ()
    memory: int = 0


@dataclass(slots=True)
class _Nightly:
    wanted: Wanted
    corpus: Corpus
    night: Night
    plan: Plan
    unsure: list[tuple[Known, str]] = field(default_factory=list)

    async def run(self) -> None:
        """Everything that takes long, each part as soon as a process is free."""
        replays: list[Callable[[], Awaitable[None]]] = [partial(self._replay, known) for known in self.corpus.all()]
        shards: list[Callable[[], Awaitable[None]]] = [
            partial(self._search, shard) for shard in self.night.open_shards(self.plan)
        ]
        # What is known first: that it still shows is news as well, and takes no time.
        await supervise([*replays, *shards], self.wanted.jobs)

    async def _replay(self, known: Known) -> None:
        """See whether a finding still shows. On code that has changed its schedule may not
        fit: then it is gone where a search of its program does not show it, proof or none.
        """
        folder = self.night.attempt("replay")
        told = [*_start(), "replay", str(self.corpus.trace_of(known).absolute()), "--json"]
        ended = await run_process(told, folder, Limits(REPLAY_SECONDS, self.wanted.memory << 20))
        answer = None if ended.hung else _answer(ended)
        if answer is None or not (answer.judged or answer.schedules):
            self.unsure.append((known, ended.trouble()))
            return
        state = "kept" if answer.reproduces else "gone"
        if state != known.state:
            why = "" if answer.reproduces else answer.why[:2000]
            self.corpus.note(msgspec.structs.replace(known, state=state, changed=self.plan.night, why=why))

    async def _search(self, shard: Shard) -> None:
        troubles: list[str] = []
        for _ in range(ATTEMPTS):
            folder = self.night.attempt(shard.name)
            limits = Limits(2 * shard.seconds + GRACE, self.wanted.memory << 20)
            ended = await run_process([*_start(), *self._told(shard, folder)], folder, limits)
            result = _result(ended)
            if result is not None:
                self.night.note(shard, Ended(result, folder.name, tuple(troubles)))
                return
            troubles.append(
                f"{shard.release or shard.target}, {' '.join(self._told(shard, folder))}: {ended.trouble()}"
            )
            if ended.code == 4:
                # It was asked for something that there is not.
                break
        self.night.note(shard, Ended(None, "", tuple(troubles)))

    def _told(self, shard: Shard, folder: Path) -> list[str]:
        told = ["fuzz", shard.target, *(["--release", shard.release] if shard.release else [])]
        told += ["--schedules", str(shard.schedules), "--seconds", str(shard.seconds), "--seed", str(shard.seed)]
        told += ["--model", self.plan.model, "--out", str(folder.absolute()), "--share", shard.share]
        return told + [part for one in self.plan.settings for part in ("--set", one)]

    def merge(self) -> None:
        """Take what the shards found into the corpus: what is not known, once; of what is,
        the smaller trace."""
        found: dict[tuple[str, str], list[Finding]] = {}
        for shard in self.plan.shards:
            ended = self.night.ended(shard)
            if ended is not None:
                found.setdefault((shard.target, shard.release), []).extend(self.night.findings(ended))
        for (target, release), findings in found.items():
            known = {one.name: one for one in self.corpus.all() if (one.target, one.release) == (target, release)}
            fresh = without_doubles(findings, [self._as_finding(one) for one in known.values()])
            for finding in findings:
                record, path = self._record(target, release, finding), Path(finding.trace)
                before = known.get(record.name)
                if before is not None:
                    if _size(path) < _size(self.corpus.trace_of(before)):
                        self.corpus.add(before, path)
                elif finding in fresh:
                    known[record.name] = record
                    self.corpus.add(record, path)

    def _record(self, target: str, release: str, finding: Finding) -> Known:
        program = describe(scenario_of(read(Path(finding.trace))))
        return Known(
            target, release, finding.signature, finding.kind, finding.severity, finding.message[:2000],
            program[:2000], finding.operations, self.plan.night,
        )  # fmt: skip

    def _as_finding(self, known: Known) -> Finding:
        return Finding(
            known.kind, known.message, known.signature, str(self.corpus.trace_of(known)), (), "", 0, 0, 0, True,
            known.severity, known.operations,
        )  # fmt: skip

    def report(self) -> NightlyReport:
        """What this night came to, out of what is on the disk."""
        ended = [one for one in map(self.night.ended, self.plan.shards) if one is not None]
        everything = self.corpus.all()
        changed = [one for one in everything if one.changed == self.plan.night]
        return NightlyReport(
            root=self.plan.root,
            corpus=self.corpus.folder,
            schedules=sum(one.result.schedules for one in ended if one.result is not None),
            shards=len(self.plan.shards),
            known=len(everything),
            new=[self._told_of(one) for one in everything if one.found == self.plan.night],
            returned=[self._told_of(one) for one in changed if one.state == "kept"],
            vanished=[self._told_of(one) for one in changed if one.state == "gone"],
            unsure=[(*self._told_of(one), why) for one, why in self.unsure],
            crashed=[one.troubles[-1] for one in ended if one.result is None],
            notes=[text for one in ended if one.result is not None for text in one.troubles],
        )

    def _told_of(self, known: Known) -> tuple[Known, str]:
        return known, os.path.relpath(self.corpus.trace_of(known))


def run_nightly(wanted: Wanted, as_json: bool) -> int:
    """Do a night, or what is left of the one that was cut; the exit code."""
    # What is wrong with the arguments is said at once.
    bind(choose_target(wanted.target), wanted.settings)
    corpus = Corpus(wanted.corpus)
    try:
        return _run(wanted, corpus, as_json)
    except OSError as error:
        raise UsageError(
            f"cannot write to {wanted.corpus} ({error.strerror}); make room, and run again: what was written stays"
        ) from None


def _run(wanted: Wanted, corpus: Corpus, as_json: bool) -> int:
    with corpus.held():
        night = Night(wanted.corpus)
        kill_left_over(wanted.corpus / "night" / "work")
        plan = night.plan()
        if plan is None:
            plan = _plan(wanted)
            night.begin(plan)
            sys.stderr.write(f"a night of {len(plan.shards)} searches begins; the root of its seeds is {plan.root}\n")
        else:
            left = len(night.open_shards(plan))
            sys.stderr.write(
                f"the night with the root {plan.root} goes on: {left} of {len(plan.shards)} searches are left\n"
            )
        nightly = _Nightly(wanted, corpus, night, plan)
        trio.run(nightly.run)
        nightly.merge()
        report = nightly.report()
        sys.stdout.write(nightly_json(report) + "\n") if as_json else print_nightly(report)
        night.end()
    return report.exit_code


def _plan(wanted: Wanted) -> Plan:
    root = secrets.randbelow(1 << 31) if wanted.root is None else wanted.root
    return make_plan(
        secrets.token_hex(6), wanted.target, wanted.releases or ("",), root, each=wanted.jobs,
        schedules=wanted.schedules, seconds=wanted.seconds, model=wanted.model, settings=wanted.settings,
    )  # fmt: skip


def _start() -> list[str]:
    return [sys.executable, *run_options()]


class _Answer(msgspec.Struct):
    """What ``replay --json`` says. Not ``judged``: nobody can tell, ``why`` says what was
    tried."""

    reproduces: bool
    judged: bool
    why: str
    schedules: int


def _answer(ended: Exit) -> _Answer | None:
    try:
        return msgspec.json.decode(ended.output.splitlines()[-1], type=_Answer)
    except (IndexError, msgspec.DecodeError):
        return None


def _result(ended: Exit) -> Result | None:
    """What a search has said at its end; None where it came to none."""
    if ended.hung or ended.code:
        return None
    try:
        return msgspec.json.decode(ended.output.splitlines()[-1], type=Result)
    except (IndexError, msgspec.DecodeError):
        return None


def _size(path: Path) -> tuple[int, int]:
    try:
        trace = read(path)
    except TraceError:
        return sys.maxsize, 0
    return sum(map(len, scenario_of(trace).content.tasks)), trace.expected.events
