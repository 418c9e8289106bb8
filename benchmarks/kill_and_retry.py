"""Workers and masters killed at random while eight clients sell and repeat: is anything lost or double, and how long is
it silent?
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from benchmarks.result import Claim, Result, show
from tests.service.house import write_policy
from tests.service.selling import find_losses, sell_while_killing
from tests.service.serving import serving


@click.command(help=__doc__)
@click.option("--sales", default=10_000, show_default=True)
@click.option("--kills", default=60, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(sales: int, kills: int, seed: int, as_json: bool) -> None:
    """Measure, and show what was found."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(folder, write_policy(folder / "policies")) as service:
            attack = sell_while_killing(service, sales, kills, seed)
            losses = find_losses(service, attack)
    longest = max(attack.silences)
    row = {
        "outcomes acknowledged": len(attack.rung_by_decision),
        "kills": attack.kills,
        "calls repeated": attack.repeated,
        "longest silence s": longest,
    }
    claims = [
        Claim("outcomes acknowledged, of those wanted", len(attack.rung_by_decision) / sales, at_least=1),
        Claim("lost, double, miscounted or damaged", len(losses), at_most=0),
        Claim("seconds until it serves again", round(longest, 2), at_most=3),
    ]
    show(Result("Killed while it sells", [row], claims, losses[:10]), as_json=as_json)


if __name__ == "__main__":
    main()
