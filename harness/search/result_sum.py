"""The sum of the results of several searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from semafuzz.harness.detectors.registry import merge_sections
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result
from semafuzz.harness.sections.coverage import joined_coverage


def merge_results(results: Sequence[Result], failures: Sequence[Finding] | None = None) -> Result:
    """The sum of at least one result. ``failures``: of all of them; by default each signature
    once."""
    first = results[0]
    whole = Result(first.program, first.scheduler, first.seed)
    whole.schedules = sum(one.schedules for one in results)
    whole.programs = sum(one.programs for one in results)
    whole.classes = sum(one.classes for one in results)
    whole.seconds = sum(one.seconds for one in results)
    if failures is None:
        failures = list({one.signature: one for result in results for one in result.failures}.values())
    whole.failures = list(failures)
    firsts = [one.first_failure for one in results if one.first_failure is not None]
    whole.first_failure = min(firsts) if firsts else None
    verdicts = {one.verdict for one in results}
    # The searches of one program that were each complete are not told apart from those of several.
    whole.verdict = next(one for one in ("uncontrolled", "found", "cut", "complete") if one in verdicts)
    whole.interrupted = any(one.interrupted for one in results)
    whole.exhausted = whole.verdict == "complete"
    whole.notes = list(dict.fromkeys(note for one in results for note in one.notes))
    for one in results:
        for reason, count in one.skipped.items():
            whole.skipped[reason] = whole.skipped.get(reason, 0) + count
        for words, count in one.pairs.items():
            whole.pairs[words] = whole.pairs.get(words, 0) + count
    whole.sections = merge_sections([one.sections for one in results])
    counted = [one.coverage for one in results if one.coverage is not None]
    whole.coverage = joined_coverage(counted) if counted else None
    return whole


def gone_on(first: Result, second: Result) -> Result:
    """Two searches of one program, of which the second went on where the first ended with what was not confirmed."""
    later = first.schedules
    return replace(
        second,
        seed=first.seed,
        schedules=first.schedules + second.schedules,
        first_failure=None if second.first_failure is None else later + second.first_failure,
        failures=[replace(finding, schedule=later + finding.schedule) for finding in second.failures],
        unconfirmed=[*first.unconfirmed, *second.unconfirmed],
        seconds=first.seconds + second.seconds,
        notes=list(dict.fromkeys([*first.notes, *second.notes])),
        limits=list(dict.fromkeys([*first.limits, *second.limits])),
        not_watched=sorted({*first.not_watched, *second.not_watched}),
        verdict="cut" if second.verdict == "complete" else second.verdict,
        exhausted=False,
    )
