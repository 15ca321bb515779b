"""One failure, as a search reports it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from semafuzz.harness.kernel.outcome import FailureKind, Severity
from semafuzz.harness.traces.schema import Necessity


@dataclass(frozen=True, slots=True)
class Finding:
    """One failure, once.

    ``places``: code places, the two racing ones first. ``trace``: the file, or
    empty where none was asked for. ``confirmed``: its schedule was run again
    with the same events. ``operations``: the names of the target's operations
    that were under way, where it has such. ``severity``: error, warning or note.
    ``sequential``: a serial order of the operations fails too. ``necessity``: which of
    its preemptions and faults it needs; None where that was not checked. ``verified``:
    the options of a more faithful world in which it showed again; "" for none. ``time_outs``: those that
    ran out while another task could have gone on. ``warm``: how often the
    program has to run before, in one process. ``not_confirmed``: why it is not confirmed. ``output``: what
    the program printed in the failing run. ``pair``: the identities of the two racing places, empty where no race is
    known; unlike ``places`` they stay as they are when lines move. ``seconds`` and ``cpu_seconds``: after which the
    search reported it, the second of its own process; 0 where that was not measured. ``known``: the name of the
    defect in the target's catalogue that it seems to be, or "". ``sentence``, ``interleaving`` and ``assertion``, the
    one that failed with what stood in it, and ``gil``, whether CPython with the GIL can come to it: what happened, as
    its replay in a fresh process told it.
    """

    kind: FailureKind
    message: str
    signature: str
    trace: str
    places: tuple[str, ...]
    task: str
    schedule: int
    preemptions: int
    decisions: int
    confirmed: bool
    severity: Severity = "error"
    operations: tuple[str, ...] = ()
    detail: tuple[str, ...] = ()
    sequential: bool = False
    necessity: Necessity | None = None
    verified: str = ""
    time_outs: tuple[str, ...] = ()
    warm: int = 0
    not_confirmed: str = ""
    output: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    known: str = ""
    sentence: str = ""
    assertion: str = ""
    gil: str = ""
    interleaving: tuple[str, ...] = ()
    pair: tuple[str, ...] = ()

    @property
    def needs_several_tasks(self) -> bool:
        """Whether no order of the operations one after the other shows it, as far as tried."""
        return not self.sequential and len(self.operations) > 1


def in_order_of_worth(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first; of them those that need several tasks, then those that need fewer preemptions; what nobody
    knew before what is known."""

    def worth(finding: Finding) -> tuple[int, bool, bool, int, str]:
        severity = ("error", "warning", "note").index(finding.severity)
        is_known, signature = bool(finding.known), finding.signature
        return severity, not finding.needs_several_tasks, is_known, finding.preemptions, signature

    return sorted(findings, key=worth)
