"""What stands beside the picture moves with it: source, state, address and keys."""

from __future__ import annotations

from typing import Any

import msgspec

from semafuzz.reports.pages.finding import Links, finding_page
from tests.reports.pages.test_browser import Draw, Open, long_picture, opened, serious

__all__ = ["opened"]


def said(page: Any, name: str) -> str:
    return str(page.locator(f"#{name}").inner_text())


def row_of(page: Any, text: str) -> str:
    """The row of the table of state that begins so."""
    return str(page.locator("#state tr", has_text=text).first.inner_text())


def test_source_and_state_follow_the_step(opened: Open, picture: Draw) -> None:
    page = opened(finding_page(picture("lost"), "error"))
    page.locator("#failing .scroller").focus()
    page.keyboard.press("End")
    assert "2" in row_of(page, "Account#1.balance") or "1" in row_of(page, "Account#1.balance")
    page.keyboard.press("Home")
    assert "Account#1.balance" not in said(page, "state")
    seen = []
    for _ in range(30):
        page.keyboard.press("ArrowDown")
        marked = page.locator("#source-lines .marked")
        if marked.count() and "self.balance += 1" in marked.inner_text():
            seen.append(row_of(page, "Account#1.balance"))
            assert "programs.py" in said(page, "source-name")
    assert len(seen) >= 4, "two reads and two writes"
    assert any("by worker-" in one for one in seen)


def test_where_the_others_stand_is_in_the_source(opened: Open, picture: Draw) -> None:
    page = opened(finding_page(picture("lost"), "error"))
    page.click("#race")
    stands = page.locator("#source-lines .stands")
    assert stands.count() >= 1
    assert "worker-" in stands.first.inner_text()


def test_who_holds_a_lock_is_told(opened: Open, picture: Draw) -> None:
    page = opened(finding_page(picture("stuck"), "error"))
    page.locator("#failing .scroller").focus()
    page.keyboard.press("End")
    text = said(page, "state")
    assert "held by worker-0" in text
    assert "held by worker-1" in text


def test_the_address_names_the_step(opened: Open, picture: Draw) -> None:
    page = opened(finding_page(picture("lost"), "error"))
    page.keyboard.press("End")
    page.wait_for_timeout(50)
    assert "#step=" in page.url, "the picture has the focus at once"
    last = int(page.url.partition("#step=")[2])
    page.evaluate("location.hash = '#step=3'")
    page.wait_for_timeout(50)
    assert "step\n3 of" in said(page, "detail")
    page.reload()
    assert "step\n3 of" in said(page, "detail")
    assert last > 3


def test_steps_are_found_by_their_words(opened: Open, picture: Draw) -> None:
    page = opened(finding_page(picture("lost"), "error"))
    page.keyboard.press("/")
    page.keyboard.type("writes Account#1.balance")
    first = said(page, "detail")
    assert "writes Account#1.balance" in first
    page.keyboard.press("Enter")
    assert said(page, "detail") != first
    assert "writes Account#1.balance" in said(page, "detail")
    page.keyboard.press("Shift+Enter")
    assert said(page, "detail") == first
    page.keyboard.type("nowhere")
    assert said(page, "none") == "no such step"
    page.keyboard.press("Escape")
    page.keyboard.press("Home")
    assert "step\n0 of" in said(page, "detail")


def test_keys_go_to_what_matters_and_are_told(opened: Open, picture: Draw) -> None:
    drawn = picture("lost")
    assert drawn.run is not None
    needed = {one.step for one in drawn.run.switches if one.preemption and one.needed != "no"} | set(drawn.run.pair)
    page = opened(finding_page(drawn, "error"))
    met = []
    for key in ("n", "n", "n", "p"):
        page.keyboard.press(key)
        page.wait_for_timeout(50)
        met.append(int(page.url.partition("#step=")[2]))
    assert set(met) <= needed
    assert met[3] == met[1]
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    assert serious(page) == []
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()


def test_a_page_of_many_steps_is_not_high(opened: Open, picture: Draw) -> None:
    long = long_picture(picture("lost"), 5000)
    assert long.run is not None
    many = [msgspec.structs.replace(one, preemption=True) for one in long.run.switches]
    long = msgspec.structs.replace(long, run=msgspec.structs.replace(long.run, switches=many), story=["a line"] * 600)
    page = opened(finding_page(long, "error"))
    assert page.evaluate("document.documentElement.scrollHeight") < 3000
    took = page.evaluate("performance.getEntriesByType('navigation')[0].domComplete")
    assert took > 0
    assert "89 more are in the picture" in page.locator("main").inner_text()


def test_on_paper_the_picture_is_whole(opened: Open, picture: Draw) -> None:
    page = opened(finding_page(long_picture(picture("lost"), 100), "error"))
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_timeout(50)
    rows = page.locator("#failing svg text", has_text="Account#1.balance").count()
    assert rows == 100
    assert not page.locator(".bar").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")


def test_links_lead_to_what_lies_beside(opened: Open, picture: Draw) -> None:
    links = Links("a.html", "b.html", [("x.md", "a text for a bug tracker")])
    page = opened(finding_page(picture("lost"), "error", links))
    found = {one.inner_text(): one.get_attribute("href") for one in page.locator("a").all()}
    assert found == {
        "All findings": "index.html",
        "The finding before": "a.html",
        "The next finding": "b.html",
        "x.md": "x.md",
    }
    alone = opened(finding_page(picture("lost"), "error"))
    assert alone.locator("a").count() == 0


def test_a_start_and_its_thread_are_joined_by_an_arrow(opened: Open, picture: Draw) -> None:
    page = opened(finding_page(picture("lost"), "error"))
    page.locator("#failing .scroller").focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(50)
    assert page.locator("#failing svg path.edge").count() >= 2
