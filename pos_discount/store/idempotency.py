"""Answers kept by idempotency key, so that a call that is sent again gets its first answer.

The answer is written in the transaction that it answers. There is no mark "running" in the database that a killed
process could leave behind: inside a process a set of keys says what runs, and between processes the first to commit
wins, the other's work is undone and it gives the winner's answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from pos_discount.store.connection import Connection
from pos_discount.store.errors import AlreadyAnswered, OtherBody, StillRunning
from pos_discount.store.records import Answering, Claim, Reply
from pos_discount.store.writer import Job

T = TypeVar("T")

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


def keeping_reply(
    job: Job[T], answering: Answering[T] | None, *, decision_id: str | None = None, known: bytes | None = None
) -> Job[T]:
    """Let a job keep its answer in its own transaction; it raises AlreadyAnswered where another's was committed first.

    An answer about a decision goes when that is forgotten; ``known`` is a body that the decision has already, and that
    is not written twice.
    """
    if answering is None:
        return job

    def run(connection: Connection) -> T:
        earlier = read_reply(connection, answering.claim)
        if earlier is not None:
            raise AlreadyAnswered(earlier)
        done = job(connection)
        reply = answering.reply_of(done)
        body = None if reply.body == known else reply.body
        _keep_reply(connection, answering.claim, reply, body=body, decision_id=decision_id)
        return done

    return run


def _keep_reply(
    connection: Connection, claim: Claim, reply: Reply, *, body: bytes | None, decision_id: str | None
) -> None:
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
