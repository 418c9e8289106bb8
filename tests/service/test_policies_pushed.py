"""Broken policies pushed while tills are served: none of them reaches a till, each is told with its place."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from pos_discount.policy import Policy, read_policy

from .house import PROMOTIONS, basket, write_policy
from .mutations import broken_policies, house_with
from .serving import PATIENCE, Service, in_background, serving

PLACE = re.compile(r"offers\.yaml:\d+:\d+: ")
MOST_TOLD = 100


def push_broken_policies(service: Service, folder: Path, seed: int, count: int) -> None:
    """Push so many, and see for each that it is told with line and column, while every call is answered."""
    version = service.call("GET", "/v1/policy").json()["policy_version"]

    def sell() -> None:
        answer = service.call("POST", "/v1/decisions", basket())
        assert (answer.status, answer.json()["policy_version"]) == (201, version)

    with in_background(sell):
        for content in broken_policies(seed, count):
            _push(folder, content)
            _wait_until_told(service, _problems_of(content, str(folder)))
    _push(folder, PROMOTIONS.encode())
    _wait_until_told(service, ())


def test_broken_policies_are_refused_while_tills_are_served(service: Service) -> None:
    push_broken_policies(service, service.folder / "policies", seed=3, count=5)


@pytest.mark.slow
def test_two_hundred_broken_policies_are_refused_while_tills_are_served(tmp_path: Path) -> None:
    with serving(tmp_path, write_policy(tmp_path / "policies"), workers=1) as service:
        push_broken_policies(service, tmp_path / "policies", seed=4, count=200)


def test_each_of_two_hundred_broken_policies_is_refused_with_line_and_column() -> None:
    for number, content in enumerate(broken_policies(seed=11, count=200)):
        problems = _problems_of(content)
        assert problems and all(PLACE.search(problem) for problem in problems), (number, content[:80], problems[:3])


def _push(folder: Path, content: bytes) -> None:
    """Put a file in place as a careful editor does: whole."""
    unfinished = folder / "offers.unfinished"
    unfinished.write_bytes(content)
    unfinished.rename(folder / "offers.yaml")


def _problems_of(content: bytes, folder: str = "") -> tuple[str, ...]:
    read = read_policy(house_with(content), folder)
    assert not isinstance(read, Policy), content[:200]
    return tuple(str(problem) for problem in read.problems)


def _wait_until_told(service: Service, problems: tuple[str, ...]) -> None:
    deadline = time.monotonic() + PATIENCE
    while (told := _told(service)) != problems[:MOST_TOLD]:
        assert time.monotonic() < deadline, (told[:3], problems[:3])
        time.sleep(0.1)


def _told(service: Service) -> tuple[str, ...]:
    answer = service.call("GET", "/readyz")
    assert answer.status == 200
    return tuple(answer.json()["policy"].get("problems", ()))
