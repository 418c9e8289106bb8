"""Fixtures of the service's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.web.house import serving


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    with serving(tmp_path) as client:
        yield client
