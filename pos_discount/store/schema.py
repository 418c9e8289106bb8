"""The tables, and how a database of any earlier version becomes today's.

Each migration is a list of statements, applied once, in order, through sqlite-utils; `user_version` says how many are
in, so that a worker that finds today's number need not load the migration machinery at all. Migrations only ever add,
so that workers of the version before go on beside those of the next. Keys begin with the store, so that the tables can
be spread over stores; ``decision`` and ``sequence`` number rows in order of commit and never repeat, which is what
incremental readers go by.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from pos_discount.store.connection import Connection

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

DECISIONS_AND_OUTCOMES = (
    """CREATE TABLE decisions (
        decision INTEGER PRIMARY KEY AUTOINCREMENT,
        store_id TEXT NOT NULL, decision_id TEXT NOT NULL, superseded_by TEXT,
        made_at INTEGER NOT NULL, decided_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
        till_id TEXT, cashier_id TEXT, sale_id TEXT, customer TEXT,
        policy_version TEXT NOT NULL, model_version TEXT, arm TEXT NOT NULL, seed TEXT NOT NULL,
        segment_id TEXT, fallback TEXT, learning BLOB NOT NULL) STRICT""",
    "CREATE UNIQUE INDEX decisions_by_store ON decisions (store_id, decision_id)",
    "CREATE UNIQUE INDEX decisions_by_id ON decisions (decision_id)",
    "CREATE INDEX decisions_by_sale ON decisions (store_id, sale_id) WHERE sale_id IS NOT NULL",
    "CREATE INDEX decisions_by_customer ON decisions (customer) WHERE customer IS NOT NULL",
    "CREATE INDEX decisions_by_moment ON decisions (made_at)",
    """CREATE TABLE decision_bodies (
        decision INTEGER PRIMARY KEY, inputs BLOB NOT NULL, answer BLOB NOT NULL) STRICT""",
    """CREATE TABLE outcomes (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        store_id TEXT NOT NULL, decision_id TEXT NOT NULL, decision INTEGER NOT NULL,
        result TEXT NOT NULL, rung INTEGER, promotions TEXT,
        satisfaction INTEGER, satisfied_at INTEGER, received_at INTEGER NOT NULL, said_at INTEGER,
        event TEXT, visit BLOB, body BLOB NOT NULL, learning BLOB NOT NULL) STRICT""",
    "CREATE UNIQUE INDEX outcomes_by_store ON outcomes (store_id, decision_id)",
    """CREATE TABLE returns (
        store_id TEXT NOT NULL, decision_id TEXT NOT NULL, number INTEGER NOT NULL,
        made_at INTEGER NOT NULL, lines TEXT NOT NULL, refund INTEGER NOT NULL, answer BLOB NOT NULL, day INTEGER,
        PRIMARY KEY (store_id, decision_id, number)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE counters (
        counter INTEGER PRIMARY KEY,
        promotion_id TEXT NOT NULL, per TEXT NOT NULL, subject TEXT NOT NULL,
        every TEXT NOT NULL, period TEXT NOT NULL,
        uses INTEGER NOT NULL DEFAULT 0, spent INTEGER NOT NULL DEFAULT 0,
        held_uses INTEGER NOT NULL DEFAULT 0, held_spent INTEGER NOT NULL DEFAULT 0,
        UNIQUE (promotion_id, per, subject, every, period)) STRICT""",
    "CREATE INDEX counters_by_subject ON counters (per, subject)",
    """CREATE TABLE holds (
        store_id TEXT NOT NULL, decision_id TEXT NOT NULL, counter INTEGER NOT NULL,
        uses INTEGER NOT NULL, spent INTEGER NOT NULL, expires_at INTEGER NOT NULL,
        PRIMARY KEY (store_id, decision_id, counter)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX holds_by_expiry ON holds (counter, expires_at, uses, spent)",
    """CREATE TABLE counted (
        store_id TEXT NOT NULL, decision_id TEXT NOT NULL, counter INTEGER NOT NULL,
        uses INTEGER NOT NULL, spent INTEGER NOT NULL,
        PRIMARY KEY (store_id, decision_id, counter)) STRICT, WITHOUT ROWID""",
    "CREATE TABLE customers (customer TEXT PRIMARY KEY, history BLOB NOT NULL) STRICT, WITHOUT ROWID",
)

ANSWERS_VERSIONS_AND_ACCESS = (
    """CREATE TABLE answers (
        answer INTEGER PRIMARY KEY,
        caller TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL, made_at INTEGER NOT NULL,
        status INTEGER NOT NULL, headers TEXT NOT NULL, body BLOB, decision_id TEXT,
        UNIQUE (caller, key)) STRICT""",
    "CREATE INDEX answers_by_moment ON answers (made_at)",
    "CREATE INDEX answers_by_decision ON answers (decision_id) WHERE decision_id IS NOT NULL",
    "CREATE TABLE contents (digest BLOB PRIMARY KEY, content BLOB NOT NULL) STRICT",
    """CREATE TABLE versions (
        kind TEXT NOT NULL, version TEXT NOT NULL, kept_at INTEGER NOT NULL, files TEXT NOT NULL,
        PRIMARY KEY (kind, version)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE activations (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        version TEXT, activated_at INTEGER NOT NULL, reason TEXT NOT NULL) STRICT""",
    """CREATE TABLE pauses (
        promotion_id TEXT PRIMARY KEY, paused_at INTEGER NOT NULL, reason TEXT NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE api_keys (
        key_id TEXT PRIMARY KEY, hash BLOB NOT NULL, scope TEXT NOT NULL, stores TEXT NOT NULL, label TEXT NOT NULL,
        created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER) STRICT, WITHOUT ROWID""",
    "CREATE TABLE changes (topic TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE probes (probe INTEGER PRIMARY KEY, written_at INTEGER NOT NULL) STRICT",
)

FORGETTING_AND_RECEIPTS = (
    """CREATE TABLE forgotten_decisions (
        store_id TEXT NOT NULL, decision_id TEXT NOT NULL, forgotten_at INTEGER NOT NULL,
        PRIMARY KEY (store_id, decision_id)) STRICT, WITHOUT ROWID""",
    "CREATE UNIQUE INDEX forgotten_by_id ON forgotten_decisions (decision_id)",
    """CREATE TABLE forgettings (
        digest TEXT NOT NULL, forgotten_at INTEGER NOT NULL,
        PRIMARY KEY (digest, forgotten_at)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE receipts (
        receipt INTEGER PRIMARY KEY AUTOINCREMENT,
        store_id TEXT NOT NULL, source TEXT NOT NULL, receipt_id TEXT NOT NULL, customer TEXT, basket BLOB NOT NULL,
        UNIQUE (store_id, source, receipt_id)) STRICT""",
    "CREATE INDEX receipts_by_customer ON receipts (customer) WHERE customer IS NOT NULL",
)

NOTED_SECRET = (
    """CREATE TABLE noted_secret (
        one INTEGER PRIMARY KEY CHECK (one = 1), fingerprint BLOB NOT NULL, noted_at INTEGER NOT NULL) STRICT""",
)

MADE = re.compile(r"^CREATE (?:UNIQUE )?(?:TABLE|INDEX) (\w+)", re.MULTILINE)

SCHEMA = (
    ("decisions_and_outcomes", DECISIONS_AND_OUTCOMES),
    ("answers_versions_and_access", ANSWERS_VERSIONS_AND_ACCESS),
    ("forgetting_and_receipts", FORGETTING_AND_RECEIPTS),
    ("noted_secret", NOTED_SECRET),
)
"""All migrations, oldest first: a name that never changes, and its statements."""


def is_current(connection: Connection) -> bool:
    """Say whether the database has at least every migration that this version knows."""
    applied: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return applied >= len(SCHEMA)


def find_missing(connection: Connection) -> tuple[str, ...]:
    """Name the tables and indexes that are not there although the database says that it has what makes them."""
    (applied,) = connection.execute("PRAGMA user_version").fetchone()
    there = frozenset(name for (name,) in connection.execute("SELECT name FROM sqlite_master"))
    made = (name for _, statements in SCHEMA[:applied] for name in MADE.findall("\n".join(statements)))
    return tuple(name for name in made if name not in there)


def migrate(connection: Connection) -> None:
    """Apply what is missing, each migration in a transaction of its own. The caller holds the writing turn."""
    from sqlite_utils import Database  # heavy (it brings pandas along where that is installed), needed once per upgrade

    schema_migrations().apply(Database(connection, execute_plugins=False))


def schema_migrations() -> Migrations:
    """Make the ordered set of migrations."""
    from sqlite_utils import Migrations

    migrations = Migrations("pos_discount")
    for number, (name, statements) in enumerate(SCHEMA, 1):
        migrations(name=name)(_migration(statements, number))
    return migrations


def _migration(statements: tuple[str, ...], number: int) -> Callable[[Database], None]:
    def apply(database: Database) -> None:
        for statement in statements:
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {number}")

    return apply
