"""Counts in words: one pair was, two pairs were."""

from __future__ import annotations

import re

_OF_ONE = {
    r"pairs of operations were": "pair of operations was",
    r"pairs of operations had": "pair of operations had",
    r"of these do not": "of these does not",
    r"failures were": "failure was",
    r"failures between the same operations were": "failure between the same operations was",
    r"warnings of large programs were": "warning of a large program was",
    r"once these are": "once this is",
}
"""What is said of several, and of one."""


def counted(count: int, words: str) -> str:
    """``1,234 pairs of operations were run``. ``words``: as they are said of several."""
    if count == 1:
        for many, one in _OF_ONE.items():
            words = re.sub(rf"\b{many}\b", one, words)
    return f"{count:,} {words}"
