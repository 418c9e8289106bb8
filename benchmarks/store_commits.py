"""Commits per second and their latency: gathered by one writer per process, against each thread committing on its own.

    python benchmarks/store_commits.py [--seconds 3] [--rounds 5]

Every commit is one decision with a 3 kB input and a 5 kB answer, synced to the disk before it counts. Both ways run in
turn, round by round, on fresh files in the same folder; the table shows medians over the rounds and their ratio.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from pos_discount.store import DecisionRecord, Store
from pos_discount.store.connection import connect_to_write
from pos_discount.store.decisions import record_decision

THREADS = 8
Record = Callable[[DecisionRecord], None]


def main() -> None:
    """Measure all four settings and print the table."""
    options = _options()
    latencies: dict[tuple[str, int], list[list[float]]] = {}
    for _ in range(options.rounds):
        for processes in (1, 2):
            for way in ("gathered", "alone"):
                latencies.setdefault((way, processes), []).append(_measure(way, processes, options.seconds))
    print(f"{'':22}{'commits/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'p99.9 ms':>10}{'max ms':>9}")
    for processes in (1, 2):
        rows = {way: _summary(latencies[way, processes], options.seconds) for way in ("gathered", "alone")}
        for way, row in rows.items():
            name = f"{way}, {processes} x {THREADS}"
            print(f"{name:22}{row[0]:10.0f}{row[1]:9.2f}{row[2]:9.2f}{row[3]:10.2f}{row[4]:9.2f}")
        ratios = [a / b for a, b in zip(rows["gathered"], rows["alone"], strict=True)]
        print(f"{'ratio':22}{ratios[0]:10.2f}{ratios[1]:9.2f}{ratios[2]:9.2f}{ratios[3]:10.2f}{ratios[4]:9.2f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each measurement runs")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def _summary(rounds: list[list[float]], seconds: float) -> tuple[float, ...]:
    """Medians over the rounds: commits per second, then p50, p99, p99.9 and the longest in milliseconds."""
    shares = (0.5, 0.99, 0.999, 1.0)
    by_round = [[len(taken) / seconds, *(1000 * _quantile(taken, share) for share in shares)] for taken in rounds]
    return tuple(statistics.median(column) for column in zip(*by_round, strict=True))


def _quantile(taken: list[float], share: float) -> float:
    ordered = sorted(taken)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _measure(way: str, processes: int, seconds: float) -> list[float]:
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        path = Path(folder) / "bench.db"
        store = Store(path)
        store.probe(0)
        store.close()
        barrier, results = context.Barrier(processes), context.Queue()
        workers = [context.Process(target=_work, args=(way, path, seconds, barrier, results)) for _ in range(processes)]
        for worker in workers:
            worker.start()
        taken = [latency for _ in workers for latency in results.get()]
        for worker in workers:
            worker.join()
        return taken


def _work(way: str, path: Path, seconds: float, barrier: Barrier, results: Queue[list[float]]) -> None:
    recorders = [_record_alone(path) for _ in range(THREADS)] if way == "alone" else [_record_gathered(path)] * THREADS
    by_thread: list[list[float]] = [[] for _ in range(THREADS)]
    barrier.wait()
    threads = [
        threading.Thread(target=_record_until, args=(time.monotonic() + seconds, number, record, by_thread[number]))
        for number, record in enumerate(recorders)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put([latency for taken in by_thread for latency in taken])


def _record_gathered(path: Path) -> Record:
    store = Store(path)
    store.probe(0)
    return store.record_decision


def _record_alone(path: Path) -> Record:
    connection = connect_to_write(path, "FULL")

    def record(decision: DecisionRecord) -> None:
        connection.execute("BEGIN IMMEDIATE")
        record_decision(connection, decision, ())
        connection.execute("COMMIT")

    return record


def _record_until(end: float, thread: int, record: Record, taken: list[float]) -> None:
    inputs, answer = os.urandom(1500).hex().encode(), os.urandom(2500).hex().encode()
    number = 0
    while (started := time.monotonic()) < end:
        number += 1
        decision_id = f"dec_{time.time_ns():x}{os.getpid():x}{thread}"
        record(_decision(decision_id, number, inputs, answer))
        taken.append(time.monotonic() - started)


def _decision(decision_id: str, number: int, inputs: bytes, answer: bytes) -> DecisionRecord:
    return DecisionRecord(
        decision_id,
        f"S{number % 20}",
        number,
        number,
        number + 1,
        "p",
        "ladder",
        decision_id,
        inputs,
        answer,
        sale_id=decision_id,
        customer=os.urandom(8).hex(),
        learning=b"x" * 60,
    )


if __name__ == "__main__":
    main()
