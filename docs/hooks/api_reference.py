"""The page of the public names, made from their docstrings when the site is built."""

from __future__ import annotations

import inspect
import re
from typing import Any

import semafuzz

_ROLE = re.compile(r":(?:class|func|meth|mod|attr|data):`~?([^`]+)`")


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """Called by MkDocs with each page."""
    return markdown + reference() if page.file.src_uri == "api.md" else markdown


def reference() -> str:
    """Every name of ``semafuzz.__all__``, with its signature and what it says of itself."""
    return "\n".join(_section(name, getattr(semafuzz, name)) for name in sorted(semafuzz.__all__, key=str.lower))


def _section(name: str, value: object) -> str:
    try:
        signature = str(inspect.signature(value)) if callable(value) else ""
    except (TypeError, ValueError):
        signature = ""
    signature = re.sub(r"\bsemafuzz(?:\.\w+)*\.(\w+)", r"\1", signature)
    lines = [f"## `{name}`", "", "```python", f"{name}{signature}", "```", "", _text(value)]
    if inspect.isclass(value):
        for member, method in vars(value).items():
            if not member.startswith("_") and callable(method) and inspect.getdoc(method):
                lines += ["", f"### `{name}.{member}`", "", _text(method)]
    return "\n".join([*lines, ""])


def _text(value: object) -> str:
    text = inspect.getdoc(value) or ""
    return _ROLE.sub(lambda found: f"`{found[1]}`", text).replace("``", "`")
