"""Calls that are repeated: many at once, after a kill between write and answer, after a restart, with another body."""

from __future__ import annotations

import http.client
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from .house import basket
from .serving import Answer, Service, Till


def test_fifty_threads_with_one_key_get_the_same_bytes_from_two_workers(service: Service) -> None:
    gate = threading.Barrier(50)

    def call(_: int) -> Answer:
        till = Till(service)
        gate.wait()
        answer = till.call("POST", "/v1/decisions", basket(sale_id="fifty"), "fifty")
        till.close()
        return answer

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(call, range(50)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) <= 1  # 0: the first was told 'later'
    assert service.rows("SELECT count(*) FROM decisions WHERE sale_id = 'fifty'") == [(1,)]
    (held,) = service.rows(
        "SELECT count(*) FROM holds JOIN decisions USING (store_id, decision_id) WHERE sale_id = 'fifty'"
    )
    assert held == (2,)  # its use and its budget, once


def test_another_body_with_a_known_key_is_refused_by_every_worker(service: Service) -> None:
    till = Till(service)
    till.call("POST", "/v1/decisions", basket(sale_id="body"), "body")
    answers = [
        service.call("POST", "/v1/decisions", basket(sale_id=f"b{n}"), {"Idempotency-Key": "body"}) for n in range(8)
    ]
    till.close()
    assert [(answer.status, answer.json()["code"]) for answer in answers] == [(422, "key_reused")] * 8


def test_of_many_tills_at_two_workers_one_gets_the_last_use(service: Service) -> None:
    gate = threading.Barrier(16)

    def claim(number: int) -> bool:
        till = Till(service)
        gate.wait()
        answer = till.call("POST", "/v1/decisions", basket(sale_id=f"last-{number}", claimed=["last-one"])).json()
        till.close()
        return any(discount["promotion_id"] == "last-one" for discount in answer["base"]["discounts"])

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(claim, range(16))) == 1


def test_a_worker_killed_between_write_and_answer_answers_the_repetition_with_what_it_wrote(shimmed: Service) -> None:
    for number in range(3):
        (shimmed.folder / "kill").touch()
        with suppress(OSError, http.client.HTTPException):
            answer = shimmed.call(
                "POST", "/v1/decisions", basket(sale_id=f"cut-{number}"), {"Idempotency-Key": f"cut-{number}"}
            )
            raise AssertionError(f"it was answered: {answer}")
        written = shimmed.rows(
            "SELECT answer FROM decisions JOIN decision_bodies USING (decision) WHERE sale_id = ?", f"cut-{number}"
        )
        till = Till(shimmed)
        again = till.call("POST", "/v1/decisions", basket(sale_id=f"cut-{number}"), f"cut-{number}")
        till.close()
        assert again.headers["idempotency-replayed"] == "true"
        assert [(again.body,)] == written
        assert shimmed.rows("SELECT count(*) FROM decisions WHERE sale_id = ?", f"cut-{number}") == [(1,)]


def test_an_outcome_cut_off_from_its_answer_counts_once(shimmed: Service) -> None:
    till = Till(shimmed)
    before = shimmed.rows("SELECT coalesce(sum(uses), 0) FROM counters WHERE promotion_id = 'welcome' AND period = ''")
    decision = till.call("POST", "/v1/decisions", basket()).json()
    path, outcome = f"/v1/decisions/{decision['decision_id']}/outcome", {"result": "accepted", "rung": 1}
    (shimmed.folder / "kill").touch()
    answer = till.call("PUT", path, outcome)  # is cut, and repeats
    till.close()
    assert (till.repeated > 0, answer.status, answer.json()["code"]) == (True, 200, "unchanged")
    uses = shimmed.rows("SELECT sum(uses) FROM counters WHERE promotion_id = 'welcome' AND period = ''")
    assert uses == [(before[0][0] + 1,)]


def test_the_first_answer_is_given_again_after_a_restart(shimmed: Service) -> None:
    till = Till(shimmed)
    first = till.call("POST", "/v1/decisions", basket(), "restart")
    till.close()
    shimmed.stop()
    shimmed.start()
    shimmed.wait_until_ready()
    again = shimmed.call("POST", "/v1/decisions", basket(), {"Idempotency-Key": "restart"})
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
