"""Counts that say whether something changed that workers keep in memory.

One small read instead of reading it all again.
"""

from __future__ import annotations

from typing import Literal

from pos_discount.store.connection import Connection
from pos_discount.store.records import Changes

Topic = Literal["model", "paused", "keys"]


def note_change(connection: Connection, topic: Topic) -> None:
    """Count one change."""
    connection.execute(
        "INSERT INTO changes (topic, number) VALUES (?, 1) ON CONFLICT (topic) DO UPDATE SET number = number + 1",
        (topic,),
    )


def read_changes(connection: Connection) -> Changes:
    """Read all counts."""
    return Changes(**dict(connection.execute("SELECT topic, number FROM changes")))
