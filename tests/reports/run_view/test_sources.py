"""Files by the names that readers of a report look for."""

from __future__ import annotations

from pathlib import Path

import pytest

from semafuzz.harness.kernel.sites import Site
from semafuzz.reports.run_view.sources import file_of, repository_file_of


@pytest.mark.parametrize(
    ("inside", "module", "expected"),
    [
        ("src/shop/stock.py", "shop.stock", "src/shop/stock.py"),
        ("tests/test_stock.py", "test_stock", "tests/test_stock.py"),
        (".venv/lib/site-packages/shop/stock.py", "shop.stock", "shop/stock.py"),
    ],
)
def test_a_file_of_a_repository_is_named_from_its_root(tmp_path: Path, inside: str, module: str, expected: str) -> None:
    site = Site(module, str(tmp_path / inside), "take", 3)
    assert repository_file_of(site) == file_of(site) != inside or inside == file_of(site), "no repository here"
    (tmp_path / ".git").mkdir()
    assert repository_file_of(site) == expected


def test_what_is_no_file_keeps_its_module() -> None:
    assert repository_file_of(Site("shop.made", "<string>", "take", 3)) == "shop.made"
