"""One sentence that says what broke."""

from __future__ import annotations

from semafuzz.reports.run_view.schema import FindingView

LONGEST = 240
"""Characters of a message in a heading."""


_VERBS = {
    "exception": "An exception that nothing catches",
    "assertion": "An assertion fails",
    "deadlock": "Nothing can go on",
    "livelock": "A loop that never ends",
    "step-limit": "A run without end",
    "invariant": "A broken invariant",
    "atomicity": "Calls that no serial order explains",
    "lock-discipline": "State used without its lock",
}


def sentence(picture: FindingView) -> str:
    """What broke, in one sentence."""
    message = shortened(picture.message.strip().partition("\n")[0])
    if message == "AssertionError":
        # Nobody wrote a message: the assertion itself is one.
        failed = [one.assertion for one in picture.run.raised if one.assertion] if picture.run is not None else []
        lines = [*failed, *(picture.sources.get(place, "") for place in reversed(picture.places))]
        message = next((shortened(line) for line in lines if line.startswith("assert")), message)
    words = _VERBS.get(picture.kind, picture.kind)
    named = f"{words}: {message}" if message else words
    between = " against ".join(dict.fromkeys(picture.operations[:2]))
    return f"{named} ({between})" if between else named


def shortened(text: str, limit: int = LONGEST) -> str:
    """``text`` cut after a word, for a heading; the rest stands further down the page."""
    return text if len(text) <= limit else text[:limit].rpartition(" ")[0] + "\N{HORIZONTAL ELLIPSIS}"
