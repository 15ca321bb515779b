"""The pages in a real browser: nothing of a target runs, everything can be reached, and ten
thousand steps are as light as twenty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe

from semafuzz.reports.pages.content import Site
from semafuzz.reports.pages.finding import finding_page
from semafuzz.reports.pages.index import index_page
from semafuzz.reports.run_view.schema import FindingView, Lane, Run, Span, Step, Switch
from tests.reports.pages.test_pages import HOSTILE, hostile_picture
from tests.rotation import slow

Draw = Callable[..., FindingView]
Open = Callable[..., Any]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Opens a page from disk, offline, and sees that it asks for nothing and has no error."""
    contexts = []
    errors: list[str] = []

    def open_page(text: str, *, width: int = 1400, scheme: str = "light") -> Any:
        path = tmp_path / f"page-{len(contexts)}.html"
        path.write_text(text, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: request.url == path.as_uri() or errors.append(f"asks for {request.url}"))
        page.on("pageerror", lambda error: errors.append(f"error: {error}"))
        page.on("console", lambda told: errors.append(f"{told.type}: {told.text}"))
        page.on("dialog", lambda dialog: errors.append("a dialog") or dialog.dismiss())
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def long_picture(drawn: FindingView, steps: int) -> FindingView:
    """A run of so many steps of three tasks."""
    run = Run(
        lanes=[Lane(number, f"task-{number}", f"host{number % 2}") for number in range(3)],
        steps=[Step(n, n // 50 % 3, ("read", "write")[n % 7 == 0], 0, 1, 2, 3, True) for n in range(steps)],
        texts=["Account#1.balance", "programs:11 (Account.deposit)", "1", "2"],
        operations=[Span(n // 50 % 3, f"work({n})", n, n + 49) for n in range(0, steps - 49, 50)],
        holds=[Span(n // 50 % 3, "Lock#1", n, n + 20) for n in range(0, steps - 49, 50)],
        switches=[
            Switch(n, (n // 50 - 1) % 3, n // 50 % 3, n % 500 == 0, "yes", "write x") for n in range(50, steps, 50)
        ],
        events=steps,
        pair=[100, steps - 100],
    )
    return msgspec.structs.replace(drawn, run=run)


def serious(page: Any) -> list[str]:
    """What an automated check finds that keeps somebody out."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    ("width", "scheme"), [(1400, "light"), (400, "dark"), slow((1400, "dark")), slow((400, "light"))]
)
@pytest.mark.parametrize("function", ["lost", "stuck", "always"])
def test_a_finding_can_be_used_by_everybody(
    opened: Open, picture: Draw, function: str, width: int, scheme: str
) -> None:
    page = opened(finding_page(picture(function), "error"), width=width, scheme=scheme)
    assert page.locator("html").get_attribute("data-drawn") == "yes"
    if function != "always":
        page.click("#beside")
        assert page.locator("#passing").is_visible()
    page.locator("details summary").click()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing sticks out of the page"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_index_can_be_used_by_everybody(opened: Open, picture: Draw, scheme: str) -> None:
    findings = [(picture(name), severity, name) for name, severity in (("lost", "error"), ("stuck", "warning"))]
    page = opened(index_page(findings, Site(findings), "programs"), width=400, scheme=scheme)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_check_for_everybody_can_fail(opened: Open) -> None:
    pale = "<p style='color:#ccc;background:#fff'>some words that are too pale to be read</p>"
    page = opened(f"<!doctype html><html><body><button></button>{pale}</body></html>")
    assert {one.partition(":")[0] for one in serious(page)} >= {"button-name", "color-contrast", "html-has-lang"}


def test_the_picture_is_moved_through_with_the_keyboard(opened: Open, picture: Draw) -> None:
    page = opened(finding_page(picture("lost"), "error"))
    page.locator("#failing .scroller").focus()
    page.keyboard.press("Home")
    assert "step0 of" in page.locator("#detail").inner_text().replace("\n", "")
    page.keyboard.press("n")
    detail = page.locator("#detail").inner_text()
    assert "worker-1" in detail
    for _ in range(20):
        page.keyboard.press("ArrowDown")
        detail = page.locator("#detail").inner_text()
        if "writes Account#1.balance" in detail and "worker-0" in detail:
            break
    for text in ("before\n1", "after\n1", "self.balance += 1", "(Account.deposit)"):
        assert text in detail, detail


def test_a_step_is_shown_where_the_mouse_is(opened: Open, picture: Draw) -> None:
    page = opened(finding_page(picture("lost"), "error"))
    before = page.locator("#detail").inner_text()
    page.locator("#failing .scroller svg").scroll_into_view_if_needed()
    box = page.locator("#failing .scroller svg").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 30)
    after = page.locator("#detail").inner_text()
    assert after != before
    assert "MainThread" in after


def test_zoom_and_filter(opened: Open, picture: Draw) -> None:
    page = opened(finding_page(picture("lost"), "error"))
    high = "document.querySelector('#failing .space').offsetHeight"
    start = page.evaluate(high)
    page.click("#closer")
    assert page.evaluate(high) > start
    page.click("#wider")
    page.click("#wider")
    assert page.evaluate(high) < start
    page.click("#closer")
    page.select_option("#filter", "all")
    assert page.evaluate(high) > start, "every step takes more room"
    page.click("#race")
    assert "Account#1.balance" in page.locator("#detail").inner_text()


def test_both_runs_show_where_they_part(opened: Open, picture: Draw) -> None:
    page = opened(finding_page(picture("lost"), "error"))
    page.click("#beside")
    page.wait_for_timeout(100)
    for name in ("failing", "passing"):
        assert page.locator(f"#{name} .scroller text.part").count() == 1
    assert page.locator("#beside").get_attribute("aria-pressed") == "true"
    page.click("#beside")
    assert not page.locator("#passing").is_visible()


def test_tasks_of_one_host_stand_together_under_its_name(opened: Open, picture: Draw) -> None:
    page = opened(finding_page(long_picture(picture("lost"), 200), "error"))
    groups = page.locator("#failing .lanes .group")
    said = [[one.strip() for one in group.inner_text().splitlines() if one.strip()] for group in groups.all()]
    assert said == [["host0", "task-0", "task-2"], ["host1", "task-1"]]
    heights = {page.locator("#failing .lanes .name").nth(number).bounding_box()["y"] for number in range(3)}
    assert len(heights) == 1, "in one line"
    plain = opened(finding_page(picture("lost"), "error"))
    assert plain.locator("#failing .lanes .host").count() == 0
    names = plain.locator("#failing .lanes .name").all_inner_texts()
    assert names == ["MainThread", "worker-0", "worker-1"]


def test_the_index_filters(opened: Open, picture: Draw) -> None:
    findings = [(picture(name), severity, name) for name, severity in (("lost", "error"), ("stuck", "warning"))]
    page = opened(index_page(findings, Site(findings), "programs"))
    shown = page.locator("#findings tbody tr:visible")
    assert shown.count() == 2
    page.fill("#text", "WAIT for")
    assert shown.count() == 1
    assert page.locator("#count").inner_text() == "1 of 2 shown"
    page.fill("#text", "")
    page.select_option("#severity", "error")
    assert "update is lost" in shown.inner_text()
    page.select_option("#kind", "deadlock")
    assert shown.count() == 0


def test_hostile_text_runs_nothing(opened: Open, picture: Draw) -> None:
    bad = hostile_picture(picture("lost"))
    findings = [(bad, "error", "x")]
    page = opened(finding_page(bad, "error"))
    page.click("#beside")
    page.select_option("#filter", "all")
    page.locator("#failing .scroller").focus()
    for key in ("Home", "ArrowDown", "n", "End", "+", "-"):
        page.keyboard.press(key)
    assert page.evaluate("window.broken") is None
    assert "window.broken=1" in page.locator("#detail").inner_text(), "it is shown as text"
    index = opened(index_page(findings, Site(findings), HOSTILE))
    assert index.evaluate("window.broken") is None
    assert "window.broken=1" in index.locator("body").inner_text()


def test_the_check_of_what_runs_can_fail(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text(f"<p>{HOSTILE.replace('</script>', '', 1)}</p>")
    page = browser.new_page()
    page.goto((tmp_path / "bad.html").as_uri())
    assert page.evaluate("window.broken") == 1
    page.close()


def test_the_content_policy_stops_what_gets_through(browser: Any, picture: Draw, tmp_path: Path) -> None:
    """The second wall: even markup that was not escaped runs nothing."""
    text = finding_page(picture("lost"), "error")
    bad = "<script>window.broken=1</script><img src=x onerror=window.broken=1>"
    (tmp_path / "bad.html").write_text(text.replace("<main>", f"<main>{bad}"), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "bad.html").as_uri())
    assert page.locator("html").get_attribute("data-drawn") == "yes", "ours runs"
    assert page.evaluate("window.broken") is None
    page.close()


def test_ten_thousand_steps_are_as_light_as_twenty(opened: Open, picture: Draw) -> None:
    page = opened(finding_page(long_picture(picture("lost"), 10_000), "error"))
    page.select_option("#filter", "all")
    for place in (0, 0.3, 0.7, 1):
        page.evaluate(
            "place => { const one = document.querySelector('#failing .scroller'); "
            "one.scrollTop = one.scrollHeight * place; }",
            place,
        )
        page.wait_for_timeout(50)
        assert page.evaluate("document.querySelectorAll('#failing .scroller svg *').length") < 1500
    assert page.locator("#failing .scroller svg").inner_html().count("9999") == 1, "the last step is there"
    for _ in range(6):
        page.click("#wider")
    page.wait_for_timeout(50)
    assert page.evaluate("document.querySelectorAll('#failing .scroller svg *').length") < 5000
