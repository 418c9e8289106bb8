"""Recorded decisions, decided again: the same bytes, over changes of policy and model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask

from pos_discount.sensitivity import model_to_bytes, model_version, prior_model
from pos_discount.store import KeptFile, Pause, Store
from pos_discount.web import create_app

from .house import HOUSE, PROMOTIONS, write_policy
from .serving import ROOT, SECRET

DRAWN = HOUSE.replace("share: 100%", "share: 10%")
MORE = """
  - {id: third, name: Third free, class: multi, benefit: {every: {units: 3}, give: {percent: 100%, to: cheapest}}}
  - {id: loyal, name: Loyal, when: [visit_number: {at_least: 3}], benefit: {percent: PERCENT%}}
  - {id: once, name: Once, limits: [{uses: 1, per: customer, every: month}], benefit: {amount: 3.00}}
  - id: spend
    name: Spend
    benefit: {tiers: {by: spend, steps: [{from: 20.00, percent: 4%}, {from: 60.00, percent: 9%}]}}
"""


def make_decisions(folder: Path, count: int) -> None:
    """Make so many decisions and outcomes, with eight changes of policy, model and pauses between them."""
    settings = {
        "policies": str(folder / "policies"),
        "database": str(folder / "shop.db"),
        "auth": "off",
        "secret": SECRET,
    }
    write_policy(folder / "policies", PROMOTIONS + MORE.replace("PERCENT", "5"), DRAWN)
    app, store, dice = create_app(settings), Store(folder / "shop.db"), Random(8)
    content = model_to_bytes(prior_model())
    store.keep_model(model_version(content), (KeptFile("model", content),), 1)
    client = app.test_client()
    for step in range(8):
        _change(app, store, folder, step, model_version(content))
        for _ in range(count // 8):
            answer = client.post("/v1/decisions", json=_basket(dice))
            assert answer.status_code == 201, answer.text
            told = answer.get_json()
            rungs = len(told["ladder"])
            outcome = {"result": "accepted", "rung": 1 + dice.randrange(rungs)} if rungs else {"result": "left"}
            client.put(f"/v1/decisions/{told['decision_id']}/outcome", json=outcome)
    store.close()


def test_decisions_replay_to_the_same_bytes_over_changes_of_policy_and_model(tmp_path: Path) -> None:
    make_decisions(tmp_path, 200)
    assert _replayed(tmp_path) == "200 decisions replayed, 0 of them differ\n"


@pytest.mark.slow
def test_ten_thousand_decisions_replay_to_the_same_bytes(tmp_path: Path) -> None:
    make_decisions(tmp_path, 10_000)
    assert _replayed(tmp_path) == "10000 decisions replayed, 0 of them differ\n"


def _change(app: Flask, store: Store, folder: Path, step: int, model: str) -> None:
    percent = str(5 + step // 2)
    write_policy(folder / "policies", PROMOTIONS + MORE.replace("PERCENT", percent), DRAWN)
    store.activate_model(model if step % 3 else None, "a test", step + 1)
    if step == 4:
        store.pause_promotion(Pause("third", 1, "a test"))
    if step == 6:
        store.resume_promotion("third")
    in_force = app.extensions["pos_discount"]
    in_force.look()
    in_force.look()


def _basket(dice: Random) -> dict[str, Any]:
    lines = [
        {
            "line_id": str(n),
            "sku": f"S{dice.randrange(30)}",
            "quantity": dice.randrange(1, 4),
            "unit_price": dice.randrange(50, 4000),
        }
        for n in range(dice.randrange(1, 8))
    ]
    request: dict[str, Any] = {
        "store_id": f"S{dice.randrange(3)}",
        "currency": "EUR",
        "lines": lines,
        "asked": dice.random() < 0.3,
    }
    if dice.random() < 0.7:
        request["customer"] = {"customer_id": f"L-{dice.randrange(25)}"}
    if dice.random() < 0.3:
        request["sale_id"] = f"sale-{dice.randrange(20)}"
    if dice.random() < 0.2:
        request["claimed"] = ["last-one"]
    return request


def _replayed(folder: Path) -> str:
    environment = {"POS_DISCOUNT_DATABASE": "shop.db", "POS_DISCOUNT_AUTH": "off", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pos_discount.cli", "replay", "--all"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    return done.stdout
