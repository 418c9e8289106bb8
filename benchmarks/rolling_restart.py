"""Restarts under load: does a call fail that is repeated once, and how soon is a paused promotion gone everywhere?"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click

from benchmarks.result import Claim, Result, show
from tests.service.house import write_policy
from tests.service.test_restarted import Activated, load, named, roll_workers


@click.command(help=__doc__)
@click.option("--restarts", default=5, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(restarts: int, as_json: bool) -> None:
    """Measure, and show what was found."""
    with tempfile.TemporaryDirectory() as name:
        service = Activated(Path(name), write_policy(Path(name) / "policies"))
        service.start()
        try:
            service.wait_until_ready()
            with load(service) as statuses:
                for _ in range(restarts):
                    roll_workers(service, statuses)
                    service.stop()
                    service.start()
                    service.wait_until_ready()
            pauses = [_seconds_to_pause(service) for _ in range(restarts)]
        finally:
            service.stop()
            service.held.close()
    failed = sum(status != 201 for status in statuses)
    row = {"calls": len(statuses), "restarts": 2 * restarts, "failed": failed, "longest pause s": max(pauses)}
    claims = [
        Claim("calls that failed after one repetition", failed, at_most=0),
        Claim("seconds until a paused promotion is named nowhere", round(max(pauses), 2), at_most=2),
    ]
    show(Result("Restarted under load", [row], claims), as_json=as_json)


def _seconds_to_pause(service: Activated) -> float:
    """Pause, and return the seconds from the command's end until no worker names the promotion."""
    service.command("policy", "pause", "welcome")
    began = time.monotonic()
    while named(service):
        time.sleep(0.02)
    seconds = time.monotonic() - began
    service.command("policy", "resume", "welcome")
    while not named(service):
        time.sleep(0.02)
    return seconds


if __name__ == "__main__":
    main()
