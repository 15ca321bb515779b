"""A trace as a plain ``unittest`` file, for projects that do not run pytest.

The file holds the trace as literals and imports the standard library only; it starts
semafuzz, which has to be installed, in a process of its own. Every text that comes
from the trace is written as an escaped ASCII literal: none of it can end its string,
and none is a comment, a name or code.
"""

from __future__ import annotations

import re

from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import Trace

_FILE = '''\
"""A concurrency defect, as a test: fails while it is there.

Made by semafuzz; needs semafuzz installed for the Python that runs it (the test is
skipped, with this as its reason, where it is not). Run it as any other unit test:

    python -m unittest {module}

It passes once the recorded run fits the code and no longer fails, or once every run of
its program has been tried and none fails. It is skipped where the recorded run does
not fit the code and nothing else can be told.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest

SUMMARY = {summary}
{options}
TRACE = (
{lines}
)


def command(path):
    """How semafuzz is asked about the trace in ``path``."""
    asked = [sys.executable, "-P", "-m", "semafuzz", "replay", "--json", path]
{asks}


class {name}(unittest.TestCase):
    """The one test of this file."""

    maxDiff = None

    def test_does_not_reproduce(self):
        """The recorded defect is gone."""
        if importlib.util.find_spec("semafuzz") is None:
            self.skipTest("semafuzz is not installed for this Python")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "trace.json")
            with open(path, "w", encoding="utf-8", newline="\\n") as file:
                file.write(TRACE)
            done = subprocess.run(command(path), capture_output=True, text=True, encoding="utf-8", errors="replace")
        try:
            answer = json.loads(done.stdout.splitlines()[-1])
            judged = answer["judged"] is True
        except (IndexError, KeyError, TypeError, ValueError):
            answer, judged = {{}}, False
        if judged and done.returncode == 1:
            self.fail("%s\\n%s, on %s" % (SUMMARY, answer["why"], answer["code"]))
        if judged and done.returncode == 0:
            return
        if done.returncode == 125:
            self.skipTest(done.stderr.strip())
        raise RuntimeError("semafuzz did not judge its trace (exit code %d): %s" % (done.returncode, done.stderr))


if __name__ == "__main__":
    unittest.main()
'''

_ASKS_NOVA = """\
    # The Nova that this Python imports is the one under test, a checkout or an installed one.
    found = importlib.util.find_spec("nova")
    if found is not None and found.origin:
        asked += ["--source", os.path.dirname(os.path.dirname(found.origin))]
    return asked"""

_ASKS_FILE = """\
    here = os.path.dirname(os.path.abspath(__file__))
    return [*asked, "--program", os.path.join(here, FILE) + ":" + NAME]"""


def module_name(trace: Trace) -> str:
    """The name of the test module: made of the signature's plain letters only."""
    return f"test_{_plain_name(trace)}"


def unittest_file(trace: Trace, *, program: tuple[str, str] | None = None) -> str:
    """The source of the test.

    ``program``: for a checked function or your own target, the path of its file
    relative to the test's, and its name.
    """
    expected = trace.expected
    summary = f"{expected.kind}: {expected.message}\nplaces: {', '.join(expected.places) or '-'}"
    text = codec.encode(trace).decode()
    lines = "\n".join(f"    {line!a}" for line in text.splitlines(keepends=True))
    options, asks = "", "    return asked"
    if program is not None:
        options, asks = f"FILE = {program[0]!a}\nNAME = {program[1]!a}\n", _ASKS_FILE
    elif trace.target == "nova":
        asks = _ASKS_NOVA
    return _FILE.format(
        module=module_name(trace),
        summary=ascii(summary),
        options=options,
        lines=lines,
        asks=asks,
        name=f"TestFinding{_plain_name(trace).capitalize()}",
    )


def _plain_name(trace: Trace) -> str:
    return re.sub(r"[^a-z0-9]", "", trace.expected.signature.lower())[:40] or "finding"
