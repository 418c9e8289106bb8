"""The one thread of a process that writes, and how the jobs of many callers become one transaction.

A commit that is synced costs about the same for one record as for fifty, so the thread waits about a millisecond for
others to come, takes its turn among the processes, runs every job inside its own savepoint and commits once. A job that
raises undoes itself alone; a disk that refuses undoes them all. A caller is answered only after COMMIT has returned, so
that what was acknowledged is on the disk.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from pos_discount.store.connection import Connection, Synchronous, connect_to_write, is_storage_error, storage_errors
from pos_discount.store.errors import StoreBusy, StoreUnavailable
from pos_discount.store.turns import writing_turn

T = TypeVar("T")
Job = Callable[[Connection], T]


class Writer:
    """Runs jobs on the process's only writing connection, gathered into transactions."""

    def __init__(
        self, path: Path, *, synchronous: Synchronous, gather_seconds: float, most_waiting: int, patience_seconds: float
    ) -> None:
        self._path = path
        self._synchronous = synchronous
        self._gather_seconds = gather_seconds
        self._most_waiting = most_waiting
        self._patience_seconds = patience_seconds
        self._waiting: SimpleQueue[_Waiting[Any] | None] = SimpleQueue()
        self._connection: Connection | None = None
        self._is_closing = False
        self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)
        self._thread.start()

    def run(self, job: Job[T]) -> T:
        """Run a job in a transaction and return its result once that is committed; raises what the job raises.

        StoreBusy where too many wait already; StoreUnavailable where the disk refuses, or nothing was confirmed in
        time.
        """
        return self._run(_Waiting(job, is_alone=False))

    def run_alone(self, job: Job[T]) -> T:
        """Run a job outside of any transaction, such as VACUUM, however long it takes."""
        return self._run(_Waiting(job, is_alone=True))

    def queue_length(self) -> int:
        """Count the jobs that wait now."""
        return self._waiting.qsize()

    def close(self) -> None:
        """Finish what waits, then close the connection."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self, waiting: _Waiting[T]) -> T:
        if self._waiting.qsize() >= self._most_waiting:
            raise StoreBusy(f"{self._most_waiting} writes are waiting already; try again later")
        self._waiting.put(waiting)
        return waiting.result(None if waiting.is_alone else self._patience_seconds)

    def _serve(self) -> None:
        while not self._is_closing and (first := self._waiting.get()) is not None:
            if first.is_alone:
                self._run_outside(first)
            else:
                # Those that queued up behind the last commit have waited long enough.
                time.sleep(max(0.0, first.since + self._gather_seconds - time.monotonic()))
                self._commit(first)
        self._disconnect()

    def _commit(self, first: _Waiting[Any]) -> None:
        """Commit a job together with all that came while this process waited for its turn."""
        gathered: list[_Waiting[Any]] = [first]
        alone: list[_Waiting[Any]] = []
        try:
            with storage_errors(self._path), writing_turn(self._path):
                alone = self._gather(gathered)
                connection = self._connected()
                connection.execute("BEGIN IMMEDIATE")
                for waiting in gathered:
                    if not waiting.is_given_up:
                        _attempt(connection, waiting)
                connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - carried to the threads that wait for it and raised there
            for waiting in gathered:
                waiting.error = StoreUnavailable(str(error)) if isinstance(error, StoreUnavailable) else error
            self._renew_connection()
        finally:
            for waiting in gathered:
                waiting.answer()
        for waiting in alone:
            self._run_outside(waiting)

    def _gather(self, gathered: list[_Waiting[Any]]) -> list[_Waiting[Any]]:
        """Add what waits to what is gathered; return what must run alone, afterwards."""
        alone: list[_Waiting[Any]] = []
        while len(gathered) < self._most_waiting:
            try:
                waiting = self._waiting.get_nowait()
            except Empty:
                break
            if waiting is None:
                self._is_closing = True
                break
            (alone if waiting.is_alone else gathered).append(waiting)
        return alone

    def _run_outside(self, waiting: _Waiting[Any]) -> None:
        try:
            with storage_errors(self._path), writing_turn(self._path):
                waiting.value = waiting.job(self._connected())
        except BaseException as error:  # noqa: BLE001 - carried to the thread that waits for it and raised there
            waiting.error = error
            self._renew_connection()
        finally:
            waiting.answer()

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = connect_to_write(self._path, self._synchronous)
        return self._connection

    def _renew_connection(self) -> None:
        """Undo what is open and start afresh, as far as the disk lets us.

        The old connection goes once the new one stands: were it closed first, the log's index might go with it, and a
        full disk could not take another, so that nobody could read any more.
        """
        old = self._connection
        if old is None:
            return
        with suppress(StoreUnavailable), storage_errors(self._path), writing_turn(self._path):
            if old.in_transaction:
                old.execute("ROLLBACK")
            fresh = connect_to_write(self._path, self._synchronous)
            fresh.execute("PRAGMA user_version").fetchone()
            self._connection = fresh
            old.close()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        # Closing may checkpoint, so it waits for a turn. What it cannot do now, the next to open the file does.
        with suppress(StoreUnavailable), storage_errors(self._path), writing_turn(self._path):
            connection.close()


class _Waiting(Generic[T]):
    """A job, and the caller that waits for it."""

    __slots__ = ("_done", "error", "is_alone", "is_given_up", "job", "since", "value")

    def __init__(self, job: Job[T], *, is_alone: bool) -> None:
        self.job = job
        self.is_alone = is_alone
        self.is_given_up = False
        self.since = time.monotonic()
        self.value: T
        self.error: BaseException | None = None
        self._done = threading.Lock()  # a bare lock wakes its waiter faster than an Event
        self._done.acquire()

    def answer(self) -> None:
        self._done.release()

    def result(self, patience_seconds: float | None) -> T:
        if not self._done.acquire(timeout=-1 if patience_seconds is None else patience_seconds):
            self.is_given_up = True
            raise StoreUnavailable(f"no commit within {patience_seconds} s; it may still come, so send the same again")
        if self.error is not None:
            raise self.error
        return self.value


def _attempt(connection: Connection, waiting: _Waiting[Any]) -> None:
    connection.execute("SAVEPOINT job")
    try:
        waiting.value = waiting.job(connection)
    except BaseException as error:
        if is_storage_error(error):
            raise
        waiting.error = error
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")
