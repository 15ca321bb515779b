"""What older releases of Nova need to run on this Python.

Few and small, and none changes a file of Nova. Each looks for the need itself and says
which releases have it; for others it does nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import threading
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


def _source_of(module: str) -> str:
    """The text of ``nova.NAME``, which is not imported for that; "" where there is none."""
    package, _, name = module.partition(".")
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
