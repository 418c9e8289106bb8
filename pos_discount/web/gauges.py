"""What is measured when somebody scrapes: the writes that wait, and the outcomes that never came.

An arm whose outcomes go missing more often than the other's makes every comparison doubtful, so somebody should see it
the same day. Counting a day takes the database a moment, so it is done at most once a minute however often somebody
scrapes.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from pos_discount.store import Store, StoreUnavailable
from pos_discount.web.metrics import Metrics

SECONDS_BETWEEN = 60.0
DAY_MICROSECONDS = 24 * 60 * 60 * 1_000_000
EXPIRY_MICROSECONDS = 30 * 60 * 1_000_000


class Gauges:
    """Brings what is measured on demand up to date."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._counted_at = float("-inf")
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Measure anew; where the database can't be read, what was measured last stands, and the scrape still works."""
        with suppress(StoreUnavailable):
            self._metrics.tell("write_queue", self._store.queue_length())
            self._count_missing()

    def _count_missing(self) -> None:
        with self._lock:
            if time.monotonic() - self._counted_at < SECONDS_BETWEEN:
                return
            until = time.time_ns() // 1000 - EXPIRY_MICROSECONDS
            counts = self._store.count_checkouts(until - DAY_MICROSECONDS, until)
            self._counted_at = time.monotonic()
        for count in counts:
            self._metrics.set_missing(count.store_id, count.arm, count.decisions - count.outcomes)
