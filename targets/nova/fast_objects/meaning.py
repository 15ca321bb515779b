"""Whether a function of a library is one whose meaning is known.

Replaced is only what was read: a digest over the syntax tree, without annotations, docstrings and
comments, is compared with those that were written down. Another release of the library keeps a function
of its own as long as nobody has read it.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

_NO_MEANING = frozenset({"annotation", "returns", "type_params", "type_comment", "ctx", "kind", "decorator_list"})


def meaning_of(function: Callable[..., Any]) -> str:
    """A digest of what a function does; "" where its source is not there. The same under every Python."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return ""
    return hashlib.sha256("\n".join(_told(tree)).encode()).hexdigest()[:16]


def _told(node: ast.AST) -> Iterator[str]:
    yield type(node).__name__
    for name, value in ast.iter_fields(node):
        if name in _NO_MEANING or value is None or value == []:
            continue
        yield f".{name}"
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, ast.AST):
                yield repr(part)
            elif isinstance(part, ast.AnnAssign) and part.value is None:
                continue
            elif not _is_text(part):
                yield from _told(part)


def _is_text(node: ast.AST) -> bool:
    """A docstring, or another text that stands alone."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
