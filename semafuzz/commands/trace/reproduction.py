"""``semafuzz export --for nova``: a finding as a patch for Nova's own tests.

Made by hand for the findings of the catalogue and kept with it: a regression test with Nova's own fixtures, which
shares nothing with semafuzz, and for some a fix that was tried. Each test passes as long as the defect is there, as
is the custom of ``nova/tests/functional/regressions``, and says what it should assert once it is mended.
"""

from __future__ import annotations

import sys
from pathlib import Path

from semafuzz.commands.common.new_file import write_new
from semafuzz.harness.errors import UsageError
from semafuzz.harness.traces.codec import read
from semafuzz.targets import find_target
from semafuzz.targets.model.catalogue import recognised_in
from semafuzz.targets.model.configured_target import catalogue_of
from semafuzz.targets.model.scenario import scenario_of
from semafuzz.targets.nova.patches import FIX, patches_of, reproduced


def run_reproduction(subject: Path, out: Path | None) -> int:
    """Write the patches of a finding, or print them; the exit code. ``subject``: a trace, or the finding's name in the
    catalogue."""
    name = _name_of(subject)
    found = patches_of(name)
    if not found:
        raise UsageError(
            f"there is no test with Nova's own fixtures for {name}; there are for {', '.join(reproduced())}. "
            "`semafuzz export TRACE` makes a unit test of any trace"
        )
    text = "".join(patch.read_text(encoding="utf-8") for patch in found.values())
    if out is None:
        sys.stdout.write(text)
    else:
        write_new(out, text)
    what = "its test and a fix" if FIX in found else "its test"
    print(f"semafuzz: {name}: {what}; apply with `git apply` in a checkout of Nova", file=sys.stderr)
    return 0


def _name_of(subject: Path) -> str:
    """The name in the catalogue."""
    target = find_target("nova")
    defects = catalogue_of(target)
    if not subject.exists():
        if any(defect.name == str(subject) for defect in defects):
            return str(subject)
        raise UsageError(f"{subject} is neither a trace nor a name that `semafuzz list defects` shows")
    trace = read(subject)
    if trace.target != "nova":
        raise UsageError(f"the trace is of {trace.target}; --for nova takes those of Nova's tracker")
    found = recognised_in(defects, trace.expected.identity, scenario_of(trace), target, trace.release)
    if found is None:
        raise UsageError("the catalogue does not know this finding; `semafuzz export TRACE` makes a unit test of it")
    return found.name
