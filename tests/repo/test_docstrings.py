"""Every public module, class and function of the four packages says what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = ("harness", "strategies", "targets", "reports")
Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def undocumented(source: str, module: str) -> Iterator[str]:
    """The public names without a docstring. Private names, what is in them, dunder
    methods, overloads and setters need none, nor do the methods of a syntax tree's visitor,
    which are named after what they visit. A nested function has no public name."""
    tree = ast.parse(source)
    if ast.get_docstring(tree) is None:
        yield module
    yield from _undocumented(tree, module)


def _undocumented(tree: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    for node in tree.body:
        if not isinstance(node, Documented) or node.name.startswith("_") or _repeats_another(node):
            continue
        if isinstance(tree, ast.ClassDef) and _visits(tree, node.name):
            continue
        name = f"{prefix}.{node.name}"
        if ast.get_docstring(node) is None:
            yield name
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(node, name)


def _visits(owner: ast.ClassDef, name: str) -> bool:
    bases = {base.attr for base in owner.bases if isinstance(base, ast.Attribute)}
    return bool(bases & {"NodeVisitor", "NodeTransformer"}) and name.startswith(("visit_", "generic_visit"))


def _repeats_another(node: Documented) -> bool:
    return any(
        (isinstance(mark, ast.Name) and mark.id == "overload")
        or (isinstance(mark, ast.Attribute) and mark.attr in ("overload", "setter", "deleter"))
        for mark in node.decorator_list
    )


def test_every_public_name_has_a_docstring(root: Path) -> None:
    missing = []
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            parts = file.relative_to(root).with_suffix("").parts
            if not any(part.startswith("_") and part != "__init__" for part in parts):
                module = ".".join(part for part in parts if part != "__init__")
                missing += undocumented(file.read_text(), module)
    assert missing == []


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("", ["m"]),
        ("'''Module.'''\ndef act(): pass", ["m.act"]),
        ("'''Module.'''\nasync def act(): pass", ["m.act"]),
        ("'''Module.'''\nclass Thing:\n    def act(self): pass", ["m.Thing", "m.Thing.act"]),
        ("'''Module.'''\nclass Thing:\n    '''Thing.'''\n    class Part: pass", ["m.Thing.Part"]),
        ("'''Module.'''\ndef _act(): pass\nclass _Thing:\n    def act(self): pass", []),
        ("'''Module.'''\nclass Thing:\n    '''Thing.'''\n    def __init__(self): pass", []),
        ("'''Module.'''\n@overload\ndef act(): ...\n@typing.overload\ndef act(): ...", []),
        ("'''Module.'''\nclass V(ast.NodeVisitor):\n    '''V.'''\n    def visit_Name(self): pass", []),
        ("'''Module.'''\nclass V:\n    '''V.'''\n    def visit_Name(self): pass", ["m.V.visit_Name"]),
        ("'''Module.'''\ndef act():\n    '''Act.'''\n    def inner(): pass", []),
    ],
)
def test_the_check_sees_what_it_should(source: str, missing: list[str]) -> None:
    assert list(undocumented(source, "m")) == missing
