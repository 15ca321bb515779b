"""`semafuzz report`: from a folder of traces to pages, whatever is in the folder."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.conftest import Run

BANK = """
import threading


class Account:
    def __init__(self):
        self.balance = 0

    def deposit(self):
        self.balance += 1


def together(function):
    threads = [threading.Thread(target=function) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def lost():
    account = Account()
    together(account.deposit)
    assert account.balance == 2


def right():
    together(Account().deposit)
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path) -> Path:
    (tmp_path / "bank.py").write_text(BANK)
    return tmp_path


@pytest.fixture
def found(semafuzz: Run, tmp_path: Path) -> Path:
    """The trace of a lost update in the folder ``out``."""
    assert semafuzz("check", "bank.py:lost", "--out", "out").returncode == 1
    (trace,) = (tmp_path / "out").glob("*.json")
    return trace


def test_a_finding_becomes_a_page_and_files(semafuzz: Run, found: Path, tmp_path: Path) -> None:
    done = semafuzz("report", "out")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["1 finding, 1 with a picture, 8 files; look at", "out/report/index.html"]
    name = found.stem
    assert {path.name for path in (tmp_path / "out" / "report").iterdir()} == {
        "index.html", "findings.sarif", "junit.xml", "summary.md",
        f"{name}.html", f"{name}.md", f"{name}.perfetto.json", f"{name}.jsonl",
    }  # fmt: skip
    index = (tmp_path / "out" / "report" / "index.html").read_text()
    assert f'href="{name}.html"' in index
    assert "schedules a second" in index
    assert (tmp_path / "out" / "report" / "index.html").stat().st_mode & 0o044 == 0o044, "others may read it"
    assert found.exists()


def test_for_machines_and_elsewhere(semafuzz: Run, found: Path, tmp_path: Path) -> None:
    done = semafuzz("report", "out", "--out", "pages", "--json")
    assert json.loads(done.stdout) == {"index": "pages/index.html", "findings": 1, "drawn": 1, "broken": []}
    assert not (tmp_path / "out" / "report").exists()


def test_a_search_that_found_nothing_has_a_page(semafuzz: Run, tmp_path: Path) -> None:
    assert semafuzz("check", "bank.py:right", "--schedules", "5", "--out", "out").returncode == 0
    done = semafuzz("report", "out")
    assert done.returncode == 0
    assert done.stdout.startswith("0 findings")
    assert "proves nothing" in (tmp_path / "out" / "report" / "index.html").read_text()


def test_what_cannot_be_read_is_told_and_the_rest_is_shown(semafuzz: Run, found: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "broken.json").write_text('{"format": 99}')
    done = semafuzz("report", "out")
    assert done.returncode == 4
    assert "broken.json has trace format 99" in done.stderr
    assert "Traceback" not in done.stderr
    assert "1 finding, 1 with a picture" in done.stdout
    assert "broken.json has trace format 99" in (tmp_path / "out" / "report" / "index.html").read_text()


def test_code_that_kills_its_process_costs_its_picture_only(semafuzz: Run, found: Path, tmp_path: Path) -> None:
    other = tmp_path / "crash.py"
    other.write_text(BANK + "# another file\n")
    assert semafuzz("check", "crash.py:lost", "--out", "more").returncode == 1
    (trace,) = (tmp_path / "more").glob("*.json")
    trace.rename(tmp_path / "out" / "crashing.json")
    other.write_text(BANK.replace("class Account", "import os; os._exit(3)\n\n\nclass Account"))
    done = semafuzz("report", "out")
    assert done.returncode == 0
    assert "2 findings, 1 with a picture" in done.stdout
    assert "ended with exit code 3" in (tmp_path / "out" / "report" / "crashing.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nosuch",), "there is no folder nosuch"),
        (("empty",), "holds no finding and no search"),
        (("out", "--matrix", "nosuch"), "cannot read nosuch"),
        (("out", "--matrix", "bank.py"), "is not what `semafuzz matrix --json` prints"),
        (("out", "--out", "bank.py/pages"), "cannot write to"),
        (("damaged",), "is no summary of a search"),
        (("out", "--program", "nosuch.py:lost"), "there is no file for nosuch.py:lost"),
        (("out", "--program", "bank.py:right"), "no trace in out is of bank.py:right"),
        ((), "Missing argument"),
    ],
)
def test_bad_input_is_one_clear_message(
    semafuzz: Run, found: Path, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "search.summary").write_text("{}")
    done = semafuzz("report", *arguments)
    assert done.returncode == 4
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_is_no_file_is_refused_and_not_read_for_ever(semafuzz: Run, found: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "endless.json").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "out" / "pipe.json")
    done = semafuzz("report", "out")
    assert done.returncode == 4
    assert done.stderr.count("is no file that holds something") == 2
    assert "1 finding, 1 with a picture" in done.stdout


def test_two_functions_of_a_file_that_fail_alike_are_two_findings(semafuzz: Run, found: Path, tmp_path: Path) -> None:
    text = (
        (tmp_path / "bank.py")
        .read_text()
        .replace("def right()", "def wrong()")
        .replace("    together(Account().deposit)\n", "    lost()\n")
    )
    (tmp_path / "bank.py").write_text(text)
    for function in ("lost", "wrong"):
        assert semafuzz("check", f"bank.py:{function}", "--out", "two").returncode == 1
    done = semafuzz("report", "two")
    assert "2 findings, 2 with a picture" in done.stdout, done.stderr
    index = (tmp_path / "two" / "report" / "index.html").read_text()
    assert "check of bank.py:lost, bank.py:wrong" in index, "both searches count"


def test_a_name_that_no_encoding_has_costs_nothing(semafuzz: Run, tmp_path: Path) -> None:
    text = BANK.replace("threading.Thread(target=function)", "threading.Thread(target=function, name='a\\ud800b')")
    (tmp_path / "bank.py").write_text(text)
    assert semafuzz("check", "bank.py:lost", "--out", "out").returncode == 1
    assert "1 finding, 1 with a picture" in semafuzz("report", "out").stdout


def test_the_program_is_named_for_its_own_traces_only(semafuzz: Run, found: Path, tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(BANK + "# another file\n")
    assert semafuzz("check", "other.py:lost", "--out", "out").returncode == 1
    done = semafuzz("report", "out", "--program", "other.py:lost")
    assert "2 with a picture" in done.stdout or len(list((tmp_path / "out").glob("*.json"))) == 1, done.stderr
    for page in (tmp_path / "out" / "report").glob("*.md"):
        text = page.read_text()
        assert ("--program other.py:lost" in text) == ("Seen in other.py:lost" in text) or page.name == "summary.md"


def test_names_of_traces_are_names_and_nothing_else(semafuzz: Run, found: Path, tmp_path: Path) -> None:
    for name in ("javascript:alert(1).json", "a b#c%d.json", f"{found.stem}.small.json"):
        (tmp_path / "out" / name).write_bytes(found.read_bytes())
    done = semafuzz("report", "out")
    assert "4 findings, 4 with a picture" in done.stdout, done.stderr
    index = (tmp_path / "out" / "report" / "index.html").read_text()
    links = re.findall(r'href="([^"]+)"', index)
    assert sorted(links) == sorted(
        ["javascript%3Aalert%281%29.html", "a%20b%23c%25d.html", f"{found.stem}.html", f"{found.stem}.small.html"]
    )
    assert all((tmp_path / "out" / "report" / unquote(link)).exists() for link in links)


def test_the_table_of_defects_is_shown(semafuzz: Run, found: Path, tmp_path: Path) -> None:
    cells = {"21.1.0": [{"defect": "lp1", "answer": "shows", "schedules": 3}]}
    (tmp_path / "matrix.json").write_text(json.dumps({"releases": cells, "wrong": []}) + "\n")
    assert semafuzz("report", "out", "--matrix", "matrix.json").returncode == 0
    assert "Defects by release" in (tmp_path / "out" / "report" / "index.html").read_text()


@pytest.mark.slow
def test_pages_of_a_night(semafuzz: Run, tmp_path: Path) -> None:
    night = ("nightly", "reference", "--set", "defect=missing_lock", "--schedules", "800", "--seed", "7")
    done = semafuzz(*night, "--corpus", "corpus")
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1] == "pages: corpus/report/index.html"
    index = (tmp_path / "corpus" / "report" / "index.html").read_text()
    pages = [path.name for path in (tmp_path / "corpus" / "report").glob("*.html") if path.name != "index.html"]
    assert pages
    assert all(f'href="{name}"' in index for name in pages)
    assert all(len(Path(name).stem) == 16 for name in pages)
    again = semafuzz(*night, "--corpus", "corpus")
    assert (again.returncode, again.stdout.count("\n")) == (0, 1), "quiet where nothing is new"


def test_a_folder_does_not_say_where_it_is_written(semafuzz: Run, found: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = found if found.is_dir() else found.parent
    (folder / "report").symlink_to(elsewhere, target_is_directory=True)
    done = semafuzz("report", str(folder))
    assert done.returncode == 4
    assert "is a link to another place" in done.stderr
    assert not list(elsewhere.iterdir())
