"""Turns at writing one database, between the processes of one machine.

SQLite lets a second writer sleep and try again, which starves it when the first is busy, and two connections that write
and checkpoint at the same instant can meet a known race in SQLite before 3.51.3. Waiting in the kernel for a lock on a
file beside the database avoids both: whoever waits is woken when the turn ends, and a killed process gives its turn
back.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def writing_turn(database: Path) -> Iterator[None]:
    """Wait for this process's turn to write and hold it for the block."""
    # Opened anew for each turn: a descriptor that outlived a fork would keep the lock of a killed parent.
    lock = os.open(f"{database}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
