"""How much memory does a web process take that has its policies loaded and has served, against a bare Flask app?

Each app lives in a fresh process, answers the same requests as a server would call it, and then reads its own
resident memory. The service's requests are decisions, recorded in a database; afterwards it must not have imported
what only the nightly job needs. Its first start makes the database, with a library that a process which finds one
never loads: that one is shown, the next is judged.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import click

from benchmarks.result import Cell, Claim, Result, show
from benchmarks.served import ROOT

NEVER_SERVED = ("sklearn", "scipy", "pandas", "matplotlib")
ECHO, FIRST, SERVICE = "bare Flask echo", "the service's very first start", "the service"


@click.command(help=__doc__)
@click.option("--rounds", default=5, show_default=True)
@click.option("--requests", default=200, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(rounds: int, requests: int, as_json: bool) -> None:
    """Measure, and show what was found."""
    found = [_round(requests) for _ in range(rounds)]
    ratio = round(median(one[SERVICE]["rss_kib"] / one[ECHO]["rss_kib"] for one in found), 2)
    unwanted = [module for module in NEVER_SERVED if module in found[0][SERVICE]["modules"]]
    claims = (
        Claim("resident memory against a bare Flask app", ratio, at_most=2.5),
        Claim(f"of {', '.join(NEVER_SERVED)}, how many it imported to serve", len(unwanted), at_most=0),
    )
    notes = (f"imported: {', '.join(unwanted)}",) if unwanted else ()
    rows = [_row(name, found) for name in (ECHO, FIRST, SERVICE)]
    show(Result(f"Memory of a process after {requests} requests", rows, claims, notes), as_json=as_json)


def _round(requests: int) -> dict[str, dict[str, Any]]:
    with TemporaryDirectory() as folder:
        database = str(Path(folder) / "sales.db")
        return {name: _measured(name, "" if name == ECHO else database, requests) for name in (ECHO, FIRST, SERVICE)}


def _measured(name: str, database: str, requests: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.served", database, str(requests)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{name} did not serve:\n{done.stderr}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _row(name: str, found: list[dict[str, Any]]) -> dict[str, Cell]:
    mebibytes = median(one[name]["rss_kib"] for one in found) / 1024
    return {"process": name, "resident MiB": round(mebibytes, 1), "modules": len(found[0][name]["modules"])}


if __name__ == "__main__":
    main()
