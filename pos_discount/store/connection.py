"""Connections to one SQLite file, and which of SQLite's errors mean that the store cannot serve.

pysqlite3 brings a newer SQLite than many systems have and is taken where it is installed. Connections run in autocommit
mode, so that every BEGIN stands in our own code. Readers open the file read-only: they can neither write nor
checkpoint.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from pos_discount.store.errors import StoreUnavailable

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:
        import sqlite3

Connection = sqlite3.Connection
DatabaseFault = sqlite3.Error
OperationalError = sqlite3.OperationalError
Synchronous = Literal["FULL", "NORMAL"]

BUSY_SECONDS = 5.0
"""How long to wait for a lock that someone outside of our own turns holds, such as an administrator's shell."""

JOURNAL_BYTES_KEPT = 64 * 1024 * 1024

STORAGE_CODES = frozenset(
    {
        3,  # PERM
        5,  # BUSY
        6,  # LOCKED
        7,  # NOMEM
        8,  # READONLY
        10,  # IOERR
        11,  # CORRUPT
        13,  # FULL
        14,  # CANTOPEN
        15,  # PROTOCOL
        22,  # NOLFS
        26,  # NOTADB
    }
)


def connect_to_write(path: Path, synchronous: Synchronous) -> Connection:
    """Open the file, made where it is missing for its owner alone, for the one thread of this process that writes."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = _connect(path, "rwc")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES_KEPT}")
    return connection


def connect_to_read(path: Path) -> Connection:
    """Open an existing file read-only, for one thread."""
    return _connect(path, "ro")


def give_to_owner(database: Path, file: Path) -> None:
    """Give a file that root made beside a database to the database's owner, as SQLite does with its own files: else the
    service could not open it.
    """
    if os.geteuid() == 0 and database.exists():
        owner = database.stat()
        os.chown(file, owner.st_uid, owner.st_gid)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what the disk or the file refuses into StoreUnavailable; a mistake in our SQL flies as it is."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if not is_storage_error(error):
            raise
        raise unavailable(path, error) from error


def unavailable(path: Path, error: Exception) -> StoreUnavailable:
    """Say what the disk or the file refused."""
    return StoreUnavailable(f"{path}: {error}; free the disk or repair the file")


def is_storage_error(error: BaseException) -> bool:
    """Say whether an error comes from the disk or the file rather than from a statement."""
    if isinstance(error, sqlite3.Error):
        return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in STORAGE_CODES
    return isinstance(error, OSError)


def _connect(path: Path, mode: str) -> Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
