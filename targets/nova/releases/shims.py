"""Shims that older releases of Nova need to run on this Python.

Few and small, and none changes a file of Nova. Each looks for the need itself and says
which releases have it; for others it does nothing.
"""

from __future__ import annotations

import fractions
import hashlib
import importlib.util
import inspect
import io
import math
import re
import sys
import threading
import tokenize
from collections.abc import Sequence
from functools import lru_cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any


def choose_threads() -> None:
    """32 and newer: Nova's own choice of native threads, so that eventlet is never used.

    Older releases patch nothing unless a service imports ``nova.monkey_patch``, which
    the tracker does not; it is not even looked at there, since importing it patches.
    """
    text = _source_of("nova.monkey_patch")
    if "def patch(" not in text:
        return
    from nova import monkey_patch

    if "def patch(backend" in text:
        monkey_patch.patch(backend="threading")
    else:
        monkey_patch.patch()


def copy_semaphores() -> None:
    """32 and older: a provider tree holds a named lock, and the report client copies the
    tree deeply. Eventlet's semaphore survives that, that of ``threading`` does not; the
    copy shares the lock here, as the named lock that it is."""

    def share(self: Any, memo: object) -> Any:
        return self

    threading.Semaphore.__deepcopy__ = share  # type: ignore[attr-defined]


def stand_in_for_old_libraries() -> None:
    """30 and older, on libraries that are newer than they are: ``pkg_resources`` (to
    declare a namespace), ``netifaces`` (to look at the host's interfaces, which nothing
    here does) and ``oslo_utils.secretutils.md5`` are gone. Where one is there it stays."""
    if "pkg_resources" not in _source_of("nova.virt"):
        return
    from oslo_utils import secretutils

    if not hasattr(secretutils, "md5"):
        secretutils.md5 = _md5
    # pytest asks for the second one where the module is there.
    _stand_in("pkg_resources", declare_namespace=lambda name: None, fixup_namespace_packages=lambda *path: None)
    _stand_in("netifaces", AF_INET=2, AF_INET6=10, interfaces=list, ifaddresses=lambda name: {})


def stand_in_for_newer_libraries() -> None:
    """18 and older, on libraries that are newer than they are: each name or argument is one
    that a library has dropped. Where it is there it stays."""
    database = _source_of("nova.db.sqlalchemy.api")
    if "joinedload_all" in database and "def _joinedload_all" not in database:
        _load_by_paths()
    if "fractions.gcd" in _source_of("nova.virt.hardware") and not hasattr(fractions, "gcd"):
        fractions.gcd = math.gcd  # type: ignore[attr-defined]
    if "inspect.getargspec(" in _source_of("nova.utils") and not hasattr(inspect, "getargspec"):
        # 17 and older.
        inspect.getargspec = lambda function: inspect.getfullargspec(function)[:4]  # type: ignore[attr-defined]
    if "kwargs['tenant']" in _source_of("nova.context"):
        _name_tenants()
    if "retry_on_request" in database:
        _retry_always()
    if "conf_group.idle_timeout" in database:
        _name_idle_timeout()


def _load_by_paths() -> None:
    """18 and older: SQLAlchemy 1.4 has no ``joinedload_all``. As 19 writes it for itself."""
    from sqlalchemy import orm

    def joinedload_all(column: str) -> Any:
        first, *others = column.split(".")
        loaded = orm.joinedload(first)
        for one in others:
            loaded = loaded.joinedload(one)
        return loaded

    if not hasattr(orm, "joinedload_all"):
        orm.joinedload_all = joinedload_all


def _name_tenants() -> None:
    """17 and older: oslo.context 4 calls the project no longer ``tenant``."""
    from oslo_context.context import RequestContext

    if hasattr(RequestContext, "tenant"):
        return
    real = RequestContext.__init__

    def init(self: Any, *arguments: Any, **options: Any) -> None:
        if "tenant" in options:
            options["project_id"] = options.pop("tenant")
        if "user" in options:
            options["user_id"] = options.pop("user")
        real(self, *arguments, **options)

    def set_tenant(self: Any, value: Any) -> None:
        self._project_id = value

    RequestContext.__init__ = init  # type: ignore[method-assign]
    RequestContext.tenant = property(lambda self: self._project_id, set_tenant)  # type: ignore[attr-defined]


def _retry_always() -> None:
    """16: oslo.db's ``wrap_db_retry`` retries on request whether it is told to or not."""
    from oslo_db import api  # type: ignore[import-untyped]

    real = api.wrap_db_retry.__init__

    def init(self: Any, *arguments: Any, **options: Any) -> None:
        options.pop("retry_on_request", None)
        real(self, *arguments, **options)

    api.wrap_db_retry.__init__ = init


def _name_idle_timeout() -> None:
    """16 reads an option of oslo.db by a name that it has lost."""
    from nova.conf import CONF
    from oslo_config import cfg

    if "idle_timeout" not in CONF.database:
        CONF.register_opt(cfg.IntOpt("idle_timeout", default=3600), group="database")


def can_refresh_never() -> bool:
    """Whether the report client can be told to ask placement once only: 19 and newer."""
    return "rpar == 0" in _source_of("nova.scheduler.client.report")


def driver_names_nodes() -> bool:
    """Whether the driver decides on the uuid of a node: 18 and newer. Before it is made up."""
    return "key == 'uuid'" in _source_of("nova.objects.compute_node")


@lru_cache(maxsize=1)
def refuses_numa_live_migration() -> bool:
    """Whether the conductor refuses to migrate instances with a NUMA topology live, which keep the CPUs of the source
    then (Launchpad 1289064): some point releases of 17 and 18, and 19; 20 and newer claim on the destination."""
    refuses = "_check_instance_has_no_numa" in _source_of("nova.conductor.tasks.live_migrate")
    return refuses and "def live_migration_claim" not in _source_of("nova.compute.resource_tracker")


@lru_cache(maxsize=1)
def counts_swap() -> bool:
    """Whether the tracker counts swap as disk: 18 and newer."""
    return "usage.get('swap'" in _source_of("nova.compute.resource_tracker")


def respell_async() -> None:
    """18 and older use ``async`` as a name, which it is no more since Python 3.7. Modules
    of Nova that are no Python for that are compiled with ``async_`` in its place, as oslo.db
    has come to call it; their files stay as they are."""
    if re.search(r"\.async\b", _source_of("nova.db.sqlalchemy.api")) and not any(
        isinstance(one, _Respelling) for one in sys.meta_path
    ):
        sys.meta_path.insert(0, _Respelling())


class _Respelling(MetaPathFinder):
    """Finds modules of Nova as always, with a loader that respells."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        found = PathFinder.find_spec(name, path) if name.startswith("nova.") else None
        if found is not None and type(found.loader) is SourceFileLoader:
            found.loader = _RespellingLoader(found.loader.name, found.loader.path)
        return found


class _RespellingLoader(SourceFileLoader):
    def source_to_code(self, data: Any, path: Any) -> Any:  # type: ignore[override]
        try:
            return super().source_to_code(data, path)
        except SyntaxError:
            return super().source_to_code(_respelled(data), path)


def _respelled(source: bytes) -> bytes:
    """The source with ``async_`` for each ``async`` that begins no coroutine, loop or block."""
    tokens = list(tokenize.tokenize(io.BytesIO(source).readline))
    lines = source.decode("utf-8").splitlines(keepends=True)
    for token, following in reversed(list(pairwise(tokens))):
        if token.string == "async" and following.string not in ("def", "for", "with"):
            row, column = token.end
            lines[row - 1] = f"{lines[row - 1][:column]}_{lines[row - 1][column:]}"
    return "".join(lines).encode("utf-8")


def _source_of(module: str) -> str:
    """The text of ``nova.NAME``, which is not imported for that; "" where there is none."""
    package, _, name = module.partition(".")
    name = name.replace(".", "/")
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        for path in (Path(folder) / f"{name}.py", Path(folder) / name / "__init__.py"):
            if path.is_file():
                return path.read_text(encoding="utf-8")
    return ""


def _md5(string: bytes = b"", usedforsecurity: bool = True) -> Any:
    return hashlib.md5(string, usedforsecurity=usedforsecurity)


def _stand_in(name: str, **contents: object) -> None:
    if name not in sys.modules and importlib.util.find_spec(name) is None:
        made = sys.modules[name] = ModuleType(name)
        vars(made).update(contents)
