"""The modules that an audit reads: parsed, with what their names stand for; nothing is imported or run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from semafuzz.harness.errors import CodeError

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class ClassSource:
    """A class as it is written. ``methods``: its own functions by name; a property's setter is ``NAME.setter``."""

    name: str
    module: ModuleSource
    node: ast.ClassDef
    methods: dict[str, FunctionNode] = field(default_factory=dict)


@dataclass(slots=True)
class ModuleSource:
    """A module. ``imports``: names that stand for a module (``a.b``) or for a name of one (``a.b:c``)."""

    name: str
    path: Path
    tree: ast.Module
    functions: dict[str, FunctionNode] = field(default_factory=dict)
    classes: dict[str, ClassSource] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    constants: dict[str, object] = field(default_factory=dict)


class Sources:
    """Modules by name, read when they are asked for. ``roots``: folders in which packages are looked for."""

    def __init__(self, roots: tuple[Path, ...]) -> None:
        self._roots = roots
        self._modules: dict[str, ModuleSource | None] = {}

    def read(self, path: Path, name: str) -> ModuleSource:
        """The module of a file; CodeError where it cannot be read or parsed."""
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError, SyntaxError, ValueError) as error:
            raise CodeError(f"cannot read {path}: {error}") from None
        made = self._modules[name] = _filled(ModuleSource(name, path, tree))
        return made

    def module(self, name: str) -> ModuleSource | None:
        """The module with this dotted name, where one of the roots has it in Python."""
        if name not in self._modules:
            self._modules[name] = None
            path = next(_files(self._roots, name), None)
            if path is not None:
                try:
                    self.read(path, name)
                except CodeError:
                    self._modules[name] = None
        return self._modules[name]

    def class_of(self, module: ModuleSource, expression: ast.expr | None) -> ClassSource | None:
        """The class that an expression names: ``Stats``, ``stats.Stats``."""
        found = self.find(module, expression)
        return found if isinstance(found, ClassSource) else None

    def find(
        self, module: ModuleSource, expression: ast.expr | None
    ) -> ClassSource | tuple[ModuleSource, FunctionNode] | None:
        """The class or function that an expression names, followed through imports."""
        if isinstance(expression, ast.Name):
            return self._by_name(module, expression.id)
        if isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
            there = module.imports.get(expression.value.id, "")
            home = self.module(there.replace(":", ".")) if there else None
            return self._by_name(home, expression.attr) if home is not None else None
        return None

    def _by_name(
        self, module: ModuleSource, name: str, depth: int = 0
    ) -> ClassSource | tuple[ModuleSource, FunctionNode] | None:
        if name in module.classes:
            return module.classes[name]
        if name in module.functions:
            return module, module.functions[name]
        home, _, inner = module.imports.get(name, "").partition(":")
        there = self.module(home) if home and inner and depth < 5 else None
        return self._by_name(there, inner, depth + 1) if there is not None else None

    def constant(self, module: ModuleSource, expression: ast.expr) -> object:
        """The value of a literal, or of a name that a module binds to one; None where it is neither."""
        if isinstance(expression, ast.Constant):
            return expression.value
        if isinstance(expression, ast.Name):
            return module.constants.get(expression.id)
        return None

    def bases(self, kind: ClassSource) -> list[ClassSource]:
        """The class and those that it derives from, in an order in which the nearer comes first."""
        found, left = [], [kind]
        while left:
            one = left.pop(0)
            if one not in found:
                found.append(one)
                left += [base for node in one.node.bases if (base := self.class_of(one.module, node)) is not None]
        return found


def _files(roots: tuple[Path, ...], name: str) -> Iterator[Path]:
    for root in roots:
        place = root.joinpath(*name.split("."))
        for candidate in (place.with_suffix(".py"), place / "__init__.py"):
            if candidate.is_file():
                yield candidate


def _filled(module: ModuleSource) -> ModuleSource:
    package = module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]
    for node in module.tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            module.functions[node.name] = node
        elif isinstance(node, ast.ClassDef):
            module.classes[node.name] = _class(module, node)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            module.constants.update({one.id: node.value.value for one in node.targets if isinstance(one, ast.Name)})
    for inner in ast.walk(module.tree):
        if isinstance(inner, ast.Import):
            for alias in inner.names:
                module.imports[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(inner, ast.ImportFrom):
            home = _home(package, inner)
            module.imports.update({alias.asname or alias.name: f"{home}:{alias.name}" for alias in inner.names})
    return module


def _home(package: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return str(node.module)
    parts = package.split(".") if package else []
    kept = parts[: len(parts) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _class(module: ModuleSource, node: ast.ClassDef) -> ClassSource:
    made = ClassSource(node.name, module, node)
    for inner in node.body:
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
            setter = any(isinstance(one, ast.Attribute) and one.attr == "setter" for one in inner.decorator_list)
            made.methods[f"{inner.name}.setter" if setter else inner.name] = inner
    return made
