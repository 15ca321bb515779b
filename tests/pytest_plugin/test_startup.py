"""A session that does not use the plugin loads next to nothing of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import semafuzz

SHOW = """
import sys
import pytest

def pytest_unconfigure():
    ours = ("semafuzz", "greenlet", "msgspec", "click", "rich")
    print("LOADED", *sorted(name for name in sys.modules if name.split(".")[0] in ours))
"""


def loaded_by(pytester: pytest.Pytester, arguments: tuple[str, ...], source: str) -> list[str]:
    pytester.makeconftest(SHOW)
    pytester.makepyfile(source)
    result = pytester.runpytest_subprocess(*arguments, "-s", "-p", "no:hypothesispytest", "-p", "no:xdist")
    (line,) = [one for one in result.outlines if one.startswith("LOADED")]
    return line.split()[1:]


def test_nothing_but_the_options_is_loaded(pytester: pytest.Pytester, loaded: tuple[str, ...]) -> None:
    assert loaded_by(pytester, loaded, "def test_plain(): pass") == [
        "semafuzz",
        "semafuzz.pytest_plugin",
        "semafuzz.pytest_plugin.interleave_warning",
        "semafuzz.pytest_plugin.options",
        "semafuzz.pytest_plugin.summary",
    ]


def test_a_marked_test_loads_the_rest(pytester: pytest.Pytester, loaded: tuple[str, ...]) -> None:
    source = "import pytest\n@pytest.mark.interleave(schedules=2)\ndef test_it(): pass"
    found = loaded_by(pytester, loaded, source)
    assert {"greenlet", "semafuzz.harness.kernel.execution", "semafuzz.harness.search.exploration"} <= set(found)


@pytest.mark.parametrize(
    "first",
    [
        "import semafuzz.harness.search.exploration",
        "import semafuzz.harness",
        "from semafuzz.harness.search.exploration import Result",
        "import semafuzz.harness.runs.program",
    ],
)
def test_explore_is_the_function_whatever_was_imported_before(first: str) -> None:
    code = f"{first}\nfrom semafuzz import explore, Result, TaskProgram\nprint(explore.__name__, type(explore))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "explore <class 'function'>\n", done.stderr


def test_names_that_are_not_there_are_not_there() -> None:

    with pytest.raises(AttributeError, match="module 'semafuzz' has no attribute 'nothing'"):
        _ = semafuzz.nothing
    with pytest.raises(ImportError):
        exec("from semafuzz import nothing")
