"""Turns at writing one database, between the processes of one machine.

SQLite lets a second writer sleep and try again, which starves it when the first is busy, and two connections that write
and checkpoint at the same instant can meet a known race in SQLite before 3.51.3. Waiting in the kernel for locks on
files beside the database avoids both: whoever waits is woken when the turn ends, and a killed process gives its turn
back. Of two locks the first is for being next: who has just had a turn cannot overtake the one who waits for it.
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
    with _locked(f"{database}-turn", after=f"{database}-next"):
        yield


@contextmanager
def _locked(name: str, after: str) -> Iterator[None]:
    # Opened anew for each turn: a descriptor that outlived a fork would keep the lock of a killed parent.
    turn, being_next = _open(name), _open(after)
    try:
        fcntl.flock(being_next, fcntl.LOCK_EX)
        fcntl.flock(turn, fcntl.LOCK_EX)
        fcntl.flock(being_next, fcntl.LOCK_UN)
        yield
    finally:
        os.close(turn)
        os.close(being_next)


def _open(name: str) -> int:
    return os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
