"""Every kind of finding in every form: terminal, JSON, page and SARIF, as a reader sees them.

The texts stand beside this file. After a change that is meant, ``SEMAFUZZ_WRITE_TOLD=1`` writes them anew, to be read.
"""

from __future__ import annotations

import json
import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from semafuzz.cli import run
from tests.rotation import slow

HERE = Path(__file__).parent
FUNCTIONS: dict[str, tuple[str, ...]] = {
    "assertion": (),
    "exception": (),
    "deadlock": (),
    "livelock": (),
    "race": ("--detect", "races"),
    "lock_order": ("--detect", "lock-order"),
    "lock_use": ("--detect", "lock-use"),
    "left_lock": ("--detect", "lock-use", "--detect", "races"),
}
OTHERS: dict[str, tuple[str, ...]] = {
    "atomicity": ("fuzz", "one_of_each.py:Account", "--schedules", "60"),
    "fault": ("fuzz", "one_of_each.py:Register", "--fault", "store=OSError", "--schedules", "100"),
    "remedy": ("check", "one_of_each.py:assertion", "--what-if", "lock Account.deposit with guard"),
    "invariant": ("fuzz", "reference", "--set", "defect=stale_check", "--schedules", "150"),
    "lock-discipline": ("fuzz", "one_of_each.py:Ruled", "--schedules", "60"),
    "mutation": ("mutate", "one_of_each.py:Safe", "--seconds", "20"),
    "audit": ("audit", "one_of_each.py:Shelf", "--out", ".semafuzz"),
}
MOST = 8
"""Entries of a list that are compared."""
NUMBERS = (
    (r"[\d.,]+ s, [\d,]+ a second", "S s, N a second"),
    (r'"(seconds|cpu_seconds|time|duration)": ?[\d.e-]+', r'"\1": 0'),
    (r"\b[\d,]+\nschedules a second", "N\nschedules a second"),
    (r"\b[\d,]+ s\nof searching", "S s\nof searching"),
    (r"python [\d.]+", "python V"),
    (r'File (\\?")/[^"]*/(\w+\.py\\?"), line \d+', r"File \1\2, line N"),
    (r'"version": "(?!2\.1\.0)[^"]*"', '"version": "V"'),
)


class Words(HTMLParser):
    """What a reader sees of a page, a line for each element."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self._hidden += tag in ("script", "style", "template")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style", "template")

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.lines.append(" ".join(data.split()))


def words_of(page: Path) -> str:
    words = Words()
    words.feed(page.read_text(encoding="utf-8"))
    return "\n".join(words.lines)


def settled(text: str, folder: Path) -> str:
    """Without what differs from machine to machine and from run to run."""
    text = re.sub(r"\S*/semafuzz(?= (replay|shrink|show|report|export|bisect|fuzz|check|pack) )", "semafuzz", text)
    for name in (str(folder), folder.as_posix().lstrip("/"), str(Path(__file__).parents[3])):
        text = text.replace(name, "DIR")
    for pattern, instead in NUMBERS:
        text = re.sub(pattern, instead, text)
    return text


def shortened(part: Any) -> Any:
    """Lists are told by their ends: one step looks like another."""
    if isinstance(part, dict):
        return {name: shortened(one) for name, one in part.items()}
    if isinstance(part, list):
        kept = part if len(part) <= MOST else [*part[: MOST - 3], f"({len(part) - MOST + 1} more)", *part[-2:]]
        return [shortened(one) for one in kept]
    return part


def forms_of(command: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The four forms of what a command tells, under a heading each."""
    searches = command[0] in ("check", "fuzz")
    run([*command, *(("--out", "apart") if searches else ())])
    parts = [("terminal", capsys.readouterr().out)]
    run([*command, "--json"])
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    parts.append(("JSON", json.dumps(shortened(answer), indent=1, sort_keys=True, ensure_ascii=False)))
    if (folder / ".semafuzz").is_dir():
        assert run(["report", ".semafuzz", "--out", "pages"]) in (0, 1)
        capsys.readouterr()
        pages = sorted((folder / "pages").glob("*.html"), key=lambda page: (page.name != "index.html", page.name))
        for page in pages[:2]:
            parts.append(("index page" if page.name == "index.html" else "page of the first finding", words_of(page)))
        for log in sorted((folder / "pages").glob("*.sarif*"))[:1]:
            parts.append(
                (
                    "SARIF",
                    json.dumps(shortened(json.loads(log.read_text(encoding="utf-8"))), indent=1, ensure_ascii=False),
                )
            )
    return "\n\n".join(f"=== {name}\n\n{settled(text, folder).strip()}" for name, text in parts) + "\n"


LONG = ("livelock", "fault")
"""These take their time."""


@pytest.mark.parametrize("kind", [slow(kind) if kind in LONG else kind for kind in [*FUNCTIONS, *OTHERS]])
def test_every_form_tells_it(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one_of_each.py").write_text((HERE / "one_of_each.py").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.delitem(sys.modules, "one_of_each", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    command = OTHERS.get(kind) or ("check", f"one_of_each.py:{kind}", *FUNCTIONS[kind])
    told = forms_of(command, tmp_path, capsys)
    file = HERE / f"{kind}.txt"
    if os.environ.get("SEMAFUZZ_WRITE_TOLD"):
        file.write_text(told, encoding="utf-8")
    assert told == file.read_text(encoding="utf-8")
