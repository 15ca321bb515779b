"""``semafuzz nightly``: replay what is known, search by the clock, tell what is new."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic

import msgspec
import trio

from semafuzz.campaign.corpus import Corpus, Known
from semafuzz.campaign.far_process import seconds_before
from semafuzz.campaign.night import ATTEMPTS, CampaignState, ShardResult
from semafuzz.campaign.on_dask import Cluster
from semafuzz.campaign.plan import Plan, Shard, make_plan
from semafuzz.campaign.workers import Exit, Limits, follow, kill_left_over, run_process, supervise
from semafuzz.commands.fuzz.run import UNDER_WAY
from semafuzz.commands.nightly.answers import ReplayAnswer, concluded, figures_in, last_line
from semafuzz.commands.nightly.by_cause import by_cause
from semafuzz.commands.nightly.fail_on import FailOn
from semafuzz.commands.nightly.merge import merge
from semafuzz.commands.nightly.mutants import NightMutants, keep_scores, last_scores
from semafuzz.commands.nightly.on_cluster import ClusterNight
from semafuzz.commands.nightly.summary_lines import NightlyReport, nightly_json, print_nightly
from semafuzz.commands.nightly.summary_page import write_night
from semafuzz.commands.report.run import ReportOptions, make_report
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.outcome import Model
from semafuzz.harness.search.result_sum import merge_results
from semafuzz.reports.summaries import Summary, write_summary
from semafuzz.reports.terminal.plain_text import plain, replay_command
from semafuzz.reports.terminal.searches import LiveTable
from semafuzz.self_command import run_options
from semafuzz.targets import choose_target
from semafuzz.targets.declared.loading import is_spec
from semafuzz.targets.model.configured_target import configure
from semafuzz.targets.model.protocol import Audited, Released

GRACE = 300.0
"""Seconds that a search may take beyond its own, for what it met last to be worked out."""
REPLAY_SECONDS = 600.0
HOUR, MINUTE = 3600.0, 60.0
LATE = "the time for the whole night was up"
PAGES = "report"
"""The folder of the pages, in that of the corpus."""


@dataclass(frozen=True, slots=True)
class NightlyOptions:
    """What a night is to do. ``schedules`` and ``seconds`` are for each release, on ``jobs``
    processes at once; ``memory``: MiB for each of these, 0 for no limit; ``anew``: a night
    that was cut is dropped; ``pages``: pages are made of what is known at its end;
    ``engine``: ``processes`` here, or ``dask``, whose scheduler is at ``dask``;
    ``shards``: searches of each release, 0 for as many as ``jobs``. ``seconds`` are for each search on a cluster,
    whose workers share nothing. ``fail_on``: what makes the exit code 1; ``deadline``: seconds for the whole night, 0
    for twice what was asked for, a minute for each known finding counted in, and an hour; ``wait``: seconds for a
    cluster without a worker; ``send_code``: workers use the semafuzz that is here;
    ``mutants``: seconds for each mutant of each release, 0 for none."""

    target: str
    releases: tuple[str, ...]
    corpus: Path
    schedules: int
    seconds: float
    jobs: int
    root: int | None
    model: Model
    settings: tuple[str, ...] = ()
    memory: int = 0
    anew: bool = False
    pages: bool = True
    engine: str = "processes"
    dask: str = ""
    shards: int = 0
    fail_on: FailOn = "new"
    deadline: float = 0.0
    wait: float = 60.0
    send_code: bool = False
    mutants: float = 0.0


@dataclass(slots=True)
class _Nightly:
    wanted: NightlyOptions
    corpus: Corpus
    night: CampaignState
    plan: Plan
    mutants: NightMutants
    unsure: list[tuple[Known, str]] = field(default_factory=list)
    under_way: dict[str, Path] = field(default_factory=dict)
    unanswered: dict[str, str] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    known: int = 0
    shortened: list[str] = field(default_factory=list)
    started: float = field(default_factory=monotonic)
    table: LiveTable = field(default_factory=LiveTable)
    begun: float = 0.0

    async def run(self) -> None:
        """Everything that takes long and is done here, each part as soon as a process is free."""
        replays: list[Callable[[], Awaitable[None]]] = [partial(self._replay, known) for known in self.corpus.all()]
        shards: list[Callable[[], Awaitable[None]]] = [
            partial(self._search, shard) for shard in self.night.open_shards(self.plan)
        ]
        await self._do([*replays, *shards, *self.mutants.open()])

    async def run_mutants(self) -> None:
        """What of a night on a cluster is done here."""
        await self._do(self.mutants.open())

    async def _do(self, works: Sequence[Callable[[], Awaitable[None]]]) -> None:
        self.begun = trio.current_time()
        # What is known first: that it still shows is news as well, and takes no time.
        try:
            with trio.move_on_after(self.time_left()):
                await supervise(works, self.wanted.jobs, self._look)
        finally:
            self.table.clear()

    def run_on_cluster(self) -> None:
        """The same, on a cluster."""
        wanted = self.wanted
        cluster = Cluster(wanted.dask, wanted.jobs, wanted.wait, monotonic() + self.time_left(), wanted.send_code)
        there = ClusterNight(
            self.corpus, self.night, self.plan, cluster, wanted.memory, wanted.jobs, self._told,
            lambda shard: 2 * shard.seconds + GRACE, REPLAY_SECONDS, self._replayed,
        )  # fmt: skip
        there.run()
        self.unanswered = there.unanswered

    def time_left(self) -> float:
        """Seconds that the whole may still take."""
        asked = sum(shard.seconds for shard in self.plan.shards) + MINUTE * self.known
        asked += self.mutants.longest
        return (self.wanted.deadline or 2 * asked / self.wanted.jobs + HOUR) - (monotonic() - self.started)

    def is_late(self) -> bool:
        """Whether the time for the whole night is up."""
        return self.time_left() <= 0

    def _look(self) -> None:
        """Show how far the searches are, by what they wrote last."""
        if self.under_way:
            searches = [figures_in(folder) for _, folder in sorted(self.under_way.items())]
            self.table.tell(searches, trio.current_time() - self.begun)

    async def _replay(self, known: Known) -> None:
        """See whether a finding still shows. On code that has changed its schedule may not
        fit: then it is gone where a search of its program does not show it, proof or none.
        """
        folder = self.night.attempt("replay")
        told = [*_start(), "replay", str(self.corpus.trace_of(known).absolute()), "--json"]
        told += ["--program", known.target] if is_spec(known.target) else []
        self._replayed(known, await run_process(told, folder, self._limits(REPLAY_SECONDS)))

    def _replayed(self, known: Known, ended: Exit) -> None:
        self.answered.add(known.name)
        answer = None if ended.hung else last_line(ended, ReplayAnswer)
        if answer is None or not answer.tells:
            self.unsure.append((known, ended.trouble()))
            return
        state = "kept" if answer.reproduces else "gone"
        if state != known.state:
            why = "" if answer.reproduces else answer.why[:2000]
            self.corpus.note(msgspec.structs.replace(known, state=state, changed=self.plan.night, why=why))

    async def _search(self, shard: Shard) -> None:
        errors: list[str] = []
        limits = self._limits(2 * shard.seconds + GRACE)
        for folder in self.night.attempts(shard.name):
            # A search outlives who has asked for it, and is not done twice.
            self.under_way[shard.name] = folder
            left = await follow(folder, limits)
            result = concluded(left)[0] if left is not None else None
            if result is not None:
                self.night.note(shard, ShardResult(result, folder.name))
                return
        for _ in range(ATTEMPTS):
            folder = self.under_way[shard.name] = self.night.attempt(shard.name)
            told = self._told(shard)
            if self._seconds_of(shard) < shard.seconds:
                self.shortened.append(self._named(shard))
            command = [*_start(), *told, "--out", str(folder.absolute())]
            ended = await run_process(command, folder, limits)
            result, trouble = concluded(ended)
            if result is not None:
                self.night.note(shard, ShardResult(result, folder.name, tuple(errors)))
                return
            errors.append(f"{' '.join(told)}: {trouble}{_under_way(folder)}")
        self.night.note(shard, ShardResult(None, "", tuple(errors)))

    def _limits(self, seconds: float) -> Limits:
        return Limits(seconds, self.wanted.memory << 20)

    def _told(self, shard: Shard) -> list[str]:
        told = ["fuzz", shard.target, *(["--release", shard.release] if shard.release else [])]
        told += ["--schedules", str(shard.schedules), "--seconds", str(self._seconds_of(shard))]
        told += ["--seed", str(shard.seed)]
        told += [part for one in self.plan.settings for part in ("--set", one)]
        return [*told, "--model", self.plan.model, "--share", shard.share]

    def _seconds_of(self, shard: Shard) -> float:
        """What a search may take: its own, or what the night has left for it to come to an end with what it found."""
        return seconds_before(self.time_left(), shard.seconds)

    def report(self) -> NightlyReport:
        """What this night came to, out of what is on the disk."""
        ended = [(shard, found) for shard in self.plan.shards if (found := self.night.ended(shard)) is not None]
        everything = self.corpus.all()
        changed = [one for one in everything if one.changed == self.plan.night]
        new, further = by_cause(everything, self.plan.night)
        results = [one.result for _, one in ended if one.result is not None]
        scores, unscored = self.mutants.scores(LATE)
        unsteady = [one.message for result in results for one in result.failures if not one.confirmed]
        return NightlyReport(
            root=self.plan.root,
            corpus=self.corpus.folder,
            schedules=sum(result.schedules for result in results),
            searches=len(self.plan.shards),
            known=sum(one.state == "kept" for one in everything),
            new=[self._told_of(one) for one in new],
            further=[self._told_of(one) for one in further],
            returned=[self._told_of(one) for one in changed if one.state == "kept"],
            vanished=[self._told_of(one) for one in changed if one.state == "gone"],
            unsure=[(*self._told_of(one), why) for one, why in [*self.unsure, *self._not_replayed()]],
            crashed=[
                (self._named(shard), one.errors[-1], str(self.night.kept_of(shard, self.plan)))
                for shard, one in ended
                if not one.result
            ],
            not_searched=[
                *((self._named(shard), self._why_open(shard)) for shard in self.night.open_shards(self.plan)),
                *unscored,
            ],
            mutants=scores,
            date=self.plan.date,
            fail_on=self.wanted.fail_on,
            everything=[self._told_of(one) for one in everything],
            notes=[
                *(f"{name} was cut short by the deadline of the night" for name in dict.fromkeys(self.shortened)),
                *(f"a search was begun again: {text}" for _, one in ended if one.result for text in one.errors),
                *(f"a failure did not show again when its schedule was repeated: {text}" for text in unsteady),
            ],
        )

    def _named(self, shard: Shard) -> str:
        return f"{shard.target} {shard.release}".strip() + f", part {shard.number % shard.of + 1} of {shard.of}"

    def _why_open(self, shard: Shard) -> str:
        left = self.night.attempts(shard.name)
        kept = f"; what it left is in {self.night.kept_of(shard, self.plan)}" if left and self.is_late() else ""
        return self.unanswered.get(shard.name, LATE) + kept

    def _not_replayed(self) -> list[tuple[Known, str]]:
        return [
            (
                one,
                self.unanswered.get(f"replay-{one.name}") or "it was not replayed: the time for the whole night was up",
            )
            for one in self.corpus.all()
            if one.name not in self.answered and one.found != self.plan.night
        ]

    def _told_of(self, known: Known) -> tuple[Known, str]:
        program = known.target if is_spec(known.target) else ""
        return known, replay_command(str(self.corpus.trace_of(known)), program=program)


def run_nightly(wanted: NightlyOptions, as_json: bool) -> int:
    """Do a night, or what is left of the one that was cut; the exit code."""
    # What is wrong with the arguments is said at once, and environments are made but once.
    target = choose_target(wanted.target)
    configure(target, wanted.settings)
    if wanted.mutants and not (is_spec(wanted.target) or isinstance(target, Audited)):
        raise UsageError(f"the target {wanted.target} names no class whose lock could be left out; omit --mutants")
    for release in wanted.releases:
        if not isinstance(target, Released):
            raise UsageError(f"the target {wanted.target} has no releases")
        target.python_for(release)
    corpus = Corpus(wanted.corpus)
    try:
        with corpus.held():
            corpus.check()
            return _run(wanted, corpus, as_json)
    except OSError as error:
        raise UsageError(
            f"cannot write to {wanted.corpus} ({error.strerror}); make room, and run again: what was written stays"
        ) from None


def _run(wanted: NightlyOptions, corpus: Corpus, as_json: bool) -> int:
    night = CampaignState(wanted.corpus)
    plan = _plan(wanted, None if wanted.anew else night.plan())
    kill_left_over(night.work, "replay-*")
    kill_left_over(night.work, "mutants-*")
    if night.plan() != plan:
        kill_left_over(night.work)
        night.begin(plan)
        sys.stderr.write(f"a night of {len(plan.shards)} searches begins; the root of its seeds is {plan.root}\n")
    else:
        left = len(night.open_shards(plan))
        sys.stderr.write(
            f"the night with the root {plan.root} goes on: {left} of {len(plan.shards)} searches are left\n"
        )
    mutants = NightMutants(
        night, plan, wanted.mutants, wanted.memory, last_scores(corpus.folder) if wanted.mutants else {}
    )
    nightly = _Nightly(wanted, corpus, night, plan, mutants, known=len(corpus.all()))
    if wanted.engine == "dask":
        nightly.run_on_cluster()
        trio.run(nightly.run_mutants)
    else:
        trio.run(nightly.run)
    merge(corpus, night, plan)
    report = nightly.report()
    if wanted.pages:
        report = replace(report, index=_pages(wanted, corpus, night, plan))
    write_night(report, corpus.folder)
    _print(report, as_json)
    if nightly.is_late() or not (night.open_shards(plan) or nightly.mutants.open()):
        keep_scores(corpus.folder, [score for score, _ in report.mutants])
        night.end(plan)
    return report.exit_code


def _pages(wanted: NightlyOptions, corpus: Corpus, night: CampaignState, plan: Plan) -> str:
    """Make the pages of what is known; where the index is, "" where there is nothing to show
    or they cannot be written: that loses no finding."""
    ended = [found for shard in plan.shards if (found := night.ended(shard)) is not None]
    results = [one.result for one in ended if one.result is not None]
    try:
        if results:
            releases = ", ".join(dict.fromkeys(shard.release for shard in plan.shards))
            write_summary(
                Summary("nightly", wanted.target, releases, wanted.model, merge_results(results)),
                corpus.folder,
                alone=True,
            )
        program = wanted.target if is_spec(wanted.target) else None
        order = ReportOptions(corpus.folder, corpus.folder / PAGES, program, None, None, wanted.jobs)
        return str(make_report(order).index) if results or corpus.all() else ""
    except (UsageError, OSError) as error:
        print(f"semafuzz: no pages were made: {plain(str(error))}", file=sys.stderr)
        return ""


def _print(report: NightlyReport, as_json: bool) -> None:
    """Tell; only then may the night end, which is told once."""
    try:
        sys.stdout.write(nightly_json(report) + "\n") if as_json else print_nightly(report)
        sys.stdout.flush()
    except OSError as error:
        raise UsageError(
            f"cannot write to standard output ({error.strerror}); run again: the night is told once more"
        ) from None


def _plan(wanted: NightlyOptions, under_way: Plan | None) -> Plan:
    """The plan that is under way, or a new one. UsageError where that is another."""
    root = wanted.root if wanted.root is not None else under_way.root if under_way else secrets.randbelow(1 << 31)
    each = wanted.shards or wanted.jobs
    # Workers of a cluster share no clock and no cores: each search has its own time.
    part = 1.0 if wanted.engine == "dask" else min(1.0, wanted.jobs / each)
    plan = make_plan(
        under_way.night if under_way else secrets.token_hex(6), wanted.target, wanted.releases or ("",), root,
        each=each, schedules=wanted.schedules, seconds=wanted.seconds * part,
        model=wanted.model, settings=wanted.settings,
        date=under_way.date if under_way else datetime.now(UTC).date().isoformat(),
    )  # fmt: skip
    if under_way is not None and plan != under_way:
        one = under_way.shards[0]
        raise UsageError(
            f"another night is under way in {wanted.corpus} ({one.target} {one.release}, {one.schedules} schedules, "
            f"{one.seconds:g} seconds, root {under_way.root}, {len(under_way.shards)} searches); run it to its end "
            "with its own arguments, or drop it with --anew"
        )
    return plan


def _start() -> list[str]:
    return [sys.executable, *run_options()]


def _under_way(folder: Path) -> str:
    """The program that a search ran last, in words."""
    try:
        with (folder / UNDER_WAY).open(encoding="utf-8", errors="replace") as file:
            return f"; it ran {file.read(1000)}"
    except OSError:
        return ""
