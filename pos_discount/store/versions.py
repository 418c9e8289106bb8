"""Every policy, catalogue and model that ever decided, and the model in force now.

They are kept so that each decision can be replayed. Files go by the digest of their content: of a folder in which one
file changed, only that file is new, and content that was altered is noticed.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from typing import Literal

import msgspec

from pos_discount.store.changes import note_change
from pos_discount.store.connection import Connection
from pos_discount.store.records import Activation, KeptFile

Kind = Literal["policy", "model"]


def keep_version(connection: Connection, kind: Kind, version: str, files: Sequence[KeptFile], now: int) -> None:
    """Keep a version's files; one that is kept already stays as it is."""
    digests = [(file.name, _keep_content(connection, file.content)) for file in files]
    connection.execute(
        "INSERT INTO versions (kind, version, kept_at, files) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (kind, version, now, msgspec.json.encode(digests).decode()),
    )


def read_version(connection: Connection, kind: Kind, version: str) -> tuple[KeptFile, ...]:
    """Read a version's files in the order in which they were kept; none where it is unknown or not kept whole."""
    row = connection.execute("SELECT files FROM versions WHERE kind = ? AND version = ?", (kind, version)).fetchone()
    try:
        digests = msgspec.json.decode(row[0], type=tuple[tuple[str, str], ...]) if row else ()
        return tuple(KeptFile(name, _content(connection, digest)) for name, digest in digests)
    except (msgspec.MsgspecError, _Altered):
        return ()


def read_versions(connection: Connection, kind: Kind) -> tuple[tuple[str, int], ...]:
    """Read all versions that are kept, each with the moment since when, earliest first."""
    return tuple(
        connection.execute("SELECT version, kept_at FROM versions WHERE kind = ? ORDER BY kept_at, version", (kind,))
    )


def activate_model(connection: Connection, version: str | None, reason: str, now: int) -> None:
    """Point to a model as the one in force; None: to none. Raises ValueError where that version is not kept."""
    if version is not None and not _is_kept(connection, "model", version):
        raise ValueError(f"model {version!r} is not kept here; keep it first, or choose one of `model list`")
    connection.execute(
        "INSERT INTO activations (version, activated_at, reason) VALUES (?, ?, ?)", (version, now, reason)
    )
    note_change(connection, "model")


def read_activations(connection: Connection) -> tuple[Activation, ...]:
    """Read how the pointer moved, latest first."""
    rows = connection.execute("SELECT number, version, activated_at, reason FROM activations ORDER BY number DESC")
    return tuple(Activation(*row) for row in rows)


def read_active_model(connection: Connection) -> str | None:
    """Read which model is in force."""
    row = connection.execute("SELECT version FROM activations ORDER BY number DESC LIMIT 1").fetchone()
    return row[0] if row else None


def _is_kept(connection: Connection, kind: Kind, version: str) -> bool:
    query = "SELECT 1 FROM versions WHERE kind = ? AND version = ?"
    return connection.execute(query, (kind, version)).fetchone() is not None


def _keep_content(connection: Connection, content: bytes) -> str:
    digest = hashlib.sha256(content)
    connection.execute(
        "INSERT INTO contents (digest, content) VALUES (?, ?) ON CONFLICT (digest) DO UPDATE"
        " SET content = excluded.content WHERE content IS NOT excluded.content",  # mends what was altered
        (digest.digest(), zlib.compress(content)),
    )
    return digest.hexdigest()


class _Altered(ValueError):
    """What is kept under a digest is gone, or something else."""


def _content(connection: Connection, digest: str) -> bytes:
    try:
        row = connection.execute("SELECT content FROM contents WHERE digest = ?", (bytes.fromhex(digest),)).fetchone()
        content = zlib.decompress(row[0]) if row else b""
    except (zlib.error, ValueError, TypeError) as error:
        raise _Altered(digest) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise _Altered(digest)
    return content
