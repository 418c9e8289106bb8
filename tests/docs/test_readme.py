"""The README's answer is one that the service gives, under the shipped policies, to the request beside it."""

import json
import re
from pathlib import Path

from pos_discount.web import create_app

from .test_tutorial import assert_shows

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SALES = 20


def test_the_answer_that_is_shown_is_among_those_of_a_few_sales(tmp_path: Path) -> None:
    settings = {"policies": str(ROOT / "policies"), "database": str(tmp_path / "shop.db"), "auth": "off"}
    client = create_app({**settings, "secret": "a secret for the reader of the README"}).test_client()
    asked, shown = json.loads(between("-d '", "'\n```")), json.loads(between("```json", "```"))
    asked["at"] = "2026-11-20T10:00:00+01:00"
    sales = ({**asked, "sale_id": f"R{number}"} for number in range(SALES))
    answers = [client.post("/v1/decisions?dry_run=true", json=sale).json for sale in sales]
    spoken = [rung["say"] for rung in shown["ladder"]]
    answer = next(answer for answer in answers if answer and [rung["say"] for rung in answer["ladder"]] == spoken)
    for rung in answer["ladder"]:
        rung["acceptance"] = round(rung["acceptance"], 2)
    assert_shows(answer, {**shown, "decision_id": "dec_..."})


def between(start: str, end: str) -> str:
    found = re.search(rf"{re.escape(start)}\n(.*?){re.escape(end)}", README, re.DOTALL)
    assert found
    return found[1]
