"""How long does a decision take at 70 % of what the service can do, from the moment at which it was due?

Baskets of 20 lines, 200 promotions, every decision recorded durably. Capacity is measured first, in the same run.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from benchmarks.flood import at_share, flood, ready_requests
from benchmarks.result import Claim, Result, show
from benchmarks.service_throughput import SERVICE, drive, make_shop, running

SHARES = (0.5, 0.99, 0.999)


@click.command(help=__doc__)
@click.option("--seconds", default=10.0, show_default=True)
@click.option("--promotions", default=200, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--load", default=0.7, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(seconds: float, promotions: int, workers: int, load: float, as_json: bool) -> None:
    """Measure, and show what was found."""
    with tempfile.TemporaryDirectory() as name:
        requests = ready_requests(bodies := make_shop(Path(name), promotions))
        with running(SERVICE, Path(name), workers) as server:
            drive(server, bodies, 8, 1.0)
            capacity = drive(server, bodies, 8, seconds / 2).per_second
            flooded = flood(server.port, requests, load * capacity, seconds)
    served = flooded.latencies(201)
    row = {"per second": load * capacity, "served": len(served), "refused": len(flooded.told) - len(served)}
    figures = {f"p{share * 100:g} ms": at_share(served, share) for share in SHARES}
    claims = [
        Claim("refused at this load, of all", round(1 - len(served) / len(flooded.told), 4), at_most=0.01, is_aim=True)
    ]
    notes = [f"capacity: {capacity:.0f} per second with 8 clients that wait, {workers} workers; load: {load:.0%} of it"]
    show(Result("Latency of POST /v1/decisions", [{**row, **figures}], claims, notes), as_json=as_json)


if __name__ == "__main__":
    main()
