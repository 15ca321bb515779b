"""``replay --what-if``: what came of a remedy is told, and kept for the finding's page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semafuzz.commands.report.notes_beside import notes_beside
from tests.conftest import Run

BANK = """
import threading


class Account:
    def __init__(self):
        self.lock = threading.Lock()
        self.other = threading.Lock()
        self.balance = 0

    def deposit(self):
        before = self.balance
        self.balance = before + 1


def run(*works):
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Pass:
    def __init__(self):
        self.lock = threading.Lock()
        self.at = 0
        self.noise = 0

    def left(self):
        for number in range(0, 16, 2):
            self.noise = number
            if self.at == number:
                self.at = number + 1

    def right(self):
        for number in range(1, 16, 2):
            self.noise = number
            if self.at == number:
                self.at = number + 1

    def other(self):
        return 7


def alternating():
    one = Pass()
    run(one.left, one.right)
    assert one.at < 7


def two_deposits():
    account = Account()
    run(account.deposit, account.deposit)
    assert account.balance == 2


def crossed():
    account = Account()

    def inner():
        with account.other:
            account.deposit()

    def crossing():
        with account.lock:
            with account.other:
                pass

    run(inner, account.deposit, crossing)
    assert account.balance == 2
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bank.py").write_text(BANK)
    monkeypatch.chdir(tmp_path)


def found(semafuzz: Run, function: str) -> Path:
    done = semafuzz("check", f"bank.py:{function}", "--out", "found", "--json")
    return Path(json.loads(done.stdout.splitlines()[-1])["failures"][0]["trace"])


def test_what_silences_says_what_that_proves_and_what_does_not_says_so(semafuzz: Run) -> None:
    trace = found(semafuzz, "two_deposits")
    silent = semafuzz("replay", str(trace), "--what-if", "lock Account.deposit with lock")
    assert silent.returncode == 0
    assert "silent, and every schedule was run" in silent.stdout
    short = semafuzz("replay", str(trace), "--what-if", "hold lock from Account.deposit:12 to Account.deposit:12")
    assert short.returncode == 1
    assert "still shows, in " in short.stdout
    few = semafuzz("replay", str(trace), "--what-if", "lock Account.deposit with other", "--search", "2", "--json")
    answer = json.loads(few.stdout.splitlines()[-1])
    assert (answer["silent"], answer["complete"]) == (True, False)
    assert answer["why"].endswith("which is no proof")
    assert len(notes_beside(trace, "remedies")) == 3


def test_what_takes_many_preemptions_still_shows_with_a_remedy_elsewhere(semafuzz: Run) -> None:
    done = semafuzz("check", "bank.py:alternating", "--out", "found", "--json", "--schedules", "20000")
    trace = json.loads(done.stdout.splitlines()[-1])["failures"][0]["trace"]
    tried = semafuzz("replay", trace, "--what-if", "lock Pass.other with lock")
    assert tried.returncode == 1
    assert "still shows" in tried.stdout


def test_what_does_not_show_without_the_remedy_tells_nothing_of_it(semafuzz: Run) -> None:
    trace = found(semafuzz, "two_deposits")
    fixed = BANK.replace("        before = self.balance", "        with self.lock: self.balance += 1; return")
    Path("bank.py").write_text(fixed)
    done = semafuzz("replay", str(trace), "--what-if", "lock Account.deposit with other")
    assert done.returncode == 125
    assert "without the remedy the finding does not show either" in done.stderr
    assert notes_beside(trace, "remedies") == {}


def test_a_remedy_is_tried_on_an_installed_library_whose_package_hands_its_class_on(
    semafuzz: Run, tmp_path: Path
) -> None:
    installed = tmp_path / "site-packages"
    (installed / "vault").mkdir(parents=True)
    (installed / "vault" / "__init__.py").write_text("from vault.core import Account\n")
    (installed / "vault" / "core.py").write_text(BANK)
    (tmp_path / "uses.py").write_text(
        "import threading\n\nfrom vault import Account\n\n\n" + BANK[BANK.index("def run") : BANK.index("class Pass")]
        + BANK[BANK.index("def two_deposits") : BANK.index("def crossed")]
    )  # fmt: skip
    done = semafuzz(
        "check", "uses.py:two_deposits", "--instrument", "vault.core", "--out", "found", "--json",
        PYTHONPATH=str(installed),
    )  # fmt: skip
    trace = json.loads(done.stdout.splitlines()[-1])["failures"][0]["trace"]
    tried = semafuzz(
        "replay", trace, "--what-if", "lock Account.deposit with lock", PYTHONPATH=str(installed)
    )  # fmt: skip
    assert tried.returncode == 0, tried.stderr
    assert "silent, and every schedule was run" in tried.stdout


def test_a_remedy_that_deadlocks_is_shown_to(semafuzz: Run) -> None:
    done = semafuzz("replay", str(found(semafuzz, "crossed")), "--what-if", "lock Account.deposit with lock")
    assert done.returncode == 1
    assert "something else does: deadlock: tasks wait for each other" in done.stdout


def test_the_page_lists_what_was_tried(semafuzz: Run, tmp_path: Path) -> None:
    trace = found(semafuzz, "two_deposits")
    semafuzz("replay", str(trace), "--what-if", "lock Account.deposit with lock")
    semafuzz("report", "found", "--out", "pages")
    (page,) = (path for path in (tmp_path / "pages").glob("*.md") if path.name != "summary.md")
    assert "- lock Account.deposit with lock: silent, and every schedule was run" in page.read_text()
    assert "tried: lock Account.deposit with lock" in page.with_suffix(".html").read_text()


def test_bad_input_is_one_sentence(semafuzz: Run) -> None:
    trace = str(found(semafuzz, "two_deposits"))
    nobody = semafuzz("replay", trace, "--what-if", "lock nobody with lock")
    assert nobody.returncode == 4
    assert "has a function 'nobody'" in nobody.stderr
    both = semafuzz("replay", trace, "--what-if", "lock Account.deposit with lock", "--pdb")
    assert both.returncode == 4
    assert "omit --pdb" in both.stderr
