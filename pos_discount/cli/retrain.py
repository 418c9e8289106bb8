"""`pos-discount retrain`: the nightly job. Learns from what is new, and publishes only what the gate lets pass."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from pos_discount.cli.environment import (
    learned_memory,
    now_microseconds,
    open_store,
    policies_folder,
    read_policy,
    read_settings_without_secret,
)
from pos_discount.cli.output import Trouble, json_option, plain, print_json, print_table, stages
from pos_discount.learning import STAGES, GateLimits, RetrainOptions, describe_night, publish, retrain
from pos_discount.measure.night_report import write_night
from pos_discount.policy import Policy


@click.command("retrain")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Where the HTML report goes.")
@click.option("--full", is_flag=True, help="Read everything again instead of what is new since last night.")
@json_option
def retrain_command(report: Path | None, full: bool, as_json: bool) -> None:
    """Learn from what is new, compare with the model in force, and publish what is not worse.

    \b
    Example:
      pos-discount retrain --report reports/night.html

    Ends with 0 when the night is done, whether the gate let the candidate pass or not; the report says why. One night
    runs at a time. Killed anywhere, it leaves yesterday's model in force.
    """
    settings = read_settings_without_secret()
    policy = read_policy(policies_folder())
    with open_store(settings) as store, only_one(store.path):
        memory, now = learned_memory(store.path), now_microseconds()
        saved = memory.read_bytes() if memory.exists() and not full else None
        with stages("night", len(STAGES)) as notice:
            night = retrain(store, saved, options_of(policy), now, notice)
        publish(store, night, now)
        replace_file(memory, night.state)
        file = report or _beside(store.path, ".retrain.html")
        replace_file(file, write_night(night, policy.house.currency, policy.house.currency_digits))
    told = {**describe_night(night), "report": str(file)}
    print_json(told) if as_json else _print(told, 10**policy.house.currency_digits)


def options_of(policy: Policy) -> RetrainOptions:
    """Take from the policy what it says about learning."""
    house = policy.house
    return RetrainOptions(
        limits=GateLimits(max_loss=float(house.learning.max_loss)),
        holdout_share=float(house.holdout.share),
        policy_version=policy.version,
    )


@contextmanager
def only_one(database: Path) -> Iterator[None]:
    """Refuse a second night beside the first. The lock goes with its process, however that ends."""
    with _beside(database, ".retrain.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            raise Trouble(f"a retrain of {database} is running already (process {owner}); wait for it") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def replace_file(file: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole or as it was before."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
        new.write(content)
        new.flush()
        os.fsync(new.fileno())
    Path(new.name).replace(file)


def _beside(database: Path, suffix: str) -> Path:
    return database.with_name(database.name + suffix)


def _print(told: dict[str, Any], unit: int) -> None:
    fitted = "anew" if told["fitted_anew"] else "on from last night"
    click.echo(
        f"Night {told['night']}: {told['new_outcomes']:,} outcomes read that are new or changed,"
        f" {told['outcomes']:,} so far, fitted {fitted}."
        f" Candidate {told['version']}."
    )
    rows = [_row(value, unit) for value in told["values"]]
    columns = ("policy", "profit per checkout", "95 %", "candidate gains", "95 %", "effective samples")
    print_table(f"On the latest {told['compared_on']:,} checkouts", columns, rows, columns[1:])
    checks = [(check["name"], "ok" if check["passed"] else "NO", check["found"]) for check in told["checks"]]
    print_table("The gate", ("check", "", "found"), checks)
    for title, sentences in (("Segments", told["segments"]), ("What changed", told["changed"])):
        click.echo("\n".join([f"{title}:", *(plain(f"  {sentence}") for sentence in sentences or ["nothing"])]))
    came = sum(count["outcomes"] for count in told["missing"])
    decided = sum(count["decisions"] for count in told["missing"])
    if decided:
        click.echo(
            f"Of {decided:,} decisions in 30 days, {decided - came:,} never got an outcome ({1 - came / decided:.1%})."
        )
    against = "; ".join(told["reasons"])
    verdict = "The candidate is in force." if told["promoted"] else f"The champion stays: {against}."
    click.echo(f"{verdict} Report: {told['report']}")


def _row(value: dict[str, Any], unit: int) -> tuple[str, ...]:
    best, gain = value["doubly_robust"], value["candidate_gains"]
    is_self = value["policy"] == "candidate"
    return (
        value["policy"],
        _money(best["mean"], unit),
        f"{_money(best['low'], unit)} .. {_money(best['high'], unit)}",
        "" if is_self else _money(gain["mean"], unit),
        "" if is_self else f"{_money(gain['low'], unit)} .. {_money(gain['high'], unit)}",
        f"{value['effective_samples']:,.0f}",
    )


def _money(minor: float | None, unit: int) -> str:
    return "-" if minor is None else f"{minor / unit:.2f}"
