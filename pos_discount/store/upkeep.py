"""Looking after the file: its backup and restore, whether it is whole, how large it is."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path

from pos_discount.store.connection import (
    Connection,
    OperationalError,
    connect_to_read,
    connect_to_write,
    storage_errors,
)
from pos_discount.store.errors import StoreError, StoreUnavailable
from pos_discount.store.forgetting import forgetting_list
from pos_discount.store.turns import writing_turn

COUNTED_TABLES = ("decisions", "outcomes", "returns", "customers", "counters", "holds", "answers", "receipts")

LEAST_ROOM = 1024 * 1024
"""Bytes on the disk for a decision on the largest basket and its part in the log."""


def write_backup(connection: Connection, database: Path, target: Path) -> None:
    """Copy a live database, as it is at this moment, into a new file; deleted rows leave no trace in the copy.

    The list of the forgotten goes beside it. Raises StoreError where the target exists.
    """
    if target.exists():
        raise StoreError(f"{target} exists already; choose another name for the backup")
    unfinished = target.with_name(target.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(unfinished),))
    _sync(unfinished)
    if forgetting_list(database).exists():
        shutil.copyfile(forgetting_list(database), forgetting_list(target))
        _sync(forgetting_list(target))
    unfinished.rename(target)
    _sync(target.parent)


def restore_backup(backup: Path, database: Path) -> None:
    """Put a backup in the place of a database that nobody has open; who was forgotten since is forgotten on opening.

    Raises StoreError where the backup is not whole or the database is in use.
    """
    with storage_errors(backup), closing(connect_to_read(backup)) as connection:
        problems = find_problems(connection)
    if problems:
        raise StoreError(f"{backup}: not restored, since it is not whole: {problems[0]}")
    with writing_turn(database):
        if database.exists():
            _require_unused(database)
        unfinished = database.with_name(database.name + ".unfinished")
        shutil.copyfile(backup, unfinished)
        _sync(unfinished)
        unfinished.rename(database)
        _merge_forgetting_lists(backup, database)
        _sync(database.parent)


def find_problems(connection: Connection) -> tuple[str, ...]:
    """Check the file's structure and that what counters say is held is what holds add up to; nothing found is well."""
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
    """Leave WAL mode, which SQLite refuses while any other connection is open; that also removes the old log."""
    connection = connect_to_write(database, "FULL")
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except OperationalError:
        mode = "wal"
    connection.close()
    if mode != "delete":
        raise StoreError(f"{database} is in use; stop the service, then restore")


def _merge_forgetting_lists(backup: Path, database: Path) -> None:
    """Add to the database's list what only the backup's knows."""
    theirs, ours = forgetting_list(backup), forgetting_list(database)
    known = ours.read_text().splitlines() if ours.exists() else []
    new = [line for line in theirs.read_text().splitlines() if line not in known] if theirs.exists() else []
    if new:
        with ours.open("a") as file:
            file.writelines(f"{line}\n" for line in new)
        _sync(ours)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
