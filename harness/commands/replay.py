"""``semafuzz replay``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from harness import known_files
from harness.commands.loading import load_checked
from harness.errors import CannotJudge, UsageError
from harness.kernel.sites import SITES
from harness.laboratory import open_laboratory
from harness.program import Setting
from harness.replaying import Replayed, replay
from harness.traces.build import recorded_choices
from harness.traces.codec import read
from harness.traces.schema import Function, Trace
from harness.traces.signature import failure_identity


def run_replay(path: Path, program: str | None, as_json: bool) -> int:
    """Replay the trace and say whether it reproduces; the exit code."""
    trace = read(path)
    if isinstance(trace.program, Function):
        replayed = replay_function(trace, trace.program, program)
    else:
        from harness.commands.target_replay import replay_operations

        replayed = replay_operations(trace, program)
    return report(trace, replayed, as_json)


def report(trace: Trace, replayed: Replayed, as_json: bool) -> int:
    """Print how the replay compares with the record; the exit code."""
    if replayed.outcome.uncontrolled:
        raise CannotJudge(replayed.outcome.uncontrolled)
    identities = [failure_identity(failure) for failure in replayed.outcome.failures]
    shown = trace.expected.identity in identities
    same = replayed.digest == trace.expected.digest and replayed.diverged is None
    answer = {
        "reproduces": shown and replayed.diverged is None,
        "signature": trace.expected.signature,
        "digest": replayed.digest,
        "identical": same,
        "diverged": str(replayed.diverged) if replayed.diverged else None,
    }
    if as_json:
        sys.stdout.write(json.dumps(answer) + "\n")
    if replayed.diverged is not None:
        raise CannotJudge(f"the trace does not fit this code: {replayed.diverged}")
    if not as_json:
        words = "reproduces" if shown else "does not reproduce"
        print(f"{trace.expected.signature} {words}: {trace.expected.kind}: {_line(trace.expected.message)}")
        print(f"event digest {replayed.digest[:16]}, {'the recorded one' if same else 'NOT the recorded one'}")
    return 1 if shown else 0


def _line(text: str) -> str:
    from reports.terminal import plain

    return plain(text, 300)


def replay_function(trace: Trace, identity: Function, program: str | None) -> Replayed:
    """Run the trace in its function: that of ``program``, or else in the file known for it.

    Raises UsageError where there is none, CannotJudge where control cannot be had.
    """
    spec = program
    if spec is None:
        known = known_files.recall(identity)
        if known is None and "test" in trace.configuration:
            test = _line(str(trace.configuration["test"]))
            raise UsageError(
                f"this trace is of the test {test}, which needs pytest: name the test and --interleave-replay TRACE"
            )
        if known is None:
            raise UsageError(
                f"this trace is of {identity.function} in a file {identity.file} that was not checked on this machine; "
                f"say which it is with --program FILE.py:{identity.function}"
            )
        spec = f"{known}:{identity.function}"
    checked, model = load_checked(spec, identity.instrument, trace.model)
    if model != trace.model:
        raise CannotJudge(f"the trace was made under the model {trace.model}, {spec} runs under {model}")
    if checked.identity.sha256 != identity.sha256:
        print(f"semafuzz: {checked.path} has changed since the trace was made", file=sys.stderr)
    with open_laboratory(checked.program.modules()[1:], instrument=model != "eventlet") as laboratory:
        if laboratory.silence:
            raise CannotJudge(laboratory.silence)
        setting = Setting(bytearray(max(1 << 16, 2 * len(SITES))), trace.model, trace.seed)
        return replay(checked.program, recorded_choices(trace), setting)
