"""`pos-discount model list|show|activate|rollback`: which models are kept, what they say, which one decides."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from pos_discount.cli.environment import now_microseconds, open_store, read_settings_without_secret
from pos_discount.cli.output import Trouble, json_option, print_json, print_table
from pos_discount.learning import is_whole, read_model, read_night
from pos_discount.sensitivity import SensitivityModel
from pos_discount.store import Store


@click.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """List all models that are kept, the latest first, and say which one is in force.

    \b
    Example:
      pos-discount model list
    """
    with open_store(read_settings_without_secret()) as store:
        active = store.read_active_model()
        kept = [_summary(store, version, at, active) for version, at in reversed(store.read_models())]
    if as_json:
        print_json(kept)
        return
    rows = [
        (
            "*" if model["active"] else "",
            model["version"],
            model["kept_at"],
            {True: "passed", False: "refused", None: ""}[model["promoted"]],
            model["outcomes"],
            "" if model["whole"] else "damaged",
        )
        for model in kept
    ]
    print_table("Models", ("", "version", "kept", "gate", "outcomes", ""), rows, ("outcomes",))


@click.command()
@click.argument("version", required=False)
@json_option
def show(version: str | None, as_json: bool) -> None:
    """Show a model's card, its segments and the night that made it; without VERSION, of the one in force.

    \b
    Example:
      pos-discount model show
    """
    with open_store(read_settings_without_secret()) as store:
        version = version or store.read_active_model()
        if version is None:
            raise Trouble("no model is in force; run 'pos-discount retrain', or name one of `model list`")
        model, night = _model(store, version), read_night(store, version)
    told = {"version": version, "card": msgspec.to_builtins(model.card), "night": night}
    told["segments"] = [msgspec.to_builtins(segment) for segment in model.segments]
    print_json(told) if as_json else _print(told)


@click.command()
@click.argument("version")
@click.option("--reason", default="by hand", show_default=True, help="Why, for whoever reads the list later.")
def activate(version: str, reason: str) -> None:
    """Put a kept model in force at every till; VERSION `none` lets none decide.

    \b
    Example:
      pos-discount model activate m-3f2a --reason "after the fair"
    """
    with open_store(read_settings_without_secret()) as store:
        chosen = None if version == "none" else _found(store, version)
        store.activate_model(chosen, reason, now_microseconds())
    click.echo(f"In force: {chosen or 'no model'}. Tills decide with it within five seconds.")


@click.command()
def rollback() -> None:
    """Put back in force what was before the present model.

    \b
    Example:
      pos-discount model rollback
    """
    with open_store(read_settings_without_secret()) as store:
        turns = store.read_activations()
        if not turns or turns[0].version is None:
            raise Trouble("no model is in force: there is nothing to roll back")
        before = _version_before(store)
        store.activate_model(before, f"rollback from {turns[0].version}", now_microseconds())
    click.echo(f"In force: {before or 'no model'}. Tills decide with it within five seconds.")


def _version_before(store: Store) -> str | None:
    """Find the model whose place the present one took: twice goes two steps back, and the damaged are skipped."""
    trail: list[str | None] = []
    for turn in reversed(store.read_activations()):
        if turn.reason.startswith("rollback") and turn.version in trail:
            del trail[len(trail) - trail[::-1].index(turn.version) :]
        else:
            trail.append(turn.version)
    present = trail[-1]
    while trail and (trail[-1] == present or (trail[-1] is not None and not is_whole(store, trail[-1]))):
        trail.pop()
    return trail[-1] if trail else None


def _summary(store: Store, version: str, kept_at: int, active: str | None) -> dict[str, Any]:
    night = read_night(store, version) or {}
    return {
        "version": version,
        "kept_at": datetime.fromtimestamp(kept_at // 1_000_000, UTC).isoformat(),
        "active": version == active,
        "whole": is_whole(store, version),
        "promoted": night.get("promoted"),
        "outcomes": night.get("outcomes"),
    }


def _found(store: Store, version: str) -> str:
    """Find a model by its version or the beginning of one; it must be whole."""
    found = [kept for kept, _ in store.read_models() if kept.startswith(version)]
    if version in found:
        found = [version]
    if len(found) != 1:
        raise Trouble(f"{version}: {'no' if not found else 'more than one'} model of that version; see `model list`")
    _model(store, found[0])
    return found[0]


def _model(store: Store, version: str) -> SensitivityModel:
    model = read_model(store, version)
    if model is None:
        raise Trouble(f"{version} is not kept whole here; choose another of `model list`")
    return model


def _print(told: dict[str, Any]) -> None:
    click.echo(f"{told['version']}: {told['card']['kind']}, {told['card']['effective_samples']:,.0f} visits")
    for check in (told["night"] or {}).get("checks", ()):
        click.echo(f"  {'ok' if check['passed'] else 'NO'}  {check['name']}: {check['found']}")
    rows = [
        (
            s["name"],
            s["rule"],
            f"{s['share']:.0%}",
            f"{s['curve'][3]:.0%}",
            f"{s['curve'][6]:.0%}",
            f"{s['walk']:.0%}",
            f"{s['loss']:.0%}",
        )
        for s in told["segments"]
    ]
    columns = ("segment", "met where", "share", "settle at 3 %", "at 10 %", "walk", "lost")
    print_table("Segments", columns, rows, columns[2:])
