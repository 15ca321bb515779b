"""A night's replays and searches as orders for a Dask cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic, time

import trio

from semafuzz.campaign.corpus import Corpus, Known
from semafuzz.campaign.far_process import FOLDER, SECONDS, Order, differences
from semafuzz.campaign.night import CampaignState, ShardResult
from semafuzz.campaign.on_dask import Cluster, Delivery, Listener, run_on_dask
from semafuzz.campaign.plan import Plan, Shard
from semafuzz.campaign.workers import Exit, Limits, run_process, supervise
from semafuzz.commands.nightly.answers import concluded, figures_of, last_line
from semafuzz.harness.errors import UsageError
from semafuzz.harness.files.atomic_write import atomic_write
from semafuzz.harness.runs.code_identity import CodeIdentity
from semafuzz.reports.terminal.plain_text import plain
from semafuzz.reports.terminal.progress import added
from semafuzz.reports.terminal.searches import LiveTable
from semafuzz.self_command import run_options
from semafuzz.targets import choose_target
from semafuzz.targets.declared.loading import is_spec
from semafuzz.targets.model.protocol import Released

IDENTIFY_SECONDS = 1800.0
"""That telling the code of one release may take: an environment may have to be made."""
ROWS = 20
"""Searches that have a row of their own in the table of progress."""

Subject = tuple[str, str]
"""A target and a release."""


@dataclass(slots=True)
class ClusterNight:
    """What is left of a night, for a cluster. ``command_of``: the arguments of a shard's search; ``replayed`` gets
    what a replay said of a finding."""

    corpus: Corpus
    night: CampaignState
    plan: Plan
    cluster: Cluster
    memory: int
    jobs: int
    command_of: Callable[[Shard], Sequence[str]]
    seconds_of: Callable[[Shard], float]
    replay_seconds: float
    replayed: Callable[[Known, Exit], None]
    unanswered: dict[str, str] = field(default_factory=dict)
    _table: LiveTable = field(default_factory=LiveTable)
    _expected: dict[Subject, CodeIdentity] = field(default_factory=dict)
    _begun: float = field(default_factory=monotonic)

    def run(self) -> None:
        """Replays first: that something known still shows is news as well, and takes no time."""
        shards = {shard.name: shard for shard in self.night.open_shards(self.plan)}
        known = {f"replay-{one.name}": one for one in self.corpus.all()}
        subjects = [(one.target, one.release) for one in known.values()]
        subjects += [(one.target, one.release) for one in shards.values()]
        trio.run(self._identify, list(dict.fromkeys(subjects)))
        orders = [*map(self._replay_order, known.items()), *map(self._search_order, shards.values())]

        def done(name: str, delivery: Delivery) -> None:
            if name in known:
                self.replayed(known[name], delivery.ended)
            else:
                self._searched(shards[name], delivery)

        try:
            if orders:
                self.unanswered = run_on_dask(orders, self.cluster, Listener(done, self._look, self._say))
        finally:
            self._table.clear()

    async def _identify(self, subjects: Iterable[Subject]) -> None:
        """Learn what code this machine has, so that another one's can be told apart."""
        await supervise([partial(self._identify_one, subject) for subject in subjects], self.jobs)

    async def _identify_one(self, subject: Subject) -> None:
        folder = self.night.attempt("identity")
        command = [sys.executable, *run_options(), *self._identity_command(*subject)]
        ended = await run_process(command, folder, Limits(IDENTIFY_SECONDS))
        told = last_line(ended, dict[str, str])
        if told is None:
            raise UsageError(f"cannot tell which code {' '.join(subject)} is: {ended.trouble()}")
        self._expected[subject] = told

    def _identity_command(self, target: str, release: str) -> list[str]:
        has_releases = not is_spec(target) and isinstance(choose_target(target), Released)
        settings = [part for one in self.plan.settings for part in ("--set", one)]
        return ["identify", target, *(["--release", release] if has_releases and release else []), *settings]

    def _order(self, name: str, arguments: Sequence[str], seconds: float, subject: Subject) -> Order:
        return Order(
            name, tuple(arguments), seconds, tuple(self._identity_command(*subject)), self._expected[subject],
            memory=self.memory << 20, safe_path="-P" in run_options(),
        )  # fmt: skip

    def _replay_order(self, named: tuple[str, Known]) -> Order:
        name, known = named
        trace = self.corpus.trace_of(known)
        told = ["replay", f"{FOLDER}/{trace.name}", "--json"]
        told += ["--program", known.target] if is_spec(known.target) else []
        order = self._order(name, told, self.replay_seconds, (known.target, known.release))
        return replace(order, files={trace.name: trace.read_bytes()})

    def _search_order(self, shard: Shard) -> Order:
        told = [*self.command_of(shard), "--out", f"{FOLDER}/out"]
        told[told.index("--seconds") + 1] = SECONDS
        order = self._order(shard.name, told, self.seconds_of(shard), (shard.target, shard.release))
        left = self.cluster.until - monotonic()
        return replace(order, search_seconds=shard.seconds, ends=time() + left)

    def _searched(self, shard: Shard, delivery: Delivery) -> None:
        folder = self.night.attempt(shard.name)
        for file, data in delivery.files.items():
            atomic_write(folder / file, data)
        result, trouble = concluded(delivery.ended)
        said = " ".join(self.command_of(shard))
        errors = [f"{said}: {one}" for one in delivery.errors]
        if result is not None:
            other = differences(self._expected[shard.target, shard.release], result.code)
            result, trouble = (None, f"it searched other code: {'; '.join(other)}") if other else (result, "")
        if result is None:
            ran = f"; it ran {delivery.under_way}" if delivery.under_way else ""
            errors.append(f"{said}: {trouble}{ran}")
        self.night.note(shard, ShardResult(result, folder.name if result is not None else "", tuple(errors)))
        if result is not None and result.failures:
            where = f"{shard.name} {shard.target} {shard.release}".strip()
            self._say(f"{where}: {len(result.failures)} findings, the first is {result.failures[0].message}")

    def _look(self, told: Mapping[str, str]) -> None:
        figures = [figures_of(text.encode()) for name, text in sorted(told.items()) if not name.startswith("replay-")]
        if figures:
            shown = figures if len(figures) <= ROWS else [added(figures)]
            self._table.tell(shown, monotonic() - self._begun)

    def _say(self, line: str) -> None:
        self._table.clear()
        print(f"semafuzz: {plain(line, 500)}", file=sys.stderr)
