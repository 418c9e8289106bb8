"""Where a command's world comes from: the same settings as the service's, the policy, the database, the clock.

Hides which settings a command needs: checking a policy asks for no secret, reading a database makes none.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

import pos_discount
from pos_discount.cli.output import Trouble, note
from pos_discount.policy import Policy, PolicyProblems, load_policy
from pos_discount.store import Store, StoreError
from pos_discount.web.secret import ANOTHER_SECRET, Secret, secret_text
from pos_discount.web.settings import PREFIX, Settings, SettingsError, settings_from_environment

SHIPPED = ("shipped_policies", "../policies")


def read_settings() -> Settings:
    """Read the service's settings; a mistyped or missing one ends the command as used wrongly."""
    try:
        return settings_from_environment(os.environ)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None


def read_settings_without_secret() -> Settings:
    """Read the settings for a command that needs no keys and no pseudonyms, so that no secret has to be there."""
    try:
        return settings_from_environment({**os.environ, f"{PREFIX}AUTH": "off"})
    except SettingsError as error:
        raise click.UsageError(str(error)) from None


def read_secret(settings: Settings) -> Secret:
    """Return the house's secret, by which customers become pseudonyms; a missing one ends the command."""
    return Secret(read_secret_text(settings))


def pseudonym_in(store: Store, settings: Settings, customer: str) -> str:
    """Return the name of a customer in a database; another secret than its own, by which everybody is a stranger, ends
    the command.
    """
    secret = read_secret(settings)
    if not store.note_secret(secret.fingerprint, now_microseconds()):
        raise Trouble(f"{ANOTHER_SECRET}, so this customer can't be found with it; set it as it was")
    return secret.pseudonym(customer)


def read_secret_text(settings: Settings) -> str:
    """Return the text of the house's secret; a missing one ends the command."""
    try:
        return secret_text(settings)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None


def policies_folder(given: Path | None = None) -> Path:
    """Return the folder that was given or set; where there is neither, and no `policies` here, the shipped one."""
    folder = given or read_settings_without_secret().policies
    if given or os.environ.get(f"{PREFIX}POLICIES") or folder.is_dir():
        return folder
    shipped = shipped_policies()
    note(f"no folder {folder} here: taking the shipped policies, {shipped}")
    return shipped


def shipped_policies() -> Path:
    """Return the folder of policies that come with the package, installed or in a checkout."""
    package = Path(pos_discount.__file__).parent
    return next((package / name).resolve() for name in SHIPPED if (package / name).is_dir())


def read_policy(folder: Path) -> Policy:
    """Load a policy; a folder that does not load ends the command with every problem, one per line."""
    if not folder.is_dir():
        raise Trouble(f"{folder} is not a folder; name the folder that holds the policy, or set {PREFIX}POLICIES")
    try:
        return load_policy(folder)
    except PolicyProblems as problems:
        raise Trouble(f"this policy cannot be read:\n{problems}") from None


@contextmanager
def open_store(settings: Settings, *, may_create: bool = False) -> Iterator[Store]:
    """Lend the database; one that is not there yet is made only where a command says so."""
    file = settings.database
    if not file.exists() and not may_create:
        raise Trouble(f"there is no database {file}; set {PREFIX}DATABASE to the file that the service uses")
    keep_private()
    store = Store(file)
    try:
        yield store
    except StoreError as error:
        raise Trouble(str(error)) from None
    finally:
        store.close()


def learned_memory(database: Path) -> Path:
    """Return where the nightly learning keeps what it goes on from; without it, the next night reads everything."""
    return database.with_name(database.name + ".learner")


def keep_private() -> None:
    """Let this process make files that only its own user may read: a database names customers, if by pseudonym."""
    os.umask(0o077)


def now() -> datetime:
    """Read the clock."""
    return datetime.now(UTC)


def now_microseconds() -> int:
    """Read the clock as the store counts: whole microseconds since 1970."""
    return time.time_ns() // 1000
