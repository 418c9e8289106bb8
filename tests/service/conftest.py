"""One service for all tests that leave it well, and the shim for another clock or a kill to the point."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .house import write_policy
from .serving import Service, serving


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two workers that serve for the whole run."""
    folder = tmp_path_factory.mktemp("service")
    with serving(folder, write_policy(folder / "policies")) as service:
        yield service


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shim, built."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc to build the shim")
    built = tmp_path_factory.mktemp("shim") / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", built, source, "-ldl"], check=True)
    return built


@pytest.fixture(scope="module")
def shimmed(shim: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One worker over the shim; files `clock` and `kill` in its folder steer it."""
    folder = tmp_path_factory.mktemp("shimmed")
    steering = {"SHIM_CLOCK": str(folder / "clock"), "SHIM_KILL": str(folder / "kill"), "LD_PRELOAD": str(shim)}
    with serving(folder, write_policy(folder / "policies"), 1, 8, **steering) as service:
        yield service
