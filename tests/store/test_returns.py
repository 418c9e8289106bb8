"""Returns of one sale are numbered, so that none is computed from a stale count."""

from __future__ import annotations

import threading

import msgspec
import pytest

from pos_discount.store import NoSale, ReturnConflict, ReturnedLine, ReturnRecord, Store

from .made import NOON, a_decision, a_visit, an_outcome

FIRST = ReturnRecord("S1", "dec_000001", 1, NOON, (ReturnedLine("1", 1, False, 900),), 900, b'{"refund": 900}', 739_577)


@pytest.fixture
def sold(store: Store) -> Store:
    """Give a store with one sale."""
    store.record_decision(a_decision(customer="aa11"))
    store.record_outcomes((an_outcome(visit=a_visit()),))
    return store


def test_a_return_reads_back_with_its_lines(sold: Store) -> None:
    sold.record_return(FIRST)
    assert sold.read_decision("dec_000001").returns == (FIRST,)


@pytest.mark.parametrize("number", [1, 3], ids=["others came first", "computed from what is not there"])
def test_a_return_computed_from_another_count_is_refused(sold: Store, number: int) -> None:
    sold.record_return(FIRST)
    with pytest.raises(ReturnConflict):
        sold.record_return(msgspec.structs.replace(FIRST, number=number))


@pytest.mark.parametrize("result", ["left", "cancelled", None], ids=["left", "cancelled", "no outcome"])
def test_without_a_sale_there_is_no_return(store: Store, result: str | None) -> None:
    store.record_decision(a_decision())
    if result is not None:
        store.record_outcomes((an_outcome(result=result, rung=None),))
    with pytest.raises(NoSale):
        store.record_return(FIRST)


def test_a_return_is_part_of_the_customers_history(sold: Store) -> None:
    sold.record_return(FIRST)
    assert [(day.day, day.visits, day.returns) for day in sold.read_customer("aa11").days] == [
        (739_576, 1, 0),
        (739_577, 0, 1),
    ]


def test_of_many_returns_at_once_each_number_is_taken_once(sold: Store) -> None:
    refused = []

    def give_back() -> None:
        for number in range(1, 6):
            try:
                sold.record_return(msgspec.structs.replace(FIRST, number=number))
            except ReturnConflict:
                refused.append(number)

    threads = [threading.Thread(target=give_back) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [returned.number for returned in sold.read_decision("dec_000001").returns] == [1, 2, 3, 4, 5]
    assert len(refused) == 4 * 5 - 5
