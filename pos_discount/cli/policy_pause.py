"""`pos-discount policy pause` and `resume`: one promotion stopped at every till, and let go on."""

from __future__ import annotations

import click

from pos_discount.cli.environment import (
    now_microseconds,
    open_store,
    policies_folder,
    read_policy,
    read_settings_without_secret,
)
from pos_discount.cli.output import Trouble, note
from pos_discount.cli.records import KeptVersions
from pos_discount.policy import Policy
from pos_discount.policy.spelling import did_you_mean
from pos_discount.store import Pause


@click.command()
@click.argument("promotion")
@click.option("--reason", default="", help="Why, for those who wonder tomorrow.")
def pause(promotion: str, reason: str) -> None:
    """Stop PROMOTION at every till within two seconds, without touching the policy's files.

    \b
    Example:
      pos-discount policy pause birthday --reason "wrong percentage"
    """
    known = [written.id for written in _policy_in_force().promotions]
    if promotion not in known:
        raise Trouble(f"the policy has no promotion {promotion!r}{did_you_mean(promotion, known)}")
    with open_store(read_settings_without_secret()) as store:
        store.pause_promotion(Pause(promotion, now_microseconds(), reason))
    note(f"{promotion} is paused; `pos-discount policy resume {promotion}` lets it apply again")


def _policy_in_force() -> Policy:
    """Read the folder's policy or, where that can't be read now, the one that decided last and goes on deciding."""
    try:
        return read_policy(policies_folder())
    except Trouble as trouble:
        with open_store(read_settings_without_secret()) as store:
            version = store.read_latest_policy()
            if version is None:
                raise trouble from None
            note(f"{trouble.message}\nthe policy that decided last is taken instead")
            return KeptVersions(store).index(version).policy


@click.command()
@click.argument("promotion")
def resume(promotion: str) -> None:
    """Let a paused PROMOTION apply again.

    \b
    Example:
      pos-discount policy resume birthday
    """
    with open_store(read_settings_without_secret()) as store:
        if not store.resume_promotion(promotion):
            paused = ", ".join(pause.promotion_id for pause in store.read_paused()) or "nothing"
            raise Trouble(f"{promotion!r} is not paused; paused now: {paused}")
    note(f"{promotion} applies again")
