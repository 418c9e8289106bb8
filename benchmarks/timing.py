"""Measure tasks against each other in one run, so that a noisy machine troubles all of them alike.

Tasks take turns in short batches, round after round. Time is the processor's, not the wall's: what other processes
take from us is not ours to report. A figure is the median over rounds; a ratio is the median of the rounds' own
ratios, each of two neighbours in time, which is steadier than a ratio of medians.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from statistics import median
from time import process_time

import msgspec

Task = Callable[[], object]

BATCH_SECONDS = 0.03
MOST_CALLS = 2000


class Timings(msgspec.Struct, frozen=True):
    """Seconds of processor time per call, by task and round."""

    seconds_by_task: Mapping[str, tuple[float, ...]]

    def seconds(self, task: str) -> float:
        """Return the median seconds per call."""
        return median(self.seconds_by_task[task])

    def microseconds(self, task: str) -> float:
        """Return the median microseconds per call, to one decimal."""
        return round(self.seconds(task) * 1e6, 1)

    def ratio(self, task: str, floor: str) -> float:
        """Return the median over rounds of how many times as long a task took as its floor."""
        pairs = zip(self.seconds_by_task[task], self.seconds_by_task[floor], strict=True)
        return round(median(own / other for own, other in pairs), 2)


def measure(tasks: Mapping[str, Task], rounds: int) -> Timings:
    """Run tasks in turns, each as often in a round as fills a batch.

    What stands at the start is frozen out of garbage collection, as a server does that loads before it forks;
    garbage that a task makes is collected at its own cost.
    """
    calls_by_task = {name: _calls_in_a_batch(task) for name, task in tasks.items()}
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for name, task in tasks.items():
            seconds[name].append(_batch(task, calls_by_task[name]) / calls_by_task[name])
    gc.unfreeze()
    return Timings({name: tuple(values) for name, values in seconds.items()})


def _calls_in_a_batch(task: Task) -> int:
    one = max(1e-7, min(_batch(task, 1) for _ in range(4)))  # a first call may make what the others only use
    return max(1, min(MOST_CALLS, int(BATCH_SECONDS / one)))


def _batch(task: Task, calls: int) -> float:
    started = process_time()
    for _ in range(calls):
        task()
    return process_time() - started
