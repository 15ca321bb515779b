"""Pages are whole, ask nothing of anybody, and show as text what comes from a target."""

from __future__ import annotations

import html.parser
import json
import re
from collections.abc import Callable

import msgspec
import pytest

from semafuzz.harness.search.result import Result
from semafuzz.harness.sections.coverage import Coverage
from semafuzz.reports.pages.charts import discovery_curve
from semafuzz.reports.pages.content import Site
from semafuzz.reports.pages.finding import finding_page
from semafuzz.reports.pages.index import index_page
from semafuzz.reports.pages.render import data_text
from semafuzz.reports.run_view.printable import LONGEST, clean
from semafuzz.reports.run_view.schema import FindingView
from semafuzz.reports.summaries import Summary

Draw = Callable[..., FindingView]
HOSTILE = "</script><script>window.broken=1</script><img src=x onerror=window.broken=1>\x1b[31m\u202e\x00\"'`{{7*7}}"


class Reader(html.parser.HTMLParser):
    """What a page has: elements, attributes, and the text that is shown."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"}.intersection(self.open):
            self.text += data


def hostile(value: object) -> object:
    """The same data with every text in it replaced by a hostile one, but for what is chosen of few."""
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, list):
        return [hostile(one) for one in value]
    if isinstance(value, dict):
        return {key: hostile(one) for key, one in value.items()}
    return value


def hostile_picture(drawn: FindingView) -> FindingView:
    """A picture in which every text that a target could choose is hostile."""
    told = msgspec.to_builtins(drawn)
    found = {name: hostile(value) for name, value in told.items()}
    found["signature"], found["reproduces"], found["severity"] = told["signature"], "yes", told["severity"]
    found["sources"] = {HOSTILE: HOSTILE}
    run = found["run"]
    for old, new in zip(told["run"]["steps"], run["steps"], strict=True):
        new[2] = old[2]
    for new in run["switches"]:
        new["needed"] = "yes"
    if found["passing"]:
        for old, new in zip(told["passing"]["run"]["steps"], found["passing"]["run"]["steps"], strict=True):
            new[2] = old[2]
        for new in found["passing"]["run"]["switches"]:
            new["needed"] = ""
    return msgspec.convert(found, FindingView)


@pytest.fixture(params=["lost", "stuck", "always"])
def drawn(picture: Draw, request: pytest.FixtureRequest) -> FindingView:
    return picture(request.param)


def test_a_page_tells_the_finding(drawn: FindingView) -> None:
    page = finding_page(drawn, "error")
    read = Reader(page)
    assert read.open == []
    for text in (
        drawn.signature,
        drawn.message.partition("\n")[0][:200],
        *drawn.commands,
        "Run it again",
        "The picture",
    ):
        assert text in read.text, text
    assert "self.balance += 1" in read.text or drawn.kind != "assertion"
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1])  # type: ignore[index]
    assert len(data["run"]["steps"]) == len(drawn.run.steps) if drawn.run else False


def test_a_page_asks_nothing_of_anybody(drawn: FindingView) -> None:
    page = finding_page(drawn, "error")
    read = Reader(page)
    (policy,) = [told["content"] or "" for tag, told in read.elements if tag == "meta" and "http-equiv" in told]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?:|//\w", policy)
    for tag, told in read.elements:
        assert tag not in ("link", "img", "iframe", "object", "embed", "form", "base")
        assert "src" not in told
        assert "style" not in told, "the content policy would drop it"
        assert not any(name.startswith("on") for name in told)
        assert tag != "a" or told["href"] == "index.html"
    assert page.count("<script") == 2


def test_hostile_text_is_text(picture: Draw) -> None:
    bad = hostile_picture(picture("lost"))
    for page in (finding_page(bad, "error"), index_page([(bad, "error", "x")], Site([(bad, "error", "x")]), HOSTILE)):
        read = Reader(page)
        assert read.open == []
        assert "window.broken=1" in read.text, "it is shown"
        assert not any(tag == "img" for tag, _ in read.elements)
        assert page.count("<script") == len([tag for tag, _ in read.elements if tag == "script"]) <= 2
        assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", page)
        assert "49" not in read.text.replace("{{7*7}}", ""), "templates are not made of what a target says"


def test_the_check_of_hostile_text_can_fail() -> None:
    assert Reader(f"<p>{HOSTILE}</p>".replace("</script>", "")).elements[1][0] == "script"


def test_very_long_text_is_cut() -> None:
    assert len(clean("x" * 1_000_000)) == LONGEST + 1
    assert clean({"a": ["\x1b[0m"]}) == {"a": ["\N{REPLACEMENT CHARACTER}[0m"]}
    assert "</" not in data_text(["</script>", "<!--", "\u2028"])
    assert json.loads(data_text(["</script>", "a&b"])) == ["</script>", "a&b"]


def test_a_finding_without_a_run_says_why(picture: Draw) -> None:
    drawn = msgspec.structs.replace(picture("lost"), run=None, passing=None, excerpts=[], reproduces="it is gone")
    read = Reader(finding_page(drawn, "warning"))
    assert "it is gone" in read.text
    assert "programs:11 (Account.deposit)" in read.text
    assert not any(told.get("id") == "data" for _, told in read.elements)


def test_the_index_lists_findings_and_figures(picture: Draw) -> None:
    drawn = picture("lost")
    result = Result("programs", "portfolio", 0, schedules=1000, classes=30, verdict="found", seconds=2.0)
    result.coverage = Coverage(
        executions=1000,
        looked=250,
        failures={"a": 1, "b": 40},
        orders={"m:1 (f)\nm:2 (g)": 4, "m:2 (g)\nm:1 (f)": 1, "m:3 (h)\nm:1 (f)": 9},
        reads={"m:1 (f)\nm:2 (g)": 3},
        overlaps={"audit\nclaim": 30, "audit\naudit": 5},
        failing={"audit\nclaim": 2},
        curve=[(1, 0.1, 0, 0), (10, 0.2, 1, 2), (100, 0.5, 1, 3), (500, 1.0, 2, 3), (1000, 2.0, 2, 3)],
    )
    site = Site(
        [(drawn, "error", "name")],
        Summary("check", "programs.py:lost", "", "threads", result),
        ["x is broken"],
        {"21.1.0": [{"defect": "lp1", "answer": "shows"}], "34.0.0": [{"defect": "lp1", "answer": "silent"}]},
    )
    read = Reader(index_page(site.findings, site, "programs"))
    assert read.open == []
    assert [told["href"] for tag, told in read.elements if tag == "a"] == ["name.html"]
    text = " ".join(read.text.split())
    for expected in (
        "1,000schedules", "0.10%", "1 of 2", "x is broken", "lp1showssilent", "audit530", "Something was found.",
    ):  # fmt: skip
        assert expected in text, (expected, text)
    assert any("2 of them failed" in (told.get("title") or "") for _, told in read.elements)


def test_a_curve_needs_points() -> None:
    points = [(n, n / 10, min(n, 3), n * 2) for n in (1, 2, 3, 4, 8)]
    assert discovery_curve(points[:4]) is None
    curve = discovery_curve(points)
    assert curve is not None
    assert curve.first.startswith(f"M{curve.left}")
    assert [text for _, text in curve.across] == ["0", "4", "8"]
    assert [text for _, text in curve.up] == ["0", "1", "3"]
    assert [text for _, text in curve.up_second] == ["0", "8", "16"]


def test_an_empty_index_says_what_that_proves() -> None:
    result = Result("programs", "portfolio", 0, schedules=10, verdict="cut", seconds=1.0)
    site = Site([], Summary("fuzz", "nova", "34.0.0", "threads", result))
    assert "proves nothing" in Reader(index_page([], site, "fuzz of nova")).text
