"""Code places: where an operation stands in the source.

Sites are numbered as they are met, so a number means nothing outside one
process; traces carry :meth:`Site.place` instead.  Numbers exist because the
hot path asks one question of a site, "is it a scheduling point?", and a
``bytearray`` indexed by number answers that in 30 ns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import CodeType

from semafuzz.harness.kernel.address import address

_MOST_IDENTITIES = 20_000
"""Programs may compile code again in each execution."""
_INLINED = ("<listcomp>", "<dictcomp>", "<setcomp>")


@dataclass(frozen=True, slots=True)
class Site:
    """One place in the source.

    ``module`` is the dotted module name (stable between machines, unlike
    ``filename``), ``function`` the qualified name of the function around it,
    ``text`` the expression in short, as a person would look for it. ``column``, ``end_line`` and ``end_column``: where
    it stands, as in the syntax tree; -1 where that is not known.
    """

    module: str
    filename: str
    function: str
    line: int
    text: str = ""
    column: int = -1
    end_line: int = -1
    end_column: int = -1

    def place(self) -> str:
        """``module:line (function)``: the form used in tables and signatures."""
        return f"{self.module}:{self.line} ({self.function})"


@dataclass(slots=True)
class SiteTable:
    """All sites of this process; see the module for why they are numbered. ``kinds``: of sites that are known
    by their frame, what is announced there; a lock that is not waited for at all is tried."""

    sites: list[Site] = field(default_factory=list)
    kinds: dict[int, int] = field(default_factory=dict)
    _by_key: dict[object, int] = field(default_factory=dict)
    _by_identity: dict[tuple[int, int, int], tuple[int, CodeType]] = field(default_factory=dict)

    def add(self, site: Site) -> int:
        """Number ``site``; equal sites from one rewriting get one number each."""
        self.sites.append(site)
        return len(self.sites) - 1

    def add_known(self, key: object, site: Site) -> int:
        """Number ``site`` once per ``key``: rewriting the same source again
        must meet the numbers (and what was learned about them) again."""
        found = self._by_key.get(key)
        if found is None:
            found = self._by_key[key] = self.add(site)
        return found

    def of_frame(self, code: CodeType, instruction: int, line: int, module: str, kind: int) -> int:
        """The site of a call that was not rewritten, known by its frame.

        ``kind`` is part of the key because an acquire and a release can share
        one ``with`` statement and heat up separately.
        """
        quick = self._by_identity.get((address(code), instruction, kind))
        if quick is not None:
            return quick[0]
        # Code that was compiled again is the same place. To hash code is to hash all that is in it.
        key = (code, instruction, kind)
        found = self._by_key.get(key)
        if found is None:
            function = code.co_qualname
            while function.endswith(_INLINED):
                # From 3.12 on comprehensions run in the frame around them.
                function = function.rpartition(".<locals>.")[0]
            site = Site(module, code.co_filename, function, line)
            found = self._by_key[key] = self.add(site)
            self.kinds[found] = kind
        if len(self._by_identity) >= _MOST_IDENTITIES:
            self._by_identity.clear()
        self._by_identity[address(code), instruction, kind] = found, code
        return found

    def __getitem__(self, number: int) -> Site:
        return self.sites[number]

    def __len__(self) -> int:
        return len(self.sites)


SITES = SiteTable()
NOWHERE = SITES.add(Site("", "", "", 0))
"""Site 0: operations of the kernel itself, which stand in no source."""
