"""What makes a night fail."""

from __future__ import annotations

from typing import Literal

FailOn = Literal["new-errors", "new", "any"]
"""Errors that are new or have returned; warnings too; or all that is known."""
