"""Summary of a night, for a person and for machines."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from semafuzz.campaign.corpus import Known
from semafuzz.reports.terminal.plain_text import plain

Told = tuple[Known, str]
"""A finding, and the command that replays it."""
WIDTH = 160


@dataclass(frozen=True, slots=True)
class NightlyReport:
    """``new``, ``returned`` (was gone) and ``vanished`` (shows no more) are news; ``unsure``
    are those of which nobody can tell, with the reason; ``crashed`` says which searches came
    to no end and where that is which they left, ``notes`` what else went wrong.
    ``index``: where the pages are."""

    root: int
    corpus: Path
    schedules: int
    searches: int
    known: int
    new: list[Told] = field(default_factory=list)
    returned: list[Told] = field(default_factory=list)
    vanished: list[Told] = field(default_factory=list)
    unsure: list[tuple[Known, str, str]] = field(default_factory=list)
    crashed: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    index: str = ""

    @property
    def exit_code(self) -> int:
        """1 for what is new or returned, 125 where a search came to no end or nothing of what
        is known can be judged, else 0."""
        if self.new or self.returned:
            return 1
        blind = len(self.unsure) > 0 and len(self.unsure) >= self.known
        return 125 if self.crashed or blind else 0


def print_nightly(report: NightlyReport) -> None:
    """The news first; nothing but a line where there are none."""
    for title, found in (("NEW", report.new), ("RETURNED", report.returned), ("VANISHED", report.vanished)):
        for known, command in found:
            where = f"{known.target} {known.release}".strip()
            print(f"{title} {known.severity} in {plain(where, WIDTH)}: {plain(known.program, WIDTH)}")
            print(f"  {known.kind}: {plain(known.message, WIDTH)}")
            if known.why and title == "VANISHED":
                print(f"  {plain(known.why, WIDTH)}")
            print(f"  {command}")
    for known, command, why in report.unsure:
        print(f"CANNOT BE TOLD whether it still shows: {plain(known.program, WIDTH)}")
        print(f"  {plain(why, WIDTH)}")
        print(f"  {command}")
    for text, kept in report.crashed:
        print(f"A SEARCH CAME TO NO END: {plain(text, 2000)}")
        print(f"  what it left is in {plain(kept, 500)}")
    for text in report.notes:
        print(f"note: {plain(text, 500)}")
    print(
        f"{report.schedules:,} schedules in {report.searches} searches; {len(report.new)} new, {len(report.returned)} "
        f"returned, {len(report.vanished)} vanished, {report.known} known in {report.corpus}; seed root {report.root}"
    )
    if report.index and report.exit_code:
        print(f"pages: {plain(report.index, 4000)}")


def nightly_json(report: NightlyReport) -> str:
    """One line of JSON."""
    return msgspec.json.encode(
        {
            "root": report.root,
            "schedules": report.schedules,
            "searches": report.searches,
            "known": report.known,
            **{
                name: [{**msgspec.structs.asdict(known), "replay": command} for known, command in getattr(report, name)]
                for name in ("new", "returned", "vanished")
            },
            "unsure": [
                {**msgspec.structs.asdict(known), "replay": command, "why": why}
                for known, command, why in report.unsure
            ],
            "crashed": [{"why": text, "left": kept} for text, kept in report.crashed],
            "notes": report.notes,
            "index": report.index,
        }
    ).decode()
