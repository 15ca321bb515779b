"""A defect that is met in another program is no news; another defect is."""

from __future__ import annotations

from typing import Any

import pytest

from semafuzz.campaign.corpus import Known
from semafuzz.commands.nightly.by_cause import by_cause


def known(signature: str, cause: str, found: str = "tonight", **changes: Any) -> Known:
    record: dict[str, Any] = {
        "target": "nova", "release": "34.0.0", "signature": signature, "kind": "invariant", "severity": "error",
        "message": "", "program": signature, "operations": ("claim(1)", "audit()"), "found": found, "cause": cause,
    }  # fmt: skip
    return Known(**(record | changes))


BEFORE = known("before", "race", found="yesterday")


def signatures(*records: Known) -> tuple[list[str], list[str]]:
    new, further = by_cause(records, "tonight")
    return [one.signature for one in new], [one.signature for one in further]


def test_another_program_of_a_known_cause_is_no_news() -> None:
    assert signatures(BEFORE, known("other", "race")) == ([], ["other"])


def test_the_first_of_a_cause_is_news_and_stands_for_the_others() -> None:
    larger = known("a", "race", operations=("claim(1)", "audit()", "drop(2)"))
    assert signatures(larger, known("b", "race"), known("c", "else")) == (["b", "c"], ["a"])


@pytest.mark.parametrize(
    "tonight",
    [
        known("other", "another race"),
        known("other", "race", release="33.0.2"),
        known("other", "race", target="reference"),
        known("other", ""),
    ],
)
def test_another_cause_is_news(tonight: Known) -> None:
    assert signatures(BEFORE, tonight) == (["other"], [])


def test_without_a_cause_each_is_its_own() -> None:
    assert signatures(known("old", "", found="yesterday"), known("a", ""), known("b", "")) == (["a", "b"], [])


def test_a_cause_that_is_gone_is_known_no_longer() -> None:
    assert signatures(known("before", "race", found="yesterday", state="gone"), known("other", "race")) == (
        ["other"],
        [],
    )


def test_a_warning_makes_no_error_old_and_an_error_does_a_warning() -> None:
    warned = known("before", "race", found="yesterday", severity="warning")
    assert signatures(warned, known("other", "race")) == (["other"], [])
    assert signatures(BEFORE, known("other", "race", severity="warning")) == ([], ["other"])
