"""More calls at once than threads: each is answered, or told at once to come again; who watches is always answered."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from .house import basket, write_policy
from .serving import Answer, Service, ask, serving

CLIENTS, CALLS, TILLS = 24, 8, 120


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("small")
    with serving(folder, write_policy(folder / "policies"), workers=1, threads=2) as service:
        yield service


def test_what_is_too_many_is_told_to_come_again_and_all_is_logged_once(small: Service) -> None:
    gate = threading.Barrier(CLIENTS)

    def call(client: int) -> list[Answer]:
        connection = http.client.HTTPConnection("127.0.0.1", small.port, timeout=60)
        gate.wait()
        named = [{"X-Request-Id": f"many-{client}-{number}"} for number in range(CALLS)]
        answers = [ask(connection, "POST", "/v1/decisions", basket(), headers) for headers in named]
        connection.close()
        return answers

    with ThreadPoolExecutor(CLIENTS) as threads:
        answers = [answer for each in threads.map(call, range(CLIENTS)) for answer in each]
    refused = [answer for answer in answers if answer.status == 503]
    assert {answer.status for answer in answers} == {201, 503}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert {answer.json()["code"] for answer in refused} == {"overloaded"}
    assert all(answer.json()["request_id"] == answer.headers["x-request-id"] for answer in refused)
    logged = [event for event in small.events() if str(event.get("request_id")).startswith("many-")]
    assert len(logged) == len({event["request_id"] for event in logged}) == CLIENTS * CALLS
    assert sum(event["status"] == 503 for event in logged) == len(refused)
    assert small.rows("SELECT count(*) FROM decisions") == [(len(answers) - len(refused),)]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_who_watches_is_answered_however_many_call(small: Service, path: str) -> None:
    gate = threading.Barrier(CLIENTS)

    def call(_: int) -> int:
        gate.wait()
        return small.call("GET", path).status

    with ThreadPoolExecutor(CLIENTS) as threads:
        assert set(threads.map(call, range(CLIENTS))) == {200}


@pytest.mark.slow  # which worker comes first goes by the clock
def test_tills_that_stay_connected_are_spread_over_the_workers(tmp_path: Path) -> None:
    with serving(tmp_path, write_policy(tmp_path / "policies"), workers=2) as service:
        tills = [http.client.HTTPConnection("127.0.0.1", service.port, timeout=60) for _ in range(TILLS)]
        before = [_count_sockets(worker) for worker in service.workers()]
        assert {ask(till, "GET", "/healthz").status for till in tills} == {200}
        taken = [_count_sockets(worker) - count for worker, count in zip(service.workers(), before, strict=True)]
        assert min(taken) > TILLS // 3
        for till in tills:
            till.close()


def _count_sockets(process: int) -> int:
    count = 0
    for file in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            count += str(file.readlink()).startswith("socket:")
    return count
