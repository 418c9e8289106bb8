"""What an operator watches."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event

from flask.testing import FlaskClient

from pos_discount.store import CheckoutCount, DecisionRecord, Store
from pos_discount.web.gauges import Gauges
from pos_discount.web.metrics import Metrics
from tests.web.house import basket, decide, make_app, tell


def _value(client: FlaskClient, name: str) -> float:
    lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith(f"pos_discount_{name} ")]
    assert len(lines) == 1, name
    return float(lines[0].split()[-1])


def test_requests_are_counted_by_route_and_status(client: FlaskClient) -> None:
    decide(client)
    client.post("/v1/decisions", json={})
    client.get("/v1/decisions/dec_x")
    assert _value(client, 'requests_total{method="POST",route="/v1/decisions",status="201"}') == 1
    assert _value(client, 'requests_total{method="POST",route="/v1/decisions",status="422"}') == 1
    assert _value(client, 'requests_total{method="GET",route="/v1/decisions/<decision_id>",status="404"}') == 1
    assert _value(client, 'request_seconds_count{route="/v1/decisions"}') == 2


def test_paths_that_are_made_up_make_no_metrics(client: FlaskClient) -> None:
    for number in range(20):
        client.get(f"/made-up-{number}")
    assert "made-up" not in client.get("/metrics").text
    assert _value(client, 'requests_total{method="any",route="unknown",status="404"}') == 20


def test_decisions_rungs_and_reactions_are_counted(client: FlaskClient) -> None:
    told = decide(client)
    tell(
        client,
        told,
        "accepted",
        rung=2,
        offers=[{"rung": 1, "reaction": "declined"}, {"rung": 2, "reaction": "accepted"}],
    )
    tell(client, decide(client), "not_offered")
    tell(client, decide(client), "not_offered")
    assert _value(client, 'decisions_total{arm="holdout",fallback="no_model",store_id="S001"}') == 3
    assert _value(client, 'ladder_rungs_total{store_id="S001"}') == 3 * len(told["ladder"])
    assert _value(client, 'rungs_said_total{store_id="S001"}') == 2
    assert _value(client, 'offers_total{reaction="declined",rung="1"}') == 1
    assert _value(client, 'outcomes_total{result="not_offered",store_id="S001"}') == 2


def test_an_outcome_that_is_sent_twice_is_counted_once(client: FlaskClient) -> None:
    told = decide(client)
    for _ in range(3):
        tell(client, told, "left")
    assert _value(client, 'outcomes_total{result="left",store_id="S001"}') == 1


def test_ages_are_told_as_moments(client: FlaskClient) -> None:
    assert 0 <= time.time() - _value(client, "policy_loaded_timestamp_seconds") < 3600
    assert _value(client, "model_activated_timestamp_seconds") == 0
    assert _value(client, "policy_problems") == 0
    assert _value(client, "write_queue") == 0


def test_outcomes_that_never_came_are_counted_by_store_and_arm(client: FlaskClient, tmp_path: Path) -> None:
    store = Store(tmp_path / "test.db")
    an_hour_ago = time.time_ns() // 1000 - 3600 * 1_000_000
    for number in range(3):
        moments = {"made_at": an_hour_ago, "decided_at": an_hour_ago, "expires_at": an_hour_ago + 1}
        ids = {"decision_id": f"dec_{number}", "store_id": "S001", "seed": "x", "policy_version": "p"}
        store.record_decision(DecisionRecord(**ids, **moments, arm="ladder", inputs=b"", answer=b""))  # type: ignore[arg-type]
    decide(client)
    assert _value(client, 'outcomes_missing{arm="ladder",store_id="S001"}') == 3
    store.close()


def test_a_scrape_works_while_the_database_does_not(tmp_path: Path) -> None:
    client = make_app(tmp_path, database=str(tmp_path / "missing" / "test.db")).test_client()
    assert client.post("/v1/decisions", json=basket()).status_code == 503
    assert _value(client, 'requests_total{method="POST",route="/v1/decisions",status="503"}') == 1


def test_a_till_that_makes_up_stores_can_not_make_up_metrics_without_end() -> None:
    metrics = Metrics()
    for number in range(5100):
        metrics.count_outcome(f"made-up-{number}", "left", ())
    text = metrics.text().decode()
    assert text.count("pos_discount_outcomes_total{") == 5001
    assert 'store_id="others"} 100.0' in text


def test_a_scrape_is_answered_while_the_day_of_a_large_chain_is_counted(tmp_path: Path) -> None:
    counted, begun = Event(), Event()

    class LargeChain(Store):
        def count_checkouts(self, since: int, until: int) -> tuple[CheckoutCount, ...]:
            begun.set()
            counted.wait(60)
            return (CheckoutCount("S001", "ladder", 1_000_000, 900_000),)

    store, metrics = LargeChain(tmp_path / "test.db"), Metrics()
    gauges = Gauges(store, metrics)
    for _ in range(2):
        gauges.refresh()
    assert begun.is_set() and b"outcomes_missing{" not in metrics.text()
    counted.set()
    while b"outcomes_missing{" not in metrics.text():
        time.sleep(0.01)
    assert b'outcomes_missing{arm="ladder",store_id="S001"} 100000.0' in metrics.text()
    store.close()
