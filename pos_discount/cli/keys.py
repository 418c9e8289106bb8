"""`pos-discount keys`: the keys with which tills, merchandisers, analysts and administrators sign in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from pos_discount.cli.environment import now_microseconds, open_store, read_secret_text, read_settings
from pos_discount.cli.output import Trouble, json_option, note, print_json, print_table
from pos_discount.store import ApiKey, Store
from pos_discount.web.keys import SCOPES, Scope, make_key
from pos_discount.web.secret import ANOTHER_SECRET, fingerprint_of

MICROSECONDS = 1_000_000


@click.command()
@click.option("--scope", type=click.Choice(SCOPES), required=True, help="What the key may do.")
@click.option("--store", "stores", multiple=True, metavar="STORE", help="A store that it is bound to; left out: all.")
@click.option("--label", default="", help="Whose it is, for the list.")
@click.option("--days", type=click.IntRange(min=1, max=36500), help="For how many days; left out: until revoked.")
@json_option
def create(scope: Scope, stores: tuple[str, ...], label: str, days: int | None, as_json: bool) -> None:
    """Make a key and print it, this once: only a digest of it is kept.

    \b
    Example:
      pos-discount keys create --scope till --store S001 --label "till 7"
    """
    settings = read_settings()
    now = now_microseconds()
    expires_at = now + int(timedelta(days=days).total_seconds()) * MICROSECONDS if days else None
    secret = read_secret_text(settings)
    new = make_key(secret, scope, tuple(dict.fromkeys(stores)), label, now, expires_at)
    with open_store(settings, may_create=True) as store:
        _note_secret(store, fingerprint_of(secret), now)
        store.create_key(new.kept)
    if as_json:
        print_json({"key": new.token, **_as_json(new.kept)})
    else:
        click.echo(new.token)
        note(f"key {new.kept.key_id}: write it down now, it is not shown again")


def _note_secret(store: Store, fingerprint: bytes, now: int) -> None:
    """Warn where keys that hold were made with another secret; the first key after them settles for the new one."""
    if store.note_secret(fingerprint, now):
        return
    if store.note_secret(fingerprint, now, with_customers=False):
        note("the secret is a new one: customers are strangers whom the service knew with the former one")
    else:
        note(f"{ANOTHER_SECRET}: set it as it was or, to go on with this one, revoke all keys and make new ones")


@click.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """List all keys, revoked and expired ones too, without their secrets.

    \b
    Example:
      pos-discount keys list --json
    """
    with open_store(read_settings()) as store:
        keys = store.read_keys()
    if as_json:
        print_json([_as_json(key) for key in keys])
        return
    now = now_microseconds()
    rows = (
        (k.key_id, k.scope, " ".join(k.stores) or "all", k.label, _when(k.created_at), _state(k, now)) for k in keys
    )
    print_table("Keys", ("key", "scope", "stores", "label", "made", "state"), rows)


@click.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Take the key KEY_ID back; every worker refuses it within a minute.

    \b
    Example:
      pos-discount keys revoke 5f2b8c0a9d11
    """
    with open_store(read_settings()) as store:
        if not store.revoke_key(key_id, now_microseconds()):
            raise Trouble(f"there is no key {key_id} that still holds; `pos-discount keys list` shows them all")
    note(f"key {key_id} is revoked")


def _as_json(key: ApiKey) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "scope": key.scope,
        "stores": list(key.stores),
        "label": key.label,
        "created_at": _when(key.created_at),
        "expires_at": _when(key.expires_at),
        "revoked_at": _when(key.revoked_at),
    }


def _state(key: ApiKey, now: int) -> str:
    if key.revoked_at is not None:
        return f"revoked {_when(key.revoked_at)}"
    if key.expires_at is None:
        return "holds"
    return f"{'holds until' if key.expires_at > now else 'expired'} {_when(key.expires_at)}"


def _when(microseconds: int | None) -> str | None:
    if microseconds is None:
        return None
    return datetime.fromtimestamp(microseconds // MICROSECONDS, UTC).isoformat().replace("+00:00", "Z")
