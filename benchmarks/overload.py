"""What does the service do with three and with ten times what it can serve, and how soon is it well again?

Capacity is measured first, in the same run, by clients that wait for their answers.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click

from benchmarks.flood import Flooded, at_share, flood, ready_requests
from benchmarks.result import Cell, Claim, Result, show
from benchmarks.service_throughput import SERVICE, drive, make_shop, running

NORMAL_SECONDS = 0.25


@click.command(help=__doc__)
@click.option("--seconds", default=5.0, show_default=True)
@click.option("--promotions", default=200, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(seconds: float, promotions: int, workers: int, as_json: bool) -> None:
    """Measure, and show what was found."""
    with tempfile.TemporaryDirectory() as name:
        requests = ready_requests(bodies := make_shop(Path(name), promotions))
        with running(SERVICE, Path(name), workers) as server:
            drive(server, bodies, 8, 1.0)
            capacity = drive(server, bodies, 8, seconds).per_second
            before = _workers(server.process)
            thrice = flood(server.port, requests, 3 * capacity, seconds)
            time.sleep(2)
            tenfold = flood(server.port, requests, 10 * capacity, seconds)
            after = flood(server.port, requests, 0.5 * capacity, 2 * seconds)
            restarts = len(set(before) - set(_workers(server.process)))
    rows = [_row(*one) for one in (("3 times", thrice), ("10 times", tenfold), ("half, right after", after))]
    claims = [
        *_claims("3 times", thrice),
        *_claims("10 times", tenfold),
        Claim("10 times: p99 of what was accepted, ms", round(at_share(tenfold.latencies(201), 0.99), 1), at_most=250),
        Claim("workers that were replaced", restarts, at_most=0),
        Claim("seconds until it is normal again", round(_seconds_to_normal(after), 2), at_most=5),
    ]
    notes = [f"capacity: {capacity:.0f} decisions per second with 8 clients that wait, {workers} workers"]
    show(Result("More than it can serve", rows, claims, notes), as_json=as_json)


def _claims(name: str, flooded: Flooded) -> list[Claim]:
    refused = [one for one in flooded.told if one.status == 503]
    silent = sum(not one.says_when for one in refused)
    strange = sum(one.status not in (0, 201, 503) for one in flooded.told)
    return [
        Claim(f"{name}: 503 without Retry-After", silent, at_most=0),
        Claim(f"{name}: answers that are neither 201 nor 503", strange, at_most=0),
        Claim(f"{name}: p50 of a 503, ms", round(at_share(flooded.latencies(503), 0.5), 1), at_most=250, is_aim=True),
    ]


def _seconds_to_normal(after: Flooded) -> float:
    """Return the end of the last second in which more than 5 % were refused, or half took longer than normal."""
    last = 0
    for second in range(int(after.seconds)):
        told = [one for one in after.told if int(one.due - after.began) == second]
        slow = sorted(one.seconds for one in told)[len(told) // 2] > NORMAL_SECONDS if told else True
        if slow or sum(one.status != 201 for one in told) > 0.05 * len(told):
            last = second + 1
    return float(last)


def _row(name: str, flooded: Flooded) -> dict[str, Cell]:
    served, refused = flooded.latencies(201), flooded.latencies(503)
    return {
        "load": name,
        "due/s": len(flooded.told) / flooded.seconds + flooded.unsent / flooded.seconds,
        "201/s": len(served) / flooded.seconds,
        "503/s": len(refused) / flooded.seconds,
        "closed": flooded.count(0),
        "no connection": flooded.unsent,
        "201 p50 ms": at_share(served, 0.5),
        "201 p99 ms": at_share(served, 0.99),
        "503 p50 ms": at_share(refused, 0.5),
        "503 p99 ms": at_share(refused, 0.99),
    }


def _workers(master: int) -> list[str]:
    return Path(f"/proc/{master}/task/{master}/children").read_text().split()


if __name__ == "__main__":
    main()
