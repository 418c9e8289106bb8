"""`pos-discount decide`: a request in a file, its ladder on the screen."""

import json

from cli.running import Shop, basket


def test_the_ladder_is_printed_as_a_cashier_would_say_it(shop: Shop) -> None:
    said = shop.run("decide", shop.write("basket.json", json.dumps(basket())))
    assert said.code == 0
    assert "2 × Repair shampoo" in said.out
    assert "52.00 EUR" in said.out
    assert "I can take €1.00 off for you." in said.out


def test_the_answer_is_printed_as_the_service_would_send_it(shop: Shop) -> None:
    answer = shop.run("decide", "-", "--json", typed=json.dumps(basket())).json()
    assert answer["list_total"] == 5200
    assert answer["ladder"][0]["saving"] == 100
    assert sum(line["net"] for line in answer["ladder"][0]["lines"]) == 5100


def test_the_same_seed_gives_the_same_ladder(shop: Shop) -> None:
    request = json.dumps(basket())
    first, second = (shop.run("decide", "-", "--json", "--seed", "7", typed=request).json() for _ in range(2))
    assert first["ladder"] == second["ladder"]


def test_all_that_is_wrong_with_a_request_is_said_at_once(shop: Shop) -> None:
    wrong = basket(currency="USD", lines=[{"line_id": "1", "sku": "A", "quantity": 0, "unit_price": -1}])
    said = shop.run("decide", "-", typed=json.dumps(wrong))
    assert said.code == 1
    assert all(pointer in said.err for pointer in ("/currency", "/lines/0/quantity", "/lines/0/unit_price"))


def test_what_is_no_json_and_a_file_that_is_not_there_are_told_apart(shop: Shop) -> None:
    assert shop.run("decide", "-", typed="{").code == 1
    assert shop.run("decide", "nowhere.json").code == 2


def test_without_a_folder_of_policies_the_shipped_ones_are_taken_and_named(shop: Shop) -> None:
    said = shop.run("decide", "-", typed=json.dumps(basket()), policies=None)
    assert said.code == 0
    assert "shipped policies" in said.err


def test_a_control_character_in_a_name_does_not_reach_the_terminal(shop: Shop) -> None:
    lines = [{"line_id": "1", "sku": "A", "name": "\x1b[2Jgone", "quantity": 1, "unit_price": 5000}]
    said = shop.run("decide", "-", typed=json.dumps(basket(lines=lines)))
    assert "\x1b" not in said.out
    assert "\\x1b[2Jgone" in said.out
