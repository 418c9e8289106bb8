"""`pos-discount serve`: the demonstration as a stranger sees it, and what it refuses before it listens."""

import json
import socket
import urllib.request

import pytest

from cli.running import Shop
from cli.serving import command, free_port


def test_the_demonstration_prints_a_ladder_and_goes_on_serving(shop: Shop) -> None:
    with command(shop.folder, "serve", "--demo", "--port", str(free_port())) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("Still serving"):
                break
        url = said.split("Still serving. ")[1].split("/docs")[0]
        with urllib.request.urlopen(f"{url}/v1/policy", timeout=30) as answer:
            promotions = json.load(answer)["promotions"]
    for words in (
        "Serving 22 promotions",
        "2 × Repair shampoo",
        "52.00 EUR",
        "I can take €1.00 off for you.",
        "->  201",
    ):
        assert words in said
    assert len(promotions) == 22
    assert '"event"' not in said, "log lines are kept out of the demonstration"
    assert process.wait() == 0
    assert list(shop.folder.iterdir()) == [], "nothing is left behind"


def test_a_port_that_is_taken_is_refused_in_words(shop: Shop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = shop.run("serve", "--port", taken.getsockname()[1])
    assert said.code == 1
    assert "choose another --port" in said.err


@pytest.mark.parametrize(
    ("options", "changed", "words"),
    [
        (("--host", "0.0.0.0"), {"auth": "off"}, "POS_DISCOUNT_AUTH is off"),
        ((), {"secret": None}, "POS_DISCOUNT_SECRET is missing"),
        ((), {"auth": "maybe"}, "neither on nor off"),
        (("--workers", "0"), {}, "--workers"),
    ],
    ids=["no keys beyond loopback", "no secret", "auth", "no workers"],
)
def test_settings_that_make_no_sense_are_used_wrongly(
    shop: Shop, options: tuple[str, ...], changed: dict[str, str | None], words: str
) -> None:
    said = shop.run("serve", "--port", free_port(), *options, **changed)
    assert said.code == 2
    assert words in said.err
