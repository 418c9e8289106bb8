"""Reading: every thread has its own read-only connection, opened when it first reads.

In WAL mode readers neither wait for the writer nor hold it up. A connection on which the disk failed is dropped, so
that the next read tries a fresh one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pos_discount.store.connection import Connection, DatabaseFault, connect_to_read, is_storage_error, unavailable


class Readers:
    """The read-only connections of one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._opened: list[tuple[threading.Thread, Connection]] = []
        self._opening = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend this thread's connection; raises StoreUnavailable where the disk or the file refuses."""
        try:
            yield self._connection()
        except DatabaseFault as error:
            if not is_storage_error(error):
                raise
            self._local.connection = None
            raise unavailable(self._path, error) from error

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Lend this thread's connection with one view of the database for the whole block."""
        with self.reading() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")

    def close(self) -> None:
        """Close all connections; no thread may be reading."""
        self._local = threading.local()
        opened, self._opened = self._opened, []
        for _, connection in opened:
            connection.close()

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect_to_read(self._path)
            with self._opening:
                living = [(thread, other) for thread, other in self._opened if thread.is_alive()]
                self._opened = [*living, (threading.current_thread(), connection)]
        return connection
