"""The example database of Hypothesis, where its folder may be damaged."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

from hypothesis import database
from hypothesis.database import DirectoryBasedExampleDatabase

_choices: Callable[[bytes], object] | None = getattr(database, "choices_from_bytes", None)
"""What Hypothesis reads an example with; None in versions that hide it."""


class DatabaseWarning(UserWarning):
    """A file or folder of the example database cannot be used."""


class TolerantDatabase(DirectoryBasedExampleDatabase):
    """As its base, and nothing in its folder can make a test fail.

    What cannot be used is skipped with one warning that names it: a file that holds
    no example, one that cannot be read, a file in the place of a folder, a folder without
    permission. Hypothesis itself is silent about most of these and raises
    PermissionError for the last.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__(folder)
        self._told: set[Path] = set()

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """The examples under ``key``, in the same order every time."""
        folder = self._key_path(key)
        try:
            names = sorted(os.listdir(folder))
        except FileNotFoundError:
            return
        except OSError as error:
            self._tell(folder if os.path.isdir(self.path) else self.path, error.strerror)
            return
        for name in names:
            try:
                value = (folder / name).read_bytes()
            except FileNotFoundError:
                continue  # another process was quicker to delete it
            except OSError as error:
                self._tell(folder / name, error.strerror)
                continue
            if _choices is not None and key != self._metakeys_name and _choices(value) is None:
                self._tell(folder / name, "it holds no example")
                continue
            yield value

    def save(self, key: bytes, value: bytes) -> None:
        """Keep an example, if that is possible."""
        self._try(key, self._make_folder)
        self._try(key, lambda: super(TolerantDatabase, self).save(key, value))

    def _make_folder(self) -> None:
        """As Hypothesis does: a folder that git leaves alone."""
        home = self.path.parent
        if not home.exists():
            home.mkdir(parents=True)
            (home / ".gitignore").write_text("*\n", encoding="utf-8")

    def move(self, src: bytes, dest: bytes, value: bytes) -> None:
        """Keep it under another key, if that is possible."""
        self._try(dest, lambda: super(TolerantDatabase, self).move(src, dest, value))

    def delete(self, key: bytes, value: bytes) -> None:
        """Forget an example, if that is possible."""
        self._try(key, lambda: super(TolerantDatabase, self).delete(key, value))

    def _try(self, key: bytes, act: Callable[[], None]) -> None:
        try:
            act()
        except OSError as error:
            self._tell(self._key_path(key), error.strerror)

    def _tell(self, path: Path, why: str | None) -> None:
        if path not in self._told:
            self._told.add(path)
            warnings.warn(
                DatabaseWarning(f"the example database skips {path}: {why}; delete it, or fix it"), stacklevel=2
            )


def tolerant(given: database.ExampleDatabase | None) -> database.ExampleDatabase | None:
    """The same database, with warnings for what is damaged in it where it is a folder."""
    if isinstance(given, DirectoryBasedExampleDatabase) and not isinstance(given, TolerantDatabase):
        return TolerantDatabase(given.path)
    return given
