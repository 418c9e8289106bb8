"""A file system that is really full: tills are told to come again, reads go on, and room alone is what it needs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .house import basket, write_policy
from .serving import Answer, Service, serving

OWN_MOUNTS = ("unshare", "--mount", "--map-root-user")
MOUNTED = 'mount -t tmpfs -o size=24m tmpfs "$0" && exec "$@"'


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A folder in which a small disk can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run([*OWN_MOUNTS, "sh", "-c", MOUNTED, folder, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a disk of their own")
    return folder


@pytest.fixture
def service(tmp_path: Path, disk: Path) -> Iterator[Service]:
    """A worker whose database is on that disk."""
    under = (*OWN_MOUNTS, "sh", "-c", MOUNTED, str(disk))
    settings = {"POS_DISCOUNT_DATABASE": str(disk / "shop.db")}
    with serving(tmp_path, write_policy(tmp_path / "policies"), 1, 8, under, **settings) as service:
        yield service


def fill(service: Service, disk: Path, left: int = 0) -> Path:
    """Fill the service's disk save for so many bytes; returns the file that does."""
    assert service.master is not None
    filling = Path(f"/proc/{service.master.pid}/root{disk}/filling")
    with filling.open("wb", buffering=0) as file:
        with pytest.raises(OSError, match="No space left"):
            while True:
                file.write(bytes(4096))
        file.truncate(file.tell() - left)
    return filling


def until_refused(service: Service) -> Answer:
    """Let eight tills sell until the room that the log's file had is used up; returns the answer to one that comes
    alone then."""
    with ThreadPoolExecutor(8) as tills:
        for _ in range(60):
            list(tills.map(lambda _: service.call("POST", "/v1/decisions", basket()), range(64)))
            alone = service.call("POST", "/v1/decisions", basket())
            if alone.status != 201:
                break
    return alone


def unready(service: Service) -> Answer:
    """Ask until it is not ready; what was found a second ago is told again."""
    for _ in range(50):
        answer = service.call("GET", "/readyz")
        if answer.status != 200:
            break
        time.sleep(0.1)
    return answer


def test_a_full_disk_is_told_to_tills_and_to_whoever_asks_and_is_over_once_there_is_room(
    service: Service, disk: Path
) -> None:
    made = [service.call("POST", "/v1/decisions", basket()) for _ in range(250)][-1]  # the log's file has grown
    filling = fill(service, disk)
    refused = until_refused(service)
    assert (refused.status, refused.json()["code"]) == (503, "store_unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    ready = unready(service)
    assert (ready.status, ready.json()["store"]["writable"]) == (503, False)
    assert service.call("GET", made.headers["location"]).status == 200
    assert service.call("POST", "/v1/decisions?dry_run=true", basket()).status == 200

    filling.unlink()
    service.wait_until_ready()
    assert service.call("POST", "/v1/decisions", basket()).status == 201
    assert service.call("PUT", f"{made.headers['location']}/outcome", {"result": "bought_at_base"}).status == 201


def test_a_disk_on_which_a_small_row_still_fits_but_no_large_decision_is_not_ready(
    service: Service, disk: Path
) -> None:
    filling = fill(service, disk, left=512 * 1024)
    assert service.call("POST", "/v1/decisions", basket()).status == 201
    assert unready(service).json()["store"]["writable"] is False
    filling.unlink()
    service.wait_until_ready()
