"""A session that does not use the plugin loads next to nothing of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

SHOW = """
import sys
import pytest

def pytest_unconfigure():
    ours = ("harness", "strategies", "targets", "reports", "greenlet", "msgspec", "click", "rich")
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
        "harness",
        "harness.pytest_plugin",
        "harness.pytest_plugin.options",
        "harness.pytest_plugin.summary",
    ]


def test_a_marked_test_loads_the_rest(pytester: pytest.Pytester, loaded: tuple[str, ...]) -> None:
    source = "import pytest\n@pytest.mark.interleave(schedules=2)\ndef test_it(): pass"
    found = loaded_by(pytester, loaded, source)
    assert {"greenlet", "harness.kernel.execution", "harness.explore"} <= set(found)


@pytest.mark.parametrize(
    "first",
    ["import harness.explore", "import harness", "from harness.explore import Result", "import harness.program"],
)
def test_explore_is_the_function_whatever_was_imported_before(first: str) -> None:
    code = f"{first}\nfrom harness import explore, Result, TaskProgram\nprint(explore.__name__, type(explore))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "explore <class 'function'>\n", done.stderr


def test_names_that_are_not_there_are_not_there() -> None:
    import harness

    with pytest.raises(AttributeError, match="module 'harness' has no attribute 'nothing'"):
        _ = harness.nothing
    with pytest.raises(ImportError):
        exec("from harness import nothing")
