"""Rows of CSV become baskets as a till would have sent them, or are set aside with the reason; none is lost."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_discount.basket import Line
from pos_discount.cli.mapping import ColumnMapping, complete_mapping
from pos_discount.cli.output import Trouble
from pos_discount.cli.receipts import HouseTerms, Receipt, Row, SetAside, parse_receipts

TERMS = HouseTerms("EUR", 2, ZoneInfo("Europe/Paris"))
HEADER = ["store_id", "sale_id", "at", "sku", "quantity", "unit_price"]
SOLD = {
    "store_id": "S1",
    "sale_id": "R1",
    "at": "2026-03-10 10:00:00",
    "sku": "CREAM",
    "quantity": "2",
    "unit_price": "12.50",
}
PLAIN = complete_mapping(ColumnMapping(), HEADER)


def parse(rows: Iterable[dict[str, str]], mapping: ColumnMapping = PLAIN) -> tuple[list[Receipt], list[SetAside]]:
    items = list(parse_receipts([Row(number, cells) for number, cells in enumerate(rows, 2)], mapping, TERMS))
    return [i for i in items if isinstance(i, Receipt)], [i for i in items if isinstance(i, SetAside)]


def reasons(rows: Iterable[dict[str, str]], mapping: ColumnMapping = PLAIN) -> list[str]:
    return [aside.reason for aside in parse(rows, mapping)[1]]


def test_rows_of_one_receipt_become_one_basket_in_their_order() -> None:
    ((receipt,), aside) = parse([SOLD, {**SOLD, "sku": "TONER", "quantity": "1", "unit_price": "8"}])
    assert aside == []
    assert receipt.basket.lines == (Line("1", "CREAM", 2, 1250), Line("2", "TONER", 1, 800))
    assert receipt.rows == 2


def test_a_time_without_an_offset_is_the_houses_wall_clock() -> None:
    ((receipt,), _) = parse([SOLD])
    assert receipt.basket.at is not None
    assert receipt.basket.at.isoformat() == "2026-03-10T10:00:00+01:00"


def test_another_store_with_the_same_number_is_another_receipt() -> None:
    receipts, _ = parse([SOLD, {**SOLD, "store_id": "S2"}])
    assert [receipt.basket.store_id for receipt in receipts] == ["S1", "S2"]


def test_rows_that_follow_after_another_receipt_are_set_aside() -> None:
    rows = [SOLD, {**SOLD, "sale_id": "R2"}, SOLD]
    assert reasons(rows) == ["scattered"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"quantity": "0"}, "quantity_zero"),
        ({"quantity": "-1"}, "returned"),
        ({"quantity": "1.5"}, "quantity_broken"),
        ({"quantity": "two"}, "quantity"),
        ({"quantity": ""}, "quantity"),
        ({"quantity": "nan"}, "quantity"),
        ({"quantity": "1000001"}, "invalid"),
        ({"unit_price": "-0.01"}, "negative_price"),
        ({"unit_price": "0.001"}, "price"),
        ({"unit_price": "1,50"}, "price"),
        ({"unit_price": ""}, "price"),
        ({"at": "yesterday"}, "time"),
        ({"at": ""}, "time"),
        ({"sale_id": " "}, "no_receipt"),
        ({"sku": ""}, "invalid"),
        ({"sku": "x" * 129}, "invalid"),
        ({"sku": "caf\udce9"}, "encoding"),
    ],
    ids=lambda value: str(value).encode("ascii", "replace").decode(),
)
def test_a_row_that_is_no_sale_is_set_aside_with_its_reason(changed: dict[str, str], reason: str) -> None:
    receipts, aside = parse([{**SOLD, **changed}])
    assert receipts == []
    assert [item.reason for item in aside] == [reason]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"quantity": "1"}, (1, 1250)),
        ({"quantity": "2.0"}, (2, 1250)),
        ({"quantity": "1000000"}, (1_000_000, 1250)),
        ({"unit_price": "0"}, (2, 0)),
        ({"unit_price": "12.5000"}, (2, 1250)),
    ],
    ids=str,
)
def test_what_just_fits_is_a_line(changed: dict[str, str], expected: tuple[int, int]) -> None:
    ((receipt,), _) = parse([{**SOLD, **changed}])
    assert (receipt.basket.lines[0].quantity, receipt.basket.lines[0].unit_price) == expected


@pytest.mark.parametrize(("quantity", "unit_price"), [("0.35", "10.00"), ("14588", "0.0021")], ids=["cheese", "fuel"])
def test_goods_sold_by_weight_are_one_unit_at_the_lines_price(quantity: str, unit_price: str) -> None:
    mapping = complete_mapping(ColumnMapping(), [*HEADER, "line_price"])
    ((receipt,), _) = parse([{**SOLD, "quantity": quantity, "unit_price": unit_price, "line_price": "3.50"}], mapping)
    assert (receipt.basket.lines[0].quantity, receipt.basket.lines[0].unit_price) == (1, 350)


@pytest.mark.parametrize(
    ("unit_price", "is_told"), [("0.0021", True), ("2.4950", True), ("twelve", False), ("1,50", False), ("", False)]
)
def test_a_unit_price_of_more_decimals_is_told_what_to_map_instead(unit_price: str, is_told: bool) -> None:
    (_, (aside,)) = parse([{**SOLD, "unit_price": unit_price}])
    assert ("map line_price, what the row costs in all, to sell it as one unit" in aside.detail) is is_told


def test_a_receipt_keeps_its_good_lines_when_one_is_set_aside() -> None:
    ((receipt,), aside) = parse([SOLD, {**SOLD, "quantity": "-1"}, {**SOLD, "sku": "TONER"}])
    assert [line.sku for line in receipt.basket.lines] == ["CREAM", "TONER"]
    assert [item.row.number for item in aside] == [3]


def test_a_receipt_of_more_lines_than_a_till_may_send_is_set_aside_whole() -> None:
    assert reasons([SOLD] * 1000) == []
    assert reasons([SOLD] * 1001) == ["too_many_lines"] * 1001


def test_a_voided_sale_and_what_the_mapping_leaves_out_are_told_apart() -> None:
    mapping = complete_mapping(ColumnMapping(only={"is_merch": ("1",)}), [*HEADER, "cancelled", "is_merch"])
    rows = [{**SOLD, "cancelled": "1", "is_merch": "1"}, {**SOLD, "cancelled": "0", "is_merch": "0"}]
    assert reasons(rows, mapping) == ["cancelled", "left_out"]


def test_a_sale_in_another_currency_is_set_aside() -> None:
    mapping = complete_mapping(ColumnMapping(), [*HEADER, "currency"])
    assert reasons([{**SOLD, "currency": "EUR"}], mapping) == []
    assert reasons([{**SOLD, "currency": "USD"}], mapping) == ["currency"]


def test_columns_are_joined_to_a_category_and_the_customer_is_read() -> None:
    columns: dict[str, str | tuple[str, ...]] = {"category": ("department", "group"), "customer_id": "card"}
    mapping = complete_mapping(ColumnMapping(columns=columns), [*HEADER, "department", "group", "card"])
    ((receipt,), _) = parse([{**SOLD, "department": "care", "group": "face", "card": "L-1"}], mapping)
    assert receipt.basket.lines[0].category == "care/face"
    assert receipt.basket.customer is not None
    assert receipt.basket.customer.customer_id == "L-1"


def test_a_mapping_names_all_that_is_missing_at_once() -> None:
    with pytest.raises(Trouble) as told:
        complete_mapping(ColumnMapping(columns={"sku": "article"}), ["store_id", "at", "quantity"])
    assert "'article'" in told.value.message
    assert "'sale_id'" in told.value.message
    assert "'unit_price'" in told.value.message


CELLS = st.fixed_dictionaries(
    {
        "store_id": st.sampled_from(["S1", "S2", ""]),
        "sale_id": st.sampled_from(["R1", "R2", "R3"]),
        "at": st.sampled_from(["2026-03-10T10:00", "2026-03-10T10:00+09:00", "never"]),
        "sku": st.sampled_from(["A", "B", ""]),
        "quantity": st.sampled_from(["1", "-1", "0", "2.5", "3", "many", "1e3"]),
        "unit_price": st.sampled_from(["1.00", "0", "-1", "0.005", "free"]),
    }
)


@given(st.lists(CELLS, max_size=12))
def test_every_row_is_in_a_basket_or_set_aside_once(rows: list[dict[str, str]]) -> None:
    receipts, aside = parse(rows)
    assert sum(receipt.rows for receipt in receipts) + len(aside) == len(rows)
    assert len({item.row.number for item in aside}) == len(aside)
