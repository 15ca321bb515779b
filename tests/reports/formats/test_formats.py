"""Files for other tools: each as its reader wants it, and harmless whatever a target says."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as Xml
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from markdown import markdown

from semafuzz.reports.formats.jsonlines import event_lines
from semafuzz.reports.formats.junit import junit_xml
from semafuzz.reports.formats.markdown import bug_report, escaped, fenced, summary
from semafuzz.reports.formats.perfetto import trace_events
from semafuzz.reports.formats.report import Report
from semafuzz.reports.formats.sarif import sarif_log
from semafuzz.reports.run_view.places import spots_of
from semafuzz.reports.run_view.schema import FindingView
from tests.reports.pages.test_pages import HOSTILE, hostile_picture

Draw = Callable[..., FindingView]


@pytest.fixture(params=["lost", "stuck", "always"])
def drawn(picture: Draw, request: pytest.FixtureRequest) -> FindingView:
    return picture(request.param)


def test_sarif(drawn: FindingView) -> None:
    log = json.loads(sarif_log(Report([(drawn, "error")])))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [drawn.kind]
    (result,) = run["results"]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == (drawn.kind, 0, "error")
    assert result["partialFingerprints"] == {"semafuzzSignature/v1": drawn.signature}
    for location in (*result["locations"], *result.get("relatedLocations", [])):
        physical = location["physicalLocation"]
        assert physical["artifactLocation"] == {"uri": "programs.py", "uriBaseId": "%SRCROOT%"}
        assert physical["region"]["startLine"] > 0


def test_sarif_has_a_thread_flow_for_each_task_in_the_order_of_the_run(picture: Draw) -> None:
    drawn = picture("lost")
    (result,) = json.loads(sarif_log(Report([(drawn, "error")])))["runs"][0]["results"]
    ((flow,),) = [[one["threadFlows"]] for one in result["codeFlows"]]
    assert [one["id"] for one in flow] == ["0 MainThread", "1 worker-0", "2 worker-1"]
    orders = [[step["executionOrder"] for step in one["locations"]] for one in flow]
    assert all(order == sorted(order) and min(order) >= 1 for order in orders)
    everything = sorted(number for order in orders for number in order)
    assert len(set(everything)) == len(everything)
    acts = [step["location"]["message"]["text"] for step in flow[1]["locations"] if "balance" in str(step)]
    assert acts == ["read Account#1.balance = 0", "write Account#1.balance = 1"]


def test_sarif_without_findings_is_an_empty_log() -> None:
    assert json.loads(sarif_log(Report([])))["runs"][0]["results"] == []


def test_a_finding_that_names_no_place_stands_where_the_run_was_last(picture: Draw) -> None:
    drawn = msgspec.structs.replace(picture("lost"), places=[])
    (spot,) = spots_of(drawn)
    assert (spot.file, spot.function) == ("programs.py", "lost")
    assert spots_of(msgspec.structs.replace(drawn, run=None)) == []


def test_perfetto(drawn: FindingView) -> None:
    events = json.loads(trace_events(drawn))["traceEvents"]
    named = {(one["pid"], one["tid"]) for one in events if one["ph"] == "M" and one["name"] == "thread_name"}
    assert {(one["pid"], one["tid"]) for one in events if one["ph"] in "Xsf"} <= named
    assert nesting_faults(events) == []
    starts = sorted((one["id"], one["ts"]) for one in events if one["ph"] == "s")
    ends = sorted((one["id"], one["ts"]) for one in events if one["ph"] == "f")
    assert [number for number, _ in starts] == [number for number, _ in ends]
    assert all(start <= end for (_, start), (_, end) in zip(starts, ends, strict=True))
    steps = [one for one in events if one.get("cat") == "step"]
    assert len(steps) == len(drawn.run.steps if drawn.run else [])


def nesting_faults(events: list[dict[str, Any]]) -> list[str]:
    """Slices of one track that overlap without one being in the other."""
    faults = []
    tracks: dict[tuple[int, int], list[tuple[int, int, str]]] = {}
    for one in events:
        if one["ph"] == "X":
            tracks.setdefault((one["pid"], one["tid"]), []).append((one["ts"], one["ts"] + one["dur"], one["name"]))
    for slices in tracks.values():
        open_until: list[int] = []
        for start, end, name in sorted(slices, key=lambda one: (one[0], -one[1])):
            while open_until and open_until[-1] <= start:
                open_until.pop()
            if open_until and end > open_until[-1]:
                faults.append(name)
            open_until.append(end)
    return faults


def test_the_check_of_nesting_can_fail() -> None:
    track = {"ph": "X", "pid": 1, "tid": 1}
    good = [{**track, "ts": 0, "dur": 5, "name": "a"}, {**track, "ts": 1, "dur": 4, "name": "b"}]
    assert nesting_faults(good) == []
    assert nesting_faults([*good, {**track, "ts": 4, "dur": 3, "name": "c"}]) == ["c"]


def test_junit(drawn: FindingView) -> None:
    root = Xml.fromstring(junit_xml(Report([(drawn, "error"), (drawn, "warning")], "check")))
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "1", "1")
    assert [case[1].tag for case in suite] == ["failure", "skipped"]
    assert "hostname" not in suite.attrib
    assert f"replay out-{drawn.target}" not in suite[0][0][2].get("value", "")
    empty = Xml.fromstring(junit_xml(Report([], "check")))
    assert (empty[0].get("tests"), len(empty[0])) == ("1", 1)


def test_lines(drawn: FindingView) -> None:
    told = [json.loads(line) for line in event_lines(drawn)]
    assert drawn.run is not None
    assert [one["step"] for one in told] == [step.number for step in drawn.run.steps]
    assert {one["name"] for one in told} <= {lane.name for lane in drawn.run.lanes}
    assert not list(event_lines(msgspec.structs.replace(drawn, run=None)))


def test_markdown(drawn: FindingView) -> None:
    told = {"21.0.0": "reproduces", "21.1.0": "reproduces", "21.1.1": "does not reproduce"}
    text = bug_report(msgspec.structs.replace(drawn, releases=told), "error")
    shown = markdown(text, extensions=["fenced_code", "tables"])
    assert "Releases: reproduces: 21.0.0, 21.1.0.\nReleases: does not reproduce: 21.1.1.\n" in text
    assert all(line in text for line in drawn.story)
    assert "semafuzz replay" in shown
    table = markdown(summary(Report([(drawn, "error")], "check")), extensions=["tables"])
    assert table.count("<tr>") == 2
    assert drawn.signature in table
    assert "Nothing was found" in summary(Report([], "check"))


def test_hostile_text_stays_text_everywhere(picture: Draw) -> None:
    bad = hostile_picture(picture("lost"))
    told = [(bad, "error")]
    assert json.loads(sarif_log(Report(told)))
    assert json.loads(trace_events(bad))["traceEvents"]
    assert all(json.loads(line) for line in event_lines(bad))
    Xml.fromstring(junit_xml(Report(told, HOSTILE)))
    pages = summary(Report(told, HOSTILE)), bug_report(bad, "error")
    for text in (sarif_log(Report(told)), trace_events(bad), junit_xml(Report(told, HOSTILE)), *pages):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", text)
    for text in pages:
        shown = markdown(text, extensions=["fenced_code", "tables"])
        assert "<script" not in shown
        assert "<img" not in shown


@pytest.mark.parametrize(
    "text",
    ["![x](https://example.com)", "[x](javascript:1)", "<b>x</b>", "# x", "*x* _y_ ~~z~~", "`x`", "a | b", "<!-- x -->",
     "@somebody", "&lt;b&gt;", "https://example.com"],
)  # fmt: skip
def test_markdown_is_escaped(text: str) -> None:
    shown = markdown(f"x {escaped(text)} y")
    assert re.fullmatch(r"<p>x .* y</p>", shown)
    assert not re.search(r"<(?!/?p>)", shown)
    assert "@" not in escaped(text)


def test_a_fence_is_longer_than_what_is_in_it() -> None:
    assert fenced(["a", "````"])[0] == "`````text"
    assert fenced([])[0] == "```text"
