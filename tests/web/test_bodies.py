"""What the edge refuses of a body, and what it says about it."""

from __future__ import annotations

import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pos_discount.basket import Basket
from pos_discount.web.baskets import basket_reader
from pos_discount.web.bodies import MOST_BYTES, BodyReader, parse_json, read_stream
from pos_discount.web.faults import enumerate_faults
from pos_discount.web.messages import OutcomeReport, ReturnRequest
from pos_discount.web.problems import Problem

BASKET: dict[str, Any] = {
    "store_id": "S001",
    "currency": "EUR",
    "lines": [{"line_id": "1", "sku": "CREAM-A", "quantity": 2, "unit_price": 1200}],
}


def _faults(body: Any) -> dict[str, str]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Problem) as caught:
        basket_reader("EUR").read(text)
    assert caught.value.code == "invalid"
    return {fault.pointer: fault.code for fault in caught.value.faults}


def _with(**changes: Any) -> dict[str, Any]:
    return BASKET | changes


def _with_line(**changes: Any) -> dict[str, Any]:
    return BASKET | {"lines": [BASKET["lines"][0] | changes]}


def test_a_right_basket_is_read() -> None:
    assert basket_reader("EUR").read(json.dumps(BASKET).encode()).lines[0].quantity == 2


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        pytest.param({}, "/store_id", "missing", id="store missing"),
        pytest.param([], "", "wrong_type", id="a list"),
        pytest.param(_with(lines=[]), "/lines", "too_short", id="no lines"),
        pytest.param(_with(lines=[{}] * 1001), "/lines", "too_long", id="1001 lines"),
        pytest.param(_with(sale="x"), "/sale", "unknown_field", id="unknown field"),
        pytest.param(_with(currency="eur"), "/currency", "bad_format", id="currency in small letters"),
        pytest.param(_with(currency="USD"), "/currency", "other_currency", id="another currency"),
        pytest.param(_with(at="2026-11-21T10:02:11"), "/at", "bad_format", id="a moment without offset"),
        pytest.param(_with(at=12), "/at", "wrong_type", id="a moment as a number"),
        pytest.param(_with(asked=None), "/asked", "wrong_type", id="null where a boolean is wanted"),
        pytest.param(_with(asked=1), "/asked", "wrong_type", id="1 is not true"),
        pytest.param(_with_line(quantity=0), "/lines/0/quantity", "too_small", id="no unit"),
        pytest.param(_with_line(quantity=True), "/lines/0/quantity", "wrong_type", id="true is not 1"),
        pytest.param(_with_line(quantity=1.5), "/lines/0/quantity", "wrong_type", id="half a unit"),
        pytest.param(_with_line(quantity="2"), "/lines/0/quantity", "wrong_type", id="a quantity as text"),
        pytest.param(_with_line(unit_price=-1), "/lines/0/unit_price", "too_small", id="a negative price"),
        pytest.param(_with_line(unit_price=10**12 + 1), "/lines/0/unit_price", "too_large", id="a giant price"),
        pytest.param(_with_line(quantity=10**6, unit_price=10**12), "/lines/0", "too_large", id="a giant line"),
        pytest.param(_with_line(sku=""), "/lines/0/sku", "too_short", id="an empty sku"),
        pytest.param(_with_line(sku="x" * 129), "/lines/0/sku", "too_long", id="a long sku"),
        pytest.param(_with_line(sku="a\0b"), "/lines/0/sku", "bad_character", id="a NUL"),
        pytest.param(_with(lines=BASKET["lines"] * 2), "/lines/1/line_id", "duplicate", id="a line id twice"),
        pytest.param(_with(attributes={"age": 12}), "/attributes/age", "personal_trait", id="age of the basket"),
        pytest.param(_with(attributes={"a": [1]}), "/attributes/a/0", "wrong_type", id="a list of numbers"),
        pytest.param(_with(attributes={"a": {}}), "/attributes/a", "wrong_type", id="an attribute that is an object"),
        pytest.param(
            _with(customer={"attributes": {"Gender": "x"}}), "/customer/attributes/Gender", "personal_trait", id="sex"
        ),
        pytest.param(_with(customer={"birthday": "02-30"}), "/customer/birthday", "not_a_day", id="30 February"),
        pytest.param(_with(customer={"birthday": "13-01"}), "/customer/birthday", "bad_format", id="month 13"),
        pytest.param(_with(customer={"promo_share_90d": 1.1}), "/customer/promo_share_90d", "too_large", id="over one"),
        pytest.param(_with(**{"a/b~c": 1}), "/a~1b~0c", "unknown_field", id="a pointer is escaped"),
    ],
)
def test_what_is_wrong_is_pointed_at(body: Any, pointer: str, code: str) -> None:
    assert _faults(body)[pointer] == code


@pytest.mark.parametrize(
    "body",
    [
        _with(customer={"birthday": "02-29", "promo_share_90d": 1}),
        _with(at="2026-11-21T10:02:11Z"),
        _with(attributes={"package": "x", "list": ["a"], "share": 0.5, "none": None}),
        _with_line(quantity=10**6, unit_price=10**9),
        _with(lines=[BASKET["lines"][0] | {"line_id": str(number)} for number in range(1000)]),
    ],
    ids=["leap day", "utc", "attributes", "largest line", "1000 lines"],
)
def test_what_is_just_right_passes(body: Any) -> None:
    assert basket_reader("EUR").read(json.dumps(body).encode()).store_id == "S001"


def test_all_faults_are_told_at_once_those_beyond_the_types_too() -> None:
    line = {"line_id": "1", "sku": "A", "quantity": 1, "unit_price": 1}
    body = {
        "currency": "USD",
        "lines": [line, line | {"unit_price": -5}, {"line_id": "2"}],
        "customer": {"tier": 5, "birthday": "02-31", "attributes": {"religion": "x"}},
        "stroe_id": "S1",
    }
    assert _faults(body) == {
        "/store_id": "missing",
        "/currency": "other_currency",
        "/lines/1/unit_price": "too_small",
        "/lines/1/line_id": "duplicate",
        "/lines/2/sku": "missing",
        "/lines/2/quantity": "missing",
        "/lines/2/unit_price": "missing",
        "/customer/tier": "wrong_type",
        "/customer/birthday": "not_a_day",
        "/customer/attributes/religion": "personal_trait",
        "/stroe_id": "unknown_field",
    }


def test_a_field_that_stands_twice_is_refused() -> None:
    body = json.dumps(BASKET).replace('"quantity": 2', '"quantity": 2, "quantity": 200').encode()
    assert _faults(body) == {"/lines/0/quantity": "repeated"}


def test_an_unknown_field_is_told_with_the_nearest_right_name() -> None:
    with pytest.raises(Problem) as caught:
        basket_reader("EUR").read(json.dumps(_with(sale_ids="SECRET")).encode())
    assert "'sale_id'" in caught.value.faults[0].detail


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param(_with_line(unit_price=12.5), "/lines/0/unit_price", id="major units"),
        pytest.param(_with_line(unit_price="1250"), "/lines/0/unit_price", id="text"),
        pytest.param(_with_line(unit_cost=5.4), "/lines/0/unit_cost", id="an amount that may be left out"),
        pytest.param(_with(customer={"spend_90d": 120.5}), "/customer/spend_90d", id="a sum"),
    ],
)
def test_an_amount_that_is_none_is_told_to_be_in_minor_units(body: Any, pointer: str) -> None:
    with pytest.raises(Problem) as caught:
        basket_reader("EUR").read(json.dumps(body).encode())
    detail = {fault.pointer: fault.detail for fault in caught.value.faults}[pointer]
    assert "a whole number from 0" in detail
    assert "minor units of the house's currency; 1250 is 12.50 EUR" in detail


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b'{\n  "store_id": "S1",\n  "lines": [1,]\n}', "line 3, column 1", id="a comma too much"),
        pytest.param(b'{"store_id": "S1"', "line 1, column 18", id="cut off"),
        pytest.param(b'{"asked": 5, "store_id": }', "line 1, column 26", id="behind a field of another type"),
        pytest.param(b'{"store_id": "\xff"}', "byte 15", id="another encoding"),
        pytest.param(b'{"store_id": NaN}', "NaN", id="NaN"),
        pytest.param(b'{"store_id": "\\ud800"}', "surrogate pair", id="half a surrogate pair"),
        pytest.param(b'{"a":' + b"[" * 65 + b"]" * 65 + b"}", "too deep", id="deep"),
    ],
)
def test_where_a_body_stops_being_json_is_told(body: bytes, words: str) -> None:
    with pytest.raises(Problem) as caught:
        basket_reader("EUR").read(body)
    assert caught.value.code == "not_json"
    assert words in caught.value.detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nul",
        b"{'a': 1}",
        b'{"store_id": NaN}',
        b'{"attributes": {"a": Infinity}}',
        b'{"store_id": "\xff"}',
        b"\xff\xfe{\x00}\x00",
        b"[" * 100_000,
        b'{"attributes":' * 50_000,
        b'{"a":' + b"[" * 65 + b"]" * 65 + b"}",
        b'{"store_id": "\\ud800"}',
        json.dumps(BASKET).encode() + b" x",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_json_is_told_apart(body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        basket_reader("EUR").read(body)
    assert caught.value.code == "not_json"


@pytest.mark.parametrize("number", ["1e999", "1" * 5000, "-" + "1" * 5000])
def test_a_number_beyond_all_bounds_is_wrong_but_json(number: str) -> None:
    body = json.dumps(_with(attributes={"a": 0})).replace('"a": 0', f'"a": {number}').encode()
    assert _faults(body) == {"/attributes/a": "too_large"}


def test_a_problem_says_nothing_of_the_values_that_came_in() -> None:
    with pytest.raises(Problem) as caught:
        basket_reader("EUR").read(json.dumps(_with(currency="SECRET", asked="SECRET", at="SECRET")).encode())
    assert b"SECRET" not in caught.value.body("r1")


def test_a_thousand_faults_are_listed_and_more_are_counted() -> None:
    with pytest.raises(Problem) as caught:
        basket_reader("EUR").read(json.dumps({f"field{number}": 1 for number in range(2000)}).encode())
    told = json.loads(caught.value.body("r1"))
    assert len(told["errors"]) == 1000
    assert "of 2003" in told["detail"]


unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aZ9-~/\0é\u2028😀", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("aZ9-~/\0é\u2028😀", max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = sorted(Basket.__struct_fields__)


@unhurried
@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON), st.dictionaries(st.sampled_from(["quantity", "tags", "sku"]), JSON)
)
def test_the_slow_look_refuses_exactly_what_the_decoder_refuses(top: dict[str, Any], line: dict[str, Any]) -> None:
    body = json.dumps(BASKET | {"lines": [BASKET["lines"][0] | line]} | top).encode()
    assert _is_refused(Basket, body) == bool(tuple(enumerate_faults(parse_json(body), Basket)))


@unhurried
@given(st.dictionaries(st.sampled_from([*OutcomeReport.__struct_fields__, "x"]), JSON))
def test_the_slow_look_agrees_on_outcomes(outcome: dict[str, Any]) -> None:
    body = json.dumps({"result": "left"} | outcome).encode()
    assert _is_refused(OutcomeReport, body) == bool(tuple(enumerate_faults(parse_json(body), OutcomeReport)))


@unhurried
@given(JSON)
def test_any_json_is_read_or_refused_as_a_problem(value: Any) -> None:
    for reader in (basket_reader("EUR"), BodyReader(OutcomeReport), BodyReader(ReturnRequest)):
        with pytest.raises(Problem):
            reader.read(json.dumps(value).encode())


@unhurried
@given(st.binary(max_size=40))
def test_any_bytes_are_refused_as_a_problem(body: bytes) -> None:
    with pytest.raises(Problem):
        basket_reader("EUR").read(body)


def _is_refused(kind: Any, body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        return True
    return False


def test_a_stream_is_read_in_pieces_to_its_length() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 3))

    assert read_stream(Slow(b"0123456789"), 10) == b"0123456789"
    assert read_stream(Slow(b"0123456789"), None) == b"0123456789"


@pytest.mark.parametrize(("size", "is_taken"), [(MOST_BYTES, True), (MOST_BYTES + 1, False)])
@pytest.mark.parametrize("has_length", [True, False])
def test_a_body_of_one_mebibyte_is_the_largest(size: int, is_taken: bool, has_length: bool) -> None:
    stream = io.BytesIO(b"x" * size)
    if is_taken:
        assert len(read_stream(stream, size if has_length else None)) == size
    else:
        with pytest.raises(Problem, match="too_large"):
            read_stream(stream, size if has_length else None)


def test_an_endless_stream_is_left_at_the_bound() -> None:
    class Endless:
        taken = 0

        def read(self, size: int, /) -> bytes:
            self.taken += min(size, 65536)
            return b"x" * min(size, 65536)

    stream = Endless()
    with pytest.raises(Problem, match="too_large"):
        read_stream(stream, None)
    assert stream.taken <= MOST_BYTES + 1


def test_a_body_that_ends_too_soon_is_refused() -> None:
    with pytest.raises(Problem, match="bad_request"):
        read_stream(io.BytesIO(b"123"), 10)
