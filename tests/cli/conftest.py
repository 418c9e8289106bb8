"""Fixtures: a shop in a folder of its own."""

from pathlib import Path

import pytest

from cli.running import Shop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Make an empty shop and go there, so that what a command writes where it stands is written there."""
    monkeypatch.chdir(tmp_path)
    return Shop(tmp_path)
