"""Clocks that are wrong, jump or go back: the till's decides schedules, the server's decides the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from pos_discount.web import create_app

from .house import basket, write_policy
from .serving import Service, Till

SCHEDULED = """
promotions:
  - {id: night, name: Night, hours: "02:15-02:45", benefit: {percent: 5%}}
  - {id: late, name: Late, weekdays: [sat], hours: "22:00-03:30", benefit: {percent: 5%}}
  - {id: from-gap, name: From the gap, from: 2032-03-28T02:30, until: 2032-03-29, benefit: {percent: 5%}}
  - {id: until-gap, name: Until the gap, from: 2032-03-28, until: 2032-03-28T02:30, benefit: {percent: 5%}}
  - {id: until-twice, name: Until the first, from: 2032-10-31, until: 2032-10-31T02:30, benefit: {percent: 5%}}
  - {id: from-twice, name: From the first, from: 2032-10-31T02:30, until: 2032-11-01, benefit: {percent: 5%}}
  - {id: leap-day, name: Leap day, from: 2032-02-29, until: 2032-03-01, benefit: {percent: 5%}}
  - {id: birthday, name: Birthday, when: [birthday: {days_before: 0, days_after: 1}], benefit: {percent: 5%}}
  - {id: back-soon, name: Back soon, when: [days_since_last_visit: {at_most: 3}], benefit: {percent: 5%}}
  - {id: back-late, name: Back late, when: [days_since_last_visit: {at_least: 90}], benefit: {percent: 5%}}
  - id: daily
    name: Once a day
    benefit: {percent: 5%}
    limits: [{uses: 1, per: customer, every: day}]
"""
LAST_SUMMER, FIRST_WINTER = "+02:00", "+01:00"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    folder = tmp_path_factory.mktemp("clocks")
    policies = write_policy(folder / "policies", SCHEDULED)
    settings = {"policies": str(policies), "database": str(folder / "test.db"), "auth": "off", "secret": "a test's own"}
    yield create_app(settings).test_client()


def applies(client: FlaskClient, promotion_id: str, **changes: Any) -> bool:
    answer = client.post("/v1/decisions", json=basket(**changes)).get_json()
    return any(discount["promotion_id"] == promotion_id for discount in answer["discounts"])


@pytest.mark.parametrize(
    ("promotion_id", "at", "is_in_force"),
    [
        ("night", "2032-06-01T02:15:00+02:00", True),
        ("night", "2032-06-01T02:45:00+02:00", False),
        ("night", "2032-06-01T00:30:00+00:00", True),
        ("night", "2032-03-28T01:59:59+01:00", False),
        ("night", "2032-03-28T03:00:00+02:00", False),  # the hour that there was not
        ("night", "2032-10-31T02:30:00+02:00", True),
        ("night", "2032-10-31T02:30:00+01:00", True),  # the hour that came twice
        ("late", "2032-10-31T03:15:00+01:00", True),  # Sunday morning, begun on Saturday, an hour longer
        ("late", "2032-10-31T03:30:00+01:00", False),
        ("late", "2032-10-31T22:30:00+01:00", False),
        ("from-gap", "2032-03-28T01:59:59+01:00", False),
        ("from-gap", "2032-03-28T03:00:00+02:00", True),
        ("until-gap", "2032-03-28T01:59:59+01:00", True),
        ("until-gap", "2032-03-28T03:00:00+02:00", False),
        ("until-twice", "2032-10-31T02:29:59+02:00", True),
        ("until-twice", "2032-10-31T02:30:00+02:00", False),
        ("until-twice", "2032-10-31T02:15:00+01:00", False),
        ("from-twice", "2032-10-31T02:29:59+02:00", False),
        ("from-twice", "2032-10-31T02:30:00+02:00", True),
        ("from-twice", "2032-10-31T02:15:00+01:00", True),
        ("leap-day", "2032-02-28T23:59:59+01:00", False),
        ("leap-day", "2032-02-29T00:00:00+01:00", True),
        ("leap-day", "2032-02-29T23:59:59+01:00", True),
        ("leap-day", "2032-03-01T00:00:00+01:00", False),
    ],
)
def test_windows_follow_the_houses_wall_clock(
    client: FlaskClient, promotion_id: str, at: str, is_in_force: bool
) -> None:
    assert applies(client, promotion_id, at=at) is is_in_force


@pytest.mark.parametrize(
    ("at", "is_birthday"),
    [
        ("2032-02-28T12:00:00+01:00", False),
        ("2032-02-29T12:00:00+01:00", True),
        ("2032-03-01T12:00:00+01:00", True),
        ("2032-03-02T12:00:00+01:00", False),
        ("2031-02-27T12:00:00+01:00", False),
        ("2031-02-28T12:00:00+01:00", True),
        ("2031-03-01T12:00:00+01:00", True),
        ("2031-03-02T12:00:00+01:00", False),
    ],
)
def test_who_was_born_on_a_leap_day_has_a_birthday_every_year(client: FlaskClient, at: str, is_birthday: bool) -> None:
    assert applies(client, "birthday", at=at, customer={"customer_id": "L-leap", "birthday": "02-29"}) is is_birthday


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York"])
@pytest.mark.parametrize(
    ("at", "still_runs", "has_begun"),
    [("0001-01-01T00:00:00+14:00", True, False), ("9999-12-31T23:59:59-12:00", False, True)],
    ids=["a clock that was never set", "a clock that is at its end"],
)
def test_a_clock_at_the_end_of_all_calendars_decides_schedules_and_periods_too(
    tmp_path: Path, zone: str, at: str, still_runs: bool, has_begun: bool
) -> None:
    promotions = """
promotions:
  - {id: until-now, name: Until now, until: 2026-01-01, benefit: {percent: 5%}}
  - {id: from-now, name: From now, from: 2026-01-01, benefit: {percent: 5%}}
  - {id: night, name: Night, hours: "12:00-12:00", benefit: {percent: 5%}}
  - {id: birthday, name: Birthday, when: [birthday: {days_before: 366, days_after: 366}], benefit: {percent: 5%}}
  - {id: weekly, name: Weekly, benefit: {percent: 5%}, limits: [{uses: 1, per: customer, every: week}]}
"""
    house = f"policy: 1\ncurrency: EUR\ntime_zone: {zone}\n"
    policies = write_policy(tmp_path / "policies", promotions, house)
    settings = {"policies": str(policies), "database": str(tmp_path / "test.db"), "auth": "off", "secret": "a test's"}
    client = create_app(settings).test_client()
    sold = basket(at=at, customer={"customer_id": "L-1", "birthday": "02-29", "last_visit_on": "2026-01-01"})
    answer = client.post("/v1/decisions", json=sold).get_json()
    found = {discount["promotion_id"] for discount in answer["discounts"]}
    expected = {"until-now": still_runs, "from-now": has_begun, "night": True, "birthday": True, "weekly": True}
    assert {promotion_id: promotion_id in found for promotion_id in expected} == expected
    path = f"/v1/decisions/{answer['decision_id']}/outcome"
    assert client.put(path, json={"result": "accepted", "promotions": ["weekly"], "at": at}).status_code == 201
    assert not applies(client, "weekly", at=at, customer={"customer_id": "L-1"})
    assert applies(client, "weekly", customer={"customer_id": "L-1"})


@pytest.mark.parametrize("days", [-2, 2], ids=["two days behind", "two days ahead"])
def test_a_till_two_days_off_is_served_by_its_own_clock_and_expires_by_the_servers(
    client: FlaskClient, days: int
) -> None:
    at = datetime.now(UTC) + timedelta(days=days)
    customer = {"customer_id": f"L-{days}"}
    answer = client.post("/v1/decisions", json=basket(at=at.isoformat(), customer=customer)).get_json()
    assert datetime.fromisoformat(answer["at"]) == at
    assert timedelta(0) < datetime.fromisoformat(answer["expires_at"]) - datetime.now(UTC) <= timedelta(minutes=30)
    path = f"/v1/decisions/{answer['decision_id']}/outcome"
    assert client.put(path, json={"result": "bought_at_base", "at": at.isoformat()}).status_code == 201
    assert applies(client, "back-soon", customer=customer)  # by another till, whose clock is right
    assert applies(client, "back-soon", customer=customer, at=at.isoformat())
    assert not applies(client, "back-late", customer=customer, at=at.isoformat())


def test_a_visit_that_lies_ahead_of_the_till_is_no_negative_age(client: FlaskClient) -> None:
    customer = {"customer_id": "L-ahead", "last_visit_on": "2033-01-01"}
    assert applies(client, "back-soon", customer=customer, at="2032-01-01T12:00:00+01:00")
    assert not applies(client, "back-late", customer=customer, at="2032-01-01T12:00:00+01:00")


def test_the_days_of_a_limit_are_those_of_the_till(client: FlaskClient) -> None:
    customer = {"customer_id": "L-daily"}
    first, next_day = "2032-10-30T23:30:00+02:00", "2032-10-31T00:30:00+02:00"
    answer = client.post("/v1/decisions", json=basket(at=first, customer=customer)).get_json()
    outcome = {"result": "accepted", "promotions": ["daily"]}
    assert client.put(f"/v1/decisions/{answer['decision_id']}/outcome", json=outcome).status_code == 201
    assert not applies(client, "daily", at=first, customer=customer)
    assert applies(client, "daily", at=next_day, customer=customer)


def test_a_servers_clock_that_goes_back_an_hour_loses_nothing_and_makes_no_negative_age(shimmed: Service) -> None:
    till, clock = Till(shimmed), shimmed.folder / "clock"
    before = till.call(
        "POST", "/v1/decisions", basket(sale_id="back", customer={"customer_id": "L-back"}), "back"
    ).json()
    clock.write_text("-3600")
    again = till.call("POST", "/v1/decisions", basket(sale_id="back", customer={"customer_id": "L-back"}), "back")
    assert again.headers["idempotency-replayed"] == "true"
    after = till.call("POST", "/v1/decisions", basket(sale_id="back", customer={"customer_id": "L-back"})).json()
    assert datetime.fromisoformat(after["at"]) < datetime.fromisoformat(before["at"])
    for decision in (before, after):
        path = f"/v1/decisions/{decision['decision_id']}/outcome"
        assert till.call("PUT", path, {"result": "accepted", "rung": 1}).status == 201
    till.close()
    assert shimmed.call("GET", "/readyz").status == 200
    samples = [
        line.split()[-1] for line in shimmed.call("GET", "/metrics").body.decode().splitlines() if line[:1] != "#"
    ]
    assert min(map(float, samples)) >= 0
    query = "SELECT made_at, received_at FROM decisions JOIN outcomes USING (decision) WHERE sale_id = 'back'"
    made, received = zip(*shimmed.rows(query), strict=True)
    assert max(made) - min(made) > 3000 * 1_000_000
    assert max(received) < max(made)  # recorded by the server's clock as it was
    assert "0 of them differ" in shimmed.command("replay", "--all")
    clock.unlink()
