"""The example till in the documentation: it sells with the service, without it, and loses nothing in between."""

import importlib.util
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cli.running import POLICIES, SECRET, Shop
from cli.serving import free_port, service

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "till.py"


def load_example() -> ModuleType:
    specification = importlib.util.spec_from_file_location("example_till", EXAMPLE)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


EXAMPLE_TILL: Any = load_example()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("service")
    with service(folder, free_port(), policies=str(POLICIES), database="shop.db", auth="off", secret=SECRET) as address:
        yield address


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a till wait for as long as a slow machine takes."""
    monkeypatch.setattr(EXAMPLE_TILL, "SECONDS_FOR_A_DECISION", 60.0)
    monkeypatch.setattr(EXAMPLE_TILL, "SECONDS_FOR_OUTCOMES", 60.0)


def outcome_of(till: Any, decision_id: str) -> dict[str, Any] | None:
    _, record = till.call("GET", f"/v1/decisions/{decision_id}", {}, 30.0)
    outcome: dict[str, Any] | None = record["outcome"]
    return outcome


def ask(till: Any) -> Any:
    answer = till.ask(EXAMPLE_TILL.BASKET)
    assert answer is not None
    return answer


def test_the_example_sells_a_basket_from_the_command_line(shop: Shop, url: str) -> None:
    for _ in range(20):  # who gives a decision half a second may have to sell without one
        arguments = [sys.executable, str(EXAMPLE), url, "--accept", "1"]
        done = subprocess.run(arguments, cwd=shop.folder, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 0:
            break
    assert "1. I can take €1.00 off for you.  ->  51.00" in done.stdout
    assert "sold for 51.00" in done.stdout
    assert "0 outcomes wait" in done.stdout


def test_an_outcome_is_reported_and_leaves_the_queue(shop: Shop, url: str) -> None:
    till = EXAMPLE_TILL.Till(url, shop.folder / "queue.jsonl")
    answer = ask(till)
    till.report(answer["decision_id"], result="accepted", rung=1)
    assert till.send_waiting() == 0
    outcome = outcome_of(till, answer["decision_id"])
    assert outcome is not None
    assert (outcome["result"], outcome["rung"]) == ("accepted", 1)


def test_outcomes_wait_in_the_file_while_the_service_is_away(shop: Shop, url: str) -> None:
    queue = shop.folder / "queue.jsonl"
    answers = [ask(EXAMPLE_TILL.Till(url, queue)) for _ in range(3)]
    offline = EXAMPLE_TILL.Till(f"http://127.0.0.1:{free_port()}", queue)
    for answer in answers:
        offline.report(answer["decision_id"], result="bought_at_base")
    assert len(offline.waiting()) == 3
    restarted = EXAMPLE_TILL.Till(url, queue)
    assert restarted.send_waiting() == 0
    assert all(outcome_of(restarted, answer["decision_id"]) for answer in answers)


def test_a_line_torn_by_a_power_cut_spoils_no_other(shop: Shop) -> None:
    queue = shop.write("queue.jsonl", '{"decision_id": "dec_1", "resu')
    till = EXAMPLE_TILL.Till(f"http://127.0.0.1:{free_port()}", queue)
    till.report("dec_2", result="left")
    assert [outcome["decision_id"] for outcome in till.waiting()] == ["dec_2"]


def test_an_outcome_that_will_never_be_taken_does_not_block_the_queue(shop: Shop, url: str) -> None:
    till = EXAMPLE_TILL.Till(url, shop.folder / "queue.jsonl")
    answer = ask(till)
    lines = [{"decision_id": "dec_unknown", "result": "left"}, {"decision_id": answer["decision_id"], "result": "left"}]
    till.keep(lines)
    assert till.send_waiting() == 0
    assert outcome_of(till, answer["decision_id"]) is not None


def test_outcomes_that_no_call_can_carry_go_alone_and_one_that_stops_a_call_is_dropped(
    shop: Shop, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    till = EXAMPLE_TILL.Till(url, shop.folder / "queue.jsonl")
    answers = [ask(till) for _ in range(3)]
    large = [{"decision_id": answer["decision_id"], "result": "left", "note": "x" * 700_000} for answer in answers[:2]]
    right = {"decision_id": answers[2]["decision_id"], "result": "left"}
    endless = {"decision_id": answers[2]["decision_id"], "result": "left", "note": "x" * 2_000_000}
    till.keep([*large, endless, right])
    assert till.send_waiting() == 0
    assert capsys.readouterr().err.count("refused") == 3
    assert outcome_of(till, right["decision_id"]) is not None


def test_outcomes_wait_while_the_key_is_refused(shop: Shop) -> None:
    with service(shop.folder, free_port(), **{**shop.settings, "auth": "on"}) as address:
        till = EXAMPLE_TILL.Till(address, shop.folder / "queue.jsonl", "posd_0_revoked")
        till.report("dec_unknown", result="left")
        assert len(till.waiting()) == 1


def test_a_service_that_does_not_answer_is_not_waited_for_nor_asked_again_soon(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EXAMPLE_TILL, "SECONDS_FOR_A_DECISION", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        till = EXAMPLE_TILL.Till(f"http://127.0.0.1:{silent.getsockname()[1]}", shop.folder / "queue.jsonl")
        assert till.ask(EXAMPLE_TILL.BASKET) is None
        silent.settimeout(30)
        asked = [silent.accept()[0]]
        assert till.ask(EXAMPLE_TILL.BASKET) is None
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            asked.append(silent.accept()[0])
        for connection in asked:
            connection.close()


def test_a_connection_that_is_closed_is_tried_once_more_with_the_same_key(shop: Shop) -> None:
    keys: list[str] = []

    def hang_up(rude: socket.socket) -> None:
        for _ in range(2):
            connection, _ = rude.accept()
            head = connection.recv(65536).decode()
            keys.extend(line.split(": ")[1] for line in head.split("\r\n") if line.startswith("Idempotency-Key"))
            connection.close()

    with socket.socket() as rude:
        rude.bind(("127.0.0.1", 0))
        rude.listen()
        thread = threading.Thread(target=hang_up, args=(rude,), daemon=True)
        thread.start()
        till = EXAMPLE_TILL.Till(f"http://127.0.0.1:{rude.getsockname()[1]}", shop.folder / "queue.jsonl")
        assert till.ask(EXAMPLE_TILL.BASKET) is None
        thread.join(timeout=30)
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_the_example_needs_nothing_but_the_standard_library() -> None:
    imported = {
        line.split()[1].split(".")[0]
        for line in EXAMPLE.read_text().splitlines()
        if line.startswith(("import ", "from "))
    }
    assert imported <= sys.stdlib_module_names
    assert json.dumps(EXAMPLE_TILL.BASKET)
