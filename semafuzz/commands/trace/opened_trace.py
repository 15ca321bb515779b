"""Opened traces: the checked function, or the target's operations, ready to run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from semafuzz.commands.common.load_function import load_checked
from semafuzz.commands.trace.subject import Code, OpenedTrace, controlled, no_points, stall_of
from semafuzz.harness.edits.remedies import WHAT_IF
from semafuzz.harness.errors import CannotJudge, CodeError, UsageError
from semafuzz.harness.runs import source_index
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.program_output import own_errors
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.traces.schema import Function, Trace, Value
from semafuzz.reports.terminal.plain_text import plain

__all__ = ["Code", "OpenedTrace", "opened_trace"]


@contextmanager
def opened_trace(trace: Trace, code: Code) -> Iterator[OpenedTrace]:
    """Make ready what ``trace`` is of, on this code. Raises UsageError where what is asked for
    does not go together or names nothing, CannotJudge where control fails or the code does not
    run."""
    with ExitStack() as stack:
        try:
            subject = stack.enter_context(_opened(trace, code))
        except CodeError as error:
            raise CannotJudge(str(error)) from error
        yield subject


@contextmanager
def _opened(trace: Trace, code: Code) -> Iterator[OpenedTrace]:
    if isinstance(trace.program, Function):
        if code.release or code.source is not None:
            raise UsageError("--release and --source go with traces of Nova; this one is of a checked function")
        if code.settings:
            raise UsageError("--set goes with traces of a target's operations; a checked function has no options")
        with _open_function(trace, trace.program, code) as subject:
            yield subject
        return
    # Here, since a checked function needs no target.
    from semafuzz.commands.trace.opened_operations import open_operations

    with open_operations(trace, trace.program, code) as subject:
        yield subject


@contextmanager
def _open_function(trace: Trace, identity: Function, asked: Code) -> Iterator[OpenedTrace]:
    spec = program = asked.program
    known = source_index.find(identity)
    if spec is None:
        if known is None and "test" in trace.configuration:
            test = plain(str(trace.configuration["test"]), 300)
            raise UsageError(
                f"this trace is of the test {test}, which needs pytest: name the test and --interleave-replay TRACE"
            )
        if known is None:
            raise UsageError(
                f"this trace is of {identity.function} in a file {identity.file} that was not checked on this machine; "
                f"say which it is with --program FILE.py:{identity.function}"
            )
        spec = f"{known.path}:{identity.function}"
    trusted = {*asked.instrument, *(known.modules if known is not None else ())}
    what_if = str(trace.configuration.get(WHAT_IF, ""))
    checked, model = load_checked(
        spec,
        identity.instrument,
        trace.model,
        trusted,
        thorough=trace.thorough,
        renamed=identity.renamed,
        what_if=what_if,
    )
    configuration: dict[str, Value] = {WHAT_IF: what_if} if what_if else {}
    if trace.model == "trio":
        from semafuzz.harness.trio_engine.choosing import TrioChoices

        choices = TrioChoices.of(trace.configuration)
        choices.settle(checked.program, spec)
        configuration |= choices.configuration()
    if model != trace.model:
        raise CannotJudge(f"the trace was made under the model {trace.model}, {spec} runs under {model}")
    same = checked.identity.sha256 == identity.sha256
    if not same:
        print(f"semafuzz: {checked.path} has changed since the trace was made", file=own_errors())
    with (
        checked.program.session(),
        controlled_session(
            checked.program.modules()[1:],
            instrument=model != "eventlet",
            thorough=trace.thorough,
            stall=stall_of(asked),
        ) as laboratory,
    ):
        yield OpenedTrace(
            trace,
            checked.program,
            controlled(laboratory),
            ExecutionConfig(no_points(), trace.model, trace.seed, thorough=trace.thorough),
            Origin("function", checked.identity, configuration=configuration),
            spec,
            same,
            program_option=program or "",
        )
