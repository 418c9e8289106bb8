"""What an operator watches, as Prometheus metrics, summed over the workers of one server.

Hides Prometheus' labels and its files shared between processes. Children are looked up once and kept, since finding
one costs more than counting in it. Ages are told as moments, so that a scraper computes them by its own clock.
"""

from __future__ import annotations

import os
from typing import Literal

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from pos_discount.answer import Answer

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
MOST_STORES = 5000
CONTENT_TYPE = CONTENT_TYPE_LATEST

COUNTERS: dict[str, tuple[str, ...]] = {
    "requests": ("Requests by route and status.", "route", "method", "status"),
    "decisions": ("Decisions made.", "store_id", "arm", "fallback"),
    "ladder_rungs": ("Rungs that ladders named.", "store_id"),
    "empty_ladders": ("Decisions with nothing to offer.", "store_id"),
    "outcomes": ("Outcomes by how the sale ended.", "store_id", "result"),
    "rungs_said": ("Rungs said aloud, by store.", "store_id"),
    "offers": ("Rungs said aloud, by the answer.", "rung", "reaction"),
    "hold_conflicts": ("Decisions made again because a limit was reached.",),
    "overload_refusals": ("Requests refused at once because too many were in flight.",),
}
"""What is counted: by name, what it says of itself and its labels."""

Mode = Literal["livesum", "livemin", "livemax", "livemostrecent"]
GAUGES: dict[str, tuple[Mode, str, tuple[str, ...]]] = {
    "in_flight": ("livesum", "Requests being answered.", ()),
    "write_queue": ("livesum", "Writes that wait for the database.", ()),
    "policy_loaded_timestamp_seconds": ("livemin", "When the policy in force was taken up.", ()),
    "policy_problems": ("livemax", "Problems of the folder that keep it out of force.", ()),
    "model_activated_timestamp_seconds": ("livemin", "When the model was activated; 0: none.", ()),
    "model_rejected": ("livemax", "1 where the model that should decide cannot be read, and a prior does instead.", ()),
    "outcomes_missing": (
        "livemostrecent",
        "Decisions of the last day that expired without an outcome.",
        ("store_id", "arm"),
    ),
}
"""What stands at a value: by name, how the workers' values become one, what it says of itself and its labels."""


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._children: dict[tuple[object, ...], Counter] = {}
        self._stores: set[str] = set()
        self._seconds_by_route: dict[str, Histogram] = {}
        self._seconds = Histogram(
            "pos_discount_request_seconds",
            "Time to answer, by route.",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._counters = {
            name: Counter(f"pos_discount_{name}", help_, labels, registry=self._registry)
            for name, (help_, *labels) in COUNTERS.items()
        }
        self._gauges = {
            name: Gauge(f"pos_discount_{name}", help_, labels, registry=self._registry, multiprocess_mode=mode)
            for name, (mode, help_, labels) in GAUGES.items()
        }

    def tell(self, gauge: str, value: float) -> None:
        """Set a gauge without labels."""
        self._gauges[gauge].set(value)

    def count_request(self, route: str, method: str, status: str, seconds: float) -> None:
        """Count one answered request."""
        self._child("requests", route, method, status).inc()
        self._observed(route).observe(seconds)

    def count_decision(self, store_id: str, answer: Answer) -> None:
        """Count one recorded decision and the rungs that it named."""
        store_id = self._store_label(store_id)
        self._child("decisions", store_id, answer.arm, answer.fallback or "none").inc()
        if answer.ladder:
            self._child("ladder_rungs", store_id).inc(len(answer.ladder))
        else:
            self._child("empty_ladders", store_id).inc()

    def count_outcome(self, store_id: str, result: str, offers: tuple[tuple[int, str], ...]) -> None:
        """Count one recorded outcome and what was said."""
        store_id = self._store_label(store_id)
        self._child("outcomes", store_id, result).inc()
        if offers:
            self._child("rungs_said", store_id).inc(len(offers))
        for rung, reaction in offers:
            self._child("offers", rung if rung <= 9 else "10 or more", reaction).inc()

    def set_missing(self, store_id: str, arm: str, decisions: int) -> None:
        """Tell how many decisions of a store and an arm expired without an outcome."""
        self._gauges["outcomes_missing"].labels(self._store_label(store_id), arm).set(decisions)

    def count_hold_conflict(self) -> None:
        """Count a decision that had to be made again."""
        self._child("hold_conflicts").inc()

    def count_refusal(self) -> None:
        """Count a request that was refused for overload."""
        self._child("overload_refusals").inc()

    def text(self) -> bytes:
        """Write all metrics for a scraper; of all workers where they share a folder."""
        if MULTIPROCESS_FOLDER not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # the library does not annotate it
        return generate_latest(together)

    def _store_label(self, store_id: str) -> str:
        """Return the label of a store; a till that makes up stores can't make up metrics without end."""
        if len(self._stores) < MOST_STORES:
            self._stores.add(store_id)
        return store_id if store_id in self._stores else "others"

    def _child(self, name: str, *labels: object) -> Counter:
        key = (name, *labels)
        child = self._children.get(key)
        if child is None:
            counter = self._counters[name]
            child = self._children[key] = counter.labels(*labels) if labels else counter
        return child

    def _observed(self, route: str) -> Histogram:
        child = self._seconds_by_route.get(route)
        if child is None:
            child = self._seconds_by_route[route] = self._seconds.labels(route)
        return child
