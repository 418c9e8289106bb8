"""Asks the service what a table of cases says: one app for all cases that share their house settings.

A case is a title, promotions, a basket and what must come back. Each case's promotions are renamed and put into a
channel of their own, so that hundreds of cases share an app and none meets another's promotions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from flask.testing import FlaskClient

from pos_discount.web import create_app

CASES = Path(__file__).parent / "cases"
HOUSE = {"policy": "1", "currency": "EUR", "time_zone": "Europe/Paris"}
EVERY_RUNG = {"ladder": {"max_rungs": "40"}, "holdout": {"share": "100%"}}
"""All are in the hold-out and a ladder may be long, so that the answer names every rung."""
AT = "2026-11-18T12:00:00+01:00"  # a Wednesday

Case = dict[str, Any]


def read_cases(name: str) -> list[Case]:
    """Read a table; what belongs to a policy stays text, as written."""
    text = (CASES / name).read_text(encoding="utf-8")
    typed = yaml.safe_load(text)
    written = yaml.load(text, Loader=yaml.BaseLoader)
    found = [
        one | {key: as_text[key] for key in ("house", "promotions", "give", "when", "with") if key in as_text}
        for one, as_text in zip(typed, written, strict=True)
    ]
    return [one | {"channel": f"c{number}"} for number, one in enumerate(found)]


class Shops:
    """Apps by their house settings."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clients: dict[str, FlaskClient] = {}

    def client(self, house: dict[str, Any], cases: list[Case], files: dict[str, str] | None = None) -> FlaskClient:
        key = json.dumps([house, cases[0]["title"]])
        if key not in self._clients:
            promotions = [one for case in cases if case.get("house", {}) == house for one in _promotions(case)]
            self._clients[key] = self.open(HOUSE | EVERY_RUNG | house | {"promotions": promotions}, files or {})
        return self._clients[key]

    def open(self, policy: dict[str, Any], files: dict[str, str]) -> FlaskClient:
        return self.open_text(json.dumps(policy, ensure_ascii=False), files)

    def open_text(self, policy: str, files: dict[str, str] | None = None) -> FlaskClient:
        folder = self._folder / f"shop-{sum(1 for _ in self._folder.iterdir())}"
        folder.mkdir()
        (folder / "policies").mkdir()
        for name, text in ({"house.yaml": policy} | (files or {})).items():
            (folder / "policies" / name).write_text(text, encoding="utf-8")
        settings = {"policies": str(folder / "policies"), "database": str(folder / "shop.db")}
        return create_app(settings | {"auth": "off", "secret": "a secret for the tests"}).test_client()


def ask(client: FlaskClient, case: Case) -> dict[str, Any]:
    request = request_of(case)
    got = client.post(f"/v1/decisions?dry_run=true{'&explain=all' if case.get('all') else ''}", json=request)
    assert got.status_code == 200, got.text
    told: dict[str, Any] = json.loads(got.text.replace(f'"{case["channel"]}.', '"'))
    return told


def request_of(case: Case) -> dict[str, Any]:
    told = {"store_id": "S001", "currency": case.get("house", {}).get("currency", "EUR"), "at": AT}
    asked = dict(case.get("ask", {}))
    if "claimed" in asked:
        asked["claimed"] = [f"{case['channel']}.{one}" for one in asked["claimed"]]
    return told | {"channel": case["channel"], "lines": list(lines_of(case["lines"]))} | asked


def lines_of(text: str) -> Iterator[dict[str, Any]]:
    """Read `A 1000 x3 care/face @Brand ~tag ^SUPPLIER $540`: sku, unit price, and what else is known."""
    for number, words in enumerate((one.split() for one in text.split(";")), start=1):
        line: dict[str, Any] = {"line_id": str(number), "sku": words[0], "unit_price": int(words[1]), "quantity": 1}
        for word in words[2:]:
            if word[0] == "x" and word[1:].isdigit():
                line["quantity"] = int(word[1:])
            elif word[0] in "@^$~":
                kind = {"@": "brand", "^": "supplier", "$": "unit_cost", "~": "tags"}[word[0]]
                line[kind] = {"$": lambda w: int(w), "~": lambda w: w.split("~")}.get(word[0], str)(word[1:])
            else:
                line["category"] = word
        yield line


def check(told: dict[str, Any], want: Any) -> None:
    """Compare an answer with what a case wants: a saving alone, `no`, or a mapping of what to look at."""
    if want is False or want is None:
        want = {"alone": {"p": None}}
    if isinstance(want, bool):
        want = {"alone": {"p": 100}}
    if isinstance(want, int):
        want = {"alone": {"p": want}}
    seen = {key: LOOKS[key](told, value) for key, value in want.items()}
    assert seen == want
    assert_adds_up(told)


def _alone(told: dict[str, Any], want: dict[str, Any]) -> dict[str, Any]:
    savings = {one["promotion_id"]: one["saving"] for one in told["discounts"]}
    return {key: savings.get(key) for key in want}


def _by_line(told: dict[str, Any], want: dict[str, Any]) -> dict[str, Any]:
    found = {
        one["promotion_id"]: {int(line["line_id"]): line["saving"] for line in one["lines"]}
        for one in told["discounts"]
    }
    return {key: found.get(key) for key in want}


def _not_applicable(told: dict[str, Any], want: dict[str, Any], member: str) -> dict[str, Any]:
    found = {one["promotion_id"]: one[member] for one in told["not_applicable"]}
    return {key: found.get(key, "not listed") for key in want}


LOOKS: dict[str, Any] = {
    "alone": _alone,
    "by_line": _by_line,
    "base": lambda told, _: told["base"]["total"],
    "base_of": lambda told, _: [one["promotion_id"] for one in told["base"]["discounts"]],
    "base_savings": lambda told, _: [one["saving"] for one in told["base"]["discounts"]],
    "base_lines": lambda told, _: [
        {int(line["line_id"]): line["saving"] for line in one["lines"]} for one in told["base"]["discounts"]
    ],
    "base_units": lambda told, _: [
        {int(line["line_id"]): line["units"] for line in one["lines"]} for one in told["base"]["discounts"]
    ],
    "base_gifts": lambda told, _: [one["sku"] for one in told["base"]["gifts"]],
    "base_points": lambda told, _: told["base"]["points"],
    "rungs": lambda told, _: [one["saving"] for one in told["ladder"]],
    "values": lambda told, _: [one["value"] for one in told["ladder"]],
    "totals": lambda told, _: [one["total"] for one in told["ladder"]],
    "depths": lambda told, _: [round(one["depth"], 4) for one in told["ladder"]],
    "rungs_of": lambda told, _: [one["promotions"] for one in told["ladder"]],
    "rung_discounts": lambda told, _: [
        {discount["promotion_id"]: discount["saving"] for discount in one["discounts"]} for one in told["ladder"]
    ],
    "nets": lambda told, _: [[line["net"] for line in one["lines"]] for one in told["ladder"]],
    "approvals": lambda told, _: [one["approval"] for one in told["ladder"]],
    "points": lambda told, _: [one["points"] for one in told["ladder"]],
    "gifts": lambda told, _: [[gift["sku"] for gift in one["gifts"]] for one in told["ladder"]],
    "say": lambda told, _: [one["say"] for one in told["ladder"]],
    "costs": lambda told, want: {
        key: next(one["cost"] for one in told["discounts"] if one["promotion_id"] == key) for key in want
    },
    "units": lambda told, want: {
        key: next(sum(at["units"] for at in one["lines"]) for one in told["discounts"] if one["promotion_id"] == key)
        for key in want
    },
    "reasons": lambda told, want: _not_applicable(told, want, "reason"),
    "near": lambda told, want: _not_applicable(told, want, "near_miss"),
}


def assert_adds_up(told: dict[str, Any]) -> None:
    """Hold an answer to its own arithmetic."""
    base = told["base"]
    assert base["total"] == told["list_total"] - base["saving"]
    assert base["saving"] == sum(one["saving"] for one in base["discounts"])
    for number, rung in enumerate(told["ladder"], start=1):
        assert rung["rung"] == number
        assert rung["saving"] == base["total"] - rung["total"]
        assert rung["total"] == sum(line["net"] for line in rung["lines"])
        assert all(line["net"] == line["list"] - line["saving"] >= 0 for line in rung["lines"])
        assert sum(line["saving"] for line in rung["lines"]) == sum(one["saving"] for one in rung["discounts"])
        assert rung["total"] == told["list_total"] - sum(one["saving"] for one in rung["discounts"])
    for one in (*told["discounts"], *base["discounts"], *(d for rung in told["ladder"] for d in rung["discounts"])):
        assert one["saving"] == sum(line["saving"] for line in one["lines"])


def _promotions(case: Case) -> Iterator[dict[str, Any]]:
    channel = case["channel"]
    for one in _written(case):
        named = {"name": one["id"]} | one | {"id": f"{channel}.{one['id']}", "channels": [channel]}
        if "class" in one:
            named["class"] = f"{channel}.{one['class']}"
        named |= _company(one.get("combines_with", "none"), channel)
        yield named


def _company(combines_with: str | list[str], channel: str) -> dict[str, Any]:
    if combines_with in ("all", "none"):
        return {"combines_with": combines_with}
    if isinstance(combines_with, str):
        return {"combines_with": f"{channel}.{combines_with}"}
    return {"combines_with": [f"{channel}.{word}" for word in combines_with]}


def _written(case: Case) -> list[dict[str, Any]]:
    if "promotions" in case:
        found: list[dict[str, Any]] = case["promotions"]
        return found
    condition = {"when": case["when"]} if "when" in case else {}
    return [{"id": "p", "benefit": case.get("give", {"amount": "1.00"})} | condition | case.get("with", {})]
