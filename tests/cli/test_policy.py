"""`pos-discount policy test | replay | diff | pause` on small policies whose figures can be added up by hand."""

from pathlib import Path

import pytest
import yaml

from cli.running import POLICIES, Shop, basket
from pos_discount.web import create_app

HOUSE = "policy: 1\ncurrency: EUR\ntime_zone: Europe/Paris\nladder: {min_step: 0.01}\n"
PROMOTIONS = """
promotions:
  - id: shelf
    name: Two euros off creams
    offer: automatic
    combines_with: all
    benefit: {amount: 2.00, of: {sku: CREAM}}
  - id: tenth
    name: Ten percent from twenty euros
    combines_with: all
    priority: 200
    when: [{spend: {at_least: 20.00}}]
    benefit: {percent: 10%}
"""
EXAMPLES = """
- name: a cream
  basket: [{sku: CREAM, price: 12.00}]
  expect: {shelf: 2.00, tenth: no, base: 10.00, rungs: []}
- name: two creams
  basket: [{sku: CREAM, price: 12.00, quantity: 2}]
  expect: {tenth: 2.40, rungs: [2.20]}
"""
SALES = """store_id,sale_id,at,sku,quantity,unit_price
S1,R1,2026-03-10T10:00,CREAM,1,12.00
S1,R2,2026-03-10T11:00,CREAM,2,12.00
S2,R3,2026-03-11T10:00,TONER,3,10.00
S2,R4,2026-03-11T11:00,TONER,1,10.00
"""


@pytest.fixture
def folder(shop: Shop) -> Path:
    shop.write("house/house.yaml", HOUSE)
    shop.write("house/care.examples.yaml", EXAMPLES)
    return shop.write("house/care.yaml", PROMOTIONS).parent


@pytest.fixture
def sold(shop: Shop, folder: Path) -> Path:
    """Import four receipts: one cream; two creams; three toners; one toner."""
    assert shop.run("import", shop.write("sales.csv", SALES), "--policies", folder, secret=None).code == 0
    return folder


def test_a_policy_in_order_passes_the_check(shop: Shop, folder: Path) -> None:
    shop.write(
        "house/care.examples.yaml", EXAMPLES + "- {name: soap, basket: [{sku: S, price: 1}], expect: {shelf: no}}\n"
    )
    said = shop.run("policy", "check", folder)
    assert (said.code, "error" in said.out) == (0, False)


def test_a_promotion_without_its_two_examples_does_not_pass(shop: Shop, folder: Path) -> None:
    findings = shop.run("policy", "check", folder, "--json").json()
    errors = [finding for finding in findings if finding["severity"] == "error"]
    assert [finding["promotion_id"] for finding in errors] == ["shelf"]
    assert errors[0]["file"].endswith("care.yaml")
    assert shop.run("policy", "check", folder).code == 1


def test_what_cannot_be_read_is_told_by_file_line_and_column(shop: Shop, folder: Path) -> None:
    shop.write("house/care.yaml", PROMOTIONS.replace("name: Two", "nmae: Two").replace("percent: 10%", "percent: lots"))
    said = shop.run("policy", "check", folder)
    assert said.code == 1
    assert f"{folder}/care.yaml:4:5: error: " in said.out
    assert f"{folder}/care.yaml:13:" in said.out


def test_the_shipped_policies_pass_the_check(shop: Shop) -> None:
    said = shop.run("policy", "check")
    assert said.code == 0, said.out


def test_the_schema_takes_the_shipped_policies_and_refuses_a_typo(shop: Shop) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(shop.run("policy", "schema").json())
    for file in sorted(POLICIES.glob("*.yaml")):
        if not file.name.endswith(".examples.yaml"):
            assert not list(validator.iter_errors(yaml.load(file.read_text("utf-8"), yaml.BaseLoader))), file.name
    assert list(validator.iter_errors({"promotions": [{"id": "a", "nmae": "A", "benefit": {"percent": 5}}]}))
    assert shop.run("policy", "schema", "--examples").json() != shop.run("policy", "schema").json()


def test_examples_that_hold_are_counted(shop: Shop, folder: Path) -> None:
    said = shop.run("policy", "test", folder)
    assert (said.code, said.out) == (0, "2 examples hold\n")


@pytest.mark.parametrize(
    ("count", "right", "summary"),
    [(1, True, "1 example holds"), (1, False, "1 example, 1 of which does not hold"), (0, True, "0 examples hold")],
)
def test_examples_are_counted_in_words_that_fit_their_number(
    shop: Shop, folder: Path, count: int, right: bool, summary: str
) -> None:
    example = f"- {{name: a cream, basket: [{{sku: CREAM, price: 12.00}}], expect: {{shelf: {2 if right else 3}}}}}\n"
    shop.write("house/care.examples.yaml", example if count else "[]")
    assert shop.run("policy", "test", folder).out.endswith(f"{summary}\n")


def test_an_example_that_does_not_hold_is_shown_with_its_line(shop: Shop, folder: Path) -> None:
    shop.write("house/care.examples.yaml", EXAMPLES.replace("tenth: no", "tenth: 1.20").replace("[2.20]", "[2.40]"))
    said = shop.run("policy", "test", folder)
    assert said.code == 1
    assert f"{folder}/care.examples.yaml:2" in said.out.replace("\n", "")
    failed = shop.run("policy", "test", folder, "--json").json()["failed"]
    assert failed[0]["disagreements"] == [
        {"subject": "tenth", "expected": 120, "got": None, "reason": failed[0]["disagreements"][0]["reason"]}
    ]
    assert failed[0]["disagreements"][0]["reason"].startswith("spend")
    assert failed[1]["disagreements"] == [{"subject": "rungs", "expected": [240], "got": [220], "reason": ""}]


def test_a_policy_that_cannot_be_read_is_told_by_line_and_nothing_else(shop: Shop, folder: Path) -> None:
    shop.write("house/care.yaml", PROMOTIONS.replace("benefit: {percent", "benefits: {percent"))
    said = shop.run("policy", "test", folder)
    assert said.code == 1
    assert "care.yaml:" in said.err
    assert "'benefit'" in said.err
    assert "Traceback" not in said.err


def test_replaying_a_policy_adds_up_what_it_would_have_given(shop: Shop, sold: Path) -> None:
    gave = shop.run("policy", "replay", sold, "--json", secret=None).json()
    assert (gave["baskets"], gave["list_total"], gave["base_value"]) == (4, 1200 + 2400 + 3000 + 1000, 200 + 200)
    assert (gave["baskets_with_ladder"], gave["first_rung_value"]) == (2, 220 + 300)
    by_id = {promotion["promotion_id"]: promotion for promotion in gave["promotions"]}
    assert (by_id["shelf"]["baskets_in_base"], by_id["shelf"]["cost_in_base"]) == (2, 400)
    assert (by_id["tenth"]["baskets_alone"], by_id["tenth"]["value_alone"]) == (2, 240 + 300)
    assert (by_id["tenth"]["baskets_on_first_rung"], by_id["tenth"]["baskets_in_base"]) == (2, 0)


def test_replaying_shows_a_table_and_draws_a_picture(shop: Shop, sold: Path) -> None:
    said = shop.run("policy", "replay", sold, "--plot", "gave.png")
    assert said.code == 0
    assert "owed on 2: 4.00" in said.out
    assert Path("gave.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["nowhere/gave.png", "gave.doc", "gave"])
def test_a_file_that_no_picture_can_be_drawn_into_is_refused_before_receipts_are_read(shop: Shop, name: str) -> None:
    said = shop.run("policy", "replay", "--plot", name, database=str(shop.folder / "nothing.db"))
    assert (said.code, "--plot" in said.err) == (2, True)


def test_receipts_can_be_sold_at_another_moment(shop: Shop, sold: Path) -> None:
    shop.write("house/care.yaml", PROMOTIONS.replace("offer: automatic", "offer: automatic\n    from: 2026-06-01"))
    assert shop.run("policy", "replay", sold, "--json").json()["base_value"] == 0
    assert shop.run("policy", "replay", sold, "--json", "--at", "2026-06-01").json()["base_value"] == 400
    assert shop.run("policy", "replay", sold, "--at", "someday").code == 2


def test_a_limit_of_what_is_owed_is_used_up_in_the_order_of_the_receipts(shop: Shop, sold: Path) -> None:
    limit = "offer: automatic\n    limits: [{uses: 1, per: store, every: day}]"
    shop.write("house/care.yaml", PROMOTIONS.replace("offer: automatic", limit))
    assert shop.run("policy", "replay", sold, "--json").json()["base_value"] == 200


def test_comparing_policies_tells_who_gains_and_who_loses(shop: Shop, sold: Path) -> None:
    shop.write("next/house.yaml", HOUSE)
    dearer = PROMOTIONS.replace("amount: 2.00", "amount: 1.00").replace("at_least: 20.00", "at_least: 25.00")
    new = shop.write("next/care.yaml", dearer.replace("percent: 10%", "percent: 20%")).parent
    told = shop.run("policy", "diff", sold, new, "--json").json()
    assert {name: told["total"][name] for name in ("gain", "lose", "same")} == {"gain": 1, "lose": 2, "same": 1}
    assert told["total"]["base_value"] == [400, 200]
    assert [(store["store_id"], store["gain"], store["lose"]) for store in told["stores"]] == [
        ("S1", 0, 2),
        ("S2", 1, 0),
    ]
    changes = {change["promotion_id"]: change["value"] for change in told["promotions"]}
    assert changes == {"shelf": [400, 200], "tenth": [540, 600]}
    most = [(change["sale_id"], change["base_value"], change["applies_no_more"]) for change in told["most_changed"]]
    assert most == [("R2", [200, 100], ["tenth"]), ("R3", [0, 0], []), ("R1", [200, 100], [])]
    assert [change["gives_otherwise"] for change in told["most_changed"]] == [
        [{"promotion_id": "shelf", "value": [200, 100]}],
        [{"promotion_id": "tenth", "value": [300, 600]}],
        [{"promotion_id": "shelf", "value": [200, 100]}],
    ]


def test_why_a_basket_changed_is_said_where_only_an_amount_did(shop: Shop, sold: Path) -> None:
    shop.write("next/house.yaml", HOUSE)
    new = shop.write("next/care.yaml", PROMOTIONS.replace("amount: 2.00", "amount: 1.20")).parent
    assert "shelf gives 1.20 instead of 2.00" in shop.run("policy", "diff", sold, new).out


def test_why_a_basket_changed_is_said_where_no_promotion_did(shop: Shop, sold: Path) -> None:
    shop.write("next/care.yaml", PROMOTIONS)
    new = shop.write("next/house.yaml", HOUSE + "guards: {max_depth: 9%}\n").parent
    assert "what combines, or a house setting" in shop.run("policy", "diff", sold, new).out


def test_a_policy_compared_with_itself_changes_nothing(shop: Shop, sold: Path) -> None:
    said = shop.run("policy", "diff", sold, sold)
    assert said.code == 0
    assert "0 gain, 0 lose, 4 stay as they are" in said.out


def test_without_receipts_the_way_to_get_them_is_named(shop: Shop, folder: Path) -> None:
    made_database(shop)
    said = shop.run("policy", "replay", folder)
    assert said.code == 1
    assert "pos-discount import" in said.err


def made_database(shop: Shop) -> None:
    """Make the database that a service would have made."""
    assert shop.run("keys", "create", "--scope", "till").code == 0


def test_a_promotion_is_paused_and_resumed(shop: Shop) -> None:
    made_database(shop)
    assert shop.run("policy", "pause", "birthday", "--reason", "wrong").code == 0
    assert shop.run("policy", "resume", "birthday").code == 0
    again = shop.run("policy", "resume", "birthday")
    assert again.code == 1
    assert "not paused" in again.err


def test_in_an_emergency_no_secret_is_asked_for(shop: Shop) -> None:
    made_database(shop)
    assert shop.run("policy", "pause", "birthday", secret=None).code == 0
    assert shop.run("policy", "resume", "birthday", secret=None).code == 0


def test_nothing_is_called_paused_in_a_database_that_no_service_uses(shop: Shop) -> None:
    said = shop.run("policy", "pause", "birthday")
    assert (said.code, "POS_DISCOUNT_DATABASE" in said.err) == (1, True)
    assert not shop.database.exists()


def test_a_mistyped_promotion_is_not_paused_but_corrected(shop: Shop) -> None:
    said = shop.run("policy", "pause", "brithday")
    assert said.code == 1
    assert "'birthday'" in said.err


def test_what_the_last_good_policy_has_is_paused_while_the_folder_is_broken(shop: Shop) -> None:
    create_app({**shop.settings, "auth": "off"}).test_client().post("/v1/decisions", json=basket())
    broken = {"policies": str(shop.write("broken/house.yaml", "policy: 1\ncurency: EUR\n").parent)}
    assert shop.run("policy", "pause", "birthday", **broken).code == 0
    mistyped = shop.run("policy", "pause", "brithday", **broken)
    assert (mistyped.code, "'birthday'" in mistyped.err) == (1, True)
    assert shop.run("policy", "resume", "birthday", **broken).code == 0


def test_a_source_that_was_never_imported_is_told_from_those_that_were(shop: Shop, sold: Path) -> None:
    said = shop.run("policy", "replay", sold, "--source", "receits")
    assert said.code == 1
    assert "no receipts under the name 'receits'; there are: receipts" in said.err


def test_receipts_on_which_nothing_applies_are_told_by_their_days(shop: Shop, sold: Path) -> None:
    shop.write(
        "house/care.yaml", PROMOTIONS.replace("    combines_with: all", "    combines_with: all\n    from: 2026-06-01")
    )
    said = shop.run("policy", "replay", sold).out
    assert "nothing applies to any of them" in said
    assert "--at" in said


def test_a_comparison_shows_only_the_stores_that_changed_most(shop: Shop, sold: Path) -> None:
    shop.write("next/house.yaml", HOUSE)
    new = shop.write("next/care.yaml", PROMOTIONS.replace("percent: 10%", "percent: 20%")).parent
    assert "not shown" not in shop.run("policy", "diff", sold, new).out
    said = shop.run("policy", "diff", sold, new, "--most", "1").out
    assert "stores that changed and are not shown: 1;" in said
