"""What an operator watches, as Prometheus metrics, summed over the workers of one server.

Hides Prometheus' labels and its files shared between processes. Children are looked up once and kept, since finding
one costs more than counting in it. Ages are told as moments, so that a scraper computes them by its own clock.
"""

from __future__ import annotations

import os

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from pos_discount.answer import Answer

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
MOST_STORES = 5000
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._children: dict[tuple[object, ...], Counter] = {}
        self._stores: set[str] = set()
        self._seconds_by_route: dict[str, Histogram] = {}
        self._requests = self._counter("requests", "Requests by route and status.", "route", "method", "status")
        self._seconds = Histogram(
            "pos_discount_request_seconds",
            "Time to answer, by route.",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._decisions = self._counter("decisions", "Decisions made.", "store_id", "arm", "fallback")
        self._rungs = self._counter("ladder_rungs", "Rungs that ladders named.", "store_id")
        self._empty = self._counter("empty_ladders", "Decisions with nothing to offer.", "store_id")
        self._outcomes = self._counter("outcomes", "Outcomes by how the sale ended.", "store_id", "result")
        self._rungs_said = self._counter("rungs_said", "Rungs said aloud, by store.", "store_id")
        self._offers = self._counter("offers", "Rungs said aloud, by the answer.", "rung", "reaction")
        self._hold_conflicts = self._counter("hold_conflicts", "Decisions made again because a limit was reached.")
        self._refused = self._counter("overload_refusals", "Requests refused at once because too many were in flight.")
        self.in_flight = self._gauge("in_flight", "Requests being answered.", "livesum")
        self.write_queue = self._gauge("write_queue", "Writes that wait for the database.", "livesum")
        self.policy_loaded_at = self._gauge(
            "policy_loaded_timestamp_seconds", "When the policy in force was taken up.", "livemin"
        )
        self.policy_problems = self._gauge(
            "policy_problems", "Problems of the folder that keep it out of force.", "livemax"
        )
        self.model_made_at = self._gauge(
            "model_activated_timestamp_seconds", "When the model was activated; 0: none.", "livemin"
        )
        self.outcomes_missing = self._gauge(
            "outcomes_missing",
            "Decisions of the last day that expired without an outcome.",
            "livemostrecent",
            "store_id",
            "arm",
        )

    def count_request(self, route: str, method: str, status: str, seconds: float) -> None:
        """Count one answered request."""
        self._child(self._requests, route, method, status).inc()
        self._observed(route).observe(seconds)

    def count_decision(self, store_id: str, answer: Answer) -> None:
        """Count one recorded decision and the rungs that it named."""
        store_id = self._store_label(store_id)
        self._child(self._decisions, store_id, answer.arm, answer.fallback or "none").inc()
        if answer.ladder:
            self._child(self._rungs, store_id).inc(len(answer.ladder))
        else:
            self._child(self._empty, store_id).inc()

    def count_outcome(self, store_id: str, result: str, offers: tuple[tuple[int, str], ...]) -> None:
        """Count one recorded outcome and what was said."""
        store_id = self._store_label(store_id)
        self._child(self._outcomes, store_id, result).inc()
        if offers:
            self._child(self._rungs_said, store_id).inc(len(offers))
        for rung, reaction in offers:
            self._child(self._offers, rung if rung <= 9 else "10 or more", reaction).inc()

    def set_missing(self, store_id: str, arm: str, decisions: int) -> None:
        """Tell how many decisions of a store and an arm expired without an outcome."""
        self.outcomes_missing.labels(self._store_label(store_id), arm).set(decisions)

    def count_hold_conflict(self) -> None:
        """Count a decision that had to be made again."""
        self._hold_conflicts.inc()

    def count_refusal(self) -> None:
        """Count a request that was refused for overload."""
        self._refused.inc()

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

    def _child(self, family: Counter, *labels: object) -> Counter:
        key = (family, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = family.labels(*labels)
        return child

    def _observed(self, route: str) -> Histogram:
        child = self._seconds_by_route.get(route)
        if child is None:
            child = self._seconds_by_route[route] = self._seconds.labels(route)
        return child

    def _counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(f"pos_discount_{name}", help_, labels, registry=self._registry)

    def _gauge(self, name: str, help_: str, mode: str, *labels: str) -> Gauge:
        return Gauge(f"pos_discount_{name}", help_, labels, registry=self._registry, multiprocess_mode=mode)  # type: ignore[arg-type]
