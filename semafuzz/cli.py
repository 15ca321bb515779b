"""The command line. Exit codes: 0 nothing found, 1 findings, 2 interrupted,
3 internal error, 4 bad usage or input, 125 cannot be judged."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from semafuzz import __version__
from semafuzz.child_channel import program_runs
from semafuzz.commands.audit.options import audit
from semafuzz.commands.bench.options import bench
from semafuzz.commands.common import options
from semafuzz.commands.fuzz.identify import identify
from semafuzz.commands.fuzz.options import fuzz
from semafuzz.commands.matrix.options import matrix, matrix_column
from semafuzz.commands.mutate.options import mutate
from semafuzz.commands.nightly.options import nightly
from semafuzz.commands.pack.options import pack
from semafuzz.commands.report.options import picture, report
from semafuzz.commands.show.options import show
from semafuzz.commands.trace.merge_options import merge
from semafuzz.harness.errors import CannotJudge, NotDeterministic, UsageError, documentation
from semafuzz.harness.kernel.outcome import Model
from semafuzz.harness.runs.time_outs import Timeouts

NOTHING, FOUND, INTERRUPTED, INTERNAL, USAGE, CANNOT_JUDGE = 0, 1, 2, 3, 4, 125
EXTRAS = {
    "trio": "trio",
    "jinja2": "report",
    "markupsafe": "report",
    "coverage": "coverage",
    "distributed": "dask",
    "nova": "nova",
}
"""The optional parts, by the distribution that a command finds missing."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="semafuzz")
def semafuzz() -> None:
    """Find concurrency defects by running the real code under a scheduler that
    owns every switch between its threads.

    \b
    Start here:
      semafuzz check FILE.py:FUNCTION   explore a function of yours that uses threading
      semafuzz fuzz                     explore OpenStack Nova's resource tracker
      semafuzz audit FILE.py:CLASS      which methods change state, and under which lock
      semafuzz replay TRACE             run a finding again, exactly
      semafuzz show TRACE               look at a finding, in a browser
      semafuzz report DIR               make pages of what was found, with pictures
      semafuzz export TRACE             make a unit test of a finding
    """


@semafuzz.command()
@click.argument("spec", metavar="FILE.py:FUNCTION")
@options.scheduler
@click.option(
    "--schedules", type=click.IntRange(1), default=1000, show_default=True, help="At most this many executions."
)
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="At most this long.")
@options.seed
@options.model
@click.option(
    "--instrument",
    multiple=True,
    metavar="MODULE",
    help="Also look into this module or package (repeatable). Your own modules are looked into anyway; `auto` adds "
    "those of others whose code runs in two threads.",
)
@click.option("--keep-going", is_flag=True, help="Go on after the first failure.")
@click.option("--survey", is_flag=True, hidden=True, help="Only see which code runs; pass over what fails.")
@click.option(
    "--timeouts",
    type=click.Choice(["idle", "any"]),
    default="any",
    show_default=True,
    help="When a time-out may run out: only where nothing else can go on, or, late in the search, also earlier.",
)
@click.option(
    "--cancellations",
    type=click.IntRange(0, 100),
    default=0,
    metavar="N",
    help="For trio: how many tasks a schedule may cancel, at any checkpoint.",
)
@click.option("--patient", is_flag=True, help="For trio: deadlines pass only where no task can go on.")
@options.what_if
@options.detect
@options.out
@options.as_json
def check(
    spec: str,
    scheduler: str,
    schedules: int,
    seconds: float | None,
    seed: int,
    model: Model,
    instrument: tuple[str, ...],
    keep_going: bool,
    survey: bool,
    timeouts: Timeouts,
    cancellations: int,
    patient: bool,
    what_if: tuple[str, ...],
    detect: tuple[str, ...],
    out: Path,
    as_json: bool,
) -> None:
    """Explore a function without arguments that uses threading.

    An uncaught exception in any thread, a failed assertion or a deadlock is a
    failure. The function is run again and again, each time under another
    schedule; sleeping costs nothing.

    \b
    Examples:
      semafuzz check bank.py:transfer_twice
      semafuzz check bank.py:transfer_twice --scheduler dpor --schedules 100000
      semafuzz check service.py:async_main --cancellations 1
      semafuzz check bank.py:transfer_twice --what-if "lock Account.deposit with lock"
    """
    from semafuzz.commands.check import CheckOptions, run_check

    asked = CheckOptions(
        spec,
        scheduler,
        schedules,
        seconds,
        seed,
        model,
        instrument,
        keep_going,
        detect,
        out,
        as_json,
        timeouts,
        what_if,
        survey,
        cancellations,
        patient,
    )
    sys.exit(run_check(asked))


@semafuzz.command()
@click.argument("trace", type=click.Path(path_type=Path))
@click.option(
    "--program",
    metavar="FILE.py:NAME",
    help="The checked function or the class of your target, where this machine does not know its file.",
)
@click.option(
    "--instrument", multiple=True, metavar="MODULE", help="A module that the trace may have imported (repeatable)."
)
@options.release
@options.source
@click.option(
    "--search",
    type=click.IntRange(0),
    metavar="N",
    help="Schedules to try where the recorded one does not fit.  [default: 0, on other code than recorded 5000]",
)
@options.settings
@options.what_if
@click.option("--pdb", "debug", is_flag=True, help="Stop in pdb at the failing step, in the task that makes it.")
@click.option("--break-at", type=click.IntRange(0), metavar="STEP", help="Stop in pdb at this step instead.")
@click.option("--trust", is_flag=True, help="Run the sources of a packed finding, which somebody else wrote.")
@options.as_json
@click.pass_obj
def replay(
    arguments: Sequence[str] | None,
    trace: Path,
    program: str | None,
    instrument: tuple[str, ...],
    release: str,
    source: Path | None,
    search: int | None,
    settings: tuple[str, ...],
    what_if: tuple[str, ...],
    debug: bool,
    break_at: int | None,
    trust: bool,
    as_json: bool,
) -> None:
    """Run a finding again, exactly as it was recorded, or on other code.

    Exit code 1: it reproduces. 0: it does not; the recorded schedule fits and nothing
    fails under it, or every schedule was run and nothing fails. 125: it cannot be
    told, for instance because the trace does not fit the code, with the step at
    which it stops fitting.

    With --what-if the program is searched on the code as if the lock were there, in at most --search schedules (by
    default 1000), after it was seen to show without that. Exit code 0: nothing fails; 1: the finding still shows, or
    something else does; 125: it does not show without the remedy either. What came of it is kept beside the trace, and
    its page lists it; a pack keeps none.

    \b
    Examples:
      semafuzz replay .semafuzz/0a3b2060ddf6.json
      semafuzz replay TRACE --release 33.0.2
      semafuzz replay TRACE --source ~/nova
      semafuzz replay TRACE --set world=real
      semafuzz replay TRACE --what-if "lock Account.deposit with lock"
      semafuzz replay TRACE --pdb
      semafuzz replay 0a3b2060ddf6.semafuzz --trust
      git bisect run semafuzz replay TRACE --source .
    """
    from semafuzz.commands.pack.given import as_trace
    from semafuzz.commands.trace.opened_trace import Code
    from semafuzz.commands.trace.replay import run_replay
    from semafuzz.commands.trace.trial import run_trial
    from semafuzz.harness.errors import UsageError

    if what_if and (debug or break_at is not None):
        raise UsageError("--what-if searches, and stops nowhere; omit --pdb and --break-at")
    stop = break_at if break_at is not None else -1 if debug else None
    with as_trace(trace, program, trust=trust) as (path, spec):
        code = Code(spec, release, source, settings, instrument, stop is not None)
        if what_if:
            sys.exit(run_trial(path, code, what_if, as_json=as_json, search=search, arguments=arguments or ()))
        done = run_replay(path, code, as_json=as_json, search=search, arguments=arguments or (), break_at=stop)
    sys.exit(done)


@semafuzz.command()
@click.argument("trace", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the smaller trace.  [default: beside the given one]"
)
@click.option("--in-place", is_flag=True, help="Put the smaller trace in the place of the given one.")
@click.option("--budget", type=click.IntRange(1), default=3000, show_default=True, help="At most this many executions.")
@click.option(
    "--program", metavar="FILE.py:FUNCTION", help="The checked function, where this machine does not know its file."
)
@click.option(
    "--instrument", multiple=True, metavar="MODULE", help="A module that the trace may have imported (repeatable)."
)
@options.release
@options.source
@click.pass_obj
def shrink(
    arguments: Sequence[str] | None,
    trace: Path,
    out: Path | None,
    in_place: bool,
    budget: int,
    program: str | None,
    instrument: tuple[str, ...],
    release: str,
    source: Path | None,
) -> None:
    """Make a trace small: fewer tasks, operations, faults and preemptions.

    The trace is replayed; where it reproduces, everything that the failure does not
    need is taken away, and the smaller trace is written beside it as NAME.small.json.
    The given trace is left alone unless --in-place says otherwise. `fuzz` and `check`
    shrink what they find already; this spends more.

    Exit code 1: it reproduces. 0: it does not, and nothing is written. 125: it cannot
    be told.

    \b
    Examples:
      semafuzz shrink .semafuzz/0a3b2060ddf6.json
      semafuzz shrink TRACE --budget 10000 --out smaller
    """
    from semafuzz.commands.common.release_process import settle_trace
    from semafuzz.commands.trace.opened_trace import Code
    from semafuzz.commands.trace.shrink import run_shrink

    code = settle_trace(trace, release, source, arguments or ())
    if code is None:
        with program_runs():
            code = run_shrink(
                trace, Code(program, release, source, instrument=instrument), out, budget=budget, in_place=in_place
            )
    sys.exit(code)


@semafuzz.command()
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--from", "first", required=True, metavar="X", help="The oldest release.")
@click.option("--to", "last", required=True, metavar="Y", help="The newest release.")
@click.option(
    "--releases", "given", default="", metavar="A,B,C", help="The releases between, in place of those that are known."
)
@options.as_json
def bisect(trace: Path, first: str, last: str, given: str, as_json: bool) -> None:
    """Find the release in which a finding came or went.

    The trace is replayed on releases of Nova, each in a process of its own; those that
    are not here are fetched. Up to eight are all judged; of more, the two ends, and
    where these differ a binary search between them. What cannot be judged is shown as
    unknown and never guessed.

    Exit code 0: a release was found from which on it is fixed, or affected; or none is
    affected. 1: all that could be judged are affected. 125: no such release was found,
    and one of the two ends could not be judged.

    \b
    Examples:
      semafuzz bisect TRACE --from 33.0.0 --to 34.0.0
      semafuzz bisect TRACE --from 33.0.0 --to 34.0.0 --releases 33.0.1,33.0.2
    """
    from semafuzz.commands.trace.bisect import run_bisect

    sys.exit(run_bisect(trace, first, last, given, as_json))


@semafuzz.command()
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--as", "form", type=click.Choice(["unittest"]), default="unittest", show_default=True, help="As what.")
@click.option(
    "--for",
    "project",
    type=click.Choice(["nova"]),
    help="A patch for the project itself, with its own fixtures; TRACE may be a name of `semafuzz list defects`.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE.py",
    help="The file to write; never over one that is there.  [default: test_SIGNATURE.py here]",
)
@click.option(
    "--program", metavar="FILE.py:FUNCTION", help="The checked function, where this machine does not know its file."
)
def export(trace: Path, form: str, project: str | None, out: Path | None, program: str | None) -> None:
    """Write a trace as a test that fails while its finding is there.

    The file is a plain unittest.TestCase with the trace inside, for `python -m unittest`
    and stestr. It passes once the finding is gone, and is skipped, with the reason,
    where that cannot be told. A trace of Nova is judged on the Nova that the Python
    of the test imports, for instance the checkout it stands in.

    \b
    Examples:
      semafuzz export TRACE
      semafuzz export TRACE --out nova/tests/unit/compute/test_failed_builds.py
      semafuzz export --for nova resize-confirmed-twice | git -C ~/nova apply
    """
    if project is not None:
        from semafuzz.commands.trace.reproduction import run_reproduction

        sys.exit(run_reproduction(trace, out))
    from semafuzz.commands.trace.export import run_export

    sys.exit(run_export(trace, form, out, program))


@semafuzz.command(name="list")
@click.argument(
    "what", type=click.Choice(["all", "targets", "releases", "schedulers", "detectors", "defects"]), default="all"
)
def list_command(what: str) -> None:
    """Show targets, releases, schedulers, detectors and catalogued defects."""
    from semafuzz.commands.listing import run_list

    sys.exit(run_list(what))


semafuzz.add_command(fuzz)
semafuzz.add_command(identify)
semafuzz.add_command(audit)
semafuzz.add_command(matrix)
semafuzz.add_command(matrix_column)
semafuzz.add_command(mutate)
semafuzz.add_command(nightly)
semafuzz.add_command(merge)
semafuzz.add_command(report)
semafuzz.add_command(pack)
semafuzz.add_command(show)
semafuzz.add_command(bench)
semafuzz.add_command(picture)


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; never raises."""
    try:
        semafuzz.main(arguments, prog_name="semafuzz", standalone_mode=False, obj=tuple(arguments))
    except click.ClickException as error:
        _say(error.format_message())
        return USAGE
    except UsageError as error:
        _say(str(error))
        return USAGE
    except CannotJudge as error:
        _say(f"cannot be judged: {error}")
        return CANNOT_JUDGE
    except NotDeterministic as error:
        _say(f"cannot be judged: {error}; see {documentation('determinism')}")
        return CANNOT_JUDGE
    except (KeyboardInterrupt, click.Abort):
        print("semafuzz: interrupted; what was found is kept", file=sys.stderr)
        return INTERRUPTED
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            return _internal_error()
        if arguments[:1] == ["report"]:
            extra = "report"  # which has trio too, for the processes that draw
        print(f"semafuzz: this needs {error.name}; install semafuzz[{extra}]", file=sys.stderr)
        return USAGE
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else INTERNAL
    except Exception:
        return _internal_error()
    return NOTHING


def _say(message: str) -> None:
    """What a message quotes of a trace or a folder must not be able to steer the terminal."""
    from semafuzz.reports.terminal.plain_text import plain

    shown = "\n".join(plain(line, len(line)) for line in message.split("\n"))
    print(f"semafuzz: {shown}", file=sys.stderr)


def _internal_error() -> int:
    traceback.print_exc()
    print("semafuzz: internal error; please report the lines above", file=sys.stderr)
    return INTERNAL
