"""What does `decide()` cost beside the least that any web service does with the same basket: read it and write it
back?

The floor is a bare Flask app that answers a request's JSON with itself, called as a server calls it (a WSGI
environment in, bytes out), with no socket in between. `decide()` gets the same 20 lines under 200 promotions; below
it stands what a till waits for beside the record: the body read, decided, and the answer written.
"""

from __future__ import annotations

import gc
import json
from random import Random

import click
import msgspec

from benchmarks.echo import call, echo_app
from benchmarks.result import Cell, Claim, Result, show
from benchmarks.shop import NOW, Written, made_assortment, made_basket, made_promotions, read_promotions
from benchmarks.timing import Task, Timings, measure
from pos_discount.basket import Basket
from pos_discount.decide import Known, Seed, decide
from pos_discount.pricing import PolicyIndex

LINES, PROMOTIONS, PRODUCTS = 20, 200, 2_000
ECHO, DECIDE, WHOLE = "Flask echo", "decide()", "decide(), JSON to JSON"


@click.command(help=__doc__)
@click.option("--rounds", default=25, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(rounds: int, as_json: bool) -> None:
    """Measure, and show what was found."""
    assortment = made_assortment(Random(1), PRODUCTS)
    index = PolicyIndex(read_promotions(made_promotions(Random(4), assortment, PROMOTIONS)))
    body = json.dumps(made_basket(Random(3), assortment, LINES)).encode()
    gc.freeze()  # as the service does with a policy that it has taken up
    timings = measure({ECHO: _echoing(body), **_deciding(index, body)}, rounds)
    rows = [_row(name, timings) for name in (ECHO, DECIDE, WHOLE)]
    claims = [
        Claim("decide() against a bare Flask echo", timings.ratio(DECIDE, ECHO), at_most=5, is_aim=True),
        Claim("from JSON to JSON against the echo", timings.ratio(WHOLE, ECHO), at_most=5, is_aim=True),
    ]
    show(Result(f"{LINES} lines, {PROMOTIONS} promotions, {len(body):,} bytes", rows, claims), as_json=as_json)


def _echoing(body: bytes) -> Task:
    app = echo_app()
    if json.loads(call(app, "/echo", body)) != json.loads(body):
        raise SystemExit("the echo does not answer what it was sent")
    return lambda: call(app, "/echo", body)


def _deciding(index: PolicyIndex, body: bytes) -> dict[str, Task]:
    decoder, encoder = msgspec.json.Decoder(Basket), msgspec.json.Encoder()
    basket, known, seed = decoder.decode(body), Known(), Seed("dec_benchmark", "benchmark")
    return {
        DECIDE: lambda: decide(basket, index, None, known, NOW, seed),
        WHOLE: lambda: encoder.encode(decide(decoder.decode(body), index, None, known, NOW, seed).answer),
    }


def _row(name: str, timings: Timings) -> Written:
    row: dict[str, Cell] = {
        "what": name,
        "microseconds": timings.microseconds(name),
        "of the echo": timings.ratio(name, ECHO),
    }
    return row


if __name__ == "__main__":
    main()
