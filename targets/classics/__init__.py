"""The classics: small concurrent programs of the field, with what is published about them.

SCTBench (Thomson, Donaldson, Betts, PPoPP 2014), the samples of CHESS (Musuvathi et al., OSDI 2008), and the families
with a known number of Mazurkiewicz traces (Flanagan and Godefroid, POPL 2005; Abdulla et al., POPL 2014), written anew
as ordinary ``threading`` code from descriptions. Those in ``fail`` have a defect, those in ``pass`` have none.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent


class Classic(NamedTuple):
    """One program. ``place``: file and function below this folder. ``best``: the least published mean of
    schedules to the first failure, of tools that failed in no trial, and ``by`` whom; ``surw``: the published
    mean of SURW (ASPLOS 2025). ``traces``: its Mazurkiewicz traces, where they are known. None for what
    nobody published."""

    place: str
    name: str
    best: float | None = None
    by: str = ""
    surw: float | None = None
    traces: int | None = None

    @property
    def fails(self) -> bool:
        """Whether it has a defect."""
        return self.place.startswith("fail/")


CLASSICS: tuple[Classic, ...] = (
    Classic("fail/account.py:run", "account", best=1, by="RFF, POS", surw=6, traces=6),
    Classic("fail/aget.py:run", "aget", best=1, by="RFF, POS, PCT3, QL, RW", surw=2),
    Classic("fail/arithmetic_prog.py:run", "arithmetic_prog", best=1, by="Maple"),
    Classic("fail/bluetooth.py:run", "bluetooth"),
    Classic("fail/bounded_buffer.py:run", "bounded_buffer"),
    Classic("fail/carter01.py:run", "carter01", best=1, by="QL, RW", traces=4),
    Classic("fail/chess_balance.py:run", "chess_balance", traces=3),
    Classic("fail/circular_buffer.py:run", "circular_buffer"),
    Classic("fail/cs_queue.py:run", "queue", best=1, by="RFF, POS, QL, RW", surw=2),
    Classic("fail/deadlock01.py:run", "deadlock01", best=1, by="QL", surw=2, traces=3),
    Classic("fail/deadlock_abba.py:run", "deadlock_abba"),
    Classic("fail/din_phil_sat.py:run_2", "din_phil2_sat", best=1, by="Maple", traces=16),
    Classic("fail/din_phil_sat.py:run_3", "din_phil3_sat", best=1, by="Maple"),
    Classic("fail/dining.py:run_3", "dining_3", traces=7),
    Classic("fail/fsbench.py:run", "fsbench", best=1, by="Maple"),
    Classic("fail/lazy01.py:run", "lazy01", best=2, by="SURW", surw=2, traces=6),
    Classic("fail/lost_wakeup.py:run", "lost_wakeup", traces=3),
    Classic("fail/pbzip2.py:run", "pbzip2", best=4, by="Maple"),
    Classic("fail/phase01.py:run", "phase01", best=1, by="Maple", traces=6),
    Classic("fail/qsort_mt.py:run", "qsort_mt", best=27, by="PERIOD", surw=3048),
    Classic("fail/reorder.py:run_3", "reorder_3", best=6, by="PERIOD", surw=7, traces=56),
    Classic("fail/reorder.py:run_4", "reorder_4", best=6, by="RFF", surw=7),
    Classic("fail/reorder.py:run_5", "reorder_5", best=6, by="RFF", surw=10),
    Classic("fail/reorder.py:run_10", "reorder_10", best=6, by="RFF", surw=17),
    Classic("fail/reorder.py:run_20", "reorder_20", best=6, by="RFF, SURW", surw=6),
    Classic("fail/reorder.py:run_50", "reorder_50", best=6, by="RFF", surw=13),
    Classic("fail/reorder.py:run_100", "reorder_100", best=6, by="RFF", surw=194),
    Classic("fail/safestack.py:run", "safestack", surw=368921),
    Classic("fail/selfdeadlock.py:run", "selfdeadlock"),
    Classic("fail/stack.py:run", "stack", best=1, by="QL", surw=5),
    Classic("fail/stringbuffer.py:run", "stringbuffer", best=9, by="Maple", traces=6),
    Classic("fail/sync01.py:run", "sync01", best=1, by="Maple", traces=3),
    Classic("fail/sync02.py:run", "sync02", best=1, by="Maple"),
    Classic("fail/token_ring.py:run", "token_ring", best=5, by="Maple"),
    Classic("fail/twostage.py:run", "twostage", best=4, by="PERIOD", surw=8, traces=3),
    Classic("fail/twostage.py:run_20", "twostage_20"),
    Classic("fail/twostage.py:run_50", "twostage_50", best=20, by="SURW", surw=20),
    Classic("fail/twostage.py:run_100", "twostage_100", best=56, by="RFF", surw=454),
    Classic("fail/wronglock.py:run_1", "wronglock_1", traces=7),
    Classic("fail/wronglock.py:run_3", "wronglock_3", best=6, by="Maple"),
    Classic("fail/wronglock.py:run_7", "wronglock_7", best=1, by="RFF, POS", surw=7),
    Classic("fail/wsq.py:run", "wsq", best=6, by="SURW", surw=6),
    Classic("fail/wsq.py:run_swsq", "swsq", best=1, by="RFF, POS", surw=7),
    Classic("pass/account_locked.py:run", "account_locked", traces=6),
    Classic("pass/bbuf.py:run", "bbuf"),
    Classic("pass/condition_variable.py:run", "condition_variable", traces=2),
    Classic("pass/condition_variable_rlock.py:run", "condition_variable_rlock", traces=2),
    Classic("pass/counter_locked.py:run", "counter_locked", traces=6),
    Classic("pass/dekker.py:run", "dekker"),
    Classic("pass/dining_ordered.py:run_3", "dining_ordered_3", traces=6),
    Classic("pass/filesystem.py:run_14", "filesystem_14", traces=2),
    Classic("pass/filesystem.py:run_16", "filesystem_16", traces=8),
    Classic("pass/filesystem.py:run_18", "filesystem_18", traces=32),
    Classic("pass/filesystem.py:run_19", "filesystem_19", traces=64),
    Classic("pass/handed.py:run", "handed", traces=1),
    Classic("pass/indexer.py:run_12", "indexer_12", traces=8),
    Classic("pass/indexer.py:run_15", "indexer_15", traces=4096),
    Classic("pass/last_zero.py:run_5", "last_zero_5", traces=64),
    Classic("pass/last_zero.py:run_10", "last_zero_10", traces=3328),
    Classic("pass/last_zero.py:run_15", "last_zero_15", traces=147456),
    Classic("pass/locked3.py:run", "locked3", traces=20),
    Classic("pass/pbzip2_fixed.py:run", "pbzip2_fixed"),
    Classic("pass/read_only.py:run", "read_only", traces=1),
    Classic("pass/readers.py:run_3", "readers_3", traces=8),
    Classic("pass/readers.py:run_8", "readers_8", traces=256),
    Classic("pass/readers.py:run_13", "readers_13", traces=8192),
    Classic("pass/reorder_fixed.py:run", "reorder_fixed"),
    Classic("pass/shared4.py:run", "shared4", traces=70),
    Classic("pass/stack_fixed.py:run", "stack_fixed"),
    Classic("pass/twostage_fixed.py:run", "twostage_fixed"),
    Classic("pass/twothreads.py:run", "twothreads"),
    Classic("pass/wsq_fixed.py:run", "wsq_fixed"),
    Classic("pass/wsq_fixed.py:run_swsq", "swsq_fixed"),
)
"""In the order of their files."""
