"""What control costs on Nova's tracker.

    .venv/bin/python benchmarks/nova_overhead.py

A program of three operations (a build, an audit, a failed build) runs in two ways,
turn by turn in the same minutes: its operations called one after the other without
semafuzz on unrewritten code, and as three tasks under random walk with every event
recorded. Both start from the same restored world; neither judges the outcome. The
ratio of the medians is the cost of control; it is at most 1.5 in the threads model
and 1.15 in the eventlet model where the machine is quiet. ``discipline`` is what
watching the tracker's lock discipline costs beside that, in processor time: at most
1.15 times the controlled run.
"""

from __future__ import annotations

import argparse
import json
from statistics import median
from time import perf_counter, process_time

from semafuzz.harness.detectors.discipline.detector import LockDiscipline
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets import find_target
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.staged_program import StagedProgram

PROGRAM = Operations(
    (Operation("instance", {"instance": 1, "role": "new", "flavor": 1}),),
    ((Operation("claim", {"instance": 1}),), (Operation("audit"),), (Operation("build_failed"),)),
)


def serial_seconds(program: StagedProgram, rounds: int) -> float:
    """The time of one serial run."""
    started = perf_counter()
    for _ in range(rounds):
        program.run_serially()
    return (perf_counter() - started) / rounds


def controlled_seconds(program: StagedProgram, setting: ExecutionConfig, scheduler: RandomWalk, rounds: int) -> float:
    """The time of one controlled run, outcome not judged."""
    started = perf_counter()
    for number in range(rounds):
        scheduler.begin(number)
        program.run_controlled(scheduler, setting)
    return (perf_counter() - started) / rounds


def measure(model: str, rounds: int, turns: int) -> dict[str, float]:
    """Medians over the turns, in milliseconds, and their ratio."""
    with find_target("nova").open() as opened:
        with controlled_session((), instrument=False):
            plain = opened.program(Scenario(PROGRAM))
            assert isinstance(plain, StagedProgram)
            serial_seconds(plain, rounds)
            before = [serial_seconds(plain, rounds) for _ in range(turns)]
        with controlled_session(opened.modules, instrument=model == "threads"):
            program = opened.program(Scenario(PROGRAM))
            assert isinstance(program, StagedProgram)
            setting, scheduler = ExecutionConfig(bytearray(1 << 17), model), RandomWalk(0)
            # So that every site that can be a scheduling point is one.
            from semafuzz.harness.kernel.hot_sites import mark_scheduling_points

            for number in range(rounds):
                scheduler.begin(number)
                outcome = program.run_controlled(scheduler, setting)
                mark_scheduling_points(outcome.events, setting.hot)
            controlled = [controlled_seconds(program, setting, scheduler, rounds) for _ in range(turns)]
        with controlled_session((), instrument=False):
            after = [serial_seconds(plain, rounds) for _ in range(turns)]
    serial = median(before + after)
    return {
        "serial_ms": round(serial * 1e3, 3),
        "controlled_ms": round(median(controlled) * 1e3, 3),
        "ratio": round(median(controlled) / serial, 3),
        "events": len(outcome.events),
        "decisions": len(outcome.decisions),
    }


def measure_discipline(rounds: int, turns: int) -> dict[str, float]:
    """What watching the lock discipline adds: medians in milliseconds of processor
    time over many short turns, the two kinds in turn."""
    with find_target("nova").open() as opened, controlled_session(opened.modules) as laboratory:
        program = opened.program(Scenario(PROGRAM))
        assert isinstance(program, StagedProgram)
        assert opened.policy is not None
        plain = ExecutionConfig(bytearray(1 << 17))
        watched = ExecutionConfig(plain.hot, detectors=(LockDiscipline(opened.policy),))

        def turn(setting: ExecutionConfig) -> float:
            scheduler, started = RandomWalk(0), process_time()
            for number in range(rounds):
                scheduler.begin(number)
                outcome = program.run_controlled(scheduler, setting)
                setting.judge(outcome)
                for watcher in setting.detectors:
                    watcher.keep(outcome)
                laboratory.control.between_executions()
            return (process_time() - started) / rounds

        turn(watched)
        pairs = [(turn(plain), turn(watched)) for _ in range(turns)]
    off, on = median(one for one, _ in pairs), median(one for _, one in pairs)
    return {"plain_ms": round(off * 1e3, 3), "watched_ms": round(on * 1e3, 3), "ratio": round(on / off, 3)}


def main() -> None:
    """Measure both models and the discipline, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40, help="executions in one turn")
    parser.add_argument("--turns", type=int, default=5, help="turns of each kind; medians are over them")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    figures = {model: measure(model, arguments.rounds, arguments.turns) for model in ("threads", "eventlet")}
    discipline = measure_discipline(max(1, arguments.rounds // 6), arguments.turns * 6)
    if arguments.json:
        print(json.dumps({**figures, "discipline": discipline}))
        return
    for model, found in figures.items():
        print(f"{model}: {found['ratio']} times the serial calls ({found})")
    print(f"discipline: {discipline['ratio']} times the controlled run ({discipline})")


if __name__ == "__main__":
    main()
