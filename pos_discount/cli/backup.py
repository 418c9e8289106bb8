"""`pos-discount backup` and `restore`: the database copied while it is used, and put back when nobody uses it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from pos_discount.cli.environment import open_store, read_settings_without_secret
from pos_discount.cli.output import Trouble, note
from pos_discount.store import StoreError, restore_backup


@click.command()
@click.argument("target", required=False, type=click.Path(path_type=Path))
def backup(target: Path | None) -> None:
    """Copy the database into TARGET while it is being used; left out, a file named by the time, beside it.

    The copy is whole, as of one moment, and holds nothing of what was erased. Keep the secret with it: without
    that, customers become strangers.

    \b
    Example:
      pos-discount backup /backups/pos-discount-monday.db
    """
    settings = read_settings_without_secret()
    with open_store(settings) as store:
        chosen = target or store.path.with_name(f"{store.path.stem}-{datetime.now(UTC):%Y%m%d-%H%M%S}.db")
        if not chosen.parent.is_dir():
            raise Trouble(f"{chosen}: there is no folder {chosen.parent}; make it first")
        store.backup(chosen)
    chosen.chmod(0o600)
    note(f"backup: {chosen}, {chosen.stat().st_size / 2**20:.1f} MiB")
    click.echo(str(chosen))


@click.command()
@click.argument("backup_file", metavar="BACKUP", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="Do not ask before an existing database is replaced.")
def restore(backup_file: Path, yes: bool) -> None:
    """Put BACKUP in the place of the database. Stop the service first.

    Whoever was forgotten since the backup was made is forgotten again as soon as the database is opened.

    \b
    Example:
      pos-discount restore /backups/pos-discount-monday.db --yes
    """
    settings = read_settings_without_secret()
    file = settings.database
    if file.exists() and not yes:
        click.confirm(f"{file} will be replaced. Go on?", abort=True)
    try:
        restore_backup(backup_file, file)
    except StoreError as error:
        raise Trouble(str(error)) from None
    with open_store(settings) as store:
        problems = store.find_problems()
    if problems:
        raise Trouble("\n".join(problems))
    note(f"{file} is what {backup_file} was, its keys and pauses too: revoke and pause again what was since")
