"""A database of Nova or of placement in this process's memory, with snapshots.

SQLite, with the tables that the release's own models describe. One connection serves
the process, so that a snapshot is a copy of the pages and going back costs no query.
"""

from __future__ import annotations

from typing import Any


class Database:
    """What stands behind one SQLAlchemy engine on ``sqlite://``, as it is now the first
    start state: :meth:`clear` goes back there."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self._first = self.snapshot()

    def clear(self) -> None:
        """Forget every row that came since: another world begins."""
        self.restore(self._first)

    def snapshot(self) -> bytes:
        """All rows, to be given to :meth:`restore`."""
        data: bytes = self._connection().serialize()
        return data

    def restore(self, data: bytes) -> None:
        """Put every row back as it was."""
        self._connection().deserialize(data)

    def rows(self, statement: str, **values: object) -> list[Any]:
        """What a SELECT of plain SQL finds."""
        from sqlalchemy import text

        with self.engine.connect() as connection:
            return list(connection.execute(text(statement), values))

    def change(self, statement: str, **values: object) -> None:
        """Perform one statement of plain SQL."""
        from sqlalchemy import text

        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def _connection(self) -> Any:
        proxy = self.engine.raw_connection()
        try:
            return proxy.driver_connection
        finally:
            proxy.close()
