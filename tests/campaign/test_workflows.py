"""The jobs of every night: what they name is pinned, and a corpus that cannot be had is not taken for an empty one."""

from __future__ import annotations

import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v[\d.]+$")
GH = """#!/usr/bin/env bash
case "$2" in
  *artifacts?name=corpus*) cat "$GH_FOLDER/newest" ;;
  *artifacts/7/zip) cat "$GH_FOLDER/corpus.zip" ;;
  *) exit 1 ;;
esac
"""


def restore(folder: Path, newest: str) -> subprocess.CompletedProcess[str]:
    """Run the step of the job, with a service that has this artifact."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / "gh").write_text(GH)
    (folder / "bin" / "gh").chmod(0o755)
    (folder / "newest").write_text(newest)
    path = os.pathsep.join((str(folder / "bin"), os.environ["PATH"]))
    return subprocess.run(
        ["bash", str(ROOT / ".github" / "restore-corpus.sh"), "corpus", str(folder / "corpus")],
        env={**os.environ, "PATH": path, "GH_FOLDER": str(folder), "GITHUB_REPOSITORY": "own/project"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def packed(folder: Path, *names: str) -> None:
    with zipfile.ZipFile(folder / "corpus.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "{}")


def test_the_first_night_begins_with_nothing(tmp_path: Path) -> None:
    done = restore(tmp_path, "")
    assert done.returncode == 0, done.stderr
    assert "no earlier corpus" in done.stdout
    assert not (tmp_path / "corpus").exists()


def test_the_next_one_has_what_is_known(tmp_path: Path) -> None:
    packed(tmp_path, "findings/a.known.json", "findings/a.trace.json", "summary.md")
    done = restore(tmp_path, "7")
    assert done.returncode == 0, done.stderr
    assert "1 findings are known" in done.stdout
    assert (tmp_path / "corpus" / "findings" / "a.trace.json").exists()


@pytest.mark.parametrize("how", ["not there", "not an archive", "without findings"])
def test_a_corpus_that_cannot_be_had_ends_the_job(tmp_path: Path, how: str) -> None:
    if how == "not an archive":
        (tmp_path / "corpus.zip").write_text("Bad Gateway")
    elif how == "without findings":
        packed(tmp_path, "summary.md")
    assert restore(tmp_path, "7").returncode != 0


def test_every_action_is_named_by_its_commit() -> None:
    files = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    lines = [line.strip() for file in files for line in file.read_text().splitlines() if "uses:" in line]
    assert len(lines) > 10
    assert [line for line in lines if not PINNED.search(line)] == []
    for file in files:
        text = file.read_text()
        assert text.count("actions/checkout@") == text.count("persist-credentials: false"), file.name
