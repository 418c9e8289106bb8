"""Whether a till may rely on this service now, and what is wrong if not.

A probe writes to the database, so it is made at most once a second however often somebody asks.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from pos_discount.store import Store, StoreUnavailable
from pos_discount.web.in_force import InForce
from pos_discount.web.messages import Readiness

PROBE_SECONDS = 1.0
MOST_PROBLEMS = 100


class Prober:
    """Says how ready the service is."""

    def __init__(self, store: Store, in_force: InForce) -> None:
        self._store = store
        self._in_force = in_force
        self._probed_at = float("-inf")
        self._failure: str | None = None
        self._lock = threading.Lock()

    def readiness(self) -> Readiness:
        """Tell how ready the service is: `degraded` serves, but somebody should look."""
        policy, model = self._policy(), self._in_force.model
        failure = self._probe()
        is_ready = self._in_force.policy is not None and failure is None
        is_well = not self._in_force.problems and model.fallback is None
        return Readiness(
            status="unready" if not is_ready else "ready" if is_well else "degraded",
            policy=policy,
            store={"writable": failure is None} | ({} if failure is None else {"problem": failure}),
            model={
                "version": model.served.version if model.served else None,
                "fallback": model.fallback or _none(model.served),
            },
        )

    def _policy(self) -> dict[str, Any]:
        in_force, problems = self._in_force.policy, self._in_force.problems
        told: dict[str, Any] = {"version": in_force.index.policy.version if in_force else None}
        if in_force is not None:
            told |= {"source": in_force.source, "taken_up_at": in_force.taken_up_at.isoformat()}
        if problems:
            told |= {"problems": problems[:MOST_PROBLEMS], "problem_count": len(problems)}
        return told

    def _probe(self) -> str | None:
        with self._lock:
            if time.monotonic() - self._probed_at >= PROBE_SECONDS:
                try:
                    self._store.probe(time.time_ns() // 1000)
                    self._failure = None
                except StoreUnavailable as error:
                    self._failure = str(error)
                self._probed_at = time.monotonic()
            return self._failure


def _none(served: object) -> str | None:
    return "no_model" if served is None else None
