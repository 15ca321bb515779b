"""Templates to pages. Everything that comes from a target is text, whatever it looks like.

Three walls stand between a target's words and the browser: control and direction
characters are replaced, templates escape by themselves, and the page's content policy
lets no script run but ours, which is named by its digest.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from semafuzz.reports.run_view.printable import clean

ASSETS = Path(__file__).parent / "assets"


def page(template: str, *scripts: str, **values: Any) -> str:
    """The page of a template of ``assets``, with its style and the named scripts inside, in this order."""
    style, code = _asset("page.css"), "\n".join(map(_asset, scripts))
    return (
        _environment()
        .get_template(template)
        .render(
            style=Markup(style),
            script=Markup(code),
            policy=_policy(style, code),
            version=importlib.metadata.version("semafuzz"),
            **clean(values, (Markup,)),
        )
    )


@functools.cache
def _environment() -> Environment:
    """One for all pages: a template is compiled once."""
    return Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def data_text(value: Any) -> Markup:
    """``value`` as JSON that can stand in a script element of a page."""
    text = json.dumps(clean(value, (Markup,)), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


@functools.cache
def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Only this style and this script; no address at all."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
