"""Answers kept by idempotency key, so that a call that is sent again gets its first answer.

The answer is written in the transaction that it answers. There is no mark "running" in the database that a killed
process could leave behind: inside a process a set of keys says what runs, and between processes the first to commit
wins, the other's work is undone and it gives the winner's answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from pos_discount.store.connection import Connection
from pos_discount.store.errors import AlreadyAnswered, OtherBody, StillRunning
from pos_discount.store.records import Claim, Reply

KEPT_MICROSECONDS = 7 * 24 * 60 * 60 * 1_000_000


class RunningKeys:
    """The idempotency keys whose first call runs in this process now."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    @contextmanager
    def running(self, claim: Claim) -> Iterator[None]:
        """Hold a key for the block; raises StillRunning where another thread holds it."""
        key = (claim.caller, claim.key)
        with self._lock:
            if key in self._keys:
                raise StillRunning("the first call with this idempotency key is still running; ask again in a second")
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)


def read_reply(connection: Connection, claim: Claim) -> Reply | None:
    """Read the first answer to a key, None where there is none; raises OtherBody where the key had another body."""
    row = connection.execute(
        "SELECT digest, status, headers, coalesce(body, ("
        "  SELECT decision_bodies.answer FROM decisions JOIN decision_bodies USING (decision)"
        "  WHERE decisions.decision_id = answers.decision_id))"
        " FROM answers WHERE caller = ? AND key = ? AND made_at > ?",
        (claim.caller, claim.key, claim.now - KEPT_MICROSECONDS),
    ).fetchone()
    if row is None:
        return None
    digest, status, headers, body = row
    if digest != claim.digest:
        raise OtherBody("this idempotency key came with another body before; use a new key for a new request")
    return Reply(status, msgspec.json.decode(headers, type=tuple[tuple[str, str], ...]), body)


def refuse_answered(connection: Connection, claim: Claim) -> None:
    """Raise AlreadyAnswered where another call with the same key has committed its answer."""
    reply = read_reply(connection, claim)
    if reply is not None:
        raise AlreadyAnswered(reply)


def keep_reply(connection: Connection, claim: Claim, reply: Reply) -> None:
    """Keep an answer under its key."""
    _keep(connection, claim, reply, body=reply.body, decision_id=None)


def keep_reply_of_decision(connection: Connection, claim: Claim, reply: Reply, decision_id: str, answer: bytes) -> None:
    """Keep an answer that goes when the decision is forgotten.

    A body that is the decision's own is not written twice.
    """
    _keep(connection, claim, reply, body=None if reply.body == answer else reply.body, decision_id=decision_id)


def _keep(connection: Connection, claim: Claim, reply: Reply, *, body: bytes | None, decision_id: str | None) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO answers (caller, key, digest, made_at, status, headers, body, decision_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            claim.caller,
            claim.key,
            claim.digest,
            claim.now,
            reply.status,
            msgspec.json.encode(reply.headers).decode(),
            body,
            decision_id,
        ),
    )
