"""The store: everything that outlives a request, behind one class.

Hides SQLite, its threads and its transactions. Each method is one call that either happened as a whole, and is on the
disk when it returns, or raised and left nothing behind. Nothing is opened before the first call, and each process of a
forking server opens its own. `now` is always the server's clock in microseconds; the store reads no clock of its own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from pos_discount.pricing.holds import Counted
from pos_discount.pricing.limits import CounterKey, Hold, Usage
from pos_discount.store import (
    access,
    bulk,
    changes,
    counters,
    customers,
    decisions,
    forgetting,
    idempotency,
    outcomes,
    returns,
    upkeep,
    versions,
)
from pos_discount.store.bulk import Checkout, CheckoutCount, CustomerEvents, Lesson, Receipt
from pos_discount.store.connection import Connection, Synchronous
from pos_discount.store.errors import StoreUnavailable
from pos_discount.store.reader import Readers
from pos_discount.store.records import (
    Activation,
    Answering,
    ApiKey,
    Changes,
    Claim,
    CustomerRecord,
    DecisionRecord,
    EarlierDecision,
    KeptDecision,
    KeptFile,
    OutcomeRecord,
    Pause,
    Recorded,
    Reply,
    ReturnRecord,
)
from pos_discount.store.schema import is_current, migrate
from pos_discount.store.writer import Job, Writer

T = TypeVar("T")

MOST_OUTCOMES = 500
"""Outcomes that one call may record."""


class Store:
    """One database file, shared by the threads and processes of one machine.

    `synchronous` NORMAL exists to show in tests what it loses. `gather_seconds` is how long a write waits for others to
    share its commit; beyond `most_waiting` waiting writes the next is refused with StoreBusy; after `patience_seconds`
    without a commit the caller gets StoreUnavailable. Every call raises StoreUnavailable where the disk or the file
    refuses.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        synchronous: Synchronous = "FULL",
        gather_seconds: float = 0.001,
        most_waiting: int = 512,
        patience_seconds: float = 10.0,
    ) -> None:
        self.path = Path(path).absolute()
        self._synchronous = synchronous
        self._gather_seconds = gather_seconds
        self._most_waiting = most_waiting
        self._patience_seconds = patience_seconds
        # By process: a child never touches what its parent opened, as SQLite's connections do not survive a fork.
        self._opened_by_process: dict[int, _Opened] = {}
        self._opening = threading.Lock()

    def close(self) -> None:
        """Finish what waits to be written and close the file; the next call opens it again."""
        opened = self._opened_by_process.pop(os.getpid(), None)
        if opened is not None:
            opened.readers.close()
            opened.writer.close()

    # Decisions

    def record_decision(
        self, record: DecisionRecord, holds: Sequence[Hold] = (), answering: Answering[None] | None = None
    ) -> None:
        """Record a decision with its holds, superseding the earlier one of its sale.

        Raises HoldConflict where a limit has no room any more: read usage again and decide again. With `answering`,
        raises AlreadyAnswered where another call with the same idempotency key was first.
        """
        job = partial(decisions.record_decision, record=record, holds=holds)
        self._write(idempotency.keeping_reply(job, answering, decision_id=record.decision_id, known=record.answer))

    def read_decision(self, decision_id: str) -> KeptDecision:
        """Read a decision as it stands; raises UnknownDecision or ForgottenDecision."""
        with self._snapshot() as connection:
            record, superseded_by = decisions.read_record(connection, decision_id)
            place = (record.store_id, decision_id)
            outcome = outcomes.read_outcome(connection, *place)
            return KeptDecision(record, superseded_by, outcome, returns.read_returns(connection, *place))

    def read_earlier_decision(self, store_id: str, sale_id: str) -> EarlierDecision | None:
        """Read the arm and the dice that a further decision of the same sale takes over."""
        with self._reading() as connection:
            return decisions.read_earlier(connection, store_id, sale_id)

    def read_usage(
        self, keys: Sequence[CounterKey], now: int, except_sale: tuple[str, str] | None = None
    ) -> tuple[Usage, ...]:
        """Read what is used up of each counter, open holds included, save those of one sale (store, sale)."""
        with self._snapshot() if except_sale else self._reading() as connection:
            return counters.read_usage(connection, keys, now, except_sale)

    def read_customer(self, customer: str) -> CustomerRecord:
        """Read what is kept of a customer's behaviour; of an unknown one, an empty record."""
        with self._reading() as connection:
            return customers.read_customer(connection, customer)

    # Outcomes and returns

    def record_outcomes(
        self, records: Sequence[OutcomeRecord], answering: Answering[tuple[Recorded, ...]] | None = None
    ) -> tuple[Recorded, ...]:
        """Record up to 500 outcomes in one transaction and say what became of each, in the same order.

        `created` | `unchanged` | `conflict` | `unknown` | `forgotten`; the last three change nothing.
        """
        if len(records) > MOST_OUTCOMES:
            raise ValueError(f"{len(records)} outcomes in one call; at most {MOST_OUTCOMES} are taken")

        def write(connection: Connection) -> tuple[Recorded, ...]:
            return tuple(outcomes.record_outcome(connection, outcome) for outcome in records)

        return self._write(idempotency.keeping_reply(write, answering))

    def record_return(self, returned: ReturnRecord, answering: Answering[None] | None = None) -> None:
        """Record a return that was computed from the `number - 1` before it.

        Raises ReturnConflict where there are others by now.
        """
        job = partial(returns.record_return, returned=returned)
        self._write(idempotency.keeping_reply(job, answering, decision_id=returned.decision_id))

    # Idempotency

    @contextmanager
    def answering_once(self, claim: Claim) -> Iterator[Reply | None]:
        """Give the first answer to an idempotency key, or None where it is yours to make within the block.

        Raises StillRunning where another thread is making it, OtherBody where the key came with another body.
        """
        with self._opened().running_keys.running(claim):
            with self._reading() as connection:
                reply = idempotency.read_reply(connection, claim)
            yield reply

    def keep_reply(self, claim: Claim, reply: Reply) -> None:
        """Keep an answer to a call that recorded nothing else; raises AlreadyAnswered where another was first."""
        self._write(idempotency.keeping_reply(lambda _: None, Answering[None](claim, lambda _: reply)))

    # Policies and models

    def keep_policy(self, version: str, files: Sequence[KeptFile], now: int) -> None:
        """Keep a policy's files as they were read; a version that is kept already stays."""
        self._write(lambda connection: versions.keep_version(connection, "policy", version, files, now))

    def read_policy(self, version: str) -> tuple[KeptFile, ...]:
        """Read the files of a policy that ever decided; none where it is unknown or not kept whole."""
        with self._reading() as connection:
            return versions.read_version(connection, "policy", version)

    def read_policies(self) -> tuple[tuple[str, int], ...]:
        """Read every policy version with the moment since when it is kept, earliest first."""
        with self._reading() as connection:
            return versions.read_versions(connection, "policy")

    def read_latest_policy(self) -> str | None:
        """Read the version of the policy that decided last, None before the first decision."""
        with self._reading() as connection:
            return decisions.read_latest_policy(connection)

    def keep_model(self, version: str, files: Sequence[KeptFile], now: int) -> None:
        """Keep a model's files; it decides nothing before it is activated."""
        self._write(lambda connection: versions.keep_version(connection, "model", version, files, now))

    def read_model(self, version: str) -> tuple[KeptFile, ...]:
        """Read the files of a model; none where it is unknown or not kept whole."""
        with self._reading() as connection:
            return versions.read_version(connection, "model", version)

    def read_models(self) -> tuple[tuple[str, int], ...]:
        """Read every model version with the moment since when it is kept, earliest first."""
        with self._reading() as connection:
            return versions.read_versions(connection, "model")

    def activate_model(self, version: str | None, reason: str, now: int) -> None:
        """Put a kept model in force at every worker, or none; raises ValueError where it is not kept."""
        self._write(lambda connection: versions.activate_model(connection, version, reason, now))

    def read_active_model(self) -> str | None:
        """Read which model is in force."""
        with self._reading() as connection:
            return versions.read_active_model(connection)

    def read_activations(self) -> tuple[Activation, ...]:
        """Read which models were in force, latest first."""
        with self._reading() as connection:
            return versions.read_activations(connection)

    # What an operator turns on and off

    def read_changes(self) -> Changes:
        """Read the counts by which a worker sees that the model, the pauses or the keys changed.

        Cheap enough for every second.
        """
        with self._reading() as connection:
            return changes.read_changes(connection)

    def pause_promotion(self, pause: Pause) -> None:
        """Stop a promotion at every till."""
        self._write(lambda connection: access.pause_promotion(connection, pause))

    def resume_promotion(self, promotion_id: str) -> bool:
        """Let a paused promotion go on; False where it was not paused."""
        return self._write(lambda connection: access.resume_promotion(connection, promotion_id))

    def read_paused(self) -> tuple[Pause, ...]:
        """Read which promotions are paused."""
        with self._reading() as connection:
            return access.read_paused(connection)

    def create_key(self, key: ApiKey) -> None:
        """Keep a new bearer key's HMAC."""
        self._write(lambda connection: access.create_key(connection, key))

    def read_keys(self) -> tuple[ApiKey, ...]:
        """Read all keys, those that are revoked or expired too."""
        with self._reading() as connection:
            return access.read_keys(connection)

    def revoke_key(self, key_id: str, now: int) -> bool:
        """Revoke a key; False where there is none that still holds."""
        return self._write(lambda connection: access.revoke_key(connection, key_id, now))

    def note_secret(self, fingerprint: bytes, now: int, *, with_customers: bool = True) -> bool:
        """Note by its fingerprint the secret that is in use.

        False, and nothing is noted, where keys that hold or pseudonyms were made with another; these, unless customers
        are left out: who makes keys anew with a new secret gives up whom the old one named.
        """
        with self._reading() as connection:
            if access.read_noted_secret(connection) == fingerprint:
                return True
        return self._write(lambda connection: access.note_secret(connection, fingerprint, now, with_customers))

    # By the million

    def read_checkouts(self, after_decision: int = 0) -> Iterator[tuple[Checkout, ...]]:
        """Yield decisions after a number, with their outcome or without, in blocks; for reports."""
        return bulk.read_checkouts(self._reading, after_decision)

    def read_outcomes(self, after_sequence: int = 0) -> Iterator[tuple[Checkout, ...]]:
        """Yield decisions whose outcome came or changed after a number, in blocks; for learning what is new."""
        return bulk.read_outcomes(self._reading, after_sequence)

    def read_lessons(self, after_sequence: int = 0) -> Iterator[tuple[Lesson, ...]]:
        """Yield of outcomes that came or changed after a number only what a fit counts, in blocks."""
        return bulk.read_lessons(self._reading, after_sequence)

    def read_events(self, customers: Iterable[str] | None = None) -> Iterator[tuple[tuple[str, CustomerEvents], ...]]:
        """Yield the event counts of all customers, or of those named who are known, by pseudonym, in blocks."""
        if customers is None:
            return bulk.read_events(self._reading)
        return bulk.read_events_of(self._reading, customers)

    def read_customers(self) -> Iterator[tuple[tuple[str, CustomerRecord], ...]]:
        """Yield every customer's pseudonym and record in blocks; for refitting from the counts of all."""
        return bulk.read_customers(self._reading)

    def count_checkouts(self, since: int, until: int) -> tuple[CheckoutCount, ...]:
        """Count decisions made in a span of time and their outcomes, by store and arm."""
        with self._reading() as connection:
            return bulk.count_checkouts(connection, since, until)

    def record_checkouts(self, records: Sequence[DecisionRecord], results: Sequence[OutcomeRecord]) -> None:
        """Record many decisions and outcomes in one transaction; for simulations, a few thousand at a time."""
        self._write(lambda connection: bulk.record_checkouts(connection, records, results))

    def keep_receipts(self, receipts: Sequence[Receipt], replaced: str | None = None) -> int:
        """Keep imported receipts, a few thousand at a time, in the place of all of the source ``replaced`` where one is
        named; return how many were new.
        """
        return self._write(lambda connection: bulk.keep_receipts(connection, receipts, replaced))

    def read_receipts(self, source: str) -> Iterator[tuple[Receipt, ...]]:
        """Yield the receipts of an import in blocks."""
        return bulk.read_receipts(self._reading, source)

    def count_receipts(self) -> tuple[tuple[str, int], ...]:
        """Count the receipts of each import."""
        with self._reading() as connection:
            return bulk.count_receipts(connection)

    # Forgetting

    def read_decisions_of(self, customer: str) -> Iterator[KeptDecision]:
        """Yield all that is kept of a customer's decisions, earliest first; for a request for access."""
        with self._reading() as connection:
            decision_ids = decisions.read_ids_of(connection, customer)
        return (self.read_decision(decision_id) for decision_id in decision_ids)

    def read_uses_of(self, customer: str) -> tuple[Counted, ...]:
        """Read what a customer used of the limits that count by customer."""
        with self._reading() as connection:
            return counters.read_uses_of(connection, customer)

    def forget(self, customer: str, now: int) -> int:
        """Remove all that links to a customer and empty the log; return how many decisions went.

        `holds_trace` tells afterwards whether stale copies are left in the file, of which `scrub` gets rid.
        """
        removed = self._write(lambda connection: forgetting.forget(connection, self.path, customer, now))
        self._run_alone(lambda connection: upkeep.empty_log(connection, self.path))
        return removed

    def purge(self, before: int, first_day: int, now: int) -> Iterator[int]:
        """Remove decisions made before a moment, days before one, answers and counters too old to matter, step by step.

        Yields how many rows each step removed or shortened; every step is a small transaction. The log is emptied at
        the end; `scrub` afterwards to be rid of stale copies in the file too.
        """
        yield from self._until_nothing_is_left(lambda connection: forgetting.purge_decisions(connection, before))
        yield from self._until_nothing_is_left(lambda connection: forgetting.purge_answers(connection, now))
        yield from self._until_nothing_is_left(lambda connection: forgetting.purge_counters(connection, first_day))
        customer = ""
        while True:
            customer, changed = self._write(partial(forgetting.trim_customers, first_day=first_day, after=customer))
            if not customer:
                break
            yield changed
        self._run_alone(lambda connection: upkeep.empty_log(connection, self.path))

    def scrub(self) -> None:
        """Rewrite the file so that it holds nothing of what was deleted. Writers wait; takes seconds per gigabyte."""
        self._run_alone(lambda connection: upkeep.rewrite(connection, self.path))

    # Upkeep

    def backup(self, target: str | Path) -> None:
        """Copy the live database into a new file; raises StoreError where that exists."""
        with self._reading() as connection:
            upkeep.write_backup(connection, self.path, Path(target))

    def find_problems(self) -> tuple[str, ...]:
        """Check that the file is whole and its counters agree; nothing found is well. Reads all of it."""
        with self._snapshot() as connection:
            return upkeep.find_problems(connection)

    def read_sizes(self) -> dict[str, int]:
        """Read bytes of the file, its log and the free disk, and rows by table."""
        with self._snapshot() as connection:
            return upkeep.read_sizes(connection, self.path)

    def probe(self, now: int) -> None:
        """Write and commit one small row; raises StoreUnavailable where that cannot be done, or leaves no room for
        more."""
        self._write(lambda connection: upkeep.write_probe(connection, now))
        upkeep.require_room(self.path)

    def queue_length(self) -> int:
        """Count the writes that wait in this process."""
        return self._opened().writer.queue_length()

    # How it is done

    def _write(self, job: Job[T]) -> T:
        return self._opened().writer.run(job)

    def _run_alone(self, job: Job[T]) -> T:
        return self._opened().writer.run_alone(job)

    def _until_nothing_is_left(self, job: Job[int]) -> Iterator[int]:
        while removed := self._write(job):
            yield removed

    def _reading(self) -> AbstractContextManager[Connection]:
        return self._opened().readers.reading()

    def _snapshot(self) -> AbstractContextManager[Connection]:
        return self._opened().readers.snapshot()

    def _opened(self) -> _Opened:
        opened = self._opened_by_process.get(os.getpid())
        return opened if opened is not None else self._open()

    def _open(self) -> _Opened:
        with self._opening:
            process = os.getpid()
            if process not in self._opened_by_process:
                writer = Writer(
                    self.path,
                    synchronous=self._synchronous,
                    gather_seconds=self._gather_seconds,
                    most_waiting=self._most_waiting,
                    patience_seconds=self._patience_seconds,
                )
                try:
                    writer.run_alone(partial(_make_current, database=self.path))
                except StoreUnavailable:
                    writer.close()
                    raise
                self._opened_by_process[process] = _Opened(writer, Readers(self.path), idempotency.RunningKeys())
            return self._opened_by_process[process]


class _Opened(NamedTuple):
    """What one process has open."""

    writer: Writer
    readers: Readers
    running_keys: idempotency.RunningKeys


def _make_current(connection: Connection, database: Path) -> None:
    if not is_current(connection):
        migrate(connection)
    if forgetting.reapply_forgettings(connection, database):
        upkeep.rewrite(connection, database)
