"""`pos-discount decide`: one basket from a file, its ladder on the screen. Nothing is recorded."""

from __future__ import annotations

import sys
from pathlib import Path
from uuid import uuid4

import click
import msgspec

from pos_discount.basket import Basket
from pos_discount.cli.environment import now, policies_folder, read_policy
from pos_discount.cli.ladder import print_ladder
from pos_discount.cli.output import Trouble, json_option
from pos_discount.decide import Explain, Known, Seed
from pos_discount.decide import decide as decide_basket
from pos_discount.pricing import PolicyIndex
from pos_discount.web.baskets import basket_reader
from pos_discount.web.problems import Problem


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--policies", type=click.Path(path_type=Path), help="The policy's folder; left out: as the service's.")
@click.option(
    "--explain", type=click.Choice(["touched", "all"]), default="touched", help="Which promotions to explain."
)
@click.option(
    "--seed", default=None, help="Text that the choice of the ladder is drawn by; left out: the basket's own."
)
@json_option
def decide(file: Path, policies: Path | None, explain: Explain, seed: str | None, as_json: bool) -> None:
    """Price the basket in FILE, a request as a till sends it ('-': standard input), and print its ladder.

    Uses the policy alone: no model, no history, nothing used up. Nothing is recorded.

    \b
    Example:
      pos-discount decide basket.json --json
    """
    policy = read_policy(policies_folder(policies))
    basket = _read_basket(file, policy.house.currency)
    dice = seed or basket.sale_id or "try"
    decision_id = f"dec_{uuid4().hex}" if seed is None else f"dec_{seed}"
    made = decide_basket(basket, PolicyIndex(policy), None, Known(), now(), Seed(decision_id, dice), explain)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(made.answer), indent=2).decode())
    else:
        print_ladder(basket, made.answer, policy.house.currency_digits)


def _read_basket(file: Path, currency: str) -> Basket:
    try:
        body = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read: {error.strerror}") from None
    try:
        return basket_reader(currency).read(body)
    except Problem as problem:
        faults = [f"  {fault.pointer or '/'}: {fault.detail}" for fault in problem.faults]
        raise Trouble("\n".join([f"{file}: {problem.detail}", *faults])) from None
