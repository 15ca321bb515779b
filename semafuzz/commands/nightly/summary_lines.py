"""What a night came to, for a person at a terminal and for machines."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from semafuzz.campaign.corpus import Known
from semafuzz.commands.nightly.fail_on import FailOn
from semafuzz.commands.nightly.mutants import Score
from semafuzz.reports.terminal.plain_text import plain

Told = tuple[Known, str]
"""A finding, and the command that replays it."""
WIDTH = 160


@dataclass(frozen=True, slots=True)
class NightlyReport:
    """``new``, ``returned`` (was gone) and ``vanished`` (shows no more) are news; ``further`` are other programs of a
    cause that is known, or told by one that is new; ``unsure``
    are those of which nobody can tell, with the reason; ``crashed`` says which searches came
    to no end, why, and where that is which they left, ``not_searched`` which did not come to begin or to end, and why;
    ``mutants``: the score of each release, and that of an earlier night;
    ``notes`` what else went wrong. ``everything``: all that is known. ``index``: where the pages are; ``date``: of the
    night."""

    root: int
    corpus: Path
    schedules: int
    searches: int
    known: int
    new: list[Told] = field(default_factory=list)
    further: list[Told] = field(default_factory=list)
    returned: list[Told] = field(default_factory=list)
    vanished: list[Told] = field(default_factory=list)
    unsure: list[tuple[Known, str, str]] = field(default_factory=list)
    crashed: list[tuple[str, str, str]] = field(default_factory=list)
    not_searched: list[tuple[str, str]] = field(default_factory=list)
    everything: list[Told] = field(default_factory=list)
    mutants: list[tuple[Score, Score | None]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    index: str = ""
    date: str = ""
    fail_on: FailOn = "new"

    @property
    def blind(self) -> list[tuple[str, str]]:
        """What was not searched, for whatever reason, each with why."""
        return [*((name, why) for name, why, _ in self.crashed), *self.not_searched]

    @property
    def exit_code(self) -> int:
        """125 where a search came to no end, or nothing of what is known can be judged: news must not hide it. Else 1
        for what ``fail_on`` names, or 0."""
        if self.blind or (len(self.unsure) > 0 and len(self.unsure) >= self.known):
            return 125
        news = [known for known, _ in (*self.new, *self.returned)]
        if self.fail_on == "new-errors":
            return int(any(one.severity == "error" for one in news))
        return int(bool(news) or (self.fail_on == "any" and self.known > 0))


def print_nightly(report: NightlyReport) -> None:
    """What was not searched, then the news; nothing but a line where there are none."""
    for name, text, kept in report.crashed:
        print(f"NOT SEARCHED: {plain(name, WIDTH)}: A SEARCH CAME TO NO END: {plain(text, 2000)}")
        print(f"  what it left is in {plain(kept, 500)}")
    for name, why in report.not_searched:
        print(f"NOT SEARCHED: {plain(name, WIDTH)}: {plain(why, 1000)}")
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
    for known, command in report.further:
        if known.severity == "error":
            where = f"{known.target} {known.release}".strip()
            print(f"also error in {plain(where, WIDTH)}: {plain(known.program, WIDTH)}")
            print(f"  {command}")
    if report.further:
        many = f"{len(report.further)} more programs show" if len(report.further) > 1 else "1 more program shows"
        print(f"{many} a cause that is told or known: kept with the others")
    for score, before in report.mutants:
        print(f"mutants of {plain(score.release, WIDTH) or 'the target'}: {score.words}{was(before)}")
    for text in report.notes:
        print(f"note: {plain(text, 500)}")
    blind = f" ({len(report.blind)} of them not done)" if report.blind else ""
    print(
        f"{report.schedules:,} schedules in {report.searches} searches{blind}; {len(report.new)} new, "
        f"{len(report.returned)} returned, {len(report.vanished)} vanished, {report.known} known in {report.corpus}; "
        f"seed root {report.root}"
    )
    if report.index and report.exit_code:
        print(f"pages: {plain(report.index, 4000)}")


def was(before: Score | None) -> str:
    """How an earlier night's score stands beside one of this night."""
    return f" ({before.killed} of {before.mutants} on {before.date})" if before is not None else ""


def nightly_json(report: NightlyReport) -> str:
    """One line of JSON."""
    return msgspec.json.encode(
        {
            "root": report.root,
            "date": report.date,
            "schedules": report.schedules,
            "searches": report.searches,
            "known": report.known,
            "not_searched": [{"what": name, "why": why} for name, why in report.blind],
            **{
                name: [{**msgspec.structs.asdict(known), "replay": command} for known, command in getattr(report, name)]
                for name in ("new", "further", "returned", "vanished")
            },
            "unsure": [
                {**msgspec.structs.asdict(known), "replay": command, "why": why}
                for known, command, why in report.unsure
            ],
            "crashed": [{"what": name, "why": text, "left": kept} for name, text, kept in report.crashed],
            "mutants": [msgspec.structs.asdict(score) for score, _ in report.mutants],
            "notes": report.notes,
            "index": report.index,
        }
    ).decode()
