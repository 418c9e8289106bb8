"""The tutorial works as it is written: its files load, its examples hold, its basket gets the answer that is shown."""

import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from pos_discount.cli import main
from pos_discount.measure.examples import run_examples
from pos_discount.policy import load_policy
from pos_discount.pricing import PolicyIndex
from pos_discount.web import create_app

from .pages import read_sections

BLOCKS = [block for section in read_sections("tutorial.md") for block in section.blocks]
YESTERDAY = "\n".join(
    block.text
    for section in read_sections("tutorial.md")
    for block in section.blocks
    if section.title == "Try it on yesterday"
).splitlines()
UNTIL_EXAMPLES = "my-shop/care.examples.yaml"


@pytest.fixture
def followed(tmp_path: Path) -> Path:
    """Write the tutorial's files in the order in which it shows them, later ones over earlier ones."""
    write_files(tmp_path, len(BLOCKS))
    return tmp_path


@pytest.fixture
def client(followed: Path) -> FlaskClient:
    """Serve the tutorial's policy from a database of its own."""
    settings = {
        "policies": str(followed / "my-shop"),
        "database": str(followed / "shop.db"),
        "auth": "off",
        "secret": "a secret for the tutorial",
    }
    return create_app(settings).test_client()


def write_files(folder: Path, count: int) -> None:
    for block in BLOCKS[:count]:
        if "." in block.name:
            (folder / block.name).parent.mkdir(exist_ok=True)
            (folder / block.name).write_text(block.text, encoding="utf-8")


def shown(name: str) -> str:
    """Return what the tutorial shows under a name."""
    return next(block.text for block in BLOCKS if block.name == name)


def run(*arguments: str) -> tuple[int, str]:
    """Run a command and return its exit code and all that it said."""
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.output


def test_the_examples_of_the_first_promotion_hold_before_there_is_a_second(tmp_path: Path) -> None:
    write_files(tmp_path, 1 + [block.name for block in BLOCKS].index(UNTIL_EXAMPLES))
    results = list(run_examples(PolicyIndex(load_policy(tmp_path / "my-shop"))))
    assert len(results) == 2
    assert not [result for result in results if result.disagreements]


def test_all_examples_hold_at_the_end(followed: Path) -> None:
    code, said = run("policy", "test", str(followed / "my-shop"))
    assert (code, said) == (0, "4 examples hold\n")


def test_the_check_first_asks_for_examples_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, [block.name for block in BLOCKS].index(UNTIL_EXAMPLES))
    monkeypatch.chdir(tmp_path)
    code, said = run("policy", "check", "my-shop")
    assert code == 1
    assert shown("unproven") in said


def test_the_check_points_at_a_mistyped_bound_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, [block.name for block in BLOCKS].index(UNTIL_EXAMPLES))
    promotion = tmp_path / "my-shop" / "care.yaml"
    promotion.write_text(promotion.read_text(encoding="utf-8").replace("at_least", "at_last"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    code, said = run("policy", "check", "my-shop")
    assert code == 1
    assert shown("mistyped") in said


def test_the_check_is_content_at_the_end(followed: Path) -> None:
    code, said = run("policy", "check", str(followed / "my-shop"))
    assert code == 0
    assert "nothing is wrong or doubtful" in said


def test_the_basket_gets_the_answer_that_is_shown(followed: Path) -> None:
    code, said = run("decide", str(followed / "basket.json"), "--policies", str(followed / "my-shop"), "--json")
    assert code == 0
    assert_shows(json.loads(said), json.loads(shown("answer")))


def test_a_till_gets_the_answer_that_is_shown_and_reports_the_outcome_twice(
    followed: Path, client: FlaskClient
) -> None:
    headers = {"Content-Type": "application/json"}
    decided = client.post("/v1/decisions", data=(followed / "basket.json").read_bytes(), headers=headers)
    assert decided.status_code == 201
    assert_shows(decided.json, json.loads(shown("answer")))
    url = f"/v1/decisions/{(decided.json or {})['decision_id']}/outcome"
    statuses = [
        client.put(url, data='{"result": "accepted", "rung": 1}', headers=headers).status_code for _ in range(2)
    ]
    assert statuses == [201, 200]


def test_yesterday_is_replayed_and_compared_as_written(followed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(followed)
    monkeypatch.setenv("POS_DISCOUNT_POLICIES", "my-shop")
    copytree("my-shop", "my-shop-next")
    commands = [line.split()[1:] for line in YESTERDAY if line.startswith("pos-discount ")]
    assert [run(*command)[0] for command in commands] == [0, 0, 0]
    assert "2 baskets" in run("policy", "replay")[1]


def test_the_schema_is_json(followed: Path) -> None:
    code, said = run("policy", "schema")
    assert code == 0
    assert json.loads(said)["$schema"]


def assert_shows(answer: Any, shortened: Any) -> None:
    """Hold that an answer has all that a shortened one shows: some keys, the first entries, ids up to their dots."""
    if isinstance(shortened, dict):
        for key, value in shortened.items():
            assert_shows(answer[key], value)
    elif isinstance(shortened, list):
        for entry, value in zip(answer, shortened, strict=False):
            assert_shows(entry, value)
        assert len(answer) >= len(shortened)
    elif isinstance(shortened, str) and shortened.endswith("..."):
        assert answer.startswith(shortened.removesuffix("..."))
    else:
        assert answer == shortened
