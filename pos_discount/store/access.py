"""What an operator turns on and off for all workers at once: bearer keys, and promotions that are paused. And by which
secret keys and pseudonyms were made."""

from __future__ import annotations

import msgspec

from pos_discount.store.changes import note_change
from pos_discount.store.connection import Connection
from pos_discount.store.records import ApiKey, Pause

KEY_FIELDS = "key_id, hash, scope, stores, label, created_at, expires_at, revoked_at"


def create_key(connection: Connection, key: ApiKey) -> None:
    """Write a new key."""
    connection.execute(
        f"INSERT INTO api_keys ({KEY_FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key.key_id,
            key.hash,
            key.scope,
            msgspec.json.encode(key.stores).decode(),
            key.label,
            key.created_at,
            key.expires_at,
            key.revoked_at,
        ),
    )
    note_change(connection, "keys")


def read_keys(connection: Connection) -> tuple[ApiKey, ...]:
    """Read all keys, revoked and expired ones too, oldest first."""
    rows = connection.execute(f"SELECT {KEY_FIELDS} FROM api_keys ORDER BY created_at, key_id")
    return tuple(
        ApiKey(key_id, hash_, scope, msgspec.json.decode(stores, type=tuple[str, ...]), *rest)
        for key_id, hash_, scope, stores, *rest in rows
    )


def revoke_key(connection: Connection, key_id: str, now: int) -> bool:
    """Revoke a key from now on; False where there is none that still holds."""
    query = "UPDATE api_keys SET revoked_at = ? WHERE key_id = ? AND revoked_at IS NULL"
    is_revoked = connection.execute(query, (now, key_id)).rowcount == 1
    if is_revoked:
        note_change(connection, "keys")
    return is_revoked


def note_secret(connection: Connection, fingerprint: bytes, now: int, with_customers: bool = True) -> bool:
    """Note by its fingerprint the secret in use; False where it is another than something was made with."""
    if is_another_secret(connection, fingerprint, with_customers):
        return False
    connection.execute(
        "INSERT OR REPLACE INTO noted_secret (one, fingerprint, noted_at) VALUES (1, ?, ?)", (fingerprint, now)
    )
    return True


def is_another_secret(connection: Connection, fingerprint: bytes, with_customers: bool = True) -> bool:
    """Say whether keys that aren't revoked or, unless left out, pseudonyms of customers were made with another secret
    than this.
    """
    noted = read_noted_secret(connection)
    if noted is None or noted == fingerprint:
        return False
    made_with_it = MADE_WITH_A_SECRET if with_customers else MADE_WITH_A_SECRET[:1]
    return any(connection.execute(f"SELECT 1 FROM {made} LIMIT 1").fetchone() for made in made_with_it)


MADE_WITH_A_SECRET = (
    "api_keys WHERE revoked_at IS NULL",
    "customers",
    "decisions WHERE customer IS NOT NULL",
    "receipts WHERE customer IS NOT NULL",
)


def read_noted_secret(connection: Connection) -> bytes | None:
    """Read the fingerprint of the secret that was noted, None where there is none yet."""
    row = connection.execute("SELECT fingerprint FROM noted_secret").fetchone()
    return row[0] if row else None


def pause_promotion(connection: Connection, pause: Pause) -> None:
    """Stop a promotion at every till."""
    connection.execute(
        "INSERT INTO pauses (promotion_id, paused_at, reason) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (pause.promotion_id, pause.paused_at, pause.reason),
    )
    note_change(connection, "paused")


def resume_promotion(connection: Connection, promotion_id: str) -> bool:
    """Let a promotion go on; False where it was not paused."""
    is_resumed = connection.execute("DELETE FROM pauses WHERE promotion_id = ?", (promotion_id,)).rowcount == 1
    note_change(connection, "paused")
    return is_resumed


def read_paused(connection: Connection) -> tuple[Pause, ...]:
    """Read what is paused, by id."""
    rows = connection.execute("SELECT promotion_id, paused_at, reason FROM pauses ORDER BY promotion_id")
    return tuple(Pause(*row) for row in rows)
