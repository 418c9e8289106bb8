"""What is measured when somebody scrapes: the writes that wait, and the outcomes that never came.

An arm whose outcomes go missing more often than the other's makes every comparison doubtful, so somebody should see it
the same day. Counting a day of a large chain takes the database seconds: it is done beside the scrape, which waits for
it a moment only, and the more it took the less often.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from pos_discount.store import Store, StoreUnavailable
from pos_discount.web.metrics import Metrics

SECONDS_BETWEEN = 60.0
REST = 20
"""How many times as long as a count took there is none after it."""

MOST_SECONDS_WAITED = 0.5
DAY_MICROSECONDS = 24 * 60 * 60 * 1_000_000
EXPIRY_MICROSECONDS = 30 * 60 * 1_000_000


class Gauges:
    """Brings what is measured on demand up to date."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._counting: threading.Thread | None = None
        self._not_before = float("-inf")
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Measure anew; where the database can't be read, or takes long, what was measured last stands, and the scrape
        still works."""
        with suppress(StoreUnavailable):
            self._metrics.tell("write_queue", self._store.queue_length())
        with self._lock:
            is_counting = self._counting is not None and self._counting.is_alive()
            if not is_counting and time.monotonic() >= self._not_before:
                self._counting = threading.Thread(target=self._count_missing, name="missing-outcomes", daemon=True)
                self._counting.start()
            counting = self._counting
        if counting is not None:
            counting.join(MOST_SECONDS_WAITED)

    def _count_missing(self) -> None:
        begun, until = time.monotonic(), time.time_ns() // 1000 - EXPIRY_MICROSECONDS
        try:
            counts = self._store.count_checkouts(until - DAY_MICROSECONDS, until)
        except StoreUnavailable:
            return
        for count in counts:
            self._metrics.set_missing(count.store_id, count.arm, count.decisions - count.outcomes)
        self._not_before = time.monotonic() + max(SECONDS_BETWEEN, REST * (time.monotonic() - begun))
