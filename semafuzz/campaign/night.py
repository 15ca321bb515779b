"""The folder of a night that is under way: its plan, and what each shard came to.

Each file is whole or absent, so that a night which was killed goes on where it was: what
has ended is not done again.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from semafuzz.campaign.plan import Plan, Shard
from semafuzz.harness.errors import UsageError
from semafuzz.harness.files.atomic_write import atomic_write
from semafuzz.harness.files.bounded_read import Record, read_record
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result

ATTEMPTS = 2
"""At what has a process of its own: a crash that comes again is no accident."""
MAX_BYTES = 64 << 20


class ShardResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A shard that has ended. ``result``: None where no attempt came to an end; ``folder``:
    of its traces; ``errors``: of attempts that did not."""

    result: Result | None
    folder: str
    errors: Annotated[tuple[str, ...], Meta(max_length=64)] = ()


class CampaignState:
    """The folder ``night`` of a corpus."""

    def __init__(self, corpus: Path) -> None:
        self._corpus = corpus
        self._folder = corpus / "night"
        self.work = self._folder / "work"

    def plan(self) -> Plan | None:
        """The plan of the night that is under way; None for none."""
        path = self._folder / "plan.json"
        return self._read(path, Plan) if path.exists() else None

    def _read(self, path: Path, kind: type[Record]) -> Record:
        return read_record(path, kind, MAX_BYTES, f"delete the folder {self._folder} to begin a new night")

    def begin(self, plan: Plan) -> None:
        """Begin a night. What an earlier one left half done is gone."""
        shutil.rmtree(self._folder, ignore_errors=True)
        atomic_write(self._folder / "plan.json", msgspec.json.encode(plan))

    def ended(self, shard: Shard) -> ShardResult | None:
        """What a shard came to; None where it has not ended."""
        path = self._folder / f"{shard.name}.json"
        return self._read(path, ShardResult) if path.exists() else None

    def open_shards(self, plan: Plan) -> list[Shard]:
        """Those that have not ended."""
        return [shard for shard in plan.shards if self.ended(shard) is None]

    def note(self, shard: Shard, ended: ShardResult) -> None:
        """A shard has ended."""
        atomic_write(self._folder / f"{shard.name}.json", msgspec.json.encode(ended))

    def beside(self, name: str) -> Path:
        """A file of the night that is none of a shard's."""
        return self._folder / name

    def attempt(self, name: str) -> Path:
        """A new folder for an attempt at something. Nobody writes into that of another, also
        where a search outlives who has asked for it."""
        number = 0
        while True:
            folder = self.work / f"{name}-{number}"
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                number += 1
            except OSError as error:
                raise UsageError(
                    f"cannot write to {folder.parent} ({error.strerror}); make room, and run again"
                ) from None
            else:
                return folder

    def attempts(self, name: str) -> list[Path]:
        """The folders of earlier attempts at something, the first one first."""
        return sorted(self.work.glob(f"{name}-*"), key=lambda folder: (len(folder.name), folder.name))

    def findings(self, ended: ShardResult) -> list[Finding]:
        """What a shard found and has a trace of, wherever the corpus is now."""
        found = [one for one in ended.result.failures if one.trace] if ended.result is not None else []
        folder = self.work / ended.folder
        placed = [replace(one, trace=str(folder / Path(one.trace).name)) for one in found]
        return [one for one in placed if Path(one.trace).is_file()]

    def kept_of(self, shard: Shard, plan: Plan) -> Path:
        """Where the folders of a shard's attempts are kept, where none came to an end."""
        return self._corpus / "crashed" / f"{plan.night}-{shard.name}"

    def end(self, plan: Plan) -> None:
        """The night is over: all that is worth keeping is in the corpus. What crashed and
        unfinished searches had on the disk is put aside."""
        for shard in plan.shards:
            ended = self.ended(shard)
            left = self.attempts(shard.name) if ended is None or ended.result is None else []
            if left:
                aside = self.kept_of(shard, plan)
                aside.mkdir(parents=True, exist_ok=True)
                for attempt in left:
                    attempt.rename(aside / attempt.name)
        # First the plan, so that what is left is no night.
        (self._folder / "plan.json").unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)
