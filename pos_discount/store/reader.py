"""Reading: read-only connections, each lent to one thread at a time and opened where all others are lent.

In WAL mode readers neither wait for the writer nor hold it up. What came back last is lent first: what it keeps of the
file is the freshest there is. A connection on which the disk failed is dropped, so that the next read tries a fresh
one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pos_discount.store.connection import Connection, DatabaseFault, connect_to_read, is_storage_error, unavailable


class Readers:
    """The read-only connections of one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[Connection] = []

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection; raises StoreUnavailable where the disk or the file refuses."""
        connection: Connection | None = None
        try:
            connection = self._connection()
            yield connection
        except DatabaseFault as error:
            if not is_storage_error(error):
                raise
            connection = None
            raise unavailable(self._path, error) from error
        finally:
            if connection is not None:
                self._idle.append(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Lend a connection with one view of the database for the whole block."""
        with self.reading() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")

    def close(self) -> None:
        """Close all connections; no thread may be reading."""
        while self._idle:
            self._idle.pop().close()

    def _connection(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return connect_to_read(self._path)
