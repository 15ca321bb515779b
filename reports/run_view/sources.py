"""Source lines of code places, for pages: as they stand on this machine now."""

from __future__ import annotations

import linecache
from collections.abc import Iterable
from pathlib import Path, PurePath

from semafuzz.harness.kernel.sites import SITES, Site
from semafuzz.reports.run_view.schema import Excerpt

_INSTALLED = frozenset({"site-packages", "dist-packages"})
AROUND = 4
"""Lines before and after a marked one."""
WIDEST = 400
"""Characters of a line that are shown."""


def source_line(site: Site) -> str:
    """The line of a place, without the space around it; "" where there is none."""
    return linecache.getline(site.filename, site.line).strip()[:WIDEST] if site.line else ""


def file_of(site: Site) -> str:
    """The file as its package names it, ``nova/compute/stats.py``: never where it lies on
    this machine."""
    parts = PurePath(site.filename).parts
    depth = site.module.count(".") + 1
    if parts and parts[-1] == "__init__.py":
        depth += 1
    return "/".join(parts[-depth:]) if parts and not site.filename.startswith("<") else site.module


def repository_file_of(site: Site) -> str:
    """The file as its repository names it, ``src/shop/stock.py``, where it lies in one and is nothing installed; else
    as its package does. Readers of results look for it from the root of the repository."""
    path = PurePath(site.filename)
    if not path.is_absolute() or _INSTALLED & set(path.parts):
        return file_of(site)
    for folder in path.parents:
        if (Path(folder) / ".git").exists():
            return path.relative_to(folder).as_posix()
    return file_of(site)


def excerpts_of(numbers: Iterable[int]) -> list[Excerpt]:
    """The lines around these sites, those of one file that overlap in one; in the order
    in which the sites are given."""
    found: list[tuple[str, list[Site]]] = []
    for number in dict.fromkeys(numbers):
        site = SITES[number]
        if not source_line(site):
            continue
        for file, sites in found:
            if file == site.filename and min(abs(one.line - site.line) for one in sites) <= 2 * AROUND + 1:
                sites.append(site)
                break
        else:
            found.append((site.filename, [site]))
    return [_excerpt(sites) for _, sites in found]


def _excerpt(sites: list[Site]) -> Excerpt:
    marked = sorted({site.line for site in sites})
    lines = linecache.getlines(sites[0].filename)
    first = max(1, marked[0] - AROUND)
    shown = [line.rstrip("\n")[:WIDEST] for line in lines[first - 1 : marked[-1] + AROUND]]
    return Excerpt(sites[0].place(), file_of(sites[0]), first, shown, marked)
