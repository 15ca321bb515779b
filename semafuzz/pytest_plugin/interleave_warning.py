"""The plugin's warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    pass


class InterleaveWarning(pytest.PytestWarning):
    """Something about an interleaved test or a kept trace that its owner should know."""
