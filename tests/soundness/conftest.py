"""Small programs under `semafuzz check`, each in a folder of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from semafuzz.cli import run

Check = Callable[..., dict[str, Any]]


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Check:
    """Checks the function ``f`` of a source text, with other files beside it; the JSON answer with the exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def made(
        source: str, *options: str, file: str = "", beside: Mapping[str, str] = MappingProxyType({})
    ) -> dict[str, Any]:
        stem = file or f"program_{abs(hash(source)) % 10**8}"
        # Another test may have imported a module of one of these names from its own folder.
        own = {Path(name).parts[0].removesuffix(".py") for name in (*beside, stem)}
        for name in [name for name in sys.modules if name.partition(".")[0] in own]:
            monkeypatch.delitem(sys.modules, name)
        for name, text in beside.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        path = tmp_path / f"{stem}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        code = run(["check", f"{stem}.py:f", "--json", *options])
        answer: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return answer | {"exit": code}

    return made
