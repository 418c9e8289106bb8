"""Looking after the file: its backup and restore, whether it is whole, how large it is."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pos_discount.store.connection import (
    Connection,
    DatabaseFault,
    OperationalError,
    connect_to_read,
    connect_to_write,
    give_to_owner,
    storage_errors,
)
from pos_discount.store.errors import StoreError, StoreUnavailable
from pos_discount.store.forgetting import forgetting_list, merge_forgetting_lists
from pos_discount.store.schema import find_missing
from pos_discount.store.turns import writing_turn

LOG_ENDINGS = ("-wal", "-shm", "-journal")
OPENED_BYTE = 128
"""Of the index of SQLite's log: each connection holds a shared lock on it for as long as it is open."""

COUNTED_TABLES = ("decisions", "outcomes", "returns", "customers", "counters", "holds", "answers", "receipts")

LEAST_ROOM = 1024 * 1024
"""Bytes on the disk for a decision on the largest basket and its part in the log."""


def write_backup(connection: Connection, database: Path, target: Path) -> None:
    """Copy a live database, as it is at this moment, into a new file; deleted rows leave no trace in the copy.

    The list of the forgotten goes beside it. Raises StoreError where the target exists.
    """
    if target.exists():
        raise StoreError(f"{target} exists already; choose another name for the backup")
    with storage_errors(target), _unfinished(target) as unfinished:
        connection.execute("VACUUM INTO ?", (str(unfinished),))
        _sync(unfinished)
        if forgetting_list(database).exists():
            shutil.copyfile(forgetting_list(database), forgetting_list(target))
            _sync(forgetting_list(target))
        unfinished.rename(target)
        _sync(target.parent)


def restore_backup(backup: Path, database: Path) -> None:
    """Put a backup in the place of a database that nobody has open, be it damaged; who was forgotten since is
    forgotten on opening.

    Raises StoreError where the backup is not whole or the database is in use.
    """
    with storage_errors(backup), closing(connect_to_read(backup)) as connection:
        (migrations,) = connection.execute("PRAGMA user_version").fetchone()
        problems = find_problems(connection) if migrations else ("it has none of the tables that belong into it",)
    if problems:
        raise StoreError(f"{backup}: not restored, since it is not whole: {problems[0]}")
    with storage_errors(database), writing_turn(database), _unfinished(database) as unfinished:
        _require_unused(database)
        _copy(backup, unfinished)
        give_to_owner(database, unfinished)
        merge_forgetting_lists(backup, database)
        for ending in LOG_ENDINGS:  # of what is replaced: it would be taken for the backup's own
            database.with_name(database.name + ending).unlink(missing_ok=True)
        unfinished.rename(database)
        _sync(database.parent)


def find_problems(connection: Connection) -> tuple[str, ...]:
    """Check the file's structure, that all tables are there, and that what counters say is held is what holds add up
    to; nothing found is well.
    """
    if missing := find_missing(connection):
        return (f"missing: {', '.join(missing)}",)
    damage = tuple(row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok")
    miscounted = connection.execute(
        "SELECT promotion_id, per, period FROM counters WHERE (held_uses, held_spent) <>"
        " (SELECT coalesce(sum(uses), 0), coalesce(sum(spent), 0) FROM holds WHERE holds.counter = counters.counter)"
    )
    return damage + tuple(
        f"the counter of {row[0]} per {row[1]} {row[2]} disagrees with its holds" for row in miscounted
    )


def read_sizes(connection: Connection, database: Path) -> dict[str, int]:
    """Read the bytes of the file and of its log, the bytes free on the disk, and the rows of each table that grows."""
    log = database.with_name(database.name + "-wal")
    rows = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in COUNTED_TABLES}
    sizes = {"file_bytes": database.stat().st_size, "log_bytes": log.stat().st_size if log.exists() else 0}
    return {**sizes, "disk_free_bytes": shutil.disk_usage(database.parent).free, **rows}


def write_probe(connection: Connection, now: int) -> None:
    """Write one small row, the same each time."""
    connection.execute("INSERT OR REPLACE INTO probes (probe, written_at) VALUES (1, ?)", (now,))


def require_room(database: Path) -> None:
    """Raise StoreUnavailable where the disk has no room for a large decision: a small row may still fit into the log's
    file as it is."""
    with storage_errors(database):
        free = shutil.disk_usage(database.parent).free
    if free < LEAST_ROOM:
        raise StoreUnavailable(f"{database}: {free} bytes are free on its disk; make room")


def empty_log(connection: Connection, database: Path) -> None:
    """Move all that is in the log into the file and cut the log to nothing.

    Raises StoreUnavailable where a reader stays on what the log holds.
    """
    (is_busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise StoreUnavailable(
            f"{database}: a long read keeps the log from being emptied; run this again when it is done"
        )


def rewrite(connection: Connection, database: Path) -> None:
    """Rewrite the whole file, so that no stale copy of a deleted row is left anywhere in it. Writers wait meanwhile."""
    connection.execute("VACUUM")
    empty_log(connection, database)


def _require_unused(database: Path) -> None:
    """Refuse a database that any other connection has open, whether SQLite can read it or not."""
    if _is_log_in_use(database) or (database.exists() and not _leaves_log(database)):
        raise StoreError(f"{database} is in use; stop the service, then restore")


def _is_log_in_use(database: Path) -> bool:
    """Look for the lock that each connection of another process holds on the index of the log while it is open."""
    index = database.with_name(database.name + "-shm")
    if not index.exists():
        return False
    with index.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, OPENED_BYTE)
        except (BlockingIOError, PermissionError):
            return True
    return False


def _leaves_log(database: Path) -> bool:
    """Leave WAL mode, which SQLite refuses while any other connection is open; a damaged file has no mode to leave."""
    try:
        with closing(connect_to_write(database, "FULL")) as connection:
            connection.execute("PRAGMA busy_timeout = 0")
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except OperationalError:
        return False
    except DatabaseFault:
        return True
    return bool(mode == "delete")


@contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """Lend a name beside a target, for a file that is written whole and then renamed; one that isn't leaves nothing."""
    file = target.with_name(target.name + ".unfinished")
    file.unlink(missing_ok=True)
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def _copy(backup: Path, target: Path) -> None:
    """Copy a backup to a new file for its owner's eyes alone, down to the disk."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    shutil.copyfile(backup, target)
    _sync(target)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
