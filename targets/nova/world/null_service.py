"""What stands for a service that has nothing to do: volumes, images, shares, notifications."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class NullService:
    """A service that has nothing to do: whatever is asked of it, there is none."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: object, **options: object) -> Any:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *raised: object) -> None:
        return None


NULL_SERVICE = NullService()
