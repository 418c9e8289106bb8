"""Fixtures: a store in a real file for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pos_discount.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a new, empty store that commits at once and does not wait for the disk."""
    opened = Store(tmp_path / "pos.db", synchronous="NORMAL", gather_seconds=0)
    yield opened
    opened.close()
